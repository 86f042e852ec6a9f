// Registration of the operators on edges and their derivatives: the first streams, further ones are the composition's.
#include "bindings/torch/edges.h"

#include <ATen/Parallel.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros_like.h>
#include <c10/util/Exception.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <array>

#include "bindings/torch/edges_composed.h"

namespace calor::torch_ops {
namespace {

using kernels::EdgeScore;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

using AttentionSignature = TensorPair(at::TensorList, const at::Tensor&, const at::Tensor&, const at::Tensor&, const OptionalTensor&, const OptionalTensor&, const OptionalTensor&,
                                      std::string_view, double, double, std::int64_t, const OptionalTensor&, const OptionalTensor&, const OptionalTensor&);
using AttentionGradients = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor>;
using AttentionBackwardSignature = AttentionGradients(at::TensorList, const at::Tensor&, const OptionalTensor&, const at::Tensor&, const at::Tensor&, const at::Tensor&,
                                                      const OptionalTensor&, const OptionalTensor&, const OptionalTensor&, const at::Tensor&, const at::Tensor&, std::string_view,
                                                      double, double, std::int64_t, const OptionalTensor&, const OptionalTensor&, const OptionalTensor&);
using SumsSignature = at::Tensor(at::TensorList, const at::Tensor&, const at::Tensor&);
using SumsBackwardSignature = TensorPair(at::TensorList, const at::Tensor&, const at::Tensor&, const at::Tensor&);

template <class Signature>
c10::TypedOperatorHandle<Signature> handle_of(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Signature>();
}
const auto& attention_operator() {
  static const auto handle = handle_of<AttentionSignature>("calor::edge_attention");
  return handle;
}
const auto& attention_backward_operator() {
  static const auto handle = handle_of<AttentionBackwardSignature>("calor::edge_attention_backward");
  return handle;
}
const auto& sums_operator() {
  static const auto handle = handle_of<SumsSignature>("calor::edge_sums");
  return handle;
}
const auto& sums_backward_operator() {
  static const auto handle = handle_of<SumsBackwardSignature>("calor::edge_sums_backward");
  return handle;
}

kernels::EdgePattern pattern_of(at::TensorList edges) {
  kernels::EdgePattern pattern;
  pattern.rows = edges[0].numel() - 1;
  pattern.columns = edges[2].numel() - 1;
  pattern.begin = edges[0].const_data_ptr<std::int64_t>();
  pattern.column = edges[1].const_data_ptr<std::int32_t>();
  pattern.reverse_begin = edges[2].const_data_ptr<std::int64_t>();
  pattern.reverse_row = edges[3].const_data_ptr<std::int32_t>();
  pattern.reverse_edge = edges[4].const_data_ptr<std::int64_t>();
  return pattern;
}

// Rows of [heads, dim] numbers next to each other, any distance between rows.
at::Tensor whole_rows(const at::Tensor& features) {
  return features.stride(2) == 1 && features.stride(1) == features.size(2) ? features : features.contiguous();
}

// Owns what `params` points to.
template <class T>
struct Call {
  at::Tensor q, k, v, scale, bias, vector, features, key_map, value_map;
  kernels::EdgeAttentionParams<T> params;

  Call(at::TensorList edges, const at::Tensor& q_, const at::Tensor& k_, const at::Tensor& v_, const OptionalTensor& scale_, const OptionalTensor& bias_,
       const OptionalTensor& vector_, std::string_view score, double slope, double dropout, std::int64_t seed, const EdgeFeatures& by_edge)
      : q(whole_rows(q_)), k(whole_rows(k_)), v(whole_rows(v_)) {
    params.pattern = pattern_of(edges);
    params.score = edge_score_of(score);
    params.heads = q.size(1), params.dim = q.size(2), params.value_dim = v.size(2);
    params.q = q.const_data_ptr<T>(), params.q_stride = q.stride(0);
    params.k = k.const_data_ptr<T>(), params.k_stride = k.stride(0);
    params.v = v.const_data_ptr<T>(), params.v_stride = v.stride(0);
    const auto take = [](at::Tensor& kept, const OptionalTensor& given) -> const T* {
      if (!given) return nullptr;
      kept = given->contiguous();
      return kept.const_data_ptr<T>();
    };
    params.scale = take(scale, scale_);
    params.bias = take(bias, bias_);
    params.vector = take(vector, vector_);
    params.features = take(features, by_edge.features);
    params.edge_dim = features.defined() ? features.size(1) : 0;
    params.key_map = take(key_map, by_edge.key_map);
    params.value_map = take(value_map, by_edge.value_map);
    params.slope = static_cast<T>(slope);
    params.dropout = dropout;
    params.seed = static_cast<std::uint64_t>(seed);
    params.threads = at::get_num_threads();
  }
};

template <class Work>
void in_type(const at::Tensor& like, const Work& work) {
  if (like.scalar_type() == at::kFloat) work(float());
  else work(double());
}

TensorPair attention_meta(at::TensorList edges, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const OptionalTensor& scale, const OptionalTensor& bias,
                          const OptionalTensor& vector, std::string_view score, double, double dropout, std::int64_t, const OptionalTensor& features, const OptionalTensor& key_map,
                          const OptionalTensor& value_map) {
  check_edge_attention(edges, q, k, v, scale, bias, vector, score, dropout, {features, key_map, value_map});
  const std::array<c10::SymInt, 3> out{q.sym_size(0), q.sym_size(1), v.sym_size(2)};
  const std::array<c10::SymInt, 2> lse{q.sym_size(0), q.sym_size(1)};
  return {at::empty_symint(out, q.options()), at::empty_symint(lse, q.options())};
}

TensorPair attention_cpu(at::TensorList edges, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const OptionalTensor& scale, const OptionalTensor& bias,
                         const OptionalTensor& vector, std::string_view score, double slope, double dropout, std::int64_t seed, const OptionalTensor& features,
                         const OptionalTensor& key_map, const OptionalTensor& value_map) {
  auto result = attention_meta(edges, q, k, v, scale, bias, vector, score, slope, dropout, seed, features, key_map, value_map);
  in_type(q, [&](auto zero) {
    using T = decltype(zero);
    const Call<T> call(edges, q, k, v, scale, bias, vector, score, slope, dropout, seed, {features, key_map, value_map});
    kernels::edge_attention_forward(call.params, std::get<0>(result).mutable_data_ptr<T>(), std::get<1>(result).mutable_data_ptr<T>());
  });
  return result;
}

// Gradients of optional inputs have no elements where there is no such input.
AttentionGradients attention_backward_meta(at::TensorList, const at::Tensor&, const OptionalTensor&, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                           const OptionalTensor& scale, const OptionalTensor& bias, const OptionalTensor& vector, const at::Tensor&, const at::Tensor&,
                                           std::string_view, double, double, std::int64_t, const OptionalTensor& features, const OptionalTensor& key_map, const OptionalTensor& value_map) {
  const auto like = [&q](const OptionalTensor& input) { return input ? at::empty_symint(input->sym_sizes(), q.options()) : at::empty({0}, q.options()); };
  return {at::empty_symint(q.sym_sizes(), q.options()), at::empty_symint(k.sym_sizes(), q.options()), at::empty_symint(v.sym_sizes(), q.options()), like(scale), like(bias), like(vector),
          like(features), like(key_map), like(value_map)};
}

AttentionGradients attention_backward_cpu(at::TensorList edges, const at::Tensor& d_out_, const OptionalTensor& d_lse_, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                          const OptionalTensor& scale, const OptionalTensor& bias, const OptionalTensor& vector, const at::Tensor& out_, const at::Tensor& lse_,
                                          std::string_view score, double slope, double dropout, std::int64_t seed, const OptionalTensor& features, const OptionalTensor& key_map,
                                          const OptionalTensor& value_map) {
  auto gradients = attention_backward_meta(edges, d_out_, d_lse_, q, k, v, scale, bias, vector, out_, lse_, score, slope, dropout, seed, features, key_map, value_map);
  const at::Tensor d_out = d_out_.contiguous(), out = out_.contiguous(), lse = lse_.contiguous();
  const at::Tensor d_lse = d_lse_ ? d_lse_->contiguous() : at::Tensor();
  in_type(q, [&](auto zero) {
    using T = decltype(zero);
    const Call<T> call(edges, q, k, v, scale, bias, vector, score, slope, dropout, seed, {features, key_map, value_map});
    const auto& [d_q, d_k, d_v, d_scale, d_bias, d_vector, d_features, d_key_map, d_value_map] = gradients;
    const auto filled = [](const at::Tensor& tensor, bool given) { return given ? tensor.mutable_data_ptr<T>() : nullptr; };
    kernels::EdgeAttentionBackward<T> backward;
    backward.out = out.const_data_ptr<T>();
    backward.lse = lse.const_data_ptr<T>();
    backward.d_out = d_out.const_data_ptr<T>();
    backward.d_lse = d_lse.defined() ? d_lse.const_data_ptr<T>() : nullptr;
    backward.d_q = d_q.mutable_data_ptr<T>();
    backward.d_k = d_k.mutable_data_ptr<T>();
    backward.d_v = d_v.mutable_data_ptr<T>();
    backward.d_scale = filled(d_scale, scale.has_value());
    backward.d_bias = filled(d_bias, bias.has_value());
    backward.d_vector = filled(d_vector, vector.has_value());
    backward.d_features = filled(d_features, features.has_value());
    backward.d_key_map = filled(d_key_map, key_map.has_value());
    backward.d_value_map = filled(d_value_map, value_map.has_value());
    if (vector && call.params.score != EdgeScore::joined) d_vector.zero_(), backward.d_vector = nullptr;
    kernels::edge_attention_backward(call.params, backward);
  });
  return gradients;
}

at::Tensor sums_meta(at::TensorList edges, const at::Tensor& weights, const at::Tensor& v) {
  check_edge_sums(edges, weights, v);
  const std::array<c10::SymInt, 3> sizes{edges[0].sym_size(0) - 1, v.sym_size(1), v.sym_size(2)};
  return at::empty_symint(sizes, v.options());
}

template <class T>
kernels::EdgeSumsParams<T> sums_of(at::TensorList edges, const at::Tensor& weights, const at::Tensor& v) {
  return {pattern_of(edges), v.size(1), v.size(2), weights.const_data_ptr<T>(), v.const_data_ptr<T>(), v.stride(0), at::get_num_threads()};
}

at::Tensor sums_cpu(at::TensorList edges, const at::Tensor& weights_, const at::Tensor& v_) {
  const at::Tensor result = sums_meta(edges, weights_, v_), weights = weights_.contiguous(), v = whole_rows(v_);
  in_type(v, [&](auto zero) {
    using T = decltype(zero);
    kernels::edge_sums_forward(sums_of<T>(edges, weights, v), result.mutable_data_ptr<T>());
  });
  return result;
}

TensorPair sums_backward_meta(at::TensorList, const at::Tensor&, const at::Tensor& weights, const at::Tensor& v) {
  return {at::empty_symint(weights.sym_sizes(), v.options()), at::empty_symint(v.sym_sizes(), v.options())};
}

TensorPair sums_backward_cpu(at::TensorList edges, const at::Tensor& d_out_, const at::Tensor& weights_, const at::Tensor& v_) {
  auto result = sums_backward_meta(edges, d_out_, weights_, v_);
  const at::Tensor d_out = d_out_.contiguous(), weights = weights_.contiguous(), v = whole_rows(v_);
  in_type(v, [&](auto zero) {
    using T = decltype(zero);
    kernels::edge_sums_backward(sums_of<T>(edges, weights, v), d_out.const_data_ptr<T>(), std::get<0>(result).mutable_data_ptr<T>(), std::get<1>(result).mutable_data_ptr<T>());
  });
  return result;
}

at::Tensor value(const OptionalTensor& tensor) { return tensor.value_or(at::Tensor()); }
OptionalTensor optional(const at::Tensor& tensor) { return tensor.defined() ? OptionalTensor(tensor) : std::nullopt; }
bool wanted(const at::Tensor& tensor) { return tensor.defined() && tensor.requires_grad(); }

// Gradients of outputs with respect to those inputs that ask for one, as a graph of their own.
variable_list graph_of_gradients(const variable_list& inputs, const variable_list& outputs, const variable_list& d_outputs) {
  variable_list asked;
  for (const at::Tensor& input : inputs)
    if (wanted(input)) asked.push_back(input);
  variable_list result(inputs.size()), dependent, of_dependent;
  for (std::size_t i = 0; i < outputs.size(); ++i)
    if (outputs[i].requires_grad()) dependent.push_back(outputs[i]), of_dependent.push_back(d_outputs[i]);  // of v alone the log-sum-exp does not depend
  if (dependent.empty() || asked.empty()) return result;
  const variable_list found = torch::autograd::grad(dependent, asked, of_dependent, true, true, true);
  for (std::size_t i = 0, next = 0; i < inputs.size(); ++i)
    if (wanted(inputs[i])) result[i] = found[next++];
  return result;
}

// New nodes over the same values, so that a derivative stops there.
variable_list fresh(const variable_list& tensors, std::size_t first, std::size_t count) {
  variable_list result;
  for (std::size_t i = first; i < first + count; ++i) result.push_back(tensors[i].defined() ? tensors[i].view_as(tensors[i]) : tensors[i]);
  return result;
}

class Attention : public torch::autograd::Function<Attention> {
 public:
  static variable_list forward(AutogradContext* context, at::TensorList edges, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const OptionalTensor& scale,
                               const OptionalTensor& bias, const OptionalTensor& vector, std::string_view score, double slope, double dropout, std::int64_t seed,
                               const OptionalTensor& features, const OptionalTensor& key_map, const OptionalTensor& value_map) {
    at::AutoDispatchBelowADInplaceOrView guard;
    auto [out, lse] = attention_operator().call(edges, q, k, v, scale, bias, vector, score, slope, dropout, seed, features, key_map, value_map);
    variable_list saved(edges.begin(), edges.end());
    for (const at::Tensor& tensor : {q, k, v, value(scale), value(bias), value(vector), value(features), value(key_map), value(value_map), out, lse}) saved.push_back(tensor);
    context->save_for_backward(saved);
    context->saved_data["score"] = std::string(score);
    context->saved_data["slope"] = slope;
    context->saved_data["dropout"] = dropout;
    context->saved_data["seed"] = seed;
    context->set_materialize_grads(false);
    return {out, lse};
  }

  static variable_list backward(AutogradContext* context, const variable_list& d_outputs) {
    // Inputs: five of edges, six of numbers, four of options, three of edges' features.  Saved: edges, numbers, features, results.
    constexpr std::size_t inputs = 18, numbers = 9, first = 5;
    constexpr auto place_of = [](std::size_t number) { return first + number + (number < 6 ? 0 : 4); };
    if (!d_outputs[0].defined() && !d_outputs[1].defined()) return variable_list(inputs);
    const variable_list saved = context->get_saved_variables(), edges(saved.begin(), saved.begin() + 5);
    const at::Tensor &out = saved[first + numbers], &lse = saved[first + numbers + 1];
    const at::Tensor d_out = d_outputs[0].defined() ? d_outputs[0] : at::zeros_like(out);
    const std::string score = context->saved_data["score"].toStringRef();
    const double slope = context->saved_data["slope"].toDouble(), dropout = context->saved_data["dropout"].toDouble();
    const std::int64_t seed = context->saved_data["seed"].toInt();
    variable_list result(inputs), gradients;
    if (at::GradMode::is_enabled()) {
      const variable_list from = fresh(saved, first, numbers);
      const auto [again, lse_again] = edge_attention_composed(edges, from[0], from[1], from[2], optional(from[3]), optional(from[4]), optional(from[5]), score, slope, dropout, seed,
                                                              optional(from[6]), optional(from[7]), optional(from[8]));
      variable_list outputs{again}, d{d_out};
      if (d_outputs[1].defined()) outputs.push_back(lse_again), d.push_back(d_outputs[1]);
      gradients = graph_of_gradients(from, outputs, d);
    } else {
      auto [d_q, d_k, d_v, d_scale, d_bias, d_vector, d_features, d_key_map, d_value_map] =
          attention_backward_operator().call(edges, d_out, optional(d_outputs[1]), saved[5], saved[6], saved[7], optional(saved[8]), optional(saved[9]), optional(saved[10]), out, lse, score,
                                             slope, dropout, seed, optional(saved[11]), optional(saved[12]), optional(saved[13]));
      gradients = {d_q, d_k, d_v, d_scale, d_bias, d_vector, d_features, d_key_map, d_value_map};
    }
    for (std::size_t i = 0; i < numbers; ++i)
      if (wanted(saved[first + i])) result[place_of(i)] = gradients[i];
    return result;
  }
};

TensorPair attention_autograd(at::TensorList edges, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const OptionalTensor& scale, const OptionalTensor& bias,
                              const OptionalTensor& vector, std::string_view score, double slope, double dropout, std::int64_t seed, const OptionalTensor& features,
                              const OptionalTensor& key_map, const OptionalTensor& value_map) {
  const bool any = wanted(q) || wanted(k) || wanted(v) || wanted(value(scale)) || wanted(value(bias)) || wanted(value(vector)) || wanted(value(features)) || wanted(value(key_map)) ||
                   wanted(value(value_map));
  if (at::GradMode::is_enabled() && any) {
    const auto result = Attention::apply(edges, q, k, v, scale, bias, vector, score, slope, dropout, seed, features, key_map, value_map);
    return {result[0], result[1]};
  }
  at::AutoDispatchBelowADInplaceOrView guard;
  return attention_operator().call(edges, q, k, v, scale, bias, vector, score, slope, dropout, seed, features, key_map, value_map);
}

class Sums : public torch::autograd::Function<Sums> {
 public:
  static at::Tensor forward(AutogradContext* context, at::TensorList edges, const at::Tensor& weights, const at::Tensor& v) {
    at::AutoDispatchBelowADInplaceOrView guard;
    variable_list saved(edges.begin(), edges.end());
    saved.push_back(weights), saved.push_back(v);
    context->save_for_backward(saved);
    return sums_operator().call(edges, weights, v);
  }

  static variable_list backward(AutogradContext* context, const variable_list& d_outputs) {
    const variable_list saved = context->get_saved_variables(), edges(saved.begin(), saved.begin() + 5);
    variable_list result(7), gradients;
    if (at::GradMode::is_enabled()) {
      const variable_list from = fresh(saved, 5, 2);
      gradients = graph_of_gradients(from, {edge_sums_composed(edges, from[0], from[1])}, {d_outputs[0]});
    } else {
      auto [d_weights, d_v] = sums_backward_operator().call(edges, d_outputs[0], saved[5], saved[6]);
      gradients = {d_weights, d_v};
    }
    for (std::size_t i = 0; i < 2; ++i)
      if (wanted(saved[5 + i])) result[5 + i] = gradients[i];
    return result;
  }
};

at::Tensor sums_autograd(at::TensorList edges, const at::Tensor& weights, const at::Tensor& v) {
  if (at::GradMode::is_enabled() && (wanted(weights) || wanted(v))) return Sums::apply(edges, weights, v);
  at::AutoDispatchBelowADInplaceOrView guard;
  return sums_operator().call(edges, weights, v);
}

}  // namespace

TensorPair edge_attention(const EdgeTensors& edges, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const EdgeAttentionOptions& options) {
  return attention_operator().call(edges.list(), q, k, v, optional(options.scale), optional(options.bias), optional(options.vector), name_of(options.score), options.slope,
                                   options.dropout, options.seed, optional(options.features), optional(options.key_map), optional(options.value_map));
}

at::Tensor edge_sums(const EdgeTensors& edges, const at::Tensor& weights, const at::Tensor& v) { return sums_operator().call(edges.list(), weights, v); }

TORCH_LIBRARY_FRAGMENT(calor, library) {
  library.def("edge_attention(Tensor[] edges, Tensor q, Tensor k, Tensor v, Tensor? scale=None, Tensor? bias=None, Tensor? vector=None, str score=\"dot\", float slope=0.2, "
              "float dropout=0.0, int seed=0, Tensor? features=None, Tensor? key_map=None, Tensor? value_map=None) -> (Tensor, Tensor)");
  library.def("edge_attention_backward(Tensor[] edges, Tensor d_out, Tensor? d_lse, Tensor q, Tensor k, Tensor v, Tensor? scale, Tensor? bias, Tensor? vector, Tensor out, Tensor lse, "
              "str score, float slope, float dropout, int seed, Tensor? features, Tensor? key_map, Tensor? value_map) -> (Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)");
  library.def("edge_attention_composed(Tensor[] edges, Tensor q, Tensor k, Tensor v, Tensor? scale=None, Tensor? bias=None, Tensor? vector=None, str score=\"dot\", float slope=0.2, "
              "float dropout=0.0, int seed=0, Tensor? features=None, Tensor? key_map=None, Tensor? value_map=None) -> (Tensor, Tensor)", &edge_attention_composed);
  library.def("edge_sums(Tensor[] edges, Tensor weights, Tensor v) -> Tensor");
  library.def("edge_sums_backward(Tensor[] edges, Tensor d_out, Tensor weights, Tensor v) -> (Tensor, Tensor)");
  library.def("edge_sums_composed(Tensor[] edges, Tensor weights, Tensor v) -> Tensor", &edge_sums_composed);
  library.def("edges_by_column(Tensor begin, Tensor column, int columns) -> Tensor[]", [](const at::Tensor& begin, const at::Tensor& column, std::int64_t columns) {
    return edge_tensors(begin, column, columns).list();
  });
}

TORCH_LIBRARY_IMPL(calor, CPU, library) {
  library.impl("edge_attention", &attention_cpu);
  library.impl("edge_attention_backward", &attention_backward_cpu);
  library.impl("edge_sums", &sums_cpu);
  library.impl("edge_sums_backward", &sums_backward_cpu);
}

TORCH_LIBRARY_IMPL(calor, Meta, library) {
  library.impl("edge_attention", &attention_meta);
  library.impl("edge_attention_backward", &attention_backward_meta);
  library.impl("edge_sums", &sums_meta);
  library.impl("edge_sums_backward", &sums_backward_meta);
}

TORCH_LIBRARY_IMPL(calor, Autograd, library) {
  library.impl("edge_attention", &attention_autograd);
  library.impl("edge_sums", &sums_autograd);
}

}  // namespace calor::torch_ops
