#pragma once

#include "command.h"

namespace calor::app {

// For commands that train: what they free they soon take again, and pages that went back to the system in between would have to be cleared anew, a tenth of the time of small
// networks.  With a limit of memory (--max-memory) blocks go back as they are freed.
void keep_freed_memory(const Globals& globals);

}  // namespace calor::app
