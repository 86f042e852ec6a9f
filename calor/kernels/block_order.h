// Points in blocks of near ones: halved by the widest coordinate until a block holds them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace calor::kernels {

// Reorders order[begin, end), numbers of points, until every block of `size` of them is a cell of a k-d tree; cuts lie at multiples of the
// size.  coordinate(i, c) is that of point i; ties go by its number.  O(n (dim + log n)) a level, log2(n / size) levels.
template <class Coordinate>
void order_in_blocks(const Coordinate& coordinate, std::int64_t dim, std::int64_t size, std::vector<std::int32_t>& order, std::int64_t begin,
                     std::int64_t end) {
  if (end - begin <= size || dim == 0) return;
  std::int64_t widest = 0;
  auto extent = coordinate(order[begin], 0) - coordinate(order[begin], 0);
  std::vector low(static_cast<std::size_t>(dim), extent), high = low;
  for (std::int64_t c = 0; c < dim; ++c) low[c] = high[c] = coordinate(order[begin], c);
  for (std::int64_t i = begin; i < end; ++i)
    for (std::int64_t c = 0; c < dim; ++c) {
      const auto value = coordinate(order[i], c);
      low[c] = std::min(low[c], value);
      high[c] = std::max(high[c], value);
    }
  for (std::int64_t c = 0; c < dim; ++c)
    if (high[c] - low[c] > extent) {
      extent = high[c] - low[c];
      widest = c;
    }
  const std::int64_t blocks = (end - begin + size - 1) / size, middle = begin + blocks / 2 * size;
  const auto at = [&](std::int64_t i) { return order.begin() + static_cast<std::ptrdiff_t>(i); };
  std::nth_element(at(begin), at(middle), at(end), [&](std::int32_t a, std::int32_t b) {
    return std::pair(coordinate(a, widest), a) < std::pair(coordinate(b, widest), b);
  });
  order_in_blocks(coordinate, dim, size, order, begin, middle);
  order_in_blocks(coordinate, dim, size, order, middle, end);
}

}  // namespace calor::kernels
