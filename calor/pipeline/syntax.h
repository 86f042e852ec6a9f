// The text of a pipeline: parsing it, printing it back, and pointing at a place in it.
//
//   pipeline := stage { "|" stage }
//   stage    := name [ "(" argument { "," argument } ")" ]
//   argument := [ name "=" ] value
//   value    := number | name [ "." name ] | "text" | $parameter | value (+ - * /) value | function "(" value ")" | pipeline
//
// White space is free; functions are log2, log, sqrt and ceil.  print(parse(text)) is equivalent to text, and
// print(parse(print(p))) == print(p).
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "calor/core/error.h"

namespace calor::pipeline {

// Where something stands in the text it was parsed from: bytes [begin, end).
struct Place {
  std::size_t begin = 0, end = 0;
};

struct Call;

// One value as it was written, before parameters are known.
struct Value {
  enum class Kind { number, name, text, parameter, negate, add, subtract, multiply, divide, function, pipeline };
  Kind kind = Kind::number;
  double number = 0;
  std::string text;             // the name, text, parameter or function
  std::vector<Value> operands;  // one for negate and function, two for the arithmetic
  std::vector<Call> pipeline;
  Place place;
};

struct Argument {
  std::string name;  // "" when given by position
  Value value;
  Place place;
};

// One stage as it was written.
struct Call {
  std::string name;
  std::vector<Argument> arguments;
  Place place;
};

// A parsed pipeline with the text that its places point into.
struct Pipeline {
  std::string text;
  std::vector<Call> stages;
};

// Throws Fault::usage with a caret under the first offence.
Pipeline parse(std::string_view text);

// The canonical text: one blank around "|" and the arithmetic, no superfluous parentheses.
std::string print(const Pipeline& pipeline);
std::string print(const std::vector<Call>& stages);
std::string print(const Value& value);

// An Error whose message shows its place in the pipeline.
class PlacedError : public Error {
 public:
  using Error::Error;
};

// "\n  <line>\n  <carets>": the pipeline as one line with a caret under `place`; of a long one the part about the place, so that both
// fit a terminal of 100 columns.
std::string pointer_to(std::string_view text, Place place);

// Throws a PlacedError, Fault::usage: "[<op>] <message>", then the pipeline's line with a caret under `place`.
[[noreturn]] void fail_at(std::string_view text, Place place, std::string_view op, const std::string& message);

}  // namespace calor::pipeline
