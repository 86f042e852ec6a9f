// Pickles that Python wrote in every protocol (files/make.py), ones of Python 2 and hostile ones written here by hand, and damaged ones.
#include "calor/io/pickle.h"

#include <cmath>
#include <limits>

#include "archives.h"
#include "mutation.h"
#include "sparse_matrices.h"

namespace calor::io {
namespace {

using namespace std::string_literals;

std::string file(const std::string& name) { return content_of(fmt::format("{}/pickles/{}.pickle", CALOR_TEST_FILES, name)); }
Pickle read(const std::string& bytes) { return Pickle(bytes, "f.pickle", Context()); }

void expect_refused(const std::string& bytes, std::initializer_list<std::string_view> says, Fault fault = Fault::input) {
  expect_error(fault, says, [&] { read(bytes); });
}

std::string sized(char op, const std::string& text, int size) { return op + little_endian(text.size(), size) + text; }
std::string python2_text(const std::string& text) { return sized('U', text, 1); }

// As numpy before 1.16 and Python 2 pickled an array.
std::string python2_array(const std::string& type, const std::string& shape, const std::string& data, char order = '<') {
  return "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\1b\x87R(K\1"s + shape + "cnumpy\ndtype\n" + python2_text(type) + "K\0K\1\x87R(K\3U\1"s + order +
         "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89"s + sized('T', data, 4) + "tb";
}

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

using Ints = std::vector<std::int32_t>;

// A matrix of 2 x 3, as scipy 0.1x pickled it.
std::string python2_csr(const Ints& indptr, const Ints& indices, const std::vector<float>& values, const std::string& shape = "K\2K\3\x86") {
  const auto list = [](std::size_t size) { return "K"s + static_cast<char>(size) + "\x85"; };
  return "\x80\2cscipy.sparse.csr\ncsr_matrix\n)\x81}("s + python2_text("format") + python2_text("csr") + python2_text("_shape") + shape + python2_text("indptr") +
         python2_array("i4", list(indptr.size()), bytes_of(indptr)) + python2_text("indices") + python2_array("i4", list(indices.size()), bytes_of(indices)) + python2_text("data") +
         python2_array("f4", list(values.size()), bytes_of(values)) + "ub.";
}

TEST(Pickle, ArraysAndMatricesOfEveryProtocol) {
  for (int protocol = 0; protocol < 6; ++protocol) {
    for (const char* name : {"csr", "array"}) {
      const Pickle pickle = read(file(fmt::format("{}_{}", name, protocol)));
      const SparseMatrix matrix = pickle.matrix(pickle.root(), "features");
      EXPECT_EQ(matrix.rows, 6);
      EXPECT_EQ(dense(matrix), dense(6, 3, s_at)) << name << protocol;
    }
    const Pickle table = read(file(fmt::format("dense_{}", protocol)));
    EXPECT_EQ(dense(table.matrix(table.root(), "features")), dense(2, 3, x_at)) << protocol;
    const Pickle texts = read(file(fmt::format("texts_{}", protocol)));
    EXPECT_EQ(array_labels(texts.array(texts.root(), "names"), 0).texts(), (Strings{"ash", "céder"})) << protocol;
    const Pickle none = read(file(fmt::format("none_{}", protocol)));
    EXPECT_EQ(none.array(none.root(), "nothing").shape, (Labels{0, 3})) << protocol;
    EXPECT_EQ(none.matrix(none.root(), "nothing").columns, 3) << protocol;
    const Pickle objects = read(file(fmt::format("objects_{}", protocol)));
    const PickleValue& list = *objects.root().items.at(0);
    ASSERT_EQ(list.items.size(), 3u);
    EXPECT_TRUE(list.items[0]->is_text("ash") && list.items[1]->is_text("céder") && list.items[2]->whole == 3) << protocol;
    expect_error(Fault::input, {"array of numbers or texts as names, found one of other things", "f.pickle"}, [&] { objects.array(objects.root(), "names"); });
  }
}

TEST(Pickle, DictionariesOfEveryProtocol) {
  for (int protocol = 0; protocol < 6; ++protocol) {
    const Pickle pickle = read(file(fmt::format("graph_{}", protocol)));
    const PickleValue& graph = pickle.root();
    ASSERT_EQ(graph.kind, PickleKind::dictionary);
    ASSERT_EQ(graph.items.size(), 6u);
    EXPECT_EQ(graph.items[0]->whole, 0);
    EXPECT_EQ(graph.items[1]->items.size(), 2u);
    EXPECT_EQ(graph.items[1]->items[1]->whole, 2);
    expect_error(Fault::input, {"csr matrix as features, found a dictionary"}, [&] { pickle.matrix(graph, "features"); });
  }
}

TEST(Pickle, Python2) {
  const Pickle pickle = read(python2_csr({0, 2, 3}, {2, 0, 1}, {0.5, -1, 4}));
  const SparseMatrix matrix = pickle.matrix(pickle.root(), "features");
  EXPECT_EQ(dense(matrix), (Numbers{-1, 0, 0.5, 0, 4, 0}));
  const Pickle big = read("\x80\2" + python2_array("i2", "K\2\x85", "\0\1\1\0"s, '>') + ".");
  EXPECT_EQ(array_values(big.array(big.root(), "numbers"), "f", Context()), (Numbers{1, 256}));
}

TEST(Pickle, NumbersAndTexts) {
  const auto whole = [](const std::string& bytes) {
    const Pickle pickle = read(bytes + ".");
    return pickle.root().kind == PickleKind::whole ? pickle.root().whole : -12345;
  };
  EXPECT_EQ(whole("I-17\n"), -17);
  EXPECT_EQ(whole("L9223372036854775807L\n"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(whole("J\xfe\xff\xff\xff"), -2);
  EXPECT_EQ(whole("M\1\2"), 513);
  EXPECT_EQ(whole("\x8a\0"s), 0);
  EXPECT_EQ(whole("\x8a\1\xff"), -1);
  EXPECT_EQ(whole("\x8a\2\0\1"s), 256);
  EXPECT_EQ(whole("\x8b\x08\0\0\0\0\0\0\0\0\0\0\x80"s), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(read("I01\n.").root().kind, PickleKind::boolean);
  EXPECT_EQ(read("F-1.5e3\n.").root().real, -1500);
  EXPECT_EQ(read("G\x3f\xf8\0\0\0\0\0\0."s).root().real, 1.5);
  EXPECT_EQ(read("N.").root().kind, PickleKind::none);
  const auto text = [](const std::string& bytes) {
    const Pickle pickle = read(bytes);
    return std::string(pickle.root().text);
  };
  EXPECT_EQ(text("S'a\\x41\\n\\'\\\\\\q'\n."), "aA\n'\\\\q");
  EXPECT_EQ(text("V\\u00e9\\U0001F600\xe9\n."), "é😀é");
  EXPECT_EQ(text("\x8c\2\xc3\xa9."), "é");
  EXPECT_EQ(text("c_codecs\nencode\n(V\\u00e9a\nVlatin1\ntR."), "\xe9" "a") << "bytes as Python 3 writes them for Python 2";
  EXPECT_EQ(text("c__builtin__\nbytes\n)R."), "");
  EXPECT_EQ(read("K\1K\2" "0.").root().whole, 1);
  EXPECT_EQ(read("K\1(K\2K\3" "1.").root().whole, 1);
  EXPECT_EQ(read("]2.").root().kind, PickleKind::list);
}

TEST(Pickle, OtherClassesAndFunctionsAreRefusedByName) {
  expect_refused("cos\nsystem\n(S'echo'\ntR.", {"[pickle]", "found \"os.system\"", "f.pickle, byte 1", "numpy.savez"});
  expect_refused("\x80\4\x8c\2os\x8c\6system\x93.", {"\"os.system\"", "byte 15"});
  expect_refused("c__builtin__\neval\n.", {"\"__builtin__.eval\""});
  expect_refused("cnumpy\nload\n.", {"\"numpy.load\""});
  expect_refused("ccollections.defaultdict\nlist\n.", {"\"collections.defaultdict.list\""}, Fault::input);
  // What is on the list is called for what it is alone.
  expect_refused("c_codecs\nencode\n(Va\nVrot13\ntR.", {"a call of encode"});
  expect_refused("ccopy_reg\n_reconstructor\n(c__builtin__\nobject\nc__builtin__\nobject\nNtR.", {"a call of _reconstructor"});
  expect_refused("c__builtin__\nlist\n)R.", {"a call of list"});
  expect_refused("c__builtin__\nbytes\n(K\2tR.", {"a call of bytes"});
  expect_refused("cnumpy\ndtype\n)R.", {"argument 1 of dtype, found none"});
  expect_refused("c__builtin__\nobject\n)\x81.", {"a new sparse matrix, found object"});
  expect_refused("K\1)R.", {"a class or function as what is called, found a whole number"});
  expect_refused("c__builtin__\nlist\nK\1R.", {"a tuple as arguments"});
  expect_refused("]}b.", {"to build, found a list"});
  for (const char* op : {"Pid\n", "K\1Q", "(ios\nsystem\n", "(cos\nsystem\no", "\x82\1", "\x83\1\1", "\x8f", "\x90", "\x91", "\x92", "\x97", "\x98", "\xff", "~"}) expect_refused(fmt::format("{}.", op), {"[pickle]", "byte"});
  expect_refused("~.", {"an opcode of numbers, texts", "found \"~\"", "byte 1"});
  expect_refused("\x80\2\x8f.", {"0x8f", "byte 3"});
  expect_refused("\x80\6.", {"protocol 0 to 5, found 6"});
}

TEST(Pickle, StackMarksAndMemoAreChecked) {
  expect_refused("", {"1 more byte, found 0", "byte 1", "truncated"});
  expect_refused(".", {"a value on the stack, found none"});
  for (const char* bytes : {"0.", "K\1\x86.", "t.", "e.", "u.", "1.", "s.", "R.", "b.", "\x81.", "\x93.", "2.", "q\1.", "(.", "](a.", "K\1(0" "00."}) expect_refused(bytes, {"[pickle]", "found none"});
  expect_refused("K\1a.", {"a value on the stack, found none"});
  expect_refused("K\1K\1a.", {"a list as what is added to, found a whole number"});
  expect_refused("}(K\1u.", {"a value of every key"});
  expect_refused("h\5.", {"number of a value that came before, found 5", "byte 1"});
  expect_refused("j\xff\xff\xff\xff.", {"found 4294967295"});
  expect_refused("g-1\n.", {"number of a value that came before"});
  EXPECT_EQ(read("K\7r\xff\xff\xff\xff" "0j\xff\xff\xff\xff.").root().whole, 7) << "a large number needs no large table";
  EXPECT_EQ(read("]q\0h\0a."s).root().items.size(), 1u) << "a list in itself";
}

TEST(Pickle, LengthsAreChecked) {
  expect_refused("T\xff\xff\xff\x7f" "a.", {"2147483647 more bytes, found 2", "truncated"});
  expect_refused("\x8e\xff\xff\xff\xff\xff\xff\xff\xff" "a.", {"18446744073709551615 more bytes"});
  expect_refused("\x8d\0\0\0\0\0\0\0\x80" "a."s, {"9223372036854775808 more bytes"});
  expect_refused("\x95\xff\xff\xff\xff\xff\xff\xff\xffK\1.", {"a frame of at most 3 bytes"});
  expect_refused("\x8b\xff\xff\xff\xff.", {"a whole number of at most 64 bits, found one of 4294967295 bytes"});
  expect_refused("\x8a\x09" "123456789.", {"one of 9 bytes"});
  expect_refused("I99999999999999999999\n.", {"at most 64 bits", "\"99999999999999999999\""});
  expect_refused("I1", {"a line, found no end of it"});
  expect_refused("Sabc\n.", {"a text in quotes, found \"abc\""});
  expect_refused("S'\n.", {"a text in quotes"});
  expect_refused("V\\u12\n.", {"a character's number"});
  expect_refused("V\\UFFFFFFFF\n.", {"a character's number"});
  expect_refused("Fx\n.", {"a number, found \"x\""});
  expect_refused("c_codecs\nencode\n(V\\u0100\nVlatin1\ntR.", {"characters of latin1"});
}

TEST(Pickle, ArraysAreChecked) {
  const auto bad = [](const std::string& array, std::initializer_list<std::string_view> says) { expect_refused("\x80\2" + array + ".", says); };
  bad(python2_array("f8", "K\2\x85", "1234567"), {"expected 16 bytes of data for shape (2), found 7", "byte"});
  bad(python2_array("f8", "J\xff\xff\xff\xff\x85", ""), {"none below 0, found -1"});
  bad(python2_array("f8", "\x8a\x08\0\0\0\0\0\0\0\x40\x8a\x08\0\0\0\0\0\0\0\x40\x86"s, ""), {"memory can hold"});
  bad(python2_array("f8", "(" + std::string(99, '\x88') + "t", ""), {"a whole number as a dimension, found a truth value"});
  std::string dimensions = "(";
  for (int i = 0; i < 33; ++i) dimensions += "K\1";
  bad(python2_array("f8", dimensions + "t", "12345678"), {"at most 32 dimensions"});
  bad(python2_array("c8", "K\1\x85", "12345678"), {"found type \"c8\""});
  bad(python2_array("V8", "K\1\x85", "12345678"), {"found type \"V8\""});
  bad(python2_array("O8", "K\1\x85", "12345678"), {"a list as an array's objects"});
  expect_refused("\x80\2" "cnumpy\ndtype\nU\2f8K\0K\1\x87R(K\3U\1<N(NtNK\1K\1K\0tb."s, {"one of records"});
  expect_refused("\x80\2" "cnumpy\ndtype\nU\2f8K\0K\1\x87R(K\3tb."s, {"a type's state of 8 parts, found 1"});

  const auto bad_matrix = [](const std::string& bytes, std::initializer_list<std::string_view> says, Fault fault = Fault::input) {
    const Pickle pickle = read(bytes);
    expect_error(fault, says, [&] { pickle.matrix(pickle.root(), "features"); });
  };
  bad_matrix(python2_csr({0, 2, 3}, {2, 0, 3}, {1, 1, 1}), {"indices from 0 to 2, found 3", "f.pickle, features, entry 3"});
  bad_matrix(python2_csr({0, 2, 3}, {2, 0, -1}, {1, 1, 1}), {"found -1"});
  bad_matrix(python2_csr({0, 2}, {2, 0, 1}, {1, 1, 1}), {"expected 3 row pointers"});
  bad_matrix(python2_csr({0, 2, 4}, {2, 0, 1}, {1, 1, 1}), {"row pointers from 0 to 3, found 4"});
  bad_matrix(python2_csr({0, 3, 2}, {2, 0, 1}, {1, 1, 1}), {"ascend"});
  bad_matrix(python2_csr({0, 2, 3}, {2, 0}, {1, 1, 1}), {"as many values as indices"});
  bad_matrix(python2_csr({0, 2, 3}, {2, 0, 1}, {1, NAN, 1}), {"found nan"});
  bad_matrix(python2_csr({0, 2, 3}, {2, 0, 1}, {1, 1, 1}, "J\xff\xff\xff\xffK\3\x86"), {"found -1 x 3"});
  bad_matrix(python2_csr({0, 2, 3}, {2, 0, 1}, {1, 1, 1}, "J\xff\xff\xff\x7fK\3\x86"), {"2147483647 x 3"}, Fault::memory);
  bad_matrix(python2_csr({0, 2, 3}, {2, 0, 1}, {1, 1, 1}, "K\2\x85"), {"a shape of two whole numbers"});
  bad_matrix("\x80\2" "cscipy.sparse.csr\ncsr_matrix\n)\x81.", {"one without content"});
  bad_matrix("\x80\2" "cscipy.sparse.csr\ncsr_matrix\n)\x81}b.", {"expected \"_shape\" in the matrix, found none"});
}

TEST(Pickle, DeepNestingAndManyCopiesStayWithinTheLimit) {
  std::string deep = "]";
  for (int i = 0; i < 300'000; ++i) deep += "\x85";
  EXPECT_EQ(read(deep + ".").root().items.size(), 1u);
  expect_refused(std::string(300'000, '('), {"more byte"});
  Context small;
  small.memory = MemoryLimit(8 << 20);
  const auto too_much = [&](const std::string& bytes) { expect_error(Fault::memory, {"[pickle]", "the values of f.pickle"}, [&] { Pickle(bytes, "f.pickle", small); }); };
  too_much(deep + ".");
  too_much(std::string(300'000, ']') + ".");
  // A text of 100 KB, decoded a thousand times.
  std::string text, copies;
  for (int i = 0; i < 50'000; ++i) text += "é";
  for (int i = 0; i < 1000; ++i) copies += "h\1h\2h\3\x86R0";
  too_much("c_codecs\nencode\nq\1" + sized('X', text, 4) + "q\2Vlatin1\nq\3" "000" + copies + "K\1.");
}

TEST(Pickle, EveryBeginningAndAnyDamageIsSurvived) {
  for (const char* name : {"csr", "dense", "graph", "texts", "objects"})
    for (int protocol = 0; protocol < 6; ++protocol) {
      const std::string whole = file(fmt::format("{}_{}", name, protocol));
      for (std::size_t size = 0; size < whole.size(); ++size) expect_refused(whole.substr(0, size), {"[pickle]"});
      expect_survival(whole, 300, [](const std::string& bytes, const Context& context) {
        const Pickle pickle(bytes, "f.pickle", context);
        pickle.matrix(pickle.root(), "features");
      });
    }
  const std::string old = python2_csr({0, 2, 3}, {2, 0, 1}, {0.5, -1, 4});
  for (std::size_t size = 0; size < old.size(); ++size) expect_refused(old.substr(0, size), {"[pickle]"});
}

}  // namespace
}  // namespace calor::io
