#include "calor/learn/seed_data.h"

#include <numeric>

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

Points fresh_moons(std::int64_t count, std::uint64_t seed, const Standardisation& standardisation) {
  const io::Dataset fresh = io::two_moons(count, moons_noise, seed + extra_seed);
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  return points_of(standardised_rows(fresh, rows, standardisation), fresh.labels, fresh.columns);
}

}  // namespace

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
  made->points = run_data(made->prepared);
  if (drawn_) made->points.extra = fresh_moons(extra_points, seed, made->prepared.standardisation);
  return made;
}

std::string SeedSource::seed_means() const {
  if (drawn_) return "a seed draws the points, their split into training and test, the weights and the batches";
  if (fixed_) return "a seed draws the weights and the batches; the test file is the same for all";
  return "a seed draws the split into training and test, the weights and the batches";
}

}  // namespace calor::learn
