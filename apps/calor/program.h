// What every program of the command line does around its subcommands.
#pragma once

#include <functional>
#include <string>

#include "calor/core/error.h"

namespace CLI {
class App;
}

namespace calor::app {

// The words as a shell reads them again, after the program's name.
std::string command_line_of(const char* program, int count, char** words);

// The error on stderr.
void say_error(const std::string& text);

// Parses the words and runs the subcommand that they name; what is thrown becomes the exit code, and a message that `failed` is given.
int run_program(CLI::App& app, int count, char** words, const std::function<void(Fault, const std::string&)>& failed);

}  // namespace calor::app
