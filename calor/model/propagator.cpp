#include "calor/model/propagator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/model/stages.h"
#include "calor/pipeline/bind.h"
#include "calor/pipeline/syntax.h"

namespace calor::model {
namespace {

using pipeline::Call;
using recipes::Recipe;

#define CALOR_LEARNED(width, end) "standardise(loo) | residual(linear(" width ") | bias | relu | linear(features), skip=linear) | distance(2, to=train) | exp(loo) | two_side(loo, of=keys) | row | " end

constexpr recipes::RecipeParameter widths[] = {{"width", "512", "hidden units of the map", 1}};
constexpr Recipe learned[] = {
    {"learned-propagator", CALOR_LEARNED("$width", "vote"), widths, "the propagator with a learned map before its distance; bandwidth and exponent are learned too, from where leave-one-out has them",
     "by the same formula", "10.5555/2976040.2976105"},
    {"learned-propagator-regressor", CALOR_LEARNED("$width", "average"), widths, "the same for measured values", "by the same formula", "10.5555/2976040.2976105"}};

#undef CALOR_LEARNED

bool ends_with_labels(const std::vector<Call>& calls) { return !calls.empty() && (calls.back().name == "vote" || calls.back().name == "average"); }

// Of the map's first linear; that of the recipe where there is none.
std::int64_t width_of(const std::vector<Call>& calls) {
  for (const Call& call : calls)
    if (call.name == "residual" && !call.arguments.empty() && !call.arguments.front().value.pipeline.empty())
      if (const Call& first = call.arguments.front().value.pipeline.front(); first.name == "linear" && first.arguments.size() == 1) {
        const std::optional<double> width = pipeline::constant_of(print(first.arguments.front().value));
        if (width && *width >= 1 && *width == std::floor(*width) && *width <= 1e5) return static_cast<std::int64_t>(*width);
      }
  return static_cast<std::int64_t>(*pipeline::constant_of(std::string(widths[0].standard)));
}

}  // namespace

std::span<const Recipe> propagator_recipes() { return learned; }

const pipeline::StageList& propagator_stages() {
  static const pipeline::StageList all = [] {
    pipeline::StageList list = recipes::all_stages();
    for (const pipeline::Stage* stage : network_stages())
      if (!pipeline::find_stage(list, stage->name)) list.push_back(stage);
    return list;
  }();
  return all;
}

bool is_propagator(std::string_view text) {
  text = trim(text);
  if (recipes::find_in(learned, text.substr(0, text.find(' ')))) return true;
  try {
    return ends_with_labels(pipeline::parse(text).stages);
  } catch (const pipeline::PlacedError&) {  // "gat heads=4"
    return false;
  }
}

std::string propagator_text(std::int64_t width, bool measured) {
  return print(pipeline::substitute(pipeline::parse(learned[measured ? 1 : 0].pipeline), {{"width", std::to_string(width)}}));
}

PropagatorForm propagator_form(std::string_view given) {
  std::string_view text = trim(given);
  std::vector<std::string> settings;
  if (const std::size_t blank = text.find(' '); blank != std::string_view::npos && recipes::find_in(learned, text.substr(0, blank))) {
    settings = split_text(text.substr(blank), ' ');
    std::erase(settings, "");
    text = text.substr(0, blank);
  }
  const pipeline::Pipeline found = recipes::resolve_in({learned, &propagator_stages(), "train", "a propagator"}, text, settings);
  const std::int64_t width = width_of(found.stages);
  const bool measured = found.stages.back().name == "average";
  const pipeline::Pipeline wanted = pipeline::parse(propagator_text(width, measured));
  for (std::size_t s = 0; s < found.stages.size(); ++s) {
    const std::string is = print(std::vector{found.stages[s]}), should = s < wanted.stages.size() ? print(std::vector{wanted.stages[s]}) : "nothing";
    if (is != should) pipeline::fail_at(found.text, found.stages[s].place, "train", fmt::format("expected {} there, found {}: a propagator that is trained has the form {}", should, is, wanted.text));
  }
  require(found.stages.size() == wanted.stages.size(), Fault::usage, "[train] expected a propagator of the form {}, found one that ends before", wanted.text);
  return {wanted.text, width, measured};
}

}  // namespace calor::model
