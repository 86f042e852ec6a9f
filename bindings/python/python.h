// Python's limited API (3.11 on), and what the module's files share: owned references, errors as exceptions, arrays in and out.
#pragma once

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000
#include <Python.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "calor/engine/matrix.h"

namespace calor::python {

// A Python exception is set; unwinds to `guarded`.
struct Raised {};

// A reference that is owned here.
class Object {
 public:
  Object() = default;
  explicit Object(PyObject* owned) : object_(owned) {
    if (!owned) throw Raised{};
  }
  Object(Object&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Object& operator=(Object&& other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Object() { Py_XDECREF(object_); }
  PyObject* get() const { return object_; }
  PyObject* release() { return std::exchange(object_, nullptr); }

 private:
  PyObject* object_ = nullptr;
};

inline PyObject* borrowed(PyObject* object) {
  Py_INCREF(object);
  return object;
}

[[noreturn]] void raise(PyObject* kind, const std::string& text);

// Sets the Python exception of the C++ one that is being handled: usage, input and the like ValueError, memory MemoryError, interruptions
// KeyboardInterrupt, the rest RuntimeError, each with the engine's text.
void set_exception() noexcept;

template <class Action>
PyObject* guarded(Action action) noexcept {
  try {
    return action().release();
  } catch (...) {
    set_exception();
    return nullptr;
  }
}

// What a dict holds under a name, borrowed; null where it holds nothing or None.
PyObject* item(PyObject* dict, const char* name);

// Texts.
Object text_of(const std::string& text);
std::string text_from(PyObject* object);
std::vector<std::string> texts_from(PyObject* list);
Object texts_of(const std::vector<std::string>& texts);

void set(PyObject* dict, const char* name, Object value);

// An array as (bytearray, format, shape): numpy.frombuffer takes it without another copy.
Object array_of(const double* values, std::vector<std::int64_t> shape);
Object array_of(const std::int64_t* values, std::vector<std::int64_t> shape);
Object array_of(const std::int32_t* values, std::vector<std::int64_t> shape);
Object array_of(const engine::Matrix& matrix);
Object array_of(const engine::Vector& vector);

// Numbers of anything with the buffer protocol: a matrix of doubles or floats with any strides; vectors of one type.
engine::Matrix matrix_from(PyObject* buffer);
template <class Number>
std::vector<Number> vector_from(PyObject* buffer);

}  // namespace calor::python
