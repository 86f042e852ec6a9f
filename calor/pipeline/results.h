// The result of a fit, or of new points, as a table.
#pragma once

#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/pipeline/load.h"
#include "calor/pipeline/result_table.h"
#include "calor/pipeline/state.h"

namespace calor::pipeline {

// Beside the result.
struct Beside {
  std::int64_t evidence = 0;  // so many labelled rows of the fit for each prediction
  bool append = false;        // the input's features
};

// The state's result: row names, then coordinates "dim1".., "cluster" and of fuzzy ones "membership0".., "prediction" with "p_<class>", "value", what flowed, or
// the edges of a graph or similarity; then the label column where one is given, and for a prediction with evidence the labelled rows of the
// fit that weighed most in it: their name, or their number from 1, their label, their share of all weights.  Columns of the input that are
// called like another are renamed, and said in `notes`.
// Throws Fault::usage for a similarity over all pairs, for evidence of a result that is no weighing of labelled rows, and for features that
// are none or of other rows.
Table table_of(const State& state, const Data& data, const Loaded& loaded, const Beside& beside, const Context& context,
               std::vector<Note>& notes);

// The class of the greatest score; -1 for a row without.
std::int64_t winner(const Matrix& scores, std::int64_t row);

}  // namespace calor::pipeline
