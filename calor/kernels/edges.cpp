#include "calor/kernels/edges.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "calor/core/error.h"
#include "calor/kernels/edge_dropout.h"
#include "calor/kernels/edge_fetch.h"
#include "calor/kernels/edge_maps.h"
#include "calor/kernels/edge_pieces.h"
#include "calor/kernels/edge_sent.h"
#include "calor/kernels/edges_by_column.h"
#include "calor/kernels/isa.h"

namespace calor::kernels {
namespace {

void check(bool fits, const char* what, std::int64_t found) {
  require(fits, Fault::usage, "[edge_attention] expected {}, found {}", what, found);
}

template <class T>
void check(const EdgeAttentionParams<T>& p) {
  check(p.heads >= 1, "at least one head", p.heads);
  check(p.dim >= 1 && p.value_dim >= 1, "at least one feature a head", std::min(p.dim, p.value_dim));
  check(p.score != EdgeScore::additive || p.dim == 1, "features of one number a head for an additive score", p.dim);
  check(p.score != EdgeScore::joined || p.vector, "a vector for a joined score", 0);
  check((p.features && p.edge_dim >= 1) || !(p.key_map || p.value_map), "features of edges with a map of them", p.edge_dim);
  check(p.score != EdgeScore::additive || !p.key_map, "no map to the keys for an additive score, whose bias is inside", p.edge_dim);
  require(p.dropout >= 0 && p.dropout < 1, Fault::usage, "[edge_attention] expected a dropout from 0 to below 1, found {}", p.dropout);
}

// What a piece needs for maps of edges' features.
template <class T>
struct MapRoom {
  T *turned = nullptr, *sums = nullptr, *part = nullptr, *block = nullptr, *by_block = nullptr, *few = nullptr, *whole = nullptr;
  MapRoom(const EdgeAttentionParams<T>& p, std::int64_t most, Workspace& memory) {
    if (!p.key_map && !p.value_map) return;
    const std::int64_t width = p.heads * p.dim, widest = p.heads * std::max(p.dim, p.value_dim);
    turned = memory.take<T>(p.heads * p.edge_dim), sums = memory.take<T>(p.heads * p.edge_dim);
    part = memory.take<T>(p.edge_dim + widest + std::max(most, edge_block));
    block = memory.take<T>(edge_block * width), by_block = memory.take<T>(edge_block * width), few = memory.take<T>(edge_block * p.heads), whole = memory.take<T>(widest);
  }
};

// A row of an attention problem: its edges, and the scores of them.
template <class T>
class Scorer {
 public:
  Scorer(const EdgeAttentionParams<T>& params, Workspace& problem)
      : p_(params), rows_(edge_rows<T>(current_isa().edges())), key_map_(params, params.key_map, params.dim, rows_, problem), value_map_(params, params.value_map, params.value_dim, rows_, problem) {}

  EdgeRow<T> compared(std::int64_t i) const {
    EdgeRow<T> row{p_.q + i * p_.q_stride, p_.k, p_.k_stride, p_.pattern.column + p_.pattern.begin[i], degree(i), p_.heads, p_.dim};
    row.known = p_.pattern.edges() - p_.pattern.begin[i];
    row.also = p_.v, row.also_stride = p_.v_stride, row.also_width = p_.heads * p_.value_dim;
    row.vector = p_.vector;
    row.slope = p_.slope;
    return row;
  }
  EdgeRow<T> valued(std::int64_t i, const T* own) const {
    return {own, p_.v, p_.v_stride, p_.pattern.column + p_.pattern.begin[i], degree(i), p_.heads, p_.value_dim};
  }
  std::int64_t degree(std::int64_t i) const { return p_.pattern.begin[i + 1] - p_.pattern.begin[i]; }
  T scale(std::int64_t h) const { return p_.scale ? p_.scale[h] : T(1); }

  const EdgeMap<T>& key_map() const { return key_map_; }
  const EdgeMap<T>& value_map() const { return value_map_; }
  // Whether keys are made edge by edge.
  bool by_edge() const { return key_map_ && p_.score != EdgeScore::dot; }

  // Calls work(begin, rows) for blocks of edges: rows has the own features `own` against others[e] + sign U e of the edges numbered edge(e), at most edge_block, e from begin on.
  template <class Edge, class Work>
  void for_blocks(const EdgeRow<T>& row, const T* own, T sign, const MapRoom<T>& room, const Edge& edge, const Work& work) const {
    const std::int64_t width = row.heads * row.dim;
    for (std::int64_t begin = 0; begin < row.count; begin += edge_block) {
      const std::int64_t here = std::min(edge_block, row.count - begin);
      for (std::int64_t e = 0; e < here; ++e) {
        const T* other = row.others + row.column[begin + e] * row.stride;
        T* made = room.block + e * width;
        key_map_.mapped(edge(begin + e), made);
        for (std::int64_t d = 0; d < width; ++d) made[d] = other[d] + sign * made[d];
      }
      EdgeRow<T> made{own, room.block, width, key_map_.numbers(), here, row.heads, row.dim};
      made.vector = row.vector, made.slope = row.slope;
      work(begin, made);
    }
  }

  // scores[h][e]; before scale and bias where `raw` is given: that then has them so.
  void scores(std::int64_t i, T* scores, const MapRoom<T>& room, T* raw = nullptr) const {
    const EdgeRow<T> row = compared(i);
    const std::int64_t n = row.count, first = p_.pattern.begin[i];
    const T* bias = p_.bias ? p_.bias + first * p_.heads : nullptr;
    if (p_.score == EdgeScore::additive) {
      T* sums = raw ? raw : scores;
      for (std::int64_t e = 0; e < n; ++e) {
        const T* other = row.others + row.column[e] * row.stride;
        for (std::int64_t h = 0; h < p_.heads; ++h) sums[h * n + e] = row.own[h] + other[h] + (bias ? bias[e * p_.heads + h] : T(0));
      }
      for (std::int64_t h = 0; h < p_.heads; ++h) {
        const T above = scale(h), below = p_.slope * above;
        for (std::int64_t e = 0; e < n; ++e) scores[h * n + e] = sums[h * n + e] * (sums[h * n + e] > 0 ? above : below);
      }
      return;
    }
    const auto compare = p_.score == EdgeScore::dot ? rows_.products : p_.score == EdgeScore::squared_distance ? rows_.squares : rows_.joined;
    if (by_edge()) {
      for_blocks(row, row.own, T(1), room, [&](std::int64_t e) { return first + e; }, [&](std::int64_t begin, const EdgeRow<T>& made) {
        compare(made, room.few);
        for (std::int64_t h = 0; h < p_.heads; ++h) std::copy_n(room.few + h * made.count, made.count, scores + h * n + begin);
      });
    } else {
      compare(row, scores);
      if (key_map_) {
        key_map_.turn(row.own, room.turned);
        key_map_.add_products(room.turned, first, n, scores, room.part);
      }
    }
    if (raw) std::copy_n(scores, n * p_.heads, raw);
    const T sign = p_.score == EdgeScore::squared_distance ? T(-1) : T(1);
    for (std::int64_t h = 0; h < p_.heads; ++h) {
      const T factor = sign * scale(h);
      for (std::int64_t e = 0; e < n; ++e) scores[h * n + e] = factor * scores[h * n + e] + (bias ? bias[e * p_.heads + h] : T(0));
    }
  }
  const EdgeRows<T>& kernels() const { return rows_; }

 private:
  const EdgeAttentionParams<T>& p_;
  const EdgeRows<T>& rows_;
  EdgeMap<T> key_map_, value_map_;
};

}  // namespace

template <class T>
void edge_attention_forward(const EdgeAttentionParams<T>& p, T* out, T* lse) {
  check(p);
  const WorkspaceScope problem(WorkspaceScope::Use::problem);
  const Scorer<T> scorer(p, *problem);
  const EdgeDropout dropout(p.dropout, p.seed);
  const std::int64_t width = p.heads * p.value_dim;
  for_each_piece(pieces_of(p.pattern.begin, p.pattern.rows), p.threads, [&](std::int64_t, std::int64_t first, std::int64_t end, Workspace& memory) {
    const std::int64_t most = most_edges(p.pattern.begin, first, end);
    T* weights = memory.take<T>(most * p.heads);
    T* kept = memory.take<T>(p.heads);
    const MapRoom<T> room(p, most, memory);
    for (std::int64_t i = first; i < end; ++i) {
      const std::int64_t n = scorer.degree(i);
      if (n == 0) {
        std::fill_n(out + i * width, width, T(0));
        std::fill_n(lse + i * p.heads, p.heads, -std::numeric_limits<T>::infinity());
        continue;
      }
      scorer.scores(i, weights, room);
      scorer.kernels().softmax(weights, n, p.heads, lse + i * p.heads);
      if (dropout.active())
        for (std::int64_t e = 0; e < n; ++e) {
          dropout.factors(p.pattern.begin[i] + e, p.heads, kept);
          for (std::int64_t h = 0; h < p.heads; ++h) weights[h * n + e] *= kept[h];
        }
      scorer.kernels().rows(scorer.valued(i, nullptr), weights, out + i * width);
      if (const EdgeMap<T>& map = scorer.value_map()) {
        map.sum(weights, p.pattern.begin[i], n, room.sums);
        map.add_mapped(room.sums, out + i * width, room.part);
      }
    }
  });
}

template <class T>
void edge_attention_backward(const EdgeAttentionParams<T>& p, const EdgeAttentionBackward<T>& r) {
  check(p);
  if (goes_by_column(p)) return edge_attention_backward_by_column(p, r);
  const WorkspaceScope problem(WorkspaceScope::Use::problem);
  const Scorer<T> scorer(p, *problem);
  const EdgeRows<T>& kernels = scorer.kernels();
  const EdgeMap<T>&key_map = scorer.key_map(), &value_map = scorer.value_map();
  const EdgeDropout dropout(p.dropout, p.seed);
  const std::int64_t heads = p.heads, width = heads * p.dim, value_width = heads * p.value_dim;
  // Of every edge what its column needs later, head by head next to each other: the weight of its value, and the gradient of its score.
  T* kept_of = problem->take<T>(p.pattern.edges() * heads * 2);
  const std::vector<std::int64_t> pieces = pieces_of(p.pattern.begin, p.pattern.rows);
  const std::int64_t count = static_cast<std::int64_t>(pieces.size()) - 1;
  std::vector<T> scale_parts(static_cast<std::size_t>(r.d_scale ? count * heads : 0)), vector_parts(static_cast<std::size_t>(r.d_vector ? count * width : 0));
  std::vector<T> key_map_parts(static_cast<std::size_t>(r.d_key_map ? count * key_map.size() : 0)), value_map_parts(static_cast<std::size_t>(r.d_value_map ? count * value_map.size() : 0));
  const bool additive = p.score == EdgeScore::additive, squared = p.score == EdgeScore::squared_distance, joined = p.score == EdgeScore::joined;

  for_each_piece(pieces, p.threads, [&](std::int64_t piece, std::int64_t first, std::int64_t end, Workspace& memory) {
    const std::int64_t longest = most_edges(p.pattern.begin, first, end), most = longest * heads;
    T *weights = memory.take<T>(most), *gradients = memory.take<T>(most), *raw = memory.take<T>(most), *leaks = memory.take<T>(width);
    T* kept = memory.take<T>(most);
    std::fill_n(kept, most, T(1));
    const MapRoom<T> room(p, longest, memory);
    T *by_key_map = r.d_key_map ? key_map_parts.data() + piece * key_map.size() : nullptr, *by_value_map = r.d_value_map ? value_map_parts.data() + piece * value_map.size() : nullptr;
    if (r.d_features) std::fill(r.d_features + p.pattern.begin[first] * p.edge_dim, r.d_features + p.pattern.begin[end] * p.edge_dim, T(0));
    for (std::int64_t i = first; i < end; ++i) {
      const std::int64_t n = scorer.degree(i), edge = p.pattern.begin[i];
      T* d_q = r.d_q + i * width;
      if (n == 0) {
        std::fill_n(d_q, width, T(0));
        continue;
      }
      const T* d_out = r.d_out + i * value_width;
      scorer.scores(i, weights, room, raw);
      kernels.exponentials(weights, n, heads, r.lse + i * heads);
      kernels.products(scorer.valued(i, d_out), gradients);
      if (value_map) {
        value_map.turn(d_out, room.turned);
        value_map.add_products(room.turned, edge, n, gradients, room.part);
      }
      if (dropout.active())
        for (std::int64_t e = 0; e < n; ++e) dropout.factors(edge + e, heads, kept + e * heads);
      for (std::int64_t h = 0; h < heads; ++h) {
        T flow = r.d_lse ? r.d_lse[i * heads + h] : T(0);
        for (std::int64_t d = h * p.value_dim; d < (h + 1) * p.value_dim; ++d) flow -= d_out[d] * r.out[i * value_width + d];
        T* w = weights + h * n;
        T* g = gradients + h * n;
        for (std::int64_t e = 0; e < n; ++e) {
          const std::int64_t number = (edge + e) * heads + h;
          const T share = kept[e * heads + h];
          g[e] = w[e] * (g[e] * share + flow);
          kept_of[2 * number] = w[e] *= share;
        }
        if (r.d_scale) {
          T sum = 0;
          for (std::int64_t e = 0; e < n; ++e) {
            const T score = raw[h * n + e];
            sum += g[e] * (squared ? -score : additive && !(score > 0) ? p.slope * score : score);
          }
          scale_parts[piece * heads + h] += sum;
        }
        if (r.d_bias && !additive)
          for (std::int64_t e = 0; e < n; ++e) r.d_bias[(edge + e) * heads + h] = g[e];
        const T scale = scorer.scale(h);
        for (std::int64_t e = 0; e < n; ++e) {
          g[e] *= additive && !(raw[h * n + e] > 0) ? p.slope * scale : scale;
          kept_of[2 * ((edge + e) * heads + h) + 1] = g[e];
        }
        if (r.d_bias && additive)
          for (std::int64_t e = 0; e < n; ++e) r.d_bias[(edge + e) * heads + h] = g[e];
      }
      if (value_map) {
        if (by_value_map) {
          value_map.sum(weights, edge, n, room.sums);
          value_map.add_outer(d_out, room.sums, by_value_map);
        }
        if (r.d_features) value_map.add_turned(weights, room.turned, edge, n, r.d_features);
      }
      const EdgeRow<T> row = scorer.compared(i);
      if (scorer.by_edge()) {
        std::fill_n(d_q, width, T(0));
        scorer.for_blocks(row, row.own, T(1), room, [&](std::int64_t e) { return edge + e; }, [&](std::int64_t begin, const EdgeRow<T>& made) {
          for (std::int64_t h = 0; h < heads; ++h) std::copy_n(gradients + h * n + begin, made.count, room.few + h * made.count);
          (squared ? kernels.differences : kernels.slopes)(made, room.few, room.whole);
          for (std::int64_t d = 0; d < width; ++d) d_q[d] += (squared ? T(2) : p.vector[d]) * room.whole[d];
          if (r.d_vector) {
            kernels.leaks(made, room.few, leaks);
            for (std::int64_t d = 0; d < width; ++d) vector_parts[piece * width + d] += leaks[d];
          }
          if (!by_key_map && !r.d_features) return;
          for (std::int64_t e = 0; e < made.count; ++e)
            for (std::int64_t d = 0; d < width; ++d) {
              const T own = row.own[d], key = room.block[e * width + d];
              room.by_block[e * width + d] = room.few[d / p.dim * made.count + e] * (squared ? 2 * (own - key) : p.vector[d] * (own + key > 0 ? T(1) : p.slope));
            }
          key_map.add_edges(room.by_block, edge + begin, made.count, by_key_map, r.d_features, room.part);
        });
      } else if (additive) {
        for (std::int64_t h = 0; h < heads; ++h) {
          T sum = 0;
          for (std::int64_t e = 0; e < n; ++e) sum += gradients[h * n + e];
          d_q[h] = sum;
        }
      } else {
        send_to_own(kernels, p, row, gradients, d_q);
        if (joined && r.d_vector) {
          kernels.leaks(row, gradients, leaks);
          for (std::int64_t d = 0; d < width; ++d) vector_parts[piece * width + d] += leaks[d];
        }
        if (key_map) {
          key_map.sum(gradients, edge, n, room.sums);
          key_map.add_mapped(room.sums, d_q, room.part);
          if (by_key_map) key_map.add_outer(row.own, room.sums, by_key_map);
          if (r.d_features) {
            key_map.turn(row.own, room.turned);
            key_map.add_turned(gradients, room.turned, edge, n, r.d_features);
          }
        }
      }
    }
  });
  add_up(r.d_scale, scale_parts, count, heads);
  add_up(r.d_vector, vector_parts, count, width);
  // From [edge_dim][heads][dim], as the pieces add them up.
  const auto add_up_map = [&](T* result, const std::vector<T>& parts, const EdgeMap<T>& map) {
    if (!result || !map) return;
    T* sum = problem->take<T>(map.size());
    add_up(sum, parts, count, map.size());
    const std::int64_t columns = map.size() / p.edge_dim;
    for (std::int64_t f = 0; f < p.edge_dim; ++f)
      for (std::int64_t d = 0; d < columns; ++d) result[d * p.edge_dim + f] = sum[f * columns + d];
  };
  add_up_map(r.d_key_map, key_map_parts, key_map);
  add_up_map(r.d_value_map, value_map_parts, value_map);

  const std::int64_t* begin = p.pattern.reverse_begin;
  for_each_piece(pieces_of(begin, p.pattern.columns), p.threads, [&](std::int64_t, std::int64_t first, std::int64_t end, Workspace& memory) {
    const std::int64_t longest = most_edges(begin, first, end), most = longest * heads;
    T *weights = memory.take<T>(most), *gradients = memory.take<T>(most);
    const MapRoom<T> room(p, longest, memory);
    for (std::int64_t j = first; j < end; ++j) {
      const std::int64_t n = begin[j + 1] - begin[j];
      T *d_k = r.d_k + j * width, *d_v = r.d_v + j * value_width;
      if (n == 0) {
        std::fill_n(d_k, width, T(0));
        std::fill_n(d_v, value_width, T(0));
        continue;
      }
      const std::int32_t* rows = p.pattern.reverse_row + begin[j];
      const std::int64_t* numbers = p.pattern.reverse_edge + begin[j];
      const std::int64_t known = p.pattern.edges() - begin[j];
      for (std::int64_t e = 0; e < n; ++e) {
        if (e + edges_ahead < known) {  // of the columns to come as well
          fetch(kept_of + numbers[e + edges_ahead] * heads * 2, heads * 2);
          fetch(r.d_out + rows[e + edges_ahead] * value_width, value_width);
          fetch(p.q + rows[e + edges_ahead] * p.q_stride, width);
        }
        for (std::int64_t h = 0, number = numbers[e] * heads; h < heads; ++h, ++number) {
          weights[h * n + e] = kept_of[2 * number];
          gradients[h * n + e] = kept_of[2 * number + 1];
        }
      }
      kernels.rows({nullptr, r.d_out, value_width, rows, n, heads, p.value_dim}, weights, d_v);
      EdgeRow<T> row{p.k + j * p.k_stride, p.q, p.q_stride, rows, n, heads, p.dim};
      row.slope = p.slope;
      if (scorer.by_edge()) {  // |q - (k + U e)| = |(q - U e) - k|, and the sum in a joined score has any order
        std::fill_n(d_k, width, T(0));
        scorer.for_blocks(row, row.own, squared ? T(-1) : T(1), room, [&](std::int64_t e) { return numbers[e]; }, [&](std::int64_t at, const EdgeRow<T>& made) {
          for (std::int64_t h = 0; h < heads; ++h) std::copy_n(gradients + h * n + at, made.count, room.few + h * made.count);
          (squared ? kernels.differences : kernels.slopes)(made, room.few, room.whole);
          for (std::int64_t d = 0; d < width; ++d) d_k[d] += (squared ? T(2) : p.vector[d]) * room.whole[d];
        });
      } else if (additive) {
        for (std::int64_t h = 0; h < heads; ++h) {
          T sum = 0;
          for (std::int64_t e = 0; e < n; ++e) sum += gradients[h * n + e];
          d_k[h] = sum;
        }
      } else {
        send_to_own(kernels, p, row, gradients, d_k);
      }
    }
  });
}

template void edge_attention_forward(const EdgeAttentionParams<float>&, float*, float*);
template void edge_attention_forward(const EdgeAttentionParams<double>&, double*, double*);
template void edge_attention_backward(const EdgeAttentionParams<float>&, const EdgeAttentionBackward<float>&);
template void edge_attention_backward(const EdgeAttentionParams<double>&, const EdgeAttentionBackward<double>&);

}  // namespace calor::kernels
