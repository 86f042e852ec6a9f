#include "calor/learn/similarity.h"

#include <array>
#include <cctype>

#include "calor/core/error.h"
#include "calor/core/text.h"

namespace calor::learn {
namespace {

struct ShortName {
  std::string_view name, score;
};
constexpr std::array<ShortName, 4> short_names{
    {{"self", "qk"}, {"l2", "l2"}, {"metric", "metric"}, {"uniform", "uniform"}}};

// What must follow a score: attention is the exponential of the score, normalised by row, applied to the values.
constexpr std::array<std::string_view, 3> after_score{"exp", "row", "apply"};

struct Stage {
  std::string_view text;
  std::size_t position;  // in the pipeline, for the caret
};

std::vector<Stage> stages_of(std::string_view pipeline) {
  std::vector<Stage> stages;
  std::size_t begin = 0;
  for (;;) {
    const std::size_t end = std::min(pipeline.find('|', begin), pipeline.size());
    const std::string_view piece = pipeline.substr(begin, end - begin), stage = trim(piece);
    stages.push_back({stage, stage.empty() ? begin : static_cast<std::size_t>(stage.data() - pipeline.data())});
    if (end == pipeline.size()) return stages;
    begin = end + 1;
  }
}

[[noreturn]] void refuse(std::string_view pipeline, const Stage& stage, const std::string& expected,
                         const std::string& remedy) {
  const std::string found = stage.text.empty() ? "nothing" : fmt::format("'{}'", stage.text);
  fail(Fault::usage, "[pipeline] expected {}, found {}: {}\n  {}\n  {}^", expected, found, remedy, pipeline,
       std::string(stage.position, ' '));
}

std::vector<std::string> score_names() {
  std::vector<std::string> names;
  for (const ShortName& known : short_names) names.emplace_back(known.score);
  return names;
}

std::string suggestion(std::string_view name, const std::vector<std::string>& known) {
  const std::string nearest = nearest_name(name, known);
  return nearest.empty() ? "known are " + list_names(known)
                         : fmt::format("did you mean '{}'? Known are {}", nearest, list_names(known));
}

// "score ( metric )" -> "metric"; "" for anything else.
std::string_view score_argument(std::string_view stage) {
  constexpr std::string_view head = "score";
  if (stage.substr(0, head.size()) != head) return {};
  const std::string_view rest = trim(stage.substr(head.size()));
  if (rest.size() < 2 || rest.front() != '(' || rest.back() != ')') return {};
  return trim(rest.substr(1, rest.size() - 2));
}

Similarity parse_pipeline(std::string_view pipeline) {
  const std::vector<Stage> stages = stages_of(pipeline);
  const std::string_view score = score_argument(stages.front().text);
  if (score.empty()) {
    refuse(pipeline, stages.front(), "score(..) as the first stage", "for example score(metric) | exp | row | apply");
  }
  const ShortName* known = nullptr;
  for (const ShortName& candidate : short_names) {
    if (candidate.score == score) known = &candidate;
  }
  if (!known) refuse(pipeline, stages.front(), "a known score", suggestion(score, score_names()));
  for (std::size_t i = 0; i < after_score.size(); ++i) {
    const Stage end{{}, pipeline.size()};
    const Stage& stage = i + 1 < stages.size() ? stages[i + 1] : end;
    if (stage.text != after_score[i]) {
      refuse(pipeline, stage, fmt::format("the stage '{}' here", after_score[i]),
             "a layer of attention reads score(..) | exp | row | apply");
    }
  }
  if (stages.size() > after_score.size() + 1) {
    refuse(pipeline, stages[after_score.size() + 1], "the end of the pipeline after 'apply'", "remove the stages after it");
  }
  return {std::string(known->name), std::string(score)};
}

}  // namespace

std::string Similarity::text() const { return "score(" + score + ") | exp | row | apply"; }

Similarity parse_similarity(std::string_view text) {
  const std::string_view trimmed = trim(text);
  for (const ShortName& known : short_names) {
    if (known.name == trimmed) return {std::string(known.name), std::string(known.score)};
  }
  if (trimmed.find_first_of("|(") != std::string_view::npos) return parse_pipeline(trimmed);
  fail(Fault::usage, "[attention] expected a similarity or a pipeline, found '{}': {}", trimmed,
       suggestion(trimmed, similarity_names()));
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
