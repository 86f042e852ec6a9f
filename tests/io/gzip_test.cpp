// gzip: contents packed by zlib here, and every way of damaging them.
#include "calor/io/gzip.h"

#include "calor/core/random.h"
#include "pack.h"
#include "temporary_folder.h"

namespace calor::io {
namespace {

std::string noise(std::size_t size) {
  Random random(1, Purpose::test);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.below(40) + 'A');
  return bytes;
}

TEST(Gunzip, GivesBackTheContent) {
  for (const std::size_t size : {0, 1, 1000, 65536, 65537, 300000})
    EXPECT_EQ(gunzip(pack(noise(size)), "f", Context()), noise(size)) << size;
  EXPECT_EQ(gunzip(pack(std::string(5'000'000, 'a')), "f", Context()), std::string(5'000'000, 'a'));
}

TEST(Gunzip, JoinsMembersAndSkipsZeroPadding) {
  EXPECT_EQ(gunzip(pack("one ") + pack("two"), "f", Context()), "one two");
  EXPECT_EQ(gunzip(pack("one") + std::string(512, '\0'), "f", Context()), "one");
}

TEST(Gunzip, RefusesEveryTruncation) {
  const std::string packed = pack(noise(500));
  for (std::size_t size = 0; size < packed.size(); ++size)
    expect_error(Fault::input, {"[gzip]", "f.gz"}, [&] { gunzip(packed.substr(0, size), "f.gz", Context()); });
  expect_error(Fault::input, {"ends early"}, [&] { gunzip(packed.substr(0, packed.size() - 1), "f.gz", Context()); });
  // A second member that is cut.
  expect_error(Fault::input, {"ends early"}, [&] { gunzip(pack("one") + packed.substr(0, 40), "f.gz", Context()); });
}

TEST(Gunzip, RefusesDamageAndGarbage) {
  std::string damaged = pack(noise(500));
  damaged[damaged.size() - 6] ^= 1;  // in the checksum
  expect_error(Fault::input, {"incorrect data check"}, [&] { gunzip(damaged, "f.gz", Context()); });
  expect_error(Fault::input, {"found 7 more bytes", "f.gz"},
               [&] { gunzip(pack("one") + "garbage", "f.gz", Context()); });
}

TEST(Gunzip, ChecksMemoryAsTheContentGrows) {
  Context context;
  context.memory = MemoryLimit(1 << 20);
  expect_error(Fault::memory, {"unpacked content of bomb.gz"},
               [&] { gunzip(pack(std::string(50'000'000, 'a')), "bomb.gz", context); });
}

// Every size of piece gives the same content as all at once, past ends of members, and again after going back.
TEST(GunzipStream, AnyPieces) {
  const std::string content = noise(70'000) + noise(300);
  const std::string packed = pack(noise(70'000)) + pack("") + pack(noise(300)) + std::string(512, '\0');
  GunzipStream stream(packed, "f");
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{4096}, content.size(), content.size() + 1}) {
    std::string back, room(piece, '\0');
    for (std::size_t got = 1; got > 0;) {
      got = stream.read(room.data(), piece);
      EXPECT_TRUE(got == piece || back.size() + got == content.size());
      back.append(room, 0, got);
    }
    EXPECT_EQ(back, content) << piece;
    EXPECT_EQ(stream.read(room.data(), piece), 0u);
    EXPECT_EQ(stream.packed_read(), packed.size());
    stream.rewind();
    EXPECT_EQ(stream.packed_read(), 0u);
  }
  std::string middle(100, '\0');
  stream.read(middle.data(), middle.size());
  stream.rewind();
  std::string begin(9, '\0');
  EXPECT_EQ(stream.read(begin.data(), 9), 9u);
  EXPECT_EQ(begin, content.substr(0, 9));
}

// The whole content comes before the checksum, so it is the read of the end that fails.
TEST(GunzipStream, DamageIsFoundAtTheEnd) {
  const auto drain = [](const std::string& packed) {
    GunzipStream stream(packed, "f.gz");
    char room[100];
    while (stream.read(room, sizeof room) > 0) {
    }
  };
  std::string damaged = pack(noise(500));
  for (std::size_t size = 0; size < damaged.size(); ++size)
    expect_error(Fault::input, {"[gzip]", "f.gz"}, [&] { drain(damaged.substr(0, size)); });
  expect_error(Fault::input, {"found 7 more bytes"}, [&] { drain(damaged + "garbage"); });
  damaged[damaged.size() - 6] ^= 1;
  expect_error(Fault::input, {"incorrect data check"}, [&] { drain(damaged); });
}

}  // namespace
}  // namespace calor::io
