// SHA-256 against the vectors of FIPS 180-4 (the NIST examples), whole and in pieces.
#include "calor/io/hash.h"

#include <gtest/gtest.h>

namespace calor::io {
namespace {

TEST(Sha256, MatchesThePublishedVectors) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmno"
                   "pqrstnopqrstu"),
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
  EXPECT_EQ(sha256(std::string(1'000'000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// The rest of a text plus padding needs one block up to 55 bytes and two from 56; hashes by coreutils' sha256sum.
TEST(Sha256, PadsAroundTheBlockSize) {
  EXPECT_EQ(sha256(std::string(55, 'x')), "d5e285683cd4efc02d021a5c62014694958901005d6f71e89e0989fac77e4072");
  EXPECT_EQ(sha256(std::string(56, 'x')), "04c26261370ee7541549d16dee320c723e3fd14671e66a099afe0a377c16888e");
  EXPECT_EQ(sha256(std::string(63, 'x')), "75220b47218278e656f2013bb8f0c455a25eaf01e86c64924e9d48d89776d6f2");
  EXPECT_EQ(sha256(std::string(64, 'x')), "7ce100971f64e7001e8fe5a51973ecdfe1ced42befe7ee8d5fd6219506b5393c");
  EXPECT_EQ(sha256(std::string(65, 'x')), "9537c5fdf120482f7d58d25e9ed583f52c02b4e304ea814db1633ad565aed7e9");
}

TEST(Sha256, PiecesGiveTheHashOfTheWhole) {
  const std::string bytes(1000, 'x');
  for (const std::size_t piece : {1, 63, 64, 65, 999}) {
    Sha256 hash;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      EXPECT_EQ(hash.hex(), sha256(bytes.substr(0, at)));
      hash.add(std::string_view(bytes).substr(at, piece));
    }
    EXPECT_EQ(hash.hex(), sha256(bytes)) << piece;
  }
}

}  // namespace
}  // namespace calor::io
