// Wavefront OBJ: points and faces; the format's appendix B1 in the Advanced Visualizer's manual.
#include <algorithm>
#include <charconv>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/mesh_formats.h"

namespace calor::io {

namespace {

// First words of lines that hold something else; texts of other formats do not begin with them and numbers.
constexpr std::string_view others[] = {"vt", "vn", "vp", "l", "p", "g", "o", "s", "mg", "mtllib", "usemtl", "usemap", "maplib"};

// The point of "7", "7/1", "7//3" or "-1", from 0, where `points` were given before.
std::int64_t corner(std::string_view word, std::int64_t points, const std::string& place, std::int64_t line) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  require(error == std::errc() && value != 0 && (end == word.data() + word.size() || *end == '/'), Fault::input,
          "[obj] expected a point as 7, 7/1, 7//1 or -1, found \"{}\" ({}, line {}): correct it", word.substr(0, 40), place, line);
  require(value > 0 || points + value >= 0, Fault::input, "[obj] expected corners among the {} before, found {} ({}, line {}): correct it",
          counted(points, "point"), value, place, line);
  return value > 0 ? value - 1 : points + value;
}

}  // namespace

bool is_obj(std::string_view bytes) {
  if (bytes.substr(0, 4096).find('\0') != std::string_view::npos) return false;
  MeshLines lines(bytes, '#');  // comments may be long
  if (!lines.next()) return false;
  const auto& words = lines.words();
  return (words[0] == "v" && words.size() >= 4) || std::ranges::find(others, words[0]) != std::end(others);
}

Polygons parse_obj(std::string_view text, const std::string& place, const Context& context) {
  Polygons result{.op = "obj", .first = 1};
  MeshLines lines(text, '#');
  bool continued = false, face = false;
  for (std::int64_t count = 0; lines.next(); ++count) {
    if (count % 65536 == 0) context.check_stop("obj");
    const auto& words = lines.words();
    std::size_t from = 0;
    if (!continued) face = words[from++] == "f";
    continued = words.back().ends_with('\\');  // the statement goes on in the next line
    if (face) {
      for (std::size_t c = from; c < words.size(); ++c) {
        const bool last = continued && c + 1 == words.size();
        if (last && words[c].size() == 1) break;
        const std::string_view word = last ? words[c].substr(0, words[c].size() - 1) : words[c];
        result.corners.push_back(corner(word, static_cast<std::int64_t>(result.points.size() / 3), place, lines.line()));
      }
      if (!continued) result.end_face(lines.line());
    } else if (from == 1 && words[0] == "v") {
      add_point(result.points, lines, 1, "obj", place);
    }
  }
  require(!continued || !face, Fault::input,
          "[obj] expected further corners of a face, found the end of the file ({}): the file is cut off; write it again", place);
  return result;
}

}  // namespace calor::io
