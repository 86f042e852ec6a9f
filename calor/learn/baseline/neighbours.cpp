#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/topk.h>

#include <algorithm>

#include "calor/learn/baseline/baselines.h"
#include "calor/learn/data/tokens.h"

namespace calor::learn {

at::Tensor nearest_classes(const LabelledRows& train, const engine::Matrix& points, std::int64_t most, const Context& context) {
  // A block of distances is at most 64 MB, so the memory does not grow with the number of points.
  constexpr std::int64_t distances_a_block = std::int64_t{1} << 23;
  const at::NoGradGuard no_gradient;
  const std::int64_t k = std::min(most, train.count()), block = std::max<std::int64_t>(1, distances_a_block / train.count());
  const at::Tensor keys = tensor_of(train.points), labels = index_tensor(train.labels), all_points = tensor_of(points);
  const at::Tensor key_norms = keys.square().sum(1);
  std::vector<at::Tensor> classes;
  for (std::int64_t begin = 0; begin < points.rows(); begin += block) {
    context.check_stop("nearest neighbours");
    const at::Tensor queries = all_points.narrow(0, begin, std::min<std::int64_t>(block, points.rows() - begin));
    const at::Tensor distances = key_norms - at::mm(queries, keys.t()) * 2;  // less |query|^2, the same in a row
    const at::Tensor nearest = std::get<1>(at::topk(distances, k, 1, /*largest=*/false));
    classes.push_back(labels.index_select(0, nearest.flatten()).view({queries.size(0), k}));
  }
  return at::cat(classes).contiguous();
}

namespace {

std::vector<std::int64_t> votes(const at::Tensor& nearest, std::int64_t neighbours, std::int64_t classes) {
  const std::int64_t* found = nearest.data_ptr<std::int64_t>();
  const std::int64_t known = nearest.size(1), k = std::min(neighbours, known);
  std::vector<std::int64_t> result, count(static_cast<std::size_t>(classes));
  for (std::int64_t i = 0; i < nearest.size(0); ++i) {
    std::fill(count.begin(), count.end(), 0);
    for (std::int64_t j = 0; j < k; ++j) ++count[static_cast<std::size_t>(found[i * known + j])];
    result.push_back(std::max_element(count.begin(), count.end()) - count.begin());
  }
  return result;
}

}  // namespace

Contender nearest_neighbours(std::string name, std::vector<double> numbers, std::int64_t classes, const Context& context) {
  Contender contender;
  contender.name = std::move(name);
  contender.preprocessings = {every_preprocessing.begin(), every_preprocessing.end()};
  contender.parameters = {{"k", std::move(numbers), {}}};
  Parameter& k = contender.parameters.front();
  for (std::size_t i = 0; i < k.values.size(); ++i) k.first.push_back(i);
  contender.predict = [classes, &context](const LabelledRows& train, const engine::Matrix& queries, const std::vector<Setting>& settings) {
    double most = 0;
    for (const Setting& setting : settings) most = std::max(most, setting.front());
    const at::Tensor nearest = nearest_classes(train, queries, static_cast<std::int64_t>(most), context);
    std::vector<std::vector<std::int64_t>> result;
    for (const Setting& setting : settings) result.push_back(votes(nearest, static_cast<std::int64_t>(setting.front()), classes));
    return result;
  };
  return contender;
}

}  // namespace calor::learn
