#include "calor/engine/first_centres.h"

#include <cmath>
#include <numeric>
#include <vector>

namespace calor::engine {

namespace {

// Squared distances of the block's points to some of all points, one row each; 0 for coinciding points.
Matrix squared_distances_to(const Cloud& cloud, const Matrix& centres, const Context& context) {
  const std::int64_t count = centres.rows();
  Matrix result(count, cloud.size());
  const kernels::PackedCentres packed(centres.data(), count, cloud.dim());
  cloud.for_pieces(context, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::int64_t> which(static_cast<std::size_t>(end - begin));
    std::iota(which.begin(), which.end(), begin);
    std::vector<float> products(which.size() * static_cast<std::size_t>(packed.stride()));
    packed.products(cloud.rows(), which.data(), end - begin, products.data());
    Vector point;
    for (std::int64_t i = begin; i < end; ++i)
      for (std::int64_t c = 0; c < count; ++c) {
        const double squares = cloud.rows().square(i) + packed.square(c);
        const double product = products[(i - begin) * packed.stride() + c];
        result(c, i) = squares - 2 * product;
        if (result(c, i) > 8 * cloud.error(squares)) continue;
        cloud.place(i, point);
        result(c, i) = kernels::squared_distance(point.data(), centres.row(c).data(), cloud.dim());
      }
  });
  return result;
}

// The first weight that `left`, from which they are taken one after the other, does not reach beyond; else the last.
std::int64_t reached(const Vector& weights, double& left) {
  std::int64_t at = 0;
  while (at + 1 < weights.size() && left >= weights[at]) left -= weights[at++];
  return at;
}

// Draws points of all blocks.
class Draws {
 public:
  Draws(const Cloud& cloud, const OtherBlocks& others) : cloud_(cloud), others_(others), rows_(others.each(Vector::Constant(1, static_cast<double>(cloud.size()))).col(0)) {}

  std::int64_t points() const { return static_cast<std::int64_t>(rows_.sum()); }

  // Where the point of that number in all blocks is.
  Matrix place(std::int64_t number) const {
    const auto first = static_cast<std::int64_t>(rows_.head(others_.own()).sum());
    return places({number >= first && number < first + cloud_.size() ? number - first : -1});
  }

  // Where points are that are drawn with probability proportional to their weights.
  Matrix places(const Vector& weights, int count, Random& random) const {
    const Vector blocks = others_.each(Vector::Constant(1, weights.sum())).col(0).head((rows_.array() > 0).count());  // those without rows come last
    double total = 0;
    for (const double sum : blocks) total += sum;
    std::vector<std::int64_t> own;
    for (int draw = 0; draw < count; ++draw) {
      double left = random.uniform() * total;
      own.push_back(reached(blocks, left) == others_.own() ? reached(weights, left) : -1);
    }
    return places(own);
  }

 private:
  // Of points of the own block, or -1 for one of another's.
  Matrix places(const std::vector<std::int64_t>& chosen) const {
    Matrix own = Matrix::Zero(static_cast<Eigen::Index>(chosen.size()), cloud_.dim());
    Vector z;
    for (std::size_t c = 0; c < chosen.size(); ++c) {
      if (chosen[c] < 0) continue;
      cloud_.place(chosen[c], z);
      own.row(static_cast<Eigen::Index>(c)) = z;
    }
    const Vector all = others_.sums(own.reshaped<Eigen::RowMajor>());
    return Eigen::Map<const Matrix>(all.data(), own.rows(), own.cols());
  }

  const Cloud& cloud_;
  const OtherBlocks& others_;
  Vector rows_;
};

}  // namespace

Matrix first_centres(const Cloud& cloud, std::int64_t k, Random& random, const OtherBlocks& others, const Context& context) {
  const Draws draws(cloud, others);
  const int trials = 2 + static_cast<int>(std::log(static_cast<double>(k)));
  Matrix centres(k, cloud.dim());
  centres.row(0) = draws.place(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(draws.points()))));
  Vector nearest = squared_distances_to(cloud, centres.topRows(1), context).row(0);
  for (std::int64_t c = 1; c < k; ++c) {
    const Matrix candidates = draws.places(nearest, trials, random);
    Matrix distances = squared_distances_to(cloud, candidates, context);
    for (Eigen::Index t = 0; t < distances.rows(); ++t) distances.row(t) = distances.row(t).cwiseMin(nearest.transpose());
    Eigen::Index best = 0;
    others.sums(distances.rowwise().sum()).minCoeff(&best);
    nearest = distances.row(best);
    centres.row(c) = candidates.row(best);
  }
  return centres;
}

}  // namespace calor::engine
