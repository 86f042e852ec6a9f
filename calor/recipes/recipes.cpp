#include "calor/recipes/recipes.h"

#include <fmt/format.h>

#include <cmath>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/pipeline/bind.h"

namespace calor::recipes {
namespace {

constexpr RecipeParameter clusters[] = {{"k", "8", "number of clusters", 1}};
constexpr RecipeParameter fuzzy[] = {{"k", "8", "number of clusters", 1}, {"m", "2", "fuzziness, above 1: near 1 each point belongs to one cluster alone"}};
constexpr RecipeParameter cuts[] = {{"k", "8", "number of clusters", 2}};
constexpr RecipeParameter shift[] = {{"h", "groups", "bandwidth of exp(-d^2 / h), in squared units of the data; groups: from the points"}};
constexpr RecipeParameter markov[] = {{"inflation", "2", "the power that strengthens the flow: the larger, the more and the smaller clusters"}};
constexpr RecipeParameter hopfield[] = {{"temperature", "1", "temperature of exp(dot / temperature); 1 / beta of the paper"}};
constexpr RecipeParameter perplexity[] = {{"perplexity", "30", "how many neighbours of a point count; three times as many have a similarity at all", 1}};
constexpr RecipeParameter others[] = {{"k", "14", "neighbours of a point beside itself; one less than umap-learn's n_neighbors", 2}};

constexpr Recipe recipes[] = {
    {"mds", "distance(1) | double_center | eigen(2, time=0.5)", {},
     "classical multidimensional scaling: points in few dimensions with about the same distances", "Gower's formula", "10.1007/BF02288916"},
    {"mds-metric", "distance(1) | match(distance, stress)", {},
     "metric multidimensional scaling: distances matched by least squares (SMACOF)", "placed against fixed points", "10.18637/jss.v031.i03"},
    {"isomap", "knn(15) | distance(1) | geodesic | double_center | eigen(2, time=0.5)", {},
     "unfolds a curved surface: classical scaling of distances along the neighbour graph", "geodesics through neighbours", "10.1126/science.290.5500.2319"},
    {"lle", "knn(12) | local_weights(0.001) | eigen(2, of=residual)", {},
     "locally linear embedding: keeps the weights that rebuild each point from its neighbours", "weights on neighbours", "10.1126/science.290.5500.2323"},
    {"laplacian-eigenmaps", "knn(15) | distance(2) | exp(auto) | mean | eigen(2, of=laplacian)", {},
     "smooth coordinates on the neighbour graph", "Nystrom's formula", "10.1162/089976603321780317"},
    {"diffusion-map", "distance(2) | exp(auto) | two_side(1) | row | eigen(2, time=1)", {},
     "slow modes of a diffusion on the data, independent of the sampling density", "Nystrom's formula", "10.1016/j.acha.2006.04.006"},
    {"sne", "distance(2) | exp(perplexity=30) | row | match(gaussian, kl)", {},
     "a map whose Gaussian neighbourhoods are those of the data: the ancestor of t-SNE", "placed against fixed points", "10.5555/2968618.2968725"},
    {"tsne", "knn(ceil(3 * $perplexity)) | distance(2) | exp(perplexity=$perplexity) | row | mean | global | match(student, kl)", perplexity,
     "a map on which near neighbours stay together and clusters come apart", "placed against fixed points", "10.1038/s41592-018-0308-4"},
    {"umap", "knn($k) | distance(1, from=nearest) | exp(cardinality=log2($k + 1)) | union | match(rational, cross_entropy)", others,
     "a map of the fuzzy neighbour graph, close groups packed tight", "placed against fixed points", "arXiv:1802.03426"},
    {"spectral-clustering",
     "knn(15) | distance(2) | exp(auto) | mean | eigen($k - 1, of=laplacian, components=together) | cluster($k)", cuts,
     "clusters of any shape, cut where the neighbour graph is thin", "nearest centre after Nystrom's formula", "10.1007/s11222-007-9033-z"},
    {"k-means", "centres($k) | repeat(distance(2, to=data) | best(column) | row | apply) | assign", clusters,
     "round clusters around their means", "nearest centre", "10.1109/TIT.1982.1056489"},
    {"fuzzy-c-means", "centres($k) | repeat(distance(-2 / ($m - 1), to=data) | column | inflate($m) | row | apply) | memberships($m)", fuzzy,
     "clusters that every point belongs to in part, more to the nearer ones", "memberships in the fit's centres", "10.1007/978-1-4757-0450-1"},
    {"mcl",
     "adjacency(loops=drop, edges=undirected) | self_loops(greatest) | row | repeat(expand(2, prune=0.0001, keep=1100, recover=1400) | inflate($inflation) | row) | "
     "components(attractors)",
     markov, "Markov clustering: groups that flow along a graph stays in", "the cluster that most of their edges' weight leads to", "10.1137/040608635"},
    {"knn-classifier", "knn(5, to=train) | indicator | row | vote", {},
     "majority vote of the nearest training points", "by the same formula", "10.1109/TIT.1967.1053964"},
    {"knn-regressor", "knn(5, to=train) | indicator | row | average", {},
     "the mean of the nearest training points' values", "by the same formula", "10.1109/TIT.1967.1053964"},
    {"nadaraya-watson", "distance(2, to=train) | exp(auto) | row | average", {},
     "kernel regression: a weighted mean over all training points", "by the same formula", "10.1137/1109020"},
    {"propagator", "standardise(loo) | distance(2, to=train) | exp(loo) | two_side(loo, of=keys) | row | vote", {},
     "attention to labelled points, with bandwidth and density exponent chosen by leave-one-out", "by the same formula", "10.1016/j.acha.2006.04.006"},
    {"propagator-regressor", "standardise(loo) | distance(2, to=train) | exp(loo) | two_side(loo, of=keys) | row | average", {},
     "the propagator for measured values: kernel regression that chooses its own bandwidth", "by the same formula", "10.1137/1109020"},
    {"svm", "kernel(rbf) | weigh(svm, C=1) | vote", {},
     "support vector machine for classes (SVC): the widest margin between them", "by the same formula", "10.1007/BF00994018"},
    {"svm-regressor", "kernel(rbf) | weigh(svr, C=1) | average", {},
     "support vector machine for measured values (SVR): the flattest function within a tube", "by the same formula", "10.1023/B:STCO.0000035301.49549.88"},
    {"one-class-svm", "kernel(rbf) | weigh(one_class, nu=0.5)", {},
     "where the points are (OneClassSVM): tells new ones that lie elsewhere", "by the same formula", "10.1162/089976601750264965"},
    {"label-spreading", "knn(15) | distance(2) | exp(auto) | mean | two_side(0.5) | repeat(restart(0.2)) | vote", {},
     "a few labels flow along the neighbour graph", "one more step", "10.5555/2981345.2981386"},
    {"mean-shift", "repeat(distance(2) | exp($h) | row | apply, tolerance=0.0001) | assign(merge)", shift,
     "points climb to the modes of their density: attention without weights", "nearest mode", "10.1109/34.400568"},
    {"hopfield", "repeat(dot(to=patterns) | exp($temperature) | row | apply)", hopfield,
     "recalls stored patterns: the fixed points of attention", "by the same formula", "arXiv:2008.02217"},
    {"pagerank", "adjacency | row | repeat(restart(0.15, side=left), tolerance=1e-10)", {},
     "how often a random walk visits each node", "", "10.1016/S0169-7552(98)00110-X"}};

std::vector<std::string> names_of(std::span<const Recipe> book) {
  std::vector<std::string> names;
  for (const Recipe& recipe : book) names.emplace_back(recipe.name);
  return names;
}

void check_parameter(const RecipeParameter& parameter, const std::string& text) {
  if (parameter.least == 0) return;
  const std::optional<double> value = pipeline::constant_of(text);
  require(value && *value >= parameter.least && *value == std::floor(*value) && std::isfinite(*value), Fault::usage,
          "[set] expected a whole number of at least {} for {} ({}), found {}", parameter.least, parameter.name, parameter.meaning, text);
}

bool one_word(std::string_view text) { return text.find_first_of("|( ") == std::string_view::npos; }

}  // namespace

std::span<const Recipe> all_recipes() { return recipes; }

const Recipe* find_in(std::span<const Recipe> book, std::string_view name) {
  for (const Recipe& recipe : book)
    if (recipe.name == name) return &recipe;
  return nullptr;
}

const Recipe* find_recipe(std::string_view name) { return find_in(recipes, name); }

pipeline::Pipeline resolve(std::string_view recipe_or_pipeline, const std::vector<std::string>& settings) {
  return resolve_in({recipes, &all_stages(), "run", "a recipe"}, recipe_or_pipeline, settings);
}

pipeline::Pipeline resolve_in(const Book& book, std::string_view recipe_or_pipeline, const std::vector<std::string>& settings) {
  const std::string_view text = trim(recipe_or_pipeline);
  const Recipe* recipe = find_in(book.recipes, text);
  if (!recipe && one_word(text) && !pipeline::find_stage(*book.stages, text)) {
    const std::vector<std::string> names = names_of(book.recipes);
    const std::string near = nearest_name(text, names);
    fail(Fault::usage, "[{}] expected {} ({}) or a pipeline, found \"{}\"{}", book.op, book.what, list_names(names, 40), text,
         near.empty() ? std::string() : fmt::format(": did you mean \"{}\"?", near));
  }
  std::map<std::string, std::string> values;
  if (recipe)
    for (const RecipeParameter& parameter : recipe->parameters) values[std::string(parameter.name)] = parameter.standard;
  std::vector<std::string> of_stages;
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    if (setting.substr(0, equals).find('.') != std::string::npos || equals == std::string::npos) {
      of_stages.push_back(setting);
      continue;
    }
    const std::string name(trim(setting.substr(0, equals)));
    std::vector<std::string> known;
    for (const auto& [parameter, value] : values) known.push_back("$" + parameter);
    require(values.count(name) > 0, Fault::usage, "[set] expected stage.parameter=value{}, found \"{}\"",
            known.empty() ? std::string() : fmt::format(" or a value for {}", list_names(known)), setting);
    values[name] = setting.substr(equals + 1);
  }
  if (recipe)
    for (const RecipeParameter& parameter : recipe->parameters) check_parameter(parameter, values[std::string(parameter.name)]);
  pipeline::Pipeline result = pipeline::substitute(pipeline::parse(recipe ? recipe->pipeline : text), values);
  for (const std::string& setting : of_stages) result = pipeline::set_argument(result, *book.stages, setting);
  return result;
}

std::string parameters_of(std::string_view recipe_or_pipeline, const std::vector<std::string>& settings) {
  const Recipe* recipe = find_recipe(trim(recipe_or_pipeline));
  std::string lines;
  if (!recipe) return lines;
  for (const RecipeParameter& parameter : recipe->parameters) {
    std::string value(parameter.standard);
    for (const std::string& setting : settings)
      if (trim(std::string_view(setting).substr(0, setting.find('='))) == parameter.name) value = trim(std::string_view(setting).substr(setting.find('=') + 1));
    lines += fmt::format("\n  {}'s ${} is {}: --set {}=...", recipe->name, parameter.name, value, parameter.name);
  }
  return lines;
}

}  // namespace calor::recipes
