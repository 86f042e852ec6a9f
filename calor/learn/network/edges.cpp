// Stages of a network's similarity: the graph's, fixed and computed by the engine once, or a learned score on its edges; and what flows along it.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/full.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "calor/core/error.h"
#include "calor/learn/network/builder.h"
#include "calor/learn/network/features.h"

namespace calor::learn {
namespace {

using kernels::EdgeScore;
using pipeline::BoundStage;

at::Tensor by_head(const Flow& flow) { return dense(flow).unflatten(1, {flow.heads, -1}); }

// A map of each head: [nodes, heads, in] times [heads, out, in].
at::Tensor map_heads(const at::Tensor& z, const at::Tensor& weight) { return at::bmm(z.transpose(0, 1), weight.transpose(1, 2)).transpose(0, 1).contiguous(); }

// A stage of the engine's own: it runs now, once, and is no step.
std::unique_ptr<Step> make_engine(Builder& builder, const BoundStage& bound) {
  if (builder.pairs) {
    add_pair_normaliser(builder, bound);
    return nullptr;
  }
  require_alpha(bound);
  require(!builder.laplacian || bound.stage->name == "adjacency", Fault::usage, "[{}] expected heat after laplacian, found {}", bound.stage->name, bound.stage->name);
  if (builder.scored && bound.stage->name != "adjacency") {
    require(bound.stage->name == "row", Fault::usage, "[{}] expected row after a learned score on a graph, found {}: other normalisations come before score, or without it", bound.stage->name,
            bound.stage->name);
    require(builder.exponential, Fault::usage, "[row] expected exp between score and row, found none: put exp before it");
    builder.normalised = true;
    return nullptr;
  }
  builder.run_engine(bound);
  return nullptr;
}

// Features of a support's edges, from those of the graph: what a node sends to itself has the mean of what is sent to it.
at::Tensor features_on(const Support& support, const EdgeFeatures& given, at::ScalarType dtype) {
  const at::Tensor from = given.values.to(at::kDouble).contiguous(), result = at::zeros({support.edges.column.size(0), from.size(1)}, at::kDouble);
  const auto* begin = support.edges.begin.const_data_ptr<std::int64_t>();
  const auto* column = support.edges.column.const_data_ptr<std::int32_t>();
  const double* numbers = from.const_data_ptr<double>();
  double* out = result.mutable_data_ptr<double>();
  const std::int64_t width = from.size(1);
  for (std::int64_t i = 0; i < support.rows; ++i) {
    const std::int64_t first = given.graph.begin[static_cast<std::size_t>(i)], end = given.graph.begin[static_cast<std::size_t>(i) + 1];
    const auto known = std::span(given.graph.column).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(end - first));
    for (std::int64_t e = begin[i]; e < begin[i + 1]; ++e) {
      double* row = out + e * width;
      const auto at = std::ranges::lower_bound(known, column[e]);
      if (at != known.end() && *at == column[e]) {
        std::copy_n(numbers + (first + (at - known.begin())) * width, width, row);
        continue;
      }
      require(column[e] == i, Fault::internal, "[score] expected edges of the graph and loops, found one from {} to {}", column[e], i);
      for (std::int64_t other = first; other < end; ++other)
        for (std::int64_t f = 0; f < width; ++f) row[f] += numbers[other * width + f] / static_cast<double>(end - first);
    }
  }
  return result.to(dtype);
}

class Score : public Step {
 public:
  Score(Builder& builder, const BoundStage& bound) : support_(builder.support()), kind_(bound.arguments.word("kind")) {
    require(!builder.scored, Fault::usage, "[score] expected one score of a similarity, found a second");
    builder.scored = true;
    const std::int64_t heads = builder.heads, width = builder.width;
    const auto add = [&](const char* role, std::vector<std::int64_t> shape, double bound_) { weights_.push_back(builder.weight(role, std::move(shape), bound_)); };
    const std::vector<std::int64_t> square{heads, width, width};
    scale_ = 1;
    if (kind_ == "additive") {
      add("own", {heads, width}, glorot(width, heads));
      add("other", {heads, width}, glorot(width, heads));
    } else if (kind_ == "joined") {
      add("own", {heads * width, builder.before_width}, glorot(builder.before_width, heads * width));
      add("vector", {heads, width}, glorot(width, heads));
    } else if (kind_ == "dot") {
      add("query", square, glorot(width, width));
      add("key", square, glorot(width, width));
      scale_ = 1 / std::sqrt(static_cast<double>(width));
    } else if (kind_ == "transformer") {
      add("query", {heads * width, builder.before_width}, glorot(builder.before_width, heads * width));
      add("query_bias", {heads * width}, 0);
      add("key", {heads * width, builder.before_width}, glorot(builder.before_width, heads * width));
      scale_ = 1 / std::sqrt(static_cast<double>(width));
    } else if (kind_ == "l2") {
      add("projection", square, glorot(width, width));
    } else if (kind_ == "metric") {
      add("hidden.weight", square, glorot(width, width));
      add("hidden.bias", {heads, width}, 0);
      add("out.weight", square, glorot(width, width));
      add("out.bias", {heads, width}, 0);
    }
    const std::string taken = bound.arguments.word("edge_features");
    if (taken == "no") return;
    require(builder.domain().edges != nullptr, Fault::usage, "[score] expected features of edges, found none: give --graph a table whose columns beside the two nodes are numbers, or leave edge_features out");
    require(kind_ != "uniform" || taken == "both", Fault::usage, "[score] expected a score that compares, or edge_features=both, found keys with uniform, which compares nothing");
    features_ = features_on(*support_, *builder.domain().edges, builder.dtype());
    sent_ = taken == "both";
    edge_map_ = builder.weight("edge", {heads, width, features_.size(1)}, glorot(features_.size(1), heads * width));
  }

  void run(Flow& flow, const Pass& pass) const override {
    const at::Tensor z = by_head(flow);
    const auto weight = [&](std::size_t n) -> const at::Tensor& { return (*pass.weights)[weights_[n]]; };
    EdgeSimilarity similarity;
    similarity.support = support_;
    similarity.scored = true;
    similarity.options.scale = at::full({flow.heads}, scale_, z.options());
    if (kind_ == "additive") {
      similarity.options.score = EdgeScore::additive;
      similarity.query = (z * weight(0)).sum(2, true);
      similarity.key = (z * weight(1)).sum(2, true);
    } else if (kind_ == "joined") {
      similarity.options.score = EdgeScore::joined;
      similarity.options.vector = weight(1);
      similarity.query = mapped(*flow.before, weight(0)).unflatten(1, {flow.heads, -1});
      similarity.key = z;
    } else if (kind_ == "dot") {
      similarity.query = map_heads(z, weight(0));
      similarity.key = map_heads(z, weight(1));
    } else if (kind_ == "transformer") {
      similarity.query = (mapped(*flow.before, weight(0)) + weight(1)).unflatten(1, {flow.heads, -1});
      similarity.key = mapped(*flow.before, weight(2)).unflatten(1, {flow.heads, -1});
    } else if (kind_ == "uniform") {
      similarity.query = similarity.key = at::zeros({z.size(0), flow.heads, 1}, z.options());
    } else {
      similarity.options.score = EdgeScore::squared_distance;
      similarity.query = similarity.key = kind_ == "l2" ? map_heads(z, weight(0)) : z + map_heads(at::tanh(map_heads(z, weight(0)) + weight(1)), weight(2)) + weight(3);
    }
    if (features_.defined()) {
      const at::Tensor& map = (*pass.weights)[edge_map_];
      // b.(y + U e) = b.y + (U'b).e: a number of each edge and head.
      if (kind_ == "additive") similarity.options.bias = features_.matmul((map * weight(1).unsqueeze(2)).sum(1).t());
      else if (kind_ != "uniform") similarity.options.key_map = map;
      if (sent_) similarity.options.value_map = map;
      if (similarity.options.key_map.defined() || sent_) similarity.options.features = features_;
    }
    flow.similarity = std::move(similarity);
  }
  bool learned() const override { return true; }

 private:
  std::shared_ptr<const Support> support_;
  std::string kind_;
  double scale_;
  std::vector<std::size_t> weights_;
  at::Tensor features_;       // of the edges, where the score takes them
  std::size_t edge_map_ = 0;  // U
  bool sent_ = false;         // with what flows
};

std::unique_ptr<Step> make_score(Builder& builder, const BoundStage& bound) {
  require(!builder.laplacian, Fault::usage, "[score] expected heat after laplacian, found score: put it after adjacency");
  require(!builder.pairs, Fault::usage, "[score] expected one score of a similarity, found a second");
  if (bound.takes & pipeline::types::points) return make_pair_score(builder, bound);
  return std::make_unique<Score>(builder, bound);
}

// The scale of exp(score / bandwidth).
class Exp : public Step {
 public:
  Exp(Builder& builder, const BoundStage& bound) {
    require(builder.scored, Fault::usage, "[exp] expected a learned score, found a graph's own weights: put score(..) before it, or leave exp and row out for two_side or row");
    builder.exponential = true;
    require(bound.arguments.is_number("bandwidth") || bound.arguments.word("bandwidth") == "learned", Fault::usage, "[exp] expected a number or learned on the edges of a graph, found auto: use exp(learned)");
    if (bound.arguments.is_number("bandwidth")) factor_ = 1 / bound.arguments.number("bandwidth");
    else log_bandwidth_ = builder.weight("log_bandwidth", {builder.heads}, 0);
  }
  void run(Flow& flow, const Pass& pass) const override {
    at::Tensor& scale = flow.similarity.options.scale;
    scale = log_bandwidth_ ? scale * (-(*pass.weights)[*log_bandwidth_]).exp() : scale * factor_;
  }
  bool learned() const override { return log_bandwidth_.has_value(); }

 private:
  double factor_ = 1;
  std::optional<std::size_t> log_bandwidth_;
};

std::unique_ptr<Step> make_exp(Builder& builder, const BoundStage& bound) {
  if (builder.pairs) return make_pair_exp(builder, bound);
  return std::make_unique<Exp>(builder, bound);
}

// The weights of every edge: log-sum-exp's gradient by what is added to the scores.
at::Tensor weights_of(const EdgeSimilarity& s) {
  const at::AutoGradMode gradients(true);
  torch_ops::EdgeAttentionOptions options = s.options;
  options.dropout = 0;
  options.value_map = at::Tensor();
  if (!options.key_map.defined()) options.features = at::Tensor();
  at::Tensor query = s.query.detach(), key = s.key.detach();
  const auto edges = s.support->values.size(0), heads = query.size(1);
  at::Tensor added = at::zeros({edges, heads}, query.options());
  if (options.score == EdgeScore::additive) {  // whose bias is inside: its scores are numbers of edges anyway
    const auto begin = s.support->edges.begin;
    const at::Tensor row = at::repeat_interleave(at::arange(s.support->rows, at::kLong), begin.slice(0, 1) - begin.slice(0, 0, s.support->rows));
    const at::Tensor sum = (query.index_select(0, row) + key.index_select(0, s.support->edges.column.to(at::kLong))).squeeze(2);
    added = at::leaky_relu(options.bias.defined() ? sum + options.bias : sum, options.slope) * options.scale;
    options = {};
    query = at::zeros_like(query), key = at::zeros_like(key);
  }
  added = added.detach().requires_grad_();
  options.bias = added;
  std::get<1>(torch_ops::edge_attention(s.support->edges, query, key, key, options)).sum().backward();
  return added.grad();
}

// exp(entropy) of a node's weights over the number of its edges, a mean over nodes that have some, and heads.
double effective_share(const EdgeSimilarity& s) {
  const at::Tensor weights = weights_of(s), terms = -(weights * weights.clamp_min(1e-30).log()).to(at::kDouble).contiguous();
  const auto* begin = s.support->edges.begin.const_data_ptr<std::int64_t>();
  const double* term = terms.const_data_ptr<double>();
  const auto heads = terms.size(1);
  double sum = 0, count = 0;
  for (std::int64_t i = 0; i < s.support->rows; ++i) {
    const std::int64_t degree = begin[i + 1] - begin[i];
    if (degree == 0) continue;
    for (std::int64_t h = 0; h < heads; ++h) {
      double entropy = 0;
      for (std::int64_t e = begin[i]; e < begin[i + 1]; ++e) entropy += term[e * heads + h];
      sum += std::exp(entropy) / static_cast<double>(degree);
      count += 1;
    }
  }
  return count > 0 ? sum / count : 1;
}

// S H of what flows.
at::Tensor moved(const Flow& flow, const at::Tensor& x) {
  const EdgeSimilarity& s = flow.similarity;
  if (s.scored) return std::get<0>(torch_ops::edge_attention(s.support->edges, s.query, s.key, x.unflatten(1, {flow.heads, -1}), s.options)).flatten(1);
  return torch_ops::edge_sums(s.support->edges, s.weights, x.unsqueeze(1)).squeeze(1);
}

// apply and restart.
class Move : public Step {
 public:
  Move(std::shared_ptr<const Support> fixed, double kept, std::int64_t steps) : fixed_(std::move(fixed)), kept_(kept), steps_(steps) {}
  void run(Flow& flow, const Pass& pass) const override {
    begin_fixed(flow, fixed_);
    if (pass.shares && flow.similarity.scored) pass.shares->push_back(effective_share(flow.similarity));
    const at::Tensor start = dense(flow);
    at::Tensor x = start;
    for (std::int64_t step = 0; step < steps_; ++step) x = kept_ > 0 ? (1 - kept_) * moved(flow, x) + kept_ * start : moved(flow, x);
    flow.set(x);
    flow.similarity = {};
  }

 private:
  std::shared_ptr<const Support> fixed_;
  double kept_;
  std::int64_t steps_;
};

// The fixed similarity that flows, or null for a learned one, which must be ready.
std::shared_ptr<const Support> take_fixed(Builder& builder, const char* op) {
  require(!builder.laplacian, Fault::usage, "[{}] expected heat after laplacian, found {}", op, op);
  require(!builder.scored || (builder.exponential && builder.normalised), Fault::usage, "[{}] expected exp | row between score and {}, found {}", op, op,
          builder.exponential ? "exp alone" : "neither");
  auto fixed = builder.fixed();
  builder.scored = builder.exponential = builder.normalised = false;
  return fixed;
}

std::unique_ptr<Step> make_apply(Builder& builder, const BoundStage& bound) {
  if (builder.pairs) return make_pair_apply(builder, bound);
  return std::make_unique<Move>(take_fixed(builder, "apply"), 0, bound.arguments.integer("steps"));
}

std::unique_ptr<Step> make_restart(Builder& builder, const BoundStage& bound) {
  require(!builder.pairs, Fault::usage, "[restart] expected a similarity on the edges of a graph, found one of all pairs: use apply");
  return std::make_unique<Move>(take_fixed(builder, "restart"), bound.arguments.number("alpha"), bound.arguments.integer("steps"));
}

}  // namespace

std::vector<std::pair<std::string_view, Make>> edge_stages() {
  return {{"adjacency", make_engine}, {"self_loops", make_engine}, {"row", make_engine}, {"two_side", make_engine}, {"column", make_engine}, {"sinkhorn", make_engine}, {"score", make_score}, {"exp", make_exp}, {"apply", make_apply}, {"restart", make_restart}};
}

}  // namespace calor::learn
