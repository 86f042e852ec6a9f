// Which keys of a head some query sees, and their bias.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numbers>

#include "calor/kernels/tiles.h"

namespace calor::kernels {

// bias_j = the caller's bias in log2 units, or -infinity where no query sees key j, and in what fills up the last panel.
template <class T>
void prepare_bias(const Head<T>& head, std::int64_t panel, Workspace& workspace, KeySideOf<T>& side) {
  constexpr float hidden = -std::numeric_limits<float>::infinity();
  const AttentionParams<T>& p = head.params();
  for (std::int64_t j = 0; j < side.keys; ++j)
    side.bias[j] = head.key_valid(j) ? static_cast<float>(head.bias(j) * std::numbers::log2e) : hidden;
  std::fill(side.bias + side.keys, side.bias + round_up(side.keys, panel), hidden);
  if (!p.mask) {
    // Of own keys only the last row's can be seen by no other row.
    const std::int64_t last = p.own_key + p.queries - 1;
    if (p.own_key >= 0 && last < side.keys && (p.queries == 1 || (p.causal && p.own_key == 0))) side.bias[last] = hidden;
    return;
  }
  auto* seen = workspace.take<std::uint8_t>(side.keys);
  std::fill_n(seen, side.keys, std::uint8_t{0});
  // All rows of a broadcast mask are alike, and the last one is the least hidden by a causal mask.
  const bool alike = p.mask_strides.row == 0 && p.own_key < 0;
  for (std::int64_t i = alike ? p.queries - 1 : 0; i < p.queries; ++i) {
    const std::uint8_t* __restrict mask = head.mask(i);
    const std::int64_t end = p.causal ? std::min(side.keys, i + 1) : side.keys;
    const std::int64_t own = p.own_key < 0 ? end : std::min(end, p.own_key + i);
    for (std::int64_t j = 0; j < own; ++j) seen[j] |= mask[j];
    for (std::int64_t j = own + 1; j < end; ++j) seen[j] |= mask[j];
  }
  for (std::int64_t j = 0; j < side.keys; ++j)
    if (!seen[j]) side.bias[j] = hidden;
}

template <class T>
bool key_hidden(const KeySideOf<T>& side, std::int64_t j) {
  return j >= side.keys || side.bias[j] == -std::numeric_limits<float>::infinity();
}

}  // namespace calor::kernels
