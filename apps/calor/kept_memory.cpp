#include "kept_memory.h"

#include <malloc.h>

namespace calor::app {

void keep_freed_memory(const Globals& globals) {
  if (!globals.max_memory.empty()) return;
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // glibc's most
  mallopt(M_TRIM_THRESHOLD, 512 << 20);
}

}  // namespace calor::app
