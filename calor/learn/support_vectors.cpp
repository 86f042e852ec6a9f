#include "calor/learn/support_vectors.h"

#include <libsvm/svm.h>

#include <algorithm>

#include "calor/core/random.h"

namespace calor::learn {

struct SupportVectors::Sparse {
  std::vector<svm_node> nodes;
  std::vector<std::size_t> begin;

  Sparse(const std::vector<float>& points, std::int64_t columns) {
    nodes.reserve(points.size() + points.size() / static_cast<std::size_t>(columns));
    for (std::size_t at = 0; at < points.size(); at += static_cast<std::size_t>(columns)) {
      begin.push_back(nodes.size());
      for (std::int64_t c = 0; c < columns; ++c)
        if (const float value = points[at + static_cast<std::size_t>(c)]; value != 0) nodes.push_back({static_cast<int>(c + 1), value});
      nodes.push_back({-1, 0});
    }
  }
  svm_node* row(std::size_t i) { return nodes.data() + begin[i]; }
};

namespace {

constexpr std::int64_t folds = 3, most_judged = 3000;

struct Destroy {
  void operator()(svm_model* model) const { svm_free_and_destroy_model(&model); }
};
using Model = std::unique_ptr<svm_model, Destroy>;

double variance(const std::vector<float>& values) {
  double sum = 0, squares = 0;
  for (const float value : values) sum += value;
  const double mean = sum / static_cast<double>(values.size());
  for (const float value : values) squares += (value - mean) * (value - mean);
  return squares / static_cast<double>(values.size());
}

Model fit(std::vector<svm_node*> rows, std::vector<double> labels, double c, double gamma) {
  svm_problem problem{static_cast<int>(rows.size()), labels.data(), rows.data()};
  svm_parameter parameter{};
  parameter.svm_type = C_SVC;
  parameter.kernel_type = RBF;
  parameter.C = c;
  parameter.gamma = gamma;
  parameter.cache_size = 100;
  parameter.eps = 1e-3;
  parameter.shrinking = 1;
  return Model(svm_train(&problem, &parameter));
}

}  // namespace

SupportVectors::SupportVectors(const std::vector<float>& points, const std::vector<std::int64_t>& labels, std::int64_t columns,
                               std::uint64_t seed, const Context& context)
    : columns_(columns), points_(std::make_unique<Sparse>(points, columns)) {
  svm_set_print_string_function([](const char*) {});
  Random random(seed, Purpose::split, 1);
  auto order = permutation(static_cast<std::int64_t>(labels.size()), random);
  order.resize(static_cast<std::size_t>(std::min(most_judged, static_cast<std::int64_t>(order.size()))));
  const double spread = variance(points), unit = spread > 0 ? 1 / (static_cast<double>(columns) * spread) : 1;
  cross_validated_ = -1;
  for (const double c : {1.0, 10.0, 100.0})
    for (const double share : {0.3, 1.0, 3.0}) {
      std::int64_t right = 0;
      for (std::int64_t fold = 0; fold < folds; ++fold) {
        context.check_stop("support vectors");
        std::vector<svm_node*> rows;
        std::vector<double> classes;
        for (std::size_t i = 0; i < order.size(); ++i)
          if (static_cast<std::int64_t>(i) % folds != fold) {
            rows.push_back(points_->row(static_cast<std::size_t>(order[i])));
            classes.push_back(static_cast<double>(labels[static_cast<std::size_t>(order[i])]));
          }
        if (rows.empty()) continue;
        const Model model = fit(std::move(rows), std::move(classes), c, share * unit);
        for (std::size_t i = static_cast<std::size_t>(fold); i < order.size(); i += folds) {
          const auto row = static_cast<std::size_t>(order[i]);
          right += svm_predict(model.get(), points_->row(row)) == static_cast<double>(labels[row]);
        }
      }
      if (const double share_right = static_cast<double>(right) / static_cast<double>(order.size()); share_right > cross_validated_) {
        cross_validated_ = share_right;
        c_ = c;
        gamma_ = share * unit;
      }
    }
  std::vector<svm_node*> rows;
  for (std::size_t i = 0; i < labels.size(); ++i) rows.push_back(points_->row(i));
  model_ = fit(std::move(rows), {labels.begin(), labels.end()}, c_, gamma_).release();
}

SupportVectors::~SupportVectors() { svm_free_and_destroy_model(&model_); }

std::vector<std::int64_t> SupportVectors::predict(const std::vector<float>& points) const {
  Sparse sparse(points, columns_);
  std::vector<std::int64_t> result;
  for (std::size_t i = 0; i < sparse.begin.size(); ++i) result.push_back(static_cast<std::int64_t>(svm_predict(model_, sparse.row(i))));
  return result;
}

}  // namespace calor::learn
