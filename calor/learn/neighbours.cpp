#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/topk.h>

#include <algorithm>

#include "calor/learn/baselines.h"

namespace calor::learn {

at::Tensor neighbour_votes(const Points& train, std::int64_t classes, const at::Tensor& points, std::int64_t neighbours,
                           const Context& context) {
  // A block of distances is at most 64 MB, so the memory does not grow with the number of points.
  constexpr std::int64_t distances_a_block = std::int64_t{1} << 24;
  const at::NoGradGuard no_gradient;
  const std::int64_t k = std::min(neighbours, train.count());
  const std::int64_t block = std::max<std::int64_t>(1, distances_a_block / train.count());
  // Squares of larger values overflow in float.
  constexpr float float_is_enough = 1e15f;
  const auto type = train.values.abs().max().item<float>() < float_is_enough ? at::kFloat : at::kDouble;
  const at::Tensor values = train.values.to(type), all_points = points.to(type);
  const at::Tensor centre = values.mean(0);  // distances from centred points keep their digits
  const at::Tensor keys = values - centre, key_norms = keys.square().sum(1);
  std::vector<at::Tensor> votes;
  for (std::int64_t begin = 0; begin < points.size(0); begin += block) {
    context.check_stop("nearest neighbours");
    const at::Tensor queries = all_points.narrow(0, begin, std::min(block, points.size(0) - begin)) - centre;
    const at::Tensor distances = key_norms - at::mm(queries, keys.t()) * 2;  // less |query|^2, the same in a row
    const at::Tensor nearest = std::get<1>(at::topk(distances, k, 1, /*largest=*/false));
    votes.push_back(at::one_hot(train.labels.index_select(0, nearest.flatten()), classes)
                        .view({queries.size(0), k, classes})
                        .sum(1));
  }
  return at::cat(votes).to(at::kFloat);
}

}  // namespace calor::learn
