#include "calor/engine/solve/kernel_rows.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "calor/core/error.h"
#include "calor/engine/reducers.h"

namespace calor::engine {
namespace {

constexpr std::int64_t fewest_rows = 16;
// Of points in many dimensions, where one row is bound by memory.  5,000 images of 784 pixels: fits of 11.4, 5.4, 4.6 and 4.2 s with 1, 6, 12 and 24 rows
// at once, of which 0, 12, 20 and 32 % were not asked for.
constexpr std::int64_t rows_at_once = 12, many_dimensions = 24;
constexpr std::int64_t columns_at_once = 2048;

// sum of value times number, the value rounded to a float as rows are.
struct RoundedSum : Stateless {
  static constexpr Reads reads = Reads::values;
  static constexpr Span span = Span::tiles;
  const Vector& numbers;
  Vector result;

  RoundedSum(std::int64_t rows, const Vector& given) : numbers(given), result(Vector::Zero(rows)) {}
  void add(Rows, const Block& block) {
    for (Eigen::Index a = 0; a < block.numbers.rows(); ++a) {
      double sum = 0;
      for (Eigen::Index b = 0; b < block.numbers.cols(); ++b) sum += static_cast<double>(static_cast<float>(block.numbers(a, b))) * numbers[block.column(b)];
      result[block.first_row + a] += sum;
    }
  }
};

bool many_products(const Similarity& record) {
  return record.all_pairs() && !record.row_sparse && !record.distances && record.row_points && record.row_points->cols() >= many_dimensions &&
         record.score.kind != Score::Kind::stored && record.score.metric != Metric::manhattan;
}

}  // namespace

KernelRows::KernelRows(const Similarity& record, std::uint64_t bytes, const Context& context)
    : whole_(record), context_(context), size_(whole_.rows) {
  const auto n = static_cast<std::uint64_t>(size_), row_bytes = std::max<std::uint64_t>(1, 4 * n);
  const std::uint64_t limit = context.memory.bytes(), taken = context.memory.taken(), left = limit > taken ? limit - taken : 0;
  bytes_ = std::max(std::min({bytes, row_bytes * n, left / 2}), row_bytes * static_cast<std::uint64_t>(fewest_rows));
  reserved_ = context.memory.reserve(bytes_, "weigh", "rows of the kernel", "give fewer rows, or raise --max-memory");
  places_.resize(static_cast<std::size_t>(size_));
  std::iota(places_.begin(), places_.end(), 0);
  slots_.resize(static_cast<std::size_t>(size_));
  if (many_products(whole_)) beside_ = rows_at_once;
  make_tiles();
  diagonal_.resize(static_cast<std::size_t>(size_));
  Matrix tile;
  std::vector<double> values;
  for (std::int64_t i = 0; i < size_; ++i) {
    double value = 0;
    if (tiles_) {
      tiles_->values(i, 1, i, 1, tile);
      value = tile(0, 0);
    } else {
      const Csr& support = *whole_.support;
      const auto begin = support.column.begin() + support.begin[i], end = support.column.begin() + support.begin[i + 1], own = std::lower_bound(begin, end, i);
      if (own != end && *own == i) {
        values.resize(static_cast<std::size_t>(end - begin));
        edge_values(whole_, i, values.data());
        value = values[static_cast<std::size_t>(own - begin)];
      }
    }
    require(std::isfinite(value), Fault::input, "[weigh] expected finite similarities, found {} of row {} with itself: scale the features first (standardise)", value, i + 1);
    diagonal_[static_cast<std::size_t>(i)] = value;
  }
}

void KernelRows::make_tiles() {
  const Similarity& now = part_.rows ? part_ : whole_;
  tiles_ = now.all_pairs() ? std::make_unique<TileScores>(now) : nullptr;
}

// A place for a row: a new one, or that of the row not used for longest.
std::unique_ptr<KernelRows::Row> KernelRows::room() {
  const std::uint64_t most = std::max<std::uint64_t>(fewest_rows, bytes_ / (4 * static_cast<std::uint64_t>(std::max<std::int64_t>(1, size_))));
  if (kept_.size() < most) {
    auto row = std::make_unique<Row>();
    row->values.resize(static_cast<std::size_t>(size_));
    return row;
  }
  const auto oldest = std::min_element(kept_.begin(), kept_.end(), [&](std::int64_t a, std::int64_t b) {
    return slots_[static_cast<std::size_t>(a)]->used < slots_[static_cast<std::size_t>(b)]->used;
  });
  auto row = std::move(slots_[static_cast<std::size_t>(*oldest)]);
  *oldest = kept_.back();
  kept_.pop_back();
  return row;
}

void KernelRows::compute(const std::vector<std::int64_t>& rows) {
  context_.check_stop("weigh");
  const auto count = static_cast<std::int64_t>(rows.size());
  std::vector<std::unique_ptr<Row>> made;
  for (std::int64_t a = 0; a < count; ++a) made.push_back(room());
  const Similarity& now = part_.rows ? part_ : whole_;
  if (tiles_) {
    parallel_for((size_ + columns_at_once - 1) / columns_at_once, context_.threads, [&](std::int64_t p) {
      const std::int64_t column = p * columns_at_once, columns = std::min(columns_at_once, size_ - column);
      thread_local Matrix tile;
      tiles_->values(TileRows(rows.data()), count, column, columns, tile);
      for (std::int64_t a = 0; a < count; ++a) std::copy_n(tile.row(a).data(), columns, made[static_cast<std::size_t>(a)]->values.data() + column);
    });
  } else {
    std::vector<double> values;
    for (std::int64_t a = 0; a < count; ++a) {
      const Csr& support = *now.support;
      const std::int64_t begin = support.begin[rows[a]], end = support.begin[rows[a] + 1];
      values.resize(static_cast<std::size_t>(end - begin));
      edge_values(now, rows[a], values.data());
      std::vector<float>& row = made[static_cast<std::size_t>(a)]->values;
      std::fill(row.begin(), row.end(), 0.0F);
      for (std::int64_t e = begin; e < end; ++e) row[static_cast<std::size_t>(support.column[e])] = static_cast<float>(values[static_cast<std::size_t>(e - begin)]);
    }
  }
  for (std::int64_t a = 0; a < count; ++a) {
    const std::vector<float>& values = made[static_cast<std::size_t>(a)]->values;
    double sum = 0;
    for (const float value : values) sum += static_cast<double>(value) * 0;  // NaN where one is not finite
    require(sum == 0, Fault::input, "[weigh] expected finite similarities, found some that are not in row {}: scale the features first (standardise)", rows[a] + 1);
    made[static_cast<std::size_t>(a)]->used = ++clock_;
    slots_[static_cast<std::size_t>(rows[a])] = std::move(made[static_cast<std::size_t>(a)]);
    kept_.push_back(rows[a]);
  }
  computed_ += count;
}

const float* KernelRows::row(std::int64_t i, const std::function<void(std::vector<std::int64_t>&)>& more) {
  if (!has(i)) {
    std::vector<std::int64_t> rows{i};
    if (beside_ > 1) more(rows);
    compute(rows);
  }
  Row& found = *slots_[static_cast<std::size_t>(i)];
  found.used = ++clock_;
  return found.values.data();
}

void KernelRows::keep(const std::vector<std::int64_t>& places) {
  const auto count = static_cast<std::int64_t>(places.size());
  std::vector<std::unique_ptr<Row>> slots(places.size());
  kept_.clear();
  for (std::int64_t p = 0; p < count; ++p) {
    auto& row = slots_[static_cast<std::size_t>(places[p])];
    if (!row) continue;
    std::vector<float> values(places.size());
    for (std::int64_t c = 0; c < count; ++c) values[static_cast<std::size_t>(c)] = row->values[static_cast<std::size_t>(places[c])];
    row->values.swap(values);
    slots[static_cast<std::size_t>(p)] = std::move(row);
    kept_.push_back(p);
  }
  slots_.swap(slots);
  std::vector<std::int64_t> of_whole(places.size());
  for (std::int64_t p = 0; p < count; ++p) of_whole[static_cast<std::size_t>(p)] = places_[static_cast<std::size_t>(places[p])];
  places_.swap(of_whole);
  size_ = count;
  tiles_.reset();
  part_ = restricted(whole_, &places_, &places_);
  make_tiles();
}

void KernelRows::restore() {
  if (!part_.rows) return;
  tiles_.reset();
  part_ = Similarity();
  size_ = whole_.rows;
  slots_.clear();
  slots_.resize(static_cast<std::size_t>(size_));
  kept_.clear();
  places_.resize(static_cast<std::size_t>(size_));
  std::iota(places_.begin(), places_.end(), 0);
  make_tiles();
}

Vector KernelRows::sums(const std::vector<std::int64_t>& rows, const std::vector<std::int64_t>& columns, const Vector& numbers) const {
  if (rows.empty() || columns.empty()) return Vector::Zero(static_cast<Eigen::Index>(rows.size()));
  RoundedSum sum(static_cast<std::int64_t>(rows.size()), numbers);
  const Similarity between = restricted(whole_, &rows, &columns);
  return reduce(between, sum, context_, "support vectors").result;
}

}  // namespace calor::engine
