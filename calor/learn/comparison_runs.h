// The runs of a comparison: every similarity with every seed, and the baselines, side by side over the cores.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "calor/analyse/comparison.h"
#include "calor/core/progress.h"
#include "calor/learn/compare.h"
#include "calor/learn/run.h"
#include "calor/learn/seed_data.h"
#include "calor/learn/similarity.h"

namespace calor::learn {

// A trained run: its record, and what its network can be made from again.
struct Trained {
  analyse::RunRecord record;
  std::vector<float> values, factors;
};

class ComparisonRuns {
 public:
  // Checks the options and the memory that all will take, then prepares the first seed's data.  All arguments must outlive
  // the object.
  ComparisonRuns(const io::Dataset& data, const std::optional<io::Dataset>& test, const CompareOptions& options,
                 const Context& context);

  void train_all();

  const std::vector<Similarity>& similarities() const { return similarities_; }
  const Protocol& protocol() const { return protocol_; }  // resolved
  const SeedSource& source() const { return source_; }
  const SeedData& first() const { return *first_; }
  std::size_t seeds() const { return static_cast<std::size_t>(options_.seeds); }
  std::uint64_t seed(std::size_t i) const { return options_.base_seed + i; }
  IpnShape shape_of(const Similarity& similarity) const;
  // Keys that a training token attends to where it is measured.
  std::int64_t keys() const;

  const Trained& trained(std::size_t similarity, std::size_t seed_index) const {
    return trained_[similarity][seed_index];
  }
  std::vector<analyse::BaselineRecord> baselines() const;

 private:
  // The accuracies of a baseline for one seed; -1: it was left out.
  struct Scores {
    double test = 0;
    std::optional<double> extra;
    std::int64_t parameters = 0;
  };
  struct Job {
    std::int64_t cost;
    std::function<void()> work;
  };

  Protocol plain_protocol() const;
  std::int64_t steps_in_all() const;
  Run::State train_one(const Protocol& protocol, const Similarity& similarity, std::size_t i, const std::string& what);
  void fit_plain(std::size_t i);
  void fit_classical(std::size_t i);
  void fit_tuned(std::size_t i);
  void fit_propagator(std::size_t i);
  std::vector<Job> jobs();

  const io::Dataset& data_;
  const CompareOptions& options_;
  const Context& context_;
  std::vector<Similarity> similarities_;
  SeedSource source_;
  std::shared_ptr<const SeedData> first_;
  Protocol protocol_;
  std::vector<std::vector<Trained>> trained_;  // by similarity, by seed
  std::vector<Scores> plain_, logistic_, neighbour_, tuned_neighbour_, support_vectors_, untrained_, propagator_;
  std::atomic<std::int64_t> steps_done_{0};
};

}  // namespace calor::learn
