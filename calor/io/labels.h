// Class labels: from the texts of a label column to indices into a sorted list of classes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "calor/io/dataset.h"

namespace calor::io {

// The labels of a file as found there, each distinct text stored once.
class LabelTexts {
 public:
  // `unit` says what a place counts: "line" or "row".
  explicit LabelTexts(std::string unit) : unit_(std::move(unit)) {}

  void add(std::string_view text, std::int64_t place);

  std::int64_t size() const { return static_cast<std::int64_t>(ids_.size()); }
  const std::vector<std::int64_t>& ids() const { return ids_; }           // one per row, into texts()
  const std::vector<std::string>& texts() const { return texts_; }        // in order of first appearance
  std::string first_place(std::int64_t id) const;                         // "line 17"

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::string unit_;
  std::vector<std::int64_t> ids_, places_;
  std::vector<std::string> texts_;
  std::unordered_map<std::string, std::int64_t, Hash, std::equal_to<>> known_;
};

// Whether texts are measured values or names rather than classes: more different ones than half of more than twenty.
bool looks_measured(std::int64_t different, std::int64_t labelled);
bool looks_measured(const LabelTexts& texts);

// Numbers by value where all are numbers, else by bytes.
void sort_classes(std::vector<std::string>& names);

// Fills data.labels and data.classes.  Texts that are all numbers become classes by value ("1", "1.0" and "+1" are the class "1"), in
// ascending order, but as they are written where one has leading zeros ("01"); other texts are sorted by bytes.  With options.classes,
// that list and its order.
// With options.partly_labelled a missing label is -1, which a note counts.  "-", ".", NA, null, none and missing are classes where no two
// others are ("NA" beside "EU"), and "-" and "." beside other signs ("+").
// Throws Fault::input for a count other than data.rows, a missing label otherwise and where all are missing, a text that is not UTF-8, a label the given
// classes lack, a measured label that is no number, and a column to predict that is no class: more values than half of more than twenty rows.
void set_labels(Dataset& data, const LabelTexts& texts, const LoadOptions& options, const std::string& place);

}  // namespace calor::io
