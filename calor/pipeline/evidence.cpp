#include "calor/pipeline/evidence.h"

#include "calor/core/error.h"

namespace calor::pipeline {

std::vector<std::vector<Evidence>> evidence_of(const State& state, std::int64_t most, const Context& context) {
  require(state.type == types::prediction && !state.field, Fault::usage,
          "[evidence] expected a prediction that weighs labelled rows, found {}: end with vote or average, without a flow before it",
          state.type == types::prediction ? "one of labels that flowed over a graph" : type_names(state.type));
  std::vector<std::uint8_t> labelled(static_cast<std::size_t>(state.data->rows()));
  for (std::int64_t i = 0; i < state.data->rows(); ++i) labelled[static_cast<std::size_t>(i)] = state.data->labelled(i);
  return engine::evidence(state.similarity, labelled, most, context);
}

}  // namespace calor::pipeline
