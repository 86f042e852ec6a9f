#include "calor/learn/rows/similarity.h"

#include <algorithm>
#include <array>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/pipeline/bind.h"
#include "calor/recipes/recipes.h"
#include "calor/similarity/layer_step.h"

namespace calor::learn {
namespace {

using pipeline::BoundStage;
using pipeline::Call;
using pipeline::Pipeline;

// Names of whole pipelines, and what names of others begin with.
struct ShortName {
  std::string_view name, score;
};
constexpr std::array<ShortName, 4> short_names{
    {{"self", "qk"}, {"l2", "l2"}, {"metric", "metric"}, {"uniform", "uniform"}}};

constexpr std::string_view form =
    "a learned layer reads score(qk|additive|l2|metric|uniform) | exp | row, column, two_side(alpha) or sinkhorn, one or more | "
    "apply";

std::string suggestion(std::string_view name, const std::vector<std::string>& known) {
  const std::string nearest = nearest_name(name, known);
  return nearest.empty() ? "known are " + list_names(known)
                         : fmt::format("did you mean '{}'? Known are {}", nearest, list_names(known));
}

bool normalises(const std::string& name) {
  return name == "row" || name == "column" || name == "two_side" || name == "sinkhorn";
}

// Refuses known stages where a layer has no place for them; unknown ones are the binder's to refuse.
class Form {
 public:
  explicit Form(const Pipeline& pipeline) : pipeline_(pipeline) {}

  void check() const {
    const std::vector<Call>& stages = pipeline_.stages;
    if (stages[0].name != "score")
      refuse(stages[0], fmt::format("expected score(..) as the first stage, found {}, which is not learned", stages[0].name));
    if (stages.size() < 2) refuse_end("exp");
    if (stages[1].name != "exp") refuse(stages[1], fmt::format("expected exp after score(..), found {}", stages[1].name));
    std::size_t s = 2;
    while (s < stages.size() && normalises(stages[s].name)) ++s;
    if (s == stages.size()) refuse_end(s == 2 ? "row" : "apply");
    if (stages[s].name != "apply")
      refuse(stages[s], fmt::format("expected a stage that a learned layer can have here, found {}", stages[s].name));
    if (s == 2) refuse(stages[s], "expected a normalisation such as row before apply, found none");
    if (s + 1 < stages.size())
      refuse(stages[s + 1], fmt::format("expected the end of the pipeline after apply, found {}", stages[s + 1].name));
  }

 private:
  [[noreturn]] void refuse(const Call& stage, const std::string& reason) const {
    pipeline::fail_at(pipeline_.text, stage.place, stage.name, fmt::format("{}: {}", reason, form));
  }
  [[noreturn]] void refuse_end(std::string_view missing) const {
    const std::size_t end = pipeline_.text.size();
    pipeline::fail_at(pipeline_.text, {end, end}, "pipeline", fmt::format("expected the stage {}, found the end: {}", missing, form));
  }
  const Pipeline& pipeline_;
};

bool all_known(const Pipeline& pipeline) {
  return std::all_of(pipeline.stages.begin(), pipeline.stages.end(),
                     [](const Call& call) { return pipeline::find_stage(recipes::all_stages(), call.name) != nullptr; });
}

void read_exp(const Pipeline& pipeline, const BoundStage& stage, Similarity& similarity) {
  for (const char* by_row : {"perplexity", "cardinality"})
    if (stage.arguments.is_number(by_row))
      pipeline::fail_at(pipeline.text, stage.call.place, "exp",
                        fmt::format("expected exp, exp(bandwidth), exp(auto) or exp(learned), found a {}: a learned layer has one scale "
                                    "for all its rows",
                                    by_row));
  if (stage.call.arguments.empty()) return;
  if (stage.arguments.is_number("bandwidth")) {
    similarity.temperature = Temperature::fixed;
    similarity.bandwidth = stage.arguments.number("bandwidth");
  } else {
    similarity.temperature = stage.arguments.word("bandwidth") == "auto" ? Temperature::data : Temperature::learn;
  }
}

Normaliser normaliser_of(const Pipeline& pipeline, const BoundStage& stage) {
  if (stage.stage->name == "two_side" && stage.arguments.word("of") != "rows")
    pipeline::fail_at(pipeline.text, stage.call.place, "two_side",
                      "expected of=rows, found of=keys: a learned layer takes out the row sums; `calor train --model propagator` learns with "
                      "the keys' density");
  return *similarity::layer_step(stage);
}

// What differs from score | exp | row | apply.  The row after a two_side goes without saying; its absence is said.
std::string short_name(const Similarity& similarity, const std::vector<Normaliser>& steps) {
  using Kind = Normaliser::Kind;
  std::string name = similarity.score;
  for (const ShortName& known : short_names)
    if (known.score == similarity.score) name = known.name;
  if (similarity.temperature == Temperature::fixed) name += fmt::format(" exp({})", similarity.bandwidth);
  if (similarity.temperature == Temperature::data) name += " exp(auto)";
  if (similarity.temperature == Temperature::learn) name += " exp(learned)";
  const bool said = steps.back().kind == Kind::row && (steps.size() == 1 || steps[steps.size() - 2].kind == Kind::two_side);
  for (std::size_t s = 0; s + (said ? 1 : 0) < steps.size(); ++s) name += fmt::format(" {}", text_of(steps[s]));
  return steps.back().kind == Kind::two_side ? name + " without row" : name;
}

Similarity parse_pipeline(std::string_view text) {
  const Pipeline parsed = pipeline::parse(text);
  if (all_known(parsed)) Form(parsed).check();
  const std::vector<BoundStage> stages = pipeline::bind_stages(parsed, recipes::all_stages());
  Similarity similarity;
  similarity.text = pipeline::print(stages);
  similarity.score = stages[0].arguments.word("kind");
  read_exp(parsed, stages[1], similarity);
  std::vector<Normaliser> steps;
  for (std::size_t s = 2; s + 1 < stages.size(); ++s) steps.push_back(normaliser_of(parsed, stages[s]));
  similarity.name = short_name(similarity, steps);
  for (const Normaliser& step : steps)
    if (step.kind != Normaliser::Kind::two_side || step.alpha != 0) similarity.normalise.push_back(step);
  if (similarity.normalise.empty())
    pipeline::fail_at(parsed.text, parsed.stages.back().place, "apply",
                      "expected a normalisation other than two_side(0), which changes nothing: put row before apply");
  return similarity;
}

}  // namespace

std::string text_of(const Normaliser& step) {
  if (step.kind == Normaliser::Kind::two_side) return fmt::format("two_side({})", step.alpha);
  const bool usual = step.kind != Normaliser::Kind::sinkhorn || step.iterations == Normaliser::usual_iterations;
  return usual ? std::string(engine::name_of(step.kind)) : fmt::format("sinkhorn({})", step.iterations);
}

Similarity parse_similarity(std::string_view text) {
  const std::string_view trimmed = trim(text);
  for (const ShortName& known : short_names)
    if (known.name == trimmed) return parse_pipeline(fmt::format("score({}) | exp | row | apply", known.score));
  if (trimmed.find_first_of("|(") != std::string_view::npos) return parse_pipeline(trimmed);
  fail(Fault::usage, "[attention] expected a similarity or a pipeline such as \"score(metric) | exp | row | apply\", found '{}': {}",
       trimmed, suggestion(trimmed, similarity_names()));
}

const std::vector<std::string>& similarity_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const ShortName& known : short_names) all.emplace_back(known.name);
    return all;
  }();
  return names;
}

}  // namespace calor::learn
