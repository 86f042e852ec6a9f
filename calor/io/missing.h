// Values that a file leaves out: rows without them, the column's mean, or the mean of the nearest rows in their place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calor/core/progress.h"
#include "calor/io/dataset.h"

namespace calor::io {

enum class Missing { refuse, drop, mean, neighbours };

std::string_view name_of(Missing how);
// Throws Fault::usage naming the nearest.
Missing parse_missing(std::string_view name);

// What replaces missing values, fitted on some rows, kept for new ones.
struct Filling {
  Missing how = Missing::refuse;
  std::vector<double> mean;  // one a column, over the values that are there
};

// Throws Fault::input, naming the column, where all values of a column are missing, and for sparse data.
Filling fit_filling(const Dataset& data, const std::vector<std::int64_t>& rows, Missing how);

// The rows that miss nothing, ascending.
std::vector<std::int64_t> complete_rows(const Dataset& data);

// Puts values in place of what is missing in rows x columns `values`; `donors` are donor_rows x columns, and may miss some themselves.
// neighbours: the mean over the 5 nearest donors that have the value, by the Euclidean distance over the columns that both have, scaled up
// for those that they have not (as scikit-learn's KNNImputer; Troyanskaya et al. 2001); the column's mean where there is none.
// O(rows with missing values x donors x columns); same bits for any number of threads.
void fill(std::vector<double>& values, std::int64_t columns, const Filling& filling, const std::vector<double>& donors, const Context& context);

// The same for a data set whose own rows are the donors: fills or drops, says so in reading.notes and returns what new rows need.
// Rows that are left out take their labels and names with them; rows without names are then named by their number in the file.
Filling settle_missing(Dataset& data, Missing how, const Context& context);

// Keeps the rows with these numbers.
void keep_rows(Dataset& data, const std::vector<std::int64_t>& rows);

}  // namespace calor::io
