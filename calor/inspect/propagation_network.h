// What `calor train --save` wrote (docs/formats/model.md), read without torch: H = tanh(encode x), then layers of
// H <- tanh(H + S H V), S = softmax of the score that the model's pipeline names, times the layer's factor, normalised as it says.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "calor/inspect/model.h"

namespace calor::inspect {

class PropagationNetwork : public Model {
 public:
  // Throws Fault::input for weights whose rows do not add up to 1.
  explicit PropagationNetwork(const std::string& path);
  std::string kind() const override { return "Calor network (" + attention_ + ")"; }
  std::int64_t layers() const override { return static_cast<std::int64_t>(heads_.size()); }
  std::int64_t heads() const override { return 1; }
  io::LoadOptions token_options() const override;
  // Rows of data, preprocessed here; with nothing given the training points that the model keeps.  All points attend to each other.
  Activations run(const Tokens& tokens, const Context& context) const override;

 private:
  Activations propagate(const Matrix& prepared, const Context& context) const;
  std::string attention_;
  std::vector<std::string> features_;
  Vector mean_, deviation_;
  Matrix kept_;
  AffineMap encode_;
  std::vector<Head> heads_;
  bool residual_ = true;
};

}  // namespace calor::inspect
