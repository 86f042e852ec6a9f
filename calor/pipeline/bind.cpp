#include "calor/pipeline/bind.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/pipeline/call_arguments.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/short_forms.h"
#include "calor/pipeline/wants.h"

namespace calor::pipeline {
namespace {

// One value in the grammar: what may stand between the parentheses of a stage.
Value parse_value(std::string_view text) {
  std::vector<Call> holder;
  try {
    holder = parse(fmt::format("value({})", text)).stages;
  } catch (const Error&) {
    holder.clear();  // its caret would stand under a text that nobody wrote
  }
  require(holder.size() == 1 && holder[0].arguments.size() == 1 && holder[0].arguments[0].name.empty(), Fault::usage,
          "[set] expected one value such as 3, auto or 2 * 3, found \"{}\"", text);
  return std::move(holder[0].arguments[0].value);
}

void substitute_in(std::vector<Call>& stages, const std::string& text, const std::map<std::string, std::string>& parameters);

void substitute_in(Value& value, const std::string& text, const std::map<std::string, std::string>& parameters) {
  if (value.kind == Value::Kind::parameter) {
    const auto found = parameters.find(value.text);
    if (found == parameters.end()) {
      std::vector<std::string> known;
      for (const auto& [name, standard] : parameters) known.push_back(name);
      fail_at(text, value.place, "pipeline",
              known.empty() ? fmt::format("expected a value, found the parameter ${}: only recipes have parameters", value.text)
                            : fmt::format("expected a known parameter ({}), found ${}", list_names(known), value.text));
    }
    const Place place = value.place;
    value = parse_value(found->second);
    value.place = place;
    return;
  }
  for (Value& operand : value.operands) substitute_in(operand, text, parameters);
  substitute_in(value.pipeline, text, parameters);
}

void substitute_in(std::vector<Call>& stages, const std::string& text, const std::map<std::string, std::string>& parameters) {
  for (Call& call : stages)
    for (Argument& argument : call.arguments) substitute_in(argument.value, text, parameters);
}

std::vector<std::string> parameter_names(const Stage& stage) {
  std::vector<std::string> names;
  for (const Parameter& parameter : stage.parameters) names.emplace_back(parameter.name);
  return names;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& known) {
  const std::string near = nearest_name(name, known);
  return near.empty() ? fmt::format(" (known: {})", list_names(known, 40)) : fmt::format(": did you mean \"{}\"?", near);
}

// `name` is the parameter's own or its former one, which an argument then bears, for the remark.
int set_in(std::vector<Call>& calls, const Stage& stage, const std::string& name, const Value& value) {
  int changed = 0;
  for (Call& call : calls) {
    for (Argument& argument : call.arguments) changed += set_in(argument.value.pipeline, stage, name, value);
    if (call.name != stage.name) continue;
    ++changed;
    bool replaced = false;
    for (std::size_t a = 0; a < call.arguments.size(); ++a) {
      const std::size_t index = parameter_index(stage, call.arguments[a], a);
      if (index >= stage.parameters.size() || !has_name(stage.parameters[index], name)) continue;
      if (name != stage.parameters[index].name) {
        name_from(call.arguments, a, stage);
        call.arguments[a].name = name;
      }
      call.arguments[a].value = value;
      replaced = true;
    }
    if (!replaced) call.arguments.push_back({name, value, call.place});
  }
  return changed;
}

// The number that a value stands for; nothing where a word, a parameter or a pipeline is in it.
std::optional<double> constant(const Value& value) {
  std::vector<double> x;
  for (const Value& operand : value.operands) {
    const std::optional<double> number = constant(operand);
    if (!number) return std::nullopt;
    x.push_back(*number);
  }
  switch (value.kind) {
    case Value::Kind::number: return value.number;
    case Value::Kind::negate: return -x[0];
    case Value::Kind::add: return x[0] + x[1];
    case Value::Kind::subtract: return x[0] - x[1];
    case Value::Kind::multiply: return x[0] * x[1];
    case Value::Kind::divide: return x[0] / x[1];
    case Value::Kind::function: return value.text == "log2" ? std::log2(x[0]) : value.text == "log" ? std::log(x[0]) : value.text == "ceil" ? std::ceil(x[0]) : std::sqrt(x[0]);
    case Value::Kind::parameter:
    case Value::Kind::name:
    case Value::Kind::text:
    case Value::Kind::pipeline: break;
  }
  return std::nullopt;
}

// Several words for one parameter, an argument each, become one.
void join_words(std::vector<Argument>& arguments, const Stage& stage) {
  const auto listed = std::find_if(stage.parameters.begin(), stage.parameters.end(), [](const Parameter& parameter) { return parameter.takes == Parameter::Takes::words; });
  const auto first = static_cast<std::size_t>(listed - stage.parameters.begin());
  if (listed == stage.parameters.end() || first >= arguments.size()) return;
  const auto is_word = [](const Argument& argument) {
    return argument.name.empty() && argument.value.kind == Value::Kind::name && argument.value.text.find('.') != std::string::npos;
  };
  while (first + 1 < arguments.size() && is_word(arguments[first]) && is_word(arguments[first + 1])) {
    arguments[first].value.text += ", " + arguments[first + 1].value.text;
    arguments[first].value.place.end = arguments[first + 1].value.place.end;
    arguments.erase(arguments.begin() + static_cast<std::ptrdiff_t>(first) + 1);
  }
}

class Binder {
 public:
  Binder(const std::string& text, const StageList& stages)
      : shared_text_(std::make_shared<const std::string>(text)), text_(*shared_text_), stages_(stages) {}

  std::vector<BoundStage> bind_all(const std::vector<Call>& calls, Types type) const {
    std::vector<BoundStage> result;
    for (const Call& call : calls) {
      result.push_back(bind_one(call, type));
      type = result.back().gives;
    }
    return result;
  }

 private:
  BoundStage bind_one(const Call& call, Types type) const {
    const Stage* stage = find_stage(stages_, call.name);
    if (!stage) {
      std::vector<std::string> known;
      for (const Stage* candidate : stages_) known.emplace_back(candidate->name);
      fail_at(text_, call.place, call.name, "expected a stage, found an unknown name" + did_you_mean(call.name, known));
    }
    if (!(stage->takes & type)) fail_type(call, *stage, type);
    BoundStage bound{stage, {}, call, type, stage->gives == types::same ? type : stage->gives, shared_text_};
    join_words(bound.call.arguments, *stage);
    bind_arguments(bound);
    if (stage->gives == types::of_body)
      for (const Parameter& parameter : stage->parameters)
        if (parameter.takes == Parameter::Takes::pipeline) bound.gives = bound.arguments.pipeline(parameter.name).back().gives;
    return bound;
  }

  [[noreturn]] void fail_type(const Call& call, const Stage& stage, Types found) const {
    std::string remedy;
    for (const Stage* candidate : stages_)
      if ((candidate->takes & found) && (candidate->gives & stage.takes)) {
        remedy += fmt::format("{}{}", remedy.empty() ? "" : ", ", candidate->name);
      }
    fail_at(text_, call.place, stage.name,
            fmt::format("expected {}, found {}: {}", type_names(stage.takes), type_names(found),
                        remedy.empty() ? fmt::format("nothing makes {} from {}, so end the pipeline before it",
                                                     type_names(stage.takes), type_names(found))
                                       : fmt::format("put one of these before it: {}", remedy)));
  }

  void bind_arguments(BoundStage& bound) const {
    const Stage& stage = *bound.stage;
    std::vector<Argument*> given(stage.parameters.size(), nullptr);
    bool named = false;
    for (std::size_t a = 0; a < bound.call.arguments.size(); ++a) {
      Argument& argument = bound.call.arguments[a];
      const std::size_t index = parameter_index(stage, argument, a);
      if (!argument.name.empty()) named = true;
      else if (named) fail_at(text_, argument.place, stage.name, "expected positional arguments first, found one after a named one");
      if (index >= stage.parameters.size()) {
        if (stage.parameters.empty()) fail_at(text_, argument.place, stage.name, "expected no arguments, found one");
        fail_at(text_, argument.place, stage.name,
                argument.name.empty()
                    ? fmt::format("expected at most {} ({}), found {}", counted(static_cast<std::int64_t>(stage.parameters.size()), "argument"),
                                  list_names(parameter_names(stage)), bound.call.arguments.size())
                    : fmt::format("expected a parameter, found \"{}\"{}", argument.name,
                                  did_you_mean(argument.name, parameter_names(stage))));
      }
      const Parameter& parameter = stage.parameters[index];
      const bool former = !argument.name.empty() && argument.name != parameter.name;
      if (given[index]) {
        const bool both = former || std::find(bound.renamed.begin(), bound.renamed.end(), &parameter) != bound.renamed.end();
        fail_at(text_, argument.place, stage.name,
                both ? fmt::format("expected \"{}\" once, found it under its former name \"{}\" too: leave that out", parameter.name, parameter.formerly)
                     : fmt::format("expected \"{}\" once, found it twice", parameter.name));
      }
      given[index] = &argument;
      if (!former) continue;
      argument.name = parameter.name;
      bound.renamed.push_back(&parameter);
    }
    for (std::size_t p = 0; p < stage.parameters.size(); ++p) {
      const Parameter& parameter = stage.parameters[p];
      if (!given[p] && parameter.standard.empty())
        fail_at(text_, bound.call.place, stage.name,
                fmt::format("expected a value for \"{}\" ({}), found none", parameter.name, parameter.meaning));
      const Place place = given[p] ? given[p]->value.place : bound.call.place;
      const Value standard = given[p] ? Value{} : parse_value(parameter.standard);
      bound.arguments.add(parameter.name, evaluate(bound, parameter, given[p] ? given[p]->value : standard, place));
      if (!given[p] || given[p]->value.kind != Value::Kind::pipeline) continue;
      given[p]->value.pipeline.clear();  // as bound, without former names
      for (const BoundStage& inner : bound.arguments.pipeline(parameter.name)) given[p]->value.pipeline.push_back(inner.call);
    }
  }

  Arguments::Value evaluate(const BoundStage& bound, const Parameter& parameter, const Value& value, Place place) const {
    if (parameter.takes == Parameter::Takes::pipeline) return evaluate_pipeline(bound, parameter, value, place);
    const bool word = value.kind == Value::Kind::name || value.kind == Value::Kind::text;
    if (parameter.takes == Parameter::Takes::words && word) return evaluate_words(bound, parameter, value, place);
    if (word) {
      const std::vector<std::string> known = parameter_words(parameter);
      if (std::find(known.begin(), known.end(), value.text) == known.end())
        fail_at(text_, place, bound.stage->name,
                known.empty() ? fmt::format("expected a number for \"{}\" ({}), found \"{}\"", parameter.name, parameter.meaning, value.text)
                              : fmt::format("expected {}{} for \"{}\", found \"{}\"{}", list_names(known),
                                            parameter.takes == Parameter::Takes::number_or_word    ? " or a number"
                                            : parameter.takes == Parameter::Takes::integer_or_word ? " or a whole number"
                                                                                                   : "",
                                            parameter.name, value.text, did_you_mean(value.text, known)));
      return value.text;
    }
    if (parameter.takes == Parameter::Takes::word || parameter.takes == Parameter::Takes::words)
      fail_at(text_, place, bound.stage->name,
              fmt::format("expected {} for \"{}\", found {}", list_names(parameter_words(parameter)), parameter.name, print(value)));
    const double number = evaluate_number(value, place, bound.stage->name);
    const bool counts = parameter.takes == Parameter::Takes::integer || parameter.takes == Parameter::Takes::integer_or_word;
    if (!std::isfinite(number) || (counts && number != std::floor(number)) || number < parameter.low || number > parameter.high)
      fail_at(text_, place, bound.stage->name,
              fmt::format("expected {} {} for \"{}\" ({}), found {}",
                          counts ? "a whole number" : "a number", range(parameter),
                          parameter.name, parameter.meaning, number));
    return number;
  }

  Arguments::Value evaluate_words(const BoundStage& bound, const Parameter& parameter, const Value& value, Place place) const {
    const std::vector<std::string> known = parameter_words(parameter);
    for (std::string_view rest = value.text; !rest.empty();) {
      const std::size_t comma = rest.find(", ");
      const std::string one(rest.substr(0, comma));
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 2);
      if (std::find(known.begin(), known.end(), one) == known.end())
        fail_at(text_, place, bound.stage->name,
                fmt::format("expected {} for \"{}\", found \"{}\"{}", list_names(known), parameter.name, one, did_you_mean(one, known)));
    }
    return value.text;
  }

  static std::string range(const Parameter& parameter) {
    if (std::isinf(parameter.low) && std::isinf(parameter.high)) return "that is finite";
    if (std::isinf(parameter.high)) return fmt::format("of at least {}", parameter.low);
    if (std::isinf(parameter.low)) return fmt::format("of at most {}", parameter.high);
    return fmt::format("from {} to {}", parameter.low, parameter.high);
  }

  double evaluate_number(const Value& value, Place place, std::string_view stage) const {
    if (const std::optional<double> number = constant(value)) return *number;
    if (value.kind == Value::Kind::parameter)
      fail_at(text_, place, stage, fmt::format("expected a value, found the parameter ${}: give it one", value.text));
    fail_at(text_, place, stage, fmt::format("expected a number, found {}", print(value)));
  }

  // Similarities stand for each other, and so do points and coordinates.
  static Types of_a_kind(Types type) {
    for (const Types kind : {types::any_similarity, types::coordinates})
      if (type & kind) type |= kind;
    return type;
  }

  // The body of a repetition must take what stands before the stage and give it back.
  Arguments::Value evaluate_pipeline(const BoundStage& bound, const Parameter& parameter, const Value& value, Place place) const {
    std::vector<Call> calls = value.pipeline;
    if (value.kind == Value::Kind::name) calls.push_back({value.text, {}, value.place});
    else if (value.kind != Value::Kind::pipeline)
      fail_at(text_, place, bound.stage->name, fmt::format("expected a pipeline for \"{}\", found {}", parameter.name, print(value)));
    std::vector<BoundStage> body = bind_all(calls, bound.takes);
    if (bound.stage->gives != types::of_body && (!(body.front().stage->takes & body.back().gives) || !(of_a_kind(bound.takes) & body.back().gives)))
      fail_at(text_, place, bound.stage->name,
              fmt::format("expected a pipeline that gives what it takes ({}), found one that gives {}",
                          type_names(bound.takes), type_names(body.back().gives)));
    return body;
  }

  std::shared_ptr<const std::string> shared_text_;
  const std::string& text_;
  const StageList& stages_;
};

}  // namespace

std::optional<double> constant_of(const std::string& text) {
  return constant(parse_value(text));
}

Pipeline substitute(const Pipeline& pipeline, const std::map<std::string, std::string>& parameters) {
  Pipeline result = pipeline;
  substitute_in(result.stages, result.text, parameters);
  return parse(print(result));
}

Pipeline set_argument(const Pipeline& pipeline, const StageList& stages, std::string_view setting) {
  const std::size_t equals = setting.find('='), dot = setting.find('.');
  require(equals != std::string_view::npos && dot != std::string_view::npos && dot < equals, Fault::usage,
          "[set] expected stage.parameter=value such as knn.k=30, found \"{}\"", setting);
  const std::string name(trim(setting.substr(0, dot))), parameter(trim(setting.substr(dot + 1, equals - dot - 1)));
  const Stage* stage = find_stage(stages, name);
  std::vector<std::string> known;
  for (const Stage* candidate : stages) known.emplace_back(candidate->name);
  require(stage != nullptr, Fault::usage, "[set] expected a stage, found \"{}\"{}", name, did_you_mean(name, known));
  const auto known_as = [&](const Parameter& candidate) { return has_name(candidate, parameter); };
  require(std::any_of(stage->parameters.begin(), stage->parameters.end(), known_as), Fault::usage,
          "[set] expected a parameter of {}, found \"{}\"{}", name, parameter, did_you_mean(parameter, parameter_names(*stage)));
  const Value value = parse_value(setting.substr(equals + 1));
  Pipeline result = pipeline;
  require(set_in(result.stages, *stage, parameter, value) > 0, Fault::usage,
          "[set] expected a stage of the pipeline, found \"{}\", which is not in {}", name, print(pipeline));
  return parse(print(result));
}

// The one stage that makes a similarity of the data as they are given, without a support before it or a score after it.
static bool is_given_similarity(const Stage* stage) {
  return stage->kind == Kind::support && stage->takes == types::points && stage->gives == types::similarity;
}

Pipeline begin_with_similarity(const Pipeline& pipeline, const StageList& stages) {
  const std::vector<BoundStage> bound = Binder(pipeline.text, stages).bind_all(pipeline.stages, types::points);
  if (wants_of(bound.front()) == Wants::graph) return pipeline;
  std::size_t front = 0;
  bool strengthened = false, on_graph = false;
  for (; front < bound.size(); ++front) {
    const Kind kind = bound[front].stage->kind;
    if (kind != Kind::support && kind != Kind::initialise && kind != Kind::strengthen) break;
    strengthened = strengthened || kind == Kind::strengthen;
    on_graph = on_graph || bound[front].gives == types::graph;
  }
  const BoundStage& next = bound[std::min(front, bound.size() - 1)];
  if (!strengthened)
    fail_at(pipeline.text, next.call.place, next.stage->name,
            "expected a pipeline that makes scores a similarity at its beginning (... | exp | ...), found one that works on distances or "
            "points: give those, or a pipeline such as laplacian-eigenmaps");
  const auto given = std::find_if(stages.begin(), stages.end(), is_given_similarity);
  require(given != stages.end(), Fault::internal, "[pipeline] expected a stage that takes the given similarity, found none");
  std::vector<Call> calls = parse(fmt::format("{}{}", (*given)->name, on_graph ? "(loops=drop)" : "")).stages;
  calls.insert(calls.end(), pipeline.stages.begin() + static_cast<std::ptrdiff_t>(front), pipeline.stages.end());
  return parse(print(calls));
}

std::vector<BoundStage> bind_stages(const Pipeline& pipeline, const StageList& stages) {
  std::vector<BoundStage> bound = bind_stages(pipeline, stages, types::points);
  outline_after(bound);  // refuses what cannot run
  return bound;
}

std::vector<BoundStage> bind_stages(const Pipeline& pipeline, const StageList& stages, Types first) {
  return Binder(pipeline.text, stages).bind_all(expand(pipeline.stages, stages), first);
}

}  // namespace calor::pipeline
