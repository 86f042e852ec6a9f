// Where a tile of scores lies, and what of it no query may see.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "calor/kernels/tiles.h"

namespace calor::kernels {

// Queries [query, query + rows), keys [key, key + keys), stored in `width` columns (whole panels).
struct TilePlace {
  std::int64_t query, rows, key, keys, width;
};

inline TilePlace tile_place(std::int64_t query, std::int64_t query_end, std::int64_t key, std::int64_t key_end, std::int64_t panel) {
  return {query, query_end - query, key, key_end - key, round_up(key_end - key, panel)};
}

// Puts -infinity on the pairs of a tile that the boolean or the causal mask hides, and on own keys; hidden keys have it from their bias.  A query's scores are
// `across` numbers apart, those of its keys `along`.  Whether there was anything to hide.
template <class T>
bool hide(const Head<T>& head, const TilePlace& at, float* __restrict tile, std::int64_t across, std::int64_t along) {
  constexpr float hidden = -std::numeric_limits<float>::infinity();
  const bool diagonal = head.params().causal && at.key + at.keys - 1 > at.query;
  const std::int64_t own = head.params().own_key < 0 ? -1 : head.params().own_key + at.query;
  const bool meets_own = own >= 0 && own < at.key + at.keys && own + at.rows > at.key;
  if (!head.params().mask && !diagonal && !meets_own) return false;
  for (std::int64_t i = 0; i < at.rows; ++i) {
    float* __restrict scores = tile + i * across;
    if (const std::uint8_t* mask = head.mask(at.query + i)) {
      mask += at.key;
      for (std::int64_t j = 0; j < at.keys; ++j) scores[j * along] = mask[j] ? scores[j * along] : hidden;
    }
    if (diagonal)
      for (std::int64_t j = std::max<std::int64_t>(0, at.query + i + 1 - at.key); j < at.keys; ++j) scores[j * along] = hidden;
    if (const std::int64_t j = own + i - at.key; meets_own && j >= 0 && j < at.keys) scores[j * along] = hidden;
  }
  return true;
}

}  // namespace calor::kernels
