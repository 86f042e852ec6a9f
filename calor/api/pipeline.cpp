#include "calor/api/pipeline.h"

#include "calor/core/error.h"
#include "calor/core/version.h"
#include "calor/pipeline/bind.h"
#include "calor/pipeline/landmarks.h"
#include "calor/pipeline/run.h"
#include "calor/recipes/recipes.h"

namespace calor {

Fit::Fit(pipeline::SavedFit saved, const Flowing* points) : saved_(std::make_shared<const pipeline::SavedFit>(std::move(saved))) {
  if (points) result_ = value_of(saved_->fit.result, *points);
}

const Value& Fit::result() const {
  require(result_.has_value(), Fault::usage, "[fit] expected a fit made here, found one from a file, which holds what new points need: use transform");
  return *result_;
}

void Fit::refuse_kind(const char* asked) const {
  fail(Fault::usage, "[fit] expected {}, found {}: ask for what the pipeline gives", asked, std::visit([](const auto& value) { return value.kind; }, *result_));
}

Value Fit::transform(const Points& points) const {
  return value_of(pipeline::place(saved_->fit, points.state().given(), points.context()), points);
}

void Fit::save(const std::string& path, const Saving& saving) const {
  pipeline::SavedFit saved = *saved_;
  saved.compact = saving.compact;
  if (saving.landmarks > 0) saved.fit = pipeline::with_landmarks(saved.fit, saving.landmarks);
  pipeline::save_fit(path, saved);
}

Fit Fit::load(const std::string& path) { return Fit(pipeline::load_fit(path, recipes::all_stages()), nullptr); }

Pipeline::Pipeline(std::string_view recipe_or_text, const std::vector<std::string>& settings)
    : parsed_(recipes::resolve(recipe_or_text, settings)), text_(pipeline::print(pipeline::bind_stages(parsed_, recipes::all_stages()))) {}

std::string Pipeline::explain(const Points& points) const {
  return pipeline::explain(pipeline::bind_stages(parsed_, recipes::all_stages()), *points.state().data, points.context());
}

Fit Pipeline::fit(const Points& points) const {
  pipeline::SavedFit saved;
  saved.fit = pipeline::fit(pipeline::bind_stages(parsed_, recipes::all_stages()), points.state().data, points.session().seed, points.context());
  saved.pipeline = text_;
  saved.version = version;
  return Fit(std::move(saved), &points);
}

}  // namespace calor
