#include "calor/io/labels.h"

#include <algorithm>
#include <map>
#include <optional>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/number.h"

namespace calor::io {

void LabelTexts::add(std::string_view text, std::int64_t place) {
  // Files are often sorted by class: the previous label is the likely one.
  if (!ids_.empty() && texts_[static_cast<std::size_t>(ids_.back())] == text) {
    ids_.push_back(ids_.back());
    return;
  }
  auto known = known_.find(text);
  if (known == known_.end()) {
    known = known_.emplace(text, static_cast<std::int64_t>(texts_.size())).first;
    texts_.emplace_back(text);
    places_.push_back(place);
  }
  ids_.push_back(known->second);
}

std::string LabelTexts::first_place(std::int64_t id) const {
  return fmt::format("{} {}", unit_, places_[static_cast<std::size_t>(id)]);
}

namespace {

// The name of the class that a number stands for; whole numbers exactly, whatever their size.
std::optional<std::string> number_class(const std::string& text) {
  const std::optional<double> value = parse_number(text);
  if (!value) return {};
  const bool digits_only = text.find_first_not_of("0123456789", text[0] == '-' || text[0] == '+') == std::string::npos;
  if (!digits_only) return format_number(*value);
  const bool negative = text[0] == '-' && *value != 0;
  const std::size_t first = std::min(text.find_first_not_of("+-0"), text.size());
  return fmt::format("{}{}", negative ? "-" : "", first == text.size() ? "0" : text.substr(first));
}

void check_texts(const LabelTexts& texts, const std::string& column, bool may_miss, const std::string& place) {
  for (std::size_t i = 0; i < texts.texts().size(); ++i) {
    const std::string& text = texts.texts()[i];
    const auto where = [&] {
      return fmt::format("{}, {}, label column \"{}\"", place, texts.first_place(std::int64_t(i)), column);
    };
    require(may_miss || !is_missing(text), Fault::input,
            "[data] expected a class label, found a missing value \"{}\" ({}): remove the row or give the label", text,
            where());
    require(is_utf8(text), Fault::input,
            "[data] expected text in UTF-8, found other bytes ({}): name the --encoding (latin1, windows-1252, ...), or save the file as UTF-8", where());
  }
}

// Class index of each distinct text, in the order of a saved model's classes.
std::vector<std::int64_t> known_classes(const LabelTexts& texts, const std::vector<std::string>& classes,
                                        const std::string& place) {
  std::map<std::string, std::int64_t> by_text, by_number;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    by_text.emplace(classes[i], i);
    if (const auto number = number_class(classes[i])) by_number.emplace(*number, i);
  }
  std::vector<std::int64_t> indices;
  for (std::size_t i = 0; i < texts.texts().size(); ++i) {
    const std::string& text = texts.texts()[i];
    if (is_missing(text)) {
      indices.push_back(-1);
      continue;
    }
    if (const auto exact = by_text.find(text); exact != by_text.end()) {
      indices.push_back(exact->second);
      continue;
    }
    const auto number = number_class(text);
    const auto same = number ? by_number.find(*number) : by_number.end();
    const std::string nearest = nearest_name(text, classes);
    require(same != by_number.end(), Fault::input,
            "[data] expected one of the known classes {}, found \"{}\" ({}, {}){}: correct the label, or train on data "
            "that "
            "has this class",
            list_names(classes), text, place, texts.first_place(std::int64_t(i)),
            nearest.empty() ? "" : fmt::format(", nearest \"{}\"", nearest));
    indices.push_back(same->second);
  }
  return indices;
}

// Class index of each distinct text; fills `classes`.
std::vector<std::int64_t> new_classes(const LabelTexts& texts, std::vector<std::string>& classes) {
  std::vector<std::string> found, names;
  for (const std::string& text : texts.texts())
    if (!is_missing(text)) found.push_back(text);
  for (const std::string& text : found)
    if (const auto number = number_class(text)) names.push_back(*number);
  const bool numbers = names.size() == found.size();
  if (!numbers) names = found;

  classes = names;
  sort_classes(classes);
  const auto repeated = std::ranges::unique(classes);
  classes.erase(repeated.begin(), repeated.end());

  std::map<std::string_view, std::int64_t> index;
  for (std::size_t i = 0; i < classes.size(); ++i) index.emplace(classes[i], i);
  std::vector<std::int64_t> indices;
  auto name = names.begin();
  for (const std::string& text : texts.texts()) indices.push_back(is_missing(text) ? -1 : index.at(*name++));
  return indices;
}

}  // namespace

constexpr std::int64_t few_rows = 20;

bool looks_measured(const LabelTexts& texts) {
  std::vector<bool> missing;
  std::int64_t different = 0, labelled = 0;
  for (const std::string& text : texts.texts()) {
    missing.push_back(is_missing(text));
    different += !missing.back();
  }
  for (const std::int64_t id : texts.ids()) labelled += !missing[static_cast<std::size_t>(id)];
  return labelled > few_rows && 2 * different > labelled;
}

void sort_classes(std::vector<std::string>& names) {
  const auto by_value = [](const std::string& a, const std::string& b) {
    const double x = *parse_number(a), y = *parse_number(b);
    return x != y ? x < y : a < b;
  };
  if (std::ranges::all_of(names, [](const std::string& name) { return parse_number(name).has_value(); })) std::ranges::sort(names, by_value);
  else std::ranges::sort(names);
}

void set_labels(Dataset& data, const LabelTexts& texts, const LoadOptions& options, const std::string& place) {
  require(
      texts.size() == data.rows, Fault::input,
      "[data] expected one label for each of {} rows, found {} labels ({}): give the labels that belong to these rows",
      data.rows, texts.size(), place);
  check_texts(texts, data.label, options.partly_labelled, place);
  if (options.known() && options.partly_labelled && std::ranges::all_of(texts.texts(), [](const std::string& text) { return is_missing(text); })) {
    data.label.clear();  // new data whose labels nobody knows
    return;
  }
  require(!std::ranges::all_of(texts.texts(), [](const std::string& text) { return is_missing(text); }), Fault::input,
          "[data] expected a class label in some row, found none in the label column \"{}\" ({}): give the labels that are known",
          data.label, place);

  std::vector<std::int64_t> indices;
  if (options.classes.empty()) {
    indices = new_classes(texts, data.classes);
    const auto labelled =
        std::ranges::count_if(texts.ids(), [&](std::int64_t id) { return indices[static_cast<std::size_t>(id)] >= 0; });
    require(options.measured || labelled <= few_rows || 2 * static_cast<std::int64_t>(data.classes.size()) <= labelled, Fault::input,
            "[data] expected classes in the label column \"{}\", found {} different values in {} rows, for example "
            "\"{}\" ({}): "
            "this looks like a measured quantity or a name; predict measured values by a regressor (knn-regressor, nadaraya-watson, propagator-regressor), "
            "choose the label column with --label, or group the values",
            data.label, data.classes.size(), labelled, data.classes.front(), place);
  } else {
    indices = known_classes(texts, options.classes, place);
    data.classes = options.classes;
  }
  data.labels.resize(texts.ids().size());
  std::ranges::transform(texts.ids(), data.labels.begin(),
                         [&](std::int64_t id) { return indices[static_cast<std::size_t>(id)]; });
}

}  // namespace calor::io
