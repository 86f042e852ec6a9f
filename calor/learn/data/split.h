// The seeded stratified split of rows into training and test, and stratified samples.
#pragma once

#include <cstdint>
#include <vector>

namespace calor::learn {

// Row numbers, ascending.
struct Split {
  std::vector<std::int64_t> train, test;
};

// round(share * rows) test rows, each class in proportion (largest remainders); a class keeps at least one training row, and
// one with a single row is all training.  0 < share < 1.
// Throws Fault::input for fewer than 2 rows, fewer than 2 classes with rows, or a split that would leave no test row.
Split stratified_split(const std::vector<std::int64_t>& labels, std::int64_t classes, double share, std::uint64_t seed);

// Classes that have a row.
std::int64_t classes_present(const std::vector<std::int64_t>& labels, std::int64_t classes);

// At most `most` of the rows (all when they fit), each class in proportion, ascending.
std::vector<std::int64_t> stratified_sample(const std::vector<std::int64_t>& labels, std::int64_t classes,
                                            std::int64_t most, std::uint64_t seed);

}  // namespace calor::learn
