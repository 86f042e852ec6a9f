// The machine's bytes, stack and memo: what all of its opcodes use.
#include "calor/io/pickle_machine.h"

#include <charconv>

#include "calor/core/error.h"

namespace calor::io {

void PickleMachine::refuse(std::string_view expected, std::string_view found, std::string_view remedy) const {
  fail(Fault::input, "[pickle] expected {}, found {} ({}, byte {}): {}", expected, found, pickle_.place_, opcode_at_ + 1, remedy);
}

void PickleMachine::expect(const PickleValue& value, PickleKind kind, std::string_view what) const {
  if (value.kind != kind) refuse(fmt::format("{} as {}", name_of(kind), what), name_of(value.kind));
}

// Asked of the limit ahead, a half more each time.
void PickleMachine::charge(std::uint64_t bytes) {
  held_ += bytes;
  if (held_ <= asked_) return;
  asked_ = held_ + held_ / 2;
  pickle_.context_.memory.require(asked_, "pickle", fmt::format("the values of {}", pickle_.place_), "use a smaller file, or raise --max-memory");
}

// The bytes.
std::string_view PickleMachine::take(std::uint64_t count) {
  if (count > bytes_.size() - at_) refuse(fmt::format("{} more byte{}", count, count == 1 ? "" : "s"), fmt::format("{}", bytes_.size() - at_), truncated_pickle);
  const std::string_view taken = bytes_.substr(at_, count);
  at_ += count;
  return taken;
}

std::string_view PickleMachine::line() {
  const std::size_t end = bytes_.find('\n', at_);
  if (end == std::string_view::npos) refuse("a line", "no end of it", truncated_pickle);
  const std::string_view taken = bytes_.substr(at_, end - at_);
  at_ = end + 1;
  return taken;
}

std::uint64_t PickleMachine::natural(std::size_t size) {
  std::uint64_t value = 0;
  const std::string_view digits = take(size);
  for (std::size_t i = 0; i < size; ++i) value |= std::uint64_t{static_cast<unsigned char>(digits[i])} << (8 * i);
  return value;
}

std::int64_t PickleMachine::decimal(std::string_view digits) const {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) refuse("a whole number of at most 64 bits", fmt::format("\"{}\"", digits.substr(0, 40)));
  return value;
}

// The stack.
PickleValue& PickleMachine::make(PickleKind kind) {
  charge(sizeof(PickleValue) + 2 * sizeof(void*));
  pickle_.values_.emplace_back();
  pickle_.values_.back().kind = kind;
  stack_.push_back(&pickle_.values_.back());
  return *stack_.back();
}

void PickleMachine::push(PickleValue* value) {
  charge(2 * sizeof(void*));
  stack_.push_back(value);
}

PickleValue* PickleMachine::top() const {
  if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) refuse("a value on the stack", "none");
  return stack_.back();
}

PickleValue* PickleMachine::pop() {
  PickleValue* const value = top();
  stack_.pop_back();
  return value;
}

// The values above the last mark, which goes.
std::vector<const PickleValue*> PickleMachine::pop_mark() {
  if (marks_.empty()) refuse("a mark on the stack", "none");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<const PickleValue*> values(begin, stack_.end());
  charge(values.size() * sizeof(void*));
  stack_.erase(begin, stack_.end());
  marks_.pop_back();
  return values;
}

void PickleMachine::append(PickleValue& value, const std::vector<const PickleValue*>& items) {
  charge(2 * items.size() * sizeof(void*));
  value.items.insert(value.items.end(), items.begin(), items.end());
}

std::string_view PickleMachine::keep(std::string decoded) {
  charge(decoded.size() + sizeof(std::string));
  return pickle_.decoded_.emplace_back(std::move(decoded));
}

PickleValue* PickleMachine::remembered(std::uint64_t number) const {
  const auto found = memo_.find(number);
  if (found == memo_.end()) refuse("the number of a value that came before", fmt::format("{}", number));
  return found->second;
}

void PickleMachine::remember(std::uint64_t number) {
  constexpr std::uint64_t entry = 8 * sizeof(void*);  // of a hash table
  charge(entry);
  memo_[number] = top();
}

}  // namespace calor::io
