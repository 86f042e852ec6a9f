// What is known of the state between two stages: while a pipeline is bound, what its text alone tells; before a stage runs, all
// that the record says.  A stage refuses what cannot serve it here, once for both, so that a wrong pipeline is refused before any
// data are read wherever that can be known.
#pragma once

#include "calor/pipeline/stage.h"

namespace calor::pipeline {

struct State;

// What only data can tell is unknown, which refuses nothing.
enum class Fact { unknown, no, yes };

inline Fact fact(bool holds) { return holds ? Fact::yes : Fact::no; }

struct Outline {
  // distances: minus a positive power of the distance of two points; lengths: minus lengths that are stored; learned: of score(..);
  // weights: a graph's own; others: any of the rest.
  enum class Scores { unknown, distances, lengths, learned, weights, others };

  Types type = types::points;
  Fact prototypes = Fact::unknown;       // the points are not the data's rows
  Fact moved = Fact::unknown;            // the points are not the data's features
  Fact all_pairs = Fact::unknown;        // of a similarity; a graph has none
  Fact square = Fact::unknown;           // as many rows as columns
  Fact symmetric = Fact::unknown;        // of a graph: every edge goes both ways; of a similarity: up to its factors
  Fact equal_both_ways = Fact::unknown;  // symmetric with its factors
  Fact plain = Fact::unknown;            // neither strengthened nor normalised
  Fact flowing = Fact::unknown;          // something flows over the similarity: a field of labels, a walk
  Scores scores = Scores::unknown;

  static bool may(Fact fact) { return fact != Fact::no; }
  static bool may_not(Fact fact) { return fact != Fact::yes; }
  bool may_be(Scores kind) const { return scores == Scores::unknown || scores == kind; }
  bool may_be_distances() const { return may_be(Scores::distances) || may_be(Scores::lengths); }
};

// Of the data's own points.
Outline outline_of_data();

// After the last of stages that were given the data.
Outline outline_after(const std::vector<BoundStage>& stages);

// All that a running state tells without a pass over its values.
Outline outline_of(const State& state);

// Lets the stage check the outline and say what it makes of it; a stage that says nothing leaves all unknown.  A refusal is
// Fault::usage with a caret under the stage.
void trace(const BoundStage& bound, Outline& outline);

// The refusal of whatever needs value(i, j) = value(j, i) up to factors.  `op` names the stage.
void require_symmetric(const Outline& outline, const char* op);

// The refusal of whatever needs minus distances, or lengths, between all pairs of the same points.
void require_all_distances(const Outline& outline, const char* op);

// "[op] expected as many rows as columns": `remedy` says what to do.
void require_square(const Outline& outline, const char* op, const char* remedy);

}  // namespace calor::pipeline
