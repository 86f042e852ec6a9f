#include "calor/cluster/run.h"

#include <sched.h>
#include <sys/resource.h>

#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>
#include <thread>

#include "calor/cluster/eigen_solver.h"
#include "calor/cluster/part.h"
#include "calor/cluster/stages.h"
#include "calor/core/memory.h"
#include "calor/core/threads.h"
#include "calor/io/hash.h"
#include "calor/pipeline/wants.h"

namespace calor::cluster {

using nlohmann::json;

Session::Session(int* count, char*** words) {
  int provided = 0;
  MPI_Init_thread(count, words, MPI_THREAD_FUNNELED, &provided);
  processes_ = std::make_unique<Processes>(MPI_COMM_WORLD);
  MPI_Comm_dup(MPI_COMM_WORLD, &failures_);
}

Session::~Session() {
  end_solver();
  MPI_Comm_free(&failures_);
  MPI_Finalize();
}

void Session::fail(int exit_code, const std::string& text, const std::function<void(const std::string&)>& say) const {
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Ibarrier(failures_, &request);
  int all = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  for (MPI_Test(&request, &all, MPI_STATUS_IGNORE); !all && std::chrono::steady_clock::now() < end; MPI_Test(&request, &all, MPI_STATUS_IGNORE))
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  if (all) {
    if (processes_->first()) say(text);
    return;
  }
  say(fmt::format("process {} of {} ends the run: {}", processes_->rank(), processes_->count(), text));
  MPI_Abort(MPI_COMM_WORLD, exit_code);
}

MachineShare machine_share(const Processes& processes) {
  MPI_Comm machine = MPI_COMM_NULL;
  MPI_Comm_split_type(processes.communicator(), MPI_COMM_TYPE_SHARED, processes.rank(), MPI_INFO_NULL, &machine);
  const Processes neighbours(machine);
  cpu_set_t own;
  CPU_ZERO(&own);
  sched_getaffinity(0, sizeof own, &own);
  std::string bytes(sizeof own, '\0');
  std::memcpy(bytes.data(), &own, sizeof own);
  int sharing = 0;  // processes on the same processors
  for (const std::string& other : neighbours.all_texts(bytes)) sharing += other == bytes;
  const MachineShare share{std::max(1, available_threads() / sharing), available_memory() / 10 * 9 / static_cast<std::uint64_t>(neighbours.count())};
  MPI_Comm_free(&machine);
  return share;
}

// What decides the stages' results: points, marks of training rows, pipeline and seed.
static Checkpoint checkpoint_of(const Processes& processes, const pipeline::Fit& fit, const OwnRows& rows, const CheckpointOptions& options) {
  if (options.folder.empty()) return {};
  const std::string trained(fit.data->train.begin(), fit.data->train.end());
  json run = {{"points", fmt::format("{} x {}, {}", rows.blocks.rows(), rows.points->cols(), digest_of_rows(processes, rows.blocks, *rows.points))},
              {"training rows", io::sha256(trained).substr(0, 16)},
              {"pipeline", pipeline::print(fit.stages)},
              {"seed", fit.seed}};
  return {processes, options.folder, std::move(run), options.every_seconds};
}

pipeline::Fit fit(const Processes& processes, std::vector<pipeline::BoundStage> stages, OwnRows rows, std::uint64_t seed, const CheckpointOptions& options, std::vector<StageWork>& work,
                  const Context& context) {
  pipeline::Fit result;
  result.stages = std::move(stages);
  result.seed = seed;
  result.data = std::make_shared<const pipeline::Data>(std::move(rows.loaded.data));
  pipeline::require_wanted(result.stages, *result.data);
  const Checkpoint checkpoint = checkpoint_of(processes, result, rows, options);
  Part part{processes, context, rows.blocks, rows.blocks, rows.points, rows.points, {}, checkpoint};
  part.state.seed = seed;
  part.state.type = pipeline::types::points;
  part.state.points = rows.points;
  part.state.data = result.data;
  run_stages(result.stages, part, &work);
  for (const StageWork& one : work) result.times.push_back(one.time);
  result.result = gathered(part);
  return result;
}

static std::uint64_t peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

static json work_json(const std::vector<StageWork>& work) {
  json list = json::array();
  for (const auto& [time, traffic] : work)
    list.push_back({{"seconds", time.seconds},
                    {"processor_seconds", time.processor_seconds},
                    {"waiting_seconds", traffic.seconds},
                    {"waiting_processor_seconds", traffic.processor_seconds},
                    {"messages", traffic.messages},
                    {"message_bytes", traffic.message_bytes},
                    {"collectives", traffic.collectives},
                    {"collective_bytes", traffic.collective_bytes}});
  return list;
}

json traffic_json(const Processes& processes, std::int64_t own_rows, const std::vector<StageWork>& work) {
  const Traffic own = processes.traffic(), solver = solver_traffic();
  const json entry = {{"rows", own_rows},
                      {"messages", own.messages},
                      {"message_bytes", own.message_bytes},
                      {"collectives", own.collectives},
                      {"collective_bytes", own.collective_bytes},
                      {"solver_messages", solver.messages},
                      {"solver_message_bytes", solver.message_bytes},
                      {"solver_collectives", solver.collectives},
                      {"peak_memory", peak_memory()},
                      {"stages", work_json(work)}};
  json list = json::array();
  for (const std::string& text : processes.all_texts(entry.dump())) list.push_back(json::parse(text));
  return processes.first() ? list : json();
}

}  // namespace calor::cluster
