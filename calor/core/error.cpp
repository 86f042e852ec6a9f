#include "calor/core/error.h"

#include <system_error>

namespace calor {

std::string system_reason(int error_number) { return std::generic_category().message(error_number); }

}  // namespace calor
