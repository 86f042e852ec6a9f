#include "calor/measure/work.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/core/text.h"
#include "calor/core/threads.h"
#include "calor/engine/neighbours.h"
#include "calor/measure/attention_problem.h"
#include "calor/measure/interleave.h"

namespace calor::measure {
namespace {

using kernels::Score;

double error_between(const std::vector<float>& found, const std::vector<double>& truth) {
  double worst = 0, largest = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const double error = std::abs(static_cast<double>(found[i]) - truth[i]);
    worst = std::isnan(error) ? std::numeric_limits<double>::infinity() : std::max(worst, error);
    largest = std::max(largest, std::abs(truth[i]));
  }
  return largest > 0 ? worst / largest : worst;
}

// Of the result and of all gradients, against double: all rows, of at most two heads.
struct Errors {
  double forward = 0, both = 0;
};

Errors attention_errors(AttentionShape shape, Score score) {
  shape.batch = 1, shape.heads = std::min<std::int64_t>(shape.heads, shape.rows > 500 ? 1 : 2);
  AttentionProblem<float> found(shape, score, 1);
  AttentionProblem<double> truth(shape, score, 1);
  found.run(true), truth.run(true);
  Errors worst;
  for (std::size_t r = 0; r < found.results(true).size(); ++r) {
    const double error = error_between(*found.results(true)[r], *truth.results(true)[r]);
    if (r == 0) worst.forward = error;
    worst.both = std::max(worst.both, error);
  }
  return worst;
}

double median_seconds(const std::function<void()>& run, bool quick) {
  std::vector<Contestant> alone{{"", run}};
  interleave(alone, quick ? 0.02 : 0.6, quick ? 1 : 5, quick ? 3 : 61);
  return alone.front().seconds;
}

void check(const Work& work) {
  require(work.error <= work.tolerance, Fault::check, "[bench] expected an error of at most {:.1e} of {} ({}), found {:.1e}: please report it with the instruction set that is in use", work.tolerance, work.name,
          work.size, work.error);
}

// A sum of thousands of products, through a softmax and back.
constexpr double attention_tolerance = 4e-5;

std::string size_of(const AttentionShape& shape) {
  return fmt::format("{} x {}{}{}", grouped_digits(shape.rows), shape.dim, shape.heads > 1 ? fmt::format(", {} heads", shape.heads) : "", shape.batch > 1 ? fmt::format(", batch of {}", shape.batch) : "");
}

Work attention_work(const AttentionShape& shape, Score score, bool backward, double error, const Limits& limits, bool quick) {
  Work work;
  const double pairs = static_cast<double>(shape.batch * shape.heads) * static_cast<double>(shape.rows) * static_cast<double>(shape.rows) / (shape.causal ? 2 : 1);
  work.name = fmt::format("attention, {}{}{}", score == Score::dot ? "products" : "distances", shape.causal ? ", causal" : "", backward ? ", with gradients" : "");
  work.size = size_of(shape);
  work.operations = (backward ? 14 : 4) * pairs * static_cast<double>(shape.dim);
  work.bound = work.operations / limits.flops + (backward ? 2 : 1) * pairs * limits.exp_seconds;
  work.tolerance = attention_tolerance;
  work.error = error;
  check(work);
  AttentionProblem<float> attention(shape, score, 1);
  work.seconds = median_seconds([&] { attention.run(backward); }, quick);
  return work;
}

// k nearest others of random points: float products of half of all pairs.
Work neighbours_work(const Limits& limits, bool quick) {
  const std::int64_t rows = quick ? 1000 : 10'000, dim = 64, k = 15, judged = 20;
  engine::Matrix points(rows, dim);
  Random random(1, Purpose::data);
  for (Eigen::Index i = 0; i < points.size(); ++i) points.data()[i] = random.normal();
  Context context;
  context.threads = 1;
  engine::NeighbourOptions options;
  options.k = k;
  const auto find = [&] { return engine::nearest(points, points, options, context); };
  const engine::Csr found = find();
  Work work;
  work.name = "15 nearest neighbours, exact";
  work.size = fmt::format("{} x {}", grouped_digits(rows), dim);
  std::int64_t wrong = 0;
  for (std::int64_t i = 0; i < judged; ++i) {
    std::vector<std::pair<double, std::int32_t>> all;
    for (std::int64_t j = 0; j < rows; ++j)
      if (j != i) all.emplace_back((points.row(i) - points.row(j)).squaredNorm(), static_cast<std::int32_t>(j));
    std::partial_sort(all.begin(), all.begin() + k, all.end());
    std::vector<std::int32_t> truth;
    for (std::int64_t n = 0; n < k; ++n) truth.push_back(all[static_cast<std::size_t>(n)].second);
    std::sort(truth.begin(), truth.end());
    std::vector<std::int32_t> own(found.column.begin() + found.begin[i], found.column.begin() + found.begin[i + 1]);
    std::sort(own.begin(), own.end());
    wrong += own != truth;
  }
  work.error = static_cast<double>(wrong) / judged;
  check(work);
  work.operations = static_cast<double>(rows) * static_cast<double>(rows) * static_cast<double>(dim);
  work.bound = work.operations / limits.flops;
  work.seconds = median_seconds([&] { find(); }, quick);
  return work;
}

}  // namespace

std::vector<Work> measure_work(const Limits& limits, bool quick, const Context& context) {
  const std::int64_t large = quick ? 256 : 2048;
  const AttentionShape shapes[] = {{64, 8, 32, 64}, {1, 1, 500, 10}, {1, 1, 1000, 100}, {1, 4, large, 64}, {1, 4, large, 64, true}};
  std::vector<Work> done;
  const double all = 4 * std::size(shapes) + 1;
  const auto finish = [&](Work work) {
    context.advance(static_cast<double>(done.size() + 1), all, work.name);
    done.push_back(std::move(work));
  };
  for (const AttentionShape& shape : shapes)
    for (const Score score : {Score::dot, Score::squared_distance}) {
      context.check_stop("bench");
      const Errors errors = attention_errors(shape, score);
      for (const bool backward : {false, true}) {
        context.check_stop("bench");
        finish(attention_work(shape, score, backward, backward ? errors.both : errors.forward, limits, quick));
      }
    }
  context.check_stop("bench");
  finish(neighbours_work(limits, quick));
  return done;
}

Threads measure_threads(int threads, bool quick) {
  Threads result;
  result.threads = threads > 0 ? threads : available_threads();
  const AttentionShape shape{1, 4, quick ? 256 : 2048, 64};
  result.size = size_of(shape);
  AttentionProblem<float> one(shape, Score::dot, 1), all(shape, Score::dot, result.threads);
  const auto wall = [](AttentionProblem<float>& attention) {
    const auto begin = std::chrono::steady_clock::now();
    attention.run(true);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  std::vector<double> alone, together;
  for (int round = 0; round < (quick ? 2 : 9); ++round) {
    alone.push_back(wall(one));
    together.push_back(wall(all));
  }
  // The fastest of each: what else runs on the machine lengthens the others.
  result.speed_up = *std::min_element(alone.begin(), alone.end()) / *std::min_element(together.begin(), together.end());
  for (std::size_t r = 0; r < one.results(true).size(); ++r)
    result.same_bits &= std::memcmp(one.results(true)[r]->data(), all.results(true)[r]->data(), one.results(true)[r]->size() * sizeof(float)) == 0;
  return result;
}

}  // namespace calor::measure
