#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "calor/core/error.h"
#include "calor/engine/passes.h"
#include "calor/engine/reducers.h"
#include "calor/engine/solve/block_eigen.h"

namespace calor::engine {

namespace {

class StoredOperator : public BlockOperator {
 public:
  StoredOperator(kernels::SymmetricMatrix triangle, Reservation reserved, Context context)
      : triangle_(std::move(triangle)), reserved_(std::move(reserved)), context_(std::move(context)) {}
  std::int64_t size() const override { return triangle_.size(); }
  Matrix products(const Matrix& x) const override {
    return stored_products(size(), [&](std::int64_t i) { return triangle_.row(i); }, x, context_);
  }

 private:
  kernels::SymmetricMatrix triangle_;
  Reservation reserved_;
  Context context_;
};

// A record's own matrix, which stays where it is.
class DenseOperator : public BlockOperator {
 public:
  DenseOperator(std::shared_ptr<const Matrix> values, Context context) : values_(std::move(values)), context_(std::move(context)) {}
  std::int64_t size() const override { return values_->rows(); }
  Matrix products(const Matrix& x) const override {
    return stored_products(size(), [&](std::int64_t i) { return values_->row(i).data(); }, x, context_);
  }

 private:
  std::shared_ptr<const Matrix> values_;
  Context context_;
};

class StreamedOperator : public BlockOperator {
 public:
  StreamedOperator(Similarity record, Context context) : record_(std::move(record)), context_(std::move(context)) {
    context_.progress = nullptr;
  }
  std::int64_t size() const override { return record_.rows; }
  Matrix products(const Matrix& x) const override { return apply(record_, x, context_); }

 private:
  Similarity record_;
  Context context_;
};

bool bare(const Similarity& record) {
  return record.dense && record.score.kind == Score::Kind::stored && record.strengthen.kind == Strengthen::Kind::none &&
         !record.leave_diagonal_out && record.log_row.isZero(0) && record.log_column.isZero(0);
}

}  // namespace

Matrix stored_products(std::int64_t n, const std::function<const double*(std::int64_t)>& row, const Matrix& x, const Context& context) {
  Matrix y(n, kernels::block_width);
  kernels::symmetric_product(n, row, x.data(), y.data(), context);
  return y;
}

Reservation reserve_triangle(std::int64_t n, const char* op, const Context& context) {
  const auto rows = static_cast<std::uint64_t>(n);
  return context.memory.reserve(4 * rows * (rows + 1), op, fmt::format("half of the values of {} x {} pairs", n, n),
                                "give fewer points, or raise --max-memory");
}

kernels::SymmetricMatrix lower_triangle(const Similarity& record, const Context& context) {
  StoreTriangle triangle(record.rows);
  return std::move(reduce_tiles(record, triangle, context, "values").result);
}

std::unique_ptr<BlockOperator> all_pairs_conjugate(const Similarity& record, const std::vector<std::int64_t>& members, const Context& context) {
  if (members.empty()) {
    if (bare(record)) return std::make_unique<DenseOperator>(record.dense, context);
    if (!stores_triangle(static_cast<double>(record.rows), static_cast<double>(context.memory.bytes()))) return std::make_unique<StreamedOperator>(record, context);
    Reservation reserved = reserve_triangle(record.rows, "eigen", context);
    return std::make_unique<StoredOperator>(lower_triangle(record, context), std::move(reserved), context);
  }
  // Several components over all pairs are always stored ones (geodesics).
  const auto n = static_cast<std::int64_t>(members.size());
  Reservation reserved = reserve_triangle(n, "eigen", context);
  kernels::SymmetricMatrix part(n);
  for (std::int64_t a = 0; a < n; ++a)
    for (std::int64_t b = 0; b <= a; ++b) part.row(a)[b] = (*record.dense)(members[a], members[b]);
  return std::make_unique<StoredOperator>(std::move(part), std::move(reserved), context);
}

}  // namespace calor::engine
