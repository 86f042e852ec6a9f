// Points as Python gives them, and results as Python takes them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "calor/api/values.h"
#include "calor/engine/evidence.h"
#include "python.h"

namespace calor::python {

// What a dict of points says, in C++'s own memory.  One of "dense", "distances" (matrices), "sparse" (begin, column, value, rows, columns) or
// "similarities" (either); "feature_names", "row_names"; "labels" (indices of "classes", -1: not known) or "targets" (NaN: not known).
struct Given {
  std::optional<Matrix> dense, distances, similarities;
  std::optional<io::SparseMatrix> sparse, sparse_similarities;
  std::vector<std::string> feature_names, row_names, classes;
  std::vector<std::int64_t> labels;
  std::vector<double> targets;
};
Given given_from(PyObject* dict);

// Distances and similarities of new points are to the fit's: any number of rows by the fit's.
enum class Use { fit, new_points };
pipeline::Data data_of(Given given, Use use, const Context& context);

// A value with what it takes work to say: a similarity's values, and what a prediction rests on.
struct Result {
  std::shared_ptr<const pipeline::State> state;
  std::optional<engine::Csr> edges;
  std::optional<Matrix> all_pairs;
  std::optional<std::vector<std::vector<engine::Evidence>>> evidence;
};
// With `most` above 0, that many labelled rows for each prediction.
Result result_of(const Value& value, std::int64_t most, const Context& context);

Object dict_of(const Result& result, std::int64_t most);

}  // namespace calor::python
