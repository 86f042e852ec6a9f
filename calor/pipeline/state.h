// What flows through a pipeline: the data as given, and the state that stages edit.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "calor/core/random.h"
#include "calor/engine/csr.h"
#include "calor/engine/matrix.h"
#include "calor/engine/operator.h"
#include "calor/engine/record.h"
#include "calor/io/mesh.h"
#include "calor/pipeline/stage.h"

namespace calor::pipeline {

// The points that a fit is made from; never changes during a run.  They come in one form (stage.h): `features`, or `sparse` (which may
// have been made dense, into features, for a pipeline that needs that), or `distances`.
struct Data {
  std::shared_ptr<const Matrix> features;  // N x d; N x 0 for a bare graph and for the other forms
  std::shared_ptr<const io::SparseMatrix> sparse;  // N x d, or null
  std::shared_ptr<const Matrix> distances;         // N x N, symmetric, 0 on the diagonal, infinite where a pair has none; or null
  std::vector<std::string> feature_names, row_names;
  std::vector<std::int64_t> labels;        // one per row, -1 where it is not known; empty without labels
  std::vector<std::string> classes;        // what labels index
  Vector targets;                          // labels as numbers where every one is a number, NaN where not known; else empty
  std::vector<std::uint8_t> train;         // 1: a training row; empty: all are
  std::shared_ptr<const Csr> graph;        // the user's edges with weights; null without
  std::shared_ptr<const io::Mesh> mesh;    // the surface that the points are corners of; null without
  std::string rounding;                    // a remark on features that the source holds with too few digits; "" where none is needed
  std::int64_t rows() const { return features->rows(); }
  std::int64_t columns() const { return sparse ? sparse->columns : features->cols(); }  // 0 for distances and graphs
  bool made_dense() const { return sparse && features->cols() > 0; }
  Points points() const { return {features, made_dense() ? nullptr : sparse, distances}; }
  bool training(std::int64_t i) const { return train.empty() || train[static_cast<std::size_t>(i)]; }
  // A training row whose class or value is known.
  bool labelled(std::int64_t i) const {
    if (!training(i)) return false;
    return labels.empty() ? targets.size() > 0 && std::isfinite(targets[i]) : labels[static_cast<std::size_t>(i)] >= 0;
  }
};

// Numbers that a stage keeps from the fit for new points; what a saved model holds.
class Kept {
 public:
  void keep(const std::string& name, std::shared_ptr<const Matrix> values) { arrays_[name] = std::move(values); }
  void keep(const std::string& name, Matrix values) { keep(name, std::make_shared<const Matrix>(std::move(values))); }
  void keep_number(const std::string& name, double value) { keep(name, Matrix(Matrix::Constant(1, 1, value))); }
  // The same of values with a row for each of the fit's: what is known of a row says nothing of the others, so that a fit can be made smaller (landmarks.h).
  void keep_rows(const std::string& name, Matrix values) {
    keep(name, std::move(values));
    by_row_.insert(name);
  }
  bool by_row(const std::string& name) const { return by_row_.count(name) > 0; }
  // A number that the stage chooses by the data: chosen here, or what it chose in the first of several repetitions.
  double once(const std::string& name, const std::function<double()>& choose);
  bool has(const std::string& name) const { return arrays_.count(name) > 0; }
  const std::shared_ptr<const Matrix>& shared(const std::string& name) const;  // throws Fault::input where it is missing
  const Matrix& array(const std::string& name) const { return *shared(name); }
  double number(const std::string& name) const { return array(name)(0, 0); }
  void forget(const std::string& name) { arrays_.erase(name); }
  // What the stages of a pipeline within this stage keep: stage s under "<s>.".
  std::vector<Kept> each(std::size_t stages) const;
  void keep_each(const std::vector<Kept>& inner);
  const std::map<std::string, std::shared_ptr<const Matrix>>& arrays() const { return arrays_; }
  // What placing makes of these numbers and the fit's points once for all calls; not saved.  Copies share it.
  template <class T>
  std::shared_ptr<const T> ready(const std::function<std::shared_ptr<const T>()>& make) const {
    const std::lock_guard lock(ready_->guard);
    if (!ready_->value) ready_->value = make();
    return std::static_pointer_cast<const T>(ready_->value);
  }

 private:
  void keep_all(const std::string& prefix, const Kept& inner);
  Kept inner(const std::string& prefix) const;

  struct Ready {
    std::mutex guard;
    std::shared_ptr<const void> value;
  };
  std::map<std::string, std::shared_ptr<const Matrix>> arrays_;
  std::set<std::string> by_row_;
  std::shared_ptr<Ready> ready_ = std::make_shared<Ready>();
};

// A remark that a person should see: several components, an unclear bandwidth, an iteration cut short.
struct Note {
  std::string stage, text;
};

struct State {
  std::shared_ptr<const Data> data;       // of the fit
  std::uint64_t seed = 0;
  Types type = 0;
  std::shared_ptr<const Matrix> points;   // points or an embedding's coordinates: one row a point; without columns for the next two
  std::shared_ptr<const io::SparseMatrix> sparse;  // the points where they are sparse; null once a stage has moved them, as is
  std::shared_ptr<const Matrix> distances;         // what is known of them: their distances to the points of the fit
  bool prototypes = false;                // the points are not the data's rows any more (centres)
  std::shared_ptr<const Csr> graph;       // rows: the points; columns: the points, or the fit's points when placing
  std::shared_ptr<const Csr> reverse;     // placing: points of the fit that would count a new one among theirs
  std::vector<std::uint8_t> out_of_reach; // placing: new points whose similarity to all points of the fit is 0: they get no result; empty: none
  std::vector<std::int64_t> itself;       // placing: the fit's point that coincides with each new one, or -1
  std::shared_ptr<const Matrix> columns;  // the points that the graph's columns are
  Similarity similarity;
  std::shared_ptr<const Operator> prepared;  // of the similarity, where a repeated stage has made one
  std::shared_ptr<const Matrix> field;    // what flows over the similarity: one row a point
  std::vector<std::string> field_names;
  std::vector<std::int64_t> labels;       // clusters, components
  Matrix scores;                          // prediction: a column per class (class_scores), or one of values
  bool class_scores = false;
  Matrix decisions;                       // what a prediction was decided by (weigh), a column each; empty: nothing more than the scores
  std::vector<std::pair<std::int64_t, std::int64_t>> decision_pairs;  // the classes that each column tells apart: above 0 for the first
  Vector spectrum;                        // eigenvalues of the last eigen stage
  std::map<std::string, double> figures;  // numbers to report: stress, bandwidth, inertia, repetitions
  // Numbers in sequence to report: "stress" after each step, "change" of each repetition, and the bandwidth curve of exp(auto):
  // "bandwidth_scale", "bandwidth_log_sum" (of all values at that scale), "bandwidth_slope" (of the one against the log of the other).
  std::map<std::string, std::vector<double>> series;
  std::vector<Note> notes;

  bool placing = false;
  bool interrupted = false;               // a descent was told to stop, and gave the points that it had
  std::int64_t rows() const { return points->rows(); }
  Points given() const { return {points, sparse, distances}; }
  bool moved() const { return points != data->features; }  // the points are no longer the data's features
  void note(std::string_view stage, std::string text) { notes.push_back({std::string(stage), std::move(text)}); }
};

// What is known before anything runs, for --explain and for refusing what cannot fit.
struct Estimate {
  double rows = 0, columns = 0, features = 0;  // features: numbers per point, of sparse points the entries, of distances none
  double filled = 1;      // the share of entries of points that stay sparse
  double edges = 0;       // 0: all pairs
  double held = 0;        // bytes that the stages so far hold on to
  double peak = 0;        // the most bytes that are taken at once, beyond the data
  double guessed = 0;     // bytes that what the data are like may take as well: shown, and refused only when they are known
  double memory = 0;      // the limit, in bytes
  double operations = 0;  // multiply-adds of products of points, or what takes as long
  double visits = 0;      // numbers fetched from memory by number, as along edges
  bool kept = false;      // scores of all pairs are stored
  bool crowded = false;   // the values are a kernel's, whose leading eigenvalues lie close together
  static constexpr double value = 80;  // multiply-adds that take as long as one value from its score does: an exponential, the factors
  double pairs() const { return edges > 0 ? edges : rows * columns; }
  // Bytes that stay with what the stage gives; that it takes while it runs; and that it may take.
  void hold(double more) {
    held += more;
    use(0);
  }
  void use(double more) { peak = std::max(peak, held + more); }
  void guess(double more) { guessed += more; }
  double bytes() const { return peak + guessed; }
  // Scores of all pairs are stored from here on, where keep_scores of engine/passes.h does that.
  void keep_scores();
  // Every value so many times.
  void pass(double times = 1) {
    if (edges == 0 && !kept) use(8 * features * (rows == columns ? rows : rows + columns));  // the points, packed
    if (edges > 0) visits += times * edges * (1 + features / 8);
    else operations += times * pairs() * (value + (kept ? 0 : features));
  }
  // The similarity is made ready for products (engine/operator.h), which holds its bytes; whether each of them computes the values anew.
  bool streams(bool transposed = false);
  // As many times the similarity times the features.
  void flow(double times = 1) {
    if (edges == 0) use(8 * columns * (2 * features + 2) + 8 * rows * (features + 1));  // keys and values, packed; what comes out
    (edges > 0 ? visits : operations) += times * pairs() * (edges > 0 ? 1 + features / 8 : features);
  }
};

}  // namespace calor::pipeline
