// What is kept of long stages in a folder, so that a run that was killed goes on from there, with any number of processes.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "calor/cluster/processes.h"
#include "calor/io/safetensors.h"

namespace calor::cluster {

// Ranges of rows [begin, end), none touching another.
class Ranges {
 public:
  void add(std::int64_t begin, std::int64_t end);
  // What of [begin, end) is in none.
  std::vector<std::pair<std::int64_t, std::int64_t>> missing(std::int64_t begin, std::int64_t end) const;
  std::int64_t size() const;
  const std::map<std::int64_t, std::int64_t>& all() const { return ranges_; }  // end by begin

 private:
  std::map<std::int64_t, std::int64_t> ranges_;
};

// The whole numbers in "<prefix>3-17-90"; none where the name is another.
std::vector<std::int64_t> numbers_after(std::string_view name, std::string_view prefix);

// A sum over all points that is the same however they are in blocks: tells one set of points from another.
std::string digest_of_rows(const Processes& processes, const Blocks& blocks, const Matrix& own);

// Files "<stage number>-<name>.checkpoint" (safetensors, with a digest and the run that they belong to).  A file appears whole or not at all.
class Checkpoint {
 public:
  Checkpoint() = default;  // nothing is kept
  // `run`: an object of all that decides what the stages find.  Reads what is in the folder, which is made where it is missing.  Called by all processes
  // together; throws Fault::input in all for a folder that cannot be written, and for a file that is damaged or of another run, of which it says what differs.
  Checkpoint(const Processes& processes, std::string folder, nlohmann::json run, double every_seconds);

  bool on() const { return !folder_.empty(); }
  // Whether so many seconds have passed since this process last kept something.
  bool due() const;
  // The names in the folder as they were before this run wrote any; and as they are now.
  const std::vector<std::string>& found() const { return found_; }
  std::vector<std::string> files() const;
  io::Safetensors read(const std::string& name) const;
  void keep(const std::string& name, io::Safetensors content) const;
  void remove(const std::string& name) const;

 private:
  std::string path(const std::string& name) const;

  std::string folder_;
  nlohmann::json run_;
  double every_ = 0;
  std::vector<std::string> found_;
  mutable std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace calor::cluster
