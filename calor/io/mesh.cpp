#include "calor/io/mesh.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/gzip.h"
#include "calor/io/mesh_formats.h"
#include "calor/io/number.h"
#include "calor/io/source.h"

namespace calor::io {

namespace {

double squared_distance(const std::vector<double>& points, std::int64_t a, std::int64_t b) {
  double sum = 0;
  for (std::size_t c = 0; c < 3; ++c) {
    const double difference = points[3 * static_cast<std::size_t>(a) + c] - points[3 * static_cast<std::size_t>(b) + c];
    sum += difference * difference;
  }
  return sum;
}

class Triangles {
 public:
  explicit Triangles(Mesh& mesh) : mesh_(mesh) {}

  // Of a face without equal neighbours, or with fewer than three corners.
  void add(const std::vector<std::int64_t>& face) {
    ++mesh_.file_faces;
    if (face.size() < 3) {
      ++mesh_.degenerate;
      return;
    }
    if (face.size() > 3) ++mesh_.cut;
    const bool other = face.size() == 4 && squared_distance(mesh_.points, face[1], face[3]) < squared_distance(mesh_.points, face[0], face[2]);
    if (other) {
      add(face[0], face[1], face[3]);
      add(face[1], face[2], face[3]);
      return;
    }
    for (std::size_t c = 2; c < face.size(); ++c) add(face[0], face[c - 1], face[c]);
  }

 private:
  void add(std::int64_t a, std::int64_t b, std::int64_t c) {
    if (a == b || b == c || c == a) {
      ++mesh_.degenerate;
      return;
    }
    for (const std::int64_t corner : {a, b, c}) mesh_.triangles.push_back(static_cast<std::int32_t>(corner));
    mesh_.face_of.push_back(static_cast<std::int32_t>(mesh_.file_faces - 1));
  }

  Mesh& mesh_;
};

Mesh triangles_of(Polygons&& polygons, const std::string& place, const Context& context) {
  Mesh mesh;
  mesh.merged = polygons.merged;
  mesh.points = std::move(polygons.points);
  const std::int64_t nodes = mesh.nodes();
  std::vector<bool> used(static_cast<std::size_t>(nodes));
  std::vector<std::int64_t> face;
  Triangles triangles(mesh);
  for (std::size_t f = 0; f + 1 < polygons.begin.size(); ++f) {
    if (f % 65536 == 0) context.check_stop("mesh");
    face.clear();
    for (std::size_t c = polygons.begin[f]; c < polygons.begin[f + 1]; ++c) {
      const std::int64_t corner = polygons.corners[c];
      require(corner >= 0 && corner < nodes, Fault::input, "[{}] expected corners among the points {} to {}, found {} ({}, {} {}): correct it",
              polygons.op, polygons.first,
              nodes - 1 + polygons.first, corner + polygons.first, place, polygons.unit, polygons.at[f]);
      if (face.empty() || face.back() != corner) face.push_back(corner);
    }
    while (face.size() > 1 && face.front() == face.back()) face.pop_back();
    triangles.add(face);
  }
  require(!mesh.triangles.empty(), Fault::input, "[{}] expected triangles, found {} {} ({}): give a surface", polygons.op, counted(nodes, "point"),
          mesh.degenerate > 0 ? "and faces with a corner twice alone" : "without a face", place);
  for (const std::int32_t corner : mesh.triangles) used[static_cast<std::size_t>(corner)] = true;
  mesh.unused = static_cast<std::int64_t>(std::ranges::count(used, false));
  return mesh;
}

}  // namespace

bool MeshLines::next() {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\v' || c == '\f'; };
  words_.clear();
  while (!rest_.empty() && words_.empty()) {
    const std::size_t end = std::min(rest_.find_first_of("\r\n"), rest_.size());
    std::string_view row = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + (rest_.substr(end).starts_with("\r\n") ? 2 : 1), rest_.size()));
    line_ = next_line_++;
    if (comment_) row = row.substr(0, row.find(comment_));
    for (std::size_t at = 0; at < row.size();) {
      if (blank(row[at])) {
        ++at;
        continue;
      }
      std::size_t to = at;
      while (to < row.size() && !blank(row[to])) ++to;
      words_.push_back(row.substr(at, to - at));
      at = to;
    }
  }
  return !words_.empty();
}

double coordinate(std::string_view word, const char* op, const std::string& place, std::int64_t line) {
  const auto value = parse_number(word);
  require(value && std::isfinite(*value), Fault::input, "[{}] expected a finite number as coordinate, found \"{}\" ({}, line {}): correct it", op,
          word.substr(0, 40), place, line);
  return *value;
}

void add_point(std::vector<double>& points, const MeshLines& lines, std::size_t from, const char* op, const std::string& place) {
  require(lines.words().size() >= from + 3, Fault::input, "[{}] expected three coordinates, found {} ({}, line {}): give x, y and z", op,
          lines.words().size() - from, place, lines.line());
  check_points(points.size(), op, place);
  for (std::size_t c = 0; c < 3; ++c) points.push_back(coordinate(lines.words()[from + c], op, place, lines.line()));
}

void check_points(std::size_t coordinates, const char* op, const std::string& place) {
  constexpr auto most = static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max());
  require(coordinates / 3 < most, Fault::input, "[{}] expected at most {} points, found more ({}): give a coarser mesh", op,
          grouped_digits(static_cast<std::int64_t>(most)), place);
}

Mesh parse_mesh(std::string_view bytes, const std::string& place, const Context& context) {
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  // Beside the bytes: a point of a text takes at least 6 of them and 24 of memory, a triangle as many and 52.
  const Reservation numbers = context.memory.reserve(9 * bytes.size(), "mesh", fmt::format("the points and faces of {}", place),
                                                     "use a coarser mesh, or raise --max-memory");
  const auto made = [&](const char* format, Polygons (*parse)(std::string_view, const std::string&, const Context&)) {
    Mesh mesh = triangles_of(parse(bytes, place, context), place, context);
    mesh.format = format;
    return mesh;
  };
  if (is_ply(bytes)) return made("PLY", parse_ply);
  if (is_stl(bytes, place)) return made("STL", parse_stl);
  if (is_off(bytes)) return made("OFF", parse_off);
  if (is_obj(bytes)) return made("OBJ", parse_obj);
  fail(Fault::input, "[mesh] expected a mesh as OFF, OBJ, PLY or STL, found another format ({}): save the mesh as one of them", place);
}

std::string bare_name(const std::string& path) {
  std::filesystem::path file = std::filesystem::path(path).filename();
  if (lower_case(file.extension().string()) == ".gz") file = file.stem();
  return file.stem().string();
}

Mesh load_mesh(const std::string& path, const Context& context) {
  Source source = open_source(path, context);
  if (source.text) source.bytes = whole_text(*source.text, source.counted.bytes(), path, context);
  const Reservation bytes = context.memory.reserve(source.bytes.size(), "mesh", fmt::format("the bytes of {}", path),
                                                   "use a coarser mesh, or raise --max-memory");
  if (!is_stl(source.bytes, path)) refuse_foreign(source.head, path);
  Mesh mesh = parse_mesh(source.bytes, path, context);
  mesh.name = bare_name(path);
  mesh.hash = source.hash.get();
  return mesh;
}

// The unpacked beginning of a file; empty where there is none, or it is damaged.
static std::string beginning(const std::string& path) {
  constexpr std::size_t packed = 1 << 16, wanted = 4096;
  std::ifstream file(path, std::ios::binary);
  std::string head(packed, '\0');
  file.read(head.data(), static_cast<std::streamsize>(packed));
  head.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  if (is_gzip(head)) {
    std::string unpacked(wanted, '\0');
    try {
      unpacked.resize(GunzipStream(head, path).read(unpacked.data(), wanted));
    } catch (const Error&) {
      unpacked.clear();  // its reader says what is wrong with it
    }
    return unpacked;
  }
  return head.substr(0, wanted);
}

bool has_mesh_name(const std::string& path) {
  std::filesystem::path file = lower_case(path);
  if (file.extension() == ".gz") file = file.stem();
  const std::string suffix = file.extension().string();
  return suffix == ".off" || suffix == ".obj" || suffix == ".ply" || suffix == ".stl";
}

static bool shows_a_point(std::string_view text) {
  MeshLines lines(text, '#');
  while (lines.next()) {
    const auto& words = lines.words();
    if (words[0] == "v" && words.size() >= 4 && parse_number(words[1]) && parse_number(words[2])) return true;
  }
  return false;
}

bool is_mesh_file(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return false;
  const std::string head = beginning(path);
  return !head.empty() && (is_ply(head) || is_stl(head, path) || is_off(head) || (is_obj(head) && shows_a_point(head)));
}

std::string reading_line(const Mesh& mesh) {
  std::vector<std::string> facts{mesh.format};
  if (mesh.cut > 0) facts.push_back(fmt::format("{} cut", counted(mesh.cut, "face")));
  if (mesh.degenerate > 0) facts.push_back(fmt::format("{} left out", counted(mesh.degenerate, "degenerate triangle")));
  if (mesh.merged > 0) facts.push_back(fmt::format("{} merged", counted(mesh.merged, "corner")));
  if (mesh.unused > 0) facts.push_back(fmt::format("{} without a triangle", counted(mesh.unused, "point")));
  return fmt::format("read {} and {} ({})", counted(mesh.nodes(), "point"), counted(mesh.faces(), "triangle"), fmt::join(facts, "; "));
}

}  // namespace calor::io
