// Functions that a C library of 2.34 has otherwise or not, for a wheel that runs there too (CALOR_MANYLINUX); the linker sends calls of NAME to __wrap_NAME.
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

// hypot got a new version with 2.35: the same arithmetic, only how errors are told differs.
#if defined(__x86_64__)
__asm__(".symver calor_hypot, hypot@GLIBC_2.2.5");
#elif defined(__aarch64__)
__asm__(".symver calor_hypot, hypot@GLIBC_2.17");
#else
#error "expected x86-64 or aarch64: name the first version of hypot of this processor's C library here"
#endif

double calor_hypot(double x, double y);
double __wrap_hypot(double x, double y);
uint32_t __wrap_arc4random(void);

double __wrap_hypot(double x, double y) { return calor_hypot(x, y); }

// New in 2.36; libstdc++'s std::random_device, which comes along with its strings and which we never make, asks for it.
uint32_t __wrap_arc4random(void) {
  uint32_t bits;
  if (getentropy(&bits, sizeof bits) != 0) abort();
  return bits;
}
