#include "calor/engine/solve/rational_descent.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/core/threads.h"
#include "calor/engine/solve/observe.h"
#include "calor/kernels/descents.h"
#include "calor/kernels/isa.h"
#include "calor/kernels/rational_moves.h"

namespace calor::engine {

using kernels::move_lanes;

namespace {

// When an edge is due: `pace` is its pulls per epoch in units of 2^-32, 0 for one in each, `phase` where in its period it begins.  At most one pull
// falls into an epoch.
struct Due {
  std::int32_t tail;
  std::uint32_t phase, pace;
  std::uint64_t step() const { return pace == 0 ? std::uint64_t{1} << 32 : pace; }
  std::uint64_t pulls_through(std::uint64_t epoch) const { return (phase + (epoch + 1) * step()) >> 32; }
  // The epoch of pull number n, from 1 on.
  std::uint32_t epoch_of(std::uint64_t n) const { return static_cast<std::uint32_t>(((n << 32) - phase + step() - 1) / step() - 1); }
};

// Points in groups of move_lanes that have about as many pulls, and their edges, one after the other as an epoch takes them: an epoch reads all
// edges, which in another order waits for memory.
class Schedule {
 public:
  Schedule(const Csr& weights, const RationalOptions& options) {
    const std::int64_t n = weights.rows;
    const double greatest = weights.values.empty() ? 1 : *std::max_element(weights.values.begin(), weights.values.end());
    const double least = greatest / static_cast<double>(std::max<std::int64_t>(1, options.epochs));
    std::vector<double> pulls(static_cast<std::size_t>(n), 0.0);
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t e = weights.begin[i]; e < weights.begin[i + 1]; ++e)
        if (weights.values[e] >= least) pulls[i] += weights.values[e];
    std::vector<std::int32_t> order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::int32_t i, std::int32_t j) { return pulls[i] > pulls[j]; });
    const std::int64_t groups = (n + move_lanes - 1) / move_lanes, parts = std::min(epoch_parts, groups);
    for (std::int64_t part = 0; part < parts; ++part) {
      // Groups part, part + parts, ...: points with many and few edges in each.
      for (std::int64_t g = part; g < groups; g += parts) {
        std::array<std::int32_t, move_lanes> group;
        for (std::int64_t l = 0; l < move_lanes; ++l) {
          group[l] = g * move_lanes + l < n ? order[g * move_lanes + l] : -1;
          for (std::int64_t e = group[l] < 0 ? 0 : weights.begin[group[l]]; group[l] >= 0 && e < weights.begin[group[l] + 1]; ++e) {
            const double weight = weights.values[e];
            if (weight < least) continue;
            const auto phase = philox({static_cast<std::uint32_t>(group[l]), static_cast<std::uint32_t>(weights.column[e]), static_cast<std::uint32_t>(Purpose::permutation), 0},
                                      {static_cast<std::uint32_t>(options.seed), static_cast<std::uint32_t>(options.seed >> 32)})[0];
            edges_.push_back({weights.column[e], phase, static_cast<std::uint32_t>(static_cast<std::uint64_t>(weight / greatest * 0x1p32))});
            next_.push_back(edges_.back().epoch_of(1));
          }
          begin_.push_back(static_cast<std::int64_t>(edges_.size()));
        }
        groups_.push_back(group);
      }
      ends_.push_back(static_cast<std::int64_t>(groups_.size()));
    }
  }

  std::int64_t parts() const { return static_cast<std::int64_t>(ends_.size()); }
  std::int64_t begin(std::int64_t part) const { return part == 0 ? 0 : ends_[part - 1]; }  // of its groups
  std::int64_t end(std::int64_t part) const { return ends_[part]; }
  const std::array<std::int32_t, move_lanes>& group(std::int64_t g) const { return groups_[g]; }

  // The tails that pull the group's points in an epoch, [step][move_lanes]; returns the steps.  Epochs must come one after the other.
  std::int64_t tails(std::int64_t g, std::uint64_t epoch, std::vector<std::int32_t>& tails, std::vector<std::int64_t>& due) {
    std::int64_t steps = 0;
    for (std::int64_t l = 0; l < move_lanes; ++l) {
      const std::int64_t begin = begin_[g * move_lanes + l], end = begin_[g * move_lanes + l + 1];
      if (due.size() < static_cast<std::size_t>(end - begin)) due.resize(static_cast<std::size_t>(end - begin));
      std::int64_t count = 0;
      for (std::int64_t e = begin; e < end; ++e) {  // without branches: whether an edge is due is hard to foretell
        due[count] = e;
        count += next_[e] == epoch;
      }
      for (; steps < count; ++steps) {
        if (tails.size() < static_cast<std::size_t>((steps + 1) * move_lanes)) tails.resize(static_cast<std::size_t>((steps + 1) * move_lanes));
        std::fill_n(tails.begin() + steps * move_lanes, move_lanes, -1);
      }
      for (std::int64_t step = 0; step < count; ++step) {
        const Due& edge = edges_[due[step]];
        tails[step * move_lanes + l] = edge.tail;
        next_[due[step]] = edge.epoch_of(edge.pulls_through(epoch) + 1);
      }
    }
    return steps;
  }

 private:
  std::vector<std::int64_t> begin_{0};  // of a point's edges, by group and lane
  std::vector<Due> edges_;
  std::vector<std::uint32_t> next_;  // the epoch in which an edge is due again
  std::vector<std::array<std::int32_t, move_lanes>> groups_;
  std::vector<std::int64_t> ends_;
};

// The pulls of a group's points in a part of an epoch: the tails, [step][move_lanes], and the way of each, [step][dims][move_lanes].
struct Pulls {
  std::vector<std::int32_t> tails;
  std::vector<std::int64_t> due;
  std::vector<float> ways;
  std::int64_t steps = 0;
};

void append(std::string& text, const void* from, std::size_t bytes) { text.append(static_cast<const char*>(from), bytes); }

const char* take(const char* from, void* into, std::size_t bytes) {
  std::memcpy(into, from, bytes);
  return from + bytes;
}

// Groups first + k of a part, of which each process has moved those between its two bounds: puts the others' places and pulls beside the own ones.
void put_together(const MoveShare& share, const Schedule& schedule, std::int64_t first, const std::vector<std::int64_t>& bounds, std::int64_t dims, std::vector<float>& moved,
                  std::vector<Pulls>& pulls) {
  constexpr std::size_t tail_bytes = move_lanes * sizeof(std::int32_t);
  const std::size_t way_bytes = static_cast<std::size_t>(dims) * move_lanes * sizeof(float), place_bytes = static_cast<std::size_t>(dims) * sizeof(float);
  std::string own;
  for (std::int64_t k = bounds[share.own]; k < bounds[share.own + 1]; ++k) {
    const Pulls& pulled = pulls[k];
    append(own, &pulled.steps, sizeof pulled.steps);
    append(own, pulled.tails.data(), tail_bytes * pulled.steps);
    append(own, pulled.ways.data(), way_bytes * pulled.steps);
    for (const std::int32_t i : schedule.group(first + k))
      if (i >= 0) append(own, &moved[i * dims], place_bytes);
  }
  const std::vector<std::string> said = share.all(own);
  for (int p = 0; p < share.count; ++p) {
    if (p == share.own) continue;
    const char* from = said[p].data();
    for (std::int64_t k = bounds[p]; k < bounds[p + 1]; ++k) {
      Pulls& pulled = pulls[k];
      from = take(from, &pulled.steps, sizeof pulled.steps);
      pulled.tails.resize(std::max(pulled.tails.size(), static_cast<std::size_t>(pulled.steps * move_lanes)));
      pulled.ways.resize(std::max(pulled.ways.size(), static_cast<std::size_t>(pulled.steps * dims * move_lanes)));
      from = take(from, pulled.tails.data(), tail_bytes * pulled.steps);
      from = take(from, pulled.ways.data(), way_bytes * pulled.steps);
      for (const std::int32_t i : schedule.group(first + k))
        if (i >= 0) from = take(from, &moved[i * dims], place_bytes);
    }
  }
}

}  // namespace

Matrix rational_descent(const Csr& weights, const Matrix& start, const RationalOptions& options, const Context& context, const MoveShare& share) {
  const std::int64_t n = start.rows(), dims = start.cols();
  Schedule schedule(weights, options);
  std::vector<float> points(static_cast<std::size_t>(dims * n)), moved(points.size());
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t c = 0; c < dims; ++c) moved[i * dims + c] = points[i * dims + c] = static_cast<float>(start(i, c));
  kernels::RationalMoves moves;
  moves.points = points.data();
  moves.count = n;
  moves.dims = dims;
  moves.a = static_cast<float>(options.curve.a);
  moves.b = static_cast<float>(options.curve.b);
  moves.push = static_cast<float>(options.push);
  moves.draws = options.negatives;
  moves.seed = options.seed;
  moves.purpose = static_cast<std::uint32_t>(Purpose::shuffle);
  const auto kernel = kernels::current_isa().descents().rational_moves;
  std::vector<Pulls> pulls(static_cast<std::size_t>(schedule.parts() ? schedule.end(0) : 0));  // the first part has the most
  const auto matrix = [&] {
    Matrix rows(n, dims);
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t c = 0; c < dims; ++c) rows(i, c) = points[i * dims + c];
    return rows;
  };
  DescentState state{.most_steps = options.epochs};
  for (std::int64_t epoch = 0; epoch < options.epochs; ++epoch) {
    if (context.stopping()) break;  // the map as it is
    moves.epoch = static_cast<std::uint32_t>(epoch);
    moves.rate = static_cast<float>(options.rate * (1 - static_cast<double>(epoch) / static_cast<double>(options.epochs)));
    for (std::int64_t part = 0; part < schedule.parts(); ++part) {
      const std::int64_t first = schedule.begin(part), own = schedule.end(part) - first;
      constexpr std::int64_t at_once = 4;
      std::vector<std::int64_t> bounds;
      for (int p = 0; p <= share.count; ++p) bounds.push_back(own * p / share.count);
      const std::int64_t begin = bounds[share.own], end = bounds[share.own + 1];
      parallel_for((end - begin + at_once - 1) / at_once, context.threads, [&](std::int64_t piece) {
        std::vector<float> places(static_cast<std::size_t>(dims * move_lanes));
        for (std::int64_t k = begin + piece * at_once; k < std::min(end, begin + (piece + 1) * at_once); ++k) {
          const auto& group = schedule.group(first + k);
          Pulls& pulled = pulls[static_cast<std::size_t>(k)];
          pulled.steps = schedule.tails(first + k, static_cast<std::uint64_t>(epoch), pulled.tails, pulled.due);
          pulled.ways.resize(std::max(pulled.ways.size(), static_cast<std::size_t>(pulled.steps * dims * move_lanes)));
          for (std::int64_t c = 0; c < dims; ++c)
            for (std::int64_t l = 0; l < move_lanes; ++l) places[c * move_lanes + l] = group[l] < 0 ? 0 : points[group[l] * dims + c];
          kernel(moves, {group.data(), pulled.tails.data(), pulled.steps, places.data(), pulled.ways.data()});
          for (std::int64_t c = 0; c < dims; ++c)
            for (std::int64_t l = 0; l < move_lanes; ++l)
              if (group[l] >= 0) moved[group[l] * dims + c] = places[c * move_lanes + l];
        }
      });
      if (share.all) put_together(share, schedule, first, bounds, dims, moved, pulls);
      for (std::int64_t k = 0; k < own; ++k)
        for (const std::int32_t i : schedule.group(first + k))
          for (std::int64_t c = 0; c < dims && i >= 0; ++c) points[i * dims + c] = moved[i * dims + c];
      for (std::int64_t k = 0; k < own; ++k) {  // the other ends of the edges, in the order of groups
        const Pulls& pulled = pulls[static_cast<std::size_t>(k)];
        for (std::int64_t step = 0; step < pulled.steps; ++step)
          for (std::int64_t l = 0; l < move_lanes; ++l) {
            const std::int32_t tail = pulled.tails[static_cast<std::size_t>(step * move_lanes + l)];
            for (std::int64_t c = 0; c < dims && tail >= 0; ++c) points[tail * dims + c] -= pulled.ways[static_cast<std::size_t>((step * dims + c) * move_lanes + l)];
          }
      }
    }
    context.advance(static_cast<double>(epoch + 1), static_cast<double>(options.epochs), "descent");
    state.step = epoch + 1;
    show_step(context, state, matrix);
  }
  Matrix result = matrix();
  result.rowwise() -= Eigen::RowVectorXd(result.colwise().mean());
  show_result(context, state, result);
  return result;
}

}  // namespace calor::engine
