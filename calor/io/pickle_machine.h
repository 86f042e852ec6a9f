// The virtual machine that a pickle is written for: a stack, marks in it, and a memo of values by number.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "calor/io/pickle.h"

namespace calor::io {

inline constexpr std::string_view damaged_pickle = "the file is damaged; fetch or write it again", truncated_pickle = "the file is truncated; fetch or write it again",
                                  foreign_pickle = "load it in Python and save the arrays with numpy.savez";

// What may be called or built.
enum class Global { defaultdict, list, object, bytes, encode, reconstructor, ndarray, dtype, reconstruct, frombuffer, csr };

inline bool is_global(const PickleValue& value, Global global) { return value.kind == PickleKind::global && value.whole == static_cast<std::int64_t>(global); }

class PickleMachine {
 public:
  explicit PickleMachine(Pickle& pickle) : pickle_(pickle), bytes_(pickle.bytes_) {}
  const PickleValue* run();

 private:
  [[noreturn]] void refuse(std::string_view expected, std::string_view found, std::string_view remedy = damaged_pickle) const;
  void expect(const PickleValue& value, PickleKind kind, std::string_view what) const;

  // Asks the limit for more memory.
  void charge(std::uint64_t bytes);

  // The bytes.
  std::string_view take(std::uint64_t count);
  std::string_view line();
  std::uint64_t natural(std::size_t size);
  std::int64_t decimal(std::string_view digits) const;

  // The stack; a value that is made lies on it.
  PickleValue& make(PickleKind kind);
  void push(PickleValue* value);
  PickleValue* top() const;
  PickleValue* pop();
  std::vector<const PickleValue*> pop_mark();
  std::vector<const PickleValue*> pairs();
  PickleValue& open(PickleKind kind) const;
  void append(PickleValue& value, const std::vector<const PickleValue*>& items);
  std::string_view keep(std::string decoded);
  PickleValue* remembered(std::uint64_t number) const;
  void remember(std::uint64_t number);

  // The opcodes of each group; false for one of another.
  bool number(unsigned char op);
  bool text(unsigned char op);
  bool container(unsigned char op);
  bool stack(unsigned char op);
  bool object(unsigned char op);
  void whole(std::int64_t value) { make(PickleKind::whole).whole = value; }
  void truth(bool value) { make(PickleKind::boolean).whole = value; }
  void long_integer(std::uint64_t size);
  std::string unicode(std::string_view raw) const;

  // Classes and functions (pickle_objects.cpp).
  void global(std::string_view module, std::string_view name);
  void call(const PickleValue& function, const std::vector<const PickleValue*>& arguments);
  std::string_view latin1(std::string_view utf8);
  void set_type(PickleValue& type, const PickleValue& name, std::string_view order);
  void set_array(PickleValue& value, const PickleValue& type, const PickleValue& shape, bool fortran, const PickleValue& content);
  void build(PickleValue& value, const PickleValue& state);

  Pickle& pickle_;
  std::string_view bytes_;
  std::size_t at_ = 0, opcode_at_ = 0;
  std::vector<PickleValue*> stack_;
  std::vector<std::size_t> marks_;  // sizes of the stack
  std::unordered_map<std::uint64_t, PickleValue*> memo_;
  std::uint64_t held_ = 0, asked_ = 0;
};

}  // namespace calor::io
