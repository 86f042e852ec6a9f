// Arguments as they are written against the parameters that a stage declares.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "calor/pipeline/stage.h"

namespace calor::pipeline {

inline bool has_name(const Parameter& parameter, std::string_view name) { return name == parameter.name || (!name.empty() && name == parameter.formerly); }

// The parameter that an argument fills: by name, which may be a former one, else the one at its position.
inline std::size_t parameter_index(const Stage& stage, const Argument& argument, std::size_t position) {
  if (argument.name.empty()) return position;
  for (std::size_t p = 0; p < stage.parameters.size(); ++p)
    if (has_name(stage.parameters[p], argument.name)) return p;
  return stage.parameters.size();
}

// Arguments by position become named ones from `first` on.
inline void name_from(std::vector<Argument>& arguments, std::size_t first, const Stage& stage) {
  for (std::size_t a = first; a < arguments.size() && a < stage.parameters.size(); ++a)
    if (arguments[a].name.empty()) arguments[a].name = stage.parameters[a].name;
}

}  // namespace calor::pipeline
