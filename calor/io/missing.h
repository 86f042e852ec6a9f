// Values that a file leaves out: rows without them, the column's mean, or the mean of the nearest rows in their place.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "calor/core/progress.h"
#include "calor/io/dataset.h"

namespace calor::io {

std::string_view name_of(Missing how);
// Throws Fault::usage naming the nearest.
Missing parse_missing(std::string_view name);

// What replaces missing values, fitted on some rows, kept for new ones.
struct Filling {
  Missing how = Missing::refuse;
  std::vector<double> mean;  // one per column, over the values that are there
};

// The means of a row-major table with these columns.  Throws Fault::input, naming the column, where all values of one are missing.
Filling fit_filling(std::span<const double> values, const std::vector<std::string>& columns, Missing how, const std::string& place);

// One line of JSON, and back; throws Fault::input for a text that is none, or has other than `columns` means.
std::string filling_text(const Filling& filling);
Filling parse_filling(const std::string& text, std::size_t columns, const std::string& place);

// The rows that miss nothing, ascending.
std::vector<std::int64_t> complete_rows(const Dataset& data);

// Puts values in place of what is missing in rows x columns `values`; `donors` are donor_rows x columns, and may miss some themselves.
// neighbours: the mean over the 5 nearest donors that have the value, by the Euclidean distance over the columns that both have, scaled up
// for those that they have not (as scikit-learn's KNNImputer; Troyanskaya et al. 2001); the column's mean where there is none.
// O(rows with missing values x donors x columns); same bits for any number of threads.
void fill(std::span<double> values, std::int64_t columns, const Filling& filling, std::span<const double> donors, const Context& context);

// The same for a data set whose own rows are the donors: fills or drops as data.fill_by has it, says so in reading.notes and returns what new rows need.
// Rows that are left out take their labels and names with them; rows without names are then named by their number in the file.
Filling settle_missing(Dataset& data, const Context& context);

// New rows for a model: dropped, or filled with its means (or by `donors`, rows x columns, where it fills by neighbours), and said.
void fill_new(Dataset& data, const Filling& filling, const Context& context, std::span<const double> donors = {});

// Keeps the rows with these numbers.
void keep_rows(Dataset& data, const std::vector<std::int64_t>& rows);

}  // namespace calor::io
