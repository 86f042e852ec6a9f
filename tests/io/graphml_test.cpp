// GraphML: texts after the specification and as networkx and igraph write them, and every kind of mistake.
#include "calor/io/graphml.h"

#include "mutation.h"

namespace calor::io {

static bool operator==(const NamedEdge& a, const NamedEdge& b) { return a.from == b.from && a.to == b.to && a.weight == b.weight; }
static void PrintTo(const NamedEdge& edge, std::ostream* out) { *out << edge.from << "->" << edge.to << ':' << edge.weight; }

namespace {

using Edges = std::vector<NamedEdge>;

EdgeList parse(const std::string& text) { return parse_graphml(text, "f.graphml", Context()); }
// A document around keys and a graph of that content.
std::string document(const std::string& graph, const std::string& keys = "", const std::string& direction = "directed") {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">" + keys + "<graph edgedefault=\"" + direction +
         "\">" + graph + "</graph></graphml>";
}
const std::string abc = "<node id=\"a\"/><node id=\"b\"/><node id=\"c\"/>";
const std::string weight = "<key id=\"d0\" for=\"edge\" attr.name=\"weight\" attr.type=\"double\"/>";

TEST(GraphMl, IsKnownByItsFirstElement) {
  EXPECT_TRUE(is_graphml("<graphml>"));
  EXPECT_TRUE(is_graphml("\xEF\xBB\xBF<?xml version='1.0'?>\n<!-- <gexf> -->\n<!DOCTYPE graphml>\n <graphml xmlns=\"x\">"));
  EXPECT_FALSE(is_graphml("<?xml version='1.0'?><gexf><graphml>"));
  EXPECT_FALSE(is_graphml("<?xml version='1.0'"));
  EXPECT_FALSE(is_graphml("a,b\n<graphml>"));
  EXPECT_FALSE(is_graphml(""));
}

TEST(GraphMl, DirectedWithWeights) {
  const EdgeList list = parse(document(abc + R"(<edge source="c" target="a"><data key="d0"> 0.5 </data></edge><edge source="a" target="b"/>)", weight));
  EXPECT_EQ(list.nodes, (Strings{"a", "b", "c"}));
  EXPECT_EQ(list.edges, (Edges{{2, 0, 0.5}, {0, 1, 1}}));
}

TEST(GraphMl, UndirectedGivesBothDirections) {
  const EdgeList list = parse(document(abc + R"(<edge source="a" target="b"/><edge source="c" target="c"/><edge source="b" target="c" directed="true"/>)", "", "undirected"));
  EXPECT_EQ(list.edges, (Edges{{0, 1, 1}, {1, 0, 1}, {2, 2, 1}, {1, 2, 1}}));
  EXPECT_EQ(parse(document(abc + R"(<edge source="a" target="b" directed="false"/>)")).edges, (Edges{{0, 1, 1}, {1, 0, 1}}));
}

TEST(GraphMl, DefaultsAndOtherAttributes) {
  const std::string keys = R"(<key id="w" for="node" attr.name="weight"/><key id="x" for="edge" attr.name="year"/>)"
                           R"(<key id="d0" for="all" attr.name="weight"><default>2.5</default></key>)";
  const EdgeList list = parse(document(abc + R"(<edge source="a" target="b"><data key="x">1999</data></edge><edge source="a" target="c"><data key="d0">-3</data></edge>)", keys));
  EXPECT_EQ(list.edges, (Edges{{0, 1, 2.5}, {0, 2, -3}}));
}

// igraph numbers the nodes and keeps their names in an attribute.
TEST(GraphMl, NamesThatTellNodesApart) {
  const std::string keys = R"(<key id="v_name" for="node" attr.name="name"/><key id="v_label" for="node" attr.name="label"/>)";
  const auto node = [](const std::string& id, const std::string& name, const std::string& label) {
    return "<node id=\"" + id + "\"><data key=\"v_name\">" + name + "</data><data key=\"v_label\">" + label + "</data></node>";
  };
  const std::string edge = R"(<edge source="n0" target="n1"/>)";
  EXPECT_EQ(parse(document(node("n0", "Ann &amp; Bo", "x") + node("n1", "Cid", "y") + edge, keys)).nodes, (Strings{"Ann & Bo", "Cid"}));
  EXPECT_EQ(parse(document(node("n0", "Ann", "x") + node("n1", "Ann", "y") + edge, keys)).nodes, (Strings{"x", "y"}));
  EXPECT_EQ(parse(document(node("n0", "Ann", "x") + node("n1", "", "x") + edge, keys)).nodes, (Strings{"n0", "n1"}));
  EXPECT_EQ(parse(document(node("n0", "Ann", "x") + "<node id=\"n1\"/>" + edge, keys)).nodes, (Strings{"n0", "n1"}));
}

void expect_refused(const std::string& text, std::initializer_list<std::string_view> texts) {
  expect_error(Fault::input, texts, [&] { parse(text); });
}

TEST(GraphMl, Mistakes) {
  expect_refused("<graphml><graph>", {"[graphml] expected XML", "f.graphml, byte"});
  expect_refused("<graphml></graphml>", {"expected a <graph>"});
  expect_refused("<graphml><graph/><graph/></graphml>", {"found several"});
  expect_refused(document(abc), {"at least one edge"});
  expect_refused(document(abc + "<edge source=\"a\" target=\"z\"/>"), {"as target of edge 1, found \"z\""});
  expect_refused(document(abc + "<edge source=\"a\" target=\"b\"/><edge target=\"b\"/>"), {"as source of edge 2, found \"\""});
  expect_refused(document(abc + "<node id=\"b\"/>"), {"\"b\" twice"});
  expect_refused(document(abc + "<node/>"), {"none for node 4"});
  expect_refused(document("<node id=\"a\"><graph/></node>"), {"in node \"a\""});
  expect_refused(document(abc + "<hyperedge/>"), {"hyperedge"});
  expect_refused(document(abc + "<edge source=\"a\" target=\"b\"/>", "", "both"), {"found \"both\""});
  for (const char* bad : {"", "heavy", "nan", "inf", "1e999"})
    expect_refused(document(abc + "<edge source=\"a\" target=\"b\"><data key=\"d0\">" + std::string(bad) + "</data></edge>", weight),
                   {"finite number as weight, found \"" + std::string(bad) + "\"", "edge 1 from \"a\" to \"b\""});
}

TEST(GraphMl, MemoryIsAskedFor) {
  Context context;
  context.memory = MemoryLimit(1 << 20);
  std::string nodes;
  for (int i = 0; i < 20'000; ++i) nodes += "<a/>";
  expect_error(Fault::memory, {"f.graphml"}, [&] { parse_graphml(document(nodes), "f.graphml", context); });
}

// Depth is no recursion, and entities that an attacker defines stand for nothing.
TEST(GraphMl, DepthAndEntities) {
  std::string deep;
  for (int i = 0; i < 200'000; ++i) deep += "<a>";
  expect_refused(deep, {"expected XML"});
  std::string closed = deep;
  for (int i = 0; i < 200'000; ++i) closed += "</a>";
  EXPECT_EQ(parse(document(abc + closed + "<edge source=\"a\" target=\"b\"/>")).edges.size(), 1u);
  const EdgeList list = parse("<!DOCTYPE graphml [<!ENTITY x \"yyyy\">]><graphml><graph><node id=\"&x;\"/><edge source=\"&x;\" target=\"&x;\"/></graph></graphml>");
  EXPECT_EQ(list.nodes, (Strings{"&x;"}));
}

TEST(GraphMl, DamageIsSurvived) {
  expect_survival(document(abc + R"(<edge source="c" target="a"><data key="d0">0.5</data></edge><edge source="a" target="b" directed="false"/>)", weight), 5000,
                  [](const std::string& text, const Context& context) { parse_graphml(text, "f.graphml", context); });
}

}  // namespace
}  // namespace calor::io
