// STL: the StereoLithography Interface Specification, 3D Systems 1989.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <unordered_map>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/mesh_formats.h"
#include "calor/io/number.h"

namespace calor::io {

namespace {

constexpr std::size_t header_size = 84, facet_size = 50;  // 80 bytes and the number of facets; normal, three corners, two bytes of attributes

std::uint32_t little_32(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t b = 4; b-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at + b]);
  return value;
}

// Every facet gives its corners anew: equal ones are one point.
class Corners {
 public:
  explicit Corners(Polygons& polygons, const std::string& place) : polygons_(polygons), place_(place) {}

  void add(std::array<double, 3> point) {
    for (double& value : point) value += 0.0;  // -0 is 0
    const auto [at, fresh] = number_.try_emplace(point, static_cast<std::int64_t>(polygons_.points.size() / 3));
    if (fresh) {
      check_points(polygons_.points.size(), "stl", place_);
      polygons_.points.insert(polygons_.points.end(), point.begin(), point.end());
    } else {
      ++polygons_.merged;
    }
    polygons_.corners.push_back(at->second);
  }

 private:
  struct Hash {
    std::size_t operator()(const std::array<double, 3>& point) const {
      std::uint64_t hash = 0;
      for (const double value : point) {  // splitmix64 of the bits so far
        hash = (hash ^ std::bit_cast<std::uint64_t>(value)) + 0x9E3779B97F4A7C15u;
        hash = (hash ^ hash >> 30) * 0xBF58476D1CE4E5B9u;
        hash = (hash ^ hash >> 27) * 0x94D049BB133111EBu;
        hash ^= hash >> 31;
      }
      return hash;
    }
  };

  Polygons& polygons_;
  const std::string& place_;
  std::unordered_map<std::array<double, 3>, std::int64_t, Hash> number_;
};

Polygons parse_binary(std::string_view bytes, const std::string& place, const Context& context) {
  Polygons result{.op = "stl", .unit = "byte"};
  require(bytes.size() >= header_size, Fault::input, "[stl] expected a header of {} bytes, found {} ({}): the file is cut off; write it again",
          header_size, counted(static_cast<std::int64_t>(bytes.size()), "byte"), place);
  const std::size_t facets = little_32(bytes, header_size - 4), room = (bytes.size() - header_size) / facet_size;
  require(facets <= room, Fault::input,
          "[stl] expected {} facets of {} bytes, found the end of the file after {} ({}): the file is cut off; write it again", facets, facet_size, room, place);
  Corners corners(result, place);
  for (std::size_t f = 0; f < facets; ++f) {
    if (f % 65536 == 0) context.check_stop("stl");
    const std::size_t begin = header_size + f * facet_size;
    for (std::size_t c = 0; c < 3; ++c) {
      std::array<double, 3> point;
      for (std::size_t x = 0; x < 3; ++x) {
        const std::size_t at = begin + 12 * (c + 1) + 4 * x;
        point[x] = static_cast<double>(std::bit_cast<float>(little_32(bytes, at)));
        require(std::isfinite(point[x]), Fault::input, "[stl] expected a finite number as coordinate, found {} ({}, byte {}): correct it", point[x],
                place, at + 1);
      }
      corners.add(point);
    }
    result.end_face(static_cast<std::int64_t>(begin + 1));
  }
  return result;
}

// "solid", facets of "facet normal", "outer loop", three times "vertex", "endloop", "endfacet", and "endsolid"; perhaps several solids.
Polygons parse_text(std::string_view text, const std::string& place, const Context& context) {
  constexpr std::string_view order[] = {"solid", "facet", "outer", "vertex", "endloop", "endfacet", "endsolid"};
  enum Word { solid, facet, outer, vertex, endloop, endfacet, endsolid };
  Polygons result{.op = "stl"};
  Corners corners(result, place);
  MeshLines lines(text, '\0');
  std::vector<double> point;
  Word before = endsolid;
  for (std::int64_t count = 0; lines.next(); ++count) {
    if (count % 65536 == 0) context.check_stop("stl");
    const std::string first = lower_case(lines.words()[0]);
    const auto word = static_cast<Word>(std::ranges::find(order, first) - std::begin(order));
    const bool follows = (word == solid && before == endsolid) || (word == facet && (before == solid || before == endfacet)) || (word == outer &&
        before == facet) ||
                         (word == vertex && (before == outer || before == vertex)) || (word == endloop && before == vertex) || (word == endfacet &&
                             before == endloop) ||
                         (word == endsolid && (before == solid || before == endfacet));
    require(follows, Fault::input, "[stl] expected what follows \"{}\" in STL, found \"{}\" ({}, line {}): write the file again", order[before],
            lines.words()[0].substr(0, 40), place, lines.line());
    before = word;
    if (word == vertex) {
      point.clear();
      add_point(point, lines, 1, "stl", place);
      corners.add({point[0], point[1], point[2]});
    } else if (word == endfacet) {
      require(result.corners.size() >= result.begin.back() + 3, Fault::input,
              "[stl] expected a facet of three corners, found {} ({}, line {}): write the file again",
              result.corners.size() - result.begin.back(), place, lines.line());
      result.end_face(lines.line());
    }
  }
  require(before == endsolid, Fault::input, "[stl] expected \"endsolid\", found the end of the file ({}): the file is cut off; write it again", place);
  return result;
}

bool has_length(std::string_view bytes) { return bytes.size() >= header_size &&
                                         bytes.size() == header_size + facet_size * static_cast<std::size_t>(little_32(bytes, header_size - 4)); }

// Binary files may begin with "solid" too.
bool is_text(std::string_view bytes) {
  MeshLines lines(bytes.substr(0, 4096), '\0');
  return !has_length(bytes) && lines.next() && lower_case(lines.words()[0]) == "solid" && bytes.substr(0, 4096).find('\0') == std::string_view::npos;
}

}  // namespace

bool is_stl(std::string_view bytes, const std::string& place) {
  if (has_length(bytes) || is_text(bytes)) return true;
  std::filesystem::path file = place;
  if (lower_case(file.extension().string()) == ".gz") file = file.stem();
  return lower_case(file.extension().string()) == ".stl";
}

Polygons parse_stl(std::string_view bytes, const std::string& place, const Context& context) {
  return is_text(bytes) ? parse_text(bytes, place, context) : parse_binary(bytes, place, context);
}

}  // namespace calor::io
