// The eigenvectors of surfaces in a folder: computed once, for all runs that are given it.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "calor/engine/matrix.h"
#include "calor/engine/solve/eigenpairs.h"
#include "calor/io/mesh.h"

namespace calor::learn {

// What smallest_mass_pairs found, its vectors [points, modes] rounded to floats, and the mass.
struct SurfaceModes {
  engine::Pairs pairs;
  engine::Vector mass;
};

// One safetensors file a surface, its weights and its number of modes, named by the SHA-256 of these and of this Calor's version; 4 bytes a point and mode.  May be used by several
// threads, and by several processes at a time: files appear whole.
class ModeStore {
 public:
  // Makes the folder where there is none.  Throws Fault::input where it cannot be written.
  explicit ModeStore(std::string folder);

  // What the folder has; else what `compute` gives, which is then kept: the same bits.  A damaged file is computed and written anew; one of another kind stays as it is, and nothing is kept.
  SurfaceModes modes(const io::Mesh& mesh, const std::string& weights, std::int64_t count, const std::function<SurfaceModes()>& compute) const;

  // What was found and computed, and what was odd: a sentence each; none where nothing was asked for.
  std::vector<std::string> notes() const;

 private:
  std::string folder_;
  mutable std::mutex guard_;
  mutable std::int64_t found_ = 0, computed_ = 0;
  mutable std::vector<std::string> odd_;
};

}  // namespace calor::learn
