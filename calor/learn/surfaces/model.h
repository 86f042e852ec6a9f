// A network trained on surfaces as one file, and the classes of triangles or points of other surfaces.
//
// A safetensors file of kind "calor surface network".  Tensors: network.<weight> F32.  Metadata (texts; JSON where they hold more than a word): kind, schema, version,
// name, pipeline, of (triangles or points), classes, protocol, seed, input_hash, data.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/io/surface_set.h"
#include "calor/learn/network/mode_store.h"
#include "calor/learn/rows/predict.h"
#include "calor/learn/surfaces/protocol.h"

namespace calor::learn {

struct SurfaceModel {
  std::string name, pipeline;  // "diffusion-net width=64", and its stages in full
  std::string version, input_hash, data_name;
  std::uint64_t seed = 0;
  std::vector<std::string> classes;
  bool of_faces = true;
  SurfaceProtocol protocol;
  std::vector<float> weights;  // flat, in the order of the network's specs
};

// Written beside the target, then renamed.  Throws Fault::input.
void save_surface_model(const std::string& path, const SurfaceModel& model);

// A file of save_surface_model, or weights that the authors of DiffusionNet published (github.com/nmwsharp/diffusion-net), as safetensors: of triangles, with the classes 1, 2, ..., 128 modes of
// the cotangent Laplacian, and heat kernel signatures where 16 features go in, or points where 3 do.
// Throws Fault::input: "[model] expected ..., found ... (path)".
SurfaceModel load_surface_model(const std::string& path);

struct SurfacePredictions {
  Predictions all;               // of all surfaces' rows, one surface after the other
  std::vector<std::int64_t> rows;  // of each surface
  std::vector<double> accuracy;    // of each; not a number without labels
};

// Labels, where the set has any, are by the model's classes and of what it predicts: triangles or points.  Throws Fault::input, Fault::memory, Fault::interrupted.
// modes: where they are kept from run to run; null: nowhere.
SurfacePredictions predict_surfaces(const SurfaceModel& model, const io::SurfaceSet& set, const std::shared_ptr<const ModeStore>& modes, const Context& context);

}  // namespace calor::learn
