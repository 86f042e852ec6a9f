// One function a theorem (or a part of one); each gives its rows, judged.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/limit/manifold.h"
#include "calor/limit/row.h"

namespace calor::limit {

// T1/T2 on a manifold.  The ladders of eps are halved from their first value.
struct DriftDiffusion {
  std::string name;                    // "circle"
  std::unique_ptr<Manifold> manifold;
  double epsilon = 0;                  // first of five for the bias order
  double normalised_epsilon = 0;       // first of four for the coefficients at alpha = 0.5 and 1; 0: these are left out
  std::vector<std::int64_t> points;    // random point sets; empty: no sampling rows
  std::vector<double> sampling_epsilon;
};
std::vector<Row> drift_diffusion_rows(const DriftDiffusion& given, const Settings& settings, const Context& context);
std::vector<Row> sampling_rows(const DriftDiffusion& given, const Settings& settings, const Context& context);

std::vector<Row> step_rows(const Settings& settings, const Context& context);              // T3: a layer is an Euler step
std::vector<Row> stack_rows(const Settings& settings, const Context& context);             // T3: layers stacked
std::vector<Row> conformal_rows(const Settings& settings, const Context& context);         // T4
std::vector<Row> stationary_rows(const Settings& settings, const Context& context);        // stationary and metastable states
std::vector<Row> minimiser_rows(const Settings& settings, const Context& context);         // T5 in R^n
std::vector<Row> sphere_attention_rows(const Settings& settings, const Context& context);  // T5, dot products on a sphere
std::vector<Row> minimiser_set_rows(const Settings& settings, const Context& context);     // T6
std::vector<Row> heads_rows(const Settings& settings, const Context& context);             // several heads

// epsilon, epsilon / 2, epsilon / 4, ...
std::vector<double> halved(double epsilon, int count);

}  // namespace calor::limit
