// Two ways in which attention stops being attention: a token sees only itself (saturation), or everything alike (collapse).
#include <fmt/format.h>

#include "calor/analyse/findings.h"

namespace calor::analyse {
namespace {

constexpr double saturated_keys = 1.5;  // fewer effective keys: a token sees little but itself
constexpr double uniform_share = 0.99;  // a larger share: indistinguishable from the plain mean

std::string in_runs(std::int64_t count, std::size_t all) {
  return count == static_cast<std::int64_t>(all)
             ? (all == 1 ? std::string("in the run") : fmt::format("in all {} runs", all))
             : fmt::format("in {} of {} runs", count, all);
}

}  // namespace

std::vector<Flag> flags(const std::vector<const Outcome*>& outcomes, const Judgement& judgement) {
  std::vector<Flag> result;
  if (outcomes.empty()) return result;
  const std::size_t layers = outcomes.front()->record->share.front().size();
  for (const bool at_end : {false, true})
    for (std::size_t layer = 0; layer < layers; ++layer) {
      std::int64_t saturated = 0, uniform = 0;
      double sum = 0;
      for (const Outcome* outcome : outcomes) {
        const auto& shares = outcome->record->share;
        const double share = (at_end ? shares.back() : shares.front())[layer];
        sum += share;
        if (judgement.keys > 0 && share * static_cast<double>(judgement.keys) < saturated_keys) ++saturated;
        if (share > uniform_share) ++uniform;
      }
      const char* when = at_end ? "at the end" : "at initialisation";
      const double average = sum / static_cast<double>(outcomes.size());
      if (saturated > 0)
        result.push_back(
            {"saturation", fmt::format("layer {} attends to little but itself {} {}: {:.1f} of {} keys on average", layer + 1,
                                       when, in_runs(saturated, outcomes.size()),
                                       average * static_cast<double>(judgement.keys), judgement.keys)});
      if (uniform > 0)
        result.push_back(
            {"collapse", fmt::format("layer {} weighs all {} alike {} {}: effective share {:.1f} % on average",
                                     layer + 1, judgement.keys > 0 ? "keys" : "neighbours", when, in_runs(uniform, outcomes.size()), 100 * average)});
    }
  std::int64_t stuck = 0;
  for (const Outcome* outcome : outcomes)
    if (outcome->dead_reason == "loss stuck at ln C") ++stuck;
  if (stuck > 0)
    result.push_back({"collapse", fmt::format("loss stuck at ln C = {:.3f} {}: no better than guessing",
                                              judgement.ln_classes, in_runs(stuck, outcomes.size()))});
  return result;
}

}  // namespace calor::analyse
