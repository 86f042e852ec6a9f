// What kind of method stands in a comparison, what it chose on the training rows of each seed, in words and as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace calor::analyse {

// What a method in a comparison is: the propagator (trained or not), a network that is compared, or what stands beside both.
enum class Method { propagator, attention, baseline };
const char* name_of(Method method);  // "propagator", "attention", "baseline"

struct Chosen {
  std::string preprocessing;                                          // "standardised"
  std::vector<std::pair<std::string, std::optional<double>>> values;  // {"C", 10}; nothing: "none"
};

// How often each preprocessing and each value was taken, the most frequent first: "standardised 7x, as it is 3x; C 10".  Without counts where
// all seeds agree; empty without seeds.
std::string chosen_text(const std::vector<Chosen>& seeds);

// One entry per seed: {"preprocessing": "standardised", "C": 10}.
nlohmann::json chosen_json(const std::vector<Chosen>& seeds);

// A method without a result, or with another than it should have: what is said about it.
struct Remark {
  std::string name;
  bool left_out = true;
  std::string reason;
};

// "SVM: left out, 60,000 training rows are over the limit of 20,000"
std::string text_of(const Remark& remark);

}  // namespace calor::analyse
