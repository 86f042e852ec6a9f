#include "calor/kernels/double_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "calor/core/threads.h"
#include "calor/kernels/head.h"
#include "calor/kernels/scalar/attention.h"
#include "calor/kernels/tiles.h"
#include "calor/kernels/workspace.h"

namespace calor::kernels::doubles {

using Use = WorkspaceScope::Use;

static constexpr std::int64_t rows_a_piece = 32;
// Waking a team costs about as much as this many pairs on one thread.
static constexpr double team_worth = 5e4;

// The keys of one head that some query may see, packed.
struct Keys {
  std::vector<std::int64_t> valid;  // ascending
  std::int64_t padded = 0;
  double *panels = nullptr, *bias = nullptr, *columns = nullptr;
};

static void pack(const Head<double>& head, Keys& keys) {
  const AttentionParams<double>& p = head.params();
  for (std::int64_t j = 0; j < p.keys; ++j)
    if (head.key_valid(j)) keys.valid.push_back(j);
  const auto count = static_cast<std::int64_t>(keys.valid.size());
  keys.padded = round_up(count, double_panel);
  std::fill_n(keys.panels, keys.padded * p.dim, 0.0);
  std::fill_n(keys.bias, keys.padded, 0.0);
  for (std::int64_t s = 0; s < count; ++s) {
    const double *key = head.k(keys.valid[s]), *value = head.v(keys.valid[s]);
    double* panel = keys.panels + s / double_panel * double_panel * p.dim + s % double_panel;
    for (std::int64_t c = 0; c < p.dim; ++c) panel[c * double_panel] = key[c];
    keys.bias[s] = head.bias(keys.valid[s]);
    for (std::int64_t c = 0; c < p.value_dim; ++c) keys.columns[c * keys.padded + s] = value[c];
  }
}

// Rows [begin, end), at most double_rows_together.
static void forward_rows(const DoubleRows& kernels, const Head<double>& head, const Keys& keys, const AttentionForward<double>& result,
                         std::int64_t begin, std::int64_t end, double* scores) {
  const AttentionParams<double>& p = head.params();
  const auto seen_by = [&](std::int64_t i) {
    if (!p.causal) return static_cast<std::int64_t>(keys.valid.size());
    return static_cast<std::int64_t>(std::upper_bound(keys.valid.begin(), keys.valid.end(), i) - keys.valid.begin());
  };
  const double* queries[double_rows_together];
  for (int r = 0; r < double_rows_together; ++r) queries[r] = head.q(std::min(begin + r, end - 1));
  const std::int64_t panels = (seen_by(end - 1) + double_panel - 1) / double_panel;
  kernels.scores(queries, p.dim, keys.panels, panels, p.score == Score::squared_distance, head.scale(), keys.bias, scores, keys.padded);
  for (std::int64_t i = begin; i < end; ++i) {
    double* row = scores + (i - begin) * keys.padded;
    double* out = head.row(result.out, result.out_strides, i);
    double& lse = result.lse[head.index() * p.queries + i];
    const std::int64_t seen = seen_by(i);
    if (seen == 0) {
      std::fill_n(out, p.value_dim, 0.0);
      lse = -std::numeric_limits<double>::infinity();
      continue;
    }
    double max = 0;
    const double sum = kernels.weigh(row, seen, &max);
    if (std::isnan(sum)) {
      scalar::forward_rows(head, result, i, i + 1);
      continue;
    }
    kernels.combine(row, seen, keys.columns, keys.padded, p.value_dim, out);
    for (std::int64_t c = 0; c < p.value_dim; ++c) out[c] /= sum;
    lse = max + std::log(sum);
  }
}

// Sizes that follow from the problem; `threads` and `group` change no result.
struct Plan {
  std::int64_t heads, blocks, padded, group;
  int threads;

  explicit Plan(const AttentionParams<double>& p)
      : heads(p.batch * p.heads), blocks((p.queries + rows_a_piece - 1) / rows_a_piece), padded(round_up(p.keys, double_panel)) {
    const double pairs = static_cast<double>(heads) * static_cast<double>(p.queries) * static_cast<double>(p.keys);
    threads = pairs < team_worth ? 1 : p.threads > 0 ? p.threads : available_threads();
    group = std::clamp<std::int64_t>((4 * threads + blocks - 1) / blocks, 1, heads);  // heads worked off together
  }
};

// Whether rows differ in what they see by more than how far they see.
static bool masks_pairs(const AttentionParams<double>& p) { return p.mask || p.own_key >= 0; }

void forward(const DoubleRows& kernels, const AttentionParams<double>& p, const AttentionForward<double>& result) {
  if (masks_pairs(p)) return scalar::forward(p, result);
  const Plan plan(p);
  for (std::int64_t first = 0; first < plan.heads; first += plan.group) {
    const std::int64_t count = std::min(plan.group, plan.heads - first);
    const WorkspaceScope memory(Use::problem);
    std::vector<Keys> keys(static_cast<std::size_t>(count));
    for (Keys& one : keys) {
      one.panels = memory->take<double>(plan.padded * p.dim);
      one.bias = memory->take<double>(plan.padded);
      one.columns = memory->take<double>(plan.padded * p.value_dim);
    }
    parallel_for(count, plan.threads, [&](std::int64_t h) { pack(Head<double>(p, first + h), keys[static_cast<std::size_t>(h)]); });
    parallel_for(count * plan.blocks, plan.threads, [&](std::int64_t piece) {
      const std::int64_t h = piece / plan.blocks, begin = piece % plan.blocks * rows_a_piece;
      const std::int64_t end = std::min(begin + rows_a_piece, p.queries);
      const Head<double> head(p, first + h);
      const WorkspaceScope scratch(Use::piece);
      double* scores = scratch->take<double>(double_rows_together * plan.padded);
      for (std::int64_t i = begin; i < end; i += double_rows_together)
        forward_rows(kernels, head, keys[static_cast<std::size_t>(h)], result, i, std::min(i + double_rows_together, end), scores);
    });
  }
}

std::uint64_t workspace_bytes(const AttentionParams<double>& p) {
  if (masks_pairs(p)) return scalar::workspace_bytes(p, false);
  const Plan plan(p);
  return sizeof(double) * static_cast<std::uint64_t>(plan.padded * (plan.group * (p.dim + p.value_dim + 2) + plan.threads * double_rows_together));
}

}  // namespace calor::kernels::doubles
