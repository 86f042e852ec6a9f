#include "calor/pipeline/short_forms.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "calor/pipeline/call_arguments.h"

namespace calor::pipeline {
namespace {

// The stage that has a short word (stage.h), and which parameters of others it is short for: "exp.bandwidth".
struct Chooser {
  const Stage* stage = nullptr;
  std::vector<std::string> chosen;
};

Chooser chooser_of(const StageList& stages) {
  for (const Stage* stage : stages)
    for (const Parameter& parameter : stage->parameters)
      if (!stage->short_word.empty() && parameter.takes == Parameter::Takes::words) return {stage, parameter_words(parameter)};
  return {};
}

// The argument of a call that is the short word, and what it is short for; nothing where none is.
struct ShortForm {
  std::size_t argument;
  std::string path;
};

std::optional<ShortForm> short_form(const Call& call, const StageList& stages, const Chooser& chooser) {
  const Stage* stage = find_stage(stages, call.name);
  if (!stage || !chooser.stage) return std::nullopt;
  for (std::size_t a = 0; a < call.arguments.size(); ++a) {
    const Value& value = call.arguments[a].value;
    const std::size_t index = parameter_index(*stage, call.arguments[a], a);
    if (index >= stage->parameters.size() || value.kind != Value::Kind::name || value.text != chooser.stage->short_word) continue;
    std::string path = fmt::format("{}.{}", call.name, stage->parameters[index].name);
    if (std::find(chooser.chosen.begin(), chooser.chosen.end(), path) != chooser.chosen.end()) return ShortForm{a, std::move(path)};
  }
  return std::nullopt;
}

// The first and the last stage with a short form; nothing where none has one.
std::optional<std::pair<std::size_t, std::size_t>> short_forms(const std::vector<Call>& calls, const StageList& stages, const Chooser& chooser) {
  std::optional<std::pair<std::size_t, std::size_t>> span;
  for (std::size_t c = 0; c < calls.size(); ++c)
    if (short_form(calls[c], stages, chooser)) span = {span ? span->first : c, c};
  return span;
}

}  // namespace

std::vector<Call> expand(const std::vector<Call>& calls, const StageList& stages) {
  const Chooser chooser = chooser_of(stages);
  std::vector<Call> result = calls;
  for (Call& call : result)
    for (Argument& argument : call.arguments)
      if (argument.value.kind == Value::Kind::pipeline) argument.value.pipeline = expand(argument.value.pipeline, stages);
  const auto span = short_forms(result, stages, chooser);
  if (!span) return result;
  Call around;
  around.name = chooser.stage->name;
  around.place = {result[span->first].place.begin, result[span->second].place.end};
  const auto add = [&](Value::Kind kind, std::string text, std::vector<Call> pipeline) {
    Value value;
    value.kind = kind;
    value.text = std::move(text);
    value.pipeline = std::move(pipeline);
    value.place = around.place;
    around.arguments.push_back({"", std::move(value), around.place});
  };
  add(Value::Kind::name, std::string(chooser.stage->short_word), {});
  const auto begin = result.begin() + static_cast<std::ptrdiff_t>(span->first), end = result.begin() + static_cast<std::ptrdiff_t>(span->second) + 1;
  std::vector<Call> body(begin, end);
  for (Call& call : body) {
    const auto form = short_form(call, stages, chooser);
    if (!form) continue;
    add(Value::Kind::name, form->path, {});
    name_from(call.arguments, form->argument, *find_stage(stages, call.name));
    call.arguments.erase(call.arguments.begin() + static_cast<std::ptrdiff_t>(form->argument));
  }
  add(Value::Kind::pipeline, "", std::move(body));
  result.insert(result.erase(begin, end), std::move(around));
  return result;
}

std::string expanded_name(const std::vector<Call>& calls, const StageList& stages, const std::string& name) {
  const std::size_t dot = name.find('.');
  std::size_t number = 0;
  const auto [last, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || dot == std::string::npos || last != name.data() + dot || number >= calls.size()) return name;
  std::string rest = name.substr(dot + 1);
  for (const Argument& argument : calls[number].arguments)
    if (argument.value.kind == Value::Kind::pipeline) rest = expanded_name(argument.value.pipeline, stages, rest);
  const auto span = short_forms(calls, stages, chooser_of(stages));
  if (!span || number < span->first) return fmt::format("{}.{}", number, rest);
  if (number <= span->second) return fmt::format("{}.{}.{}", span->first, number - span->first, rest);
  return fmt::format("{}.{}", number - (span->second - span->first), rest);
}

}  // namespace calor::pipeline
