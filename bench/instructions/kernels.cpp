#include "bench/instructions/kernels.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <type_traits>
#include <utility>

#include "calor/engine/markov_clustering.h"
#include "calor/engine/neighbours.h"
#include "calor/engine/solve/rational_descent.h"
#include "calor/engine/solve/student_loss.h"
#include "calor/kernels/edges.h"
#include "calor/kernels/isa.h"
#include "calor/kernels/packed_doubles.h"
#include "calor/kernels/packed_points.h"
#include "calor/measure/attention_problem.h"

namespace calor::bench {
namespace {

using Run = std::function<void()>;

Context one_thread() {
  Context context;
  context.threads = 1;
  return context;
}

template <class T>
constexpr const char* number_name = std::is_same_v<T, float> ? "float" : "double";

template <class T>
void add_attention(std::vector<Kernel>& all, const measure::AttentionShape& shape, bool backward) {
  for (const auto score : {kernels::Score::dot, kernels::Score::squared_distance})
    all.push_back({fmt::format("attention {} {} {} {}x{}x{}x{}", backward ? "both" : "forward", score == kernels::Score::dot ? "dot" : "l2", number_name<T>, shape.batch, shape.heads, shape.rows, shape.dim),
                   [=]() -> Run {
                     const auto problem = std::make_shared<measure::AttentionProblem<T>>(shape, score, 1);
                     return [=] { problem->run(backward); };
                   }});
}

engine::Matrix points(std::int64_t rows, std::int64_t dim) {
  engine::Matrix matrix(rows, dim);
  const auto drawn = measure::normals(matrix.size(), 5);
  std::copy(drawn.begin(), drawn.end(), matrix.data());
  return matrix;
}

engine::Csr nearest(const engine::Matrix& of, std::int64_t k) {
  engine::NeighbourOptions options;
  options.k = k;
  return engine::nearest(of, of, options, one_thread());
}

void add_neighbours(std::vector<Kernel>& all, std::int64_t rows, std::int64_t dim) {
  all.push_back({fmt::format("neighbours 15 of {}x{}", rows, dim), [=]() -> Run { return [of = points(rows, dim)] { nearest(of, 15); }; }});
}

// Pairs of neighbours in either direction, with values that fall from 1 to 0.
engine::Csr neighbour_weights(std::int64_t rows) {
  engine::Csr graph = nearest(points(rows, 8), 15);
  graph.values.resize(graph.column.size());
  for (std::size_t e = 0; e < graph.values.size(); ++e) graph.values[e] = 1 / (1 + 0.1 * static_cast<double>(e % 15));
  return engine::combine_with_reverse(graph, [](double forward, double backward) { return (forward + backward) / 2; });
}

const engine::Csr& over_its_sum(engine::Csr& graph) {
  double sum = 0;
  for (const double value : graph.values) sum += value;
  for (double& value : graph.values) value /= sum;
  return graph;
}

template <class T>
struct EdgeProblem {
  static constexpr std::int64_t rows = 500, heads = 4, dim = 16;
  engine::Csr graph = nearest(points(rows, 8), 15);
  std::vector<std::int64_t> reverse_begin, reverse_edge;
  std::vector<std::int32_t> reverse_row;
  std::vector<T> q, k, v, d_out, out, lse, d_q, d_k, d_v;
  kernels::EdgeAttentionParams<T> params;

  explicit EdgeProblem(kernels::EdgeScore score) {
    reverse_begin.resize(rows + 1), reverse_edge.resize(graph.column.size()), reverse_row.resize(graph.column.size());
    kernels::edges_by_column(rows, rows, graph.begin.data(), graph.column.data(), reverse_begin.data(), reverse_row.data(), reverse_edge.data());
    std::uint64_t seed = 1;
    for (std::vector<T>* values : {&q, &k, &v, &d_out}) {
      const auto drawn = measure::normals(rows * heads * dim, seed++);
      values->assign(drawn.begin(), drawn.end());
    }
    for (std::vector<T>* values : {&out, &d_q, &d_k, &d_v}) values->resize(q.size());
    lse.resize(rows * heads);
    params.pattern = {rows, rows, graph.begin.data(), graph.column.data(), reverse_begin.data(), reverse_row.data(), reverse_edge.data()};
    params.score = score, params.heads = heads, params.dim = params.value_dim = dim;
    params.q = q.data(), params.k = k.data(), params.v = v.data();
    params.q_stride = params.k_stride = params.v_stride = heads * dim;
    params.threads = 1;
  }
  void run() {
    kernels::edge_attention_forward(params, out.data(), lse.data());
    kernels::EdgeAttentionBackward<T> gradients;
    gradients.out = out.data(), gradients.lse = lse.data(), gradients.d_out = d_out.data();
    gradients.d_q = d_q.data(), gradients.d_k = d_k.data(), gradients.d_v = d_v.data();
    kernels::edge_attention_backward(params, gradients);
  }
};

template <class T>
void add_edges(std::vector<Kernel>& all) {
  for (const auto score : {kernels::EdgeScore::dot, kernels::EdgeScore::squared_distance})
    all.push_back({fmt::format("edges both {} {}", score == kernels::EdgeScore::dot ? "dot" : "l2", number_name<T>), [=]() -> Run {
                     const auto problem = std::make_shared<EdgeProblem<T>>(score);
                     return [=] { problem->run(); };
                   }});
}

// One gradient of t-SNE's loss.
Run student_step(engine::StudentSums sums) {
  struct Problem {
    engine::Csr p = neighbour_weights(800);
    engine::StudentLoss loss;
    std::vector<double> at, gradient;
    explicit Problem(engine::StudentSums way) : loss(over_its_sum(p), 2, 1, way) {
      const auto drawn = measure::normals(2 * loss.stride(), 3);
      at.assign(drawn.begin(), drawn.end());
      gradient.resize(at.size());
    }
  };
  const auto problem = std::make_shared<Problem>(sums);
  return [=] { problem->loss(problem->at.data(), 1, true, problem->gradient.data(), one_thread()); };
}

Run rational_epochs() {
  engine::RationalOptions options;
  options.curve = {1.577, 0.895};
  options.epochs = 20;
  return [=, weights = neighbour_weights(500), start = engine::Matrix(5 * points(500, 2).array() + 5)] { engine::rational_descent(weights, start, options, one_thread()); };
}

Run markov_step() {
  engine::SparseRows flow = engine::rows_of(neighbour_weights(800));
  for (engine::SparseRow& row : flow.rows) {
    double sum = 0;
    for (const double value : row.value) sum += value;
    for (double& value : row.value) value /= sum;
  }
  return [flow = std::move(flow)] {
    engine::MarkovOptions options;
    options.pruning.least = 1e-4;
    double change = 0;
    engine::markov_step(flow, options, change, one_thread());
  };
}

Run float_products() {
  struct Problem {
    engine::Matrix of = points(512, 64);
    kernels::PointsView view{of.data(), of.rows(), of.cols(), nullptr};
    kernels::Frame frame{view, view, false, one_thread()};
    kernels::PackedPoints packed{kernels::current_isa().products(), view, frame, one_thread()};
    kernels::Workspace scratch;
  };
  const auto problem = std::make_shared<Problem>();
  return [=] {
    for (std::int64_t row = 0; row < 512; row += kernels::ProductTile::block)
      for (std::int64_t column = 0; column < 512; column += kernels::ProductTile::block) {
        kernels::product_tile(kernels::current_isa().products(), problem->packed, row, problem->packed, column, problem->scratch);
        problem->scratch.clear();
      }
  };
}

Run double_products() {
  const auto of = std::make_shared<engine::Matrix>(points(256, 64));
  const auto packed = std::make_shared<kernels::PackedDoubles>(kernels::PointsView{of->data(), of->rows(), of->cols(), nullptr}, nullptr, one_thread());
  const auto tile = std::make_shared<std::vector<double>>(256 * 256);
  return [=] { products(*packed, 0, 256, *packed, 0, 256, tile->data(), 256); };
}

Run whole_products() {
  const engine::Matrix of = (20 * points(256, 64).array()).round().matrix();
  const auto packed = std::make_shared<kernels::PackedWhole>(kernels::PointsView{of.data(), of.rows(), of.cols(), nullptr}, nullptr, one_thread());
  const auto tile = std::make_shared<std::vector<double>>(256 * 256);
  return [=] { products(*packed, 0, 256, *packed, 0, 256, tile->data(), 256); };
}

}  // namespace

std::vector<Kernel> counted_kernels() {
  std::vector<Kernel> all;
  for (const bool backward : {false, true}) {
    for (const std::int64_t rows : {1, 32}) add_attention<float>(all, {1, 8, rows, 64}, backward);
    add_attention<float>(all, {1, 1, backward ? 300 : 512, 64}, backward);  // two blocks of keys
    add_attention<double>(all, {1, 1, 32, 64}, backward);
    add_attention<double>(all, {1, 1, backward ? 256 : 512, 64}, backward);
  }
  add_neighbours(all, 800, 64);
  add_neighbours(all, 800, 4);
  add_edges<float>(all);
  add_edges<double>(all);
  all.push_back({"t-SNE gradient, all pairs of 800", [] { return student_step(engine::StudentSums::exact); }});
  all.push_back({"t-SNE gradient, grid, 800 points", [] { return student_step(engine::StudentSums::grid); }});
  all.push_back({"UMAP 20 epochs of 500 points", rational_epochs});
  all.push_back({"mcl step, product of 800 rows", markov_step});
  all.push_back({"products float 512x64", float_products});
  all.push_back({"products double 256x64", double_products});
  all.push_back({"products of whole numbers 256x64", whole_products});
  return all;
}

}  // namespace calor::bench
