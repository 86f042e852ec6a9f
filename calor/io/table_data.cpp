#include "calor/io/table_data.h"

#include <algorithm>
#include <cmath>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/number.h"
#include "calor/io/roles.h"

namespace calor::io {
namespace {

// Class names instead of their numbers, where the first line announced them.
LabelTexts announced_labels(const Table& table, std::int64_t column, const std::vector<std::string>& classes, const std::string& place) {
  LabelTexts labels("line");
  const Column& whole = table.columns[static_cast<std::size_t>(column)];
  for (std::int64_t i = 0; i < table.rows; ++i) {
    const auto id = static_cast<std::int64_t>(table.cell(i, column));
    const std::string_view text = whole.texts.text(id);
    const auto index = parse_number(text);
    require(index && *index >= 0 && *index < static_cast<double>(classes.size()) && std::trunc(*index) == *index, Fault::input,
            "[csv] expected a class from 0 to {} as line 1 announces {} classes, found \"{}\" ({}, line {}): correct the class", classes.size() - 1, classes.size(),
            text, place, whole.texts.line(id));
    labels.add(classes[static_cast<std::size_t>(*index)], whole.texts.line(id));
  }
  return labels;
}

void name_rows(Dataset& data, const Table& table, const Roles& roles, const std::string& place) {
  if (roles.names < 0) return;
  const Column& column = table.columns[static_cast<std::size_t>(roles.names)];
  for (std::int64_t id = 0; column.text && id < column.texts.size(); ++id)
    require(is_utf8(column.texts.text(id)), Fault::input,
            "[data] expected text in UTF-8, found other bytes ({}, {} {}, names of the rows \"{}\"): name the --encoding (latin1, windows-1252, ...), or save the file as UTF-8",
            place, table.unit, column.texts.line(id), column.name);
  data.row_names.reserve(static_cast<std::size_t>(table.rows));
  for (std::int64_t i = 0; i < table.rows; ++i) data.row_names.push_back(table.text(i, roles.names));
  if (table.named) data.row_names_column = column.name;
  if (!roles.names_because.empty())
    data.reading.notes.push_back(fmt::format("{} names the rows, as {}: --names none makes it a feature",
                                             table.named ? fmt::format("the column \"{}\"", column.name) : fmt::format("column {}", roles.names + 1), roles.names_because));
}

// What a column that is called like a label has become where labels are only looked at.
void note_label_names(Dataset& data, const Table& table, const Roles& roles, const LoadOptions& options) {
  if (options.labels != LabelUse::shown || options.known() || options.label || !table.named) return;
  for (const std::int64_t c : roles.features) {
    const std::string lower = lower_case(table.columns[static_cast<std::size_t>(c)].name);
    if (lower == "label" || lower == "class" || lower == "target")
      data.reading.notes.push_back(fmt::format("the column \"{0}\" is a feature, as it holds numbers: --label {1} makes it the label", table.columns[static_cast<std::size_t>(c)].name,
                                               shell_quoted(table.columns[static_cast<std::size_t>(c)].name)));
  }
}

}  // namespace

Dataset data_beside_features(const Table& table, const Roles& roles, const LoadOptions& options, const std::string& place, const std::optional<LabelsBeside>& beside,
                             const ColumnLabels& exact) {
  Dataset data;
  data.rows = table.rows;
  data.reading.comments = table.comments;
  for (const std::int64_t column : roles.left_out) data.reading.left_out.push_back(table.columns[static_cast<std::size_t>(column)].name);
  if (beside && options.labels == LabelUse::shown && !options.label && looks_measured(beside->texts)) {
    data.reading.notes.push_back(fmt::format("the label \"{}\" holds measured values, which are left out here", beside->name));
  } else if (beside) {
    data.label = beside->name;
    set_labels(data, beside->texts, options, beside->place);
  } else if (roles.label >= 0) {
    const Column& column = table.columns[static_cast<std::size_t>(roles.label)];
    require(column.text || column.infinite == 0, Fault::input,
            "[csv] expected a finite number in the label column \"{}\", found \"{}\" ({}, line {}): correct it, or leave the cell empty where the value is not known", column.name,
            column.first_infinite.text, place, column.first_infinite.line);
    data.label = column.name;
    set_labels(data, exact ? exact(roles.label) : label_texts(table, roles.label), options, place);
  }
  name_rows(data, table, roles, place);
  for (std::int64_t i = 0; roles.kept >= 0 && i < table.rows; ++i) data.kept.emplace_back(trim(table.text(i, roles.kept)));
  note_label_names(data, table, roles, options);
  return data;
}

void tell_reading(Dataset& data, const Dialect& dialect, const TextFacts& facts) {
  data.reading.format = "csv";
  data.reading.header = dialect.header;
  data.reading.delimiter = dialect.names.size() > 1 ? delimiter_name(dialect.delimiter) : "one column";
  data.reading.decimal = dialect.decimal == ',' ? "decimal comma" : "";
  data.reading.encoding = facts.encoding == "UTF-8" ? "" : facts.encoding;
  if (!dialect.remark.empty()) data.reading.notes.insert(data.reading.notes.begin(), dialect.remark);
  if (data.reading.comments > 0) data.reading.notes.push_back(counted(data.reading.comments, "comment line") + " left out");
}

static Dataset data_of_roles(Table&& table, const Roles& roles, const LoadOptions& options, const std::string& place, const std::optional<LabelsBeside>& beside,
                             const ColumnLabels& exact) {
  Dataset data = data_beside_features(table, roles, options, place, beside, exact);
  Coding coding = options.known() ? options.coding : find_coding(table, roles, options, place);
  code_features(data, std::move(table), roles, std::move(coding), options, place);
  return data;
}

LabelTexts label_texts(const Table& table, std::int64_t column) {
  const Column& whole = table.columns[static_cast<std::size_t>(column)];
  LabelTexts labels(whole.text ? table.unit : "row");
  for (std::int64_t i = 0; i < table.rows; ++i) {
    if (whole.text) {
      const auto id = static_cast<std::int64_t>(table.cell(i, column));
      labels.add(trim(whole.texts.text(id)), whole.texts.line(id));
    } else {
      labels.add(table.text(i, column), i + 1);
    }
  }
  return labels;
}

static LoadOptions without_label_column(const LoadOptions& options, bool beside) {
  LoadOptions chosen = options;
  if (beside) chosen.labels = LabelUse::none;
  return chosen;
}

Dataset data_of_table(Table&& table, const LoadOptions& options, const std::string& place, const std::optional<LabelsBeside>& beside, const ColumnLabels& exact) {
  const Roles roles = assign_roles(table, without_label_column(options, beside.has_value()), place);
  return data_of_roles(std::move(table), roles, options, place, beside, exact);
}

Dataset data_of_text(TextSource& source, const TextFacts& facts, const std::vector<std::string>& names, const LoadOptions& options, const std::string& place,
                     const Context& context, const std::optional<LabelsBeside>& beside) {
  const Dialect dialect = find_dialect(source, options.text, names, options.label.value_or(""), false, place);
  const LoadOptions chosen = without_label_column(options, beside.has_value());
  std::vector<std::int64_t> texts = columns_of_texts(dialect, chosen);
  if (!dialect.class_names.empty()) texts.push_back(static_cast<std::int64_t>(dialect.names.size()) - 1);
  Table table = parse_table(source, dialect, facts, texts, place, context);
  table.named = table.named || !names.empty();
  const Roles roles = assign_roles(table, chosen, place);
  if (roles.names >= 0 && !table.columns[static_cast<std::size_t>(roles.names)].text) {  // names are kept as they are written ("007")
    texts.push_back(roles.names);
    const bool named = table.named;
    table = {};
    table = parse_table(source, dialect, facts, texts, place, context);
    table.named = named;
  }
  ColumnLabels exact;
  if (!dialect.class_names.empty())
    exact = [&](std::int64_t column) {
      return column + 1 == table.width() ? announced_labels(table, column, dialect.class_names, place) : label_texts(table, column);
    };
  Dataset data = data_of_roles(std::move(table), roles, options, place, beside, exact);
  tell_reading(data, dialect, facts);
  return data;
}

LabelTexts labels_of_text(TextSource& source, const TextFacts& facts, const LoadOptions& options, const std::string& place, const Context& context) {
  const Dialect dialect = find_dialect(source, options.text, {}, "", false, place);
  require(dialect.names.size() == 1, Fault::input, "[csv] expected one column of labels, found {} columns ({}): give a file with the labels alone", dialect.names.size(),
          place);
  return label_texts(parse_table(source, dialect, facts, {0}, place, context), 0);
}

}  // namespace calor::io
