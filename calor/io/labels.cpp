#include "calor/io/labels.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <set>

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

// Neither letter nor digit: "+", "--".
bool is_sign(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return c > ' ' && c < 0x7F && !std::isalnum(c); });
}

// A mark of missing values that is as well the name of a class: North America, the allele null, the sign -.
bool may_be_class(const std::string& text) {
  static const std::set<std::string> marks{"-", ".", "na", "null", "none", "missing"};
  return marks.contains(lower_case(text));
}

// Which of the distinct texts say that a row has no label.
std::vector<bool> missing_labels(const LabelTexts& texts, const LoadOptions& options) {
  const std::vector<std::string>& all = texts.texts();
  std::vector<std::string> present;
  std::ranges::copy_if(all, std::back_inserter(present), [](const std::string& text) { return !is_missing(text); });
  const bool signs = !options.measured && std::ranges::any_of(present, is_sign);
  const bool single = !options.measured && !signs && present.size() == 1 && !parse_number(present.front());
  std::vector<bool> missing;
  for (const std::string& text : all) {
    const auto is_class = [&] {
      if (!options.classes.empty()) return std::ranges::find(options.classes, text) != options.classes.end();
      return may_be_class(text) && (single || (signs && is_sign(text)));
    };
    missing.push_back(is_missing(text) && !is_class());
  }
  return missing;
}

// Says which rows have no label, and which marks of missing values are taken for classes.
void note_missing(Dataset& data, const LabelTexts& texts, const std::vector<bool>& missing) {
  std::vector<std::string> marks, classes;
  bool ambiguous = false;
  for (std::size_t i = 0; i < missing.size(); ++i) {
    const std::string& text = texts.texts()[i];
    if (missing[i] && !text.empty()) marks.push_back(fmt::format("\"{}\"", text));
    if (!missing[i] && is_missing(text)) classes.push_back(fmt::format("\"{}\"", text));
    ambiguous = ambiguous || (missing[i] && may_be_class(text));
  }
  const auto rows = std::ranges::count_if(texts.ids(), [&](std::int64_t id) { return missing[static_cast<std::size_t>(id)]; });
  if (!classes.empty())
    data.reading.notes.push_back(fmt::format("{} in the label column \"{}\" is read as a class: leave the cell empty where a row has no label", list_names(classes), data.label));
  if (rows > 0)
    data.reading.notes.push_back(fmt::format("{} of {} rows {} no label{}{}", grouped_digits(rows), grouped_digits(data.rows), rows == 1 ? "has" : "have",
                                             marks.empty() ? "" : fmt::format(" ({})", list_names(marks)),
                                             ambiguous ? ": give the class another name if it is one" : ""));
}

void check_texts(const LabelTexts& texts, const std::vector<bool>& missing, const std::string& column, const LoadOptions& options, const std::string& place) {
  for (std::size_t i = 0; i < texts.texts().size(); ++i) {
    const std::string& text = texts.texts()[i];
    const auto where = [&] {
      return fmt::format("{}, {}, label column \"{}\"", place, texts.first_place(std::int64_t(i)), column);
    };
    require(options.partly_labelled || !missing[i], Fault::input,
            "[data] expected a class label, found a missing value \"{}\" ({}): remove the row or give the label", text,
            where());
    require(is_utf8(text), Fault::input,
            "[data] expected text in UTF-8, found other bytes ({}): name the --encoding (latin1, windows-1252, ...), or save the file as UTF-8", where());
    const auto value = options.measured ? parse_number(text) : std::nullopt;
    require(!options.measured || missing[i] || (value && std::isfinite(*value)) || (options.known() && !options.label_must_exist), Fault::input,
            "[data] expected numbers in the column \"{}\", found \"{}\" ({}, {}): name a numeric column with --label, or predict classes (knn-classifier, propagator)",
            column, text, place, texts.first_place(std::int64_t(i)));
  }
}

// Class index of each distinct text, in the order of a saved model's classes.
std::vector<std::int64_t> known_classes(const LabelTexts& texts, const std::vector<bool>& missing, const std::vector<std::string>& classes,
                                        const std::string& place) {
  std::map<std::string, std::int64_t> by_text, by_number;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    by_text.emplace(classes[i], i);
    if (const auto number = number_class(classes[i])) by_number.emplace(*number, i);
  }
  std::vector<std::int64_t> indices;
  for (std::size_t i = 0; i < texts.texts().size(); ++i) {
    const std::string& text = texts.texts()[i];
    if (missing[i]) {
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

// Digits behind a zero: a code ("01", "007"), whose zeros tell it from others.
bool is_code(std::string_view text) { return text.size() > 1 && text[0] == '0' && text.find_first_not_of("0123456789") == std::string_view::npos; }

// Class index of each distinct text; fills `classes`.
std::vector<std::int64_t> new_classes(const LabelTexts& texts, const std::vector<bool>& missing, bool measured, std::vector<std::string>& classes) {
  std::vector<std::string> found, names;
  for (std::size_t i = 0; i < missing.size(); ++i)
    if (!missing[i]) found.push_back(texts.texts()[i]);
  for (const std::string& text : found)
    if (const auto number = number_class(text)) names.push_back(*number);
  const bool codes = !measured && std::ranges::any_of(found, is_code);
  const bool numbers = names.size() == found.size() && !codes;
  if (!numbers) names = found;

  classes = names;
  sort_classes(classes);
  const auto repeated = std::ranges::unique(classes);
  classes.erase(repeated.begin(), repeated.end());

  std::map<std::string_view, std::int64_t> index;
  for (std::size_t i = 0; i < classes.size(); ++i) index.emplace(classes[i], i);
  std::vector<std::int64_t> indices;
  auto name = names.begin();
  for (const bool none : missing) indices.push_back(none ? -1 : index.at(*name++));
  return indices;
}

}  // namespace

bool looks_measured(std::int64_t different, std::int64_t labelled) {
  constexpr std::int64_t few_rows = 20;
  return labelled > few_rows && 2 * different > labelled;
}

bool looks_measured(const LabelTexts& texts) {
  std::vector<bool> missing;
  std::int64_t different = 0, labelled = 0;
  for (const std::string& text : texts.texts()) {
    missing.push_back(is_missing(text));
    different += !missing.back();
  }
  for (const std::int64_t id : texts.ids()) labelled += !missing[static_cast<std::size_t>(id)];
  return looks_measured(different, labelled);
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
  const std::vector<bool> missing = missing_labels(texts, options);
  const bool all_missing = std::ranges::all_of(missing, std::identity());
  check_texts(texts, missing, data.label, options, place);
  if (options.known() && options.partly_labelled && all_missing) {
    data.label.clear();  // new data whose labels nobody knows
    return;
  }
  require(!all_missing, Fault::input,
          "[data] expected a class label in some row, found none in the label column \"{}\" ({}): give the labels that are known",
          data.label, place);

  std::vector<std::int64_t> indices;
  if (options.classes.empty()) {
    indices = new_classes(texts, missing, options.measured, data.classes);
    const auto labelled =
        std::ranges::count_if(texts.ids(), [&](std::int64_t id) { return indices[static_cast<std::size_t>(id)] >= 0; });
    const bool words = std::ranges::none_of(data.classes, [](const std::string& name) { return parse_number(name).has_value(); });
    require(options.measured || options.labels == LabelUse::shown || !looks_measured(static_cast<std::int64_t>(data.classes.size()), labelled), Fault::input,
            "[data] expected classes in the label column \"{}\", found {} different values in {} rows, for example \"{}\" ({}): {}",
            data.label, data.classes.size(), labelled, data.classes.front(), place,
            words ? "these look like names; choose the label column with --label, or group the values"
                  : "this looks like a measured quantity or a name; predict measured values by a regressor (knn-regressor, nadaraya-watson, propagator-regressor), "
                    "choose the label column with --label, or group the values");
  } else {
    indices = known_classes(texts, missing, options.classes, place);
    data.classes = options.classes;
  }
  data.labels.resize(texts.ids().size());
  std::ranges::transform(texts.ids(), data.labels.begin(),
                         [&](std::int64_t id) { return indices[static_cast<std::size_t>(id)]; });
  note_missing(data, texts, missing);
}

}  // namespace calor::io
