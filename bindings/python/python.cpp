#include "python.h"

#include <cstring>
#include <new>
#include <string_view>

#include "calor/core/error.h"

namespace calor::python {

void raise(PyObject* kind, const std::string& text) {
  PyErr_SetString(kind, text.c_str());
  throw Raised{};
}

static PyObject* kind_of(Fault fault) {
  switch (fault) {
    case Fault::memory: return PyExc_MemoryError;
    case Fault::interrupted: return PyExc_KeyboardInterrupt;
    case Fault::internal: return PyExc_RuntimeError;
    default: return PyExc_ValueError;
  }
}

void set_exception() noexcept {
  try {
    throw;
  } catch (const Raised&) {
  } catch (const Error& error) {
    PyErr_SetString(kind_of(error.fault()), error.what());
  } catch (const std::bad_alloc&) {
    PyErr_SetString(PyExc_MemoryError, "[calor] expected enough memory, found none left: give less data, or a max_memory limit");
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  } catch (...) {
    PyErr_SetString(PyExc_RuntimeError, "[calor] internal error");
  }
}

PyObject* item(PyObject* dict, const char* name) {
  PyObject* found = PyDict_GetItemString(dict, name);
  return found && found != Py_None ? found : nullptr;
}

Object text_of(const std::string& text) { return Object(PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace")); }

std::string text_from(PyObject* object) {
  Py_ssize_t size = 0;
  const char* text = PyUnicode_AsUTF8AndSize(object, &size);
  if (!text) throw Raised{};
  return {text, static_cast<std::size_t>(size)};
}

std::vector<std::string> texts_from(PyObject* list) {
  std::vector<std::string> texts;
  if (!list) return texts;
  const Py_ssize_t count = PyList_Size(list);
  if (count < 0) throw Raised{};
  for (Py_ssize_t i = 0; i < count; ++i) texts.push_back(text_from(PyList_GetItem(list, i)));
  return texts;
}

Object texts_of(const std::vector<std::string>& texts) {
  Object list(PyList_New(static_cast<Py_ssize_t>(texts.size())));
  for (std::size_t i = 0; i < texts.size(); ++i) PyList_SetItem(list.get(), static_cast<Py_ssize_t>(i), text_of(texts[i]).release());
  return list;
}

void set(PyObject* dict, const char* name, Object value) {
  if (PyDict_SetItemString(dict, name, value.get()) < 0) throw Raised{};
}

static Object packed(const void* values, std::size_t size, const char* format, const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t length : shape) count *= length;
  Object bytes(PyByteArray_FromStringAndSize(static_cast<const char*>(values), static_cast<Py_ssize_t>(count) * static_cast<Py_ssize_t>(size)));
  Object lengths(PyTuple_New(static_cast<Py_ssize_t>(shape.size())));
  for (std::size_t d = 0; d < shape.size(); ++d) PyTuple_SetItem(lengths.get(), static_cast<Py_ssize_t>(d), Object(PyLong_FromLongLong(shape[d])).release());
  return Object(Py_BuildValue("(OsO)", bytes.get(), format, lengths.get()));
}

Object array_of(const double* values, std::vector<std::int64_t> shape) { return packed(values, sizeof *values, "f8", shape); }
Object array_of(const std::int64_t* values, std::vector<std::int64_t> shape) { return packed(values, sizeof *values, "i8", shape); }
Object array_of(const std::int32_t* values, std::vector<std::int64_t> shape) { return packed(values, sizeof *values, "i4", shape); }
Object array_of(const engine::Matrix& matrix) { return array_of(matrix.data(), {matrix.rows(), matrix.cols()}); }
Object array_of(const engine::Vector& vector) { return array_of(vector.data(), {vector.size()}); }

namespace {

class Buffer {
 public:
  Buffer(PyObject* object, int dimensions) {
    if (PyObject_GetBuffer(object, &view_, PyBUF_STRIDES | PyBUF_FORMAT) < 0) throw Raised{};
    if (view_.ndim == dimensions) return;
    PyBuffer_Release(&view_);
    raise(PyExc_ValueError, "[calor] expected an array of " + std::to_string(dimensions) + " dimensions, found one of " + std::to_string(view_.ndim));
  }
  Buffer(const Buffer&) = delete;
  ~Buffer() { PyBuffer_Release(&view_); }
  // The letter of the type, without the order of bytes.
  std::string_view format() const {
    const std::string_view text = view_.format ? view_.format : "B";
    return text.starts_with('<') || text.starts_with('=') || text.starts_with('@') ? text.substr(1) : text;
  }
  Py_ssize_t length(int dimension) const { return view_.shape[dimension]; }
  const char* at(Py_ssize_t i) const { return static_cast<const char*>(view_.buf) + i * view_.strides[0]; }
  Py_ssize_t stride(int dimension) const { return view_.strides[dimension]; }

 private:
  Py_buffer view_{};
};

template <class Number>
void copy_rows(const Buffer& from, engine::Matrix& to) {
  const Py_ssize_t step = from.stride(1);
  const auto bytes = static_cast<std::size_t>(to.cols()) * sizeof(double);
  for (Eigen::Index i = 0; i < to.rows(); ++i) {
    const char* value = from.at(i);
    double* row = to.data() + i * to.cols();
    if (std::is_same_v<Number, double> && step == sizeof(double)) {
      if (bytes) std::memcpy(row, value, bytes);
      continue;
    }
    for (Eigen::Index c = 0; c < to.cols(); ++c, value += step) {
      Number number;
      std::memcpy(&number, value, sizeof number);
      row[c] = static_cast<double>(number);
    }
  }
}

template <class Number>
bool is_format(std::string_view format);
template <>
bool is_format<double>(std::string_view format) { return format == "d"; }
template <>
bool is_format<std::int64_t>(std::string_view format) { return format == "l" || format == "q"; }
template <>
bool is_format<std::int32_t>(std::string_view format) { return format == "i"; }

}  // namespace

engine::Matrix matrix_from(PyObject* object) {
  const Buffer buffer(object, 2);
  engine::Matrix matrix(buffer.length(0), buffer.length(1));
  if (buffer.format() == "d") copy_rows<double>(buffer, matrix);
  else if (buffer.format() == "f") copy_rows<float>(buffer, matrix);
  else raise(PyExc_TypeError, "[calor] expected numbers of 32 or 64 bits, found the format \"" + std::string(buffer.format()) + "\"");
  return matrix;
}

template <class Number>
std::vector<Number> vector_from(PyObject* object) {
  const Buffer buffer(object, 1);
  if (!is_format<Number>(buffer.format())) raise(PyExc_TypeError, "[calor] expected another type of number, found the format \"" + std::string(buffer.format()) + "\"");
  std::vector<Number> values(static_cast<std::size_t>(buffer.length(0)));
  for (std::size_t i = 0; i < values.size(); ++i) std::memcpy(&values[i], buffer.at(static_cast<Py_ssize_t>(i)), sizeof(Number));
  return values;
}

template std::vector<double> vector_from(PyObject*);
template std::vector<std::int64_t> vector_from(PyObject*);
template std::vector<std::int32_t> vector_from(PyObject*);

}  // namespace calor::python
