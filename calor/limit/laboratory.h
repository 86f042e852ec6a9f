// The laboratory: the theorems on attention as a flow of heat, each as rows of measured against predicted numbers.
#pragma once

#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/limit/row.h"

namespace calor::limit {

// What `calor limit NAME` can select.
struct Group {
  std::string name, theorem;
  std::string meaning;  // one sentence
};
const std::vector<Group>& groups();

// The rows of the named groups, of all for none, in the order of groups().  Deterministic for a seed, whatever the number of
// threads.  Throws Fault::usage for an unknown name, a ladder of fewer than three sizes or eps or for groups without
// random points, or fewer than three seeds; Fault::memory for points that do not fit.
std::vector<Row> run(const std::vector<std::string>& names, const Settings& settings, const Context& context);

}  // namespace calor::limit
