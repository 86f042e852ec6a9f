// New points for something saved: what the command line says about them beside what was saved.
#pragma once

#include <string>
#include <vector>

#include "calor/engine/matrix.h"
#include "calor/io/missing.h"
#include "data_options.h"

namespace CLI {
class App;
class Option;
}

namespace calor::app {

// Says in --missing's help that its default is that of `saved` ("the fit"); returns the option, which then tells whether it was given.
const CLI::Option* as_saved(CLI::App& command, const char* saved);

// Throws Fault::usage for --features and --one-hot: the columns are those of the `saved` ("fit").
void require_own_columns(const DataOptions& options, const char* op, const char* saved);

// What --missing says in place of what was `kept`.  Means and neighbours come from what was kept, or from the saved rows (null: there are
// none).  Throws Fault::usage where there is nothing to fill by; `again` names the command that would save it.
io::Filling asked_filling(const DataOptions& options, const io::Filling& kept, const std::vector<std::string>& features, const engine::Matrix* rows,
                          const char* op, const char* again);

}  // namespace calor::app
