// The named pipelines, and the list of all stages.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "calor/pipeline/stage.h"
#include "calor/pipeline/syntax.h"

namespace calor::recipes {

struct RecipeParameter {
  std::string_view name, standard, meaning;  // the default is written in the grammar
  double least = 0;                          // a whole number of at least this; 0: the stages that it goes to say what it may be
};

struct Recipe {
  std::string_view name, pipeline;
  std::span<const RecipeParameter> parameters;
  std::string_view summary;     // one line: what for
  std::string_view new_points;  // the rule, "" where there is none
  std::string_view citation;
};

// Every stage there is; the one place where a new stage is named.
const pipeline::StageList& all_stages();

// Every recipe, in the order in which they are shown.
std::span<const Recipe> all_recipes();

// The recipe of that name, or null.
const Recipe* find_recipe(std::string_view name);

// Recipes with the stages of their pipelines; `op` and `what` name them in errors: "[run] expected a recipe (..) or a pipeline".
struct Book {
  std::span<const Recipe> recipes;
  const pipeline::StageList* stages;
  std::string_view op, what;
};

// The recipe of that name, or null.
const Recipe* find_in(std::span<const Recipe> recipes, std::string_view name);

// As resolve below, of another book.
pipeline::Pipeline resolve_in(const Book& book, std::string_view recipe_or_pipeline, const std::vector<std::string>& settings);

// A recipe's name or a pipeline's text, with parameters ("k=5") and settings ("knn.k=30") put in.  A setting without a dot names
// a parameter of the recipe.  Throws Fault::usage; a single unknown word is answered with the nearest recipe.
pipeline::Pipeline resolve(std::string_view recipe_or_pipeline, const std::vector<std::string>& settings);

// "\n  tsne's $perplexity is 30: --set perplexity=..." for each parameter that the recipe's text had; "" of a pipeline.
std::string parameters_of(std::string_view recipe_or_pipeline, const std::vector<std::string>& settings);

}  // namespace calor::recipes
