#include "calor/learn/network/surface.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/outer.h>

#include "calor/engine/heat_kernel_signature.h"
#include "calor/engine/mesh_gradient.h"
#include "calor/engine/mesh_graphs.h"
#include "calor/engine/mesh_laplacian.h"
#include "calor/engine/solve/eigenpairs.h"
#include "calor/learn/network/builder.h"

namespace calor::learn {
namespace {

// A copy.
at::Tensor tensor_of(const double* values, at::IntArrayRef sizes, at::ScalarType dtype) { return at::from_blob(const_cast<double*>(values), sizes, at::kDouble).to(dtype, false, true); }

at::Tensor tensor_of(const engine::Vector& values, at::ScalarType dtype) { return tensor_of(values.data(), {values.size()}, dtype); }

at::Tensor tensor_of(const engine::Matrix& values, at::ScalarType dtype) {
  static_assert(engine::Matrix::IsRowMajor);
  return tensor_of(values.data(), {values.rows(), values.cols()}, dtype);
}

std::shared_ptr<const pipeline::Data> data_of(engine::Csr graph) {
  auto data = std::make_shared<pipeline::Data>();
  data->features = std::make_shared<const engine::Matrix>(graph.rows, 0);
  data->graph = std::make_shared<const engine::Csr>(std::move(graph));
  return data;
}

Context quiet(const Context& context) {
  Context result = context;
  result.progress = nullptr;
  return result;
}

}  // namespace

Surface::Surface(const io::Mesh& mesh, std::shared_ptr<const ModeStore> store)
    : mesh_(std::make_shared<const io::Mesh>(engine::in_unit_ball(mesh))), store_(std::move(store)), point_data_(data_of(engine::point_graph(mesh))), face_data_(data_of(engine::face_graph(mesh))) {}

at::Tensor Surface::points(at::ScalarType dtype) const {
  return tensor_of(mesh_->points.data(), {mesh_->nodes(), 3}, dtype);
}

std::shared_ptr<const engine::MeshLaplacian> Surface::kept_laplacian(const std::string& weights, const Context& context) const {
  auto& made = laplacians_[weights];
  if (!made) made = std::make_shared<const engine::MeshLaplacian>(weights == "cotangent" ? engine::cotangent_laplacian(*mesh_, quiet(context)) : engine::mesh_laplacian(*mesh_, quiet(context)));
  return made;
}

std::shared_ptr<const engine::MeshLaplacian> Surface::laplacian(const std::string& weights, const Context& context) const {
  const std::lock_guard lock(guard_);
  return kept_laplacian(weights, context);
}

std::shared_ptr<const Modes> Surface::modes(const std::string& weights, std::int64_t count, at::ScalarType dtype, const Context& context) const {
  const std::lock_guard lock(guard_);
  auto& made = modes_[{weights, count, dtype}];
  if (made) return made;
  const std::int64_t most = std::min(count, mesh_->nodes());
  const auto compute = [&] {
    const auto laplacian = kept_laplacian(weights, context);
    SurfaceModes found{engine::smallest_mass_pairs(laplacian->stiffness, laplacian->mass, most, quiet(context)), laplacian->mass};
    if (dtype == at::kFloat) found.pairs.vectors = found.pairs.vectors.cast<float>().cast<double>().eval();
    return found;
  };
  const auto [pairs, mass] = store_ && dtype == at::kFloat ? store_->modes(*mesh_, weights, most, compute) : compute();
  auto modes = std::make_shared<Modes>();
  modes->vectors = tensor_of(pairs.vectors, dtype);
  modes->measures = tensor_of(engine::Matrix(pairs.vectors.transpose() * mass.asDiagonal()), dtype);
  modes->values = tensor_of(pairs.values, dtype);
  return made = std::move(modes);
}

at::Tensor Surface::heat_signature(const std::string& weights, std::int64_t count, std::int64_t times, at::ScalarType dtype, const Context& context) const {
  const auto found = modes(weights, count, dtype, context);
  return found->vectors.square().matmul(at::exp(-at::outer(found->values, tensor_of(engine::signature_times(times), dtype))));
}

std::shared_ptr<const Surface::Gradients> Surface::gradients(at::ScalarType dtype, const Context& context) const {
  const std::lock_guard lock(guard_);
  auto& made = gradients_[dtype];
  if (made) return made;
  const engine::MeshGradient gradient = engine::mesh_gradient(*mesh_, engine::tangent_frames(*mesh_), *point_data_->graph, engine::diffusion_net_regularisation, quiet(context));
  auto gradients = std::make_shared<Gradients>();
  gradients->x = support_of(gradient.x, dtype);
  gradients->y = support_of(gradient.y, dtype);
  return made = std::move(gradients);
}

std::shared_ptr<const Support> Surface::corners(at::ScalarType dtype) const {
  const std::lock_guard lock(guard_);
  auto& made = corners_[dtype];
  if (!made) made = support_of(engine::corner_means(*mesh_), dtype);
  return made;
}

}  // namespace calor::learn
