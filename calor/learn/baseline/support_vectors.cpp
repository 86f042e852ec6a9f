#include "calor/learn/baseline/support_vectors.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "calor/engine/solve/support_vectors.h"
#include "calor/kernels/packed_doubles.h"

namespace calor::learn {
namespace {

using engine::Matrix;
using Kernel = engine::Similarity;  // all that is alike, as a record

constexpr Eigen::Index query_block = 1024;  // of stored kernels at a time

Matrix squared_distances(const Matrix& a, const Matrix& b) {
  Matrix result = -2 * a * b.transpose();
  result.colwise() += a.rowwise().squaredNorm();
  result.rowwise() += b.rowwise().squaredNorm().transpose();
  return result.cwiseMax(0);
}

// One over the sum of the columns' variances.
double scale_of(const Matrix& points) {
  const double sum = (points.rowwise() - points.colwise().mean()).squaredNorm() / static_cast<double>(points.rows());
  return sum > 0 ? 1 / sum : 1;
}

// exp(-gamma |x - y|^2), from stored squares or of points.
Kernel stored_kernel(const Matrix& squares, double gamma) {
  auto values = std::make_shared<Matrix>(-gamma * squares);
  kernels::exponentials(values->data(), values->size());
  return engine::stored_similarity(std::move(values));
}
Kernel kernel_of(std::shared_ptr<const Matrix> rows, std::shared_ptr<const Matrix> columns, double gamma) {
  Kernel record;
  record.rows = rows->rows();
  record.columns = columns->rows();
  record.row_points = std::move(rows);
  record.column_points = std::move(columns);
  record.score = {engine::Score::Kind::power_distance, 2, engine::Metric::euclidean};
  record.strengthen.kind = engine::Strengthen::Kind::exponential;
  record.strengthen.scale = engine::Vector::Constant(1, 1 / gamma);
  return record;
}

// The classes in the order of their first rows, by which libsvm settles equal votes, and the rows of each.
struct Classes {
  std::vector<std::int64_t> order;
  std::vector<std::vector<std::int64_t>> members;

  explicit Classes(const std::vector<std::int64_t>& labels) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const auto at = static_cast<std::size_t>(std::ranges::find(order, labels[i]) - order.begin());
      if (at == order.size()) {
        order.push_back(labels[i]);
        members.emplace_back();
      }
      members[at].push_back(static_cast<std::int64_t>(i));
    }
  }
};

}  // namespace

Contender support_vectors(const Context& context, std::int64_t stored_rows) {
  Contender contender;
  contender.name = "SVM";
  contender.most_rows = most_support_rows;
  contender.preprocessings = {every_preprocessing.begin(), every_preprocessing.end()};
  contender.parameters = {{"C", {0.01, 0.1, 1, 10, 100, 1e3, 1e4}, {2, 4}}, {"gamma", {0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30}, {2, 4, 6}}};
  contender.predict = [&context, stored_rows](const LabelledRows& train, const Matrix& queries, const std::vector<Setting>& settings) {
    std::vector<std::vector<std::int64_t>> result(settings.size());
    const Classes classes(train.labels);
    if (classes.order.size() < 2) {
      for (auto& found : result) found.assign(static_cast<std::size_t>(queries.rows()), classes.order.front());
      return result;
    }
    Context alone = context;  // other fits run beside this one
    alone.threads = 1;
    alone.progress = nullptr;
    const double scale = scale_of(train.points);
    std::map<double, std::vector<std::size_t>> by_gamma;
    for (std::size_t s = 0; s < settings.size(); ++s) by_gamma[settings[s][1]].push_back(s);
    const bool stored = train.count() <= stored_rows;
    const Matrix among = stored ? squared_distances(train.points, train.points) : Matrix();
    const auto points = std::make_shared<const Matrix>(train.points);
    for (const auto& [share, those] : by_gamma) {
      const double gamma = share * scale;
      Kernel kernel = stored ? stored_kernel(among, gamma) : kernel_of(points, points, gamma);
      kernel.symmetric = true;
      std::vector<engine::Machines> machines;
      for (const std::size_t s : those) {
        context.check_stop("support vectors");
        engine::MachineOptions options;
        options.bound = settings[s][0];
        machines.push_back(engine::fit_classes(kernel, classes.members, options, alone));
      }
      for (Eigen::Index begin = 0; begin < queries.rows(); begin += query_block) {
        const auto block = std::make_shared<const Matrix>(queries.middleRows(begin, std::min(query_block, queries.rows() - begin)));
        const Kernel to_train = stored ? stored_kernel(squared_distances(*block, train.points), gamma) : kernel_of(block, points, gamma);
        for (std::size_t m = 0; m < machines.size(); ++m) {
          const Matrix found = engine::decisions(engine::restricted(to_train, nullptr, &machines[m].vectors), machines[m].weights, machines[m].offsets, alone);
          const Matrix votes = engine::class_scores(found, static_cast<std::int64_t>(classes.order.size()), {}, alone);
          for (Eigen::Index i = 0; i < votes.rows(); ++i) {
            Eigen::Index winner = 0;
            votes.row(i).maxCoeff(&winner);
            result[those[m]].push_back(classes.order[static_cast<std::size_t>(winner)]);
          }
        }
      }
    }
    return result;
  };
  return contender;
}

}  // namespace calor::learn
