// How the columns of a file become features: as the numbers they hold, TRUE and FALSE as 1 and 0, or a column of 0 and 1 for each category.
// A saved fit keeps it, so that new files are read the same way.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace calor::io {

struct CodedColumn {
  enum class Kind { number, truth, categories };
  std::string name;                 // in the file
  Kind kind = Kind::number;
  std::vector<std::string> levels;  // of categories: sorted, numbers by value and texts by bytes
  bool operator==(const CodedColumn&) const = default;
};

struct Coding {
  std::vector<CodedColumn> columns;
  bool operator==(const Coding&) const = default;
  bool numbers_alone() const;
  std::vector<std::string> inputs() const;    // names of the file's columns
  std::vector<std::string> features() const;  // "age", "city=Oslo", "city=Lund", ...
};

// Columns of numbers by those names.
Coding numbers_named(const std::vector<std::string>& names);

// One line of JSON, and back; throws Fault::input for a text that is none.
std::string coding_text(const Coding& coding);
Coding parse_coding(const std::string& text, const std::string& place);

struct Table;
struct Roles;
struct LoadOptions;
struct Dataset;

// How the features of a table are coded.  Throws Fault::input, naming the first cell in the file that is no number, for a feature that is not one and
// that nobody asked to turn into categories.
Coding find_coding(const Table& table, const Roles& roles, const LoadOptions& options, const std::string& place);

// Fills rows, columns, values, features, coding, missing and reading.notes of `data` from the table's cells, which it takes.
// Throws Fault::input for a category that the coding does not have, with its place; for values that are missing, unless they are kept.
void code_features(Dataset& data, Table&& table, const Roles& roles, Coding coding, const LoadOptions& options, const std::string& place);

}  // namespace calor::io
