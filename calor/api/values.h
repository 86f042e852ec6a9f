// What flows between stages, one type each.  A value never changes and is cheap to copy: copies share their numbers.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "calor/core/progress.h"
#include "calor/engine/csr.h"
#include "calor/engine/matrix.h"
#include "calor/io/sparse.h"
#include "calor/pipeline/state.h"

namespace calor {

using engine::Csr;
using engine::Matrix;
using engine::Vector;

// What work is done with: the seed of whatever is drawn, threads, memory, progress, interruption.
struct Session {
  std::uint64_t seed = 0;
  int threads = 0;              // 0: all there are; results have the same bits for any number
  std::uint64_t max_memory = 0;  // bytes for what is computed; 0: nine tenths of what is free
  std::function<void(double done, double total, std::string_view what)> progress{};
  const StopFlag* stop = nullptr;

  Context context() const { return {threads, MemoryLimit(max_memory), progress, stop}; }
};

class Points;

// What every value has.
class Flowing {
 public:
  std::int64_t rows() const { return state().rows(); }
  // Remarks of the stages so far, and numbers that they report by name (bandwidth, stress, ...).
  const std::vector<pipeline::Note>& notes() const { return state().notes; }
  const std::map<std::string, double>& figures() const { return state().figures; }
  // All that is known; what the stages edit.
  const pipeline::State& state() const { return *state_; }
  const Session& session() const { return *session_; }
  // The session's; all values made from the same points share its memory account.
  const Context& context() const { return *context_; }

 protected:
  Flowing(pipeline::State state, Session session);
  Flowing(pipeline::State state, const Flowing& from);
  friend class Pipeline;
  template <class To>
  friend To value_of(pipeline::State state, const Flowing& from);

 private:
  std::shared_ptr<const pipeline::State> state_;
  std::shared_ptr<const Session> session_;
  std::shared_ptr<const Context> context_;
};

// Rows of features: N x d.
class Points : public Flowing {
 public:
  static constexpr const char* kind = "points";
  // Throws Fault::input for numbers that are not finite, with row and column, and for no rows.
  explicit Points(Matrix features, Session session = {});
  explicit Points(io::SparseMatrix features, Session session = {});
  explicit Points(pipeline::Data data, Session session = {});
  // N x d doubles, row by row; copied.
  Points(const double* features, std::int64_t rows, std::int64_t columns, Session session = {});

  // The same with a class for each row, an index of `classes`, -1 where it is not known; or with measured values, NaN where not known.
  // Throws Fault::input for another number of rows.
  Points with_classes(std::vector<std::int64_t> labels, std::vector<std::string> classes) const;
  Points with_values(Vector values) const;

  const Matrix& coordinates() const { return *state().points; }

 protected:
  using Flowing::Flowing;
  template <class To>
  friend To value_of(pipeline::State state, const Flowing& from);
};

// A graph's nodes and edges: those that a support stage chose, or a graph as it was given (pipeline::data_of, adjacency).
class Graph : public Flowing {
 public:
  static constexpr const char* kind = "a graph";
  const Csr& edges() const { return *state().graph; }

 private:
  using Flowing::Flowing;
  template <class To>
  friend To value_of(pipeline::State state, const Flowing& from);
};

// A similarity, said in full without being stored (engine/record.h).
class Similarity : public Flowing {
 public:
  static constexpr const char* kind = "a similarity";
  const engine::Similarity& record() const { return state().similarity; }
  // Every value: rows x columns.  Throws Fault::memory beyond the session's limit.
  Matrix values() const;
  // The values on a graph's edges.  Throws Fault::usage for a similarity of all pairs.
  Csr on_edges() const;
  // This similarity times H, one row of it per column of the similarity: rows x width.  Streamed.
  Matrix times(const Matrix& h) const;

 private:
  using Flowing::Flowing;
  template <class To>
  friend To value_of(pipeline::State state, const Flowing& from);
};

// Coordinates in few dimensions, which are points again.
class Embedding : public Points {
 public:
  static constexpr const char* kind = "an embedding";
  const Vector& spectrum() const { return state().spectrum; }  // the eigenvalues; empty where there are none

 private:
  using Points::Points;
  template <class To>
  friend To value_of(pipeline::State state, const Flowing& from);
};

// The cluster or component of each row, numbered from 0.
class Labels : public Flowing {
 public:
  static constexpr const char* kind = "labels";
  const std::vector<std::int64_t>& numbers() const { return state().labels; }

 private:
  using Flowing::Flowing;
  template <class To>
  friend To value_of(pipeline::State state, const Flowing& from);
};

// What is said of each row: a score per class, or a value.
class Prediction : public Flowing {
 public:
  static constexpr const char* kind = "a prediction";
  bool of_classes() const { return state().class_scores; }
  const Matrix& scores() const { return state().scores; }                         // rows x classes, or rows x 1
  const std::vector<std::string>& classes() const { return state().data->classes; }  // of the columns
  // The class of greatest score in each row, -1 where a row has none.  Throws Fault::usage for measured values.
  std::vector<std::int64_t> best() const;

 private:
  using Flowing::Flowing;
  template <class To>
  friend To value_of(pipeline::State state, const Flowing& from);
};

using Value = std::variant<Points, Graph, Similarity, Embedding, Labels, Prediction>;

// The value that a state is, made in the session of another.
Value value_of(pipeline::State state, const Flowing& from);

// Points of a file or a bundled data set ("digits"), labels included where a column is called so (docs/data.md).
Points read_points(const std::string& source, Session session = {});

// The nodes of a graph with its weights (1 for edges without values), for adjacency and the pipelines that begin with it.  Square.
Points nodes_of(Csr edges, Session session = {});

// The corners of a surface, for heat_signature; io::load_mesh reads one.
Points corners_of(io::Mesh surface, Session session = {});

}  // namespace calor
