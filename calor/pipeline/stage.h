// A stage: what it is called, what it takes and gives, its parameters, and its functions.  One file per stage, one constant
// in it, one line in the list of stages (recipes/stages.cpp).
#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "calor/core/progress.h"
#include "calor/pipeline/syntax.h"

namespace calor::engine {
struct Points;
struct Similarity;
}  // namespace calor::engine

namespace calor::pipeline {

using namespace engine;  // the stages' vocabulary is the engine's
using engine::Points, engine::Similarity;  // and not that of calor.h

// The forms that points come in: with all their numbers, with those that are not 0, or known by their distances alone (some: not
// every pair has one).
enum class Form { dense, sparse, distances, some_distances };

// What flows between stages; a stage may take several (a bit set).
using Types = unsigned;
namespace types {
inline constexpr Types points = 1, graph = 2, similarity = 4, normalised = 8, embedding = 16, labels = 32, prediction = 64;
inline constexpr Types any_similarity = similarity | normalised;  // an operator is accepted wherever a similarity is
inline constexpr Types coordinates = points | embedding;          // an embedding's coordinates are points again
inline constexpr Types same = 0;                                  // gives what it takes
inline constexpr Types of_body = 1U << 31U;                       // gives what the pipeline that it holds gives
}  // namespace types

// "points", "similarity or operator", ...
std::string type_names(Types types);

// One parameter.  All texts are constants; a default is written in the grammar.
struct Parameter {
  enum class Takes { number, integer, word, number_or_word, integer_or_word, words, pipeline };  // words: several, an argument each; Arguments::word has them as written
  std::string_view name;
  Takes takes = Takes::number;
  std::string_view standard;  // the default; "" for a parameter that must be given
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
  std::string_view words;     // the accepted words, separated by "|"
  std::string_view meaning;   // with its unit
  std::string_view formerly = {};  // a name that it had, accepted for one release with a remark; "" for none
};

struct BoundStage;

// Parameters with their values, in the order of the stage's declaration.
class Arguments {
 public:
  using Value = std::variant<double, std::string, std::vector<BoundStage>>;
  void add(std::string_view name, Value value);
  double number(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;
  bool is_number(std::string_view name) const;
  const std::string& word(std::string_view name) const;
  const std::vector<BoundStage>& pipeline(std::string_view name) const;

 private:
  const Value& at(std::string_view name) const;
  std::vector<std::pair<std::string_view, Value>> values_;
};

struct State;
struct Outline;
class Kept;
struct Estimate;

enum class Kind { support, initialise, strengthen, normalise, flow, read_out };
const char* kind_name(Kind kind);

// What a stage asks of the data beyond points: labels of either kind, classes, measured values, a graph, a surface (wants.h).
enum class Wants { nothing, labels, classes, values, graph, mesh };

struct Stage {
  std::string_view name;
  Kind kind = Kind::flow;
  Types takes = 0, gives = types::same;
  std::span<const Parameter> parameters;
  std::string_view meaning;   // one line
  std::string_view citation;  // "" for what has no single source
  // Edits the state; what new points will need goes into `kept`.
  void (*run)(State&, const Arguments&, Kept& kept, const Context&) = nullptr;
  // The same for new points, whose rows the state then has, against the points of the fit.  Null: cannot place new points.
  void (*place)(State&, const Arguments&, const Kept& kept, const Context&) = nullptr;
  // What the stage does to size, memory and work before anything runs.  Null: next to nothing.
  void (*estimate)(Estimate&, const Arguments&) = nullptr;
  // What the stage needs beyond its type, and what it makes of that (outline.h): throws Fault::usage.  Null: needs nothing more, and
  // nothing is known after it.
  void (*outline)(Outline&, const Arguments&) = nullptr;
  // Why the stage cannot run on points of a form other than dense as they are, with the remedy; "" where it can.  Null: it reads dense
  // points.  Sparse points are made dense for it, distances are refused.
  std::string_view (*why_dense)(Form, const BoundStage&) = nullptr;
  // What it asks of the data.  Null: nothing.
  Wants (*wants)(const Arguments&) = nullptr;
  // Whether it lets values flow once, and so may be given a similarity whose row sums are deferred (engine/passes.h).
  bool flows_once = false;
  // Whose eigenvalues it leaves in the state's spectrum: "operator", "laplacian" or "residual".  Null: it leaves none.
  std::string_view (*spectrum)(const Arguments&) = nullptr;
  // Whether it places new points with these arguments.  Null: if it has `place`.
  bool (*places)(const Arguments&) = nullptr;
  // A word that parameters of other stages take, which is short for this stage around theirs: its parameters are that word, the others'
  // parameters (Takes::words) and a pipeline.  exp(loo) is tune(loo, exp.bandwidth, exp).  "": none.
  std::string_view short_word = {};
};

// A stage with its arguments, typed.
struct BoundStage {
  const Stage* stage = nullptr;
  Arguments arguments;
  Call call;  // as written, parameters put in, former names replaced
  Types takes = 0, gives = 0;
  std::shared_ptr<const std::string> text;  // of the whole pipeline, which call.place points into; null: unknown
  std::vector<const Parameter*> renamed = {};  // that were given by their former names
};

// The canonical text of bound stages.
std::string print(const std::vector<BoundStage>& stages);

// For a stage that reads no points, or those of any form.
std::string_view takes_any_form(Form, const BoundStage&);

// Runs the action of a stage.  An Error that shows no place in the pipeline yet leaves with the pipeline's line and a caret under the
// stage; interruptions and internal errors leave as they are.
void at_stage(const BoundStage& bound, const std::function<void()>& action);

// Visits each stage, and those of the pipelines that it holds after it.
void for_each_stage(const std::vector<BoundStage>& stages, const std::function<void(const BoundStage&)>& visit);

using StageList = std::vector<const Stage*>;

// The stage of that name, or null.
const Stage* find_stage(const StageList& stages, std::string_view name);

// The words a parameter accepts.
std::vector<std::string> parameter_words(const Parameter& parameter);

}  // namespace calor::pipeline
