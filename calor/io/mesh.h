// Triangle meshes: surfaces in space.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "calor/core/progress.h"

namespace calor::io {

struct Mesh {
  std::string name;                     // the file's, without folder and suffixes
  std::string format;                   // "OFF", "OBJ", "PLY" or "STL"
  std::string hash;                     // SHA-256 of the file as stored, hex
  std::vector<double> points;           // nodes x 3, row-major, finite
  std::vector<std::int32_t> triangles;  // faces x 3: three different nodes each, in the file's order of turning
  std::vector<std::int32_t> face_of;    // the file's face that each triangle is, or is cut from, from 0
  std::int64_t file_faces = 0;          // those of the file
  std::int64_t cut = 0;                 // faces of more than three corners, each cut into triangles
  std::int64_t degenerate = 0;          // triangles with a corner twice and faces of fewer than three corners, left out
  std::int64_t merged = 0;              // corners of STL that stood where an earlier one stands
  std::int64_t unused = 0;              // points without a triangle; they stay, as labels count them

  std::int64_t nodes() const { return static_cast<std::int64_t>(points.size() / 3); }
  std::int64_t faces() const { return static_cast<std::int64_t>(triangles.size() / 3); }
};

// Loads a file, or "-" for standard input, plain or gzipped; the content decides the format (binary STL: the name too, where the length does not tell):
// - OFF as text: the first three numbers of a point's line, so that COFF, NOFF and STOFF are read without their colours, normals and textures;
// - OBJ: v and f ("1", "1/2", "1//3", "1/2/3", negative numbers count back); everything else in it is left out;
// - PLY as text and binary of either byte order: x, y, z of vertex and the list vertex_indices (vertex_index) of face;
// - STL as text and binary: points are the different corners in order of appearance, -0 the same as 0.
// A face of four corners is cut along its shorter diagonal (the one from its first corner where they are equal), one of more into a fan from its first
// corner; corners that repeat the one before are left out first.  O(bytes) time and memory.
// Throws Fault::input with the line or byte for anything damaged, coordinates that are no finite numbers, corners that are no points, and for a file
// without triangles; Fault::memory.
Mesh load_mesh(const std::string& path, const Context& context);

// The same of a file's unpacked bytes; `name` and `hash` are left empty.  Errors name `place`.
Mesh parse_mesh(std::string_view bytes, const std::string& place, const Context& context);

// Whether a file is one of these, as its first bytes tell (binary STL: its name). An OBJ shows a point there.  False for "-", which can be read once, and for
// what is no file.
bool is_mesh_file(const std::string& path);

// Whether its name says so: .off, .obj, .ply or .stl, and .gz after it.
bool has_mesh_name(const std::string& path);

// A file's name without folder, ".gz" and the suffix before it: what a mesh is called, and the file of its labels.
std::string bare_name(const std::string& path);

// "read 752 points and 1,500 triangles (OBJ; 3 faces cut; 1 degenerate triangle left out)".
std::string reading_line(const Mesh& mesh);

}  // namespace calor::io
