// Pipelines by name or by text, and their fits.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calor/api/values.h"
#include "calor/pipeline/model.h"

namespace calor {

// What a report says beside the numbers; of the labels what the fit was not told.
struct Shown {
  std::string title = "The pipeline", data = "the data", label{}, command{};
  std::vector<std::int64_t> labels{};  // of the fit's rows, -1: not known; empty: those of the fit
  std::vector<std::string> classes{};
};

// How much of a fit a file holds.
struct Saving {
  std::int64_t landmarks = 0;  // so many of the fit's rows, drawn at random; 0: all
  bool compact = false;        // features that are a table in 8 bits, 256 levels per column, and what stages kept in 32
};

// A pipeline that has run on its points.  Copies share their numbers.
class Fit {
 public:
  const std::string& pipeline() const { return saved_->pipeline; }  // its canonical text
  const pipeline::SavedFit& saved() const { return *saved_; }      // all that a file would hold
  // Throws Fault::usage for a fit that was loaded: a file holds what new points need, not the result.
  const Value& result() const;
  // The result as what it is: fit.as<Embedding>().coordinates().  Throws Fault::usage for another type, naming both.
  template <class Kind>
  const Kind& as() const {
    const Kind* kind = std::get_if<Kind>(&result());
    if (!kind) refuse_kind(Kind::kind);
    return *kind;
  }

  // New points through the fitted stages, in their session; features in the order of the fit.  The fit stays as it is, so that the result for
  // a row depends on that row alone.  Throws Fault::usage for a pipeline with a stage that has no rule for new points, naming it.
  Value transform(const Points& points) const;

  // One safetensors file, which `calor transform` reads too; written whole or not at all.  Throws Fault::usage as transform does, and for landmarks
  // of a pipeline whose stages keep something of all rows together (pipeline/landmarks.h).
  void save(const std::string& path, const Saving& saving = {}) const;
  // The page of `calor run --report`: pictures and quality figures in one HTML file; written whole or not at all.  Throws Fault::usage for a
  // fit that was loaded, Fault::input for another number of labels.
  void report(const std::string& path, const Shown& shown = {}, const Session& session = {}) const;
  // Throws Fault::input for a file that is none.
  static Fit load(const std::string& path);

 private:
  friend class Pipeline;
  Fit(pipeline::SavedFit saved, const Flowing* points);
  [[noreturn]] void refuse_kind(const char* asked) const;

  std::shared_ptr<const pipeline::SavedFit> saved_;
  std::optional<Value> result_;
};

class Pipeline {
 public:
  // A recipe's name or a pipeline's text; settings as on the command line: "knn.k=30" of a stage, "k=5" of a recipe with such a parameter.
  // Throws Fault::usage with a caret under the first offence.
  explicit Pipeline(std::string_view recipe_or_text, const std::vector<std::string>& settings = {});

  const std::string& text() const { return text_; }  // canonical
  // What it would do with these points, in plain text: stages, types, memory and time.
  std::string explain(const Points& points) const;
  // Throws as the stages do, with a caret under the one at fault.
  Fit fit(const Points& points) const;

 private:
  pipeline::Pipeline parsed_;
  std::string text_;
};

}  // namespace calor
