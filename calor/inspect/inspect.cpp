#include "calor/inspect/inspect.h"

#include <algorithm>
#include <cmath>

#include "calor/core/error.h"
#include "calor/core/threads.h"
#include "calor/engine/solve/dense.h"

namespace calor::inspect {

namespace {

LayerReport state_of(const Matrix& stream) {
  LayerReport report;
  const Matrix centred = stream.rowwise() - stream.colwise().mean();
  report.spread = centred.norm() / stream.norm();
  // The smaller of the two Gram matrices has the same nonzero spectrum.
  const Eigen::MatrixXd gram = centred.rows() < centred.cols() ? Eigen::MatrixXd(centred * centred.transpose()) : Eigen::MatrixXd(centred.transpose() * centred);
  const Eigen::VectorXd values = engine::symmetric_eigenvalues(gram).cwiseMax(0.0);
  double entropy = 0;
  for (const double value : values)
    if (value > 0) entropy -= value / values.sum() * std::log(value / values.sum());
  report.rank = values.sum() > 0 ? std::exp(entropy) : 0;
  return report;
}

// The tokens' part in the slow modes (least squares), after one step, relative to all of them.
double predicted_contraction(const AttentionRows& rows, const Modes& modes, const Matrix& tokens) {
  const Matrix centred = tokens.rowwise() - tokens.colwise().mean();
  const Matrix coefficients = engine::least_squares(modes.vectors, centred);
  const Matrix after = rows.apply(modes.vectors) * coefficients;
  return (after.rowwise() - after.colwise().mean()).squaredNorm() / centred.squaredNorm();
}

HeadReport report_of(const Head& head, const Matrix& tokens, const InspectOptions& options, const Context& context) {
  const Features features = features_of(head, tokens, context);
  require(features.query.allFinite() && features.key.allFinite() && features.value.allFinite(), Fault::input,
          "[inspect] expected finite features of the head, found NaN or infinity: the tokens are too large for these weights");
  HeadReport report;
  DefectOptions defects;
  defects.triples = options.triples;
  defects.seed = options.seed;
  report.defects = defects_of(head, features, defects, context);
  report.null = null_defects(head, tokens, defects, context);
  FlowOptions flow;
  flow.seed = options.seed;
  report.flow = flow_of(head, tokens, features, flow, context);
  report.sphere = sphere_jump(head, tokens);
  report.metric_epsilon = metric_epsilon(head, features);
  const AttentionRows rows(head, features, false, context);
  report.modes = modes_of(rows, std::max<std::int64_t>(2, std::min(options.modes, tokens.rows() - 2)), context);
  if (!head.causal) report.predicted_contraction = predicted_contraction(rows, report.modes, tokens);
  report.lipschitz = lipschitz_of(head, tokens, context);
  return report;
}

void check_range(std::int64_t value, std::int64_t most, const char* what) {
  require(value >= 0 && value <= most, Fault::usage, "[inspect] expected a {} from 1 to {}, found {}", what, most, value);
}

void check_tokens(const Activations& activations) {
  const std::int64_t count = activations.layers.front().tokens.rows();
  require(count >= 2, Fault::input, "[inspect] expected at least 2 tokens, found {}: a single token attends to itself", count);
  for (std::size_t l = 0; l < activations.layers.size(); ++l) {
    const Matrix& tokens = activations.layers[l].tokens;
    for (Eigen::Index i = 0; i < tokens.rows(); ++i)
      require(tokens.row(i).allFinite(), Fault::input, "[inspect] expected finite tokens, found NaN or infinity in token {} of layer {}", i + 1, l + 1);
    require((tokens.rowwise() - tokens.row(0)).squaredNorm() > 0, Fault::input, "[inspect] expected tokens that differ, found {} equal ones in layer {}", count, l + 1);
  }
}

}  // namespace

std::uint64_t memory_for_head(std::int64_t tokens, std::int64_t width, std::int64_t features, std::int64_t values, const InspectOptions& options,
                              int threads) {
  const std::int64_t doubles = tokens * (2 * width + 14 * features + 3 * values)                  // features, packed and centred, the QR, means
                               + tokens * (AttentionRows::block_rows * 3 * threads + 32)          // blocks of rows; column sums of the pieces
                               + tokens * 10 * options.modes + 6 * 512 * 512 + 256 * 256 * 8      // Arnoldi; the Jacobian; dense spectra
                               + 1024 * (width + 8 * features) * threads;                         // the null's heads
  return static_cast<std::uint64_t>(doubles) * sizeof(double);
}

Inspection inspect(const Model& model, const Tokens& tokens, const InspectOptions& options, const Context& context) {
  check_range(options.layer, model.layers(), "layer");
  check_range(options.head, model.heads(), "head");
  for (const auto& [name, values] : tokens.tensors) {
    require(values.rows() >= 2, Fault::input, "[inspect] expected at least 2 tokens, found {}: a single token attends to itself ({})", values.rows(), tokens.source);
    require(values.allFinite(), Fault::input, "[inspect] expected finite tokens, found NaN or infinity ({})", tokens.source);
  }
  const Activations activations = model.run(tokens, context);
  check_tokens(activations);
  Inspection found;
  found.model = model.kind();
  found.tokens = activations.tokens;
  found.names = activations.names;
  found.layers = model.layers();
  found.heads = model.heads();
  found.count = activations.layers.front().tokens.rows();
  found.width = activations.layers.front().tokens.cols();
  found.causal = activations.layers.front().heads.front().causal;
  const int threads = context.threads ? context.threads : available_threads();
  double done = 0;
  const double total = static_cast<double>(options.layer ? 1 : found.layers) * static_cast<double>(options.head ? 1 : found.heads);
  for (std::int64_t l = 0; l < found.layers; ++l) {
    if (options.layer && options.layer != l + 1) continue;
    const Layer& layer = activations.layers[static_cast<std::size_t>(l)];
    for (std::int64_t h = 0; h < static_cast<std::int64_t>(layer.heads.size()); ++h) {
      if (options.head && options.head != h + 1) continue;
      const Head& head = layer.heads[static_cast<std::size_t>(h)];
      const std::int64_t features = head.learned_metric ? found.width : head.query.weight.rows();
      context.memory.require(memory_for_head(found.count, layer.tokens.cols(), features, head.value.weight.rows(), options, threads), "inspect",
                             fmt::format("{} tokens", found.count), "give fewer tokens, or fewer --threads");
      context.advance(done++, total, fmt::format("layer {} head {}", l + 1, h + 1));
      Context quiet = context;
      quiet.progress = nullptr;
      HeadReport report = report_of(head, layer.tokens, options, total > 1 ? quiet : context);
      report.layer = l + 1;
      report.head = h + 1;
      found.reports.push_back(std::move(report));
    }
  }
  double bare = 1;
  for (std::int64_t l = 0; l < found.layers; ++l) {
    found.states.push_back(state_of(activations.layers[static_cast<std::size_t>(l)].stream));
    found.states.back().bare = found.states.front().spread * bare;
    double contraction = 0, heads = 0;
    for (const HeadReport& report : found.reports)
      if (report.layer == l + 1) contraction += report.flow.contraction, heads += 1;
    bare *= heads > 0 ? std::sqrt(contraction / heads) : std::nan("");
  }
  if (activations.last.size()) {
    found.states.push_back(state_of(activations.last));
    found.states.back().bare = found.states.front().spread * bare;
  }
  return found;
}

}  // namespace calor::inspect
