#include "calor/kernels/attention.h"

#include <string_view>

#include "operators.h"
#include "tensors.h"

namespace calor::python {
namespace {

using kernels::Plain;

kernels::Strides strides_of(const Tensor& tensor) { return {tensor.strides[0], tensor.strides[1], tensor.strides[2]}; }

// What both calls begin with, and what they then have to fill.
struct Call {
  const char *type = nullptr, *score = nullptr;
  long long batch = 0, heads = 0, queries = 0, keys = 0, dim = 0, value_dim = 0, own_key = -1;
  int causal = 0, threads = 0;
  PyObject *inputs = nullptr, *results = nullptr;

  explicit Call(PyObject* arguments) {
    if (!PyArg_ParseTuple(arguments, "ss(LLLLLL)pLiO!O!", &type, &score, &batch, &heads, &queries, &keys, &dim, &value_dim, &causal, &own_key, &threads, &PyTuple_Type, &inputs,
                          &PyTuple_Type, &results))
      throw Raised{};
  }

  template <class T>
  kernels::AttentionParams<T> params() const {
    Tensors given(inputs);
    const Tensor q = given.next(), k = given.next(), v = given.next(), scale = given.next(), bias = given.next(), key_mask = given.next(), mask = given.next();
    kernels::AttentionParams<T> p;
    p.score = std::string_view(score) == "dot" ? kernels::Score::dot : kernels::Score::squared_distance;
    p.batch = batch, p.heads = heads, p.queries = queries, p.keys = keys, p.dim = dim, p.value_dim = value_dim;
    p.q = q.numbers<T>(), p.q_strides = strides_of(q);
    p.k = k.numbers<T>(), p.k_strides = strides_of(k);
    p.v = v.numbers<T>(), p.v_strides = strides_of(v);
    p.scale = scale.numbers<Plain<T>>(), p.scale_batch_stride = scale.strides[0], p.scale_head_stride = scale.strides[1];
    p.bias = bias.numbers<Plain<T>>(), p.bias_batch_stride = bias.strides[0], p.bias_head_stride = bias.strides[1];
    p.key_mask = key_mask.numbers<std::uint8_t>(), p.key_mask_batch_stride = key_mask.strides[0];
    p.mask = mask.numbers<std::uint8_t>(), p.mask_strides = strides_of(mask);
    p.causal = causal != 0, p.own_key = own_key, p.threads = threads;
    return p;
  }

  // work(a number of the type)
  template <class Work>
  void in_type(const Work& work) const {
    const std::string_view name = type;
    if (name == "float32") work(float());
    else if (name == "float64") work(double());
    else work(kernels::Bf16());
  }
};

}  // namespace

PyObject* attention_forward(PyObject*, PyObject* arguments) {
  return operate<Call>(arguments, []<class T>(const kernels::AttentionParams<T>& params, Tensors& results) {
    const Tensor out = results.next(), lse = results.next();
    const WithoutLock others_run;
    kernels::attention_forward(params, kernels::AttentionForward<T>{out.numbers<T>(), strides_of(out), lse.numbers<Plain<T>>()});
  });
}

PyObject* attention_backward(PyObject*, PyObject* arguments) {
  return operate<Call>(arguments, []<class T>(const kernels::AttentionParams<T>& params, Tensors& results) {
    const Tensor out = results.next(), lse = results.next(), d_out = results.next(), d_lse = results.next(), d_q = results.next(), d_k = results.next(), d_v = results.next(),
                 d_scale = results.next(), d_bias = results.next();
    kernels::AttentionBackward<T> backward;
    backward.out = out.numbers<T>(), backward.out_strides = strides_of(out);
    backward.lse = lse.numbers<Plain<T>>();
    backward.d_out = d_out.numbers<T>(), backward.d_out_strides = strides_of(d_out);
    backward.d_lse = d_lse.numbers<Plain<T>>();
    backward.d_q = d_q.numbers<T>(), backward.d_q_strides = strides_of(d_q);
    backward.d_k = d_k.numbers<T>(), backward.d_k_strides = strides_of(d_k);
    backward.d_v = d_v.numbers<T>(), backward.d_v_strides = strides_of(d_v);
    backward.d_scale = d_scale.numbers<Plain<T>>(), backward.d_bias = d_bias.numbers<Plain<T>>();
    const WithoutLock others_run;
    kernels::attention_backward(params, backward);
  });
}

}  // namespace calor::python
