#include "calor/pipeline/syntax.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "calor/core/error.h"

namespace calor::pipeline {
namespace {

constexpr int deepest_nesting = 64;  // of parentheses, of stages, functions and sums alike: a bound on the parser's own stack
constexpr int longest_chain = 64;    // of signs in one sum or product, or before a value, whose tree is as deep: a bound on the stack of whoever walks it
constexpr std::array<std::string_view, 4> functions{"log2", "log", "sqrt", "ceil"};

// ASCII only, whatever the locale.
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name(char c) { return is_letter(c) || is_digit(c); }

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::vector<Call> whole() {
    std::vector<Call> stages = pipeline();
    if (position_ < text_.size())
      fail_here(fmt::format("expected \"|\" or the end, found {}", found()));
    return stages;
  }

 private:
  [[noreturn]] void fail_here(const std::string& message) const {
    fail_at(text_, {position_, std::min(position_ + 1, text_.size())}, "pipeline", message);
  }

  void go_deeper() {
    if (++depth_ > deepest_nesting) fail_here(fmt::format("expected at most {} nested parentheses, found more", deepest_nesting));
  }

  void skip_blanks() {
    while (position_ < text_.size() && std::string_view(" \t\r\n").find(text_[position_]) != std::string_view::npos)
      ++position_;
  }

  // Where the text before this place ends, without the blanks that a look ahead has passed.
  std::size_t end_of_last() const { return text_.substr(0, position_).find_last_not_of(" \t\r\n") + 1; }

  bool next_is(char c) {
    skip_blanks();
    return position_ < text_.size() && text_[position_] == c;
  }

  bool take(char c) {
    if (!next_is(c)) return false;
    ++position_;
    return true;
  }

  // The whole character where it is one of several bytes (UTF-8).
  std::string found() const {
    if (position_ >= text_.size()) return "the end";
    std::size_t end = position_ + 1;
    while (end < text_.size() && (static_cast<unsigned char>(text_[end]) & 0xC0) == 0x80) ++end;
    return fmt::format("\"{}\"", text_.substr(position_, end - position_));
  }

  std::string name(const char* what) {
    skip_blanks();
    if (position_ >= text_.size() || !is_letter(text_[position_]))
      fail_here(fmt::format("expected {}, found {}", what, found()));
    const std::size_t begin = position_;
    while (position_ < text_.size() && is_name(text_[position_])) ++position_;
    return std::string(text_.substr(begin, position_ - begin));
  }

  std::vector<Call> pipeline() {
    std::vector<Call> stages{call()};
    more_stages(stages);
    return stages;
  }

  void more_stages(std::vector<Call>& stages) {
    while (take('|')) stages.push_back(call());
  }

  Call call() {
    skip_blanks();
    Call result;
    result.place.begin = position_;
    result.name = name("a stage's name");
    result.place.end = position_;
    rest_of_call(result);
    return result;
  }

  void rest_of_call(Call& call) {
    if (!take('(')) return;
    go_deeper();
    if (!next_is(')')) {
      do call.arguments.push_back(argument()); while (take(','));
    }
    if (!take(')')) fail_here(fmt::format("expected \",\" or \")\", found {}", found()));
    --depth_;
    call.place.end = position_;
  }

  Argument argument() {
    skip_blanks();
    Argument result;
    result.place.begin = position_;
    const std::size_t begin = position_;
    if (position_ < text_.size() && is_letter(text_[position_])) {
      std::string word = name("an argument");
      if (take('=')) result.name = std::move(word);
      else position_ = begin;
    }
    result.value = value();
    result.place.end = position_;
    return result;
  }

  // An expression, or a pipeline where a "|" or a stage with arguments says so.
  Value value() {
    skip_blanks();
    const std::size_t begin = position_;
    Value first = sum();
    if (!next_is('|')) return first;
    if (first.kind != Value::Kind::name && first.kind != Value::Kind::pipeline)
      fail_here("expected a stage's name before \"|\", found a value");
    Value result;
    result.kind = Value::Kind::pipeline;
    if (first.kind == Value::Kind::pipeline) {
      result.pipeline = std::move(first.pipeline);
    } else {
      Call bare;
      bare.name = std::move(first.text);
      bare.place = first.place;
      result.pipeline.push_back(std::move(bare));
    }
    more_stages(result.pipeline);
    result.place = {begin, position_};
    return result;
  }

  Value binary(Value::Kind kind, Value left, Value right) {
    Value result;
    result.kind = kind;
    result.place = {left.place.begin, right.place.end};
    result.operands.push_back(std::move(left));
    result.operands.push_back(std::move(right));
    return result;
  }

  void check_chain(int signs) {
    if (signs >= longest_chain) fail_here(fmt::format("expected at most {} signs in a row, found more: write the result", longest_chain));
  }

  Value sum() {
    Value left = product();
    for (int signs = 0;; ++signs) {
      if (next_is('+') || next_is('-')) check_chain(signs);
      if (take('+')) left = binary(Value::Kind::add, std::move(left), product());
      else if (take('-')) left = binary(Value::Kind::subtract, std::move(left), product());
      else return left;
    }
  }

  Value product() {
    Value left = factor();
    for (int signs = 0;; ++signs) {
      if (next_is('*') || next_is('/')) check_chain(signs);
      if (take('*')) left = binary(Value::Kind::multiply, std::move(left), factor());
      else if (take('/')) left = binary(Value::Kind::divide, std::move(left), factor());
      else return left;
    }
  }

  Value factor() {
    skip_blanks();
    Value result;
    result.place.begin = position_;
    if (take('-')) {
      check_chain(minuses_);
      ++minuses_;
      result.kind = Value::Kind::negate;
      result.operands.push_back(factor());
      --minuses_;
    } else if (take('(')) {
      go_deeper();
      result = sum();
      if (!take(')')) fail_here(fmt::format("expected \")\", found {}", found()));
      --depth_;
      return result;
    } else if (take('$')) {
      result.kind = Value::Kind::parameter;
      result.text = name("a parameter's name after \"$\"");
    } else if (take('"')) {
      result.kind = Value::Kind::text;
      const std::size_t end = text_.find('"', position_);
      if (end == std::string_view::npos) fail_here("expected a closing quote");
      result.text = text_.substr(position_, end - position_);
      position_ = end + 1;
    } else if (position_ < text_.size() && (is_digit(text_[position_]) || text_[position_] == '.')) {
      result.number = number();
    } else {
      word(result);
    }
    result.place.end = end_of_last();
    return result;
  }

  double number() {
    double parsed = 0;
    const char* begin = text_.data() + position_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), parsed);
    if (error != std::errc()) fail_here(fmt::format("expected a number, found {}", found()));
    position_ += static_cast<std::size_t>(end - begin);
    return parsed;
  }

  // A word is a name, a function of a value, or a stage with arguments.
  void word(Value& result) {
    const std::size_t begin = position_;
    result.text = name("a value");
    result.kind = Value::Kind::name;
    if (position_ + 1 < text_.size() && text_[position_] == '.' && is_letter(text_[position_ + 1])) {  // a stage's parameter
      ++position_;
      result.text += '.';
      result.text += name("a parameter's name");
      return;
    }
    if (!next_is('(')) return;
    if (std::find(functions.begin(), functions.end(), result.text) != functions.end()) {
      take('(');
      go_deeper();
      result.kind = Value::Kind::function;
      result.operands.push_back(sum());
      if (!take(')')) fail_here(fmt::format("expected \")\", found {}", found()));
      --depth_;
      return;
    }
    Call call;
    call.name = std::exchange(result.text, {});
    call.place = {begin, position_};
    rest_of_call(call);
    result.kind = Value::Kind::pipeline;
    result.pipeline.push_back(std::move(call));
  }

  std::string_view text_;
  std::size_t position_ = 0;
  int depth_ = 0, minuses_ = 0;  // parentheses and signs before values that are open here
};

// How tightly a value's outermost sign binds: 1 for a sum, 2 for a product, 3 for the rest.
int binding(const Value& value) {
  switch (value.kind) {
    case Value::Kind::add:
    case Value::Kind::subtract: return 1;
    case Value::Kind::multiply:
    case Value::Kind::divide: return 2;
    default: return 3;
  }
}

std::string inside(const Value& value, int least) {
  return binding(value) < least ? fmt::format("({})", print(value)) : print(value);
}

std::string print_binary(const Value& value, const char* sign, int level) {
  return inside(value.operands[0], level) + sign + inside(value.operands[1], level + 1);
}

}  // namespace

Pipeline parse(std::string_view text) {
  Pipeline result;
  result.text = text;
  result.stages = Parser(result.text).whole();
  return result;
}

std::string print(const Value& value) {
  switch (value.kind) {
    case Value::Kind::number: return fmt::format("{}", value.number);
    case Value::Kind::name: return value.text;
    case Value::Kind::text: return fmt::format("\"{}\"", value.text);
    case Value::Kind::parameter: return fmt::format("${}", value.text);
    case Value::Kind::negate: return fmt::format("-{}", inside(value.operands[0], 3));
    case Value::Kind::add: return print_binary(value, " + ", 1);
    case Value::Kind::subtract: return print_binary(value, " - ", 1);
    case Value::Kind::multiply: return print_binary(value, " * ", 2);
    case Value::Kind::divide: return print_binary(value, " / ", 2);
    case Value::Kind::function: return fmt::format("{}({})", value.text, print(value.operands[0]));
    case Value::Kind::pipeline: return print(value.pipeline);
  }
  return {};
}

std::string print(const std::vector<Call>& stages) {
  std::string text;
  for (const Call& call : stages) {
    if (!text.empty()) text += " | ";
    text += call.name;
    if (call.arguments.empty()) continue;
    std::string list;
    for (const Argument& argument : call.arguments)
      list += fmt::format("{}{}{}", list.empty() ? "" : ", ", argument.name.empty() ? std::string() : fmt::format("{}=", argument.name),
                          print(argument.value));
    text += fmt::format("({})", list);
  }
  return text;
}

std::string print(const Pipeline& pipeline) { return print(pipeline.stages); }

std::string pointer_to(std::string_view text, Place place) {
  // One line: a pipeline may have been typed over several.
  std::string line(text);
  std::replace_if(line.begin(), line.end(), [](char c) { return c == '\n' || c == '\t' || c == '\r'; }, ' ');
  const std::size_t begin = std::min(place.begin, line.size());
  const std::size_t end = std::max(begin + 1, std::min(place.end, line.size()));
  // A window of the line, cut between characters (UTF-8), with more of what comes before the place than after it.
  constexpr std::size_t widest = 96, before = 60;
  constexpr std::string_view cut = "...";
  const auto continues = [&](std::size_t i) { return i < line.size() && (static_cast<unsigned char>(line[i]) & 0xC0) == 0x80; };
  std::size_t first = 0, last = line.size();
  if (line.size() > widest) {
    if (end > widest - cut.size()) first = std::min(begin > before ? begin - before : 0, line.size() - (widest - cut.size()));
    while (continues(first)) ++first;
    last = std::min(line.size(), first + widest - (first > 0 ? cut.size() : 0));
    if (last < line.size()) last -= cut.size();
    while (continues(last)) --last;
  }
  const auto width = [&](std::size_t from, std::size_t to) {
    std::size_t count = 0;
    for (std::size_t i = from; i < to; ++i) count += !continues(i);
    return count;
  };
  const std::string_view head = first > 0 ? cut : "", tail = last < line.size() ? cut : "";
  return fmt::format("\n  {}{}{}\n  {}{}", head, std::string_view(line).substr(first, last - first), tail,
                     std::string(head.size() + width(first, begin), ' '), std::string(width(begin, std::min(end, std::max(last, begin + 1))), '^'));
}

void fail_at(std::string_view text, Place place, std::string_view op, const std::string& message) {
  throw PlacedError(Fault::usage, fmt::format("[{}] {}{}", op, message, pointer_to(text, place)));
}

}  // namespace calor::pipeline
