#include "calor/kernels/double_tiles.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "calor/core/threads.h"
#include "calor/kernels/head.h"
#include "calor/kernels/scalar/attention.h"
#include "calor/kernels/tiles.h"
#include "calor/kernels/workspace.h"

namespace calor::kernels::doubles {

using Use = WorkspaceScope::Use;

// Waking a team costs about as much as this many pairs on one thread.
static constexpr double team_worth = 5e4;

// The keys of one head that some query may see, packed.
struct Keys {
  std::vector<std::int64_t> valid;  // ascending
  std::vector<std::int64_t> wild;   // places in `valid` of those whose values are not finite; packed as zeros
  double *panels = nullptr, *bias = nullptr, *values = nullptr;
};

// Sizes that follow from the problem; `threads` and `group` change no result.
struct Plan {
  std::int64_t heads, blocks, padded, width, group;
  int threads;

  Plan(const DoubleTiles& kernels, const AttentionParams<double>& p)
      : heads(p.batch * p.heads), blocks((p.queries + double_query_block - 1) / double_query_block), padded(round_up(p.keys, double_panel)),
        width(round_up(p.value_dim, kernels.lanes)) {
    const double pairs = static_cast<double>(heads) * static_cast<double>(p.queries) * static_cast<double>(p.keys);
    threads = pairs < team_worth ? 1 : p.threads > 0 ? p.threads : available_threads();
    group = std::clamp<std::int64_t>((4 * threads + blocks - 1) / blocks, 1, heads);  // heads worked off together
  }
};

static void pack(const Head<double>& head, const Plan& plan, Keys& keys) {
  const AttentionParams<double>& p = head.params();
  for (std::int64_t j = 0; j < p.keys; ++j)
    if (head.key_valid(j)) keys.valid.push_back(j);
  const auto count = static_cast<std::int64_t>(keys.valid.size()), whole = round_up(count, double_panel);
  if (count < whole) std::fill_n(keys.panels + (whole - double_panel) * p.dim, double_panel * p.dim, 0.0);
  std::fill(keys.bias + count, keys.bias + whole, 0.0);
  for (std::int64_t s = 0; s < count; ++s) {
    const double *key = head.k(keys.valid[s]), *value = head.v(keys.valid[s]);
    double* panel = keys.panels + s / double_panel * double_panel * p.dim + s % double_panel;
    for (std::int64_t c = 0; c < p.dim; ++c) panel[c * double_panel] = key[c];
    keys.bias[s] = head.bias(keys.valid[s]);
    double* row = keys.values + s * plan.width;
    std::fill(std::copy_n(value, p.value_dim, row), row + plan.width, 0.0);
    if (std::all_of(value, value + p.value_dim, [](double x) { return std::isfinite(x); })) continue;
    std::fill_n(row, plan.width, 0.0);
    keys.wild.push_back(s);
  }
}

// Puts masked_score where row i does not see one of the packed keys [first, first + count).
static void mask(const Head<double>& head, const Keys& keys, std::int64_t i, std::int64_t first, std::int64_t count, double* scores) {
  const AttentionParams<double>& p = head.params();
  const auto begin = keys.valid.begin() + first, end = begin + count;
  if (p.causal) std::fill(scores + (std::upper_bound(begin, end, i) - begin), scores + count, masked_score);
  if (p.own_key >= 0)
    if (const auto own = std::lower_bound(begin, end, p.own_key + i); own != end && *own == p.own_key + i) scores[own - begin] = masked_score;
  if (const std::uint8_t* seen = head.mask(i))
    for (std::int64_t s = 0; s < count; ++s)
      if (!seen[begin[s]]) scores[s] = masked_score;
}

// Rows [begin, end), at most double_query_block.  `tile`: double_query_block x double_tile_stride, `sums`: double_query_block x plan.width.
static void forward_rows(const DoubleTiles& kernels, const Plan& plan, const Head<double>& head, const Keys& keys,
                         const AttentionForward<double>& result, std::int64_t begin, std::int64_t end, double* tile, double* sums) {
  const AttentionParams<double>& p = head.params();
  const std::int64_t rows = end - begin;
  DoubleSoftmax softmax[double_query_block];
  bool finite[double_query_block];
  std::fill_n(finite, rows, true);
  std::fill_n(sums, rows * plan.width, 0.0);
  const bool masked = p.causal || p.own_key >= 0 || p.mask;
  std::int64_t keys_seen = static_cast<std::int64_t>(keys.valid.size());
  if (p.causal) keys_seen = std::upper_bound(keys.valid.begin(), keys.valid.end(), end - 1) - keys.valid.begin();
  for (std::int64_t first = 0; first < keys_seen; first += double_key_block) {
    const std::int64_t count = std::min(double_key_block, keys_seen - first);
    for (std::int64_t panel = 0; panel < count; panel += double_panel)
      for (std::int64_t a = 0; a < rows; a += double_rows_together) {
        const double* queries[double_rows_together];
        for (int r = 0; r < double_rows_together; ++r) queries[r] = head.q(std::min(begin + a + r, end - 1));
        kernels.scores(queries, p.dim, keys.panels + (first + panel) * p.dim, 1, p.score == Score::squared_distance, head.scale(),
                       keys.bias + first + panel, tile + a * double_tile_stride + panel, double_tile_stride);
      }
    for (std::int64_t a = 0; a < rows; ++a) {
      double* scores = tile + a * double_tile_stride;
      if (masked) mask(head, keys, begin + a, first, count, scores);
      for (auto wild = std::lower_bound(keys.wild.begin(), keys.wild.end(), first); wild != keys.wild.end() && *wild < first + count; ++wild)
        if (scores[*wild - first] != masked_score) finite[a] = false;
      const double factor = kernels.weigh(scores, count, &softmax[a]);
      if (std::isnan(factor)) finite[a] = false;
      if (factor != 1)
        for (std::int64_t c = 0; c < plan.width; ++c) sums[a * plan.width + c] *= factor;
    }
    kernels.combine(tile, double_tile_stride, rows, count, keys.values + first * plan.width, plan.width, sums);
  }
  for (std::int64_t a = 0; a < rows; ++a) {
    const std::int64_t i = begin + a;
    if (!finite[a]) {
      scalar::forward_rows(head, result, i, i + 1);
      continue;
    }
    double* out = head.row(result.out, result.out_strides, i);
    const double sum = softmax[a].sum;
    for (std::int64_t c = 0; c < p.value_dim; ++c) out[c] = sum > 0 ? sums[a * plan.width + c] / sum : 0;
    result.lse[head.index() * p.queries + i] = sum > 0 ? softmax[a].max + std::log(sum) : -std::numeric_limits<double>::infinity();
  }
}

void forward(const DoubleTiles& kernels, const AttentionParams<double>& p, const AttentionForward<double>& result) {
  const Plan plan(kernels, p);
  for (std::int64_t first = 0; first < plan.heads; first += plan.group) {
    const std::int64_t count = std::min(plan.group, plan.heads - first);
    const WorkspaceScope memory(Use::problem);
    std::vector<Keys> keys(static_cast<std::size_t>(count));
    for (Keys& one : keys) {
      one.panels = memory->take<double>(plan.padded * p.dim);
      one.bias = memory->take<double>(plan.padded);
      one.values = memory->take<double>(plan.padded * plan.width);
    }
    parallel_for(count, plan.threads, [&](std::int64_t h) { pack(Head<double>(p, first + h), plan, keys[static_cast<std::size_t>(h)]); });
    parallel_for(count * plan.blocks, plan.threads, [&](std::int64_t piece) {
      // Last rows first: with a causal mask they are the long ones.
      const std::int64_t h = piece / plan.blocks, begin = (plan.blocks - 1 - piece % plan.blocks) * double_query_block;
      const std::int64_t end = std::min(begin + double_query_block, p.queries);
      const Head<double> head(p, first + h);
      const Keys& own = keys[static_cast<std::size_t>(h)];
      const WorkspaceScope scratch(Use::piece);
      double* tile = scratch->take<double>(double_query_block * double_tile_stride);
      forward_rows(kernels, plan, head, own, result, begin, end, tile, scratch->take<double>(double_query_block * plan.width));
    });
  }
}

std::uint64_t workspace_bytes(const DoubleTiles& kernels, const AttentionParams<double>& p) {
  const Plan plan(kernels, p);
  return sizeof(double) * static_cast<std::uint64_t>(plan.padded * plan.group * (p.dim + plan.width + 2) +
                                                     plan.threads * double_query_block * (double_tile_stride + plan.width));
}

}  // namespace calor::kernels::doubles
