// calor: the command line.  One file a subcommand; no numerics here.
#include <CLI/CLI.hpp>

#include <csignal>

#include "command.h"
#include "program.h"

namespace calor::app {

static int run(int count, char** words) {
  CLI::App app{"Calor: compute similarities, then let information flow along them.", "calor"};
  Globals globals;
  globals.command_line = command_line_of("calor", count, words);
  globals.words.assign(words + 1, words + count);
  add_run_command(app, globals);
  add_apply_command(app, globals);
  add_recipes_command(app, globals);
  add_stages_command(app, globals);
  add_compare_command(app, globals);
  add_train_command(app, globals);
  add_predict_command(app, globals);
  add_train_translation_command(app, globals);
  add_translate_command(app, globals);
  add_limit_command(app, globals);
  add_inspect_command(app, globals);
  add_bench_command(app, globals);
  add_data_command(app, globals);
  add_completion_command(app);
  return run_program(app, count, words, [](Fault, const std::string& text) { say_error(text); });
}

}  // namespace calor::app

int main(int count, char** words) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file-size limit is then an error of write, reported like a full disk
  return calor::app::run(count, words);
}
