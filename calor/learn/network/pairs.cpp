// Attention among all rows: learned scores of every pair, streamed.  On a table, rows that come later attend to those that were trained on.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "bindings/torch/dense.h"
#include "calor/core/error.h"
#include "calor/kernels/attention.h"
#include "calor/learn/network/builder.h"
#include "calor/learn/network/features.h"
#include "calor/similarity/layer_step.h"

namespace calor::learn {
namespace {

using pipeline::BoundStage;

at::Tensor head_of(const at::Tensor& x, std::int64_t head, std::int64_t heads) {
  if (heads == 1) return x;
  const std::int64_t width = x.size(1) / heads;
  return x.narrow(1, head * width, width);
}

std::string of_head(const std::string& role, std::int64_t head, std::int64_t heads) { return heads == 1 ? role : fmt::format("{}.{}", role, head); }

class PairScore : public Step {
 public:
  PairScore(Builder& builder, const ScoreKind& kind) : kind_(kind), weights_(static_cast<std::size_t>(builder.heads)) {
    for (std::size_t head = 0; head < weights_.size(); ++head)
      for (ParameterSpec& spec : kind.parameters(builder.width))
        weights_[head].push_back(builder.weight(of_head(spec.name, static_cast<std::int64_t>(head), builder.heads), std::move(spec.shape), builder.bound(spec.fan_in, builder.width)));
  }
  void run(Flow& flow, const Pass& pass) const override {
    const at::Tensor x = dense(flow);
    PairSimilarity pairs{&kind_, {}};
    const auto heads = static_cast<std::int64_t>(weights_.size());
    for (std::int64_t head = 0; head < heads; ++head) {
      std::vector<at::Tensor> parameters;
      for (const std::size_t weight : weights_[static_cast<std::size_t>(head)]) parameters.push_back((*pass.weights)[weight]);
      pairs.heads.push_back({kind_.features(parameters, head_of(x, head, heads)), at::Tensor()});
    }
    flow.pairs = std::move(pairs);
  }
  bool learned() const override { return true; }

 private:
  const ScoreKind& kind_;
  std::vector<std::vector<std::size_t>> weights_;  // by head
};

// exp(factor times score): one over the bandwidth, times what the score is scaled by.
class PairExp : public Step {
 public:
  PairExp(Builder& builder, const BoundStage& bound) : tempered_(builder.pairs->score->tempered) {
    const bool number = bound.arguments.is_number("bandwidth");
    const bool learned = !number && bound.arguments.word("bandwidth") == "learned" && tempered_;
    from_spread_ = !number && tempered_;
    require(number || learned || !tempered_ || builder.domain().table, Fault::usage, "[exp] expected a number or learned on nodes and surfaces, found auto: use exp(learned)");
    const double factor = builder.pairs->score->fixed_factor(builder.width) / (number ? bound.arguments.number("bandwidth") : 1);
    for (std::int64_t head = 0; head < builder.heads; ++head) {
      Builder::PairFactor made;
      if (learned) {
        made.log_weight = builder.weight(of_head("log_factor", head, builder.heads), {1, 1}, 0, std::log(factor), false);
        made.name = builder.weights().back().name;
      } else {
        made.name = builder.places().name(of_head("factor", head, builder.heads));
        made.constant = at::full({1, 1}, factor, builder.dtype());
      }
      builder.factors.push_back(made);
      factors_.push_back(std::move(made));
    }
  }
  void run(Flow& flow, const Pass& pass) const override {
    for (std::size_t head = 0; head < factors_.size(); ++head) {
      const Builder::PairFactor& f = factors_[head];
      PairHead& to = flow.pairs->heads[head];
      if (pass.start && from_spread_) {
        const double spread = factor_of_spread(flow.pairs->score->pairing, to.features);
        if (f.constant.defined()) f.constant.detach().fill_(spread);
        else (*pass.weights)[f.log_weight].detach().fill_(std::log(spread));
      }
      to.factor = f.constant.defined() ? f.constant : (*pass.weights)[f.log_weight].exp();
    }
  }
  // A factor that is set by the spread is not known before weights are.
  bool learned() const override { return true; }

 private:
  bool tempered_, from_spread_ = false;
  std::vector<Builder::PairFactor> factors_;
};

class PairApply : public Step {
 public:
  PairApply(Builder& builder, Attention attention, std::optional<std::size_t> map) : attention_(std::move(attention)), place_(builder.attentions.size()), map_(map) {}

  void run(Flow& flow, const Pass& pass) const override {
    const at::Tensor x = dense(flow);
    const auto heads = static_cast<std::int64_t>(flow.pairs->heads.size());
    KeptAttention kept{attention_, {}};
    std::vector<at::Tensor> out;
    double share = 0;
    for (std::int64_t head = 0; head < heads; ++head) {
      PairHead& pair = flow.pairs->heads[static_cast<std::size_t>(head)];
      at::Tensor value = head_of(x, head, heads);
      if (map_) value = torch_ops::dense_layer(value, (*pass.weights)[*map_], {}, torch_ops::Activation::none);
      LayerInput input{std::move(pair.features), std::move(value)};
      if (pass.beside) {
        const KeptHead& to = (*pass.beside)[place_].heads[static_cast<std::size_t>(head)];
        out.push_back(attend_beside(attention_, to.tokens, to.factors, input, pair.factor));
        continue;
      }
      Attended attended = attend(attention_, input, pair.factor);
      out.push_back(std::move(attended.out));
      if (pass.shares) share += measured_share(input, attended.factors, pair.factor);
      if (pass.keep) kept.heads.push_back({std::move(input), std::move(attended.factors), pair.factor});
    }
    if (pass.keep) pass.keep->push_back(std::move(kept));
    if (pass.shares) pass.shares->push_back(share / static_cast<double>(heads));
    flow.set(heads == 1 ? out.front() : at::cat(out, 1));
    flow.pairs.reset();
  }
  bool learned() const override { return map_.has_value(); }

 private:
  double measured_share(const LayerInput& tokens, const std::vector<Factors>& factors, const at::Tensor& factor) const {
    const at::NoGradGuard no_gradient;
    const std::int64_t count = tokens.value.size(0), step = (count + share_rows - 1) / share_rows;
    return effective_share(attention_rows(attention_, tokens, factors, factor, at::arange(0, count, step, at::kLong)));
  }

  Attention attention_;
  std::size_t place_;
  std::optional<std::size_t> map_;  // of the values: the linear stage after apply, which may as well come first
};

}  // namespace

std::unique_ptr<Step> make_pair_score(Builder& builder, const BoundStage& bound) {
  const std::string& kind = bound.arguments.word("kind");
  require(kind != "joined" && kind != "transformer", Fault::usage, "[score] expected additive, dot, l2, metric or uniform for all pairs, found {}: use {}", kind, kind == "joined" ? "additive" : "dot");
  require(bound.arguments.word("edge_features") == "no", Fault::usage, "[score] expected no edge_features for all pairs, found {}: put adjacency before score", bound.arguments.word("edge_features"));
  require(builder.width <= kernels::max_dim, Fault::usage, "[score] expected at most {} features of a head, found {}: put linear({}) before it", kernels::max_dim, builder.width, kernels::max_dim);
  const ScoreKind& score = score_kind(kind);
  builder.pairs = Builder::Pairs{&score, false, {}};
  return std::make_unique<PairScore>(builder, score);
}

std::unique_ptr<Step> make_pair_exp(Builder& builder, const BoundStage& bound) {
  require(!builder.pairs->exponential, Fault::usage, "[exp] expected one exp after score, found a second");
  builder.pairs->exponential = true;
  return std::make_unique<PairExp>(builder, bound);
}

void add_pair_normaliser(Builder& builder, const BoundStage& bound) {
  const std::string_view name = bound.stage->name;
  require(builder.pairs->exponential, Fault::usage, "[{}] expected exp between score and {}, found none: put exp before it", name, name);
  require_alpha(bound);
  const std::optional<Normaliser> step = similarity::layer_step(bound);
  require(step.has_value(), Fault::usage, "[{}] expected row, column, two_side(alpha) of rows, or sinkhorn after scores of all pairs, found {}", name,
          pipeline::print(std::vector<BoundStage>{bound}));
  constexpr int most_iterations = 1000;  // all of them are part of the gradient
  require(step->kind != Normaliser::Kind::sinkhorn || step->iterations <= most_iterations, Fault::usage, "[sinkhorn] expected at most {} iterations in a network, found {}", most_iterations, step->iterations);
  builder.pairs->normalise.push_back(*step);
}

// S (H V) = (S H) V: where a map follows that does not widen, it comes first, and fewer numbers flow.  On a table alone: on a graph a score may yet ask what the map was given.
std::unique_ptr<Step> make_pair_apply(Builder& builder, const BoundStage& bound) {
  const Builder::Pairs pairs = *std::exchange(builder.pairs, std::nullopt);
  require(pairs.exponential, Fault::usage, "[apply] expected exp | row between score and apply, found neither");
  require(bound.arguments.integer("steps") == 1, Fault::usage, "[apply] expected one step along scores of all pairs, found {}: repeat the stages instead", bound.arguments.integer("steps"));
  Attention attention{pairs.score, {}, builder.heads};
  for (const Normaliser& step : pairs.normalise)
    if (step.kind != Normaliser::Kind::two_side || step.alpha != 0) attention.normalise.push_back(step);
  require(!attention.normalise.empty(), Fault::usage, "[apply] expected a normalisation such as row before apply, found none");
  std::optional<std::size_t> map;
  if (builder.domain().table && builder.heads == 1 && builder.next() && builder.next()->stage->name == "linear") {
    const pipeline::Arguments& linear = builder.next()->arguments;
    const std::int64_t width = linear.is_number("width") ? linear.integer("width") : builder.classes();
    if (linear.integer("heads") == 1 && width <= builder.width) {
      builder.before_width = builder.width;
      builder.places().begin_map(!linear.is_number("width"));
      map = builder.weight("weight", {width, builder.width}, builder.bound(builder.width, width));
      builder.width = width;
      if (linear.is_number("width")) builder.widest = std::max(builder.widest, width);
      builder.take_next();
    }
  }
  auto step = std::make_unique<PairApply>(builder, attention, map);
  builder.attentions.push_back(std::move(attention));
  return step;
}

}  // namespace calor::learn
