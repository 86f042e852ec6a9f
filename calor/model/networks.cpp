#include "calor/model/networks.h"

#include <algorithm>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/pipeline/bind.h"
#include "calor/pipeline/wants.h"

namespace calor::model {
namespace {

using pipeline::BoundStage;
using recipes::Recipe;
using recipes::RecipeParameter;

constexpr RecipeParameter convolution[] = {{"width", "16", "features of a hidden node", 1}, {"dropout", "0.5", "share of features left out in a training step"}};
constexpr RecipeParameter steps[] = {{"steps", "2", "how far features flow", 1}};
constexpr RecipeParameter personalised[] = {
    {"width", "64", "features of a hidden node", 1}, {"dropout", "0.5", "share of features left out in a training step"}, {"alpha", "0.1", "share that stays at the start"}, {"steps", "10", "how far predictions flow", 1}};
constexpr RecipeParameter attention[] = {{"width", "8", "features of a head", 1}, {"heads", "8", "attentions side by side", 1}, {"dropout", "0.6", "share of features and of edges left out in a training step"}};
constexpr RecipeParameter transformer[] = {{"width", "8", "features of a head", 1}, {"heads", "8", "attentions side by side", 1}, {"dropout", "0.6", "share of features and of edges left out in a training step"},
                                           {"edge_features", "no", "of the edges: no, keys (where neighbours are compared), or both (and in what flows)"}};
constexpr RecipeParameter plain[] = {{"width", "64", "features of the hidden layer", 1}, {"dropout", "0.5", "share of features left out in a training step"}};

constexpr RecipeParameter diffusion[] = {{"width", "128", "features of a point", 1},
                                         {"blocks", "4", "number of blocks", 1},
                                         {"dropout", "0.5", "share of features left out in a training step"},
                                         {"modes", "128", "number of Laplacian eigenvectors"},
                                         {"weights", "robust", "of the Laplacian: robust or cotangent"},
                                         {"form", "spectral", "of heat: spectral or implicit"}};
constexpr RecipeParameter tokens[] = {{"width", "100", "features of a row", 1}, {"layers", "2", "number of layers", 1}, {"score", "metric", "dot, l2, metric, additive or uniform"}};
constexpr RecipeParameter propagation[] = {{"width", "64", "features of a point or triangle", 1}, {"layers", "4", "number of layers", 1}};

// DiffusionNet's blocks: heat, gradients, and a network of each point on its own.
#define CALOR_DIFFUSION \
  "linear($width) | bias | layers($blocks, residual(beside(laplacian($modes, $weights) | heat($form) | beside(gradients)) | linear($width) | bias | relu | dropout($dropout) | " \
  "linear($width) | bias | relu | dropout($dropout) | linear($width) | bias)) | linear(classes) | bias | faces"

// The paper's information propagation network on a surface's own graph.
#define CALOR_PROPAGATION(score) \
  "heat_signature | faces | linear($width) | bias | tanh | layers($layers, residual(linear($width) | adjacency | self_loops | score(" score ") | exp(learned) | row | apply) | tanh) | " \
  "linear(classes) | bias"

// A layer of Shi et al.: attention on edges whose queries, keys and values are maps of the features, beside a map of a node's own.
#define CALOR_TRANSFORMER(width) \
  "residual(linear(" width ") | adjacency | score(transformer, edge_features=$edge_features) | exp | row | dropout($dropout) | apply | bias, skip=linear)"

// Two layers of attention on edges, with one score or another.
#define CALOR_ATTENTION(score) \
  "dropout($dropout) | linear($width, heads=$heads) | adjacency | self_loops | score(" score ") | exp | row | dropout($dropout) | apply | bias | elu | " \
  "dropout($dropout) | linear(classes) | adjacency | self_loops | score(" score ") | exp | row | dropout($dropout) | apply | bias"

constexpr Recipe networks[] = {
    {"gcn",
     "dropout($dropout) | linear($width) | adjacency | self_loops | two_side(0.5) | apply | bias | relu | "
     "dropout($dropout) | linear(classes) | adjacency | self_loops | two_side(0.5) | apply | bias",
     convolution, "graph convolution: features flow to neighbours with fixed weights, between learned maps", "", "arXiv:1609.02907"},
    {"gat", CALOR_ATTENTION("additive"), attention, "graph attention: neighbours weigh by a learned score", "", "arXiv:1710.10903"},
    {"gatv2", CALOR_ATTENTION("joined"), attention, "graph attention whose ranking of neighbours depends on who asks", "", "arXiv:2105.14491"},
    {"graph-transformer", "dropout($dropout) | " CALOR_TRANSFORMER("$width, heads=$heads") " | elu | dropout($dropout) | " CALOR_TRANSFORMER("classes"), transformer,
     "graph transformer: attention by products, beside a map of a node's own features", "", "arXiv:2009.03509"},
    {"graph-self", CALOR_ATTENTION("dot"), attention, "graph attention by dot products: a Transformer's, on edges", "", "arXiv:2012.09699"},
    {"graph-l2", CALOR_ATTENTION("l2"), attention, "graph attention by distances of mapped features", "", "arXiv:2006.04710"},
    {"graph-metric", CALOR_ATTENTION("metric"), attention, "graph attention by a learned metric", "", "arXiv:2412.18288"},
    {"graph-uniform", CALOR_ATTENTION("uniform"), attention, "graph attention in which all neighbours weigh the same: the control", "", ""},
    {"sgc", "adjacency | self_loops | two_side(0.5) | apply($steps) | linear(classes) | bias", steps, "simple graph convolution: features flow first, then one linear map", "", "arXiv:1902.07153"},
    {"appnp", "dropout($dropout) | linear($width) | bias | relu | dropout($dropout) | linear(classes) | bias | adjacency | self_loops | two_side(0.5) | dropout($dropout) | restart($alpha, $steps)",
     personalised, "predictions of a plain network flow along the graph, as in personalised PageRank", "", "arXiv:1810.05997"},
    {"mlp", "dropout($dropout) | linear($width) | bias | relu | dropout($dropout) | linear(classes) | bias", plain, "a plain network: each row on its own", "", ""},
    {"logistic", "linear(classes) | bias", {}, "logistic regression: each row on its own", "", ""},
    {"ipn", "linear($width) | bias | tanh | layers($layers, residual(score($score) | exp | row | apply | linear($width)) | tanh) | linear(classes) | bias", tokens,
     "information propagation network: all rows attend to all, as tokens do", "", "arXiv:2412.18288"},
    {"diffusion-net", "heat_signature(modes=$modes, weights=$weights) | " CALOR_DIFFUSION, diffusion, "surfaces: heat diffusion with learned times, from features that are invariant to rigid motions and bending", "",
     "arXiv:2012.00888"},
    {"diffusion-net-xyz", "rotate | " CALOR_DIFFUSION, diffusion, "surfaces: the same from coordinates, randomly rotated in training", "", "arXiv:2012.00888"},
    {"surface-self", CALOR_PROPAGATION("dot"), propagation, "surfaces: attention between neighbours by dot products", "", "arXiv:2412.18288"},
    {"surface-l2", CALOR_PROPAGATION("l2"), propagation, "surfaces: the same by distances of mapped features", "", "arXiv:2412.18288"},
    {"surface-metric", CALOR_PROPAGATION("metric"), propagation, "surfaces: the same by a learned metric", "", "arXiv:2412.18288"},
    {"surface-uniform", CALOR_PROPAGATION("uniform"), propagation, "surfaces: the same with all neighbours alike: the control", "", ""},
    {"surface-mlp", "heat_signature | faces | linear($width) | bias | tanh | layers($layers, residual(linear($width) | bias | tanh)) | linear(classes) | bias", propagation,
     "surfaces: each point or triangle is classified independently", "", ""}};

#undef CALOR_ATTENTION
#undef CALOR_DIFFUSION
#undef CALOR_PROPAGATION
#undef CALOR_TRANSFORMER

// The stages that a text has, those of other pipelines within it too.
void require_form(const Network& network) {
  const BoundStage* last_map = nullptr;
  pipeline::for_each_stage(network.stages, [&](const BoundStage& bound) {
    if (bound.stage->name == "linear") last_map = &bound;
  });
  const BoundStage& end = network.stages.back();
  if (!last_map || last_map->arguments.is_number("width"))
    pipeline::fail_at(*end.text, (last_map ? *last_map : end).call.place, last_map ? "linear" : "network", "expected linear(classes) as the last map, found none: a network ends with a number for each class");
  if (!(end.gives & pipeline::types::points))
    pipeline::fail_at(*end.text, end.call.place, std::string(end.stage->name), "expected the network to end with a number for each class, found a similarity: put apply after it");
}

// Stages of other pipelines are known by name, and refused for what they are.
void refuse_computed(const std::string& text, const std::vector<pipeline::Call>& calls) {
  for (const pipeline::Call& call : calls) {
    if (!pipeline::find_stage(network_stages(), call.name) && pipeline::find_stage(recipes::all_stages(), call.name))
      pipeline::fail_at(text, call.place, call.name, "expected a stage that a network can have (`calor stages` lists them), found one of `calor run`");
    for (const pipeline::Argument& argument : call.arguments) refuse_computed(text, argument.value.pipeline);
  }
}

// A text taken apart: "wide: gat heads=4" is {"wide", "gat", "gat heads=4", {"heads=4"}}.
struct Given {
  std::string_view label;       // a name of one's own
  std::string_view text;        // a network's name, or stages
  std::string_view whole;       // the text with its settings
  std::vector<std::string> settings;
};

Given taken_apart(std::string_view given) {
  Given parts{{}, trim(given), {}, {}};
  // "wide: linear(64) | ...".
  if (const std::size_t colon = parts.text.find(':'); colon < parts.text.find_first_of("|(")) {
    parts.label = trim(parts.text.substr(0, colon));
    parts.text = trim(parts.text.substr(colon + 1));
    constexpr std::size_t longest = 60;
    const bool simple = std::none_of(parts.label.begin(), parts.label.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }) && parts.text.find(':') >= parts.text.find_first_of("|(") &&
                       parts.label.size() <= longest;
    require(simple, Fault::usage, "[network] expected a name of at most {} characters without colons or line breaks before the network, found \"{}\"", longest, parts.label);
    require(!parts.label.empty() && !parts.text.empty(), Fault::usage, "[network] expected NAME: and a network after it, found \"{}\": write \"wide: linear(64) | relu | ...\"", trim(given));
  }
  parts.whole = parts.text;
  // "gat heads=4": a name, then settings.
  if (const std::size_t blank = parts.text.find(' '); blank != std::string_view::npos && find_network(parts.text.substr(0, blank))) {
    for (std::string_view rest = trim(parts.text.substr(blank)); !rest.empty();) {
      const std::size_t end = std::min(rest.find(' '), rest.size());
      parts.settings.emplace_back(rest.substr(0, end));
      rest = trim(rest.substr(end));
    }
    parts.text = parts.text.substr(0, blank);
  }
  return parts;
}

recipes::Book book() { return {networks, &network_stages(), "network", "a network"}; }

}  // namespace

std::span<const Recipe> all_networks() { return networks; }

const Recipe* find_network(std::string_view name) { return recipes::find_in(networks, name); }

std::string with_settings(std::string_view given, const std::vector<std::string>& settings) {
  const Given parts = taken_apart(given);
  const std::string label = parts.label.empty() ? std::string() : fmt::format("{}: ", parts.label);
  if (!find_network(parts.text)) return label + pipeline::print(recipes::resolve_in(book(), parts.text, settings));
  std::string text = label + std::string(parts.whole);
  for (const std::string& setting : settings) {
    require(trim(setting).find(' ') == std::string_view::npos, Fault::usage, "[set] expected a setting without blanks, found \"{}\"", setting);
    text += fmt::format(" {}", trim(setting));
  }
  return text;
}

Network network_of(std::string_view given) {
  const auto [label, text, whole, settings] = taken_apart(given);
  Network network;
  const pipeline::Pipeline resolved = recipes::resolve_in(book(), text, settings);
  refuse_computed(resolved.text, resolved.stages);
  network.stages = pipeline::bind_stages(resolved, network_stages());
  network.text = pipeline::print(network.stages);
  network.name = !label.empty() ? std::string(label) : find_network(text) ? std::string(whole) : network.text;
  network.wants = pipeline::wants_of(network.stages);
  pipeline::for_each_stage(network.stages, [&](const BoundStage& bound) {
    if (bound.stage->name == "score" && bound.arguments.word("edge_features") != "no") network.edge_features = true;
  });
  require_form(network);
  return network;
}

std::vector<Network> networks_of(const std::vector<std::string>& texts) {
  require(!texts.empty(), Fault::usage, "[compare] expected a network (--pipeline gcn), found none");
  std::vector<Network> networks;
  for (const std::string& text : texts) {
    networks.push_back(network_of(text));
    for (std::size_t n = 0; n + 1 < networks.size(); ++n) {
      const bool same = networks[n].name == networks.back().name || networks[n].text == networks.back().text;
      require(!same, Fault::usage, "[compare] expected different networks, found \"{}\" twice", networks.back().name);
    }
  }
  return networks;
}

}  // namespace calor::model
