#include "calor/limit/attention.h"

#include <cmath>

namespace calor::limit {

std::vector<double> attend(kernels::Score score, double scale, std::span<const double> queries, const Sample& keys,
                           std::span<const double> values, const Context& context) {
  context.check_stop("limit");
  std::vector<double> bias;
  for (const double weight : keys.weight) bias.push_back(std::log(weight));
  kernels::AttentionParams<double> params;
  params.score = score;
  params.batch = params.heads = 1;
  params.queries = static_cast<std::int64_t>(queries.size()) / keys.dim;
  params.keys = keys.count;
  params.dim = keys.dim;
  params.value_dim = 1;
  params.q = queries.data();
  params.k = keys.x.data();
  params.v = values.data();
  params.q_strides.row = params.k_strides.row = keys.dim;
  params.v_strides.row = 1;
  params.scale = &scale;
  params.bias = bias.data();
  params.threads = context.threads;
  std::vector<double> out(static_cast<std::size_t>(params.queries)), lse(out.size());
  kernels::AttentionForward<double> result;
  result.out = out.data();
  result.out_strides.row = 1;
  result.lse = lse.data();
  kernels::attention_forward(params, result);
  return out;
}

}  // namespace calor::limit
