// match(distance, stress): low-dimensional points whose distances match the similarity's (as minus distances), by minimising
// stress = sum_{i<j} (|y_i - y_j| - delta_ij)^2 with Guttman's transform (SMACOF), each step of which cannot raise it.
// Begins at classical scaling.  Stores all pairs (8 N^2 bytes); O(N^2 dims) a step.  de Leeuw 1977; de Leeuw & Mair 2009.
#include <cmath>

#include "calor/core/error.h"
#include "calor/core/threads.h"
#include "calor/pipeline/engine.h"
#include "calor/pipeline/state.h"
#include "calor/propagate/eigen.h"
#include "calor/propagate/stages.h"

namespace calor::propagate {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"family", Parameter::Takes::word, "distance", 0, 0, "distance", "what the points' similarity is made of"},
    {"loss", Parameter::Takes::word, "stress", 0, 0, "stress", "what is minimised"},
    {"dims", Parameter::Takes::integer, "2", 1, 1000, "", "dimensions of the points"},
    {"until", Parameter::Takes::number, "1e-7", 0, 1, "", "the relative fall of the stress at which it has settled"},
    {"most", Parameter::Takes::integer, "3000", 1, 1e9, "", "steps at most"}};

namespace {

Matrix dissimilarities(const Similarity& similarity, const Context& context) {
  require(similarity.strengthen.kind == Strengthen::Kind::none && similarity.normalised.empty() && !similarity.components, Fault::usage,
          "[match] expected distances over all pairs, found another similarity: put it right after distance(1) or a connected geodesic");
  require(similarity.all_pairs(), Fault::usage, "[match] expected distances over all pairs, found a graph: put geodesic before it");
  return -materialise(similarity, "match", context);
}

// Torgerson's configuration from the distances.
Matrix classical(const Matrix& delta, std::int64_t dims, const Context& context) {
  const std::int64_t n = delta.rows();
  auto b = std::make_shared<Matrix>(-0.5 * delta.array().square().matrix());
  const Vector means = b->rowwise().mean();
  const double grand = means.mean();
  b->colwise() -= means;
  b->rowwise() -= means.transpose();
  b->array() += grand;
  Similarity record;
  record.rows = record.columns = n;
  record.dense = std::move(b);
  record.symmetric = true;
  const Pairs pairs = largest_pairs(*conjugate(record, {}, context), dims, Matrix(n, 0), context);
  Matrix y = Matrix::Zero(n, dims);
  for (Eigen::Index c = 0; c < pairs.vectors.cols(); ++c) y.col(c) = pairs.vectors.col(c) * std::sqrt(std::max(0.0, pairs.values[c]));
  return y;
}

// One transform Y <- B(Y) Y / N, and the stress of the Y it was given.
double transform(const Matrix& delta, Matrix& y, const Context& context) {
  const std::int64_t n = y.rows();
  Matrix next(n, y.cols());
  Vector stress = Vector::Zero(n);
  constexpr std::int64_t piece = 64;
  parallel_for((n + piece - 1) / piece, context.threads, [&](std::int64_t p) {
    Vector distance(n), ratio(n);
    for (std::int64_t i = p * piece; i < std::min(n, (p + 1) * piece); ++i) {
      distance = (y.rowwise() - y.row(i)).rowwise().norm();
      stress[i] = (distance - delta.row(i).transpose()).squaredNorm() / 2;
      // Coinciding points push each other nowhere.
      ratio = (distance.array() > 0).select(delta.row(i).transpose().array() / distance.array(), 0.0);
      next.row(i) = (ratio.sum() * y.row(i) - ratio.transpose() * y) / static_cast<double>(n);
    }
  });
  y = std::move(next);
  return stress.sum();
}

void run(State& state, const Arguments& arguments, Kept& kept, const Context& context) {
  require(state.similarity.square() && state.similarity.symmetric, Fault::usage, "[match] expected a symmetric similarity, found one that is not");
  const Matrix delta = dissimilarities(state.similarity, context);
  Matrix y = classical(delta, arguments.integer("dims"), context);
  const std::int64_t most = arguments.integer("most");
  double stress = std::numeric_limits<double>::infinity();
  std::int64_t steps = 0;
  bool settled = false;
  std::vector<double> history;
  const double scale = delta.squaredNorm() / 2;
  for (; steps < most && !settled; ++steps) {
    context.check_stop("match");
    const double now = transform(delta, y, context);
    settled = stress - now <= arguments.number("until") * now || now <= 1e-24 * scale;
    stress = now;
    history.push_back(now);
    context.advance(static_cast<double>(steps), static_cast<double>(most), "stress");
  }
  if (!settled) state.note("match", fmt::format("the stress was still falling after {} steps: raise most", steps));
  Matrix last = y;
  stress = transform(delta, last, context);
  state.figures["stress"] = stress;
  state.figures["stress_1"] = scale > 0 ? std::sqrt(stress / scale) : 0;
  state.figures["steps"] = static_cast<double>(steps);
  state.series["stress"] = std::move(history);
  kept.keep("points", y);
  state.points = std::make_shared<const Matrix>(std::move(y));
}

// Each new point on its own against the fixed ones: the same majorisation, y <- mean_j (y_j + delta_j (y - y_j) / |y - y_j|),
// begun at the fixed point of least distance.
void place(State& state, const Arguments& arguments, const Kept& kept, const Context& context) {
  const Matrix delta = dissimilarities(state.similarity, context);
  const Matrix& fixed = kept.array("points");
  const double n = static_cast<double>(fixed.rows());
  Matrix result(delta.rows(), fixed.cols());
  parallel_for(delta.rows(), context.threads, [&](std::int64_t i) {
    Eigen::Index nearest = 0;
    delta.row(i).minCoeff(&nearest);
    Eigen::RowVectorXd y = fixed.row(nearest);
    for (std::int64_t step = 0; step < arguments.integer("most"); ++step) {
      context.check_stop("match");
      const Vector distance = (fixed.rowwise() - y).rowwise().norm();
      const Vector ratio = (distance.array() > 0).select(delta.row(i).transpose().array() / distance.array(), 0.0);
      const Eigen::RowVectorXd next = fixed.colwise().mean() + (ratio.sum() * y - ratio.transpose() * fixed) / n;
      const double moved = (next - y).norm();
      y = next;
      if (moved <= 1e-9 * (1 + y.norm())) break;
    }
    result.row(i) = y;
  });
  state.points = std::make_shared<const Matrix>(std::move(result));
}

void estimate(Estimate& estimate, const Arguments& arguments) {
  constexpr double usual_steps = 300;
  estimate.hold(16 * estimate.rows * estimate.rows);
  estimate.operations += usual_steps * estimate.rows * estimate.rows * (2 * arguments.number("dims") + 4);
  estimate.features = arguments.number("dims");
}

}  // namespace

const Stage match_stage{"match", Kind::read_out, types::any_similarity, types::embedding, parameters,
                        "points in few dimensions whose distances match (8 N^2 bytes)", "10.18637/jss.v031.i03", run, place, estimate};

}  // namespace calor::propagate
