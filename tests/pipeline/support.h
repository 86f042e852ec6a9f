// What the tests of pipelines share: running a pipeline's text on small clouds of points.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "../engine/support.h"
#include "calor/pipeline/bind.h"
#include "calor/pipeline/run.h"
#include "calor/recipes/recipes.h"

namespace calor::pipeline {

inline std::shared_ptr<Data> data_of_points(Matrix points) {
  auto data = std::make_shared<Data>();
  data->features = std::make_shared<const Matrix>(std::move(points));
  return data;
}

inline Fit run_text(const std::string& text, std::shared_ptr<const Data> data, int threads = 1, std::uint64_t seed = 0) {
  Context context;
  context.threads = threads;
  return fit(bind_stages(recipes::resolve(text, {}), recipes::all_stages()), std::move(data), seed, context);
}

inline Fit run_text(const std::string& text, const Matrix& points, int threads = 1) { return run_text(text, data_of_points(points), threads); }

}  // namespace calor::pipeline
