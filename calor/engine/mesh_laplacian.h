// The Laplacian of a surface that is given as triangles, whatever their shape and however they hang together.
#pragma once

#include <cstdint>

#include "calor/core/progress.h"
#include "calor/engine/csr.h"
#include "calor/engine/matrix.h"
#include "calor/io/mesh.h"

namespace calor::engine {

struct MeshLaplacian {
  // Nodes x nodes, symmetric to the bit, positive semidefinite, off the diagonal at most 1e-6 above 0; rows add up to 0.  No unit: the same for a mesh of any size.
  // A node without a triangle has an empty row.
  Csr stiffness;
  Vector mass;               // a third of the area of the triangles at each node, in the points' unit squared; adds up to the area.  0 without a triangle
  std::int64_t flips = 0;    // edges that were exchanged
  double mollified = 0;      // added to the length of every edge, in the points' unit
};

// Cotangent weights and lumped mass of the intrinsic Delaunay triangulation of the tufted cover, half of each: Sharp & Crane 2020, "A Laplacian for Nonmanifold
// Triangle Meshes", with their code's order of steps and tolerances.  -mass^-1 stiffness u approximates the Laplace-Beltrami operator; boundaries are free
// (Neumann).  Edges with any number of triangles, triangles that turn differently, without area or given twice, all are meshes to it.  On a manifold the cover
// is two copies, and this is the ordinary cotangent Laplacian after flips.
//   lengths:  all grow by one number so that every triangle has |a| + |b| >= |c| + 1e-5 of the mean length
//   cover:    each triangle twice, front and back; around an edge each side is glued to the one that it faces
//   flips:    until no edge has a weight below -1e-6
// One thread; O(faces log faces) time for meshes that people make (flips are at worst quadratic), about 600 bytes a face.
// Throws Fault::input for points that are not finite, triangles with a corner twice or beyond the points, and a surface whose area is 0 or too large for
// a double; Fault::convergence where flips do not end; Fault::memory.
MeshLaplacian mesh_laplacian(const io::Mesh& mesh, const Context& context);

// Half the cotangents of the angles that face an edge, and lumped mass, of the triangles as they are: Pinkall & Polthier 1993.  Symmetric to rounding; weights are below 0
// where angles are wide, and the matrix is positive semidefinite all the same.  What DiffusionNet's published weights were trained with.  Angles count as at
// least 1e-10.  O(faces log faces).  Throws as mesh_laplacian, but for the area.
MeshLaplacian cotangent_laplacian(const io::Mesh& mesh, const Context& context);

// Throws Fault::input for points that are not finite, and triangles with a corner twice or beyond the points.
void require_surface(const io::Mesh& mesh);

}  // namespace calor::engine
