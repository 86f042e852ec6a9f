// What the benchmark programs share: two options, a JSON file, errors as exit codes.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace calor::bench {

struct Options {
  bool quick = false;  // a smoke test: small sizes, few rounds, figures without weight
  std::string json;    // file for the results, "" for none
};

// Throws Fault::input when the file cannot be written.
void write_json(const Options& options, const nlohmann::json& document);

// Parses [--quick] [--json FILE], runs, and turns an error into a message on stderr and an exit code.
int program(const char* name, int count, char** arguments, int (*run)(const Options&));

}  // namespace calor::bench
