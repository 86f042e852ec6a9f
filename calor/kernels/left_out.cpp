#include "calor/kernels/left_out.h"

#include "calor/kernels/isa.h"

namespace calor::kernels {

template <>
double powers_of(const float* offsets, float rate, const float* before, std::int64_t count, float* powers) {
  return current_isa().gaussian().powers(offsets, rate, before, count, powers);
}

template <>
double powers_of(const double* offsets, double rate, const double* before, std::int64_t count, double* powers) {
  return current_isa().gaussian().double_powers(offsets, rate, before, count, powers);
}

template <>
void weigh_left_out(const float* powers, const float* thin, float share, const float* counts, std::int64_t count, double* all, double* own) {
  current_isa().gaussian().weigh_left_out(powers, thin, share, counts, count, all, own);
}

template <>
void weigh_left_out(const double* powers, const double* thin, double share, const double* counts, std::int64_t count, double* all, double* own) {
  current_isa().gaussian().double_weigh_left_out(powers, thin, share, counts, count, all, own);
}

}  // namespace calor::kernels
