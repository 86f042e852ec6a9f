#include "calor/kernels/normals.h"

#include "calor/kernels/isa.h"

namespace calor::kernels {

void normals(const Stream& stream, std::uint64_t first, std::span<double> numbers) {
  current_isa().metric_steps().normals(stream.seed, static_cast<std::uint32_t>(stream.purpose), stream.index, first, static_cast<std::int64_t>(numbers.size()),
                                       numbers.data());
}

}  // namespace calor::kernels
