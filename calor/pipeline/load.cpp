#include "calor/pipeline/load.h"

#include <algorithm>
#include <cmath>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/number.h"
#include "calor/pipeline/data.h"

namespace calor::pipeline {
namespace {

Loaded with_classes(const io::Dataset& dataset) {
  Loaded loaded;
  loaded.data = data_of(dataset);
  loaded.hash = dataset.hash;
  loaded.label = dataset.label;
  for (const std::int64_t label : dataset.labels) loaded.label_values.push_back(label < 0 ? "" : dataset.classes[static_cast<std::size_t>(label)]);
  loaded.reading = dataset.reading;
  loaded.read = io::reading_line(dataset);
  loaded.coding = dataset.coding;
  return loaded;
}

// The first label that is no finite number; null where all are.
const std::string* no_number(const io::Dataset& dataset) {
  for (const std::string& text : dataset.classes)
    if (const auto value = io::parse_number(text); !value || !std::isfinite(*value)) return &text;
  return nullptr;
}

// Labels that are numbers as measured values, which may be missing.
Loaded with_measured(const io::Dataset& dataset) {
  Loaded loaded = with_classes(dataset);
  loaded.data.labels.clear();
  loaded.data.classes.clear();
  return loaded;
}

}  // namespace

Loaded load_points(const std::string& source, io::LoadOptions options, Labels labels, const Context& context) {
  options.labels = labels == Labels::shown ? io::LabelUse::shown : io::LabelUse::expected;
  options.partly_labelled = true;
  options.measured = labels == Labels::values;
  io::Dataset dataset = io::load_dataset(source, options, context);
  const io::Filling filling = io::settle_missing(dataset, context);
  if (labels == Labels::values) {
    const std::string* text = no_number(dataset);
    require(text == nullptr, Fault::input,
            "[data] expected numbers to average in the column \"{}\", found \"{}\" ({}): name a numeric column with --label, or predict classes: "
            "end with vote instead of average, as knn-classifier does",
            dataset.label, text ? *text : "", source);
  }
  Loaded loaded = labels == Labels::values ? with_measured(dataset) : with_classes(dataset);
  loaded.filling = filling;
  return loaded;
}

Loaded load_graph(const std::string& source, const io::TextOptions& options, const Context& context) {
  const io::EdgeList edges = io::load_edge_list(source, options, context);
  Loaded loaded;
  loaded.data = data_of(edges);
  loaded.hash = edges.hash;
  loaded.reading = edges.reading;
  loaded.read = io::reading_line(edges);
  return loaded;
}

Loaded load_new_points(const std::string& source, io::LoadOptions options, const SavedFit& saved, const Context& context) {
  const Data& fitted = *saved.fit.data;
  const bool measured = fitted.classes.empty() && fitted.targets.size() > 0;
  const bool asked = options.label.has_value();
  if (!asked && !saved.label.empty()) options.label = saved.label;
  options.coding = saved.coding.columns.empty() ? io::numbers_named(fitted.feature_names) : saved.coding;
  options.missing = saved.filling.how;
  options.partly_labelled = true;
  options.measured = measured;
  // Only a prediction is of the fit's classes: elsewhere labels are to look at, and may be others.
  if (saved.fit.stages.back().gives == types::prediction) options.classes = fitted.classes;
  if (fitted.classes.empty() && !measured && !asked) options.labels = io::LabelUse::none;
  io::Dataset dataset = io::load_dataset(source, options, context);
  if (measured && no_number(dataset)) {
    require(!asked, Fault::input, "[data] expected numbers in the column \"{}\", found \"{}\" ({}): name a numeric column with --label, or none", dataset.label,
            *no_number(dataset), source);
    dataset.reading.notes.push_back(fmt::format("the label \"{}\" holds texts, not the values of the fit: it is left out", dataset.label));
    dataset.labels.clear();
    dataset.classes.clear();
    dataset.label.clear();
  }
  const Matrix& points = *fitted.features;
  io::fill_new(dataset, saved.filling, context,
               saved.filling.how == io::Missing::neighbours ? std::span<const double>(points.data(), static_cast<std::size_t>(points.size())) : std::span<const double>());
  return measured ? with_measured(dataset) : with_classes(dataset);
}

}  // namespace calor::pipeline
