// Gradients of functions on a mesh, in the tangent plane of each node, as DiffusionNet has them (Sharp, Attaiki, Crane & Ovsjanikov 2022).
#pragma once

#include "calor/core/progress.h"
#include "calor/engine/csr.h"
#include "calor/engine/matrix.h"
#include "calor/io/mesh.h"

namespace calor::engine {

// Orthonormal and right-handed at every node: each nodes x 3.
struct TangentFrames {
  Matrix x, y, normal;
};

// The normal is the mean of the triangles' unit normals, which turn as their corners do; where nothing is left of them, the third axis.  x is the
// first axis, or the second where the normal is within 26 degrees of it (0.9 of its length), made tangent.  O(faces).
TangentFrames tangent_frames(const io::Mesh& mesh);

// Of a function u the vector (x u, y u) at each node in its frame, or x + i y as one complex matrix; both on the neighbours and the node itself, rows that
// add up to 0, empty without neighbours.
struct MeshGradient {
  Csr x, y;
};

// By least squares: the g of least sum_j (g . e_ij - (u_j - u_i))^2 + regularisation |g|^2 over the neighbours j of a node, e_ij the way to them in its
// tangent plane.  DiffusionNet takes the neighbours of the stiffness and 1e-5 for meshes in the unit ball, which shortens gradients by 1e-5 / sum e^2;
// with 0 linear functions on a plane have their gradient exactly.  Neighbours on one line give the gradient along it.  O(edges).
// Throws Fault::usage for frames or neighbours of another number of nodes, or a regularisation below 0; Fault::memory.
MeshGradient mesh_gradient(const io::Mesh& mesh, const TangentFrames& frames, const Csr& neighbours, double regularisation, const Context& context);

inline constexpr double diffusion_net_regularisation = 1e-5;

}  // namespace calor::engine
