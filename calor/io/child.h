// Work in a process of its own, for libraries that crash on damaged files: what ends the child is an error here.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "calor/core/progress.h"

namespace calor::io {

// Writes values to the parent: numbers, texts, and lists of these.
class Sender {
 public:
  explicit Sender(int pipe) : pipe_(pipe) {}
  template <class T>
    requires std::is_arithmetic_v<T>
  void operator()(const T& value) { write(&value, sizeof value); }
  void operator()(const std::string& text) {
    (*this)(std::uint64_t{text.size()});
    write(text.data(), text.size());
  }
  template <class T>
  void operator()(const std::vector<T>& list) {
    (*this)(std::uint64_t{list.size()});
    if constexpr (std::is_arithmetic_v<T>) write(list.data(), list.size() * sizeof(T));
    else
      for (const T& item : list) (*this)(item);
  }

 private:
  void write(const void* bytes, std::size_t size);
  int pipe_;
};

// Reads them in the same order.  A child that crashed may have written anything: sizes are asked of the memory limit.
class Receiver {
 public:
  Receiver(int pipe, const std::string& place, const Context& context) : pipe_(pipe), place_(place), context_(context) {}
  template <class T>
    requires std::is_arithmetic_v<T>
  void operator()(T& value) { read(&value, sizeof value); }
  void operator()(std::string& text) {
    text.resize(size(1));
    read(text.data(), text.size());
  }
  template <class T>
  void operator()(std::vector<T>& list) {
    list.resize(size(sizeof(T)));
    if constexpr (std::is_arithmetic_v<T>) read(list.data(), list.size() * sizeof(T));
    else
      for (T& item : list) (*this)(item);
  }

 private:
  void read(void* bytes, std::size_t size);
  std::size_t size(std::size_t element);
  int pipe_;
  const std::string& place_;
  const Context& context_;
};

// Called by work(): a child that then takes more processor time than that, without another call, is stopped as one that does not end.
void allow_child(double seconds);

// Runs work() in a child, which then runs send(), while receive() takes what it sends here.  An Error of work() is thrown here; a
// child that crashes or does not end is one: Fault::input, "[op] expected a sound file, found one at which `library` fails (place)".  The child inherits the
// caller's memory as it is at the call and neither threads nor progress; it is stopped as soon as the context says so,
// and cannot take much more memory than the context's limit.
void run_in_child(const std::function<void()>& work, const std::function<void(Sender&)>& send, const std::function<void(Receiver&)>& receive,
                  std::string_view op, std::string_view library, const std::string& place, const Context& context);

}  // namespace calor::io
