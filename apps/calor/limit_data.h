// calor limit --data: the empirical generator on the user's points.
#pragma once

#include <string>

#include "command.h"

namespace calor::app {

// `function` names a column that flows, "" the first principal coordinate; `report` a page to write, "" for none.
void run_limit_data(const Globals& globals, const std::string& data, const std::string& function, const std::string& report);

}  // namespace calor::app
