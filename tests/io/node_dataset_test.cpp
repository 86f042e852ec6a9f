// Graphs whose nodes have features: Cora and Citeseer against tables that another program made of them (CALOR_DATA), a Planetoid set and an npz that
// Python wrote (files/make.py), small files written here, and what is refused.
#include "calor/io/node_dataset.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "archives.h"
#include "calor/io/hash.h"
#include "calor/io/node_formats.h"
#include "mutation.h"
#include "sparse_matrices.h"

namespace calor::io {
namespace {

namespace fs = std::filesystem;

NodeDataset load_nodes(const std::string& source, const std::string& graph = "", const LoadOptions& options = {}, const Context& context = Context()) {
  return load_node_dataset(source, graph, options, context);
}

Strings pairs(const NodeDataset& data) {
  Strings all;
  for (const NodeDataset::Pair& pair : data.edges) all.push_back(fmt::format("{}-{}", pair.a, pair.b));
  return all;
}

class NodeData : public TemporaryFolder {
 protected:
  void copy_toy() const {
    for (const std::string_view part : planetoid_parts) write(fmt::format("ind.toy.{}", part), content_of(fmt::format("{}/planetoid/ind.toy.{}", CALOR_TEST_FILES, part)));
  }
  std::string here() const { return fs::path(path("x")).parent_path().string(); }
  void expect_refused(const std::string& source, const std::string& graph, std::initializer_list<std::string_view> says, const LoadOptions& options = {}) const {
    expect_error(Fault::input, says, [&] { load_nodes(source, graph, options); });
  }
};

TEST_F(NodeData, Toy) {
  const std::string folder = CALOR_TEST_FILES "/planetoid";
  const NodeDataset data = load_nodes(folder);
  EXPECT_EQ(data.name, "toy");
  EXPECT_EQ(dense(data.features), dense(8, 3, [](auto i, auto c) { return i != 6 && (i + c) % 2 == 0 ? 10.0 * static_cast<double>(i) + static_cast<double>(c) : 0; }));
  EXPECT_EQ(data.labels, (Labels{0, 1, 2, 0, 1, 2, -1, 1})) << "tx is in the order of test.index, 7 5";
  EXPECT_EQ(data.classes, (Strings{"0", "1", "2"}));
  EXPECT_EQ(pairs(data), (Strings{"0-1", "0-5", "2-7", "3-4"}));
  EXPECT_EQ(data.loops, 1);
  EXPECT_EQ(data.repeated, 1);
  EXPECT_EQ(data.train, (Labels{0, 1}));
  EXPECT_EQ(data.validation, (Labels{2, 3, 4})) << "no more nodes than allx has";
  EXPECT_EQ(data.test, (Labels{5, 7}));
  EXPECT_TRUE(data.node_names.empty() && data.feature_names.empty());
  EXPECT_EQ(data.reading.notes, (Strings{"1 node that test.index leaves out has neither features nor a label"}));
  EXPECT_EQ(reading_line(data), "read 8 nodes x 3 features and 4 edges (3 classes; 1 node without a label; split 2, 3, 2; Planetoid; 1 loop left out; 1 repeated edge left out)");
  std::string hashes;
  for (const std::string_view part : planetoid_parts) hashes += sha256(content_of(fmt::format("{}/ind.toy.{}", folder, part)));
  EXPECT_EQ(data.hash, sha256(hashes));
  for (const char* source : {"/toy", "/ind.toy", "/ind.toy.x", "/ind.toy.test.index", "/"}) EXPECT_EQ(load_nodes(folder + source).hash, data.hash) << source;
}

// label and the features that are 1, node by node; edges; the split.
void compare_with_plain(const std::string& name) {
  const char* folder = std::getenv("CALOR_DATA");
  const std::string data_folder = fmt::format("{}/cora/planetoid", folder ? folder : ""), plain = fmt::format("{}/cora/plain/{}.", folder ? folder : "", name);
  if (!folder || !fs::exists(fmt::format("{}/ind.{}.allx", data_folder, name)) || !fs::exists(plain + "nodes"))
    GTEST_SKIP() << "SKIPPED: CALOR_DATA names no folder with cora/planetoid/ind." << name << ".* and cora/plain/" << name << ".*";
  const NodeDataset data = load_nodes(fmt::format("{}/{}", data_folder, name));
  std::ifstream nodes(plain + "nodes"), edges(plain + "edges"), split(plain + "split");
  std::int64_t count = 0, columns = 0, classes = 0;
  std::string line;
  std::getline(nodes, line);
  std::istringstream(line) >> count >> columns >> classes;
  ASSERT_EQ(data.nodes(), count);
  EXPECT_EQ(data.features.columns, columns);
  EXPECT_EQ(data.classes.size(), classes);
  for (std::int64_t i = 0; i < count; ++i) {
    ASSERT_TRUE(std::getline(nodes, line));
    std::istringstream numbers(line);
    std::int64_t label = 0;
    numbers >> label;
    ASSERT_EQ(data.labels[static_cast<std::size_t>(i)], label) << i;
    const std::vector<std::int32_t> expected{std::istream_iterator<std::int32_t>(numbers), {}};
    const std::int64_t begin = data.features.begin[static_cast<std::size_t>(i)], end = data.features.begin[static_cast<std::size_t>(i) + 1];
    ASSERT_EQ(std::vector<std::int32_t>(data.features.column.begin() + begin, data.features.column.begin() + end), expected) << i;
  }
  EXPECT_TRUE(std::ranges::all_of(data.features.value, [](double value) { return value == 1; }));
  std::vector<NodeDataset::Pair> expected;
  for (NodeDataset::Pair pair{}; edges >> pair.a >> pair.b;) expected.push_back(pair);
  std::ranges::sort(expected);
  ASSERT_FALSE(expected.empty());
  EXPECT_TRUE(data.edges == expected);
  for (const auto& [part, found] : {std::pair{"train", &data.train}, {"val", &data.validation}, {"test", &data.test}}) {
    ASSERT_TRUE(std::getline(split, line));
    std::istringstream numbers(line);
    std::string word;
    numbers >> word;
    EXPECT_EQ(word, part);
    Labels listed{std::istream_iterator<std::int64_t>(numbers), {}};
    std::ranges::sort(listed);
    EXPECT_EQ(*found, listed) << part;
  }
}

TEST(NodeDataOfPlanetoid, CoraIsThePlainFiles) { compare_with_plain("cora"); }
TEST(NodeDataOfPlanetoid, CiteseerIsThePlainFiles) { compare_with_plain("citeseer"); }

struct Published {
  std::string name;
  std::int64_t entries, edges, loops, repeated;
  Labels sizes;  // of the classes
};

// By the readme of CALOR_DATA/cora, and by numpy and scipy on the same files.
TEST(NodeDataOfPlanetoid, CountsArePublished) {
  const char* folder = std::getenv("CALOR_DATA");
  int found = 0;
  for (const Published& set : {Published{"cora", 49216, 5278, 0, 302, {351, 217, 418, 818, 426, 298, 180}}, Published{"citeseer", 105165, 4552, 248, 112, {249, 590, 668, 701, 596, 508}}}) {
    const std::string source = fmt::format("{}/cora/planetoid/ind.{}", folder ? folder : "", set.name);
    if (!folder || !fs::exists(source + ".allx")) continue;
    ++found;
    const NodeDataset data = load_nodes(source);
    EXPECT_EQ(data.features.entries(), set.entries);
    EXPECT_EQ(data.edges.size(), set.edges);
    EXPECT_EQ(data.loops, set.loops);
    EXPECT_EQ(data.repeated, set.repeated);
    Labels sizes;
    for (std::size_t c = 0; c < data.classes.size(); ++c) sizes.push_back(std::ranges::count(data.labels, static_cast<std::int64_t>(c)));
    EXPECT_EQ(sizes, set.sizes);
  }
  if (found == 0) GTEST_SKIP() << "SKIPPED: CALOR_DATA names no folder with cora/planetoid/ind.cora.*";
}

TEST_F(NodeData, PlanetoidIsRefusedWhereItIsNotWhole) {
  copy_toy();
  const std::string folder = here();
  const auto with = [&](const std::string& part, std::string_view content, std::initializer_list<std::string_view> says) {
    copy_toy();
    write("ind.toy." + part, content);
    expect_refused(folder, "", says);
  };
  const auto file = [](const std::string& part) { return content_of(fmt::format("{}/planetoid/ind.toy.{}", CALOR_TEST_FILES, part)); };
  with("test.index", "7\n8\n5\n", {"[planetoid]", "rows as in tx, found 3", "test.index"});
  with("test.index", "7\n4\n", {"behind the 5 of allx, found 4", "line 2"});
  with("test.index", "7\n7\n", {"each node once, found 7 again"});
  with("test.index", "7\nx\n", {"the number of a node, found \"x\"", "line 2"});
  with("test.index", "7\n-5\n", {"found \"-5\""});
  with("test.index", "7\n5000000000\n", {"found \"5000000000\""});
  with("ally", file("ty"), {"expected 5 rows as in allx, found 2"});
  with("y", file("ally"), {"rows as in x, found 5"});
  with("x", file("graph"), {"[pickle]", "a csr matrix as features, found a dictionary", "ind.toy.x"});
  with("graph", file("x"), {"a dictionary of neighbours, found a sparse matrix"});
  with("graph", "}K\1K\2s.", {"a list of neighbours of node 1, found a whole number"});
  with("graph", "}K\1]K\x09" "as.", {"nodes from 0 to 7, found 9"});
  with("graph", "}U\1a]s.", {"the number of a node, found bytes"});
  with("graph", "cos\nsystem\n.", {"\"os.system\"", "ind.toy.graph, byte 1"});
  with("graph", "", {"ind.toy.graph"});
  copy_toy();
  expect_refused(folder, path("ind.toy.graph"), {"no graph beside a data set that has its own"});
  LoadOptions labelled;
  labelled.label = "y";
  expect_refused(folder, "", {"no --label for a graph whose nodes have features and classes"}, labelled);
  expect_error(Fault::memory, {"2147483647 x 3"}, [&] {
    write("ind.toy.test.index", "7\n2147483646\n");
    load_nodes(folder);
  });
  write("ind.other.x", "");
  expect_refused(folder, "", {"expected one data set in the folder, found ind.other, ind.toy", "name one, as in"});
  expect_refused(folder + "/other", "", {"expected the eight files ind.other.x, .y", "found no", "ind.other.y"});
  fs::create_directory(path("empty"));
  expect_refused(path("empty"), "", {"NAME.content and NAME.cites (LINQS), found neither"});
  expect_refused(path("nothing"), "", {"a graph beside the table"});
}

TEST_F(NodeData, EveryBeginningAndAnyDamageOfAPlanetoidFileIsSurvived) {
  const Context context;
  for (const char* part : {"x", "tx", "ally", "graph", "test.index"}) {
    copy_toy();
    const std::string name = fmt::format("ind.toy.{}", part), whole = content_of(path(name));
    const auto rewrite = [&](const std::string& bytes) {
      fs::remove(path(name));  // what replaces a file's content is waited for by some file systems
      write(name, bytes);
    };
    for (std::size_t size = 0; size < whole.size(); ++size) {
      rewrite(whole.substr(0, size));
      try {
        load_nodes(here(), "", {}, context);
        EXPECT_EQ(std::string_view(part), "test.index") << size;
      } catch (const Error& error) {
        EXPECT_EQ(error.fault(), Fault::input) << error.what();
      }
    }
    expect_survival(whole, 200, [&](const std::string& bytes, const Context& limited) {
      rewrite(bytes);
      load_nodes(here(), "", {}, limited);
    });
  }
}

TEST_F(NodeData, Linqs) {
  write("web.content", "31336\t0\t1\t0\tNeural_Networks\n10\t1\t0\t0\tTheory\nsmith97\t0\t0\t1\tTheory\n7\t0\t1\t1\t?\n");
  write("web.cites", "10\t31336\n31336\t10\nsmith97\t10\n10\t10\nsmith97\t10\n99\t10\n10\tghost\n");
  for (const char* source : {"web.content", "web.cites", "web", ""}) {
    const NodeDataset data = load_nodes(*source ? path(source) : here());
    EXPECT_EQ(data.name, "web");
    EXPECT_EQ(data.node_names, (Strings{"31336", "10", "smith97", "7"}));
    EXPECT_EQ(dense(data.features), (Numbers{0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 1, 1}));
    EXPECT_EQ(data.classes, (Strings{"Neural_Networks", "Theory"}));
    EXPECT_EQ(data.labels, (Labels{0, 1, 1, -1}));
    EXPECT_EQ(pairs(data), (Strings{"0-1", "1-2"}));
    EXPECT_EQ(data.loops, 1);
    EXPECT_EQ(data.repeated, 1);
    EXPECT_EQ(data.unknown, 2);
    EXPECT_TRUE(data.train.empty() && data.validation.empty() && data.test.empty());
    EXPECT_EQ(data.hash, sha256(sha256(content_of(path("web.content"))) + sha256(content_of(path("web.cites")))));
    EXPECT_EQ(reading_line(data), "read 4 nodes x 3 features and 2 edges (2 classes; 1 node without a label; LINQS; 1 loop left out; 1 repeated edge left out; 2 edges of unknown nodes left out)");
  }
  write("blank.content", "1 0 1 a\n2 1 1 b\n3 1 0 a\n");
  write("blank.cites", "1 2\n3 2\n");
  EXPECT_EQ(pairs(load_nodes(path("blank"))), (Strings{"0-1", "1-2"}));
  expect_refused(here(), "", {"expected one data set in the folder, found blank.content, web.content"});
  write("alone.content", "1 0 a\n2 1 b\n");
  expect_refused(path("alone.content"), "", {"alone.content and alone.cites", "found no", "put it beside the other"});
  write("twice.content", "1 0 a\n1 1 b\n");
  write("twice.cites", "1 2\n");
  expect_refused(path("twice"), "", {"found \"1\" twice"});
}

TEST_F(NodeData, GraphArchive) {
  const NodeDataset data = load_nodes(CALOR_TEST_FILES "/graph.npz");
  EXPECT_EQ(data.name, "graph");
  EXPECT_EQ(dense(data.features), dense(4, 3, s_at));
  EXPECT_EQ(pairs(data), (Strings{"0-1", "1-2", "2-3"}));
  EXPECT_EQ(data.loops, 1);
  EXPECT_EQ(data.repeated, 0);
  EXPECT_EQ(data.labels, (Labels{1, 0, 1, -1}));
  EXPECT_EQ(data.classes, (Strings{"few", "many"}));
  EXPECT_EQ(data.node_names, (Strings{"a", "b", "c", "d"}));
  EXPECT_EQ(data.feature_names, (Strings{"u", "v", "w"}));
  EXPECT_EQ(data.hash, sha256(content_of(CALOR_TEST_FILES "/graph.npz")));
  EXPECT_TRUE(data.train.empty());
}

TEST_F(NodeData, GraphArchiveWithOneArrayWrong) {
  const auto archive = [&](const std::vector<std::pair<std::string, std::string>>& others) {
    std::vector<std::pair<std::string, std::string>> entries{{"adj_data.npy", npy_list<double>("<f8", {1, 1})}, {"adj_indices.npy", npy_list<std::int32_t>("<i4", {1, 0})},
                                                             {"adj_indptr.npy", npy_list<std::int32_t>("<i4", {0, 1, 2, 2})}, {"adj_shape.npy", npy_list<std::int64_t>("<i8", {3, 3})},
                                                             {"attr_matrix.npy", npy("|u1", "(3, 2)", std::string("\0\0\0\0\2\3", 6))}};
    for (const auto& [name, content] : others) {
      std::erase_if(entries, [&, name = name](const auto& entry) { return entry.first == name; });
      if (!content.empty()) entries.emplace_back(name, content);
    }
    return write("g.npz", stored_zip(entries));
  };
  const NodeDataset plain = load_nodes(archive({}));
  EXPECT_EQ(dense(plain.features), (Numbers{0, 0, 0, 0, 2, 3}));
  EXPECT_EQ(plain.labels, (Labels{-1, -1, -1}));
  EXPECT_TRUE(plain.classes.empty());
  EXPECT_EQ(reading_line(plain), "read 3 nodes x 2 features and 1 edge (no labels; graph npz)");
  const NodeDataset numbers = load_nodes(archive({{"labels.npy", npy_list<std::int64_t>("<i8", {7, 10, -1})}}));
  EXPECT_EQ(numbers.labels, (Labels{0, 1, -1}));
  EXPECT_EQ(numbers.classes, (Strings{"7", "10"}));
  const auto bad = [&](const std::vector<std::pair<std::string, std::string>>& others, std::initializer_list<std::string_view> says) { expect_refused(archive(others), "", says); };
  bad({{"attr_matrix.npy", ""}}, {"found neither", "g.npz"});
  bad({{"attr_matrix.npy", npy_list<double>("<f8", {1, 2, 3})}}, {"expected a matrix, found shape (3)"});
  bad({{"attr_matrix.npy", npy("<f8", "(1, 2)", std::string(16, '\0'))}}, {"features of the 3 nodes, found 1 row"});
  bad({{"adj_shape.npy", npy_list<std::int64_t>("<i8", {3, 4})}}, {"a square matrix as adj, found 3 x 4"});
  bad({{"adj_indices.npy", npy_list<std::int32_t>("<i4", {1, 3})}}, {"indices from 0 to 2, found 3", "adj_indices"});
  bad({{"adj_indices.npy", ""}}, {"an array \"adj_indices\", found none"});
  bad({{"labels.npy", npy_list<std::int64_t>("<i8", {0, 1})}}, {"labels"});
  bad({{"labels.npy", npy_list<std::int64_t>("<i8", {0, 1, 2})}, {"class_names.npy", npy("|S1", "(2,)", "ab")}}, {"known classes 0, 1, found \"2\""});
  bad({{"labels.npy", npy("<i8", "(3, 1, 2)", std::string(48, '\0'))}}, {"expected a list, found shape (3, 1, 2)"});
  bad({{"node_names.npy", npy("|S1", "(2,)", "ab")}}, {"expected 3 names, found 2", "node_names"});
  bad({{"node_names.npy", npy("|O", "(3,)", "cos\nsystem\n.")}}, {"\"os.system\"", "node_names"});
  bad({{"node_names.npy", npy("|O", "(3,)", "K\1.")}}, {"an array of texts, found a whole number"});
  expect_survival(content_of(CALOR_TEST_FILES "/graph.npz"), 500, [&](const std::string& bytes, const Context& context) {
    read_graph_archive(bytes, "g.npz", {}, context);
  });
}

TEST_F(NodeData, TableAndListOfEdgesByName) {
  const std::string table = write("t.csv", "id,a,b,split,label\nant,1,0,train,x\nbee,0,2,val,y\ncat,0,0,Test,x\ndog,3,1,,\neel,1,1,validation,y\n");
  const std::string edges = write("e.csv", "from,to,weight\nant,bee,2\nbee,ant,1\ncat,bee,1\neel,eel,1\ncat,bee,1\n");
  const NodeDataset data = load_nodes(table, edges);
  EXPECT_EQ(data.name, "t");
  EXPECT_EQ(data.feature_names, (Strings{"a", "b"})) << "split is no feature";
  EXPECT_EQ(data.node_names, (Strings{"ant", "bee", "cat", "dog", "eel"}));
  EXPECT_EQ(dense(data.features), (Numbers{1, 0, 0, 2, 0, 0, 3, 1, 1, 1}));
  EXPECT_EQ(data.labels, (Labels{0, 1, 0, -1, 1}));
  EXPECT_EQ(pairs(data), (Strings{"0-1", "1-2"}));
  EXPECT_EQ(data.loops, 1);
  EXPECT_EQ(data.repeated, 1);
  EXPECT_EQ(data.train, (Labels{0}));
  EXPECT_EQ(data.validation, (Labels{1, 4}));
  EXPECT_EQ(data.test, (Labels{2}));
  EXPECT_EQ(data.hash, sha256(sha256(content_of(table)) + sha256(content_of(edges))));
  EXPECT_NE(std::ranges::find(data.reading.notes, fmt::format("the weights of the edges ({}) do not count", edges)), data.reading.notes.end());

  EXPECT_EQ(reading_line(data), "read 5 nodes x 2 features and 2 edges (label \"label\", 2 classes; 1 node without a label; split 1, 2, 1; csv; 1 loop left out; 1 repeated edge left out)");

  // The last column is no label when it is the split.
  const NodeDataset last = load_nodes(write("last.csv", "id,a,kind,SPLIT\nant,1,x,train\nbee,0,y,train\ncat,2,x,test\n"), write("e2.csv", "ant,bee\nbee,cat\n"));
  EXPECT_EQ(last.classes, (Strings{"x", "y"}));
  EXPECT_EQ(last.train, (Labels{0, 1}));
  EXPECT_EQ(last.feature_names, (Strings{"a"}));
  EXPECT_EQ(last.labels, (Labels{0, 1, 0}));
  // Without labels.
  LoadOptions none;
  none.label = "none";
  none.select = {"a"};
  EXPECT_EQ(load_nodes(table, edges, none).labels, Labels(5, -1));

  expect_refused(table, write("e3.csv", "ant,bee\nbea,ant\n"), {"nodes that are rows of", "found \"bea\"", "nearest \"bee\"", "--names"});
  expect_refused(write("s.csv", "id,a,split,label\nant,1,train,x\nbee,2,dev,y\n"), write("e4.csv", "ant,bee\nbee,ant\n"), {"found \"dev\"", "row 2", "rename the column"});
  expect_refused(write("d.csv", "id,a,label\nant,1,x\nant,2,y\n"), path("e4.csv"), {"found \"ant\" twice", "--names none"});
  expect_refused(table, "", {"expected a graph beside the table", "name a file of edges"});
  LoadOptions dropped;
  dropped.missing = Missing::drop;
  expect_refused(table, edges, {"every node to keep its row, found --missing drop"}, dropped);
  LoadOptions filled;
  filled.missing = Missing::mean;
  EXPECT_EQ(dense(load_nodes(write("m.csv", "id,a,label\nant,1,x\nbee,,y\ncat,2,x\n"), path("e2.csv"), filled).features), (Numbers{1, 1.5, 2}));
}

TEST_F(NodeData, NodesByNumber) {
  const std::string table = write("t.csv", "a,b,label\n1,0.5,x\n2,0.5,y\n4,3,x\n8,0.25,y\n");
  const auto edges_of = [&](std::string_view text) { return pairs(load_nodes(table, write("e.txt", text))); };
  EXPECT_EQ(edges_of("0 1\n2 3\n"), (Strings{"0-1", "2-3"}));
  EXPECT_EQ(edges_of("1 2\n2 3\n"), (Strings{"1-2", "2-3"})) << "0 has no edge";
  const NodeDataset from_one = load_nodes(table, write("one.txt", "1 2\n4 3\n"));
  EXPECT_EQ(pairs(from_one), (Strings{"0-1", "2-3"}));
  EXPECT_EQ(from_one.reading.notes, (Strings{"the nodes 1 to 4 count the rows from one"}));
  EXPECT_TRUE(from_one.feature_names == (Strings{"a", "b"}) && from_one.node_names.empty());
  expect_refused(table, write("e.txt", "0 1\n4 2\n"), {"nodes from 0 to 3", "found 4"});
  expect_refused(table, write("e.txt", "1 4\n9 2\n"), {"nodes from 1 to 4", "found 9"});
  expect_refused(table, write("e.txt", "ant bee\nbee ant\n"), {"numbers of rows as nodes", "found \"ant\"", "a column \"id\""});
  expect_refused(table, write("e.txt", "-1 2\n2 1\n"), {"found \"-1\""});
}

TEST_F(NodeData, GraphsOfEveryKind) {
  const std::string table = write("t.csv", "id,a,label\nant,1,x\nbee,0,y\ncat,2,x\n");
  const Strings expected{"0-1", "1-2"};
  EXPECT_EQ(pairs(load_nodes(table, write("g.graphml", "<graphml><key id=\"n\" for=\"node\" attr.name=\"name\"/><graph edgedefault=\"undirected\"><node id=\"n1\"><data key=\"n\">cat</data></node>"
                                                 "<node id=\"n2\"><data key=\"n\">bee</data></node><node id=\"n3\"><data key=\"n\">ant</data></node>"
                                                 "<edge source=\"n1\" target=\"n2\"/><edge source=\"n2\" target=\"n3\"/></graph></graphml>"))),
            expected);
  EXPECT_EQ(pairs(load_nodes(table, write("g.mtx", "%%MatrixMarket matrix coordinate pattern symmetric\n3 3 2\n2 1\n3 2\n"))), expected) << "rows in their order, whatever their names";
  const std::string csr = stored_zip({{"format.npy", npy("|S3", "()", "csr")}, {"shape.npy", npy_list<std::int64_t>("<i8", {3, 3})}, {"data.npy", npy_list<double>("<f8", {1, 1})},
                                      {"indices.npy", npy_list<std::int32_t>("<i4", {1, 1})}, {"indptr.npy", npy_list<std::int32_t>("<i4", {0, 1, 1, 2})}});
  EXPECT_EQ(pairs(load_nodes(table, write("g.npz", csr))), expected);
  expect_refused(table, write("big.mtx", "%%MatrixMarket matrix coordinate pattern symmetric\n4 4 1\n2 1\n"), {"a matrix of as many rows as the table, 3, found 4", "big.mtx"});
  expect_refused(table, CALOR_TEST_FILES "/sparse_csr.npz", {"[scipy] expected a square matrix for a graph, found 6 x 3"});
  expect_refused(table, CALOR_TEST_FILES "/stored.npz", {"a text of edges, found arrays or an archive"});
  // Other tables.
  EXPECT_EQ(pairs(load_nodes(write("x.npz", stored_zip({{"X.npy", npy("<f8", "(3, 1)", std::string(24, '\0'))}, {"y.npy", npy_list<std::int64_t>("<i8", {0, 1, 0})}})), path("g.npz"))), expected);
  const NodeDataset sparse = load_nodes(write("x.svm", "1 1:0.5 3:-2\n-1 2:7\n1 1:3\n"), write("e.txt", "0 1\n1 2\n"));
  EXPECT_EQ(pairs(sparse), expected);
  EXPECT_EQ(dense(sparse.features), (Numbers{0.5, 0, -2, 0, 7, 0, 3, 0, 0}));
  EXPECT_EQ(load_nodes("iris", write("i.txt", "0 149\n1 2\n")).edges.size(), 2u) << "a bundled set";
}

TEST(PlantedBlocks, HaveTheSharesThatAreAskedFor) {
  const NodeDataset data = load_node_dataset("blocks", "", {}, Context());
  EXPECT_EQ(data.nodes(), 1500);
  EXPECT_EQ(data.features.entries(), 1500 * 16);
  EXPECT_NEAR(static_cast<double>(data.edges.size()), 7500, 60);
  std::int64_t own = 0;
  for (const NodeDataset::Pair& pair : data.edges) {
    EXPECT_LT(pair.a, pair.b);
    own += data.labels[pair.a] == data.labels[pair.b];
  }
  EXPECT_NEAR(static_cast<double>(own) / static_cast<double>(data.edges.size()), 0.4, 0.03);
  EXPECT_TRUE(std::is_sorted(data.edges.begin(), data.edges.end()));
  const NodeDataset again = planted_blocks({}, 0), other = planted_blocks({}, 1);
  EXPECT_EQ(again.hash, data.hash);
  EXPECT_NE(other.hash, data.hash);
  EXPECT_THROW(planted_blocks({3, 2, 1, 1, 0.5, 1}, 0), Error);
  EXPECT_THROW(planted_blocks({10, 2, 1, 1, 1.5, 1}, 0), Error);
}

}  // namespace
}  // namespace calor::io
