#include "calor/engine/markov_clustering.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace calor::engine {
namespace {

// Each value to the power r, over their sum.
void inflate(std::vector<double>& values, double r) {
  if (values.empty()) return;
  const double most = *std::max_element(values.begin(), values.end());  // which powers of it cannot underflow
  if (most <= 0) return;
  double sum = 0;
  for (double& value : values) {
    const double share = value / most;
    value = r == 2 ? share * share : std::pow(share, r);
    sum += value;
  }
  for (double& value : values) value /= sum;
}

double largest_change(const SparseRow& before, const SparseRow& after) {
  double most = 0;
  std::size_t e = 0, f = 0;
  while (e < before.column.size() || f < after.column.size()) {
    const bool left = f == after.column.size() || (e < before.column.size() && before.column[e] <= after.column[f]);
    const bool right = e == before.column.size() || (f < after.column.size() && after.column[f] <= before.column[e]);
    const double was = left ? before.value[e++] : 0, is = right ? after.value[f++] : 0;
    most = std::max(most, std::abs(is - was));
  }
  return most;
}

}  // namespace

SparseRows markov_step(const SparseRows& flow, const MarkovOptions& options, double& change, const Context& context) {
  std::vector<double> changes(flow.rows.size(), 0), greatest(flow.rows.size(), 0);
  const auto finish = [&](std::int64_t i, SparseRow& row) {
    inflate(row.value, options.inflation);
    changes[i] = largest_change(flow.rows[i], row);
    if (!row.value.empty()) greatest[i] = *std::max_element(row.value.begin(), row.value.end());
  };
  const auto keep = [](std::int64_t, SparseRow&) {};
  SparseRows next;
  for (std::int64_t done = 1; done < options.power; ++done)
    next = done + 1 == options.power ? pruned_product(done == 1 ? flow : next, flow, options.pruning, finish, "expand", context)
                                     : pruned_product(done == 1 ? flow : next, flow, options.pruning, keep, "expand", context);
  const double most = *std::max_element(changes.begin(), changes.end()), scale = *std::max_element(greatest.begin(), greatest.end());
  change = scale > 0 ? most / scale : most;
  return next;
}

Attraction attraction(const SparseRows& flow) {
  const auto n = static_cast<std::int64_t>(flow.rows.size());
  constexpr double stays = 0.5;
  std::vector<std::vector<std::int32_t>> ends(flow.rows.size());  // where the flow goes that will stay
  std::vector<std::uint8_t> attractor(flow.rows.size(), 0);
  for (std::int64_t i = 0; i < n; ++i) {
    const SparseRow& row = flow.rows[i];
    const double most = row.value.empty() ? 0 : *std::max_element(row.value.begin(), row.value.end());
    for (std::size_t e = 0; e < row.column.size(); ++e) {
      if (row.value[e] <= 0 || row.value[e] < stays * most) continue;
      ends[i].push_back(row.column[e]);
      attractor[i] |= row.column[e] == i;
    }
  }
  Csr among;  // the attractors
  among.rows = among.columns = n;
  for (std::int64_t i = 0; i < n; ++i) {
    if (attractor[i])
      for (const std::int32_t to : ends[i])
        if (attractor[to]) among.column.push_back(to);
    among.begin.push_back(among.edges());
  }
  const Components systems = connected_components(among);
  std::vector<std::int64_t> first(static_cast<std::size_t>(systems.count), -1);  // attractor of each
  for (std::int64_t i = n - 1; i >= 0; --i) first[systems.of[i]] = i;

  Attraction found;
  found.leads_to.assign(flow.rows.size(), -1);
  for (std::int64_t i = 0; i < n; ++i) {
    std::int64_t least = -1, most = -1;
    for (const std::int32_t to : ends[i]) {
      if (!attractor[to]) continue;
      const std::int64_t to_first = first[systems.of[to]];
      least = least < 0 ? to_first : std::min(least, to_first);
      most = std::max(most, to_first);
    }
    found.leads_to[i] = attractor[i] ? first[systems.of[i]] : least;
    found.attractors += attractor[i];
    found.shared += !attractor[i] && most > least;
  }
  for (std::int64_t& to : found.leads_to)  // flow that has not come to rest
    if (to < 0) to = &to - found.leads_to.data();
  std::vector<std::int64_t> number(flow.rows.size(), -1);
  for (std::int64_t i = 0; i < n; ++i) {
    std::int64_t& own = number[found.leads_to[i]];
    if (own < 0) own = found.clusters++;
    found.cluster.push_back(own);
  }
  return found;
}

}  // namespace calor::engine
