// A pipeline on rows that several processes share: the door of this room.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "calor/cluster/processes.h"
#include "calor/cluster/rows.h"
#include "calor/cluster/stages.h"
#include "calor/core/progress.h"
#include "calor/pipeline/run.h"

namespace calor::cluster {

// MPI from its beginning to its end.
class Session {
 public:
  Session(int* count, char*** words);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const Processes& processes() const { return *processes_; }

  // Ends the run for an error that this process has met.  Where all have met one (within two seconds) the first process says it, once, and this
  // returns; else this process says it, with its number, and ends all of them with the exit code.
  void fail(int exit_code, const std::string& text, const std::function<void(const std::string&)>& say) const;

 private:
  std::unique_ptr<Processes> processes_;
  MPI_Comm failures_ = MPI_COMM_NULL;  // apart from what else is under way
};

// What this process may take of its machine beside the others on it: threads, where it shares its processors, and memory.
struct MachineShare {
  int threads = 1;
  std::uint64_t memory = 0;
};
MachineShare machine_share(const Processes& processes);

struct CheckpointOptions {
  std::string folder;         // "": nothing is kept
  double every_seconds = 60;  // between what is kept of one stage
};

// As pipeline::fit, of rows in blocks: the result is of all rows in the first process; in the others it is not to be read.  `work`: of each stage, this process's.
pipeline::Fit fit(const Processes& processes, std::vector<pipeline::BoundStage> stages, OwnRows rows, std::uint64_t seed, const CheckpointOptions& checkpoint, std::vector<StageWork>& work,
                  const Context& context);

// A list in the first process, one entry each: "rows", "messages", "message_bytes", "collectives", "collective_bytes", "solver_messages",
// "solver_message_bytes", "solver_collectives", "peak_memory", "stages": one entry each, with "seconds", "processor_seconds", the same within calls of MPI by
// this room ("waiting_..."; not of SLEPc's own calls), and what it sent; null in the others.
nlohmann::json traffic_json(const Processes& processes, std::int64_t own_rows, const std::vector<StageWork>& work);

}  // namespace calor::cluster
