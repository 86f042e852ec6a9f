// The graphs that a triangle mesh is.
#pragma once

#include "calor/engine/csr.h"
#include "calor/io/mesh.h"

namespace calor::engine {

// Points that are ends of a side, both ways, each of weight 1.  O(faces log faces).
Csr point_graph(const io::Mesh& mesh);

// Triangles that have a side in common, both ways, each of weight 1; a side of three triangles or more joins each two of them.
// O(faces log faces) where sides have few triangles.
Csr face_graph(const io::Mesh& mesh);

// Faces x points: the three corners of each triangle, a third each.  Times numbers of points: their means over triangles.
Csr corner_means(const io::Mesh& mesh);

}  // namespace calor::engine
