// Training a network on the nodes of one graph: all nodes in every step, the loss on the training nodes, and the weights kept that validate best.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "calor/analyse/comparison.h"
#include "calor/learn/nodes/data.h"
#include "calor/learn/train/trainer.h"

namespace calor::learn {

class NodeRun {
 public:
  // Everything must outlive the run.  rate, decay: Adam's, with coupled decay of all weights.
  NodeRun(const model::Network& network, const NodeData& data, const NodeSplit& split, const NodeProtocol& protocol, double rate, double decay, std::uint64_t seed, const Context& context);

  // An epoch.  False: the run had already ended.
  bool step();

  // Shares are those of the epoch's weights; accuracies and loss those of the weights kept so far: the best accuracy on the validation nodes, of equal ones the least loss there; without
  // validation nodes the last.
  const analyse::RunRecord& record() const { return record_; }
  double validated() const { return best_accuracy_; }
  double validated_loss() const { return best_loss_; }
  const std::vector<std::int64_t>& predictions() const { return predictions_; }  // a class for each node
  std::int64_t best_epoch() const { return best_epoch_; }
  const at::Tensor& kept() const { return kept_; }  // the weights, flat

 private:
  void measure();

  const NodeData& data_;
  const NodeProtocol& protocol_;
  NodeNetwork network_;
  Trainer trainer_;
  at::Tensor train_, validation_, test_, kept_;
  std::vector<std::int64_t> recorded_, predictions_;
  std::int64_t epoch_ = 0, best_epoch_ = 0;
  double best_accuracy_ = -1, best_loss_ = 0, train_accuracy_ = 0, test_accuracy_ = 0, train_loss_ = 0;
  bool ended_ = false;
  analyse::RunRecord record_;
};

// The run, over the protocol's rates and decays, that validates best: the greatest accuracy, of equal ones the least loss.
struct BestRun {
  std::unique_ptr<NodeRun> run;
  double rate = 0, decay = 0;
};
// after_step is called after each epoch of each run.
BestRun best_run(const model::Network& network, const NodeData& data, const NodeSplit& split, const NodeProtocol& protocol, std::uint64_t seed, const Context& context,
                 const std::function<void()>& after_step);

}  // namespace calor::learn
