#include "calor/core/progress.h"

#include "calor/core/error.h"

namespace calor {

void Context::advance(double done, double total, std::string_view what) const {
  if (progress) progress(done, total, what);
}

void Context::check_stop(std::string_view op) const {
  require(!stopping(), Fault::interrupted, "[{}] interrupted", op);
}

}  // namespace calor
