// k-means against Lloyd's iteration written out: every distance in double, every point looked at in every step, from the
// centres that most=0 gives.  Coordinates are whole numbers, so sums are exact but for the division by the size; the centres
// must agree to rounding and the assignments exactly.
#include <gtest/gtest.h>

#include <barrier>
#include <cmath>
#include <limits>
#include <set>
#include <thread>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/engine/lloyd.h"
#include "isa.h"

namespace calor::engine {
namespace {

Matrix blobs(int n, int d, int centres, std::uint64_t seed) {
  Random random(seed, Purpose::test);
  Matrix points(n, d);
  for (int i = 0; i < n; ++i)
    for (int c = 0; c < d; ++c) points(i, c) = std::round(40 * ((i % centres) * (c + 1) % 5) + 30 * random.normal());
  return points;
}

std::vector<std::int64_t> assign(const Matrix& points, const Matrix& centres, double* inertia) {
  std::vector<std::int64_t> nearest;
  *inertia = 0;
  for (Eigen::Index i = 0; i < points.rows(); ++i) {
    double least = std::numeric_limits<double>::infinity();
    std::int64_t at = -1;
    for (Eigen::Index c = 0; c < centres.rows(); ++c)
      if (const double far = (points.row(i) - centres.row(c)).squaredNorm(); far < least) {
        least = far;
        at = c;
      }
    nearest.push_back(at);
    *inertia += least;
  }
  return nearest;
}

TEST(Lloyd, EqualsTheIterationWrittenOut) {
  for (const std::string& isa : kernels::isa_names())
    for (const auto& [n, d, k] : {std::tuple{300, 3, 4}, {1000, 17, 10}, {700, 2, 33}, {50, 5, 1}}) {
      SCOPED_TRACE(isa + " " + std::to_string(n));
      const WithIsa forced(isa);
      const Matrix points = blobs(n, d, 7, 3);
      Matrix centres = lloyd(points, {k, 1, 0, 5}, Context()).at;
      std::vector<std::int64_t> before, nearest;
      double inertia = 0;
      int steps = 0;
      while ((nearest = assign(points, centres, &inertia)) != before) {
        ++steps;
        before = nearest;
        Matrix sums = Matrix::Zero(k, d);
        Eigen::VectorXd sizes = Eigen::VectorXd::Zero(k);
        for (Eigen::Index i = 0; i < n; ++i) {
          sums.row(nearest[i]) += points.row(i);
          ++sizes[nearest[i]];
        }
        for (int c = 0; c < k; ++c) {
          ASSERT_GT(sizes[c], 0);
          centres.row(c) = sums.row(c) / sizes[c];
        }
      }
      EXPECT_GT(steps, k > 1 ? 3 : 0) << "too easy to tell anything";
      const Centres found = lloyd(points, {k, 1, 300, 5}, Context());
      EXPECT_EQ(found.nearest, nearest);
      EXPECT_LT((found.at - centres).cwiseAbs().maxCoeff(), 1e-10 * points.cwiseAbs().maxCoeff());
      EXPECT_NEAR(found.inertia, inertia, 1e-11 * inertia);
      EXPECT_EQ(assign_nearest(points, centres, Context()).nearest, nearest);
    }
}

TEST(Lloyd, TheSameBitsForAnyNumberOfThreads) {
  const Matrix points = blobs(2000, 9, 6, 4);
  Context one, two;
  one.threads = 1;
  two.threads = 2;
  const Centres a = lloyd(points, {8, 3, 300, 1}, one), b = lloyd(points, {8, 3, 300, 1}, two);
  EXPECT_EQ(a.at, b.at);
  EXPECT_EQ(a.nearest, b.nearest);
  EXPECT_EQ(a.inertia, b.inertia);
}

// Halfway between two centres, and an offset that leaves floats nothing of the difference.
TEST(Lloyd, EqualDistancesGoToTheLowerCentreWhereverThePointsAre) {
  for (const double offset : {0.0, 1e6, 1e12}) {
    Matrix points(4, 1), centres(3, 1);
    points << 1, 3, 2, 5;
    centres << 3, 1, 5;
    const Centres found = assign_nearest(points.array() + offset, centres.array() + offset, Context());
    EXPECT_EQ(found.nearest, (std::vector<std::int64_t>{1, 0, 0, 2})) << offset;
    EXPECT_EQ(found.inertia, 1) << offset;
  }
}

// Three places, five centres: every place has one, and what is left over stays where it was drawn.
TEST(Lloyd, MoreCentresThanPlaces) {
  Matrix points(30, 2);
  for (int i = 0; i < 30; ++i) points.row(i) << 10.0 * (i % 3), 1.0;
  const Centres found = lloyd(points, {5, 4, 300, 0}, Context());
  EXPECT_EQ(found.inertia, 0);
  EXPECT_EQ(std::set<std::int64_t>(found.nearest.begin(), found.nearest.end()).size(), 3u);
}

// Blocks of rows, each of a thread.
class Meeting {
 public:
  explicit Meeting(std::int64_t blocks) : told_(static_cast<std::size_t>(blocks)), all_here_(blocks) {}
  std::vector<Vector> everyones(std::int64_t own, const Vector& numbers) {
    told_[static_cast<std::size_t>(own)] = numbers;
    all_here_.arrive_and_wait();
    std::vector<Vector> all = told_;
    all_here_.arrive_and_wait();
    return all;
  }

 private:
  std::vector<Vector> told_;
  std::barrier<> all_here_;
};

class Threads : public OtherBlocks {
 public:
  Threads(Meeting& meeting, std::int64_t own) : meeting_(meeting), own_(own) {}
  std::int64_t own() const override { return own_; }
  Vector sums(const Vector& own) const override {
    Vector result = Vector::Zero(own.size());
    for (const Vector& one : meeting_.everyones(own_, own)) result += one;
    return result;
  }
  Matrix each(const Vector& own) const override {
    const std::vector<Vector> all = meeting_.everyones(own_, own);
    Matrix result(static_cast<Eigen::Index>(all.size()), own.size());
    for (std::size_t p = 0; p < all.size(); ++p) result.row(static_cast<Eigen::Index>(p)) = all[p];
    return result;
  }

 private:
  Meeting& meeting_;
  std::int64_t own_;
};

struct InBlocks {
  Centres found;  // the centres of the first block, the nearest of all
  std::vector<std::string> left;
};

InBlocks lloyd_in_blocks(const Matrix& points, const LloydOptions& options, std::int64_t blocks) {
  Meeting meeting(blocks);
  std::vector<Centres> found(static_cast<std::size_t>(blocks));
  InBlocks result{{}, std::vector<std::string>(static_cast<std::size_t>(blocks))};
  std::vector<std::thread> threads;
  Context context;
  context.threads = 1;
  for (std::int64_t p = 0; p < blocks; ++p)
    threads.emplace_back([&, p] {
      const std::int64_t n = points.rows(), size = (n + blocks - 1) / blocks, first = std::min(n, p * size);
      const Matrix own = points.middleRows(first, std::min(size, n - first));
      const Threads others(meeting, p);
      Centres& mine = found[static_cast<std::size_t>(p)];
      mine = lloyd(own, options, context, others);
      result.left[static_cast<std::size_t>(p)] = leave_out_empty(mine, own, others);
    });
  for (std::thread& thread : threads) thread.join();
  result.found = found.front();
  for (std::size_t p = 1; p < found.size(); ++p) {
    EXPECT_EQ(found[p].at, found[0].at);
    EXPECT_EQ(found[p].inertia, found[0].inertia);
    EXPECT_EQ(result.left[p], result.left[0]);
    result.found.nearest.insert(result.found.nearest.end(), found[p].nearest.begin(), found[p].nearest.end());
  }
  return result;
}

// Sums in another order move a centre by rounding alone.  31 rows in 4 blocks of 8, 8, 8 and 7; 9 rows in 7 blocks of 2, of which two have none and one has 1.
TEST(Lloyd, BlocksOfRowsFindWhatOneFinds) {
  for (const auto& [n, d, k, blocks] : {std::tuple{1000, 17, 10, 3}, {31, 2, 4, 4}, {9, 3, 3, 7}, {700, 2, 33, 2}, {300, 3, 1, 2}, {400, 5, 6, 1}}) {
    SCOPED_TRACE(n);
    const Matrix points = blobs(n, d, 7, 3).array() + 1000;
    Centres one = lloyd(points, {k, 4, 300, 5}, Context());
    const std::string left = leave_out_empty(one, points);
    const InBlocks many = lloyd_in_blocks(points, {k, 4, 300, 5}, blocks);
    EXPECT_EQ(many.found.nearest, one.nearest);
    EXPECT_LT((many.found.at - one.at).cwiseAbs().maxCoeff(), 1e-11 * points.cwiseAbs().maxCoeff());
    EXPECT_NEAR(many.found.inertia, one.inertia, 1e-11 * one.inertia);
    EXPECT_EQ(many.left.front(), left);
    EXPECT_EQ(lloyd_in_blocks(points, {k, 4, 300, 5}, blocks).found.at, many.found.at) << "the same bits again";
  }
}

// The starts alone, which depend on every draw.
TEST(Lloyd, BlocksOfRowsDrawTheSamePoints) {
  const Matrix points = blobs(500, 4, 7, 8);
  for (std::uint64_t seed = 0; seed < 20; ++seed)
    EXPECT_LT((lloyd_in_blocks(points, {12, 1, 0, seed}, 3).found.at - lloyd(points, {12, 1, 0, seed}, Context()).at).cwiseAbs().maxCoeff(), 1e-9);
}

// Three places, of which no block has all: centres that have no points in one have some in another.
TEST(Lloyd, BlocksLeaveOutCentresThatAreEmptyInAll) {
  Matrix points(30, 2);
  for (int i = 0; i < 30; ++i) points.row(i) << 10.0 * (i / 10), 1.0;
  Centres one = lloyd(points, {5, 4, 300, 0}, Context());
  const std::string left = leave_out_empty(one, points);
  const InBlocks many = lloyd_in_blocks(points, {5, 4, 300, 0}, 4);
  EXPECT_EQ(many.found.nearest, one.nearest);
  EXPECT_EQ(many.found.inertia, 0);
  EXPECT_EQ(many.left.front(), left);
  EXPECT_NE(left.find("3 different places"), std::string::npos) << left;
}

TEST(Lloyd, MoreCentresThanPointsAreRefused) { EXPECT_THROW(lloyd(Matrix::Zero(3, 2), {4, 1, 10, 0}, Context()), Error); }

}  // namespace
}  // namespace calor::engine
