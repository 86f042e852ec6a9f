// safetensors: a file written by the Python package, round trips, and every damage the format forbids.
#include "calor/io/safetensors.h"

#include <cstring>

#include "temporary_folder.h"

namespace calor::io {
namespace {

template <class T>
std::vector<std::uint8_t> bytes_of(std::initializer_list<T> values) {
  std::vector<std::uint8_t> bytes(values.size() * sizeof(T));
  std::memcpy(bytes.data(), values.begin(), bytes.size());
  return bytes;
}

class SafetensorsFile : public TemporaryFolder {
 protected:
  // A file with that header text and so many bytes of data.
  std::string raw(const std::string& header, std::size_t data) const {
    std::string bytes;
    for (int i = 0; i < 8; ++i) bytes += static_cast<char>(header.size() >> (8 * i) & 0xff);
    return write("raw.safetensors", bytes + header + std::string(data, '\0'));
  }
  void expect_bad(const std::string& header, std::size_t data, std::initializer_list<std::string_view> texts) const {
    raw(header, data);
    expect_error(Fault::input, texts, [&] { read_safetensors(path("raw.safetensors")); });
  }
};

TEST_F(SafetensorsFile, ReadsWhatPythonWrote) {
  const Safetensors content = read_safetensors(CALOR_TEST_FILES "/python.safetensors");
  EXPECT_EQ(content.metadata, (std::map<std::string, std::string>{{"made_by", "safetensors"}, {"note", "é"}}));
  ASSERT_EQ(content.tensors.size(), 4u);
  const Tensor& weight = content.tensors.at("weight");
  EXPECT_EQ(weight.dtype, "F32");
  EXPECT_EQ(weight.shape, (Labels{2, 3}));
  EXPECT_EQ(weight.bytes, bytes_of<float>({0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(content.tensors.at("step").bytes, bytes_of<std::int64_t>({7}));
  EXPECT_EQ(content.tensors.at("mask").bytes, bytes_of<std::uint8_t>({1, 0, 1}));
  EXPECT_EQ(content.tensors.at("empty").shape, (Labels{0, 4}));
}

TEST_F(SafetensorsFile, RoundTripWithAlignedData) {
  Safetensors content;
  content.metadata = {{"classes", "[\"a\",\"b\\n\"]"}, {"empty", ""}};
  content.tensors["flags"] = {"U8", {3}, bytes_of<std::uint8_t>({1, 2, 3})};
  content.tensors["a"] = {"F64", {1, 2}, bytes_of<double>({0.5, -1})};
  content.tensors["half"] = {"BF16", {1}, {0x80, 0x3f}};
  content.tensors["scalar"] = {"F32", {}, bytes_of<float>({2.5f})};
  write_safetensors(path("m.safetensors"), content);
  const Safetensors back = read_safetensors(path("m.safetensors"));
  EXPECT_EQ(back.metadata, content.metadata);
  ASSERT_EQ(back.tensors.size(), content.tensors.size());
  for (const auto& [name, tensor] : content.tensors) {
    EXPECT_EQ(back.tensors.at(name).dtype, tensor.dtype);
    EXPECT_EQ(back.tensors.at(name).shape, tensor.shape);
    EXPECT_EQ(back.tensors.at(name).bytes, tensor.bytes);
  }
  const std::string file = content_of(path("m.safetensors"));
  EXPECT_EQ(static_cast<unsigned char>(file[0]) % 8, 0) << "the data must begin at a multiple of 8";
  EXPECT_EQ(file, serialise(content));
  EXPECT_EQ(file.size() - 8 - static_cast<unsigned char>(file[0]) - 256u * static_cast<unsigned char>(file[1]),
            3u + 16 + 2 + 4);
}

TEST_F(SafetensorsFile, EmptyContent) {
  write_safetensors(path("none.safetensors"), {});
  EXPECT_TRUE(read_safetensors(path("none.safetensors")).tensors.empty());
}

TEST_F(SafetensorsFile, EveryTruncationIsRefused) {
  const std::string whole = content_of(CALOR_TEST_FILES "/python.safetensors");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write("cut.safetensors", whole.substr(0, size));
    expect_error(Fault::input, {"[safetensors]", "cut.safetensors"},
                 [&] { read_safetensors(path("cut.safetensors")); });
  }
}

TEST_F(SafetensorsFile, EveryDamagedHeaderByteIsSurvived) {
  const std::string whole = content_of(CALOR_TEST_FILES "/python.safetensors");
  for (std::size_t at = 0; at + 43 < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x11);
    write("damaged.safetensors", damaged);
    try {
      read_safetensors(path("damaged.safetensors"));  // a changed name or metadata text is another valid file
    } catch (const Error& error) {
      EXPECT_EQ(error.fault(), Fault::input) << at;
    }
  }
}

TEST_F(SafetensorsFile, HugeHeaderLength) {
  write("huge.safetensors", std::string(7, '\xff') + "\x7f{}");
  expect_error(Fault::input, {"header of at most 2 bytes"}, [&] { read_safetensors(path("huge.safetensors")); });
}

TEST_F(SafetensorsFile, OffsetsMustFit) {
  expect_bad(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4, {"within 4 bytes", "\"a\"", "0 to 8"});
  expect_bad(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8, {"\"a\"", "8 to 0"});
  expect_bad(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8,
             {"expected 12 bytes for tensor \"a\"", "found 8"});
  expect_bad(
      R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
      12, {"\"b\"", "overlaps"});
  expect_bad(
      R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}})", 6,
      {"\"b\"", "belong to no tensor"});
  expect_bad(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", 6, {"expected 2 bytes of data, found 6"});
  expect_bad(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})", 3, {"\"a\"", "begin at byte 0"});
}

TEST_F(SafetensorsFile, ShapesMustBeCountable) {
  expect_bad(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4611686018427387904],"data_offsets":[0,4]}})", 4,
             {"\"a\"", "countable"});
  expect_bad(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4, {"whole numbers", "\"a\""});
  expect_bad(R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}})", 4, {"whole numbers", "\"a\""});
  expect_bad(R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,4]}})", 4,
             {"whole numbers", "\"a\""});
  expect_bad(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551615]}})", 4,
             {"two offsets", "\"a\""});
  expect_bad(R"({"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}})", 4, {"\"a\""});
}

TEST_F(SafetensorsFile, HeaderMustBeWellFormed) {
  expect_bad("[]", 0, {"JSON object"});
  expect_bad("{", 0, {"JSON header"});
  expect_bad("{\"a\":1}", 0, {"\"a\""});
  expect_bad("{\"a\":{\"dtype\":\"F32\"}}", 0, {"dtype, shape and data_offsets", "\"a\""});
  expect_bad(R"({"a":{"dtype":"F31","shape":[],"data_offsets":[0,4]}})", 4, {"known dtype", "\"a\"", "F31"});
  expect_bad(
      R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1,
      {"\"a\" twice"});
  expect_bad(R"({"__metadata__":{"k":1}})", 0, {"metadata \"k\""});
  expect_bad(R"({"__metadata__":[]})", 0, {"metadata"});
  expect_bad("{\"\xff\":{}}", 0, {"JSON header"});
  expect_bad(std::string(100'000, '[').insert(0, "{\"a\":"), 0, {"JSON header"});
}

TEST_F(SafetensorsFile, WritingChecksItsInput) {
  Safetensors content;
  content.tensors["a"] = {"F32", {2}, {0, 0, 0, 0}};
  expect_error(Fault::internal, {"8 bytes", "\"a\"", "found 4"}, [&] { serialise(content); });
  content.tensors["a"] = {"Q9", {}, {}};
  expect_error(Fault::internal, {"\"a\""}, [&] { serialise(content); });
  content.tensors.clear();
  content.metadata["k"] = "\xff";
  expect_error(Fault::input, {"UTF-8"}, [&] { serialise(content); });
}

}  // namespace
}  // namespace calor::io
