// torch's tensors as Python names them: address and strides.  Whoever calls keeps them alive, on the CPU, of the sizes and types that it says.
#pragma once

#include <array>
#include <cstdint>

#include "python.h"

namespace calor::python {

struct Tensor {
  std::uintptr_t address = 0;  // 0: none
  std::array<std::int64_t, 3> strides{};  // of the dimensions but the last, in elements; 0 for those that it lacks

  template <class T>
  T* numbers() const { return reinterpret_cast<T*>(address); }
};

// The tensors of a tuple, one after the other: each (address, stride, ...) or None.
class Tensors {
 public:
  explicit Tensors(PyObject* tuple) : tuple_(tuple) {}
  Tensor next();

 private:
  PyObject* tuple_;
  Py_ssize_t at_ = 0;
};

// Others of the interpreter's threads run while this lives.
class WithoutLock {
 public:
  WithoutLock() : state_(PyEval_SaveThread()) {}
  ~WithoutLock() { PyEval_RestoreThread(state_); }
  WithoutLock(const WithoutLock&) = delete;
  WithoutLock& operator=(const WithoutLock&) = delete;

 private:
  PyThreadState* state_;
};

// An operator: Call reads the arguments and says their type, its parameters go to work(parameters, tensors to fill).
template <class Call, class Work>
PyObject* operate(PyObject* arguments, const Work& work) {
  return guarded([&] {
    const Call call(arguments);
    call.in_type([&](auto number) {
      const auto params = call.template params<decltype(number)>();
      Tensors results(call.results);
      work(params, results);
    });
    return Object(borrowed(Py_None));
  });
}

}  // namespace calor::python
