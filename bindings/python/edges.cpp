#include "calor/kernels/edges.h"

#include <string_view>

#include "operators.h"
#include "tensors.h"

namespace calor::python {
namespace {

kernels::EdgePattern pattern_of(PyObject* edges, long long rows, long long columns) {
  Tensors given(edges);
  kernels::EdgePattern pattern;
  pattern.rows = rows, pattern.columns = columns;
  pattern.begin = given.next().numbers<std::int64_t>();
  pattern.column = given.next().numbers<std::int32_t>();
  pattern.reverse_begin = given.next().numbers<std::int64_t>();
  pattern.reverse_row = given.next().numbers<std::int32_t>();
  pattern.reverse_edge = given.next().numbers<std::int64_t>();
  return pattern;
}

kernels::EdgeScore score_of(std::string_view name) {
  if (name == "dot") return kernels::EdgeScore::dot;
  if (name == "squared_distance") return kernels::EdgeScore::squared_distance;
  return name == "additive" ? kernels::EdgeScore::additive : kernels::EdgeScore::joined;
}

struct Typed {
  const char* type = nullptr;

  // work(a number of the type)
  template <class Work>
  void in_type(const Work& work) const {
    if (std::string_view(type) == "float32") work(float());
    else work(double());
  }
};

struct Attention : Typed {
  const char* score = nullptr;
  long long rows = 0, columns = 0, heads = 0, dim = 0, value_dim = 0, edge_dim = 0;
  double slope = 0, dropout = 0;
  long long seed = 0;
  int threads = 0;
  PyObject *edges = nullptr, *inputs = nullptr, *results = nullptr;

  explicit Attention(PyObject* arguments) {
    if (!PyArg_ParseTuple(arguments, "ss(LLLLLL)ddLiO!O!O!", &type, &score, &rows, &columns, &heads, &dim, &value_dim, &edge_dim, &slope, &dropout, &seed, &threads, &PyTuple_Type,
                          &edges, &PyTuple_Type, &inputs, &PyTuple_Type, &results))
      throw Raised{};
  }

  template <class T>
  kernels::EdgeAttentionParams<T> params() const {
    Tensors given(inputs);
    const Tensor q = given.next(), k = given.next(), v = given.next();
    kernels::EdgeAttentionParams<T> p;
    p.pattern = pattern_of(edges, rows, columns);
    p.score = score_of(score);
    p.heads = heads, p.dim = dim, p.value_dim = value_dim, p.edge_dim = edge_dim;
    p.q = q.numbers<T>(), p.q_stride = q.strides[0];
    p.k = k.numbers<T>(), p.k_stride = k.strides[0];
    p.v = v.numbers<T>(), p.v_stride = v.strides[0];
    p.scale = given.next().numbers<T>(), p.bias = given.next().numbers<T>(), p.vector = given.next().numbers<T>();
    p.features = given.next().numbers<T>(), p.key_map = given.next().numbers<T>(), p.value_map = given.next().numbers<T>();
    p.slope = static_cast<T>(slope), p.dropout = dropout, p.seed = static_cast<std::uint64_t>(seed), p.threads = threads;
    return p;
  }
};

struct Sums : Typed {
  long long rows = 0, columns = 0, heads = 0, value_dim = 0;
  int threads = 0;
  PyObject *edges = nullptr, *inputs = nullptr, *results = nullptr;

  explicit Sums(PyObject* arguments) {
    if (!PyArg_ParseTuple(arguments, "s(LLLL)iO!O!O!", &type, &rows, &columns, &heads, &value_dim, &threads, &PyTuple_Type, &edges, &PyTuple_Type, &inputs, &PyTuple_Type, &results))
      throw Raised{};
  }

  template <class T>
  kernels::EdgeSumsParams<T> params() const {
    Tensors given(inputs);
    const Tensor weights = given.next(), v = given.next();
    return {pattern_of(edges, rows, columns), heads, value_dim, weights.numbers<T>(), v.numbers<T>(), v.strides[0], threads};
  }
};

}  // namespace

PyObject* edge_attention_forward(PyObject*, PyObject* arguments) {
  return operate<Attention>(arguments, []<class T>(const kernels::EdgeAttentionParams<T>& params, Tensors& results) {
    T *out = results.next().numbers<T>(), *lse = results.next().numbers<T>();
    const WithoutLock others_run;
    kernels::edge_attention_forward(params, out, lse);
  });
}

PyObject* edge_attention_backward(PyObject*, PyObject* arguments) {
  return operate<Attention>(arguments, []<class T>(const kernels::EdgeAttentionParams<T>& params, Tensors& results) {
    const auto next = [&results] { return results.next().numbers<T>(); };
    kernels::EdgeAttentionBackward<T> backward;
    backward.out = next(), backward.lse = next(), backward.d_out = next(), backward.d_lse = next();
    backward.d_q = next(), backward.d_k = next(), backward.d_v = next();
    backward.d_scale = next(), backward.d_bias = next(), backward.d_vector = next();
    backward.d_features = next(), backward.d_key_map = next(), backward.d_value_map = next();
    const WithoutLock others_run;
    kernels::edge_attention_backward(params, backward);
  });
}

PyObject* edge_sums_forward(PyObject*, PyObject* arguments) {
  return operate<Sums>(arguments, []<class T>(const kernels::EdgeSumsParams<T>& params, Tensors& results) {
    T* out = results.next().numbers<T>();
    const WithoutLock others_run;
    kernels::edge_sums_forward(params, out);
  });
}

PyObject* edge_sums_backward(PyObject*, PyObject* arguments) {
  return operate<Sums>(arguments, []<class T>(const kernels::EdgeSumsParams<T>& params, Tensors& results) {
    const T* d_out = results.next().numbers<T>();
    T *d_weights = results.next().numbers<T>(), *d_v = results.next().numbers<T>();
    const WithoutLock others_run;
    kernels::edge_sums_backward(params, d_out, d_weights, d_v);
  });
}

PyObject* edges_by_column(PyObject*, PyObject* arguments) {
  return guarded([&] {
    long long rows = 0, columns = 0;
    PyObject* edges = nullptr;
    if (!PyArg_ParseTuple(arguments, "(LL)O!", &rows, &columns, &PyTuple_Type, &edges)) throw Raised{};
    const kernels::EdgePattern pattern = pattern_of(edges, rows, columns);
    Tensors given(edges);
    given.next(), given.next();
    auto* begin = given.next().numbers<std::int64_t>();
    auto* row = given.next().numbers<std::int32_t>();
    auto* edge = given.next().numbers<std::int64_t>();
    {
      const WithoutLock others_run;
      kernels::edges_by_column(rows, columns, pattern.begin, pattern.column, begin, row, edge);
    }
    return Object(borrowed(Py_None));
  });
}

PyObject* edge_dropout(PyObject*, PyObject* arguments) {
  return guarded([&] {
    long long edges = 0, heads = 0, seed = 0;
    double dropout = 0;
    PyObject* factors = nullptr;
    if (!PyArg_ParseTuple(arguments, "(LL)dLO!", &edges, &heads, &dropout, &seed, &PyTuple_Type, &factors)) throw Raised{};
    kernels::edge_dropout(edges, heads, dropout, static_cast<std::uint64_t>(seed), Tensors(factors).next().numbers<double>());
    return Object(borrowed(Py_None));
  });
}

}  // namespace calor::python
