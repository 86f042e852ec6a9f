#include "calor/io/missing.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/core/threads.h"
#include "calor/io/number.h"

namespace calor::io {
namespace {

constexpr std::string_view names[] = {"refuse", "drop", "mean", "neighbours"};
constexpr std::size_t neighbours = 5;

// One value of one row, from the nearest donors that have it.
double from_neighbours(std::int64_t column, std::int64_t columns, std::span<const double> donors, const std::vector<double>& distance, double otherwise) {
  std::vector<std::pair<double, std::size_t>> nearest;
  for (std::size_t j = 0; j < distance.size(); ++j) {
    const double* donor = donors.data() + static_cast<std::int64_t>(j) * columns;
    if (std::isnan(distance[j]) || std::isnan(donor[column])) continue;
    if (nearest.size() == neighbours && distance[j] >= nearest.back().first) continue;
    if (nearest.size() == neighbours) nearest.pop_back();
    nearest.insert(std::upper_bound(nearest.begin(), nearest.end(), distance[j], [](double d, const auto& one) { return d < one.first; }), {distance[j], j});
  }
  if (nearest.empty()) return otherwise;
  double sum = 0;
  for (const auto& [far, j] : nearest) sum += donors[j * static_cast<std::size_t>(columns) + static_cast<std::size_t>(column)];
  return sum / static_cast<double>(nearest.size());
}

// Squared, over the columns that both have, scaled to all columns; NaN where they share none.
double nan_distance(const double* a, const double* b, std::int64_t columns) {
  double sum = 0;
  std::int64_t shared = 0;
  for (std::int64_t c = 0; c < columns; ++c) {
    if (std::isnan(a[c]) || std::isnan(b[c])) continue;
    sum += (a[c] - b[c]) * (a[c] - b[c]);
    ++shared;
  }
  return shared == 0 ? std::numeric_limits<double>::quiet_NaN() : sum * static_cast<double>(columns) / static_cast<double>(shared);
}

bool misses(const double* row, std::int64_t columns) {
  return std::any_of(row, row + columns, [](double value) { return std::isnan(value); });
}

}  // namespace

std::string_view name_of(Missing how) { return names[static_cast<int>(how)]; }

Missing parse_missing(std::string_view name) {
  const auto* found = std::ranges::find(names, name);
  const std::string nearest = nearest_name(name, {std::begin(names), std::end(names)});
  require(found != std::end(names), Fault::usage, "[data] expected --missing refuse, drop, mean or neighbours, found \"{}\"{}", name,
          nearest.empty() ? "" : fmt::format(": did you mean {}?", nearest));
  return static_cast<Missing>(found - names);
}

Filling fit_filling(std::span<const double> values, const std::vector<std::string>& columns, Missing how, const std::string& place) {
  Filling filling{how, {}};
  if (how == Missing::refuse || how == Missing::drop) return filling;
  std::vector<std::int64_t> count(columns.size());
  filling.mean.assign(columns.size(), 0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t c = i % columns.size();
    if (!std::isnan(values[i])) filling.mean[c] += (values[i] - filling.mean[c]) / static_cast<double>(++count[c]);
  }
  for (std::size_t c = 0; c < count.size(); ++c)
    require(count[c] > 0, Fault::input, "[data] expected a value in the column \"{0}\", found all of them missing ({1}): leave it out with --features {2}", columns[c], place, shell_quoted("!" + columns[c]));
  return filling;
}

std::string filling_text(const Filling& filling) { return nlohmann::json{{"how", name_of(filling.how)}, {"mean", filling.mean}}.dump(); }

Filling parse_filling(const std::string& text, std::size_t columns, const std::string& place) {
  using nlohmann::json;
  try {
    const json stored = json::parse(text);
    const Filling filling{parse_missing(stored.at("how").get<std::string>()), stored.at("mean").get<std::vector<double>>()};
    const bool needs = filling.how == Missing::mean || filling.how == Missing::neighbours;
    require(!needs || filling.mean.size() == columns, Fault::input, "[model] expected a mean for each of {} features, found {} ({})", columns, filling.mean.size(), place);
    return filling;
  } catch (const json::exception&) {
    fail(Fault::input, "[model] expected what fills missing values in JSON, found a damaged text ({})", place);
  }
}

std::vector<std::int64_t> complete_rows(const Dataset& data) {
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < data.rows; ++i)
    if (!misses(data.row(i), data.columns)) rows.push_back(i);
  return rows;
}

void fill(std::span<double> values, std::int64_t columns, const Filling& filling, std::span<const double> donors, const Context& context) {
  const auto rows = static_cast<std::int64_t>(values.size()) / columns;
  const std::int64_t donor_rows = static_cast<std::int64_t>(donors.size()) / columns;
  // The donors may be the rows themselves, so that nothing is replaced before all is known.
  std::vector<std::vector<std::pair<std::int64_t, double>>> replaced(static_cast<std::size_t>(rows));
  parallel_for(rows, context.threads, [&](std::int64_t i) {
    const double* row = values.data() + i * columns;
    if (!misses(row, columns)) return;
    context.check_stop("missing values");
    std::vector<double> distance;
    if (filling.how == Missing::neighbours) {
      distance.reserve(static_cast<std::size_t>(donor_rows));
      for (std::int64_t j = 0; j < donor_rows; ++j) distance.push_back(nan_distance(row, donors.data() + j * columns, columns));
    }
    for (std::int64_t c = 0; c < columns; ++c) {
      if (!std::isnan(row[c])) continue;
      const double mean = filling.mean[static_cast<std::size_t>(c)];
      replaced[static_cast<std::size_t>(i)].emplace_back(c, filling.how == Missing::neighbours ? from_neighbours(c, columns, donors, distance, mean) : mean);
    }
  });
  for (std::int64_t i = 0; i < rows; ++i)
    for (const auto& [c, value] : replaced[static_cast<std::size_t>(i)]) values[static_cast<std::size_t>(i * columns + c)] = value;
}

void keep_rows(Dataset& data, const std::vector<std::int64_t>& rows) {
  const bool named = !data.row_names.empty();
  std::size_t kept = 0;
  for (const std::int64_t i : rows) {
    const auto from = static_cast<std::size_t>(i);
    std::copy(data.row(i), data.row(i) + data.columns, data.values.begin() + static_cast<std::ptrdiff_t>(kept) * data.columns);
    if (data.labelled()) data.labels[kept] = data.labels[from];
    if (!data.kept.empty() && kept != from) data.kept[kept] = std::move(data.kept[from]);
    if (!named) data.row_names.push_back(std::to_string(i + 1));
    else if (kept != from) data.row_names[kept] = std::move(data.row_names[from]);
    ++kept;
  }
  data.rows = static_cast<std::int64_t>(kept);
  data.values.resize(kept * static_cast<std::size_t>(data.columns));
  if (data.labelled()) data.labels.resize(kept);
  data.row_names.resize(kept);
  if (!data.kept.empty()) data.kept.resize(kept);
}

Filling settle_missing(Dataset& data, const Context& context) {
  const Missing how = data.fill_by;
  if (how == Missing::refuse || data.sparse) return {};
  const Filling filling = fit_filling(data.values, data.features, how, data.source);
  if (data.missing == 0) return filling;
  const std::vector<std::int64_t> complete = complete_rows(data);
  const auto incomplete = data.rows - static_cast<std::int64_t>(complete.size());
  if (how == Missing::drop) {
    require(!complete.empty(), Fault::input, "[data] expected a row without missing values, found none among {} ({}): use --missing mean or neighbours", data.rows, data.source);
    data.reading.notes.push_back(fmt::format("{} of {} rows {} a missing value and {} left out; the others are named by {}", grouped_digits(incomplete), grouped_digits(data.rows),
                                             incomplete == 1 ? "has" : "have", incomplete == 1 ? "is" : "are",
                                             data.row_names.empty() ? "their number in the file" : "their own names"));
    keep_rows(data, complete);
  } else {
    const std::vector<double> donors = how == Missing::neighbours ? data.values : std::vector<double>();
    fill(data.values, data.columns, filling, donors, context);
    data.reading.notes.push_back(fmt::format("{} in {} {} filled in with {}", counted(data.missing, "missing value"), counted(incomplete, "row"),
                                             data.missing == 1 ? "is" : "are",
                                             how == Missing::mean ? "the means of their columns" : "the mean of the 5 nearest rows that have them"));
  }
  data.missing = 0;
  return filling;
}

void fill_new(Dataset& data, const Filling& filling, const Context& context, std::span<const double> donors) {
  if (data.missing == 0) return;
  if (filling.how == Missing::drop) {
    settle_missing(data, context);
    return;
  }
  data.reading.notes.push_back(fmt::format("{} {} filled in from the {} training rows", counted(data.missing, "missing value"), data.missing == 1 ? "is" : "are",
                                           donors.empty() ? "means of the" : "nearest of the"));
  fill(data.values, data.columns, filling, donors, context);
  data.missing = 0;
}

}  // namespace calor::io
