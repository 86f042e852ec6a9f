// SHA-256 by the SHA extensions of x86 (Intel SDM volume 2, SHA256RNDS2, SHA256MSG1, SHA256MSG2).
#include "calor/io/hash_blocks.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

namespace calor::io {

namespace {

// The instructions keep the state as (a b e f) and (c d g h), highest lane first, and make two rounds at once.
__attribute__((target("sha,sse4.1"))) void hash_blocks_x86(HashState& state, const char* bytes, std::size_t blocks) {
  const auto load = [](const void* at) __attribute__((target("sha,sse4.1"))) {
    return _mm_loadu_si128(static_cast<const __m128i*>(at));
  };
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  const __m128i cdab = _mm_shuffle_epi32(load(state.data()), 0xB1),
                efgh = _mm_shuffle_epi32(load(state.data() + 4), 0x1B);
  __m128i abef = _mm_alignr_epi8(cdab, efgh, 8), cdgh = _mm_blend_epi16(efgh, cdab, 0xF0);

  for (; blocks > 0; --blocks, bytes += 64) {
    const __m128i abef_before = abef, cdgh_before = cdgh;
    __m128i w[4];  // the last 16 words of the message schedule, four to a register
    for (int i = 0; i < 4; ++i) w[i] = _mm_shuffle_epi8(load(bytes + 16 * i), big_endian);
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
      const __m128i words = _mm_add_epi32(w[i % 4], load(hash_round_constants + 4 * i));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, words);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(words, 0x0E));
      if (i < 12) {
        const __m128i w7 = _mm_alignr_epi8(w[(i + 3) % 4], w[(i + 2) % 4], 4);  // w[t - 7]
        w[i % 4] =
            _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w[i % 4], w[(i + 1) % 4]), w7), w[(i + 3) % 4]);
      }
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }

  const __m128i feba = _mm_shuffle_epi32(abef, 0x1B), dchg = _mm_shuffle_epi32(cdgh, 0xB1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(state.data()), _mm_blend_epi16(feba, dchg, 0xF0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(state.data() + 4), _mm_alignr_epi8(dchg, feba, 8));
}

}  // namespace

HashBlocks hash_blocks_native() {
  constexpr unsigned ssse3_and_sse41 = 1u << 9 | 1u << 19, sha = 1u << 29;
  unsigned a = 0, b = 0, c = 0, d = 0;
  const bool vectors = __get_cpuid(1, &a, &b, &c, &d) && (c & ssse3_and_sse41) == ssse3_and_sse41;
  return vectors && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & sha) ? hash_blocks_x86 : nullptr;
}

}  // namespace calor::io

#else

namespace calor::io {

HashBlocks hash_blocks_native() { return nullptr; }

}  // namespace calor::io

#endif
