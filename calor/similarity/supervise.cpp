// supervise(weight): edges between points of different classes lose nearly all of their weight, those with a point of unknown class some; then each
// point's edges are brought back to a greatest weight of 1 and united (McInnes, Healy & Melville 2018; umap-learn's fit with y).
#include <algorithm>
#include <cmath>
#include <span>

#include "calor/core/error.h"
#include "calor/engine/passes.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/stages.h"
#include "calor/similarity/symmetrise.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"weight", Parameter::Takes::number, "0.5", 0, 1, "", "how much the classes count: 0 little, 1 alone: no edge leaves a class"}};

// umap-learn's: distances in a space of classes, where unknown ones are at 1 from all and others at `far`.
static double kept_of_others(double weight) { return weight < 1 ? std::exp(-2.5 / (1 - weight)) : 0; }
static const double kept_of_unknown = std::exp(-1.0);

static void run(State& state, const Arguments& arguments, Kept&, const Context& context) {
  const Data& data = *state.data;
  const double others = kept_of_others(arguments.number("weight"));
  const auto class_of = [&](std::int64_t i) { return data.training(i) ? data.labels[static_cast<std::size_t>(i)] : -1; };
  const Csr before = values_on_support(state.similarity, context);
  Csr after;
  after.rows = before.rows;
  after.columns = before.columns;
  for (std::int64_t i = 0; i < before.rows; ++i) {
    for (std::int64_t e = before.begin[i]; e < before.begin[i + 1]; ++e) {
      const std::int64_t own = class_of(i), other = class_of(before.column[e]);
      const double value = before.values[e] * (own < 0 || other < 0 ? kept_of_unknown : own != other ? others : 1);
      if (value == 0) continue;
      after.column.push_back(before.column[e]);
      after.values.push_back(value);
    }
    const auto row = after.values.begin() + after.begin.back();
    if (row != after.values.end())
      for (const double greatest = *std::max_element(row, after.values.end()); double& value : std::span(row, after.values.end())) value /= greatest;
    after.begin.push_back(after.edges());
  }
  state.similarity = stored_similarity(combine_with_reverse(after, fuzzy_union));
  state.similarity.symmetric = true;
}

// A new point's class is not known.
static void place(State&, const Arguments&, const Kept&, const Context&) {}

static Wants wants(const Arguments&) { return Wants::classes; }

static void outline(Outline& outline, const Arguments&) { outline_symmetrised(outline, "supervise", false); }

const Stage supervise_stage{"supervise", Kind::normalise, types::any_similarity, types::normalised, parameters,
                            "edges between classes lose their weight, for a map that keeps classes apart", "arXiv:1802.03426", run, place, estimate_symmetrised, outline,
                            takes_any_form, wants};

}  // namespace calor::similarity
