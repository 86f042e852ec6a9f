// zip: archives written by Python's zipfile (through numpy), a zip64 one built here after APPNOTE, and damaged copies.
#include "calor/io/zip.h"

#include <zlib.h>

#include "calor/io/npy.h"
#include "temporary_folder.h"

namespace calor::io {
namespace {

std::string little(std::uint64_t value, int size) {
  std::string bytes;
  for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
  return bytes;
}

// One stored entry whose sizes and offset stand in zip64 fields only, with the zip64 end record and locator.
std::string zip64(const std::string& name, const std::string& content) {
  const std::uint64_t all = 0xFFFFFFFF;
  const std::string crc =
      little(crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size())), 4);
  const std::string size = little(content.size(), 8), fields = little(0, 8) + crc + little(all, 4) + little(all, 4);
  const std::string local = "PK\x03\x04" + little(45, 2) + fields + little(name.size(), 2) + little(20, 2) + name +
                            little(1, 2) + little(16, 2) + size + size + content;
  const std::string central = "PK\x01\x02" + little(45, 2) + little(45, 2) + fields + little(name.size(), 2) +
                              little(28, 2) + little(0, 8) + little(0, 2) + little(all, 4) + name + little(1, 2) +
                              little(24, 2) + size + size + little(0, 8);
  const std::string end64 = "PK\x06\x06" + little(44, 8) + little(45, 2) + little(45, 2) + little(0, 8) + little(1, 8) +
                            little(1, 8) + little(central.size(), 8) + little(local.size(), 8);
  const std::string locator = "PK\x06\x07" + little(0, 4) + little(local.size() + central.size(), 8) + little(1, 4);
  const std::string end = "PK\x05\x06" + little(0, 4) + little(0xFFFF, 2) + little(0xFFFF, 2) + little(all, 4) +
                          little(all, 4) + little(0, 2);
  return local + central + end64 + locator + end;
}

// One field of the first entry in the archive's directory changed.
std::string with_directory_field(std::string bytes, std::size_t at, std::uint64_t value, int size) {
  return bytes.replace(bytes.find("PK\x01\x02") + at, static_cast<std::size_t>(size), little(value, size));
}

TEST(Zip, ListsAndUnpacksWhatNumpyWrote) {
  for (const char* name : {"/stored.npz", "/deflated.npz"}) {
    const std::string bytes = content_of(std::string(CALOR_TEST_FILES) + name);
    ASSERT_TRUE(is_zip(bytes));
    const std::vector<ZipEntry> entries = zip_entries(bytes, name);
    ASSERT_EQ(entries.size(), 2u);
    EXPECT_EQ(entries[0].name, "X.npy");
    EXPECT_EQ(entries[1].name, "y.npy");
    const std::string content = zip_content(bytes, entries[0], name, Context());
    EXPECT_EQ(content.size(), entries[0].size);
    EXPECT_TRUE(is_npy(content));
  }
}

TEST(Zip, Zip64) {
  const std::string bytes = zip64("a.npy", "hello");
  const std::vector<ZipEntry> entries = zip_entries(bytes, "f.npz");
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].size, 5u);
  EXPECT_EQ(zip_content(bytes, entries[0], "f.npz", Context()), "hello");
}

TEST(Zip, EveryTruncationIsRefused) {
  for (const std::string& whole : {content_of(CALOR_TEST_FILES "/deflated.npz"), zip64("a.npy", "hello")})
    for (std::size_t size = 0; size < whole.size(); ++size)
      EXPECT_THROW(
          {
            for (const ZipEntry& entry : zip_entries(whole.substr(0, size), "f"))
              zip_content(whole.substr(0, size), entry, "f", Context());
          },
          Error)
          << size;
}

// No single changed byte may crash; most are noticed, and the content is right whenever none is.
TEST(Zip, EveryDamagedByteIsSurvived) {
  const std::string whole = content_of(CALOR_TEST_FILES "/deflated.npz");
  const std::string truth = zip_content(whole, zip_entries(whole, "f")[0], "f", Context());
  Context context;
  context.memory = MemoryLimit(100'000'000);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(~damaged[at]);
    try {
      for (const ZipEntry& entry : zip_entries(damaged, "f"))
        if (entry.name == "X.npy") {
          EXPECT_EQ(zip_content(damaged, entry, "f", context), truth) << at;
        }
    } catch (const Error& error) {
      EXPECT_TRUE(error.fault() == Fault::input || error.fault() == Fault::memory) << at;
    }
  }
}

TEST(Zip, ErrorsNameArchiveAndEntry) {
  std::string bytes = zip64("a.npy", "hello");
  expect_error(Fault::input, {"truncated", "f.npz"}, [&] { zip_entries(bytes.substr(0, 40), "f.npz"); });
  bytes[bytes.find("hello")] = 'j';
  expect_error(Fault::input, {"checksum", "f.npz", "\"a.npy\""},
               [&] { zip_content(bytes, zip_entries(bytes, "f.npz")[0], "f.npz", Context()); });
  bytes = with_directory_field(bytes, 8, 1, 2);
  expect_error(Fault::input, {"encrypted"}, [&] { zip_content(bytes, zip_entries(bytes, "f.npz")[0], "f.npz", Context()); });
  bytes = with_directory_field(with_directory_field(bytes, 8, 0, 2), 10, 12, 2);
  expect_error(Fault::input, {"method 12", "savez"}, [&] { zip_content(bytes, zip_entries(bytes, "f.npz")[0], "f.npz", Context()); });
}

// A wrong size is refused, and a huge one before it is allocated, whether the packed size agrees or not.
TEST(Zip, WantsExactlyTheAnnouncedSize) {
  const std::string whole = content_of(CALOR_TEST_FILES "/deflated.npz");
  const ZipEntry truth = zip_entries(whole, "f.npz")[0];
  const auto refused = [](const std::string& bytes, const char* text) {
    expect_error(Fault::input, {"[zip]", "f.npz", "\"X.npy\"", text}, [&] { zip_content(bytes, zip_entries(bytes, "f.npz")[0], "f.npz", Context()); });
  };
  for (const std::uint64_t size : {truth.size - 1, truth.size + 1, std::uint64_t{0}}) refused(with_directory_field(whole, 24, size, 4), "content");
  const std::string huge = with_directory_field(whole, 24, 0xFFFFFFF0, 4);
  refused(huge, "announced");
  refused(with_directory_field(huge, 20, 0xFFFFFFF0, 4), "announced");
}

// As many entries as the file claims would take more memory than there is.
TEST(Zip, WantsTheAnnouncedEntries) {
  for (const std::uint64_t count : {std::uint64_t{2}, std::uint64_t{1} << 32, std::uint64_t{1} << 58}) {
    std::string bytes = zip64("a.npy", "hello");
    bytes.replace(bytes.find("PK\x06\x06") + 24, 16, little(count, 8) + little(count, 8));
    expect_error(Fault::input, {"[zip]", "f.npz"}, [&] { zip_entries(bytes, "f.npz"); });
  }
}

class Workbook : public TemporaryFolder {};
TEST_F(Workbook, IsRecognised) {
  expect_error(Fault::input, {"Excel workbook", "save the sheet as csv"},
               [&] { load("a.xlsx", zip64("xl/workbook.xml", "<x/>")); });
}

}  // namespace
}  // namespace calor::io
