// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as
// 1, 2, 3"), keyed by (seed, purpose, index).
//
// Two streams with a different seed, purpose or index are independent; the same three give the same numbers whatever
// the thread count or the order of use.  A stream's state is its position, so it can be stored and resumed.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace calor {

// One block of four 32-bit words for a counter and a key: the bare function.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

// What a stream is for: keeps the draws of one concern apart from those of every other.
enum class Purpose : std::uint32_t { data = 1, split, weights, shuffle, tokens, noise, bootstrap, permutation, test };

class Random {
 public:
  Random(std::uint64_t seed, Purpose purpose, std::uint64_t index = 0);

  std::uint32_t bits();                     // 32 random bits
  double uniform();                         // in [0, 1), 53 bits
  double uniform(double low, double high);  // in [low, high)
  double normal();                          // mean 0, deviation 1 (Box-Muller; two draws a number)
  std::uint64_t below(std::uint64_t n);     // in [0, n), unbiased; n > 0

  std::uint64_t position() const { return position_; }  // 32-bit words drawn so far
  void seek(std::uint64_t position) { position_ = position; }

 private:
  std::uint64_t seed_, index_, position_ = 0;
  std::uint32_t purpose_;
  std::uint64_t block_ = ~std::uint64_t{0};
  std::array<std::uint32_t, 4> words_{};
};

// A uniformly random order of 0..n-1 (Fisher-Yates).
std::vector<std::int64_t> permutation(std::int64_t n, Random& random);

}  // namespace calor
