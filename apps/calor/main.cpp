// calor: the command line.  One file a subcommand; no numerics here.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <sstream>
#include <system_error>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/core/version.h"
#include "command.h"

namespace calor::app {

static constexpr const char* exit_codes =
    "Exit codes: 0 done, 1 internal error, 2 usage, 3 bad input, 4 memory limit, 5 no convergence (also: every run of a comparison is dead), 6 a check failed, "
    "130 interrupted.";

static int report_error(Fault fault, const char* text) {
  const bool red = colours(2);
  fmt::print(stderr, "{}error:{} {}\n", red ? "\033[31m" : "", red ? "\033[0m" : "", text);
  return static_cast<int>(fault);
}

// The command line's own errors, with the nearest subcommand where one was misspelt.
static int usage_error(CLI::App& app, const CLI::ParseError& error, int count, char** words) {
  if (error.get_exit_code() == 0) {  // --help, --version
    std::ostringstream text;
    app.exit(error, text, text);
    fmt::print("{}", text.str());
    flush_output();
    return 0;
  }
  std::string text = error.what();
  std::vector<std::string> known;
  for (const CLI::App* command : app.get_subcommands(nullptr)) {
    known.push_back(command->get_name());
    for (const std::string& alias : command->get_aliases()) known.push_back(alias);
  }
  if (app.get_subcommands().empty() && count > 1 && words[1][0] != '-') {
    const std::string near = nearest_name(words[1], known);
    text = fmt::format("[calor] expected a command ({}), found \"{}\"{}", list_names(known), words[1],
                       near.empty() ? "" : fmt::format(": did you mean \"{}\"?", near));
  } else {
    const CLI::App* command = app.get_subcommands().empty() ? &app : app.get_subcommands().front();
    text = fmt::format("[{}] {} (see `calor {}--help`)", command->get_name(), text,
                       command == &app ? "" : command->get_name() + " ");
  }
  return report_error(Fault::usage, text.c_str());
}

// As a shell reads it again.
static std::string shell_word(std::string_view word) {
  const bool plain = !word.empty() && word.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=./,:@%") == std::string_view::npos;
  if (plain) return std::string(word);
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

static int run(int count, char** words) {
  CLI::App app{"Calor: compute similarities, then let information flow along them.", "calor"};
  app.set_version_flag("--version", fmt::format("calor {}", version));
  app.require_subcommand(1);
  app.footer(exit_codes);
  Globals globals;
  for (int i = 0; i < count; ++i) globals.command_line += fmt::format("{}{}", i ? " " : "", i ? shell_word(words[i]) : "calor");
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
  try {
    try {
      app.parse(count, words);
      flush_output();
      return 0;
    } catch (const CLI::ParseError& error) {
      return usage_error(app, error, count, words);
    }
  } catch (const Error& error) {
    return report_error(error.fault(), error.what());
  } catch (const std::bad_alloc&) {
    return report_error(Fault::memory, "[calor] expected enough memory, found none left: give less data, or a --max-memory limit");
  } catch (const std::system_error& error) {  // fmt's, of a text longer than the buffer of standard output
    return report_error(Fault::input, fmt::format("[output] expected to write standard output, found: {}", error.code().message()).c_str());
  } catch (const std::exception& error) {
    return report_error(Fault::internal, fmt::format("[calor] internal error: {}", error.what()).c_str());
  }
}

}  // namespace calor::app

int main(int count, char** words) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file-size limit is then an error of write, reported like a full disk
  return calor::app::run(count, words);
}
