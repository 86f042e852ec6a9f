// The formats of meshes; mesh.cpp tells them apart and makes triangles of what they give.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "calor/core/progress.h"

namespace calor::io {

// Points, and faces of any number of corners that nobody has checked yet.
struct Polygons {
  const char* op;                       // "off", for errors
  const char* unit = "line";            // of `at`: or "byte"
  std::int64_t first = 0;               // what the file calls its first point
  std::int64_t merged = 0;
  std::vector<double> points{};         // finite
  std::vector<std::int64_t> corners{};  // from 0
  std::vector<std::size_t> begin{0};    // of each face in `corners`, and the end
  std::vector<std::int64_t> at{};       // where each face stands in the file, from 1

  void end_face(std::int64_t place) {
    begin.push_back(corners.size());
    at.push_back(place);
  }
};

Polygons parse_off(std::string_view text, const std::string& place, const Context& context);
Polygons parse_obj(std::string_view text, const std::string& place, const Context& context);
Polygons parse_ply(std::string_view bytes, const std::string& place, const Context& context);
Polygons parse_stl(std::string_view bytes, const std::string& place, const Context& context);

bool is_off(std::string_view bytes);
bool is_obj(std::string_view bytes);
bool is_ply(std::string_view bytes);
bool is_stl(std::string_view bytes, const std::string& place);

// The words of a text, line by line; blank lines and what follows a '#' are left out.
class MeshLines {
 public:
  MeshLines(std::string_view text, char comment) : rest_(text), comment_(comment) {}
  // Goes to the next line that has words; false at the end.
  bool next();
  std::int64_t line() const { return line_; }  // from 1
  const std::vector<std::string_view>& words() const { return words_; }

 private:
  std::string_view rest_;
  char comment_;  // '\0': the text has none
  std::int64_t line_ = 0, next_line_ = 1;
  std::vector<std::string_view> words_;
};

// Throws Fault::input "[op] expected a finite number as coordinate, found ..." for any other word.
double coordinate(std::string_view word, const char* op, const std::string& place, std::int64_t line);

// The first three words from `from` as a point; throws where they are fewer.
void add_point(std::vector<double>& points, const MeshLines& lines, std::size_t from, const char* op, const std::string& place);

// Throws Fault::input where a point more would have a number beyond 32 bits.
void check_points(std::size_t coordinates, const char* op, const std::string& place);

}  // namespace calor::io
