// The functions between CALOR_BF16_BEGIN and CALOR_BF16_END are compiled for AVX-512 with products of bfloat16, whatever the rest
// of the program is compiled for; they run only where has_products() says so.  Standard headers come before them.
#pragma once

#include <immintrin.h>

#if defined(__clang__)
#define CALOR_BF16_BEGIN \
  _Pragma("clang attribute push(__attribute__((target(\"avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16\"))), apply_to = function)")
#define CALOR_BF16_END _Pragma("clang attribute pop")
#else
#define CALOR_BF16_BEGIN _Pragma("GCC push_options") _Pragma("GCC target(\"avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16\")")
#define CALOR_BF16_END _Pragma("GCC pop_options")
#endif

#define CALOR_BF16_INLINE inline __attribute__((always_inline))
#define CALOR_BF16_NOINLINE __attribute__((noinline))
