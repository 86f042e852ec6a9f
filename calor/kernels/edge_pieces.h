// How work on a graph's rows is cut: pieces of about as many edges, by the graph alone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "calor/core/threads.h"
#include "calor/kernels/workspace.h"

namespace calor::kernels {

inline constexpr std::int64_t edges_a_piece = 16384;

// Where pieces of about as many edges end, by the problem alone.
inline std::vector<std::int64_t> pieces_of(const std::int64_t* begin, std::int64_t rows) {
  std::vector<std::int64_t> ends{0};
  std::int64_t size = 0;
  for (std::int64_t i = 0; i < rows; ++i) {
    size += begin[i + 1] - begin[i] + 1;
    if (size >= edges_a_piece) ends.push_back(i + 1), size = 0;
  }
  if (ends.back() != rows) ends.push_back(rows);
  return ends;
}

template <class Work>
void for_each_piece(const std::vector<std::int64_t>& ends, int threads, const Work& work) {
  parallel_for(static_cast<std::int64_t>(ends.size()) - 1, threads, [&](std::int64_t p) {
    const WorkspaceScope scope(WorkspaceScope::Use::piece);
    work(p, ends[p], ends[p + 1], *scope);
  });
}

inline std::int64_t most_edges(const std::int64_t* begin, std::int64_t first, std::int64_t end) {
  std::int64_t most = 0;
  for (std::int64_t i = first; i < end; ++i) most = std::max(most, begin[i + 1] - begin[i]);
  return most;
}

// result[0..size) = the sum of what each piece has, in their order; nothing for a null result.
template <class T>
void add_up(T* result, const std::vector<T>& parts, std::int64_t pieces, std::int64_t size) {
  if (!result) return;
  std::fill_n(result, size, T(0));
  for (std::int64_t part = 0; part < pieces; ++part)
    for (std::int64_t d = 0; d < size; ++d) result[d] += parts[static_cast<std::size_t>(part * size + d)];
}

}  // namespace calor::kernels
