// What one process has of a run: its rows, against all columns.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "calor/cluster/checkpoint.h"
#include "calor/cluster/processes.h"
#include "calor/core/progress.h"
#include "calor/pipeline/state.h"

namespace calor::cluster {

// The state's points, graph, similarity and clusters (labels) have the process's own rows.  A graph's columns are all rows of the data by number, and so
// are the entries of log_column; data and what flows (field, scores) are of all rows, the same in every process, and so are the coordinates of eigen.
// Of prototypes the points are the same in every process, and so are a similarity's rows, whose columns are the process's own rows of the data.  A similarity over all pairs has
// no column_points: those are in blocks like the rows; or its scores are kept, own rows x all columns, as a stored record.
struct Part {
  const Processes& processes;
  const Context& context;
  Blocks rows, columns;                        // of the data, and of a similarity's columns
  std::shared_ptr<const Matrix> own_data;      // this process's block of the data
  std::shared_ptr<const Matrix> own_columns;   // this process's block of these; the state's points themselves where they are the same
  pipeline::State state;
  const Checkpoint& checkpoint;
  std::size_t stage = 0;                       // the number of the stage that runs, in the pipeline itself

  std::int64_t first_row() const { return rows.first(processes.rank()); }
  std::int64_t own_rows() const { return rows.size(processes.rank()); }
};

}  // namespace calor::cluster
