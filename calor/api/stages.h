// The stages as functions of typed values: what a pipeline writes as distance(2) | exp(auto) | row is row(exp(distance(points, 2), "auto")).
// Each does what the stage of its name does (`calor stages NAME` has its parameters, ranges and source) on the same engine, to the same bits.
// The parameters that matter most stand by name; all others go into `more`: knn(points, 15, {{"metric", "cosine"}}).
//
// All throw Error: Fault::usage for a parameter out of range or a value that the stage cannot take, Fault::input for data that it cannot,
// Fault::memory beyond the session's limit, Fault::interrupted on request.  Costs are those of the stages.
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "calor/api/values.h"

namespace calor {

// A number or a word ("auto"), as a parameter takes it.
class Setting {
 public:
  template <class Number>
    requires std::integral<Number> || std::floating_point<Number>
  Setting(Number number) : Setting(Written{}, written(static_cast<double>(number))) {}
  Setting(const char* word) : text_(word) {}
  Setting(std::string word) : text_(std::move(word)) {}
  const std::string& text() const { return text_; }  // in the grammar

 private:
  struct Written {};
  Setting(Written, std::string text) : text_(std::move(text)) {}
  static std::string written(double number);
  std::string text_;
};

using Settings = std::vector<std::pair<std::string, Setting>>;

// Support: which pairs count.
Points standardise(const Points& points, const Settings& more = {});
Graph knn(const Points& points, std::int64_t k, const Settings& more = {});
Graph radius(const Points& points, double radius, const Settings& more = {});
Graph mutual(const Graph& graph);
Similarity adjacency(const Points& graph, const Settings& more = {});
Similarity self_loops(const Similarity& similarity, const Settings& more = {});
Points centres(const Points& points, std::int64_t k, const Settings& more = {});

// Initialise: the score of a pair, over all pairs of points or on a graph.
Similarity distance(const Points& points, double t = 2, const Settings& more = {});
Similarity distance(const Graph& graph, double t = 2, const Settings& more = {});
Similarity dot(const Points& points, const Settings& more = {});
Similarity dot(const Graph& graph, const Settings& more = {});
Similarity cosine(const Points& points, const Settings& more = {});
Similarity cosine(const Graph& graph, const Settings& more = {});
Similarity kernel(const Points& points, const std::string& name, const Settings& more = {});
Similarity kernel(const Graph& graph, const std::string& name, const Settings& more = {});
Similarity indicator(const Graph& graph);
Similarity local_weights(const Graph& graph, const Settings& more = {});
Similarity geodesic(const Similarity& distances);
Similarity double_center(const Similarity& distances);

// Strengthen.
Similarity exp(const Similarity& similarity, const Setting& bandwidth = 1, const Settings& more = {});
Similarity inflate(const Similarity& similarity, double power, const Settings& more = {});
Similarity best(const Similarity& similarity, const Settings& more = {});

// Normalise.
Similarity row(const Similarity& similarity);
Similarity column(const Similarity& similarity);
Similarity two_side(const Similarity& similarity, const Setting& alpha, const Settings& more = {});
Similarity sinkhorn(const Similarity& similarity, const Settings& more = {});
Similarity global(const Similarity& similarity);
Similarity mean(const Similarity& similarity);
Similarity union_(const Similarity& similarity);
Similarity supervise(const Similarity& similarity, double weight = 0.5);  // by the points' classes

// Flow.
Points apply(const Similarity& similarity);
Points heat(const Similarity& similarity, double t, const Settings& more = {});
Points implicit(const Similarity& similarity, double t, const Settings& more = {});
Points heat_signature(const Points& corners, const Settings& more = {});  // of corners_of
Similarity restart(const Similarity& similarity, const Settings& more = {});
Similarity expand(const Similarity& similarity, const Settings& more = {});
Points repeat(const Points& points, std::string_view body, const Settings& more = {});
Similarity repeat(const Similarity& similarity, std::string_view body, const Settings& more = {});

// Read out.
Embedding eigen(const Similarity& similarity, std::int64_t k, const Settings& more = {});
Embedding match(const Similarity& similarity, const std::string& family, const std::string& loss, const Settings& more = {});
Labels components(const Graph& graph);
Labels components(const Similarity& similarity);
Labels cluster(const Points& points, std::int64_t k, const Settings& more = {});
Labels assign(const Points& centres, const Settings& more = {});
Labels memberships(const Points& centres, double m = 2, const Settings& more = {});
Prediction vote(const Similarity& similarity);
Prediction average(const Similarity& similarity);

}  // namespace calor
