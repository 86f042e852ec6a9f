// From a network's stages to steps: shapes are followed, weights declared, and fixed similarities computed by the engine once.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/learn/network/flow.h"
#include "calor/learn/network/places.h"
#include "calor/pipeline/stage.h"
#include "calor/pipeline/state.h"

namespace calor::learn {

class Builder {
 public:
  Builder(Domain domain, std::int64_t columns, std::int64_t classes, const Context& context, at::ScalarType dtype);

  // The steps of these stages, in the shape that is now.
  Steps build(const std::vector<pipeline::BoundStage>& stages);

  // A weight; its number.  Its name is its stage's with a number; of a table's network it follows from layer and role.
  std::size_t weight(const std::string& role, std::vector<std::int64_t> shape, double bound, double start = 0, bool decays = true);
  double bound(std::int64_t in, std::int64_t out) const;  // of a map's weights: Glorot's, or of a table 1 / sqrt(in)
  double bias_bound() const;                              // of a constant after the last map: 0, or of a table 1 / sqrt(in)
  Places& places() { return named_; }

  // The first stage after the one that is made that is not taken, or null: one that is run together with it is taken.
  const pipeline::BoundStage* next() const { return taken_ < after_.size() ? &after_[taken_] : nullptr; }
  bool next_is(std::string_view name) const { return next() && next()->stage->name == name; }
  void take_next() { ++taken_; }

  std::int64_t width = 0, heads = 1;           // of a head of what flows
  std::int64_t before_width = 0;               // of what the last map was given, all heads
  std::int64_t widest = 0;                     // that a map gave, but for the one to the classes
  std::int64_t total() const { return width * heads; }
  void require_classes() const;                // at the end: throws Fault::usage where there is no number for each
  void require_width(const char* op) const;    // throws Fault::usage where a row would have too many numbers
  std::int64_t classes() const { return classes_; }
  const std::vector<WeightSpec>& weights() const { return weights_; }
  const Context& context() const { return context_; }
  const Domain& domain() const { return domain_; }
  at::ScalarType dtype() const { return dtype_; }
  std::size_t next_place() { return places_++; }  // of a stage that draws random numbers

  // The similarity: the engine's state of it, until a learned score takes its support over.
  void run_engine(const pipeline::BoundStage& bound);
  std::shared_ptr<const Support> support();  // of the state that is now; the same for the same stages
  // The same where no learned score has taken over; else null.
  std::shared_ptr<const Support> fixed() { return scored ? nullptr : support(); }
  bool scored = false, exponential = false, normalised = false;

  // Attention among all rows: what is said of the similarity that waits for apply, and all that there were.
  struct Pairs {
    const ScoreKind* score;
    bool exponential = false;
    std::vector<Normaliser> normalise;
  };
  std::optional<Pairs> pairs;
  struct PairFactor {  // of one head's scores: constant, or a weight
    std::string name;
    at::Tensor constant;
    std::size_t log_weight = 0;
  };
  std::vector<Attention> attentions;
  std::vector<PairFactor> factors;  // in the order of attentions and heads

  struct Laplacian {  // as its stage says
    std::string weights;
    std::int64_t modes = 0;
  };
  std::optional<Laplacian> laplacian;  // that waits for heat
  bool on_faces = false;               // rows are triangles of the surface
  bool inside = false;                 // of another stage

 private:
  Domain domain_;
  std::int64_t classes_;
  const Context& context_;
  at::ScalarType dtype_;
  std::vector<WeightSpec> weights_;
  std::string stage_;
  std::int64_t stages_ = 0;
  std::size_t places_ = 0;
  Places named_;
  std::span<const pipeline::BoundStage> after_;  // in the same body
  std::size_t taken_ = 0;
  pipeline::State state_;
  std::string said_;  // the stages of the state
  std::map<std::string, std::shared_ptr<const Support>> supports_;
};

// One function for each stage that a network can have; maps.cpp, edges.cpp, pairs.cpp and surface_steps.cpp.
using Make = std::unique_ptr<Step> (*)(Builder&, const pipeline::BoundStage&);
std::vector<std::pair<std::string_view, Make>> map_stages();
std::vector<std::pair<std::string_view, Make>> edge_stages();
std::vector<std::pair<std::string_view, Make>> surface_stages();

// Stages whose similarity is of all rows to all: pairs.cpp.
std::unique_ptr<Step> make_pair_score(Builder& builder, const pipeline::BoundStage& bound);
std::unique_ptr<Step> make_pair_exp(Builder& builder, const pipeline::BoundStage& bound);
std::unique_ptr<Step> make_pair_apply(Builder& builder, const pipeline::BoundStage& bound);
void add_pair_normaliser(Builder& builder, const pipeline::BoundStage& bound);

// Throws Fault::usage for two_side(loo).
void require_alpha(const pipeline::BoundStage& bound);

std::shared_ptr<const Support> support_of(const engine::Csr& graph, at::ScalarType dtype = at::kFloat);

}  // namespace calor::learn
