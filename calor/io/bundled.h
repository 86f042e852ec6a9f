// The data sets inside the library: an installed program needs no files.
#pragma once

#include <optional>
#include <string>

#include "calor/io/dataset.h"

namespace calor::io {

// The bundled set of that name, read with the options as a file would be; nothing for any other name.
std::optional<Dataset> load_bundled(const std::string& name, const LoadOptions& options, const Context& context);

}  // namespace calor::io
