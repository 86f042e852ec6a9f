// eigen(k): the leading eigenvectors as coordinates, times lambda^time.
//   of=operator   right eigenvectors of the similarity; a row-stochastic one drops its constant
//   of=laplacian  L v = lambda D v with L = D - W: the smallest but the constant, v'Dv = 1
//   of=residual   (I - W)'(I - W): the smallest but the constant
// A record with factors is conjugate to a symmetric one (row after symmetric, two_side, ...): that one is solved, with the known
// eigenvectors taken out, and its vectors are turned back.  Several components: each is embedded on its own, or (together) the
// vectors that tell the components apart come first.  New points: Nystrom's formula, S_new v / lambda.
#include "calor/engine/solve/block_eigen.h"
#include "calor/pipeline/outline.h"

#include <algorithm>
#include <cmath>

#include "calor/core/error.h"
#include "calor/engine/passes.h"
#include "calor/pipeline/state.h"
#include "calor/propagate/spectral.h"
#include "calor/propagate/stages.h"

namespace calor::propagate {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"k", Parameter::Takes::integer, "2", 1, 10000, "", "number of coordinates"},
    {"of", Parameter::Takes::word, "operator", 0, 0, "operator|laplacian|residual", "whose eigenvectors"},
    {"time", Parameter::Takes::number, "0", 0, 1e6, "", "vectors times lambda^time: 0.5 for scaling, diffusion time for operators"},
    {"components", Parameter::Takes::word, "apart", 0, 0, "apart|together", "a graph of several components: each on its own, or one spectrum for all"}};

namespace {

Components components_of(const Similarity& record) {
  if (record.components) return *record.components;
  if (record.support) return connected_components(*record.support);
  Components one;
  one.count = 1;
  one.of.assign(static_cast<std::size_t>(record.rows), 0);
  return one;
}

void say_components(State& state, const Components& components) {
  if (components.count < 2) return;
  std::vector<std::int64_t> sizes = components.sizes();
  std::sort(sizes.rbegin(), sizes.rend());
  std::string list;
  for (std::size_t c = 0; c < std::min<std::size_t>(5, sizes.size()); ++c) list += fmt::format("{}{}", c ? ", " : "", sizes[c]);
  state.note("eigen", fmt::format("{} components (of {}{} points)", components.count, list, sizes.size() > 5 ? ", ..." : ""));
}

// What turns vectors of the conjugate into right eigenvectors: exp((row factor - column factor) / 2).
Vector back_factors(const SpectralProblem& problem) {
  const auto factor = [](const Vector& logs, std::int64_t i) { return logs.size() ? logs[i] : 0.0; };
  Vector back = Vector::Zero(problem.rows);
  for (std::int64_t i = 0; i < problem.rows; ++i) back[i] = std::exp((factor(problem.log_row, i) - factor(problem.log_column, i)) / 2);
  return back;
}

// Orthonormal vectors that span the components' own constants, in the conjugate's coordinates: the whole graph's first, then
// those that tell apart one more component at a time.
Matrix component_vectors(const Components& components, const Vector& back) {
  const std::int64_t n = back.size(), count = components.count;
  Vector mass = Vector::Zero(count);  // of the stationary state 1 / back^2
  for (std::int64_t i = 0; i < n; ++i) mass[components.of[i]] += 1 / (back[i] * back[i]);
  Matrix weights = Matrix::Zero(count, count);  // row c: the value on each component before division by back
  for (std::int64_t c = 0; c < count; ++c) {
    if (c == 0) {
      weights.row(0).setConstant(1 / std::sqrt(mass.sum()));
      continue;
    }
    // Component c - 1 against all later ones.
    const double own = mass[c - 1], rest = mass.tail(count - c).sum();
    weights(c, c - 1) = std::sqrt(rest / (own * (own + rest)));
    weights.row(c).tail(count - c).setConstant(-std::sqrt(own / (rest * (own + rest))));
  }
  Matrix vectors(n, count);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t c = 0; c < count; ++c) vectors(i, c) = weights(c, components.of[i]) / back[i];
  return vectors;
}

struct Spectrum {
  Matrix vectors;  // right eigenvectors, N x k
  Matrix lambda;   // N x k: of the similarity, for each row's component
  Vector values;   // k, of the largest component
};

// Embeds the rows `members` (empty: all) of a conjugate whose constants are known where `drop` says so.
void embed_part(const SpectralProblem& problem, const std::vector<std::int64_t>& members, const Matrix& known, const Vector& back,
                double scale, Spectrum& spectrum, bool largest, std::int64_t from) {
  const Pairs pairs = problem.largest(members, spectrum.vectors.cols() - from, known);
  for (Eigen::Index c = 0; c < pairs.vectors.cols(); ++c) {
    for (Eigen::Index m = 0; m < pairs.vectors.rows(); ++m) {
      const std::int64_t i = members.empty() ? m : members[static_cast<std::size_t>(m)];
      spectrum.vectors(i, from + c) = pairs.vectors(m, c) * back[i] * scale;
      spectrum.lambda(i, from + c) = pairs.values[c];
    }
    if (largest) spectrum.values[from + c] = pairs.values[c];
  }
}

Spectrum solve(State& state, const SpectralProblem& problem, std::int64_t k, bool drop, bool together, bool unit_mass) {
  const std::int64_t n = problem.rows;
  const Components& components = problem.components;
  say_components(state, components);
  const Vector back = back_factors(problem);
  Spectrum spectrum{Matrix::Zero(n, k), Matrix::Zero(n, k), Vector::Zero(k)};
  // With unit mass the stationary state is a probability: the constant is 1, as Coifman & Lafon have it.
  const auto scale_of = [&](double mass) { return unit_mass ? std::sqrt(mass) : 1.0; };
  if (!drop) {
    if (components.count == 1 || together) embed_part(problem, {}, Matrix(n, 0), back, 1, spectrum, true, 0);
  } else if (components.count == 1 || together) {
    Matrix known = component_vectors(components, back);
    const double scale = scale_of((back.array().square().inverse()).sum());
    const std::int64_t apart = std::min<std::int64_t>(k, components.count - 1);
    for (std::int64_t c = 0; c < apart; ++c) {
      spectrum.vectors.col(c) = known.col(c + 1).cwiseProduct(back) * scale;
      spectrum.lambda.col(c).setOnes();
      spectrum.values[c] = 1;
    }
    if (apart < k) embed_part(problem, {}, known, back, scale, spectrum, true, apart);
  }
  if (components.count > 1 && !together) {
    const auto members = components.members();
    std::size_t largest = 0;
    for (std::size_t c = 1; c < members.size(); ++c)
      if (members[c].size() > members[largest].size()) largest = c;
    for (std::size_t c = 0; c < members.size(); ++c) {
      const auto size = static_cast<Eigen::Index>(members[c].size());
      if (drop && size < 2) continue;  // nothing but the constant
      Matrix known(size, drop ? 1 : 0);
      double mass = 0;
      for (Eigen::Index m = 0; m < size; ++m) mass += 1 / (back[members[c][m]] * back[members[c][m]]);
      if (drop)
        for (Eigen::Index m = 0; m < size; ++m) known(m, 0) = 1 / (back[members[c][m]] * std::sqrt(mass));
      embed_part(problem, members[c], known, back, drop ? scale_of(mass) : 1, spectrum, c == largest, 0);
    }
  }
  return spectrum;
}

// W with rows normalised: the operator whose right eigenvectors solve L v = lambda D v.
Similarity row_normalised(Similarity record, const Context& context) {
  const Vector sums = log_row_sums(record, context);
  if (!record.log_row.size()) record.log_row = Vector::Zero(record.rows);
  for (std::int64_t i = 0; i < record.rows; ++i)
    if (std::isfinite(sums[i])) record.log_row[i] -= sums[i];
  return record;
}

Spectrum solve_residual(State& state, const Similarity& record, std::int64_t k, const Context& context) {
  const Csr weights = *store_scores(record, context).support;
  const Components components = connected_components(weights);
  say_components(state, components);
  Spectrum spectrum{Matrix::Zero(record.rows, k), Matrix::Zero(record.rows, k), Vector::Zero(k)};
  std::vector<std::int64_t> number(static_cast<std::size_t>(record.rows));
  const std::vector<std::int64_t> sizes = components.sizes();
  const auto largest = std::max_element(sizes.begin(), sizes.end()) - sizes.begin();
  for (const auto& members : components.members()) {
    for (std::size_t m = 0; m < members.size(); ++m) number[members[m]] = static_cast<std::int64_t>(m);
    Csr part;
    part.rows = part.columns = static_cast<std::int64_t>(members.size());
    for (const std::int64_t i : members) {
      for (std::int64_t e = weights.begin[i]; e < weights.begin[i + 1]; ++e) {
        part.column.push_back(static_cast<std::int32_t>(number[weights.column[e]]));
        part.values.push_back(weights.values[e]);
      }
      part.begin.push_back(part.edges());
    }
    const Pairs pairs = smallest_residual_pairs(part, k, context);
    for (Eigen::Index c = 0; c < pairs.vectors.cols(); ++c) {
      for (std::size_t m = 0; m < members.size(); ++m) spectrum.vectors(members[m], c) = pairs.vectors(static_cast<Eigen::Index>(m), c);
      if (components.of[members[0]] == largest) spectrum.values[c] = pairs.values[c];
    }
  }
  spectrum.lambda.setOnes();  // a new point is the weighted sum itself
  return spectrum;
}

// vectors times lambda^time; a negative eigenvalue has no real power and gives 0.
Matrix in_time(const Matrix& vectors, const Matrix& lambda, double time) {
  if (time == 0) return vectors;
  Matrix result = vectors;
  for (Eigen::Index i = 0; i < result.rows(); ++i)
    for (Eigen::Index c = 0; c < result.cols(); ++c) {
      const double base = lambda(i, c);
      result(i, c) *= base >= 0 || time == std::floor(time) ? std::pow(base, time) : 0;
    }
  return result;
}

// A record's own problem, solved by this process.
SpectralProblem problem_of(Similarity record, const Context& context) {
  SpectralProblem problem{record.rows, record.log_row, record.log_column, record.row_stochastic(), components_of(record), nullptr};
  problem.largest = [record = std::move(record), &context](const std::vector<std::int64_t>& members, std::int64_t k, const Matrix& known) {
    return largest_pairs(*conjugate(record, members, context), k, known, context);
  };
  return problem;
}

void finish(State& state, const Arguments& arguments, Kept& kept, const Spectrum& spectrum) {
  const std::int64_t k = arguments.integer("k");
  // Coordinates that no eigenvector fills stay 0.
  std::int64_t filled = 0;
  for (Eigen::Index c = 0; c < spectrum.vectors.cols(); ++c) filled += spectrum.vectors.col(c).cwiseAbs().maxCoeff() > 0;
  if (filled < k) state.note("eigen", fmt::format("only {} of {} coordinates have an eigenvector; the others are 0", filled, k));
  kept.keep("vectors", spectrum.vectors);
  kept.keep("lambda", spectrum.lambda);
  Vector values = Vector::Zero(k);
  for (Eigen::Index c = 0; c < k; ++c) values[c] = spectrum.values[c];
  kept.keep("values", Matrix(values));
  state.spectrum = arguments.word("of") == "laplacian" ? Vector(1 - spectrum.values.array()) : spectrum.values;
  state.points = std::make_shared<const Matrix>(in_time(spectrum.vectors, spectrum.lambda, arguments.number("time")));
}

void run(State& state, const Arguments& arguments, Kept& kept, const Context& context) {
  const std::string& of = arguments.word("of");
  require(state.similarity.rows >= 2, Fault::input, "[eigen] expected at least 2 points, found {}: give more points", state.similarity.rows);
  if (of == "residual") finish(state, arguments, kept, solve_residual(state, state.similarity, arguments.integer("k"), context));
  else embed(state, arguments, kept, problem_of(of == "laplacian" ? row_normalised(state.similarity, context) : state.similarity, context));
}

// New points whose every value is 0, where values cannot cancel: Nystrom's formula would put them at the origin.
void find_out_of_reach(State& state, const Similarity& record, bool adds_up, const Context& context) {
  if (adds_up ? record.all_pairs() : record.strengthen.kind != Strengthen::Kind::exponential) return;  // by logarithms, however small the values
  const Vector sums = log_row_sums(record, context);
  std::vector<std::uint8_t> out(static_cast<std::size_t>(record.rows), 0);
  for (std::int64_t i = 0; i < record.rows; ++i) out[static_cast<std::size_t>(i)] = !(std::exp(sums[i]) > 0);
  const auto count = std::count(out.begin(), out.end(), 1);
  if (count == 0) return;
  state.note("eigen", fmt::format("{} of {} rows are out of reach: their similarity to all points of the fit is 0, and they get no coordinates",
                                  count, record.rows));
  state.out_of_reach = std::move(out);
}

void place(State& state, const Arguments& arguments, const Kept& kept, const Context& context) {
  const bool laplacian = arguments.word("of") == "laplacian";
  const Similarity record = laplacian ? row_normalised(state.similarity, context) : state.similarity;
  if (arguments.word("of") != "residual") find_out_of_reach(state, record, laplacian || record.row_stochastic(), context);
  const Matrix& vectors = kept.array("vectors");
  const Matrix& lambda = kept.array("lambda");
  // Vectors over lambda, row by row, so that points of several components keep theirs; then the fit's time.  What rounding alone left
  // of an eigenvalue is 0.
  const double nothing = 1e-12 * (lambda.size() ? lambda.cwiseAbs().maxCoeff() : 0);
  Matrix divided = vectors;
  for (Eigen::Index i = 0; i < divided.rows(); ++i)
    for (Eigen::Index c = 0; c < divided.cols(); ++c) {
      const double base = lambda(i, c), time = arguments.number("time");
      const double power = time == 0 ? 1 : base >= 0 || time == std::floor(time) ? std::pow(base, time) : 0;
      divided(i, c) = std::abs(base) > nothing ? vectors(i, c) * power / base : 0;
    }
  state.points = std::make_shared<const Matrix>(engine::apply(record, divided, context));
}

// What the factorisation of (I - W)'(I - W) stores was 0.046 k N^1.75 numbers for k of 6 to 24 neighbours among 2,500 to 20,000 points
// of 784 dimensions, and 0.18 times that to the power 1.5 its multiply-adds; points on a surface take a fraction.
void estimate_factorisation(Estimate& estimate) {
  const double n = estimate.rows, neighbours = estimate.edges / std::max(1.0, n);
  const double numbers = std::min(n * (n + 1) / 2, 0.046 * neighbours * std::pow(n, 1.75));
  const double entries = n * std::min(n, neighbours * (neighbours + 1));  // of the matrix, at most
  estimate.operations += 8 * (0.18 * std::pow(numbers, 1.5) + 40 * numbers);  // in panels of a few columns
  estimate.guess(8 * numbers + 3 * 12 * entries);  // points on a surface take a fraction
}

void estimate(Estimate& estimate, const Arguments& arguments) {
  const double k = arguments.number("k");
  if (arguments.word("of") == "residual") {
    estimate_factorisation(estimate);
    estimate.use(8 * estimate.rows * (3 * k + 48));
  } else {
    // A product with all pairs reads them from memory, for 8 vectors at once.
    if (estimate.edges > 0) estimate.visits += 100 * estimate.edges;
    else estimate.operations += estimate.pairs() * (estimate.crowded ? 800 : 80);
    if (estimate.edges > 0) {
      estimate.use(8 * estimate.rows * (3 * k + 48) + 12 * estimate.edges);
    } else {
      const bool stored = (!estimate.kept || estimate.crowded) && stores_triangle(estimate.rows, estimate.memory);
      estimate.use((stored ? 4 * estimate.rows * (estimate.rows + 1) : 0) + block_eigen_bytes(estimate.rows, k));
    }
  }
  estimate.hold(3 * 8 * estimate.rows * k);  // coordinates, vectors and their eigenvalues
  estimate.features = k;
}

void outline(Outline& outline, const Arguments& arguments) {
  if (arguments.word("of") == "residual")
    require(outline.may_not(outline.all_pairs) && outline.may(outline.square), Fault::usage,
            "[eigen] expected a similarity on a graph for of=residual, found {}: put knn(k) | local_weights(reg) before it",
            outline.may(outline.square) ? "all pairs" : "a rectangle");
  else
    require_symmetric(outline, "eigen");
  outline.moved = Fact::yes;
}

std::string_view spectrum(const Arguments& arguments) { return arguments.word("of"); }

}  // namespace

void embed(State& state, const Arguments& arguments, Kept& kept, const SpectralProblem& problem) {
  const std::int64_t k = arguments.integer("k");
  const double time = arguments.number("time");
  const bool laplacian = arguments.word("of") == "laplacian", drop = laplacian || problem.row_stochastic;
  const Spectrum spectrum = solve(state, problem, k, drop, arguments.word("components") == "together", drop && !laplacian);
  if (const auto negative = (spectrum.values.array() < 0).count(); negative && time != std::floor(time))
    state.note("eigen", fmt::format("{} of {} eigenvalues are negative: their coordinates are 0", negative, k));
  finish(state, arguments, kept, spectrum);
}

const Stage eigen_stage{"eigen", Kind::read_out, types::any_similarity, types::embedding, parameters,
                        "the leading eigenvectors as coordinates, times lambda^time", "", run, place, estimate, outline, takes_any_form, nullptr, false,
                        spectrum};

}  // namespace calor::propagate
