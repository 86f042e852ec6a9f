// What every subcommand has in common: the global options, the context made from them, and how a command is added.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/io/dataset.h"
#include "console.h"
#include "data_options.h"

namespace CLI {
class App;
}

namespace calor::app {

struct Globals {
  std::uint64_t seed = 0;
  int threads = 0;          // 0: all available
  std::string max_memory;   // "" : nine tenths of what is available
  bool quiet = false, json = false;
  bool portable = false;  // kernels that every processor with AVX2 has
  std::string command_line;        // as typed, for reports
  std::vector<std::string> words;  // the same, behind the program's name
};

// --seed --threads --max-memory --quiet --json on a subcommand.
void add_globals(CLI::App& command, Globals& globals);

// Threads, memory limit, progress bar and stop flag for a library call; `bar` must outlive the context.
// Charges the process and the data that it has read to a memory limit that was asked for: the limit is of all that the program takes.
void charge_process(const Globals& globals, const Context& context);

Context make_context(const Globals& globals, ProgressBar& bar);

// Says on stderr what was read, and what was doubtful about it; nothing with --quiet.
void say_reading(const Globals& globals, const std::string& line, const io::Reading& reading);
nlohmann::json reading_json(const std::string& line, const io::Reading& reading);

// For options that name a file: an empty text is an error, since a script's unset variable would lose the result.
std::string not_empty(const std::string& text);

// -o of a command whose result is a table; "-" is standard output, as no name is.
void add_output(CLI::App& command, std::string& path);

// Throws when the output cannot be written, or is one of the inputs.
void check_output(const std::string& output, const std::vector<std::string>& inputs);

// Throws when the output is one of the other files ("" for none), which need not exist yet, by whatever path; devices are nobody's own.
void check_own_file(const std::string& output, const std::vector<std::string>& others);

// An official test file for `data`: the same columns by name, the same classes, and labels; says what was read.  Nothing for an empty path.
std::optional<io::Dataset> load_test(const Globals& globals, const std::string& path, const io::Dataset& data, const DataOptions& options, const Context& context,
                                     bool measured = false);

// Labelled data to train on, and a line on stderr that says what was read.
io::Dataset load_training(const Globals& globals, const std::string& source, const io::LoadOptions& load, const Context& context);

// To the file, or to standard output for "".
void write_result(const std::string& path, const std::string& text);

// Prints a JSON document on standard output, one line at the end.
void print_json(const nlohmann::json& document);

// Writes all of standard output's buffer; throws Fault::input when it cannot be written (a full disk, a closed pipe).
void flush_output();

// What `calor --help` says of commands that are not always in the program that says it (apart.cpp, without_torch.cpp).
inline constexpr const char* compare_summary = "Train networks on your data over several seeds and report what differs, with statistics";
inline constexpr const char* train_summary = "Train one network, or a propagator, and save it";
inline constexpr const char* predict_summary = "Classes and probabilities of new points by a saved model";
inline constexpr const char* train_translation_summary = "Train a translator on sentences in two languages and save it";
inline constexpr const char* translate_summary = "Translate text, one sentence a line, by a saved translator";
inline constexpr const char* completion_summary = "Print a bash completion script";

// One function per subcommand; each adds its options and a callback to `app`.
void add_data_command(CLI::App& app, Globals& globals);
void add_run_command(CLI::App& app, Globals& globals);
void add_apply_command(CLI::App& app, Globals& globals);
void add_recipes_command(CLI::App& app, Globals& globals);
void add_stages_command(CLI::App& app, Globals& globals);
void add_compare_command(CLI::App& app, Globals& globals);
void add_train_command(CLI::App& app, Globals& globals);
void add_predict_command(CLI::App& app, Globals& globals);
void add_train_translation_command(CLI::App& app, Globals& globals);
void add_translate_command(CLI::App& app, Globals& globals);
void add_limit_command(CLI::App& app, Globals& globals);
void add_inspect_command(CLI::App& app, Globals& globals);
void add_bench_command(CLI::App& app, Globals& globals);
void add_completion_command(CLI::App& app);

}  // namespace calor::app
