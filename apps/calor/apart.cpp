// The commands that need torch, as `calor` knows them: by name.  They live in a program of their own, calor-learn, because loading
// torch takes a third of a second, which no other command should wait for.
#include <CLI/CLI.hpp>

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "calor/core/error.h"
#include "apply.h"
#include "command.h"

namespace calor::app {

namespace fs = std::filesystem;

static const char* const program = "calor-learn";

// Beside this program as in a build folder, or in libexec as installed.
static fs::path learning_program() {
  std::error_code error;
  const fs::path here = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const fs::path& path : {here / program, here / "../libexec/calor" / program})
    if (!error && fs::exists(path, error)) return path;
  fail(Fault::usage, "[calor] expected {} beside {}, found none: build or install all of Calor again", program, here.string());
}

// Becomes the other program, with the same words.
[[noreturn]] static void hand_over(const std::string& name, std::vector<std::string> words) {
  const fs::path path = learning_program();
  words.insert(words.begin(), {"calor", name});
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execv(path.c_str(), arguments.data());
  fail(Fault::internal, "[{}] expected to run {}: {}", name, path.string(), std::strerror(errno));
}

static void add_apart(CLI::App& app, const char* name, const char* summary) {
  CLI::App* command = app.add_subcommand(name, summary);
  command->prefix_command();
  command->set_help_flag();  // --help is the other program's to answer
  command->callback([command, name] { hand_over(name, command->remaining()); });
}

void add_apply_command(CLI::App& app, Globals& globals) {
  add_apply_command(app, globals, [](const Globals& given, const PredictArguments&) { hand_over(given.words.front(), {given.words.begin() + 1, given.words.end()}); });
}

void add_compare_command(CLI::App& app, Globals&) { add_apart(app, "compare", compare_summary); }
void add_train_command(CLI::App& app, Globals&) { add_apart(app, "train", train_summary); }
void add_predict_command(CLI::App& app, Globals&) { add_apart(app, "predict", predict_summary); }
void add_train_translation_command(CLI::App& app, Globals&) { add_apart(app, "train-translation", train_translation_summary); }
void add_translate_command(CLI::App& app, Globals&) { add_apart(app, "translate", translate_summary); }
void add_completion_command(CLI::App& app) { add_apart(app, "completion", completion_summary); }  // it lists every command's flags

}  // namespace calor::app
