#include "calor/similarity/layer_step.h"

#include "calor/pipeline/bind.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using engine::Normaliser;

std::optional<Normaliser> layer_step(const pipeline::BoundStage& stage) {
  Normaliser step;
  if (stage.stage == &row_stage) return step;
  if (stage.stage == &column_stage) {
    step.kind = Normaliser::Kind::column;
  } else if (stage.stage == &two_side_stage && stage.arguments.word("of") == "rows") {
    step.kind = Normaliser::Kind::two_side;
    step.alpha = stage.arguments.number("alpha");
  } else if (stage.stage == &sinkhorn_stage) {
    step.kind = Normaliser::Kind::sinkhorn;
    if (stage.arguments.is_number("max_iterations")) step.iterations = static_cast<int>(stage.arguments.integer("max_iterations"));
  } else {
    return std::nullopt;
  }
  return step;
}

}  // namespace calor::similarity
