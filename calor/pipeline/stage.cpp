#include "calor/pipeline/stage.h"

#include <array>
#include <cmath>

#include "calor/core/error.h"
#include "calor/core/text.h"

namespace calor::pipeline {

std::string type_names(Types types) {
  static constexpr std::array<const char*, 7> names{"points",    "graph",  "similarity", "operator",
                                                    "embedding", "labels", "prediction"};
  std::string text;
  for (std::size_t bit = 0; bit < names.size(); ++bit)
    if (types & (1u << bit)) text += (text.empty() ? "" : " or ") + std::string(names[bit]);
  return text;
}

const char* kind_name(Kind kind) {
  switch (kind) {
    case Kind::support: return "support";
    case Kind::initialise: return "initialise";
    case Kind::strengthen: return "strengthen";
    case Kind::normalise: return "normalise";
    case Kind::flow: return "flow";
    case Kind::read_out: return "read out";
  }
  return "";
}

std::string_view takes_any_form(Form, const BoundStage&) { return ""; }

void Arguments::add(std::string_view name, Value value) { values_.emplace_back(name, std::move(value)); }

const Arguments::Value& Arguments::at(std::string_view name) const {
  for (const auto& [known, value] : values_)
    if (known == name) return value;
  fail(Fault::internal, "[pipeline] expected a declared parameter, found \"{}\"", name);
}

double Arguments::number(std::string_view name) const { return std::get<double>(at(name)); }
std::int64_t Arguments::integer(std::string_view name) const { return std::llround(number(name)); }
bool Arguments::is_number(std::string_view name) const { return std::holds_alternative<double>(at(name)); }
const std::string& Arguments::word(std::string_view name) const { return std::get<std::string>(at(name)); }
const std::vector<BoundStage>& Arguments::pipeline(std::string_view name) const {
  return std::get<std::vector<BoundStage>>(at(name));
}

void at_stage(const BoundStage& bound, const std::function<void()>& action) {
  try {
    action();
  } catch (const PlacedError&) {
    throw;
  } catch (const Error& error) {
    if (!bound.text || error.fault() == Fault::interrupted || error.fault() == Fault::internal) throw;
    throw PlacedError(error.fault(), error.what() + pointer_to(*bound.text, bound.call.place));
  }
}

void for_each_stage(const std::vector<BoundStage>& stages, const std::function<void(const BoundStage&)>& visit) {
  for (const BoundStage& bound : stages) {
    visit(bound);
    for (const Parameter& parameter : bound.stage->parameters)
      if (parameter.takes == Parameter::Takes::pipeline) for_each_stage(bound.arguments.pipeline(parameter.name), visit);
  }
}

std::string print(const std::vector<BoundStage>& stages) {
  std::vector<Call> calls;
  for (const BoundStage& bound : stages) calls.push_back(bound.call);
  return print(calls);
}

const Stage* find_stage(const StageList& stages, std::string_view name) {
  for (const Stage* stage : stages)
    if (stage->name == name) return stage;
  return nullptr;
}

std::vector<std::string> parameter_words(const Parameter& parameter) {
  return parameter.words.empty() ? std::vector<std::string>{} : split_text(parameter.words, '|');
}

}  // namespace calor::pipeline
