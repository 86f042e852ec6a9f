#include "calor/engine/projection_forest.h"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "calor/core/error.h"
#include "calor/core/threads.h"
#include "calor/engine/near_parts.h"
#include "calor/engine/nearest_lists.h"
#include "calor/engine/values.h"
#include "calor/kernels/isa.h"
#include "calor/kernels/neighbours.h"

namespace calor::engine {
namespace {

constexpr std::int64_t looked_at = 8, rounds = 6;  // neighbours of a point whose neighbours it looks at
constexpr double few = 0.005;                      // of all neighbours: fewer new ones end the rounds

std::int64_t most_of(const ForestSize& size, std::int64_t k) { return std::max(size.part, 8 * k); }

class Forest {
 public:
  Forest(const Matrix& points, const NeighbourOptions& options, const ForestSize& size, const Context& context)
      : points_(points), options_(options), context_(context), trees_(size.trees), most_(most_of(size, options.k)), n_(points.rows()), cosine_(options.metric == Metric::cosine),
        unit_(cosine_ ? unit_rows(points) : Matrix()), packed_(cosine_ ? unit_ : points), whole_{packed_.data(), n_, packed_.cols(), nullptr},
        frame_(whole_, whole_, cosine_, context) {}

  Csr run(std::uint64_t seed) {
    find_places(seed);
    lists_.emplace(n_, options_.k, order_.data());
    const kernels::RoundedPoints rounded({packed_.data(), n_, packed_.cols(), order_.data()}, frame_, context_);
    plant(rounded, seed);
    for (std::int64_t t = 0; t < trees_; ++t) search_parts(t);
    parts_.clear();
    for (std::int64_t round = 0; round < rounds; ++round) {
      report(static_cast<double>(trees_ + round));
      if (static_cast<double>(explore(rounded)) <= few * static_cast<double>(n_ * options_.k)) break;
    }
    return graph();
  }

 private:
  // From here on a point is known by its place, the one in the first tree's order: near ones are near in memory.
  void find_places(std::uint64_t seed) {
    const kernels::RoundedPoints rounded(whole_, frame_, context_);
    parts_.push_back(near_parts(rounded.at(), n_, rounded.dim(), most_, seed, 0, context_));
    order_ = parts_[0].order;
    std::iota(parts_[0].order.begin(), parts_[0].order.end(), 0);
  }

  void plant(const kernels::RoundedPoints& rounded, std::uint64_t seed) {
    parts_.resize(static_cast<std::size_t>(trees_));
    parallel_for(trees_ - 1, context_.threads, [&](std::int64_t t) {
      parts_[t + 1] = near_parts(rounded.at(), n_, rounded.dim(), most_, seed, static_cast<std::uint32_t>(t + 1), context_);
    });
  }

  void search_parts(std::int64_t tree) {
    const NearParts& parts = parts_[tree];
    const std::int64_t count = static_cast<std::int64_t>(parts.begin.size()) - 1;
    std::atomic<std::int64_t> done{0};
    parallel_for(count, context_.threads, [&](std::int64_t p) {
      context_.check_stop("knn");
      search_part(std::span(parts.order).subspan(static_cast<std::size_t>(parts.begin[p]), static_cast<std::size_t>(parts.begin[p + 1] - parts.begin[p])));
      report(static_cast<double>(tree) + static_cast<double>(++done) / static_cast<double>(count));
    });
  }

  void search_part(std::span<const std::int32_t> places) {
    const auto count = static_cast<std::int64_t>(places.size());
    Matrix near(count, packed_.cols());
    std::vector<std::int32_t> allowed;
    std::vector<double> reach;
    for (std::int64_t i = 0; i < count; ++i) {
      reach.push_back(lists_->reach(places[i]));
      near.row(i) = packed_.row(number(places[i]));
      if (!options_.allowed || (*options_.allowed)[static_cast<std::size_t>(number(places[i]))]) allowed.push_back(static_cast<std::int32_t>(i));
    }
    Context alone = context_;
    alone.threads = 1;
    alone.progress = nullptr;
    kernels::NeighboursProblem problem;
    problem.rows = problem.columns = {near.data(), count, near.cols(), nullptr};
    if (static_cast<std::int64_t>(allowed.size()) < count) problem.columns = {near.data(), static_cast<std::int64_t>(allowed.size()), near.cols(), allowed.data()};
    problem.k = options_.k;
    problem.reach = reach.data();
    problem.directions = cosine_;
    problem.measure = [&](std::int64_t i, std::int64_t j) { return measure(places[i], places[j]); };
    const std::vector<std::int32_t> found = kernels::nearest_columns(problem, alone).columns;
    for (std::int64_t i = 0; i < count; ++i)
      for (std::int64_t e = i * options_.k; e < (i + 1) * options_.k && found[e] >= 0; ++e)
        lists_->offer(places[i], measure(places[i], places[found[e]]), places[found[e]]);
  }

  // A round of neighbours of neighbours; how many new ones it finds.
  std::int64_t explore(const kernels::RoundedPoints& rounded) {
    const NearestLists::Around around = lists_->around(std::min(looked_at, options_.k), context_);
    const auto dots = kernels::current_isa().products().listed_dots;
    const double area = frame_.scale * frame_.scale;
    constexpr std::int64_t piece = 512;
    std::atomic<std::int64_t> found{0};
    parallel_for((n_ + piece - 1) / piece, context_.threads, [&](std::int64_t p) {
      context_.check_stop("knn");
      NearestLists::Around::Set met((2 * looked_at + 1) * (2 * looked_at + 1) + options_.k);
      std::vector<std::int32_t> candidates;
      std::vector<float> products;
      std::int64_t taken = 0;
      for (std::int64_t i = p * piece; i < std::min(n_, (p + 1) * piece); ++i) {
        candidates.clear();
        around.candidates(i, met, candidates);
        products.resize(candidates.size());
        dots(rounded.at() + i * rounded.dim(), rounded.at(), rounded.dim(), candidates.data(), static_cast<std::int64_t>(candidates.size()), products.data());
        for (std::size_t c = 0; c < candidates.size(); ++c) {
          const double squares = rounded.square(i) + rounded.square(candidates[c]);
          const double lower = squares - 2 * static_cast<double>(products[c]) - frame_.relative * squares - frame_.absolute;
          if (lower > lists_->reach(i) * area || !options_.may_be(number(i), number(candidates[c]))) continue;
          taken += lists_->offer(i, measure(i, candidates[c]), candidates[c]);
        }
      }
      found += taken;
    });
    return found;
  }

  // A corner that the rounds did not get out of is searched exactly.
  Csr graph() const {
    std::vector<std::vector<std::int32_t>> found(static_cast<std::size_t>(n_));
    parallel_for(n_, context_.threads, [&](std::int64_t p) {
      const std::span<const std::int32_t> columns = lists_->of(p);
      std::vector<std::int32_t>& row = found[static_cast<std::size_t>(number(p))];
      if (static_cast<std::int64_t>(columns.size()) < options_.k) row = neighbours_of_row(points_, number(p), options_);
      else
        for (const std::int32_t column : columns) row.push_back(static_cast<std::int32_t>(number(column)));
      std::sort(row.begin(), row.end());
    });
    Csr graph = graph_of_lists(n_, found);
    graph.near = std::make_shared<const std::vector<std::int32_t>>(order_);
    return graph;
  }

  std::int64_t number(std::int64_t place) const { return order_[static_cast<std::size_t>(place)]; }
  double measure(std::int64_t i, std::int64_t j) const { return order_of(points_, number(i), points_, number(j), options_.metric); }
  void report(double done) const { context_.advance(done, static_cast<double>(trees_ + rounds), "nearest neighbours"); }

  const Matrix& points_;
  const NeighbourOptions& options_;
  const Context& context_;
  const std::int64_t trees_, most_, n_;
  const bool cosine_;
  const Matrix unit_;     // for cosines
  const Matrix& packed_;  // what is multiplied
  const kernels::PointsView whole_;
  const kernels::Frame frame_;
  std::vector<std::int32_t> order_;  // the point at each place
  std::optional<NearestLists> lists_;  // of places
  std::vector<NearParts> parts_;     // of places
};

}  // namespace

ApproximateNeighbours neighbours_by_forest(const Matrix& points, const NeighbourOptions& options, std::uint64_t seed, const Context& context,
                                          const ForestSize& size) {
  const std::int64_t n = points.rows();
  if (n <= most_of(size, options.k)) return with_recall(nearest(points, points, options, context), points, options, seed, context);
  if (const double scale = options.metric == Metric::cosine ? 1 : tame_scale(points, points); scale != 1)
    return neighbours_by_forest(points * scale, options, seed, context, size);
  const std::uint64_t a_point = static_cast<std::uint64_t>(points.cols()) * (options.metric == Metric::cosine ? 12 : 4) + 4 * static_cast<std::uint64_t>(size.trees + options.k);
  const std::int64_t most = most_of(size, options.k);
  const std::uint64_t a_part = kernels::neighbours_bytes(most, 0, points.cols(), options.k) + static_cast<std::uint64_t>(most * points.cols()) * sizeof(double);
  context.memory.require(static_cast<std::uint64_t>(n) * a_point + NearestLists::bytes(n, options.k, looked_at) +
                             static_cast<std::uint64_t>(context.threads > 0 ? context.threads : available_threads()) * a_part,
                         "knn", fmt::format("the neighbours of {} points", n), "give fewer points, or raise --max-memory");
  return with_recall(Forest(points, options, size, context).run(seed), points, options, seed, context);
}

}  // namespace calor::engine
