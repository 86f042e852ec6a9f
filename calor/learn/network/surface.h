// A surface that networks run on: what their stages need of it, each made once, for whichever network asks first.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>

#include "calor/core/progress.h"
#include "calor/engine/mesh_laplacian.h"
#include "calor/io/mesh.h"
#include "calor/learn/network/flow.h"
#include "calor/learn/network/mode_store.h"
#include "calor/pipeline/state.h"

namespace calor::learn {

// The smooth functions of a surface: eigenvectors of its Laplacian, orthonormal in the mass.
struct Modes {
  at::Tensor vectors;   // [points, modes]
  at::Tensor measures;  // [modes, points]: vectors' times mass; of a function its coordinates
  at::Tensor values;    // [modes], ascending, for a surface of radius 1
};

class Surface {
 public:
  // Moved and scaled into the unit ball.  store: where modes in floats are kept from run to run; null: nowhere.
  explicit Surface(const io::Mesh& mesh, std::shared_ptr<const ModeStore> store = nullptr);

  const io::Mesh& mesh() const { return *mesh_; }
  at::Tensor points(at::ScalarType dtype) const;  // [points, 3]
  const std::shared_ptr<const pipeline::Data>& point_data() const { return point_data_; }  // with the graph of sides
  const std::shared_ptr<const pipeline::Data>& face_data() const { return face_data_; }    // with that of triangles that share one

  // weights: "robust" or "cotangent", as the stages say.  Fewer modes where the surface has fewer points.  Throws as the engine's
  // mesh_laplacian and smallest_mass_pairs.
  std::shared_ptr<const Modes> modes(const std::string& weights, std::int64_t count, at::ScalarType dtype, const Context& context) const;
  std::shared_ptr<const engine::MeshLaplacian> laplacian(const std::string& weights, const Context& context) const;
  at::Tensor heat_signature(const std::string& weights, std::int64_t count, std::int64_t times, at::ScalarType dtype, const Context& context) const;  // [points, times]

  // Tangential gradients of functions on points, as supports: along two directions of each point's plane.
  struct Gradients {
    std::shared_ptr<const Support> x, y;
  };
  std::shared_ptr<const Gradients> gradients(at::ScalarType dtype, const Context& context) const;

  // Faces x points: means over corners.
  std::shared_ptr<const Support> corners(at::ScalarType dtype) const;

 private:
  std::shared_ptr<const io::Mesh> mesh_;
  std::shared_ptr<const ModeStore> store_;
  std::shared_ptr<const pipeline::Data> point_data_, face_data_;
  mutable std::mutex guard_;
  std::shared_ptr<const engine::MeshLaplacian> kept_laplacian(const std::string& weights, const Context& context) const;  // under the guard

  mutable std::map<std::string, std::shared_ptr<const engine::MeshLaplacian>> laplacians_;
  mutable std::map<std::tuple<std::string, std::int64_t, at::ScalarType>, std::shared_ptr<const Modes>> modes_;
  mutable std::map<at::ScalarType, std::shared_ptr<const Gradients>> gradients_;
  mutable std::map<at::ScalarType, std::shared_ptr<const Support>> corners_;
};

}  // namespace calor::learn
