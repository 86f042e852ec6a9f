// From a table to a data set: roles, labels, names of the rows, coded features, and what is said of them.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "calor/io/dataset.h"
#include "calor/io/labels.h"
#include "calor/io/table.h"
#include "calor/io/text_source.h"

namespace calor::io {

// The texts of a column as labels.
LabelTexts label_texts(const Table& table, std::int64_t column);

// Labels that do not stand in the table, with what they are called.
struct LabelsBeside {
  std::string name;
  LabelTexts texts;
  std::string place;  // the file, or its array
};

// The label texts of a column, more exactly than a table holds them (whole numbers beyond 2^53); empty: as the table has them.
using ColumnLabels = std::function<LabelTexts(std::int64_t column)>;

// With `beside`, no column is the label.  Throws as load_dataset does.
Dataset data_of_table(Table&& table, const LoadOptions& options, const std::string& place, const std::optional<LabelsBeside>& beside, const ColumnLabels& exact = {});

// A separated text.  `names`, where not empty, are the columns' names of a text without a header.
Dataset data_of_text(TextSource& source, const TextFacts& facts, const std::vector<std::string>& names, const LoadOptions& options, const std::string& place,
                     const Context& context, const std::optional<LabelsBeside>& beside);

// What data_of_text is put together from (text_part.h does so too): labels, names and notes of a table's rows, without values; and how the text was read.
struct Roles;
Dataset data_beside_features(const Table& table, const Roles& roles, const LoadOptions& options, const std::string& place, const std::optional<LabelsBeside>& beside, const ColumnLabels& exact);
void tell_reading(Dataset& data, const Dialect& dialect, const TextFacts& facts);

// The labels of a text with a single column, with or without a header.
LabelTexts labels_of_text(TextSource& source, const TextFacts& facts, const LoadOptions& options, const std::string& place, const Context& context);

}  // namespace calor::io
