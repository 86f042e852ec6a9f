// What calor run and calor apply have in common: a state's result as a table, and writing it.
#pragma once

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/pipeline/load.h"
#include "calor/pipeline/model.h"
#include "calor/pipeline/state.h"
#include "result_table.h"

namespace calor::app {

// Beside the result.
struct Beside {
  std::int64_t evidence = 0;  // so many labelled rows of the fit for each prediction
  bool append = false;        // the input's features
};

// The state's result: row names, then coordinates "dim1".., "cluster", "prediction" with "p_<class>", "value", what flowed, or
// the edges of a graph or similarity; then the label column where one is given, and for a prediction with evidence the labelled rows of the
// fit that weighed most in it: their name, or their number from 1, their label, their share of all weights.  Columns of the input that are
// called like another are renamed, and said in `notes`.
// Throws Fault::usage for a similarity over all pairs, for evidence of a result that is no weighing of labelled rows, and for features that
// are none or of other rows.
Table table_of(const pipeline::State& state, const pipeline::Data& data, const pipeline::Loaded& loaded, const Beside& beside, const Context& context,
               std::vector<pipeline::Note>& notes);

// The class of the greatest score; -1 for a row without.
std::int64_t winner(const engine::Matrix& scores, std::int64_t row);

}  // namespace calor::app
