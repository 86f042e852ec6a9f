#include "calor/cluster/kept_neighbours.h"

#include <algorithm>
#include <optional>

#include "calor/core/error.h"
#include "calor/io/stored_tensor.h"
#include "calor/core/text.h"

namespace calor::cluster {

namespace {

// The rows that "<prefix><first>-<end>" names, where it does.
std::optional<std::pair<std::int64_t, std::int64_t>> rows_of(std::string_view name, std::string_view prefix) {
  const std::vector<std::int64_t> numbers = numbers_after(name, prefix);
  return numbers.size() == 2 && numbers[0] < numbers[1] ? std::optional(std::pair(numbers[0], numbers[1])) : std::nullopt;
}

std::string prefix_of(const Part& part) { return fmt::format("{}-knn-", part.stage); }

io::Safetensors content_of(const KeptRows& group) {
  std::vector<std::int64_t> seen, sizes;
  std::vector<double> order;
  std::vector<std::int32_t> column;
  for (const auto& [begin, end] : group.seen.all()) seen.insert(seen.end(), {begin, end});
  for (const NearList& list : group.lists) {
    sizes.push_back(static_cast<std::int64_t>(list.size()));
    for (const auto& [far, number] : list) {
      order.push_back(far);
      column.push_back(number);
    }
  }
  const auto list = [](const auto& numbers) { return io::stored(numbers, {static_cast<std::int64_t>(numbers.size())}); };
  io::Safetensors content;
  content.tensors = {{"seen", list(seen)}, {"sizes", list(sizes)}, {"order", list(order)}, {"column", list(column)}};
  return content;
}

KeptRows group_of(const io::Safetensors& content, std::int64_t first, std::int64_t end) {
  KeptRows group;
  group.first = first;
  const auto seen = io::restored<std::int64_t>(content, "seen", 1, "checkpoint"), sizes = io::restored<std::int64_t>(content, "sizes", 1, "checkpoint");
  const auto order = io::restored<double>(content, "order", 1, "checkpoint");
  const auto column = io::restored<std::int32_t>(content, "column", 1, "checkpoint");
  std::size_t at = 0;
  for (std::size_t r = 0; r + 1 < seen.size(); r += 2) group.seen.add(seen[r], seen[r + 1]);
  for (const std::int64_t size : sizes) {
    NearList& list = group.lists.emplace_back();
    for (std::int64_t e = 0; e < size && at < std::min(order.size(), column.size()); ++e, ++at) list.emplace_back(order[at], column[at]);
  }
  require(group.rows() == end - first && at == order.size() && at == column.size(), Fault::input, "[checkpoint] expected the neighbours of {} rows, found those of {}",
          end - first, group.rows());
  return group;
}

// The files that have some of the own rows, what has seen most first.
std::vector<KeptRows> files_of(const Part& part) {
  std::vector<KeptRows> files;
  for (const std::string& name : part.checkpoint.found())
    if (const auto rows = rows_of(name, prefix_of(part)); rows && rows->first < part.first_row() + part.own_rows() && rows->second > part.first_row())
      files.push_back(group_of(part.checkpoint.read(name), rows->first, rows->second));
  std::stable_sort(files.begin(), files.end(), [](const KeptRows& a, const KeptRows& b) { return a.seen.size() > b.seen.size(); });
  return files;
}

}  // namespace

std::string KeptNeighbours::name(std::int64_t first, std::int64_t end) const { return fmt::format("{}{}-{}", prefix_of(part_), first, end); }

std::vector<KeptRows> KeptNeighbours::begin() const {
  const std::int64_t first = part_.first_row(), rows = part_.own_rows();
  std::vector<KeptRows> files, groups;
  if (part_.checkpoint.on()) part_.processes.together([&] { files = files_of(part_); });
  const auto file_of = [&](std::int64_t row) {  // its number; how many there are for none
    return static_cast<std::size_t>(std::find_if(files.begin(), files.end(), [&](const KeptRows& file) { return row >= file.first && row < file.first + file.rows(); }) - files.begin());
  };
  std::size_t before = 0;
  double done = 0;
  for (std::int64_t row = first; row < first + rows; ++row) {
    const std::size_t file = file_of(row);
    if (groups.empty() || file != before) {
      groups.emplace_back().first = row;
      if (file < files.size()) groups.back().seen = files[file].seen;
    }
    groups.back().lists.push_back(file < files.size() ? files[file].lists[static_cast<std::size_t>(row - files[file].first)] : NearList());
    done += static_cast<double>(groups.back().seen.size());
    before = file;
  }
  if (!part_.checkpoint.on()) return groups;
  const double share = part_.processes.sums(Vector::Constant(1, done))[0] / (static_cast<double>(part_.rows.rows()) * static_cast<double>(part_.rows.rows()));
  if (share > 0) part_.state.note("knn", fmt::format("goes on from a checkpoint that has {:.3g} % of all pairs of rows", 100 * share));
  return groups;
}

void KeptNeighbours::keep(const KeptRows& group) const { part_.checkpoint.keep(name(group.first, group.first + group.rows()), content_of(group)); }

void KeptNeighbours::keep(const std::vector<KeptRows>& groups) const {
  if (!part_.checkpoint.due()) return;
  for (const KeptRows& group : groups) keep(group);
}

void KeptNeighbours::end(std::vector<KeptRows>& groups) const {
  if (!part_.checkpoint.on()) return;
  KeptRows whole;
  whole.first = part_.first_row();
  whole.seen.add(0, part_.rows.rows());
  for (KeptRows& group : groups) std::move(group.lists.begin(), group.lists.end(), std::back_inserter(whole.lists));
  part_.processes.together([&] {
    if (whole.rows() > 0) keep(whole);
  });
  groups.assign(1, std::move(whole));
  std::vector<std::string> names;
  for (int p = 0; p < part_.processes.count(); ++p) names.push_back(name(part_.rows.first(p), part_.rows.first(p + 1)));
  const auto stale = [&](const std::string& file) { return rows_of(file, prefix_of(part_)) && std::find(names.begin(), names.end(), file) == names.end(); };
  if (!part_.processes.first()) return;
  for (const std::string& file : part_.checkpoint.files())
    if (stale(file)) part_.checkpoint.remove(file);
}

}  // namespace calor::cluster
