// The runs of a comparison: every network with every seed, and the baselines, side by side over the cores.
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
#include "calor/learn/baseline/contender.h"
#include "calor/learn/compare/compare.h"
#include "calor/learn/data/seed_data.h"
#include "calor/learn/rows/learner.h"
#include "calor/learn/rows/run.h"

namespace calor::learn {

// A trained run: its record, and what its network can be made from again.
struct Trained {
  analyse::RunRecord record;
  Preprocessing preprocessing = Preprocessing::standardised;
  std::vector<float> values, factors;
};

class ComparisonRuns {
 public:
  // Checks the options and the memory that all will take, then prepares the first seed's data.  All arguments must outlive
  // the object.
  ComparisonRuns(const io::Dataset& data, const std::optional<io::Dataset>& test, const CompareOptions& options,
                 const Context& context);
  ComparisonRuns(const ComparisonRuns&) = delete;
  ComparisonRuns& operator=(const ComparisonRuns&) = delete;

  void train_all();

  const std::vector<Learner>& learners() const { return learners_; }
  const Protocol& protocol() const { return protocol_; }  // resolved
  const SeedSource& source() const { return source_; }
  const SeedData& first() const { return *first_; }
  std::size_t seeds() const { return static_cast<std::size_t>(options_.seeds); }
  std::uint64_t seed(std::size_t i) const { return options_.base_seed + i; }
  // Keys that a training token attends to where it is measured.
  std::int64_t keys() const;
  std::string preprocessing() const;  // of the networks, in words

  const Trained& trained(std::size_t learner, std::size_t seed_index) const {
    return trained_[learner][seed_index];
  }
  std::vector<analyse::BaselineRecord> baselines() const;  // those that have a result for every seed
  std::vector<analyse::Remark> remarks() const;            // on those that have not, and on results that stand for others

 private:
  // A baseline's result for one seed.
  struct Scores {
    double test = 0;
    std::optional<double> extra;
    std::int64_t parameters = 0;
    analyse::Chosen chosen;
    std::string missing;  // why there is none; empty: there is
    std::string remark;   // on a result that is not what it should be
  };
  struct Baseline {
    std::string name;
    bool parametric = false;
    std::vector<Scores> seeds;
    analyse::Method kind = analyse::Method::baseline;
  };
  struct Job {
    std::int64_t cost;
    std::function<void()> work;
  };

  std::int64_t steps_in_all() const;
  Preprocessing preprocessing_of(const Protocol& protocol, const Learner& learner, std::size_t i) const;
  Trained train_one(const Protocol& protocol, const Learner& learner, std::size_t i, const std::string& what);
  void fit_network(std::size_t i);
  void fit_plain(std::size_t contender, std::size_t i);
  void fit_propagator(std::size_t i);
  std::vector<Job> jobs();
  std::vector<const Baseline*> every_baseline() const;

  const io::Dataset& data_;
  const CompareOptions& options_;
  const Context& context_;
  std::vector<Learner> learners_;
  SeedSource source_;
  std::shared_ptr<const SeedData> first_;
  Protocol protocol_;
  std::vector<std::vector<Trained>> trained_;  // by learner, by seed
  std::vector<Contender> contenders_;
  std::vector<Baseline> plain_;                // of the contenders, in their order
  Baseline network_, untrained_, propagator_;
  std::atomic<std::int64_t> steps_done_{0};
};

}  // namespace calor::learn
