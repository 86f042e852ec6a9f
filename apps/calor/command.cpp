#include "command.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "calor/engine/back_end.h"
#include "calor/kernels/attention.h"
#include "calor/core/error.h"
#include "calor/core/memory.h"
#include "calor/core/text.h"
#include "calor/io/number.h"
#include "calor/io/output.h"
#include "calor/pipeline/result_table.h"

namespace calor::app {

// A seed is any number of 64 bits; CLI11 would take a larger one for the largest.
static std::string check_seed(const std::string& text) {
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error == std::errc() && end == text.data() + text.size()) return "";
  return fmt::format("expected a seed, a whole number from 0 to {}, found {}", std::numeric_limits<std::uint64_t>::max(), text);
}

void add_globals(CLI::App& command, Globals& globals) {
  command.add_option("--seed", globals.seed, "Seed of every random choice, 0 or larger")
      ->capture_default_str()
      ->check(check_seed);
  command.add_option("--threads", globals.threads, "Number of threads; 0: all available. Results are bitwise the same for any number")
      ->capture_default_str()
      ->check(CLI::Range(0, 1024));
  command.add_option("--max-memory", globals.max_memory, "Memory limit such as 2G (default: 90 % of the free memory)");
  command.add_flag("--portable", globals.portable, "The same bits on every x86-64 processor with AVX2: none of what newer ones have is used");
  command.add_flag("--quiet,-q", globals.quiet, "No progress and no notes on stderr");
  command.add_flag("--json", globals.json, "Results as JSON on standard output");
}

// Of the instruction sets that are built in, the one of all processors since 2013 to 2015.
static void use_portable_kernels() {
  constexpr const char* common = "avx2";
  const std::vector<std::string> names = kernels::isa_names();
  require(std::find(names.begin(), names.end(), common) != names.end(), Fault::usage, "[portable] expected a processor with AVX2, found one with {}: leave out --portable",
          list_names(names));
  kernels::force_isa(common);
  // What torch and its libraries choose by the processor, which they read when they first compute.  MKL has one path for the processors of all makers.
  for (const auto& [name, value] : {std::pair{"ATEN_CPU_CAPABILITY", "avx2"}, {"ONEDNN_MAX_CPU_ISA", "AVX2"}, {"MKL_CBWR", "COMPATIBLE"}}) setenv(name, value, 1);
}

Context make_context(const Globals& globals, ProgressBar& bar) {
  if (globals.portable) use_portable_kernels();
  engine::back_end();  // one that this build does not have is refused before anything runs
  Context context;
  context.threads = globals.threads;
  context.memory = MemoryLimit(globals.max_memory.empty() ? 0 : parse_bytes(globals.max_memory));
  context.progress = [&bar](double done, double total, std::string_view what) { bar.show(done, total, what); };
  context.stop = &stop_on_signals();
  return context;
}

void charge_process(const Globals& globals, const Context& context) {
  if (globals.max_memory.empty()) return;
  // What is freed goes back to the system at once; glibc would keep up to twice the largest block that it has seen.
  mallopt(M_MMAP_THRESHOLD, 256 << 10);
  mallopt(M_TRIM_THRESHOLD, 1 << 20);
  const std::uint64_t resident = resident_memory();
  require(resident < context.memory.bytes(), Fault::memory, "[memory] expected at most {}, found {} in use by the program and the data that it has read: raise --max-memory",
          format_bytes(context.memory.bytes()), format_bytes(resident));
  context.memory.begin_with(resident);
}

void say_reading(const Globals& globals, const std::string& line, const io::Reading& reading) {
  if (globals.quiet) return;
  fmt::print(stderr, "{}\n", line);
  for (const std::string& note : reading.notes) fmt::print(stderr, "note: [data] {}\n", note);
}

template <class Value>
static nlohmann::json or_null(const std::optional<Value>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json();
}

nlohmann::json reading_json(const std::string& line, const io::Reading& reading) {
  return {{"line", line},
          {"rows", reading.rows},
          {"features", reading.features},
          {"edges", or_null(reading.edges)},
          {"label", or_null(reading.label)},
          {"classes", reading.classes},
          {"names", or_null(reading.names)},
          {"missing", reading.missing},
          {"constant", reading.constant},
          {"format", reading.format},
          {"header", or_null(reading.header)},
          {"delimiter", reading.delimiter},
          {"decimal", reading.decimal.empty() ? "point" : "comma"},
          {"encoding", reading.encoding.empty() ? "UTF-8" : reading.encoding},
          {"comments", reading.comments},
          {"left_out", reading.left_out},
          {"notes", reading.notes}};
}

std::string not_empty(const std::string& text) { return text.empty() ? "expected a file name, found an empty text" : ""; }

void add_output(CLI::App& command, std::string& path) {
  const auto named = [](std::string& name) {
    const std::string error = not_empty(name);
    if (name == "-") name.clear();
    return error;
  };
  command.add_option("-o,--output", path, "File to write: .csv, .tsv, .npy or .json (default, or -: csv on standard output)")
      ->transform(CLI::Validator(named, ""));
}

void check_own_file(const std::string& output, const std::vector<std::string>& others) {
  // A file that does not exist yet is found by its name; a device (/dev/null) takes everything.
  std::error_code error;
  if (std::filesystem::exists(output, error) && !std::filesystem::is_regular_file(output, error)) return;
  const auto place = [&](const std::string& path) { return std::filesystem::weakly_canonical(std::filesystem::absolute(path), error); };
  for (const std::string& other : others)
    require(other.empty() || place(output) != place(other), Fault::usage,
            "[output] expected a file of its own for each output, found {} named twice: name another file", output);
}

void check_output(const std::string& output, const std::vector<std::string>& inputs) {
  require(output != "-", Fault::usage, "[output] expected a file name, found \"-\": only a result can go to standard output, with -o -");
  io::check_writable(output);
  for (const std::string& input : inputs) {
    std::error_code error;
    const bool same = std::filesystem::equivalent(output, input, error);
    require(error || !same, Fault::usage, "[output] expected an output other than the inputs, found {} as both: name another file",
            output);
  }
}

// Values that are missing still are filled in once it is known which rows train.
static void note_filling(io::Dataset& data) {
  if (data.missing == 0) return;
  data.reading.notes.push_back(fmt::format("{} {} filled in from the {} training rows", counted(data.missing, "missing value"), data.missing == 1 ? "is" : "are",
                                           data.fill_by == io::Missing::mean ? "means of the" : "nearest of the"));
}

io::Dataset load_training(const Globals& globals, const std::string& source, const io::LoadOptions& load, const Context& context) {
  io::Dataset data = io::load_dataset(source, load, context);
  // A table too small for measured values to be told from classes by their number.
  const bool numbers = std::ranges::all_of(data.classes, [](const std::string& name) { return io::parse_number(name).has_value(); });
  const auto different = static_cast<std::int64_t>(data.classes.size());
  require(load.measured || !numbers || different < data.rows || different <= 2, Fault::input,
          "[data] expected classes in the label column \"{}\", found {} numbers that are all different ({}): predict measured values by train --model propagator-regressor or run "
          "knn-regressor, or choose the label column with --label",
          data.label, different, source);
  if (data.fill_by == io::Missing::drop) io::settle_missing(data, context);
  note_filling(data);
  say_reading(globals, io::reading_line(data), data.reading);
  return data;
}

std::optional<io::Dataset> load_test(const Globals& globals, const std::string& path, const io::Dataset& data, const DataOptions& options, const Context& context,
                                     bool measured) {
  if (path.empty()) return std::nullopt;
  io::LoadOptions same = options.load_options();
  same.select.clear();
  same.one_hot.clear();
  if (!same.label) same.label = data.label;
  same.classes = data.classes;
  same.coding = data.coding;
  same.measured = measured;
  if (measured) same.classes.clear();
  io::Dataset test = io::load_dataset(path, same, context);
  if (test.fill_by == io::Missing::drop) io::settle_missing(test, context);
  require(test.labelled(), Fault::input, "[data] expected the label column \"{}\" in the test file, found none ({})",
          data.label, path);
  note_filling(test);
  say_reading(globals, "test file: " + io::reading_line(test), test.reading);
  return test;
}

void write_result(const std::string& path, const std::string& text) {
  if (path.empty()) std::fwrite(text.data(), 1, text.size(), stdout);
  else io::write_file(path, text);
}

void print_json(const nlohmann::json& document) {
  const std::string text = pipeline::dump(document) + "\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
  flush_output();
}

void flush_output() {
  errno = 0;
  const bool flushed = std::fflush(stdout) == 0;
  const std::string reason = errno != 0 ? system_reason(errno) : "an earlier write failed (a full disk, or the reader is gone)";
  require(flushed && std::ferror(stdout) == 0, Fault::input, "[output] expected to write standard output, found: {}", reason);
}

}  // namespace calor::app
