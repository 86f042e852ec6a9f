// Maps of the features of edges inside attention (edges.h), a row's edges at a time: nothing of edges x heads x dim is ever in memory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>

#include "calor/kernels/edge_rows.h"
#include "calor/kernels/edges.h"
#include "calor/kernels/workspace.h"

namespace calor::kernels {

// Keys that differ from edge to edge are made so many at a time, for scores that are not linear in them.
inline constexpr std::int64_t edge_block = 32;

// U [heads][dim][edge_dim] on the features of edges.  What is linear in U e takes numbers of a row instead of numbers of its edges:
// x.(U e) = (U'x).e, and the sum of w U e is U times the sum of w e.  "Turned" is U'x and "sums" the sum of w e, [heads][edge_dim] each.
template <class T>
class EdgeMap {
 public:
  // map may be null.  The object's arrays live as long as the workspace's.
  EdgeMap(const EdgeAttentionParams<T>& p, const T* map, std::int64_t dim, const EdgeRows<T>& kernels, Workspace& problem)
      : kernels_(kernels), features_(p.features), map_(map), heads_(p.heads), dim_(dim), edge_dim_(p.edge_dim), width_(p.heads * dim) {
    if (!map) return;
    std::int64_t most = std::max({width_, edge_dim_, edge_block});
    for (std::int64_t i = 0; i < p.pattern.rows; ++i) most = std::max(most, p.pattern.begin[i + 1] - p.pattern.begin[i]);
    auto* numbers = problem.take<std::int32_t>(most);
    std::iota(numbers, numbers + most, 0);
    numbers_ = numbers;
    T* transposed = problem.take<T>(size());
    for (std::int64_t d = 0; d < width_; ++d)
      for (std::int64_t f = 0; f < edge_dim_; ++f) transposed[f * width_ + d] = map[d * edge_dim_ + f];
    transposed_ = transposed;
  }

  explicit operator bool() const { return map_ != nullptr; }
  std::int64_t size() const { return map_ ? width_ * edge_dim_ : 0; }
  std::int64_t sums_size() const { return heads_ * edge_dim_; }
  const std::int32_t* numbers() const { return numbers_; }  // 0, 1, 2, ...

  void turn(const T* x, T* turned) const {
    for (std::int64_t h = 0; h < heads_; ++h)
      kernels_.rows({nullptr, map_ + h * dim_ * edge_dim_, edge_dim_, numbers_, dim_, 1, edge_dim_}, x + h * dim_, turned + h * edge_dim_);
  }
  // scores[h][e] += turned.e of the `count` edges from `first` on.  part: [count].
  void add_products(const T* turned, std::int64_t first, std::int64_t count, T* scores, T* part) const {
    for (std::int64_t h = 0; h < heads_; ++h, scores += count) {
      kernels_.products({turned + h * edge_dim_, features_ + first * edge_dim_, edge_dim_, numbers_, count, 1, edge_dim_}, part);
      for (std::int64_t e = 0; e < count; ++e) scores[e] += part[e];
    }
  }
  void sum(const T* weights, std::int64_t first, std::int64_t count, T* sums) const {
    for (std::int64_t h = 0; h < heads_; ++h)
      kernels_.rows({nullptr, features_ + first * edge_dim_, edge_dim_, numbers_, count, 1, edge_dim_}, weights + h * count, sums + h * edge_dim_);
  }
  // result[h][d] += U sums.  part: [dim].
  void add_mapped(const T* sums, T* result, T* part) const {
    for (std::int64_t h = 0; h < heads_; ++h) {
      kernels_.rows({nullptr, transposed_ + h * dim_, width_, numbers_, edge_dim_, 1, dim_}, sums + h * edge_dim_, part);
      for (std::int64_t d = 0; d < dim_; ++d) result[h * dim_ + d] += part[d];
    }
  }
  // U e of one edge, all heads.
  void mapped(std::int64_t edge, T* result) const { kernels_.rows({nullptr, transposed_, width_, numbers_, edge_dim_, 1, width_}, features_ + edge * edge_dim_, result); }

  // Gradients.  by_map: [edge_dim][heads][dim], added to; d_features of all edges, added to.
  // Of x.(U sums):
  void add_outer(const T* x, const T* sums, T* by_map) const {
    for (std::int64_t f = 0; f < edge_dim_; ++f)
      for (std::int64_t h = 0; h < heads_; ++h)
        for (std::int64_t d = 0; d < dim_; ++d) by_map[f * width_ + h * dim_ + d] += x[h * dim_ + d] * sums[h * edge_dim_ + f];
  }
  // Of weights[h][e] turned.e by e:
  void add_turned(const T* weights, const T* turned, std::int64_t first, std::int64_t count, T* d_features) const {
    for (std::int64_t h = 0; h < heads_; ++h)
      for (std::int64_t e = 0; e < count; ++e)
        for (std::int64_t f = 0; f < edge_dim_; ++f) d_features[(first + e) * edge_dim_ + f] += weights[h * count + e] * turned[h * edge_dim_ + f];
  }
  // Of by[e].(U e), by [count][heads][dim] given; by_map or d_features may be null.  part: [edge_dim + heads dim + count].
  void add_edges(const T* by, std::int64_t first, std::int64_t count, T* by_map, T* d_features, T* part) const {
    for (std::int64_t e = 0; e < count && d_features; ++e) {
      kernels_.rows({nullptr, map_, edge_dim_, numbers_, width_, 1, edge_dim_}, by + e * width_, part);
      for (std::int64_t f = 0; f < edge_dim_; ++f) d_features[(first + e) * edge_dim_ + f] += part[f];
    }
    T* weights = part + width_;
    for (std::int64_t f = 0; f < edge_dim_ && by_map; ++f) {
      for (std::int64_t e = 0; e < count; ++e) weights[e] = features_[(first + e) * edge_dim_ + f];
      kernels_.rows({nullptr, by, width_, numbers_, count, 1, width_}, weights, part);
      for (std::int64_t d = 0; d < width_; ++d) by_map[f * width_ + d] += part[d];
    }
  }

 private:
  const EdgeRows<T>& kernels_;
  const T *features_, *map_, *transposed_ = nullptr;
  const std::int32_t* numbers_ = nullptr;
  std::int64_t heads_, dim_, edge_dim_, width_;
};

}  // namespace calor::kernels
