// calor train on surfaces: one network, kept as a model.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "calor/analyse/comparison.h"
#include "calor/io/surface_set.h"
#include "calor/learn/network/mode_store.h"
#include "calor/learn/surfaces/model.h"
#include "calor/model/networks.h"

namespace calor::learn {

struct TrainSurfacesOptions {
  std::string pipeline;
  SurfaceProtocol protocol;
  std::uint64_t seed = 0;
  std::shared_ptr<const ModeStore> modes;  // where modes are kept from run to run; null: nowhere
  std::string save;  // "": the model is not kept
  bool restart = false;
  double checkpoint_seconds = 60;
};

struct TrainedSurfaces {
  SurfaceModel model;
  analyse::RunRecord record;
  std::int64_t train = 0, test = 0;  // surfaces
  std::optional<std::int64_t> resumed_epoch;
  std::optional<std::string> failure;
  std::vector<std::string> remarks;  // on the surfaces
};

// The network that a text is on surfaces: the stage faces is put at its end where labels are of triangles and the text has none.
model::Network surface_network(const std::string& text, bool of_faces);

// Goes on from save's checkpoint where there is one.  Throws Fault::usage, Fault::input, Fault::memory, Fault::interrupted.
TrainedSurfaces train_surfaces(const io::SurfaceSet& set, const std::optional<io::SurfaceSet>& test, const TrainSurfacesOptions& options, const Context& context);

}  // namespace calor::learn
