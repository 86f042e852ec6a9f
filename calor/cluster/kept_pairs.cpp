#include "calor/cluster/kept_pairs.h"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "calor/core/error.h"
#include "calor/io/stored_tensor.h"

namespace calor::cluster {

namespace {

// A file's name: how many restarts it is of, and its rows.
struct Name {
  std::int64_t restarts, first, end;
};

std::optional<Name> parse(const std::string& file, const std::string& prefix) {
  const std::vector<std::int64_t> numbers = numbers_after(file, prefix);
  return numbers.size() == 3 && numbers[1] < numbers[2] ? std::optional(Name{numbers[0], numbers[1], numbers[2]}) : std::nullopt;
}

std::string print(const Name& name, const std::string& prefix) { return fmt::format("{}{}-{}-{}", prefix, name.restarts, name.first, name.end); }

io::Safetensors content_of(const PairsSoFar& found) {
  Matrix all(found.vectors.rows(), found.vectors.cols() + found.others.cols());
  all << found.vectors, found.others;
  io::Safetensors content;
  content.tensors = {{"values", io::stored(std::vector<double>(found.values.begin(), found.values.end()), {found.values.size()})},
                     {"vectors", io::stored(std::vector<double>(all.data(), all.data() + all.size()), {all.rows(), all.cols()})}};
  return content;
}

}  // namespace

std::string KeptPairs::prefix() const { return fmt::format("{}-eigen-{}-", part_.stage, call_); }

PairsSoFar KeptPairs::begin(const Blocks& rows, std::int64_t looked_for) const {
  PairsSoFar result{0, Vector(0), Matrix(rows.size(part_.processes.rank()), 0), Matrix(rows.size(part_.processes.rank()), 0)};
  if (!part_.checkpoint.on()) return result;
  // The most restarts whose files have all rows: names are the same to all processes.
  std::map<std::int64_t, Ranges> covered;
  for (const std::string& file : part_.checkpoint.found())
    if (const auto name = parse(file, prefix())) covered[name->restarts].add(name->first, name->end);
  for (const auto& [restarts, ranges] : covered)
    if (ranges.missing(0, rows.rows()).empty()) result.restarts = restarts;
  if (!part_.processes.all(result.restarts > 0)) return {0, Vector(0), std::move(result.vectors), std::move(result.others)};
  const std::int64_t first = rows.first(part_.processes.rank()), own = rows.size(part_.processes.rank());
  part_.processes.together([&] {
    Matrix all;
    for (const std::string& file : part_.checkpoint.found()) {
      const auto name = parse(file, prefix());
      if (!name || name->restarts != result.restarts) continue;
      const io::Safetensors content = part_.checkpoint.read(file);
      const auto values = io::restored<double>(content, "values", 1, "checkpoint"), vectors = io::restored<double>(content, "vectors", 2, "checkpoint");
      const std::int64_t height = name->end - name->first, width = static_cast<std::int64_t>(vectors.size()) / height;
      if (all.cols() == 0) all.resize(own, width);
      require(width == all.cols() && static_cast<std::int64_t>(vectors.size()) == height * width && std::ssize(values) <= std::min(width, looked_for), Fault::input,
              "[checkpoint] expected {} vectors of {} rows, found {} numbers ({}): delete the folder", all.cols(), height, vectors.size(), file);
      result.values = Eigen::Map<const Vector>(values.data(), std::ssize(values));
      const std::int64_t begin = std::max(first, name->first), end = std::min(first + own, name->end);
      if (begin < end) all.middleRows(begin - first, end - begin) = Eigen::Map<const Matrix>(vectors.data(), height, width).middleRows(begin - name->first, end - begin);
    }
    result.vectors = all.leftCols(result.values.size());
    result.others = all.rightCols(all.cols() - result.values.size());
  });
  part_.state.note("eigen", fmt::format("goes on from a checkpoint that has {} of {} eigenpairs, and {} approximations beside, after {} restarts", result.values.size(), looked_for,
                                        result.others.cols(), result.restarts));
  return result;
}

void KeptPairs::keep(const Blocks& rows, const std::function<PairsSoFar()>& so_far, bool at_end) const {
  if (!part_.checkpoint.on() || (!at_end && part_.processes.all(!part_.checkpoint.due()))) return;
  const int own = part_.processes.rank();
  std::int64_t restarts = 0;
  part_.processes.together([&] {
    const PairsSoFar found = so_far();
    restarts = found.restarts;
    if (rows.size(own) > 0) part_.checkpoint.keep(print({restarts, rows.first(own), rows.first(own + 1)}, prefix()), content_of(found));
  });
  if (!part_.processes.first()) return;
  for (const std::string& file : part_.checkpoint.files())
    if (const auto name = parse(file, prefix()); name && name->restarts < restarts) part_.checkpoint.remove(file);
}

}  // namespace calor::cluster
