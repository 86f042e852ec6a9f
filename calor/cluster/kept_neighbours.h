// Nearest neighbours that are found block by block, as they are kept in a folder (checkpoint.h).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "calor/cluster/checkpoint.h"
#include "calor/cluster/part.h"

namespace calor::cluster {

// The nearest of a row so far by (order, column), in that order.
using NearList = std::vector<std::pair<double, std::int32_t>>;

// Rows of the data from `first` on that have met the same columns.
struct KeptRows {
  std::int64_t first = 0;
  std::vector<NearList> lists;
  Ranges seen;
  std::int64_t rows() const { return static_cast<std::int64_t>(lists.size()); }
};

// Every function is called by all processes together but keep.
class KeptNeighbours {
 public:
  explicit KeptNeighbours(Part& part) : part_(part) {}

  // The own rows in order, in groups as an earlier run has left them, whatever its blocks were: each row as the file has it that has seen most.  Says in a note
  // what share of all pairs need not be looked at.
  std::vector<KeptRows> begin() const;
  // Where it is due, one file a group.
  void keep(const std::vector<KeptRows>& groups) const;
  // The whole, one file a process; other files of the stage go.
  void end(std::vector<KeptRows>& groups) const;

 private:
  std::string name(std::int64_t first, std::int64_t end) const;
  void keep(const KeptRows& group) const;

  Part& part_;
};

}  // namespace calor::cluster
