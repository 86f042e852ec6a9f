#include "tensors.h"

namespace calor::python {

Tensor Tensors::next() {
  PyObject* given = PyTuple_GetItem(tuple_, at_++);
  if (!given) throw Raised{};
  Tensor tensor;
  if (given == Py_None) return tensor;
  const Py_ssize_t count = PyTuple_Size(given);
  if (count < 1 || count > 4) raise(PyExc_TypeError, "[calor] expected a tensor as (address, strides), at most three");
  tensor.address = static_cast<std::uintptr_t>(PyLong_AsUnsignedLongLong(PyTuple_GetItem(given, 0)));
  for (Py_ssize_t i = 1; i < count; ++i) tensor.strides[static_cast<std::size_t>(i - 1)] = PyLong_AsLongLong(PyTuple_GetItem(given, i));
  if (PyErr_Occurred()) throw Raised{};
  return tensor;
}

}  // namespace calor::python
