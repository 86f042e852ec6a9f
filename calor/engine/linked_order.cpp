#include "calor/engine/linked_order.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <tuple>
#include <utility>

namespace calor::engine {
namespace {

struct Link {
  double value;
  std::int32_t from, to;
};

// The largest values of a row but for its own, largest first.
void append_largest(const SparseRow& row, std::int32_t self, std::vector<Link>& links) {
  constexpr std::size_t most = 8;
  std::array<Link, most> best;
  std::size_t count = 0;
  for (std::size_t e = 0; e < row.column.size(); ++e) {
    const double value = std::abs(row.value[e]);
    if (row.column[e] == self || (count == most && value <= best[most - 1].value)) continue;
    std::size_t at = count < most ? count++ : most - 1;
    for (; at > 0 && best[at - 1].value < value; --at) best[at] = best[at - 1];
    best[at] = {value, self, row.column[e]};
  }
  links.insert(links.end(), best.begin(), best.begin() + static_cast<std::ptrdiff_t>(count));
}

}  // namespace

std::vector<std::int32_t> linked_order(const SparseRows& flow) {
  const std::size_t n = flow.rows.size();
  std::vector<Link> links;
  for (std::size_t i = 0; i < n; ++i) append_largest(flow.rows[i], static_cast<std::int32_t>(i), links);
  std::sort(links.begin(), links.end(), [](const Link& a, const Link& b) { return std::tie(b.value, a.from, a.to) < std::tie(a.value, b.from, b.to); });

  std::vector<std::int32_t> list(n), first(n), last(n), next(n, -1), size(n, 1);  // of each row its list; of each list its ends
  std::iota(list.begin(), list.end(), 0);
  first = last = list;
  const auto list_of = [&list](std::int32_t i) {
    while (list[i] != i) i = list[i] = list[list[i]];
    return i;
  };
  for (const Link& link : links) {
    std::int32_t a = list_of(link.from), b = list_of(link.to);
    if (a == b) continue;
    if (size[a] < size[b]) std::swap(a, b);
    list[b] = a;
    size[a] += size[b];
    next[last[a]] = first[b];
    last[a] = last[b];
  }
  std::vector<std::int32_t> order;
  order.reserve(n);
  for (std::size_t i = 0; i < n; ++i)
    if (list[i] == static_cast<std::int32_t>(i))
      for (std::int32_t at = first[i]; at >= 0; at = next[at]) order.push_back(at);
  return order;
}

}  // namespace calor::engine
