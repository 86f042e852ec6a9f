// Meshes: the same surface in every format, what the formats leave open, and every kind of damage.
#include "calor/io/mesh.h"

#include <bit>
#include <cmath>
#include <cstdlib>

#include "calor/io/hash.h"
#include "mutation.h"
#include "pack.h"

namespace calor::io {
namespace {

using Triangles = std::vector<std::int32_t>;

Mesh parse(const std::string& bytes, const std::string& place = "m") { return parse_mesh(bytes, place, Context()); }

void expect_refused(const std::string& bytes, std::initializer_list<std::string_view> texts, const std::string& place = "m") {
  expect_error(Fault::input, texts, [&] { parse(bytes, place); });
}

template <class T>
std::string raw(T value, bool big = false) {
  std::string bytes(reinterpret_cast<const char*>(&value), sizeof value);
  static_assert(std::endian::native == std::endian::little);
  if (big) std::ranges::reverse(bytes);
  return bytes;
}

// A corner of the cube: coordinates that are exact in float, too.
const Numbers points{0, 0, 0, 1.5, 0, 0, 0, -2, 0, 0, 0, 0.25};
const Triangles triangles{0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3};

const std::string off = "OFF\n# a corner\n4 4 6\n0 0 0\n1.5 0 0\n0 -2e0 0\n0 0 .25\n3 0 2 1\n3 0 1 3 255 0 0\n3 0 3 2\n3 1 2 3\n";
const std::string obj = "# a corner\nmtllib a.mtl\no corner\nv 0 0 0\nv 1.5 0 0 1\nv 0 -2 0\nv 0 0 0.25 0.1 0.2 0.3\nvt 0 0\nvn 0 0 1\nusemtl red\ns off\n"
                        "f 1 3 2\nf 1/1 2/1 4/1\nf 1//1 4//1 3//1\nf -3/1/1 -2/1/1 -1/1/1\n";
const std::string text_ply = "ply\nformat ascii 1.0\ncomment a corner\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\nproperty uchar red\n"
                             "element face 4\nproperty list uchar int vertex_indices\nend_header\n0 0 0 9\n1.5 0 0 9\n0 -2 0 9\n0 0 .25 9\n3 0 2 1\n3 0 1 3\n3 0 3 2\n3 1 2 3\n";

std::string binary_ply(bool big, const std::string& end = "\n") {
  std::string bytes;
  for (const std::string line : {"ply", big ? "format binary_big_endian 1.0" : "format binary_little_endian 1.0", "element camera 1",
                                 "property list uint8 float64 pose", "element face 4", "property uint16 flags",
                                 "property list uint8 uint32 vertex_index", "element vertex 4", "property double z", "property short y8", "property float32 x", "property double y", "end_header"})
    bytes += line + end;
  bytes += raw<std::uint8_t>(2) + raw(7.0, big) + raw(8.0, big);
  for (std::size_t f = 0; f < 4; ++f) {
    bytes += raw<std::uint16_t>(1, big) + raw<std::uint8_t>(3);
    for (std::size_t c = 0; c < 3; ++c) bytes += raw(static_cast<std::uint32_t>(triangles[3 * f + c]), big);
  }
  for (std::size_t p = 0; p < 4; ++p)
    bytes += raw(points[3 * p + 2], big) + raw<std::int16_t>(-3, big) + raw(static_cast<float>(points[3 * p]), big) + raw(points[3 * p + 1], big);
  return bytes;
}

std::string text_stl() {
  std::string text = "solid a corner\n";
  for (std::size_t f = 0; f < 4; ++f) {
    text += "  facet normal 0 0 1\n    outer loop\n";
    for (std::size_t c = 0; c < 3; ++c) {
      const auto at = 3 * static_cast<std::size_t>(triangles[3 * f + c]);
      text += fmt::format("      vertex {} {} {}\n", points[at] == 0 && f == 1 ? "-0" : fmt::format("{}", points[at]), points[at + 1], points[at + 2]);
    }
    text += "    endloop\n  endfacet\n";
  }
  return text + "endsolid a corner\n";
}

std::string binary_stl() {
  std::string bytes = "solid, and yet binary";
  bytes.resize(80, ' ');
  bytes += raw<std::uint32_t>(4);
  for (std::size_t f = 0; f < 4; ++f) {
    bytes += raw(0.f) + raw(0.f) + raw(1.f);
    for (std::size_t c = 0; c < 3; ++c)
      for (std::size_t x = 0; x < 3; ++x) bytes += raw(static_cast<float>(points[3 * static_cast<std::size_t>(triangles[3 * f + c]) + x]));
    bytes += std::string(2, '\7');
  }
  return bytes;
}

void expect_corner(const Mesh& mesh, const char* format) {
  EXPECT_EQ(mesh.format, format);
  EXPECT_EQ(mesh.points, points) << format;
  EXPECT_EQ(mesh.triangles, triangles) << format;
  EXPECT_EQ(mesh.nodes(), 4);
  EXPECT_EQ(mesh.faces(), 4);
  EXPECT_EQ(mesh.cut + mesh.degenerate + mesh.unused, 0) << format;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) text.replace(at, from.size(), to);
  return text;
}

TEST(Mesh, EveryFormatGivesTheSameSurface) {
  expect_corner(parse(off), "OFF");
  expect_corner(parse(obj), "OBJ");
  expect_corner(parse(text_ply), "PLY");
  for (const bool big : {false, true})
    for (const std::string end : {"\n", "\r\n", "\r"}) expect_corner(parse(binary_ply(big, end)), "PLY");
  for (const std::string& text : {off, obj, text_ply})
    for (const std::string end : {"\r\n", "\r", "\n\n"}) parse(text[0] == 'p' && end == "\n\n" ? text : replaced(text, "\n", end));
  expect_corner(parse("\xEF\xBB\xBF" + off), "OFF");
}

// Corners of STL come facet by facet: 0, 2, 1, then 3.
TEST(Mesh, StlMergesEqualCorners) {
  for (const std::string& bytes : {text_stl(), binary_stl(), binary_stl() + "more"}) {
    const Mesh mesh = parse(bytes, "m.STL.gz");
    EXPECT_EQ(mesh.points, (Numbers{0, 0, 0, 0, -2, 0, 1.5, 0, 0, 0, 0, 0.25}));
    EXPECT_EQ(mesh.triangles, (Triangles{0, 1, 2, 0, 2, 3, 0, 3, 1, 2, 1, 3}));
    EXPECT_EQ(mesh.merged, 8);
    for (const double value : mesh.points) EXPECT_FALSE(std::signbit(value) && value == 0);
  }
  EXPECT_EQ(parse(text_stl() + text_stl()).faces(), 8);  // two solids
  EXPECT_EQ(parse(replaced(text_stl(), "vertex", "VERTEX")).faces(), 4);
}

TEST(Mesh, OffWithColoursNormalsAndWithoutABlank) {
  const std::string body = "3 1 0\n0 0 0 1 0 0 1\n1 0 0 1 0 0 1\n0 1 0 1 0 0 1 # red\n3 0 1 2 1 0 0\n";
  for (const std::string head : {"COFF\n", "NOFF\n", "STCNOFF\n", "OFF ", "OFF", "# x\n\nOFF # y\n"}) {
    const Mesh mesh = parse(head + body);
    EXPECT_EQ(mesh.points, (Numbers{0, 0, 0, 1, 0, 0, 0, 1, 0})) << head;
    EXPECT_EQ(mesh.triangles, (Triangles{0, 1, 2}));
  }
  expect_refused("4OFF\n" + body, {"[off]", "three dimensions", "4OFF"});
  expect_refused("OFF BINARY\n" + body, {"[off]", "binary", "as text"});
}

TEST(Mesh, ObjFacesOverSeveralLinesAndBeforeTheirPoints) {
  EXPECT_EQ(parse("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 \\\n2\\\n\n3\n").triangles, (Triangles{0, 1, 2}));
  EXPECT_EQ(parse("v 0 0 0\nf 1 2 3\nv 1 0 0\nv 0 1 0\nl 1 2\np 1\ng a\\b\\\nv 9 9 9\n").triangles, (Triangles{0, 1, 2}));
}

// Flat squares of sides 2 and 1: 0-2 is longer in the second, whose corner 1 lies inside.
TEST(Mesh, CutsPolygons) {
  const auto face = [](const std::string& corners, const std::string& second = "2 0 0") {
    return parse("v 0 0 0\nv " + second + "\nv 2 1 0\nv 0 1 0\nv -1 .5 0\nf " + corners + "\n");
  };
  EXPECT_EQ(face("1 2 3 4").triangles, (Triangles{0, 1, 2, 0, 2, 3}));
  EXPECT_EQ(face("1 2 3 4").cut, 1);
  EXPECT_EQ(face("1 2 3 4").unused, 1);
  EXPECT_EQ(face("1 2 3 4", "0.5 0.5 0").triangles, (Triangles{0, 1, 3, 1, 2, 3}));
  EXPECT_EQ(face("1 2 3 4 5").triangles, (Triangles{0, 1, 2, 0, 2, 3, 0, 3, 4}));
  // A quadrangle with a corner twice is a triangle; what is left of others is counted.
  const Mesh repeated = face("1 2 2 3\nf 1 2 3 1\nf 1 1 2\nf 2 2 2\nf 1 2\nf 1 2 1 3");
  EXPECT_EQ(repeated.triangles, (Triangles{0, 1, 2, 0, 1, 2}));
  EXPECT_EQ(repeated.cut, 1);
  EXPECT_EQ(repeated.degenerate, 5);
  EXPECT_EQ(reading_line(repeated), "read 5 points and 2 triangles (OBJ; 1 face cut; 5 degenerate triangles left out; 2 points without a triangle)");
}

TEST(Mesh, ErrorsNameThePlace) {
  expect_refused("a,b\n1,2\n", {"[mesh]", "OFF, OBJ, PLY or STL", "(m)"});
  expect_refused(replaced(off, "-2e0", "nan"), {"[off]", "finite number as coordinate", "\"nan\"", "(m, line 6)"});
  expect_refused(replaced(off, "0 -2e0 0", "0 -2e0"), {"[off]", "three coordinates, found 2", "line 6"});
  expect_refused(replaced(off, "3 0 3 2", "3 0 4 2"), {"[off]", "points 0 to 3, found 4", "line 10"});
  expect_refused(replaced(off, "3 0 3 2", "3 0 -1 2"), {"found -1", "line 10"});
  expect_refused(replaced(off, "3 0 3 2", "4 0 3 2"), {"found 4 and 3 numbers", "line 10"});
  expect_refused(replaced(off, "3 0 3 2", "3 0 3.5 2"), {"whole number as corner", "3.5", "line 10"});
  expect_refused(replaced(off, "4 4 6", "4 x 6"), {"number of faces", "\"x\"", "line 3"});
  expect_refused(replaced(off, "4 4 6", "4 -4 6"), {"-4 faces", "line 3"});
  expect_refused(replaced(off, "4 4 6", "4 5 6"), {"expected 5 faces", "after 4", "cut off"});
  expect_refused("OFF\n3 0 0\n0 0 0\n1 0 0\n0 1 0\n", {"[off]", "expected triangles", "3 points without a face"});
  expect_refused("OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 0 1\n", {"[off]", "a corner twice alone"});
  expect_refused(replaced(obj, "v 1.5 0 0 1", "v 1.5 inf 0"), {"[obj]", "finite", "\"inf\"", "line 5"});
  expect_refused(replaced(obj, "v 1.5 0 0 1", "v 1.5 1e999 0"), {"\"1e999\"", "line 5"});
  expect_refused(replaced(obj, "f 1 3 2", "f 1 3 5"), {"[obj]", "points 1 to 4, found 5", "line 12"});
  expect_refused(replaced(obj, "f 1 3 2", "f 1 3 0"), {"[obj]", "\"0\"", "line 12"});
  expect_refused(replaced(obj, "f 1 3 2", "f 1 3 -5"), {"[obj]", "4 points before, found -5", "line 12"});
  expect_refused(replaced(obj, "f 1 3 2", "f 1 3 x"), {"[obj]", "\"x\"", "line 12"});
  expect_refused(replaced(text_ply, "3 0 3 2", "3 0 4 2"), {"[ply]", "points 0 to 3, found 4", "line 18"});
  expect_refused(replaced(text_ply, "0 -2 0 9", "0 NaN 0 9"), {"[ply]", "finite", "line 14"});
  expect_refused(replaced(text_ply, "3 0 3 2", "-3 0 3 2"), {"[ply]", "length of a list, found -3", "line 18"});
  expect_refused(replaced(text_ply, "format ascii", "format utf8"), {"[ply]", "\"utf8\"", "line 2"});
  expect_refused(replaced(text_ply, "property float y", "property quad y"), {"[ply]", "\"quad\"", "line 6"});
  expect_refused(replaced(text_ply, "float y", "float t"), {"[ply]", "x, y and z", "found x, t, z, red"});
  expect_refused(replaced(text_ply, "vertex_indices", "corners"), {"[ply]", "vertex_indices", "found corners"});
  expect_refused(replaced(text_ply, "element face", "element tristrips"), {"[ply]", "vertex and face", "tristrips"});
  expect_refused(replaced(text_ply, "element vertex 4", "element vertex -4"), {"[ply]", "line 4"});
  expect_refused(replaced(text_ply, "element vertex 4", "element vertex 99999999999999999999"), {"[ply]", "line 4"});
  expect_refused(replaced(text_ply, "element vertex 4", "element vertex 4000000000"), {"[ply]"});
  expect_refused(binary_ply(false).substr(0, binary_ply(false).size() - 1), {"[ply]", "end of the file", "byte"});
  expect_refused(replaced(text_stl(), "vertex 0 -2", "vertex 0 inf"), {"[stl]", "\"inf\"", "line 5"});
  expect_refused(replaced(text_stl(), "    endloop\n", ""), {"[stl]", "follows \"vertex\"", "\"endfacet\"", "line 7"});
  expect_refused(replaced(text_stl(), "endsolid a corner\n", ""), {"[stl]", "endsolid", "cut off"});
  expect_refused(binary_stl().substr(0, 283), {"[stl]", "expected 4 facets", "after 3", "cut off"}, "m.stl");
  std::string infinite = binary_stl();
  infinite.replace(96, 4, raw(std::numeric_limits<float>::infinity()));
  expect_refused(infinite, {"[stl]", "finite", "byte 97"});
}

// A hostile file may promise anything: what it does not hold is not waited or asked memory for.
TEST(Mesh, CountsThatNothingFollows) {
  for (const char* count : {"2000000000", "9000000000000000000"}) {
    expect_refused(std::string("OFF\n") + count + " 1 0\n0 0 0\n", {"[off]", "after 1"});
    expect_refused(std::string("ply\nformat binary_little_endian 1.0\nelement nothing ") + count + "\nelement vertex " + count +
                       "\nproperty float x\nproperty float y\nproperty float z\nelement face 1\nproperty list int int vertex_indices\nend_header\nabcd",
                   {"[ply]", "end of the file"});
  }
}

TEST(Mesh, CutOffAnywhere) {
  for (const std::string& whole : {off, obj, text_ply, binary_ply(false), binary_ply(true), text_stl(), binary_stl()})
    for (const std::string place : {"m", "m.stl"})
      for (std::size_t size = 0; size < whole.size(); ++size) {
        try {
          const Mesh mesh = parse(whole.substr(0, size), place);
          EXPECT_GT(mesh.faces(), 0);
          for (const std::int32_t corner : mesh.triangles) ASSERT_TRUE(corner >= 0 && corner < mesh.nodes());
          // A text that lost its last line end, or the end of its last number or word; OBJ does not say how much of it there is.
          EXPECT_TRUE(mesh.format == "OBJ" || (size + 16 > whole.size() && whole.back() == '\n')) << mesh.format << " of " << size << " bytes";
        } catch (const Error& error) {
          EXPECT_EQ(error.fault(), Fault::input) << error.what();
        }
      }
}

TEST(Mesh, DamagedAnyhow) {
  for (const std::string& whole : {off, obj, text_ply, binary_ply(false), binary_ply(true), text_stl(), binary_stl()})
    expect_survival(whole, 2000, [](const std::string& bytes, const Context& context) {
      const Mesh mesh = parse_mesh(bytes, "m", context);
      for (const std::int32_t corner : mesh.triangles) ASSERT_TRUE(corner >= 0 && corner < mesh.nodes());
      for (const double value : mesh.points) ASSERT_TRUE(std::isfinite(value));
    });
}

using MeshFile = TemporaryFolder;

TEST_F(MeshFile, PlainAndPacked) {
  const std::string stored = binary_stl(), small = pack(stored);
  const Mesh plain = load_mesh(write("part.v2.stl", stored), Context()), other = load_mesh(write("part.stl.gz", small), Context());
  EXPECT_EQ(plain.name, "part.v2");
  EXPECT_EQ(other.name, "part");
  EXPECT_EQ(plain.hash, sha256(stored));
  EXPECT_EQ(other.hash, sha256(small));
  EXPECT_EQ(plain.triangles, other.triangles);
  expect_corner(load_mesh(write("a.obj", obj), Context()), "OBJ");
  expect_corner(load_mesh(write("b", pack(binary_ply(true))), Context()), "PLY");
  expect_error(Fault::input, {"parquet"}, [&] { load_mesh(write("c.off", "PAR1\x15..............."), Context()); });
  expect_error(Fault::input, {"[mesh]", "expected a mesh"}, [&] { load_mesh(write("c.npy", "\x93NUMPY\1\0"), Context()); });
  Context little;
  little.memory = MemoryLimit(1000);
  expect_error(Fault::memory, {"a.obj"}, [&] { load_mesh(path("a.obj"), little); });
}

// The counts that human_seg/README.md gives, and a label for each point of the molecules.
TEST(RealMeshes, HaveTheirCounts) {
  const char* data = std::getenv("CALOR_DATA");
  if (!data || !std::filesystem::exists(std::string(data) + "/human_seg")) GTEST_SKIP() << "SKIPPED: CALOR_DATA names no folder with human_seg/";
  for (const int number : {1, 5, 20}) {
    const Mesh mesh = load_mesh(fmt::format("{}/human_seg/test/shrec__{}.obj", data, number), Context());
    EXPECT_EQ(mesh.faces(), 1500);
    EXPECT_EQ(mesh.nodes(), number == 5 ? 750 : 752);
    EXPECT_EQ(mesh.degenerate + mesh.cut + mesh.unused, 0);
  }
  for (const auto& entry : std::filesystem::directory_iterator(std::string(data) + "/rna/off")) {
    const std::string labels = content_of(fmt::format("{}/rna/labels/{}.txt", data, entry.path().stem().string()));
    const Mesh mesh = load_mesh(entry.path().string(), Context());
    EXPECT_EQ(mesh.nodes(), std::ranges::count(labels, '\n') + (labels.ends_with('\n') ? 0 : 1)) << entry.path();
    EXPECT_EQ(mesh.cut, 0);
  }
}

}  // namespace
}  // namespace calor::io
