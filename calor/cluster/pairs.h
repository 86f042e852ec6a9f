// Passes over a similarity whose rows are in blocks: each block of columns comes round the ring (processes.h), and the engine does the rest.
#pragma once

#include <functional>

#include "calor/cluster/part.h"

namespace calor::cluster {

// Calls use(record, first) for the own rows against one block of columns after the other, `first` being the number of its first column; once, with
// all columns, for a graph and for scores that are kept.
void each_columns(const Part& part, const std::function<void(const engine::Similarity&, std::int64_t)>& use);

// log(exp(a) + exp(b)).
double add_logs(double a, double b);

// As the functions of engine/passes.h, of the own rows.  `values`: one row for each column.
Vector log_row_sums(const Part& part);
Matrix apply(const Part& part, const Matrix& values);

// Keeps the scores of all pairs where 8 x own rows x columns bytes are at most a quarter of the memory limit in every process: one round of the
// ring, and none after it.
void keep_scores(Part& part);

// Puts the values, factors included, in the place of kept scores.
void keep_values(Part& part);

}  // namespace calor::cluster
