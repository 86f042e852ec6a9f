// What each seed of a comparison trains and is tested on.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "calor/io/dataset.h"
#include "calor/learn/data/preprocess.h"
#include "calor/learn/data/tokens.h"
#include "calor/learn/rows/protocol.h"

namespace calor::learn {

struct SeedData {
  Prepared prepared;
  engine::Matrix extra;  // fresh points of a distribution that can be drawn; else empty
  std::vector<std::int64_t> extra_labels;

  // What networks work on: fitted on the training rows, and the points through it.
  PointMap map(Preprocessing preprocessing) const { return {preprocessing, prepared.train}; }
  RunData points(const PointMap& map) const;
};

class SeedSource {
 public:
  // The data sets must outlive the source.
  SeedSource(const io::Dataset& data, const std::optional<io::Dataset>& test, const Protocol& protocol,
             std::uint64_t base_seed);

  // The bundled two moons are drawn anew for each seed, with extra_points fresh ones to test on; other data are split anew, and with a test file the same for all seeds (made once, then shared).
  std::shared_ptr<const SeedData> at(std::uint64_t seed) const;

  bool drawn() const { return drawn_; }
  bool same_for_all() const { return fixed_ != nullptr; }
  std::string seed_means() const;  // in words, for the report

  static constexpr std::int64_t extra_points = 2000;

 private:
  std::shared_ptr<const SeedData> make(std::uint64_t seed) const;
  const io::Dataset& data_;
  const std::optional<io::Dataset>& test_;
  Protocol protocol_;
  bool drawn_;
  std::shared_ptr<const SeedData> fixed_;
};

}  // namespace calor::learn
