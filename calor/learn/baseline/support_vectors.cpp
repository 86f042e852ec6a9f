#include "calor/learn/baseline/support_vectors.h"

#include <libsvm/svm.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

namespace calor::learn {
namespace {

using engine::Matrix;
using engine::Vector;

constexpr Eigen::Index query_block = 1024;  // of stored kernels at a time

struct Destroy {
  void operator()(svm_model* model) const { svm_free_and_destroy_model(&model); }
};
using Model = std::unique_ptr<svm_model, Destroy>;

// Rows as libsvm wants them: sparse points, or stored kernels, whose first entry is the row's own number from 1.
struct Nodes {
  std::vector<svm_node> all;
  std::vector<std::size_t> begin;

  explicit Nodes(const Matrix& points) {
    all.reserve(static_cast<std::size_t>(points.rows() * (points.cols() + 1)));
    for (Eigen::Index i = 0; i < points.rows(); ++i) {
      begin.push_back(all.size());
      for (Eigen::Index c = 0; c < points.cols(); ++c)
        if (points(i, c) != 0) all.push_back({static_cast<int>(c + 1), points(i, c)});
      all.push_back({-1, 0});
    }
  }
  Nodes(const Matrix& squares, double gamma) {
    all.reserve(static_cast<std::size_t>(squares.rows() * (squares.cols() + 2)));
    for (Eigen::Index i = 0; i < squares.rows(); ++i) {
      begin.push_back(all.size());
      all.push_back({0, static_cast<double>(i + 1)});
      for (Eigen::Index j = 0; j < squares.cols(); ++j) all.push_back({static_cast<int>(j + 1), std::exp(-gamma * squares(i, j))});
      all.push_back({-1, 0});
    }
  }
  std::vector<svm_node*> rows() {
    std::vector<svm_node*> result;
    for (const std::size_t at : begin) result.push_back(all.data() + at);
    return result;
  }
};

Matrix squared_distances(const Matrix& a, const Matrix& b) {
  Matrix result = -2 * a * b.transpose();
  result.colwise() += a.rowwise().squaredNorm();
  result.rowwise() += b.rowwise().squaredNorm().transpose();
  return result.cwiseMax(0);
}

Model fit(Nodes& train, const std::vector<std::int64_t>& labels, int kernel, double c, double gamma) {
  std::vector<svm_node*> rows = train.rows();
  std::vector<double> classes(labels.begin(), labels.end());
  svm_problem problem{static_cast<int>(rows.size()), classes.data(), rows.data()};
  svm_parameter parameter{};
  parameter.svm_type = C_SVC;
  parameter.kernel_type = kernel;
  parameter.C = c;
  parameter.gamma = gamma;
  parameter.cache_size = 100;
  parameter.eps = 1e-3;
  parameter.shrinking = 1;
  return Model(svm_train(&problem, &parameter));
}

// One over the sum of the columns' variances.
double scale_of(const Matrix& points) {
  const double sum = (points.rowwise() - points.colwise().mean()).squaredNorm() / static_cast<double>(points.rows());
  return sum > 0 ? 1 / sum : 1;
}

}  // namespace

Contender support_vectors(const Context& context, std::int64_t stored_rows) {
  svm_set_print_string_function([](const char*) {});
  Contender contender;
  contender.name = "SVM";
  contender.most_rows = most_support_rows;
  contender.preprocessings = {every_preprocessing.begin(), every_preprocessing.end()};
  contender.parameters = {{"C", {0.01, 0.1, 1, 10, 100, 1e3, 1e4}, {2, 4}}, {"gamma", {0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30}, {2, 4, 6}}};
  contender.predict = [&context, stored_rows](const LabelledRows& train, const Matrix& queries, const std::vector<Setting>& settings) {
    std::vector<std::vector<std::int64_t>> result(settings.size());
    const double scale = scale_of(train.points);
    std::map<double, std::vector<std::size_t>> by_gamma;
    for (std::size_t s = 0; s < settings.size(); ++s) by_gamma[settings[s][1]].push_back(s);
    const bool stored = train.count() <= stored_rows;
    const Matrix among = stored ? squared_distances(train.points, train.points) : Matrix();
    for (const auto& [share, those] : by_gamma) {
      const double gamma = share * scale;
      Nodes rows = stored ? Nodes(among, gamma) : Nodes(train.points);
      std::vector<Model> models;  // they point into the rows
      for (const std::size_t s : those) {
        context.check_stop("support vectors");
        models.push_back(fit(rows, train.labels, stored ? PRECOMPUTED : RBF, settings[s][0], gamma));
      }
      for (Eigen::Index begin = 0; begin < queries.rows(); begin += query_block) {
        const Matrix block = queries.middleRows(begin, std::min(query_block, queries.rows() - begin));
        Nodes judged = stored ? Nodes(squared_distances(block, train.points), gamma) : Nodes(block);
        const std::vector<svm_node*> points = judged.rows();
        for (std::size_t m = 0; m < models.size(); ++m)
          for (const svm_node* point : points) result[those[m]].push_back(static_cast<std::int64_t>(svm_predict(models[m].get(), point)));
      }
    }
    return result;
  };
  return contender;
}

}  // namespace calor::learn
