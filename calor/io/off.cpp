// OFF: http://www.geomview.org/docs/html/OFF.html
#include <charconv>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/mesh_formats.h"

namespace calor::io {

namespace {

// Of "OFF", "COFF", "STNOFF" and the like at the front of a word, its length; else 0.
std::size_t keyword(std::string_view word) {
  const std::size_t end = word.find("OFF");
  if (end == std::string_view::npos || word.substr(0, end).find_first_not_of("STCN4n") != std::string_view::npos) return 0;
  return end + 3;
}

std::int64_t whole(std::string_view word, const char* what, const std::string& place, std::int64_t line) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  require(error == std::errc() && end == word.data() + word.size(), Fault::input,
          "[off] expected a whole number as {}, found \"{}\" ({}, line {}): correct it", what, word.substr(0, 40),
          place, line);
  return value;
}

class Parser {
 public:
  Parser(std::string_view text, const std::string& place, const Context& context) : lines_(text, '#'), place_(place), context_(context) {}

  Polygons parse() {
    const auto [points, faces] = counts();
    for (std::int64_t i = 0; i < points; ++i) {
      go_on("points", points, i);
      add_point(result_.points, lines_, 0, "off", place_);
    }
    for (std::int64_t i = 0; i < faces; ++i) {
      go_on("faces", faces, i);
      add_face();
    }
    return std::move(result_);
  }

 private:
  struct Counts {
    std::int64_t points, faces;
  };

  // After the keyword, on its line or the next; some programs leave no blank between.
  Counts counts() {
    lines_.next();
    std::string_view word = lines_.words()[0];
    const std::size_t size = keyword(word);
    require(word.substr(0, size).find_first_of("4n") == std::string_view::npos, Fault::input,
            "[off] expected points in three dimensions, found {} ({}, line {})", word.substr(0, size), place_,
            lines_.line());
    require(lines_.words().size() < 2 || lines_.words()[1] != "BINARY", Fault::input,
            "[off] expected OFF as text, found a binary file ({}): save it as text, or as PLY", place_);
    std::vector<std::string_view> words(lines_.words().begin() + 1, lines_.words().end());
    if (word.size() > size) words.insert(words.begin(), word.substr(size));
    if (words.empty()) {
      require(lines_.next(), Fault::input, "[off] expected the numbers of points and faces, found the end of the file ({})", place_);
      words = lines_.words();
    }
    require(words.size() >= 2, Fault::input, "[off] expected the numbers of points and faces, found one number ({}, line {}): write the file again",
            place_, lines_.line());
    const Counts counts{whole(words[0], "number of points", place_, lines_.line()), whole(words[1], "number of faces", place_, lines_.line())};
    require(counts.points >= 0 && counts.faces >= 0, Fault::input,
            "[off] expected numbers of at least 0, found {} points and {} faces ({}, line {}): write the file again", counts.points,
            counts.faces, place_, lines_.line());
    return counts;
  }

  void go_on(const char* what, std::int64_t expected, std::int64_t found) {
    if (found % 65536 == 0) context_.check_stop("off");
    require(lines_.next(), Fault::input, "[off] expected {} {}, found the end of the file after {} ({}): the file is cut off; write it again",
            expected, what, found, place_);
  }

  // "3 0 1 2", perhaps with a colour behind it.
  void add_face() {
    const auto& words = lines_.words();
    const std::int64_t corners = whole(words[0], "number of corners", place_, lines_.line());
    require(corners >= 0 && corners < static_cast<std::int64_t>(words.size()), Fault::input,
            "[off] expected the number of corners and as many points, found {} and {} ({}, line {}): correct it",
            corners, counted(static_cast<std::int64_t>(words.size()) - 1, "number"), place_, lines_.line());
    for (std::size_t c = 1; c <= static_cast<std::size_t>(corners); ++c) result_.corners.push_back(whole(words[c], "corner", place_, lines_.line()));
    result_.end_face(lines_.line());
  }

  MeshLines lines_;
  const std::string& place_;
  const Context& context_;
  Polygons result_{.op = "off"};
};

}  // namespace

bool is_off(std::string_view bytes) {
  MeshLines lines(bytes.substr(0, 4096), '#');
  return lines.next() && keyword(lines.words()[0]) > 0;
}

Polygons parse_off(std::string_view text, const std::string& place, const Context& context) { return Parser(text, place, context).parse(); }

}  // namespace calor::io
