// The inner function of SHA-256: 64-byte blocks folded into the state (FIPS 180-4, 6.2.2).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace calor::io {

using HashState = std::array<std::uint32_t, 8>;
using HashBlocks = void (*)(HashState& state, const char* bytes, std::size_t blocks);

// The first 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2).
extern const std::uint32_t hash_round_constants[64];

void hash_blocks_portable(HashState& state, const char* bytes, std::size_t blocks);

// By the processor's SHA instructions, several times faster; nullptr where it has none.
HashBlocks hash_blocks_native();

}  // namespace calor::io
