// The figures by which a result is judged, of a fit or of new points: what calor/analyse finds, as JSON and as lines of text.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/pipeline/state.h"

namespace calor::pipeline {

// What is known of the result's rows beside the result.
struct Known {
  std::shared_ptr<const Matrix> input;  // the points as given
  std::vector<std::int64_t> labels;               // -1: not known; those hidden from the fit are known here; empty without
  std::vector<std::string> classes;
  Vector targets;                       // NaN: not known; empty without
  std::vector<std::uint8_t> judged;               // rows whose label the fit has not seen; empty: none
};

// The object "quality" of docs/formats/run.md: "embedding", "clusters", "prediction", "graph" and "gap", each where it applies.
nlohmann::json quality_of(const State& state, const std::vector<BoundStage>& stages, const Known& known,
                          const Context& context);

// The same for people, a line each; what predictions are judged on is called a `judged_row`.
std::vector<std::string> quality_lines(const nlohmann::json& quality, const char* judged_row = "held-out row");

// Whether stability can be said: of an embedding of points, every row of which has coordinates.
bool has_stability(const nlohmann::json& quality, const State& state);

// What `embedding.stability` says: the share of each row's nearest in the embedding that are among its nearest in those of other seeds.
void add_stability(nlohmann::json& quality, const State& state, const std::vector<Matrix>& others, const Context& context);

// That distances between clusters mean nothing, where stress-1 of an embedding is above 0.25; else "".
std::string distances_text(const nlohmann::json& quality);

// Puts the quality into a document, and among its notes what is to be said of the result: distances_text.
void judge(nlohmann::json& document, nlohmann::json quality);

// "11 islands; 11 and 7 are torn apart (20 % of ..)": what is worth saying of "islands"; "" for nothing.
std::string islands_text(const nlohmann::json& islands);

// null for what is not finite.
nlohmann::json number_or_null(double value);

}  // namespace calor::pipeline
