#include "calor/kernels/streamed.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <vector>

#include "calor/core/threads.h"
#include "calor/kernels/scalar/attention.h"

namespace calor::kernels::streamed {

using Use = WorkspaceScope::Use;

// Waking a team costs about as much as this many multiply-adds on one thread.
static constexpr double team_worth = 2e6;
// Of what heads that are worked off together keep, for each thread.
static constexpr std::int64_t kept_floats = (std::int64_t{16} << 20) / static_cast<std::int64_t>(sizeof(float));
// Backward wants this many pieces in all, each of at least blocks_per_piece key blocks, to occupy many cores.
static constexpr std::int64_t backward_pieces = 16, blocks_per_piece = 2;

static std::int64_t blocks(std::int64_t n, std::int64_t block) { return (n + block - 1) / block; }

// Sizes that follow from the problem.  Only `threads` and `group` depend on the number of threads, and no result does.
template <class T>
struct Plan {
  using Pack = Packing<T>;
  using Word = typename Pack::Word;
  const AttentionParams<T>& params;
  std::int64_t lanes, heads, dim, value_dim;  // heads of the whole batch; padded dimensions
  std::int64_t visible_keys, padded_keys;     // keys that a query may see; those in whole panels
  std::int64_t key_blocks, query_blocks, parts;
  int threads;

  Plan(const TilesOf<T>& tiles, const AttentionParams<T>& p)
      : params(p), lanes(tiles.lanes), heads(p.batch * p.heads), dim(round_up(p.dim, lanes)),
        value_dim(round_up(p.value_dim, lanes)), visible_keys(p.causal ? std::min(p.keys, p.queries) : p.keys),
        padded_keys(round_up(visible_keys, 2 * lanes)), key_blocks(blocks(p.keys, key_block)),
        query_blocks(blocks(p.queries, query_block)),
        parts(std::clamp(blocks(backward_pieces, heads), std::int64_t{1},
                         std::max<std::int64_t>(1, key_blocks / blocks_per_piece))) {
    const double work = static_cast<double>(heads) * p.queries * p.keys * (p.dim + p.value_dim);
    threads = work < team_worth ? 1 : p.threads > 0 ? p.threads : available_threads();
  }

  // The head whose turn comes after those that are worked off together, where all of it has a place in the cache: a large one's
  // rows follow each other as hardware foresees.
  std::optional<Head<T>> ahead(std::int64_t head) const {
    const bool small = params.queries <= query_block && params.keys <= query_block;
    return small && head < heads ? std::optional<Head<T>>(std::in_place, params, head) : std::nullopt;
  }

  // Numbers that a head keeps while it is worked off.
  std::int64_t head_floats(bool backward) const {
    const std::int64_t n = params.queries, keys = params.dim + padded_keys;
    if (!backward) return keys + padded_keys * Pack::words(params.dim) + Pack::words(visible_keys) * value_dim;
    const std::int64_t pairs = Pack::pairs ? Pack::words(n) * (dim + value_dim) : 0;
    return keys + n * (query_words() + d_out_words() + 2) + pairs + parts * n * dim;
  }

  // Heads worked off together: several pieces a thread, so that the last ones to finish wait little, and no more than have room.
  std::int64_t group(bool backward) const {
    if (threads == 1) return 1;
    const std::int64_t wanted = blocks(std::int64_t{4} * threads, backward ? parts : query_blocks), room = blocks(threads * kept_floats, head_floats(backward));
    return std::clamp(std::min(wanted, room), std::int64_t{1}, heads);
  }

  KeySideOf<T> key_side(Workspace& workspace, bool packed) const {
    KeySideOf<T> side;
    side.keys = visible_keys;
    side.centre = workspace.take<float>(params.dim);
    side.bias = workspace.take<float>(padded_keys);
    if (packed) {
      side.columns = workspace.take<Word>(padded_keys * Pack::words(params.dim));
      side.values = workspace.take<Word>(Pack::words(visible_keys) * value_dim);
    }
    return side;
  }

  // Numbers of a packed row of queries, and of d_out.
  std::int64_t query_words() const { return Pack::pairs ? Pack::words(params.dim) : dim; }
  std::int64_t d_out_words() const { return Pack::pairs ? Pack::words(params.value_dim) : value_dim; }

  QuerySideOf<T> query_side(Workspace& workspace) const {
    QuerySideOf<T> side;
    side.queries = workspace.take<Word>(params.queries * query_words());
    side.d_out = workspace.take<Word>(params.queries * d_out_words());
    side.lse = workspace.take<float>(params.queries);
    side.through_row = workspace.take<float>(params.queries);
    if constexpr (Pack::pairs) {
      side.query_pairs = workspace.take<Word>(Pack::words(params.queries) * dim);
      side.d_out_pairs = workspace.take<Word>(Pack::words(params.queries) * value_dim);
    }
    return side;
  }

  void prepare(const TilesOf<T>& tiles, std::int64_t first, std::vector<KeySideOf<T>>& sides) const {
    parallel_for(static_cast<std::int64_t>(sides.size()), threads, [&](std::int64_t h) {
      WorkspaceScope scratch(Use::piece);
      tiles.prepare(Head<T>(params, first + h), *scratch, sides[h]);
    });
  }
};

template <class T>
bool forward(const TilesOf<T>& tiles, const AttentionParams<T>& params, const AttentionForward<T>& result) {
  const Plan<T> plan(tiles, params);
  std::atomic<bool> tame{true};
  const std::int64_t visible_blocks = blocks(plan.visible_keys, key_block), group = plan.group(false);
  std::vector<KeySideOf<T>> sides;
  for (std::int64_t first = 0; first < plan.heads; first += group) {
    WorkspaceScope memory(Use::problem);
    sides.resize(static_cast<std::size_t>(std::min(group, plan.heads - first)));
    for (KeySideOf<T>& side : sides) side = plan.key_side(*memory, true);
    const auto count = static_cast<std::int64_t>(sides.size());
    plan.prepare(tiles, first, sides);
    parallel_for(count * visible_blocks, plan.threads, [&](std::int64_t piece) {
      const std::int64_t h = piece / visible_blocks, begin = piece % visible_blocks * key_block;
      if (sides[h].tame)
        tiles.pack_keys(Head<T>(params, first + h), sides[h], begin, std::min(begin + key_block, plan.visible_keys));
    });
    parallel_for(count * plan.query_blocks, plan.threads, [&](std::int64_t piece) {
      // Last rows first: with a causal mask they are the long ones.
      const std::int64_t h = piece / plan.query_blocks, block = plan.query_blocks - 1 - piece % plan.query_blocks;
      const std::int64_t begin = block * query_block, end = std::min(begin + query_block, params.queries);
      const Head<T> head(params, first + h);
      const auto ahead = plan.ahead(first + h + count);
      WorkspaceScope scratch(Use::piece);
      if (sides[h].tame && tiles.forward(head, sides[h], result, begin, end, ahead ? &*ahead : nullptr, *scratch)) return;
      if constexpr (Packing<T>::pairs) tame.store(false, std::memory_order_relaxed);
      else scalar::forward_rows(head, result, begin, end);
    });
  }
  return tame.load(std::memory_order_relaxed);
}

template <class T>
bool backward(const TilesOf<T>& tiles, const AttentionParams<T>& params, const AttentionBackward<T>& result) {
  const Plan<T> plan(tiles, params);
  bool tame = true;
  const std::int64_t parts = plan.parts, part_stride = params.queries * plan.dim, group = plan.group(true);
  for (std::int64_t first = 0; first < plan.heads; first += group) {
    WorkspaceScope memory(Use::problem);
    const std::int64_t count = std::min(group, plan.heads - first);
    std::vector<KeySideOf<T>> keys(count);
    std::vector<QuerySideOf<T>> queries(count);
    for (KeySideOf<T>& side : keys) side = plan.key_side(*memory, false);
    for (QuerySideOf<T>& side : queries) side = plan.query_side(*memory);
    float* d_queries = memory->take<float>(count * parts * part_stride);
    std::vector<double> d_scale(count * (parts + plan.query_blocks));
    std::vector<std::atomic<bool>> wild(count);

    plan.prepare(tiles, first, keys);
    parallel_for(count * plan.query_blocks, plan.threads, [&](std::int64_t piece) {
      const std::int64_t h = piece / plan.query_blocks, begin = piece % plan.query_blocks * query_block;
      if (!keys[h].tame || !tiles.pack_queries(Head<T>(params, first + h), keys[h], result, begin,
                                               std::min(begin + query_block, params.queries), queries[h]))
        wild[h].store(true, std::memory_order_relaxed);
    });
    parallel_for(count * parts, plan.threads, [&](std::int64_t piece) {
      const std::int64_t h = piece / parts, part = piece % parts;
      const Head<T> head(params, first + h);
      if (wild[h].load(std::memory_order_relaxed)) {
        if constexpr (!Packing<T>::pairs)
          if (part == 0) scalar::backward_head(head, result);
        return;
      }
      const auto ahead = plan.ahead(first + h + count);
      WorkspaceScope scratch(Use::piece);
      float* d_q = d_queries + piece * part_stride;
      std::fill_n(d_q, part_stride, 0.0f);
      d_scale[h * (parts + plan.query_blocks) + part] =
          tiles.backward_keys(head, keys[h], queries[h], result, part, parts, ahead ? &*ahead : nullptr, d_q, *scratch);
    });
    parallel_for(count * plan.query_blocks, plan.threads, [&](std::int64_t piece) {
      const std::int64_t h = piece / plan.query_blocks, block = piece % plan.query_blocks, begin = block * query_block;
      if (!wild[h].load(std::memory_order_relaxed))
        d_scale[h * (parts + plan.query_blocks) + parts + block] =
            tiles.finish_queries(Head<T>(params, first + h), keys[h], result, d_queries + h * parts * part_stride,
                                 parts, part_stride, begin, std::min(begin + query_block, params.queries));
    });
    for (const std::atomic<bool>& each : wild) tame = tame && !each.load(std::memory_order_relaxed);
    if (!result.d_scale) continue;
    for (std::int64_t h = 0; h < count; ++h) {
      if (wild[h].load(std::memory_order_relaxed)) continue;
      double sum = 0;
      for (std::int64_t n = 0; n < parts + plan.query_blocks; ++n) sum += d_scale[h * (parts + plan.query_blocks) + n];
      result.d_scale[first + h] = static_cast<float>(sum);
    }
  }
  return tame || !Packing<T>::pairs;
}

template <class T>
std::uint64_t workspace_bytes(const TilesOf<T>& tiles, const AttentionParams<T>& params, bool backward) {
  using Pack = Packing<T>;
  const Plan<T> plan(tiles, params);
  const std::int64_t rows = backward ? key_block : query_block;
  const std::int64_t largest_tile = !backward && !Pack::pairs && is_narrow(params.value_dim, plan.lanes) ? key_block * turned_stride + max_dim : query_block * tile_stride;
  const std::int64_t tile_floats = (backward || Pack::pairs ? 2 : 1) * largest_tile + (backward ? 3 : 2) * rows * (plan.dim + plan.value_dim);
  const std::int64_t head_floats = plan.head_floats(backward), group = plan.group(backward);
  const std::int64_t flags = params.mask ? plan.visible_keys : 0;  // bytes
  return sizeof(float) * static_cast<std::uint64_t>(group * head_floats + plan.threads * tile_floats) +
         static_cast<std::uint64_t>(plan.threads * flags);
}

template bool forward(const TilesOf<float>&, const AttentionParams<float>&, const AttentionForward<float>&);
template bool forward(const TilesOf<Bf16>&, const AttentionParams<Bf16>&, const AttentionForward<Bf16>&);
template bool backward(const TilesOf<float>&, const AttentionParams<float>&, const AttentionBackward<float>&);
template bool backward(const TilesOf<Bf16>&, const AttentionParams<Bf16>&, const AttentionBackward<Bf16>&);
template std::uint64_t workspace_bytes(const TilesOf<float>&, const AttentionParams<float>&, bool);
template std::uint64_t workspace_bytes(const TilesOf<Bf16>&, const AttentionParams<Bf16>&, bool);

}  // namespace calor::kernels::streamed
