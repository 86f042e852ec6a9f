#include "calor/learn/network/places.h"

#include <fmt/format.h>

namespace calor::learn {
namespace {

// Streams: 0 to 3 encode and decode, then what else is outside of layers; of each layer its first map, up to 15 weights of scores, and others.  Other weights of scores count apart, so
// that what is beside them does not depend on the score.
constexpr std::uint64_t streams_per_layer = 64, scores_per_layer = 15, first_other = 16, first_outside = 4, far = std::uint64_t{1} << 32, of_scores = std::uint64_t{1} << 61, last = std::uint64_t{1} << 62;

}  // namespace

void Places::enter_layer() {
  if (depth_++ > 0) return;
  ++layer_;
  maps_in_layer_ = 0;
  scores_ = others_ = 0;
}

std::string Places::prefix() const { return depth_ > 0 ? fmt::format("layers.{}.", layer_) : ""; }

std::string Places::unique(const std::string& name) {
  std::string free = name;
  for (int n = 2; !taken_.insert(free).second; ++n) free = fmt::format("{}.{}", name, n);
  return free;
}

void Places::begin_map(bool to_classes) {
  if (depth_ > 0) {
    map_ = maps_in_layer_ == 0 ? "value" : fmt::format("maps.{}", maps_in_layer_ - 1);
    ++maps_in_layer_;
  } else if (to_classes) {
    map_ = "decode";
  } else {
    map_ = first_ ? "encode" : fmt::format("maps.{}", maps_++);
    first_ = false;
  }
}

std::uint64_t Places::other() {
  if (depth_ == 0) {
    const std::uint64_t stream = first_outside + outside_++;
    return stream < streams_per_layer ? stream : far + stream;
  }
  const auto layer = static_cast<std::uint64_t>(layer_);
  const std::uint64_t place = first_other + others_++;
  return place < streams_per_layer ? streams_per_layer * (layer + 1) + place : far * (layer + 2) + place;
}

std::pair<std::string, std::uint64_t> Places::next(std::string_view stage, const std::string& role) {
  const std::uint64_t first = streams_per_layer * static_cast<std::uint64_t>(layer_ + 1);
  if (stage == "score") {
    const bool near = depth_ > 0 && scores_ < scores_per_layer;
    return {unique(prefix() + "score." + role), near ? first + ++scores_ : of_scores + far_scores_++};
  }
  if (stage == "exp") return {unique(prefix() + role), last + factors_++};
  if (stage != "linear" && stage != "bias" && stage != "apply") return {unique(fmt::format("{}{}.{}", prefix(), stage, role)), other()};
  const std::string name = map_ == "value" && role == "weight" ? "value" : map_.empty() ? role : fmt::format("{}.{}", map_, role);
  const std::string whole = unique(prefix() + name);
  if (whole == "encode.weight") return {whole, 0};
  if (whole == "encode.bias") return {whole, 1};
  if (whole == "decode.weight") return {whole, 2};
  if (whole == "decode.bias") return {whole, 3};
  return {whole, depth_ > 0 && name == "value" && whole == prefix() + "value" ? first : other()};
}

}  // namespace calor::learn
