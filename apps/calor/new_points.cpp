#include "new_points.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <span>

#include "calor/core/error.h"

namespace calor::app {

const CLI::Option* as_saved(CLI::App& command, const char* saved) {
  return command.get_option("--missing")->default_str(fmt::format("as {} has it", saved));
}

void require_own_columns(const DataOptions& options, const char* op, const char* saved) {
  for (const auto& [name, given] : {std::pair{"--features", !options.features.empty()}, {"--one-hot", !options.one_hot.empty()}})
    require(!given, Fault::usage, "[{0}] expected no {1}, found it: the {2} knows its columns and takes them by their names", op, name, saved);
}

io::Filling asked_filling(const DataOptions& options, const io::Filling& kept, const std::vector<std::string>& features, const engine::Matrix* rows,
                          const char* op, const char* again) {
  const io::Missing how = io::parse_missing(options.missing);
  if (how == io::Missing::refuse || how == io::Missing::drop) return {how, kept.mean};
  require(how != io::Missing::neighbours || rows, Fault::usage,
          "[{}] expected --missing drop or mean, found neighbours, whose rows were not saved: use one of these", op);
  if (kept.mean.size() == features.size()) return {how, kept.mean};
  require(rows && rows->cols() > 0, Fault::usage, "[{}] expected --missing drop, found {}, for which no means were saved: use drop, or save anew with calor {}", op,
          io::name_of(how), again);
  return io::fit_filling(std::span(rows->data(), static_cast<std::size_t>(rows->size())), features, how, "the saved rows");
}

}  // namespace calor::app
