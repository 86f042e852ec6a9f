#include "program.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <exception>
#include <new>
#include <sstream>
#include <system_error>

#include "calor/core/text.h"
#include "calor/core/version.h"
#include "command.h"

namespace calor::app {

static constexpr const char* exit_codes =
    "Exit codes: 0 done, 1 internal error, 2 usage, 3 bad input, 4 memory limit, 5 no convergence (also: every run of a comparison is dead), 6 a check failed, "
    "130 interrupted.";

void say_error(const std::string& text) {
  const bool red = colours(2);
  fmt::print(stderr, "{}error:{} {}\n", red ? "\033[31m" : "", red ? "\033[0m" : "", text);
}

static void print_help(CLI::App& app, const CLI::ParseError& error) {  // --help, --version
  std::ostringstream text;
  app.exit(error, text, text);
  fmt::print("{}", text.str());
  flush_output();
}

// The command line's own errors, with the nearest subcommand where one was misspelt.
static std::string usage_text(CLI::App& app, const CLI::ParseError& error, int count, char** words) {
  std::string text = error.what();
  std::vector<std::string> known;
  for (const CLI::App* command : app.get_subcommands(nullptr)) {
    known.push_back(command->get_name());
    for (const std::string& alias : command->get_aliases()) known.push_back(alias);
  }
  if (app.get_subcommands().empty() && count > 1 && words[1][0] != '-') {
    const std::string near = nearest_name(words[1], known);
    text = fmt::format("[{}] expected a command ({}), found \"{}\"{}", app.get_name(), list_names(known), words[1],
                       near.empty() ? "" : fmt::format(": did you mean \"{}\"?", near));
  } else {
    const CLI::App* command = app.get_subcommands().empty() ? &app : app.get_subcommands().front();
    text = fmt::format("[{}] {} (see `{} {}--help`)", command->get_name(), text, app.get_name(),
                       command == &app ? "" : command->get_name() + " ");
  }
  return text;
}

// As a shell reads it again.
static std::string shell_word(std::string_view word) {
  const bool plain = !word.empty() && word.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=./,:@%") == std::string_view::npos;
  if (plain) return std::string(word);
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

std::string command_line_of(const char* program, int count, char** words) {
  std::string line;
  for (int i = 0; i < count; ++i) line += fmt::format("{}{}", i ? " " : "", i ? shell_word(words[i]) : program);
  return line;
}

int run_program(CLI::App& app, int count, char** words, const std::function<void(Fault, const std::string&)>& failed) {
  app.set_version_flag("--version", fmt::format("{} {}", app.get_name(), version));
  app.require_subcommand(1);
  app.footer(exit_codes);
  const auto end = [&](Fault fault, const std::string& text) {
    failed(fault, text);
    return static_cast<int>(fault);
  };
  try {
    try {
      app.parse(count, words);
      flush_output();
      return 0;
    } catch (const CLI::ParseError& error) {
      if (error.get_exit_code() != 0) return end(Fault::usage, usage_text(app, error, count, words));
      print_help(app, error);
      return 0;
    }
  } catch (const Error& error) {
    return end(error.fault(), error.what());
  } catch (const std::bad_alloc&) {
    return end(Fault::memory, "[calor] expected enough memory, found none left: give less data, or a --max-memory limit");
  } catch (const std::system_error& error) {  // fmt's, of a text longer than the buffer of standard output
    return end(Fault::input, fmt::format("[output] expected to write standard output, found: {}", error.code().message()));
  } catch (const std::exception& error) {
    return end(Fault::internal, fmt::format("[calor] internal error: {}", error.what()));
  }
}

}  // namespace calor::app
