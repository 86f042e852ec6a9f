#include "calor/learn/nodes/compare.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "calor/analyse/comparison.h"
#include "calor/analyse/standing.h"
#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/core/threads.h"
#include "calor/learn/compare/network_experiment.h"
#include "calor/learn/nodes/run.h"
#include "calor/learn/train/trainer.h"
#include "calor/pipeline/bind.h"
#include "calor/pipeline/run.h"
#include "calor/recipes/recipes.h"

namespace calor::learn {
namespace {

using nlohmann::json;

const std::string control = "graph-uniform";

std::vector<model::Network> networks_of(const CompareNodesOptions& options) {
  require(options.seeds >= 1, Fault::usage, "[compare] expected at least one seed, found {}", options.seeds);
  validate(options.protocol);
  return model::networks_of(options.pipelines);
}

// What a network with a seed comes to, under the rate and decay that validate best.
struct Trained {
  analyse::RunRecord record;
  analyse::Chosen chosen;
};

class Runs {
 public:
  Runs(const io::NodeDataset& data, const CompareNodesOptions& options, const Context& context)
      : source_(data), options_(options), context_(context), networks_(networks_of(options)), data_(node_data(checked(data), options.protocol.features, context)) {
    require(!data.edges.empty() || std::none_of(networks_.begin(), networks_.end(), [](const model::Network& n) { return n.wants == pipeline::Wants::graph; }), Fault::input,
            "[compare] expected edges, found none: name the graph's file with --graph");
    for (const auto& network : networks_) require_edge_features(network, data, "compare");
    if (options.baselines)
      for (const char* name : {"logistic", "mlp"})
        if (std::none_of(networks_.begin(), networks_.end(), [&](const model::Network& n) { return n.name == name; })) plain_.push_back(model::network_of(name));
    const auto workers = static_cast<std::uint64_t>(context_.threads > 0 ? context_.threads : available_threads());
    for (const auto& network : networks_) require_node_memory(network, data_, workers, "compare", context_);
    trained_.assign(networks_.size() + plain_.size(), std::vector<Trained>(static_cast<std::size_t>(options.seeds)));
    spread_.assign(options.baselines && !data.edges.empty() ? static_cast<std::size_t>(options.seeds) : 0, {});
  }

  void train_all() {
    const auto seeds = static_cast<std::int64_t>(options_.seeds), all = static_cast<std::int64_t>(trained_.size());
    parallel_for(seeds * all + static_cast<std::int64_t>(spread_.size()), context_.threads, [&](std::int64_t job) {
      const OneThread one_thread;
      context_.check_stop("compare");
      if (job >= seeds * all) return spread(job - seeds * all);
      const std::int64_t network = job % all, seed = job / all;
      trained_[network][seed] = train(static_cast<std::size_t>(network) < networks_.size() ? networks_[network] : plain_[network - networks_.size()], options_.base_seed + static_cast<std::uint64_t>(seed));
    });
  }

  const std::vector<model::Network>& networks() const { return networks_; }
  const NodeData& data() const { return data_; }
  const io::NodeDataset& source() const { return source_; }
  const CompareNodesOptions& options() const { return options_; }
  const Trained& trained(std::size_t network, std::size_t seed) const { return trained_[network][seed]; }
  std::size_t seeds() const { return static_cast<std::size_t>(options_.seeds); }

  std::vector<analyse::BaselineRecord> baselines() const {
    std::vector<analyse::BaselineRecord> records;
    for (std::size_t p = 0; p < plain_.size(); ++p) {
      const auto& runs = trained_[networks_.size() + p];
      analyse::BaselineRecord record{plain_[p].name == "mlp" ? "plain network (mlp)" : "logistic regression", {}, {}, runs.front().record.parameters, {}};
      for (const Trained& run : runs) {
        record.accuracy.push_back(run.record.test_accuracy.back());
        record.chosen.push_back(run.chosen);
      }
      records.push_back(std::move(record));
    }
    if (spread_.empty()) return records;
    analyse::BaselineRecord record{"label spreading", {}, {}, std::nullopt, {}};
    for (const Spread& s : spread_) {
      record.accuracy.push_back(s.accuracy);
      record.chosen.push_back({"", {{"restart", s.alpha}}});
    }
    records.push_back(std::move(record));
    return records;
  }

 private:
  struct Spread {
    double accuracy = 0, alpha = 0;
  };

  static const io::NodeDataset& checked(const io::NodeDataset& data) {
    require_classes(data, "compare");
    return data;
  }

  Trained train(const model::Network& network, std::uint64_t seed) const {
    const NodeSplit split = node_split(source_, options_.protocol.per_class, seed);
    const BestRun best = best_run(network, data_, split, options_.protocol, seed, context_, [&] {
      context_.check_stop("compare");
      context_.advance(static_cast<double>(++steps_done_), steps_in_all(), fmt::format("{}, seed {}", network.name, seed));
    });
    Trained result{best.run->record(), {"", {{"learning rate", best.rate}}}};
    if (options_.protocol.weight_decays.size() > 1) result.chosen.values.emplace_back("weight decay", best.decay);
    result.record.preprocessing = analyse::chosen_text({result.chosen});
    return result;
  }

  double steps_in_all() const {
    return static_cast<double>(options_.protocol.epochs * options_.seeds) * static_cast<double>(trained_.size() * options_.protocol.learning_rates.size() * options_.protocol.weight_decays.size());
  }

  // Zhou et al. 2004 on the graph alone, its restart chosen by the validation nodes.
  void spread(std::int64_t seed) {
    const NodeSplit split = node_split(source_, options_.protocol.per_class, options_.base_seed + static_cast<std::uint64_t>(seed));
    auto data = std::make_shared<pipeline::Data>(*data_.graph);
    data->labels = source_.labels;
    data->classes = source_.classes;
    data->train.assign(static_cast<std::size_t>(data_.nodes), 0);
    for (const std::int64_t node : split.train) data->train[static_cast<std::size_t>(node)] = 1;
    Context quiet = context_;
    quiet.progress = nullptr;
    quiet.threads = 1;
    double best = -1;
    for (const double alpha : {0.5, 0.2, 0.1, 0.05}) {
      const auto stages = pipeline::bind_stages(pipeline::parse(fmt::format("adjacency | two_side(0.5) | repeat(restart({}), max_iterations=200, tolerance=0.0001) | vote", alpha)), recipes::all_stages());
      const engine::Matrix scores = pipeline::fit(stages, data, 0, quiet).result.scores;
      const auto accuracy = [&](const std::vector<std::int64_t>& nodes) {
        std::int64_t right = 0;
        for (const std::int64_t node : nodes) {
          Eigen::Index winner = 0;
          if (scores.row(node).maxCoeff(&winner) > 0) right += winner == source_.labels[static_cast<std::size_t>(node)];
        }
        return nodes.empty() ? 0 : static_cast<double>(right) / static_cast<double>(nodes.size());
      };
      if (const double validated = accuracy(split.validation); validated > best) {
        best = validated;
        spread_[static_cast<std::size_t>(seed)] = {accuracy(split.test), alpha};
      }
    }
  }

  const io::NodeDataset& source_;
  const CompareNodesOptions& options_;
  const Context& context_;
  std::vector<model::Network> networks_, plain_;
  NodeData data_;
  std::vector<std::vector<Trained>> trained_;  // networks, then plain ones; by seed
  std::vector<Spread> spread_;
  mutable std::atomic<std::int64_t> steps_done_{0};
};

json document(const Runs& runs) {
  const io::NodeDataset& data = runs.source();
  const NodeProtocol& protocol = runs.options().protocol;
  const NodeSplit split = node_split(data, protocol.per_class, runs.options().base_seed);
  const bool own = has_split(data);
  NetworkExperiment experiment{data.name, control, runs.networks(), {}, runs.baselines(), std::vector<double>(data.classes.size(), 0), runs.options().base_seed, runs.options().seeds, {}, {}};
  for (std::size_t n = 0; n < runs.networks().size(); ++n)
    for (std::size_t i = 0; i < runs.seeds(); ++i) experiment.records.push_back(runs.trained(n, i).record);
  for (const std::int64_t label : data.labels)
    if (label >= 0) ++experiment.class_sizes[static_cast<std::size_t>(label)];
  experiment.data = {{"source", data.source},       {"hash", data.hash},
                     {"rows", data.nodes()},        {"columns", data.features.columns},
                     {"edges", data.edges.size()},  {"classes", data.classes},
                     {"train", split.train.size()}, {"validation", split.validation.size()},
                     {"test", split.test.size()},   {"own_split", own},
                     {"test_source", json()}};
  experiment.protocol = {{"of", "nodes"},
                         {"optimizer", "adam"},
                         {"learning_rates", protocol.learning_rates},
                         {"weight_decays", protocol.weight_decays},
                         {"epochs", protocol.epochs},
                         {"patience", protocol.patience},
                         {"features", name_of(runs.data().scale)},
                         {"per_class", own ? json() : json(protocol.per_class)},
                         {"seed_means", own ? "the weights and the dropout; the split is the data's own" : "the split, the weights and the dropout"}};
  return document_of(experiment);
}

}  // namespace

json compare_nodes(const io::NodeDataset& data, const CompareNodesOptions& options, const Context& context) {
  Runs runs(data, options, context);
  runs.train_all();
  return document(runs);
}

}  // namespace calor::learn
