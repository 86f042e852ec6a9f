#include "calor/learn/surfaces/compare.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <nlohmann/json.hpp>

#include "calor/analyse/comparison.h"
#include "calor/core/error.h"
#include "calor/core/threads.h"
#include "calor/learn/compare/network_experiment.h"
#include "calor/learn/surfaces/run.h"
#include "calor/learn/surfaces/train.h"
#include "calor/learn/train/trainer.h"

namespace calor::learn {
namespace {

using nlohmann::json;

const std::string control = "surface-uniform", plain = "surface-mlp";
constexpr std::int64_t most_shown = 60'000;  // triangles of a surface in the document

std::vector<model::Network> networks_of(const CompareSurfacesOptions& options, bool of_faces) {
  require(options.seeds >= 1, Fault::usage, "[compare] expected at least one seed, found {}", options.seeds);
  validate(options.protocol);
  std::vector<model::Network> networks = model::networks_of(options.pipelines);
  for (model::Network& network : networks) {
    const std::string name = network.name;
    network = surface_network(network.text, of_faces);
    network.name = name;
  }
  return networks;
}

struct Trained {
  analyse::RunRecord record;
  std::vector<std::vector<std::int64_t>> predictions;  // of the first seed
};

class Runs {
 public:
  Runs(const io::SurfaceSet& set, const std::optional<io::SurfaceSet>& test, const CompareSurfacesOptions& options, const Context& context)
      : set_(set), test_(test), options_(options), context_(context), networks_(networks_of(options, set.of_faces)), named_(networks_.size()), all_(surface_data(set, options.modes)) {
    if (test) own_test_ = surface_data(*test, options.modes);
    if (options.baselines && std::ranges::find(networks_, plain, &model::Network::name) == networks_.end()) networks_.push_back(surface_network(plain, set.of_faces));
    const auto workers = static_cast<std::uint64_t>(context.threads > 0 ? context.threads : available_threads());
    const SurfaceData tested = own_test_.value_or(SurfaceData());
    for (const model::Network& network : networks_) require_surface_memory(network, all_, tested, workers, "compare", context);
    for (const model::Network& network : networks_)
      for (const SurfaceData* data : {&std::as_const(all_), &tested}) networks_on(network, *data, 0, nullptr, context);  // makes the modes, which all runs share
    trained_.assign(networks_.size(), std::vector<Trained>(static_cast<std::size_t>(options.seeds)));
  }

  void train_all() {
    const auto all = static_cast<std::int64_t>(networks_.size());
    Context inner = context_;
    inner.progress = nullptr;
    inner.threads = 1;
    parallel_for(all * options_.seeds, context_.threads, [&](std::int64_t job) {
      const OneThread one_thread;
      const std::int64_t network = job % all, number = job / all;
      const std::uint64_t seed = options_.base_seed + static_cast<std::uint64_t>(number);
      const SurfaceParts split = parts(seed);
      SurfaceRun run(networks_[network], split.train, split.test, options_.protocol, seed, inner);
      while (run.step()) {
        context_.check_stop("compare");
        const double steps = static_cast<double>(all) * options_.seeds * static_cast<double>(run.steps_in_all());
        context_.advance(static_cast<double>(++done_), steps, fmt::format("{}, seed {}, epoch {}", networks_[network].name, seed, run.epoch() + 1));
      }
      trained_[network][number] = {run.record(), number == 0 && !run.failure() ? run.predictions() : std::vector<std::vector<std::int64_t>>()};
    });
  }

  json document() const {
    const SurfaceParts first = parts(options_.base_seed);
    NetworkExperiment experiment{set_.name, control, {networks_.begin(), networks_.begin() + static_cast<std::ptrdiff_t>(named_)}, {}, {}, std::vector<double>(set_.classes.size(), 0), options_.base_seed, options_.seeds, {}, {}};
    for (std::size_t n = 0; n < named_; ++n)
      for (const Trained& trained : trained_[n]) experiment.records.push_back(trained.record);
    for (std::size_t n = named_; n < networks_.size(); ++n) {
      analyse::BaselineRecord record{"plain network (" + networks_[n].name + ")", {}, {}, trained_[n].front().record.parameters, {}};
      for (const Trained& trained : trained_[n]) record.accuracy.push_back(trained.record.test_accuracy.back());
      experiment.baselines.push_back(std::move(record));
    }
    for (const auto& labels : set_.labels)
      for (const std::int64_t label : labels) experiment.class_sizes[static_cast<std::size_t>(label)] += 1;
    experiment.data = {{"source", set_.source},   {"hash", set_.hash},
                       {"rows", set_.rows()},     {"columns", 3},
                       {"classes", set_.classes}, {"of", set_.of_faces ? "triangles" : "points"},
                       {"surfaces", set_.size()}, {"train", first.train.surfaces.size()},
                       {"test", first.test.surfaces.size()}, {"test_source", test_ ? json(test_->source) : json()}};
    experiment.protocol = options_.protocol;
    if (test_) experiment.protocol["test_share"] = nullptr;
    experiment.protocol["of"] = "surfaces";
    experiment.protocol["seed_means"] = test_ ? "the weights, the dropout and the order of the surfaces" : "the test surfaces, the weights, the dropout and the order of the surfaces";
    json document = document_of(experiment);
    document["surfaces"] = shown(first.test);
    return document;
  }

 private:
  SurfaceParts parts(std::uint64_t seed) const { return split_surfaces(all_, own_test_, options_.protocol.test_share, seed); }

  // Of the first seed the test surfaces on which networks are right least, most, and in the middle, with what each network says there.
  json shown(const SurfaceData& test) const {
    std::vector<std::pair<double, std::size_t>> order;
    const auto right = [&](const std::vector<std::int64_t>& said, const at::Tensor& labels) {
      const std::int64_t* label = labels.const_data_ptr<std::int64_t>();
      double sum = 0;
      for (std::size_t i = 0; i < said.size(); ++i) sum += said[i] == label[i];
      return sum / static_cast<double>(std::max<std::size_t>(said.size(), 1));
    };
    for (std::size_t s = 0; s < test.surfaces.size(); ++s) {
      double sum = 0;
      for (std::size_t n = 0; n < named_; ++n)
        if (!trained_[n].front().predictions.empty()) sum += right(trained_[n].front().predictions[s], test.surfaces[s].labels);
      if (test.surfaces[s].surface->mesh().faces() <= most_shown) order.emplace_back(sum, s);
    }
    std::sort(order.begin(), order.end());
    std::vector<std::size_t> chosen;
    if (!order.empty())
      for (const std::size_t place : {std::size_t{0}, order.size() / 2, order.size() - 1})
        if (chosen.empty() || chosen.back() != order[place].second) chosen.push_back(order[place].second);
    json surfaces = json::array();
    for (const std::size_t s : chosen) {
      const LabelledSurface& surface = test.surfaces[s];
      const std::int64_t* label = surface.labels.const_data_ptr<std::int64_t>();
      json predictions, accuracy;
      for (std::size_t n = 0; n < named_; ++n) {
        const auto& said = trained_[n].front().predictions;
        if (said.empty()) continue;
        predictions[networks_[n].name] = said[s];
        accuracy[networks_[n].name] = right(said[s], surface.labels);
      }
      std::vector<double> points = surface.surface->mesh().points;
      for (double& x : points) x = std::round(x * 1e4) / 1e4;
      surfaces.push_back({{"name", surface.name}, {"points", points}, {"triangles", surface.surface->mesh().triangles}, {"labels", std::vector<std::int64_t>(label, label + surface.labels.numel())},
                          {"predictions", predictions}, {"accuracy", accuracy}});
    }
    return surfaces;
  }

  const io::SurfaceSet& set_;
  const std::optional<io::SurfaceSet>& test_;
  const CompareSurfacesOptions& options_;
  const Context& context_;
  std::vector<model::Network> networks_;  // those that were named, then the plain one
  std::size_t named_;
  SurfaceData all_;
  std::optional<SurfaceData> own_test_;
  std::vector<std::vector<Trained>> trained_;  // by network and seed
  std::atomic<std::int64_t> done_{0};
};

}  // namespace

json compare_surfaces(const io::SurfaceSet& set, const std::optional<io::SurfaceSet>& test, const CompareSurfacesOptions& options, const Context& context) {
  require_trainable(set, test);
  Runs runs(set, test, options, context);
  runs.train_all();
  return runs.document();
}

}  // namespace calor::learn
