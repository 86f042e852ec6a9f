#include "run_report.h"

#include <filesystem>

#include "calor/core/error.h"
#include "command.h"

namespace calor::app {

void check_report(const std::string& report, const std::vector<std::string>& inputs) {
  const std::string suffix = std::filesystem::path(report).extension().string();
  require(suffix == ".html" || suffix == ".htm", Fault::usage, "[report] expected a file that ends in .html, found {}: name it so", report);
  check_output(report, inputs);
  check_own_file(report, inputs);
}

std::string data_name(const std::string& source) {
  if (source == "-") return "standard input";
  std::filesystem::path name = std::filesystem::path(source).filename();
  if (name.extension() == ".gz") name = name.stem();
  return name.stem().string();
}

}  // namespace calor::app
