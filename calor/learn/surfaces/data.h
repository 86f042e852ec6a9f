// Surfaces to train on, and networks that run on each of them with the same weights.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/io/surface_set.h"
#include "calor/learn/network/network.h"
#include "calor/learn/network/surface.h"

namespace calor::learn {

struct LabelledSurface {
  std::string name;
  std::shared_ptr<const Surface> surface;
  at::Tensor labels;  // [triangles or points], int64; undefined without labels
};

struct SurfaceData {
  std::vector<LabelledSurface> surfaces;
  std::int64_t classes = 0;
  bool of_faces = false;

  std::int64_t rows() const;  // that have labels
};

// Classes are those of the set.  modes: where those of its surfaces are kept; null: nowhere.
SurfaceData surface_data(const io::SurfaceSet& set, const std::shared_ptr<const ModeStore>& modes = nullptr);

// Throws Fault::input for a set without labels, with fewer than two classes, or too few surfaces to hold one out, and for a test set with labels of the other kind.
void require_trainable(const io::SurfaceSet& set, const std::optional<io::SurfaceSet>& test);

// What is trained on and tested on: the whole and `test`, or, without one, a share of the surfaces, drawn by the seed.
struct SurfaceParts {
  SurfaceData train, test;
};
SurfaceParts split_surfaces(const SurfaceData& all, const std::optional<SurfaceData>& test, double share, std::uint64_t seed);

// One network on each surface; all have the first one's weights, or `weights`.  Modes and gradients are made where they are not yet, side by side over context.threads;
// `seed` draws the weights and the dropout.  Throws Fault::usage with a caret for stages that do not fit; Fault::memory for modes beyond the limit; Fault::interrupted.
std::vector<std::unique_ptr<NodeNetwork>> networks_on(const model::Network& network, const SurfaceData& data, std::uint64_t seed, std::shared_ptr<const Weights> weights, const Context& context);

// Refuses what so many trainings at a time would take beyond the limit, modes, activations and weights: Fault::memory.
void require_surface_memory(const model::Network& network, const SurfaceData& train, const SurfaceData& test, std::uint64_t workers, const char* op, const Context& context);

// What a person should know of training on these: a class that no training surface has, and features that are far larger on one surface than they are wont to be.
std::vector<std::string> surface_remarks(const SurfaceData& train, const std::vector<std::unique_ptr<NodeNetwork>>& networks, const std::vector<std::string>& classes);

// The weights that a network has on surfaces, from its text and classes alone.
std::vector<WeightSpec> surface_weight_specs(const model::Network& network, std::int64_t classes, bool of_faces);

}  // namespace calor::learn
