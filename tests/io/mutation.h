// Damage to a valid input, drawn from a seed: whatever it is, a parser gives an answer or an Error, within its memory limit.
#pragma once

#include <algorithm>
#include <string>

#include "calor/core/error.h"
#include "calor/core/progress.h"
#include "calor/core/random.h"
#include "temporary_folder.h"

namespace calor::io {

// One to four changes: bits, bytes of note, numbers of 1 to 8 bytes (and digits, as texts hold them), parts cut out, doubled or moved, the end cut off.
inline std::string mutated(std::string bytes, Random& random) {
  static constexpr std::string_view notable("\0\1\x7f\x80\xff\n\r ,-%0129e.\"<>[]", 22);
  static constexpr std::string_view words[] = {"-1", "4294967296", "9223372036854775807", "-9223372036854775808", "1e999", "nan", "\n\n", "<a>", "&#x0;"};
  for (std::uint64_t changes = 1 + random.below(4); changes > 0 && !bytes.empty(); --changes) {
    const std::size_t at = random.below(bytes.size()), left = bytes.size() - at;
    const std::size_t size = 1 + random.below(std::min<std::size_t>(left, 16));
    switch (random.below(8)) {
      case 0: bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8))); break;
      case 1: bytes[at] = notable[random.below(notable.size())]; break;
      case 2: std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), std::min<std::size_t>(size, 8), random.below(2) ? '\xff' : '\0'); break;
      case 3: bytes.erase(at, size); break;
      case 4: bytes.insert(at, bytes.substr(random.below(bytes.size()), size)); break;
      case 5: bytes.replace(at, size, bytes.substr(random.below(bytes.size()), size)); break;
      case 6: bytes.replace(at, 1 + random.below(2), words[random.below(std::size(words))]); break;
      default:
        if (random.below(8) == 0) bytes.resize(at);
        else bytes[at] = static_cast<char>(random.below(256));
    }
  }
  return bytes;
}

// Calls parse(damaged bytes, context) so many times; a few of the answers may be sound.
template <class Parse>
void expect_survival(const std::string& whole, int times, const Parse& parse) {
  Context context;
  context.memory = MemoryLimit(64 << 20);
  int refused = 0;
  for (int i = 0; i < times; ++i) {
    Random random(1, Purpose::test, static_cast<std::uint64_t>(i));
    const std::string damaged = mutated(whole, random);
    try {
      parse(damaged, context);
    } catch (const Error& error) {
      ++refused;
      EXPECT_TRUE(error.fault() == Fault::input || error.fault() == Fault::memory) << i << ": " << error.what();
    }
  }
  EXPECT_GT(refused, times / 20) << "the damage does not reach the parser";
}

}  // namespace calor::io
