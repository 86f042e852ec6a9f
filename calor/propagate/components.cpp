// components: the connected parts of a graph, edges counting in both directions, numbered by their first point.
#include <algorithm>

#include "calor/core/error.h"
#include "calor/engine/passes.h"
#include "calor/engine/passes.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/propagate/stages.h"

namespace calor::propagate {

using namespace pipeline;

// Edges whose value is 0 do not connect.
static Csr edges_that_count(const Similarity& similarity, const Context& context) {
  const Csr all = values_on_support(similarity, context);
  Csr result;
  result.rows = all.rows;
  result.columns = all.columns;
  for (std::int64_t i = 0; i < all.rows; ++i) {
    for (std::int64_t e = all.begin[i]; e < all.begin[i + 1]; ++e)
      if (all.values[e] != 0) result.column.push_back(all.column[e]);
    result.begin.push_back(result.edges());
  }
  return result;
}

static void run(State& state, const Arguments&, Kept&, const Context& context) {
  const Components found = connected_components(state.type == types::graph ? *state.graph : edges_that_count(state.similarity, context));
  state.labels = found.of;
  const std::vector<std::int64_t> sizes = found.sizes();
  state.figures["components"] = static_cast<double>(found.count);
  state.figures["largest"] = static_cast<double>(*std::max_element(sizes.begin(), sizes.end()));
}

static void outline(Outline& outline, const Arguments&) {
  require(outline.may_not(outline.all_pairs), Fault::usage,
          "[components] expected a graph, found all pairs, which are one component: put knn or radius first");
}

const Stage components_stage{"components", Kind::read_out, types::graph | types::any_similarity, types::labels, {},
                             "the connected components of a graph", "",
                             run, nullptr, nullptr, outline, takes_any_form};

}  // namespace calor::propagate
