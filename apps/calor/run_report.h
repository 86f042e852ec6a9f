// --report of calor run and calor apply: the file and the data's name.
#pragma once

#include <string>
#include <vector>

namespace calor::app {

// --report: an .html file that can be written and is none of the inputs.
void check_report(const std::string& report, const std::vector<std::string>& inputs);

// The name of a data file without folder and suffix; "standard input" for "-".
std::string data_name(const std::string& source);

}  // namespace calor::app
