// Reading: each process keeps its block of the rows.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "calor/cluster/processes.h"
#include "calor/core/progress.h"
#include "calor/io/dataset.h"
#include "calor/pipeline/load.h"
#include "calor/pipeline/stage.h"

namespace calor::cluster {

struct OwnRows {
  Blocks blocks;
  std::shared_ptr<const Matrix> points;  // of this process
  pipeline::Loaded loaded;               // of all rows, the same in every process, without the features: N x 0
};

// A bare .npy file of numbers in C order, for stages that want no labels: each process reads its block from where it lies in the file, and the first
// one all of it once more, piece by piece, for its hash.  A separated text likewise in parts of whole lines (pipeline::load_part_for), labels and names of all rows in every process; rows
// then go to who has them in even blocks, as they are for every other file.  Everything else (and a square .npy, which may be a table of distances): each process reads
// the whole as `calor run` does (pipeline/load.h) and keeps its block, so that memory for the whole is taken while it reads.
// Throws as load_for does, and Fault::input in all processes where one finds other data than the first; Fault::usage for sparse points and tables of
// pairs.
OwnRows load_rows(const Processes& processes, const std::vector<pipeline::BoundStage>& stages, const std::string& source, const io::LoadOptions& options, const Context& context);

}  // namespace calor::cluster
