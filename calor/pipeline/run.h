// Running a bound pipeline: fit it to data, place new points with a fit, or say what it would do.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/pipeline/stage.h"
#include "calor/pipeline/state.h"

namespace calor::pipeline {

// What a stage took: by the clock, and of the processor in all threads of the process.
struct StageTime {
  double seconds = 0, processor_seconds = 0;
};

// A pipeline that has run, with what its stages kept for new points.
struct Fit {
  std::vector<BoundStage> stages;
  std::shared_ptr<const Data> data;
  std::uint64_t seed = 0;
  std::vector<Kept> kept;                // one per stage
  std::vector<std::uint8_t> prototypes;  // one per stage: it ran on prototypes, new points pass it by
  std::vector<StageTime> times;          // one per stage of a fit that ran here, none of a loaded one
  State result;
};

// Runs the stages in turn, on points in the form they have, or on sparse ones made dense where a stage needs that (forms.h).  Checks that
// features are finite, and of a size whose squares are, and that the data have what the stages want.  Errors of a stage name it and show
// its place.
Fit fit(std::vector<BoundStage> stages, std::shared_ptr<const Data> data, std::uint64_t seed, const Context& context);

// The state of data before the first stage.  Checks that features are finite, and of a size whose squares are.
State begin(std::shared_ptr<const Data> data, std::uint64_t seed);

// A state after stages that were bound to its type; the given one stays.  Sparse points are made dense where a stage needs that.  What the
// stages keep for new points is dropped: fit is for that.
State step(const std::vector<BoundStage>& stages, const State& state, const Context& context);

// The first stage that has no rule for new points, in the bodies of others too; null where all have one.
const BoundStage* without_place(const std::vector<BoundStage>& stages);

// Throws Fault::usage with a caret under such a stage: "[op] expected ...: <remedy>".
void require_places(const std::vector<BoundStage>& stages, const char* op, const char* remedy);

// The state of new points (m x d, the fit's features in order, dense or sparse; for a fit of distances m x N, to the fit's rows in order)
// through the same stages.
// Points out of reach of the fit have coordinates and values NaN, labels -1 and class scores 0.
// Throws Fault::usage for a pipeline that cannot place, Fault::input for a wrong number of features.
State place(const Fit& fit, const Points& points, const Context& context);
State place(const Fit& fit, std::shared_ptr<const Matrix> points, const Context& context);

// Runs stages on a state; `kept` gets one entry per stage, or has those of
// an earlier repetition, whose choices stay (Kept::once).  Used by fit and by stages that hold a pipeline.  Errors show the stage's
// place in the pipeline.  Placing passes by the stages that ran on prototypes.
void run_stages(const std::vector<BoundStage>& stages, State& state, std::vector<Kept>& kept, const Context& context,
                std::vector<std::uint8_t>* prototypes = nullptr, std::vector<StageTime>* times = nullptr);
void place_stages(const std::vector<BoundStage>& stages, State& state, const std::vector<Kept>& kept, const Context& context,
                  const std::vector<std::uint8_t>* prototypes = nullptr);

// A line of an explanation: the stage, its types, the time that it is expected to take ("" where that is unknown) and its meaning.
std::string explained(const BoundStage& bound, std::string_view time);

// A pipeline on these data, without running it: one line per stage with its types, its expected time on this machine and its meaning, then
// which form of the data it runs on, memory and time of all, in plain text.  Throws what `readable` of forms.h throws.
std::string explain(const std::vector<BoundStage>& stages, const Data& data, const Context& context);

}  // namespace calor::pipeline
