#include "calor/model/networks.h"

#include <algorithm>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/pipeline/bind.h"

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
constexpr RecipeParameter plain[] = {{"width", "64", "features of the hidden layer", 1}, {"dropout", "0.5", "share of features left out in a training step"}};

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
    {"graph-self", CALOR_ATTENTION("dot"), attention, "graph attention by dot products: a Transformer's, on edges", "", "arXiv:2012.09699"},
    {"graph-l2", CALOR_ATTENTION("l2"), attention, "graph attention by distances of mapped features", "", "arXiv:2006.04710"},
    {"graph-metric", CALOR_ATTENTION("metric"), attention, "graph attention by a learned metric", "", "arXiv:2412.18288"},
    {"graph-uniform", CALOR_ATTENTION("uniform"), attention, "graph attention in which all neighbours weigh the same: the control", "", ""},
    {"sgc", "adjacency | self_loops | two_side(0.5) | apply($steps) | linear(classes) | bias", steps, "simple graph convolution: features flow first, then one linear map", "", "arXiv:1902.07153"},
    {"appnp", "dropout($dropout) | linear($width) | bias | relu | dropout($dropout) | linear(classes) | bias | adjacency | self_loops | two_side(0.5) | dropout($dropout) | restart($alpha, $steps)",
     personalised, "predictions of a plain network flow along the graph, as in personalised PageRank", "", "arXiv:1810.05997"},
    {"mlp", "dropout($dropout) | linear($width) | bias | relu | dropout($dropout) | linear(classes) | bias", plain, "a plain network, which does not see the graph", "", ""},
    {"logistic", "linear(classes) | bias", {}, "logistic regression, which does not see the graph", "", ""}};

#undef CALOR_ATTENTION

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

}  // namespace

std::span<const Recipe> all_networks() { return networks; }

const Recipe* find_network(std::string_view name) { return recipes::find_in(networks, name); }

Network network_of(std::string_view given) {
  std::string_view text = trim(given);
  std::vector<std::string> settings;
  // "gat heads=4": a name, then settings.
  if (const std::size_t blank = text.find(' '); blank != std::string_view::npos && find_network(text.substr(0, blank))) {
    for (std::string_view rest = trim(text.substr(blank)); !rest.empty();) {
      const std::size_t end = std::min(rest.find(' '), rest.size());
      settings.emplace_back(rest.substr(0, end));
      rest = trim(rest.substr(end));
    }
    text = text.substr(0, blank);
  }
  Network network;
  network.stages = pipeline::bind_stages(recipes::resolve_in({networks, &network_stages(), "network", "a network"}, text, settings), network_stages());
  network.text = pipeline::print(network.stages);
  network.name = std::string(find_network(text) ? trim(given) : network.text);
  pipeline::for_each_stage(network.stages, [&](const BoundStage& bound) { network.uses_graph |= bound.stage->name == "adjacency"; });
  require_form(network);
  return network;
}

}  // namespace calor::model
