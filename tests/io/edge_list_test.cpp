// Lists of edges as programs write them, against nodes and edges written by hand.
#include "calor/io/edge_list.h"
#include "temporary_folder.h"

namespace calor::io {
namespace {

class Edges : public TemporaryFolder {
 protected:
  EdgeList read(std::string_view text, const TextOptions& text_options = {}) const {
    LoadOptions options;
    options.text = text_options;
    return load_edge_list(write("edges.txt", text), options, Context());
  }
  static Strings texts(const EdgeList& list) {
    Strings all;
    for (const NamedEdge& edge : list.edges)
      all.push_back(fmt::format("{}>{}{}", list.nodes[static_cast<std::size_t>(edge.from)], list.nodes[static_cast<std::size_t>(edge.to)], edge.weight == 1 ? "" : fmt::format(" {}", edge.weight)));
    return all;
  }
};

TEST_F(Edges, OneGraphInEveryDress) {
  const Strings expected{"ant>bee", "ant>cat", "bee>cat"};
  for (const char* text : {"ant,bee\nant,cat\nbee,cat\n", "ant;bee\nant;cat\nbee;cat\n", "ant\tbee\nant\tcat\nbee\tcat\n", "ant bee\nant   cat\nbee cat\n", "ant|bee\nant|cat\nbee|cat\n",
                           "\"ant\",\"bee\"\n\"ant\",cat\nbee,\"cat\"\n", "\xEF\xBB\xBF" "ant,bee\nant,cat\nbee,cat\n", "ant,bee\rant,cat\rbee,cat", "ant,bee\r\nant,cat\r\nbee,cat\r\n",
                           "from,to\nant,bee\nant,cat\nbee,cat\n", "\"Source\",\"Target\"\n\"ant\",\"bee\"\nant,cat\nbee,cat\n", "# a graph\nant bee\n% of animals\nant cat\nbee cat\n",
                           ",source,target\n0,ant,bee\n1,ant,cat\n2,bee,cat\n", "weight,target,source\n1,bee,ant\n1,cat,ant\n1,cat,bee\n", "ant bee # first\nant cat\nbee cat # last\n"})
    EXPECT_EQ(texts(read(text)), expected) << text;
}

TEST_F(Edges, HeadersAreNoEdges) {
  for (const char* header : {"citing,cited", "Source,Destination", "id_1,id_2", "node1,node2", "V1,V2", "left,right"})
    EXPECT_EQ(texts(read(fmt::format("{}\n1,2\n1,3\n2,3\n", header))), (Strings{"1>2", "1>3", "2>3"})) << header;
  EXPECT_EQ(texts(read("from,to,capacity\n1,2,3\n2,1,1\n")), (Strings{"1>2 3", "2>1"}));
  const EdgeList words = read("follower,followed\nant,bee\nant,cat\nbee,cat\ncat,ant\n");
  EXPECT_EQ(words.edges.size(), 4u);
  EXPECT_EQ(read("ant,bee\nant,cat\nbee,cat\ncat,ant\n").edges.size(), 4u) << "a node comes again";
  TextOptions settled;
  settled.header = false;
  EXPECT_EQ(read("from,to\nant,bee\n", settled).edges.size(), 2u);
}

TEST_F(Edges, NamesKeepBlanksHashesAndZeros) {
  EXPECT_EQ(texts(read("Anna Berg,17\nCarl Dahl,17\nAnna Berg,18\n")), (Strings{"Anna Berg>17", "Carl Dahl>17", "Anna Berg>18"}));
  EXPECT_EQ(texts(read("#ai alice\nalice #ai\nbob #ml\n")), (Strings{"#ai>alice", "alice>#ai", "bob>#ml"}));
  EXPECT_EQ(texts(read("%20home about\nabout index\n")), (Strings{"%20home>about", "about>index"}));
  EXPECT_EQ(read("01 2\n1 2\n1.0 2\n").nodes.size(), 4u) << "names are texts";
  EXPECT_EQ(read("NA,b\nb,NA\n").nodes, (Strings{"NA", "b"})) << "Namibia is not missing";
}

TEST_F(Edges, WeightsInEveryNotation) {
  EXPECT_EQ(texts(read("from;to;weight\na;b;1,5\nb;a;2,5\n")), (Strings{"a>b 1.5", "b>a 2.5"}));
  EXPECT_EQ(texts(read("a b 2\nb c\n")), (Strings{"a>b 2", "b>c"}));
}

TEST_F(Edges, AColumnCalledTypeTellsTheDirection) {
  const EdgeList mixed = read("Source,Target,Type,Id,Weight\na,b,Undirected,0,2\nb,c,Directed,1,3\nc,c,Undirected,2,1\n");
  EXPECT_EQ(texts(mixed), (Strings{"a>b 2", "b>a 2", "b>c 3", "c>c"}));
  ASSERT_EQ(mixed.reading.notes.size(), 1u);
  EXPECT_EQ(mixed.reading.notes[0], "1 undirected edge (by the column \"Type\") is read in both directions");
  EXPECT_EQ(texts(read("Source,Target,Type\na,b,Directed\nb,c,Directed\n")), (Strings{"a>b", "b>c"}));
  EXPECT_EQ(texts(read("Source,Target,Type\na,b,2\nb,c,3\n")), (Strings{"a>b 2", "b>c 3"})) << "a number is a weight";
}

TEST_F(Edges, ThreeNumbersMayBeATableOrARow) {
  const auto pairs = [&](std::string_view text) { return is_list_of_pairs(write("p.csv", text), {}, Context()); };
  EXPECT_TRUE(pairs("1,2,5\n1,3,4\n2,3,1\n"));
  EXPECT_TRUE(pairs("a,b,5\n"));
  EXPECT_FALSE(pairs("3,4,5\n")) << "the distances of three points";
  EXPECT_FALSE(pairs("0,1,2\n3,0,4\n5,6,0\n"));
  EXPECT_FALSE(pairs("1,2,3\n2,1,4\n3,4,1\n")) << "symmetric";
  EXPECT_FALSE(pairs("1,0.5,0.25\n0.1,1,0.75\n0.3,0.2,1\n"));
  EXPECT_EQ(read("0,1,1\n1,0,0\n1,0,0\n").reading.notes, (Strings{"3 rows of 3 numbers are read as edges with weights: --as similarities if they are a square table"}));
  EXPECT_TRUE(read("1,2,5\n1,3,4\n2,3,1\n").reading.notes.empty());
}

TEST_F(Edges, RefusedWithTheirLine) {
  const auto bad = [&](std::string_view text, std::initializer_list<std::string_view> says) { expect_error(Fault::input, says, [&] { read(text); }); };
  bad("a,b,1\na,,2\nb,a,1\n", {"empty name", "line 2, column 2"});
  bad("ant\tbee\t1\nant\tcat\t\n", {"empty cell", "line 2", "weight"});
  bad("a b nan\nb a 1\n", {"\"nan\"", "line 1"});
  bad("a b c d\na b c d\n", {"found 4 fields", "line 1"});
  bad("a b\nb c d e\n", {"found 4 fields", "line 2"});
  bad("# only\n", {"comments alone"});
  bad("a,b\xE9\nb\xE9,a\n", {"UTF-8", "line 1", "--encoding"});
  TextOptions latin;
  latin.encoding = "latin1";
  EXPECT_EQ(read("a,b\xE9\nb\xE9,a\n", latin).nodes, (Strings{"a", "bé"}));
}

TEST_F(Edges, WhatWasReadIsSaid) {
  EXPECT_EQ(reading_line(read("# made\nsource\ttarget\tw\na\tb\t2\nb\ta\t1\n")), "read 2 nodes and 2 edges (from \"source\" to \"target\", weight \"w\"; header yes; tab; weighted)");
}

}  // namespace
}  // namespace calor::io
