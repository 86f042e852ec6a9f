// Which of Calor's own files a file is, by its content.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace calor::io {

// What Calor's writers put into the metadata of a safetensors file: under "format" for a fit, under "kind" for the others.
inline constexpr const char *fit_mark = "calor-fit-1", *network_mark = "calor attention network", *propagator_mark = "calor propagator",
                            *node_network_mark = "calor node network", *surface_network_mark = "calor surface network", *translation_mark = "calor translation",
                            *checkpoint_mark = "calor training checkpoint", *modes_mark = "calor surface modes";

struct FileKind {
  // diffusion_net: weights that the authors of DiffusionNet published, as safetensors;
  // mapping: of attention weights (docs/inspect.md); results: a JSON document of a command; foreign: a safetensors file of another program.
  enum Kind { other, fit, network, node_network, surface_network, diffusion_net, propagator, translation, checkpoint, modes, mapping, results, foreign };
  Kind kind = other;
  std::string what;  // "a propagator of calor train"; "" for other
  std::string use;   // what takes it: "predict new points with calor predict"
};

// Reads no tensors.  `other`: also for what is damaged, missing, or no regular file.
FileKind file_kind(const std::string& path);

// The kind of a file that must be one of these, or `other`, of which its reader says more.
// Throws Fault::input: "[op] expected <expected>, found a propagator of calor train (path): predict new points with calor predict".
FileKind::Kind expect_kind(const std::string& path, std::initializer_list<FileKind::Kind> wanted, std::string_view op, std::string_view expected);

}  // namespace calor::io
