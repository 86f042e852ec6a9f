// What a build without a back end for GPUs has in its place.
#include "calor/engine/back_end.h"

namespace calor::engine {

const BackEnd* gpu_back_end() { return nullptr; }

}  // namespace calor::engine
