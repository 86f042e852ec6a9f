#include "calor/propagate/repeat_fuzzy.h"

#include <array>

#include "calor/engine/fuzzy_means.h"
#include "calor/propagate/stages.h"
#include "calor/similarity/stages.h"

namespace calor::propagate {

using namespace pipeline;

bool repeats_fuzzy(const std::vector<BoundStage>& body, const State& state) {
  using namespace similarity;
  const std::array stages{&distance_stage, &column_stage, &inflate_stage, &row_stage, &apply_stage};
  if (!state.prototypes || state.placing || body.size() != stages.size() || state.data->features->cols() == 0) return false;
  for (std::size_t s = 0; s < stages.size(); ++s)
    if (body[s].stage != stages[s]) return false;
  const Arguments& distance = body[0].arguments;
  return distance.number("t") < 0 && distance.word("metric") == "euclidean" && distance.word("to") == "data" && distance.word("from") == "zero";
}

void step_fuzzy(const std::vector<BoundStage>& body, State& state, const Context& context) {
  state.points = std::make_shared<const Matrix>(
      engine::fuzzy_step(*state.data->features, *state.points, -body[0].arguments.number("t"), body[2].arguments.number("r"), context));
  state.type = body.back().gives;
}

}  // namespace calor::propagate
