#include "bench/program.h"

#include <cerrno>
#include <fstream>

#include "calor/core/error.h"

namespace calor::bench {

void write_json(const Options& options, const nlohmann::json& document) {
  if (options.json.empty()) return;
  std::ofstream file(options.json);
  file << document.dump(1) << '\n';
  file.flush();
  require(file.good(), Fault::input, "[bench] expected to write {}, found: {}", options.json, system_reason(errno));
}

static Options parse(const char* name, int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    if (argument == "--quick") {
      options.quick = true;
    } else if (argument == "--json" && i + 1 < count) {
      options.json = arguments[++i];
    } else {
      fail(Fault::usage, "[{}] expected [--quick] [--json FILE], found {}", name, argument);
    }
  }
  return options;
}

int program(const char* name, int count, char** arguments, int (*run)(const Options&)) {
  Fault fault = Fault::internal;
  try {
    return run(parse(name, count, arguments));
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    fault = error.fault();
  } catch (const std::exception& error) {
    fmt::print(stderr, "[{}] {}\n", name, error.what());
  }
  return static_cast<int>(fault);
}

}  // namespace calor::bench
