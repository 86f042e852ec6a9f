#include "calor/analyse/spectrum.h"

#include <cmath>

namespace calor::analyse {

std::optional<Gap> largest_gap(std::span<const double> spectrum) {
  if (spectrum.size() < 4) return std::nullopt;
  Gap gap;
  for (std::size_t i = 1; i < spectrum.size(); ++i)
    if (const double size = std::abs(spectrum[i] - spectrum[i - 1]); size > gap.size) gap = {static_cast<std::int64_t>(i), size};
  if (gap.after == 0) return std::nullopt;
  return gap;
}

}  // namespace calor::analyse
