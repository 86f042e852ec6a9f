#include "calor/learn/data/seed_data.h"

namespace calor::learn {
namespace {

// The bundled set's noise; its points come back when they are drawn with seed 0.
constexpr double moons_noise = 0.2;
constexpr std::uint64_t bundled_seed = 0;
// Fresh points of a seed are those of this seed plus it: apart from the points of every seed a person would type.
constexpr std::uint64_t extra_seed = std::uint64_t{1} << 32;

bool is_bundled_moons(const io::Dataset& data) {
  return data.source == "moons" && data.columns == 2 &&
         data.values == io::two_moons(data.rows, moons_noise, bundled_seed).values;
}

}  // namespace

RunData SeedData::points(const PointMap& map) const {
  RunData points = run_data(prepared, map);
  if (extra.rows() > 0) points.extra = points_of(map(extra), extra_labels);
  return points;
}

SeedSource::SeedSource(const io::Dataset& data, const std::optional<io::Dataset>& test, const Protocol& protocol,
                       std::uint64_t base_seed)
    : data_(data), test_(test), protocol_(protocol), drawn_(!test && is_bundled_moons(data)) {
  if (test) fixed_ = make(base_seed);
}

std::shared_ptr<const SeedData> SeedSource::at(std::uint64_t seed) const { return fixed_ ? fixed_ : make(seed); }

std::shared_ptr<const SeedData> SeedSource::make(std::uint64_t seed) const {
  const PrepareOptions options{protocol_.test_share, protocol_.standardise, protocol_.kept_tokens, seed};
  auto made = std::make_shared<SeedData>();
  made->prepared =
      drawn_ ? prepare(io::two_moons(data_.rows, moons_noise, seed), std::nullopt, options) : prepare(data_, test_, options);
  if (!drawn_) return made;
  const io::Dataset fresh = io::two_moons(extra_points, moons_noise, seed + extra_seed);
  made->extra = points_of(fresh.features, fresh, "compare");
  made->extra_labels = fresh.labels;
  return made;
}

std::string SeedSource::seed_means() const {
  if (drawn_) return "a seed draws the points, their split into training and test, the weights and the batches";
  if (fixed_) return "a seed draws the weights and the batches; the test file is the same for all";
  return "a seed draws the split into training and test, the weights and the batches";
}

}  // namespace calor::learn
