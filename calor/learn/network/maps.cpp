// Stages that map features: linear, constants, pointwise functions, dropout, and what holds other stages.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/elu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/tanh.h>

#include <algorithm>
#include <utility>

#include "bindings/torch/dense.h"
#include "calor/core/error.h"
#include "calor/learn/network/builder.h"
#include "calor/learn/network/features.h"

namespace calor::learn {

namespace {

using pipeline::BoundStage;

class Linear : public Step {
 public:
  Linear(Builder& builder, const BoundStage& bound) {
    const std::int64_t width = bound.arguments.is_number("width") ? bound.arguments.integer("width") : builder.classes();
    heads_ = bound.arguments.integer("heads");
    builder.before_width = builder.total();
    builder.width = width;
    builder.heads = heads_;
    builder.require_width("linear");
    builder.places().begin_map(!bound.arguments.is_number("width"));
    weight_ = builder.weight("weight", {builder.total(), builder.before_width}, builder.bound(builder.before_width, builder.total()));
    if (bound.arguments.is_number("width")) builder.widest = std::max(builder.widest, builder.total());
    if (!builder.domain().table || !builder.next_is("bias")) return;
    bias_ = builder.weight("bias", {builder.total()}, builder.bias_bound());
    builder.take_next();
    if (!builder.next_is("tanh")) return;
    activation_ = torch_ops::Activation::tanh;
    builder.take_next();
  }
  void run(Flow& flow, const Pass& pass) const override {
    Flow next;
    next.x = bias_ ? torch_ops::dense_layer(dense(flow), (*pass.weights)[weight_], (*pass.weights)[*bias_], activation_) : mapped(flow, (*pass.weights)[weight_]);
    next.heads = heads_;
    flow.before = nullptr;  // of one map the input, not of all before it
    next.before = std::make_shared<const Flow>(std::move(flow));
    flow = std::move(next);
  }
  bool learned() const override { return true; }

 private:
  std::size_t weight_;
  std::optional<std::size_t> bias_;  // of the stage after it, added in the same pass, as is tanh after that
  torch_ops::Activation activation_ = torch_ops::Activation::none;
  std::int64_t heads_;
};

class Bias : public Step {
 public:
  Bias(Builder& builder, const BoundStage&) : weight_(builder.weight("bias", {builder.total()}, builder.bias_bound())) {}
  void run(Flow& flow, const Pass& pass) const override { flow.set(dense(flow) + (*pass.weights)[weight_]); }
  bool learned() const override { return true; }

 private:
  std::size_t weight_;
};

class Pointwise : public Step {
 public:
  using Function = at::Tensor (*)(const at::Tensor&, double);
  Pointwise(Function function, double parameter) : function_(function), parameter_(parameter) {}
  void run(Flow& flow, const Pass&) const override {
    flow.set(function_(dense(flow), parameter_));
  }

 private:
  Function function_;
  double parameter_;
};

class Norm : public Step {
 public:
  Norm(Builder& builder, const BoundStage&) : width_(builder.total()), gain_(builder.weight("gain", {width_}, 0, 1)), offset_(builder.weight("offset", {width_}, 0)) {}
  void run(Flow& flow, const Pass& pass) const override { flow.set(at::layer_norm(dense(flow), {width_}, (*pass.weights)[gain_], (*pass.weights)[offset_])); }
  bool learned() const override { return true; }

 private:
  std::int64_t width_;
  std::size_t gain_, offset_;
};

// Of features, or of a similarity's values.
class Dropout : public Step {
 public:
  Dropout(double share, bool of_edges, std::shared_ptr<const Support> fixed, std::size_t place) : share_(share), of_edges_(of_edges), fixed_(std::move(fixed)), place_(place) {}
  void run(Flow& flow, const Pass& pass) const override {
    if (!pass.training || share_ == 0) return;
    if (of_edges_) {
      begin_fixed(flow, fixed_);
      EdgeSimilarity& similarity = flow.similarity;
      if (similarity.scored) {
        similarity.options.dropout = share_;
        similarity.options.seed = static_cast<std::int64_t>(dropout_seed(pass, place_) >> 1);
      } else {
        similarity.weights = similarity.weights * dropout_factors(similarity.weights.sizes(), share_, pass, place_);
      }
    } else if (flow.sparse) {
      flow.entries = flow.entries * dropout_factors(flow.entries.sizes(), share_, pass, place_);
    } else {
      flow.x = flow.x * dropout_factors(flow.x.sizes(), share_, pass, place_);
    }
  }
  bool random() const override { return share_ > 0; }

 private:
  double share_;
  bool of_edges_;
  std::shared_ptr<const Support> fixed_;
  std::size_t place_;
};

class Heads : public Step {
 public:
  Heads(Builder& builder, const BoundStage& bound) : heads_(builder.heads), mean_(bound.arguments.word("how") == "mean") { builder.heads = 1; }
  void run(Flow& flow, const Pass&) const override {
    const at::Tensor split = dense(flow).unflatten(1, {heads_, -1});
    flow.set(mean_ ? split.mean(1) : split.sum(1));
    flow.heads = 1;
  }

 private:
  std::int64_t heads_;
  bool mean_;
};

// Stages within a stage.
class Body : public Step {
 public:
  enum class Start { dropped, added, added_tanh, mapped, beside };  // what becomes of what went in
  Body(Steps steps, Start start, std::size_t map = 0) : steps_(std::move(steps)), start_(start), map_(map) {}
  void run(Flow& flow, const Pass& pass) const override {
    const at::Tensor start = start_ == Start::dropped ? at::Tensor() : start_ == Start::mapped ? mapped(flow, (*pass.weights)[map_]) : dense(flow);
    const std::int64_t heads = flow.heads;
    for (const auto& step : steps_) step->run(flow, pass);
    if (start_ == Start::dropped) return;
    const at::Tensor end = dense(flow);
    flow.set(start_ == Start::beside ? at::cat({start, end}, 1) : start_ == Start::added_tanh ? torch_ops::tanh_of_sum(start, end) : start + end);
    if (start_ != Start::mapped) flow.heads = start_ == Start::beside ? 1 : heads;
  }
  bool random() const override {
    return std::any_of(steps_.begin(), steps_.end(), [](const auto& step) { return step->random(); });
  }
  bool learned() const override {
    return start_ == Start::mapped || std::any_of(steps_.begin(), steps_.end(), [](const auto& step) { return step->learned(); });
  }

 private:
  Steps steps_;
  Start start_;
  std::size_t map_;  // of Start::mapped
};

Steps body_of(Builder& builder, const BoundStage& bound) {
  const bool outer = std::exchange(builder.inside, true);
  Steps steps = builder.build(bound.arguments.pipeline("body"));
  builder.inside = outer;
  return steps;
}

std::unique_ptr<Step> make_residual(Builder& builder, const BoundStage& bound) {
  const std::int64_t width = builder.width, heads = builder.heads;
  Steps steps = body_of(builder, bound);
  if (bound.arguments.word("skip") == "linear") {
    const std::size_t map = builder.weight("skip", {builder.total(), width * heads}, builder.bound(width * heads, builder.total()));
    return std::make_unique<Body>(std::move(steps), Body::Start::mapped, map);
  }
  require(builder.total() == width * heads, Fault::usage, "[residual] expected a body that gives as many features as it takes, {}, found {}: give its last map that width, or take skip=linear", width * heads, builder.total());
  builder.width = width;
  builder.heads = heads;
  if (!builder.next_is("tanh")) return std::make_unique<Body>(std::move(steps), Body::Start::added);
  builder.take_next();
  return std::make_unique<Body>(std::move(steps), Body::Start::added_tanh);
}

std::unique_ptr<Step> make_beside(Builder& builder, const BoundStage& bound) {
  const std::int64_t before = builder.total();
  Steps steps = body_of(builder, bound);
  builder.width = before + builder.total();
  builder.heads = 1;
  builder.require_width("beside");
  builder.widest = std::max(builder.widest, builder.width);
  return std::make_unique<Body>(std::move(steps), Body::Start::beside);
}

std::unique_ptr<Step> make_layers(Builder& builder, const BoundStage& bound) {
  Steps all;
  for (std::int64_t n = bound.arguments.integer("n"); n > 0; --n) {
    builder.places().enter_layer();
    for (auto& step : body_of(builder, bound)) all.push_back(std::move(step));
    builder.places().leave_layer();
  }
  return std::make_unique<Body>(std::move(all), Body::Start::dropped);
}

std::unique_ptr<Step> make_dropout(Builder& builder, const BoundStage& bound) {
  const bool of_edges = (bound.takes & pipeline::types::points) == 0;
  require(!of_edges || !builder.pairs, Fault::usage, "[dropout] expected features, or a similarity on the edges of a graph, found one of all pairs: put dropout where features flow");
  return std::make_unique<Dropout>(bound.arguments.number("p"), of_edges, of_edges ? builder.fixed() : nullptr, builder.next_place());
}

template <class Kind>
std::unique_ptr<Step> make(Builder& builder, const BoundStage& bound) {
  return std::make_unique<Kind>(builder, bound);
}

template <Pointwise::Function function>
std::unique_ptr<Step> make_pointwise(Builder&, const BoundStage& bound) {
  return std::make_unique<Pointwise>(function, bound.stage->parameters.empty() ? 0 : bound.arguments.number("slope"));
}

at::Tensor relu(const at::Tensor& x, double) { return at::relu(x); }
at::Tensor leaky(const at::Tensor& x, double slope) { return at::leaky_relu(x, slope); }
at::Tensor elu(const at::Tensor& x, double) { return at::elu(x); }
at::Tensor tangent(const at::Tensor& x, double) { return at::tanh(x); }

}  // namespace

std::vector<std::pair<std::string_view, Make>> map_stages() {
  return {{"linear", make<Linear>},         {"bias", make<Bias>},           {"relu", make_pointwise<relu>}, {"leaky_relu", make_pointwise<leaky>}, {"elu", make_pointwise<elu>},
          {"tanh", make_pointwise<tangent>}, {"norm", make<Norm>},           {"dropout", make_dropout},      {"heads", make<Heads>},                {"residual", make_residual},
          {"layers", make_layers},           {"beside", make_beside}};
}

}  // namespace calor::learn
