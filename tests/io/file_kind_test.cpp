// Which of Calor's own files a file is, and what it is called where another is expected.
#include "calor/io/file_kind.h"

#include <cstdint>

#include "calor/io/safetensors.h"
#include "temporary_folder.h"

namespace calor::io {
namespace {

class FileKinds : public TemporaryFolder {
 protected:
  std::string tensors(const char* key, const char* mark) const {
    Safetensors content;
    if (*key) content.metadata[key] = mark;
    content.tensors["values"] = {"F32", {2}, std::vector<std::uint8_t>(8)};
    write_safetensors(path("file"), content);
    return path("file");
  }
};

TEST_F(FileKinds, AreToldByTheirContent) {
  EXPECT_EQ(file_kind(tensors("format", fit_mark)).kind, FileKind::fit);
  EXPECT_EQ(file_kind(tensors("format", "calor-fit-2")).kind, FileKind::fit);  // of a later version: its reader says so
  EXPECT_EQ(file_kind(tensors("kind", network_mark)).kind, FileKind::network);
  EXPECT_EQ(file_kind(tensors("kind", propagator_mark)).kind, FileKind::propagator);
  EXPECT_EQ(file_kind(tensors("kind", translation_mark)).kind, FileKind::translation);
  EXPECT_EQ(file_kind(tensors("kind", checkpoint_mark)).kind, FileKind::checkpoint);
  EXPECT_EQ(file_kind(tensors("format", "pt")).kind, FileKind::foreign);
  EXPECT_EQ(file_kind(tensors("", "")).kind, FileKind::foreign);
  EXPECT_EQ(file_kind(write("m.json", R"( {"schema": 1, "weights": "w.safetensors", "layers": [{"query": "q"}]})")).kind, FileKind::mapping);
  const FileKind results = file_kind(write("r.json", R"({"figures": {"kind": "no"}, "kind": "limit-data", "rows": [[1], {"a": 2}], "schema": 1})"));
  EXPECT_EQ(results.kind, FileKind::results);
  EXPECT_EQ(results.what, "results of calor limit in JSON");
}

TEST_F(FileKinds, OfOthersAreLeftToTheirReader) {
  const std::string whole = content_of(tensors("kind", network_mark));
  for (const std::string& content : {std::string(), std::string("{"), std::string("a,b\n1,2\n"), whole.substr(0, 40), std::string(8, '\xff') + whole.substr(8),
                                     std::string(R"({"kind": "run"})"), std::string(R"({"schema": 1})"), std::string("[1, 2]"), std::string(300, '[')})
    EXPECT_EQ(file_kind(write("other", content)).kind, FileKind::other) << content.substr(0, 20);
  EXPECT_EQ(file_kind(path("missing")).kind, FileKind::other);
  EXPECT_EQ(file_kind(path("")).kind, FileKind::other);
}

// A header of 123 bytes begins with the byte of a brace.
TEST_F(FileKinds, AHeaderIsNoJsonWhateverItsLength) {
  Safetensors content;
  content.metadata["kind"] = propagator_mark;
  for (std::size_t length = 0; length < 200; ++length) {
    content.metadata["data"] = std::string(length, 'x');
    std::string bytes = serialise(content);
    while ((static_cast<unsigned char>(bytes[0]) & 7) != 3) {  // blanks may follow the header
      const auto header = static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[0])) + 256u * static_cast<unsigned char>(bytes[1]);
      bytes.insert(8 + header, 1, ' ');
      bytes[0] = static_cast<char>((header + 1) & 255);
      bytes[1] = static_cast<char>((header + 1) >> 8);
    }
    EXPECT_EQ(file_kind(write("file", bytes)).kind, FileKind::propagator) << length;
  }
}

TEST_F(FileKinds, AreNamedWithWhatTakesThem) {
  const auto expect = [&] { return expect_kind(path("file"), {FileKind::network, FileKind::mapping}, "inspect", "attention heads"); };
  tensors("kind", propagator_mark);
  expect_error(Fault::input, {"[inspect] expected attention heads, found a propagator of calor train (" + path("file") + "): predict new points with calor predict"}, expect);
  tensors("format", fit_mark);
  expect_error(Fault::input, {"found a fit of calor run (", "place new points with calor apply"}, expect);
  tensors("kind", checkpoint_mark);
  expect_error(Fault::input, {"found a checkpoint of calor train", "give the command that began it once more"}, expect);
  tensors("format", "pt");
  expect_error(Fault::input, {"written by another program", "give the file that --save wrote"}, expect);
  tensors("kind", network_mark);
  EXPECT_EQ(expect(), FileKind::network);
  write("file", "a,b\n");
  EXPECT_EQ(expect(), FileKind::other);
}

}  // namespace
}  // namespace calor::io
