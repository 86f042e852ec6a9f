// calor bench: how fast this machine runs the kernels, beside what one core of it could do.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "calor/core/version.h"
#include "calor/kernels/attention.h"
#include "calor/measure/processor.h"
#include "calor/measure/work.h"
#include "command.h"

namespace calor::app {

using nlohmann::json;

static void print_table(const measure::Limits& limits, const std::vector<measure::Work>& all, const measure::Threads& threads) {
  fmt::print("{}, {}. One core of it, measured ({}): {:.1f} GFLOP/s of float multiply-adds and {:.2f} ns per exponential.\n\n", measure::processor_name(), kernels::isa_name(), limits.target, limits.flops * 1e-9, limits.exp_seconds * 1e9);
  fmt::print("{:<44} {:<28} {:>9} {:>9} {:>11} {:>8}\n", "one thread", "rows x width", "ms", "GFLOP/s", "of the core", "error");
  for (const measure::Work& work : all)
    fmt::print("{:<44} {:<28} {:>9.3f} {:>9.1f} {:>9.0f} % {:>8.0e}\n", work.name, work.size, work.seconds * 1e3, work.operations / work.seconds * 1e-9, 100 * work.bound / work.seconds, work.error);
  if (threads.threads > 1)
    fmt::print("\nAttention with gradients, {}: {} threads are {:.2f} times as fast as one (wall time), and give {}.\n", threads.size, threads.threads, threads.speed_up, threads.same_bits ? "the same bits" : "OTHER BITS");
  fmt::print("\nTimes are processor time. \"Of the core\" is the time that the multiply-adds and exponentials alone would take at the measured limits, divided by the time taken. Errors are relative\n"
             "to the largest value, against double, on all rows of one or two heads; they are checked before anything is timed.\n");
}

static void bench(const Globals& globals, bool quick) {
  ProgressBar bar(globals.quiet);
  const Context context = make_context(globals, bar);
  const measure::Limits limits = measure::measure_limits();
  const std::vector<measure::Work> all = measure::measure_work(limits, quick, context);
  const measure::Threads threads = measure::measure_threads(globals.threads, quick);
  bar.clear();
  if (!globals.json) return print_table(limits, all, threads);
  json document{{"schema", 1},
                {"kind", "bench"},
                {"version", version},
                {"command", globals.command_line},
                {"machine", {{"processor", measure::processor_name()}, {"isa", kernels::isa_name()}}},
                {"limits", {{"target", limits.target}, {"flops", limits.flops}, {"exp_seconds", limits.exp_seconds}}},
                {"quick", quick},
                {"work", json::array()},
                {"threads", {{"size", threads.size}, {"threads", threads.threads}, {"speed_up", threads.speed_up}, {"same_bits", threads.same_bits}}}};
  for (const measure::Work& work : all)
    document["work"].push_back({{"name", work.name}, {"size", work.size}, {"seconds", work.seconds}, {"operations", work.operations}, {"bound_seconds", work.bound}, {"share", work.bound / work.seconds}, {"error", work.error}});
  print_json(document);
}

void add_bench_command(CLI::App& app, Globals& globals) {
  CLI::App* command = app.add_subcommand("bench", "Measure the kernels on this machine, beside what one core of it could do");
  const auto quick = std::make_shared<bool>(false);
  command->add_flag("--quick", *quick, "Small sizes and few repetitions: a check of the answers, figures without weight");
  add_globals(*command, globals);
  command->callback([&globals, quick] { bench(globals, *quick); });
}

}  // namespace calor::app
