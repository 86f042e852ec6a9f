// Stages of networks on surfaces: heat that flows for a learned time, gradients, and means over triangles.  DiffusionNet's (Sharp, Attaiki, Crane &
// Ovsjanikov 2022), taken apart.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/clamp_min.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/tanh.h>

#include <Eigen/LU>
#include <Eigen/QR>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/learn/network/builder.h"
#include "calor/learn/network/features.h"
#include "calor/learn/network/implicit_heat.h"
#include "calor/learn/network/surface.h"

namespace calor::learn {
namespace {

using pipeline::BoundStage;

constexpr double least_time = 1e-8;

const Surface& surface_of(const Builder& builder, const BoundStage& bound) {
  require(builder.domain().surface != nullptr, Fault::usage, "[{}] expected surfaces, found none: give a folder of meshes with --labels, or leave {} out", bound.stage->name, bound.stage->name);
  return *builder.domain().surface;
}

const Surface& points_of(const Builder& builder, const BoundStage& bound) {
  const Surface& surface = surface_of(builder, bound);
  require(!builder.on_faces, Fault::usage, "[{}] expected the points of a surface, found its triangles: put faces after it", bound.stage->name);
  return surface;
}

// S x for a support and [columns, features].
at::Tensor sums(const Support& support, const at::Tensor& x) { return torch_ops::edge_sums(support.edges, support.values, x.unsqueeze(1)).squeeze(1); }

// Features that are known before anything is learned.
class Given : public Step {
 public:
  explicit Given(at::Tensor features) : features_(std::move(features)) {}
  void run(Flow& flow, const Pass&) const override { flow.set(features_); }

 private:
  at::Tensor features_;
};

std::unique_ptr<Step> make_heat_signature(Builder& builder, const BoundStage& bound) {
  const Surface& surface = points_of(builder, bound);
  require(builder.weights().empty(), Fault::usage, "[heat_signature] expected it before all maps, found it after one: put it first");
  const std::int64_t times = bound.arguments.integer("times");
  builder.width = builder.before_width = times;
  return std::make_unique<Given>(surface.heat_signature(bound.arguments.word("weights"), bound.arguments.integer("modes"), times, builder.dtype(), builder.context()));
}

std::unique_ptr<Step> make_laplacian(Builder& builder, const BoundStage& bound) {
  points_of(builder, bound);
  builder.laplacian = {bound.arguments.word("weights"), bound.arguments.integer("modes")};
  return nullptr;
}

Builder::Laplacian laplacian_before_heat(Builder& builder) {
  require(builder.laplacian.has_value(), Fault::usage, "[heat] expected a surface's laplacian before it, found another similarity: for a graph's, flow with apply or restart");
  return *std::exchange(builder.laplacian, std::nullopt);
}

// A time for each feature.  One that went below the least in training comes back as soon as its gradient says so.
class Heat : public Step {
 public:
  explicit Heat(Builder& builder) : time_(builder.weight("time", {builder.total()}, 0)) {}
  void run(Flow& flow, const Pass& pass) const override {
    const at::Tensor& time = (*pass.weights)[time_];
    if (pass.training) time.variable_data().clamp_min_(least_time);
    flow.set(flown(dense(flow), pass.training ? time : at::clamp_min(time, least_time)));
  }
  bool learned() const override { return true; }

 private:
  virtual at::Tensor flown(const at::Tensor& features, const at::Tensor& time) const = 0;
  std::size_t time_;
};

class SpectralHeat : public Heat {
 public:
  SpectralHeat(Builder& builder, std::shared_ptr<const Modes> modes) : Heat(builder), modes_(std::move(modes)) {}

 private:
  at::Tensor flown(const at::Tensor& features, const at::Tensor& time) const override {
    return modes_->vectors.matmul(at::exp(-at::outer(modes_->values, time)) * modes_->measures.matmul(features));
  }
  std::shared_ptr<const Modes> modes_;
};

class ImplicitHeat : public Heat {
 public:
  ImplicitHeat(Builder& builder, std::shared_ptr<const engine::MeshLaplacian> laplacian) : Heat(builder), laplacian_(std::move(laplacian)), context_(builder.context()) {}

 private:
  at::Tensor flown(const at::Tensor& features, const at::Tensor& time) const override { return implicit_heat(laplacian_, features, time, context_); }
  std::shared_ptr<const engine::MeshLaplacian> laplacian_;
  Context context_;
};

std::unique_ptr<Step> make_heat(Builder& builder, const BoundStage& bound) {
  const auto [weights, modes] = laplacian_before_heat(builder);
  const Surface& surface = *builder.domain().surface;
  if (bound.arguments.word("form") == "implicit") return std::make_unique<ImplicitHeat>(builder, surface.laplacian(weights, builder.context()));
  return std::make_unique<SpectralHeat>(builder, surface.modes(weights, modes, builder.dtype(), builder.context()));
}

// tanh of how much of each feature's gradient is along learned turns and mixtures of all gradients.
class Gradients : public Step {
 public:
  Gradients(Builder& builder, const BoundStage& bound)
      : gradients_(points_of(builder, bound).gradients(builder.dtype(), builder.context())),
        real_(builder.weight("real", {builder.total(), builder.total()}, glorot(builder.total(), builder.total()))),
        imaginary_(builder.weight("imaginary", {builder.total(), builder.total()}, glorot(builder.total(), builder.total()))) {}
  void run(Flow& flow, const Pass& pass) const override {
    const at::Tensor features = dense(flow), x = sums(*gradients_->x, features), y = sums(*gradients_->y, features);
    const at::Tensor &real = (*pass.weights)[real_], &imaginary = (*pass.weights)[imaginary_];
    flow.set(at::tanh(x * (at::linear(x, real) - at::linear(y, imaginary)) + y * (at::linear(y, real) + at::linear(x, imaginary))));
  }
  bool learned() const override { return true; }

 private:
  std::shared_ptr<const Surface::Gradients> gradients_;
  std::size_t real_, imaginary_;
};

class Faces : public Step {
 public:
  explicit Faces(std::shared_ptr<const Support> corners) : corners_(std::move(corners)) {}
  void run(Flow& flow, const Pass&) const override { flow.set(sums(*corners_, dense(flow))); }

 private:
  std::shared_ptr<const Support> corners_;
};

std::unique_ptr<Step> make_faces(Builder& builder, const BoundStage& bound) {
  const Surface& surface = surface_of(builder, bound);
  require(!builder.inside, Fault::usage, "[faces] expected it outside of residual, beside and layers, found it within: what goes in has a row a point, what comes out one a triangle");
  if (!builder.domain().faces) return nullptr;
  require(!builder.on_faces, Fault::usage, "[faces] expected points, found triangles: one faces is enough");
  builder.on_faces = true;
  return std::make_unique<Faces>(surface.corners(builder.dtype()));
}

// A rotation of space, uniform over all, in each training step.
class Rotate : public Step {
 public:
  explicit Rotate(std::size_t place) : place_(place) {}
  void run(Flow& flow, const Pass& pass) const override {
    if (!pass.training) return;
    Random random(dropout_seed(pass, place_), Purpose::noise);
    Eigen::Matrix3d normal;
    for (Eigen::Index k = 0; k < normal.size(); ++k) normal.data()[k] = random.normal();
    const Eigen::HouseholderQR<Eigen::Matrix3d> factors(normal);
    Eigen::Matrix3d turn = factors.householderQ();
    for (Eigen::Index k = 0; k < 3; ++k)
      if (factors.matrixQR()(k, k) < 0) turn.col(k) *= -1;
    if (turn.determinant() < 0) turn.col(0) *= -1;
    const at::Tensor matrix = at::empty({3, 3}, at::kDouble);
    std::copy(turn.data(), turn.data() + turn.size(), matrix.mutable_data_ptr<double>());
    flow.set(dense(flow).matmul(matrix.to(flow.x.scalar_type())));
  }
  bool random() const override { return true; }

 private:
  std::size_t place_;
};

std::unique_ptr<Step> make_rotate(Builder& builder, const BoundStage& bound) {
  points_of(builder, bound);
  require(builder.total() == 3 && builder.weights().empty(), Fault::usage, "[rotate] expected the points of a surface, found {} mapped features: put it first", builder.total());
  return std::make_unique<Rotate>(builder.next_place());
}

template <class Kind>
std::unique_ptr<Step> make(Builder& builder, const BoundStage& bound) {
  return std::make_unique<Kind>(builder, bound);
}

}  // namespace

std::vector<std::pair<std::string_view, Make>> surface_stages() {
  return {{"heat_signature", make_heat_signature}, {"laplacian", make_laplacian}, {"heat", make_heat}, {"gradients", make<Gradients>}, {"faces", make_faces}, {"rotate", make_rotate}};
}

}  // namespace calor::learn
