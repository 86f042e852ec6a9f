// What this machine calls its processor.
#pragma once

#include <string>

namespace calor::measure {

// By the system's own words; "unknown" where it has none.
std::string processor_name();

}  // namespace calor::measure
