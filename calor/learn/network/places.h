// What the weights of a table's network are called, and the random stream that each is drawn from: by layer and role, not by what comes before them, so that
// networks which differ in their score alone share the start of all else.
//
//   encode.weight  encode.bias    the first map            layers.0.value                     the first map of a layer
//   decode.weight  decode.bias    the map to the classes   layers.0.score.query               a score's own
//   maps.0.weight                 others                   layers.0.factor (or .log_factor)   of its scores
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace calor::learn {

class Places {
 public:
  // Repetitions of a layer; those within others count as parts of the outer one.
  void enter_layer();
  void leave_layer() { --depth_; }
  void begin_map(bool to_classes);  // the weights called "weight" and "bias" that follow are its

  // The name and the stream of a stage's weight.  The weight of apply is that of the map after it.
  std::pair<std::string, std::uint64_t> next(std::string_view stage, const std::string& role);
  std::string name(const std::string& role) { return unique(prefix() + role); }  // of what is no weight

 private:
  std::string prefix() const;
  std::string unique(const std::string& name);
  std::uint64_t other();

  std::int64_t depth_ = 0, layer_ = -1;
  std::string map_;
  std::int64_t maps_ = 0, maps_in_layer_ = 0;
  bool first_ = true;
  std::uint64_t scores_ = 0, others_ = 0;  // of the layer that is now
  std::uint64_t outside_ = 0, far_scores_ = 0, factors_ = 0;
  std::set<std::string> taken_;
};

}  // namespace calor::learn
