// The commands that train, in a build without torch: they say how to get them.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "calor/core/error.h"
#include "apply.h"
#include "command.h"

namespace calor::app {

[[noreturn]] static void fail_without(const char* name) {
  fail(Fault::usage, "[{}] expected a build with torch, found one without: configure with -DCALOR_TORCH=ON, or install the Python package with CALOR_TORCH=1 (docs/pytorch.md)", name);
}

static void refuse(CLI::App& app, const char* name, const char* summary) {
  CLI::App* command = app.add_subcommand(name, fmt::format("{} (needs torch)", summary));
  command->allow_extras();
  command->callback([name] { fail_without(name); });
}

// A fit needs none.
void add_apply_command(CLI::App& app, Globals& globals) {
  add_apply_command(app, globals, [](const Globals&, const PredictArguments&) { fail_without("apply"); });
}

void add_compare_command(CLI::App& app, Globals&) { refuse(app, "compare", compare_summary); }
void add_train_command(CLI::App& app, Globals&) { refuse(app, "train", train_summary); }
void add_predict_command(CLI::App& app, Globals&) { refuse(app, "predict", predict_summary); }
void add_train_translation_command(CLI::App& app, Globals&) { refuse(app, "train-translation", train_translation_summary); }
void add_translate_command(CLI::App& app, Globals&) { refuse(app, "translate", translate_summary); }

}  // namespace calor::app
