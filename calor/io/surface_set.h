// Surfaces with labels: files of triangles, and beside each a file with the label of every triangle or every point.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/io/mesh.h"

namespace calor::io {

struct SurfaceSet {
  std::string name, source;
  std::string hash;                               // of the files' hashes, in order
  std::vector<std::string> files;                 // all that were read, for those who write
  std::vector<Mesh> meshes;                       // by name where they come from a folder, else as listed
  std::vector<std::string> classes;               // numbers by value where all are numbers, else by bytes
  std::vector<std::vector<std::int64_t>> labels;  // of each mesh, a class each; empty without labels
  bool of_faces = false;                          // labels are of triangles, not of points

  std::int64_t size() const { return static_cast<std::int64_t>(meshes.size()); }
  bool labelled() const { return !labels.empty(); }
  std::int64_t rows() const;  // labelled triangles or points in all; without labels triangles
};

// What a model, or the training surfaces, say of the labels of others.
struct KnownLabels {
  std::vector<std::string> classes;
  bool of_faces = true;
};

// source: a mesh (io::load_mesh says which); a folder, from which files are taken whose names or contents say that they are meshes; or a list, a file with a mesh's name
//   on each line, which lies beside the list or in one folder beside it.
// labels: "" for none; a folder in which NAME.txt (or the one file NAME.*) has the labels of the mesh NAME; or, of a single mesh, their file.  A file of labels has one on each
//   line, as many as the mesh's file has faces, or points; whole numbers are the same however they are written ("1.0" is "1").  Where a mesh has as many faces as points,
//   the other meshes decide, or `known`; without either they are of faces.
// known: whose classes are kept, in their order; null: those that are found.
// Throws Fault::input with file, line and remedy: no meshes, a mesh that load_mesh refuses, labels that are missing, too few, too many, or of another class;
// labels of faces here and of points there; Fault::memory, Fault::interrupted.
SurfaceSet load_surfaces(const std::string& source, const std::string& labels, const KnownLabels* known, const Context& context);

// "read 18 surfaces, 13,500 points and 27,000 triangles (OBJ; 8 classes of triangles)".
std::string reading_line(const SurfaceSet& set);

}  // namespace calor::io
