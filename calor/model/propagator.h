// The trained propagator as a text: the recipe of `calor run` with a learned map before its distance.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "calor/recipes/recipes.h"

namespace calor::model {

// learned-propagator for classes, learned-propagator-regressor for values.
std::span<const recipes::Recipe> propagator_recipes();

// What of the text training depends on.
struct PropagatorForm {
  std::string text;        // in full
  std::int64_t width = 0;  // of the map's hidden layer
  bool measured = false;   // values instead of classes: average at the end
};

// Whether a text is one of these by its name, or as one that ends with vote or average.
bool is_propagator(std::string_view text);

// The stages of `calor run`, and those of the map.
const pipeline::StageList& propagator_stages();

// A name, a name with settings ("learned-propagator width=256"), or a text of that form.  Throws Fault::usage, with a caret under the first stage that differs.
PropagatorForm propagator_form(std::string_view text);

// The text of a map of that width.
std::string propagator_text(std::int64_t width, bool measured);

}  // namespace calor::model
