#include "calor/io/pickle.h"

#include <bit>
#include <optional>

#include "calor/core/error.h"
#include "calor/io/number.h"
#include "calor/io/pickle_machine.h"

namespace calor::io {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The number that so many hexadecimal digits write; nothing where there are fewer.
std::optional<std::uint32_t> hex_number(std::string_view text, std::size_t digits) {
  std::uint32_t number = 0;
  if (text.size() < digits) return {};
  for (const char c : text.substr(0, digits)) {
    const int digit = hex_digit(c);
    if (digit < 0) return {};
    number = number << 4 | static_cast<std::uint32_t>(digit);
  }
  return number;
}

// What Python's repr wrote between quotes.
std::string unescaped(std::string_view text) {
  constexpr std::string_view letters = "abfnrtv\\'\"", meanings = "\a\b\f\n\r\t\v\\'\"";
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = i + 1 < text.size() ? text[i + 1] : ' ';
    if (text[i] != '\\') plain += text[i];
    else if (const auto code = next == 'x' ? hex_number(text.substr(i + 2), 2) : std::nullopt) plain += static_cast<char>(*code), i += 3;
    else if (const std::size_t letter = letters.find(next); letter != std::string_view::npos) plain += meanings[letter], ++i;
    else plain += '\\';
  }
  return plain;
}

}  // namespace

bool PickleMachine::number(unsigned char op) {
  switch (op) {
    case 'N': make(PickleKind::none); return true;
    case 0x88: truth(true); return true;
    case 0x89: truth(false); return true;
    case 'J': whole(static_cast<std::int32_t>(natural(4))); return true;
    case 'K': whole(static_cast<std::int64_t>(natural(1))); return true;
    case 'M': whole(static_cast<std::int64_t>(natural(2))); return true;
    case 'G': {
      const std::string_view big_endian = take(8);
      std::uint64_t bits = 0;
      for (const char c : big_endian) bits = bits << 8 | static_cast<unsigned char>(c);
      make(PickleKind::real).real = std::bit_cast<double>(bits);
      return true;
    }
    case 'I': {
      const std::string_view digits = line();
      if (digits == "00" || digits == "01") truth(digits == "01");
      else whole(decimal(digits));
      return true;
    }
    case 'L': {
      std::string_view digits = line();
      if (digits.ends_with('L')) digits.remove_suffix(1);
      whole(decimal(digits));
      return true;
    }
    case 0x8a: long_integer(natural(1)); return true;
    case 0x8b: long_integer(natural(4)); return true;
    case 'F': {
      const std::string_view digits = line();
      const auto value = parse_number(digits);
      if (!value) refuse("a number", fmt::format("\"{}\"", digits.substr(0, 40)));
      make(PickleKind::real).real = *value;
      return true;
    }
    default: return false;
  }
}

// Two's complement of any size.
void PickleMachine::long_integer(std::uint64_t size) {
  if (size > 8) refuse("a whole number of at most 64 bits", fmt::format("one of {} bytes", size), foreign_pickle);
  const std::uint64_t bits = natural(size), unused = 64 - 8 * size;
  whole(size == 0 ? 0 : static_cast<std::int64_t>(bits << unused) >> unused);
}

bool PickleMachine::text(unsigned char op) {
  const auto make_text = [&](PickleKind kind, std::string_view content) {
    make(kind).text = content;
    return true;
  };
  switch (op) {
    case 'U': case 'C': return make_text(PickleKind::bytes, take(natural(1)));
    case 'T': case 'B': return make_text(PickleKind::bytes, take(natural(4)));
    case 0x8e: case 0x96: return make_text(PickleKind::bytes, take(natural(8)));
    case 0x8c: return make_text(PickleKind::text, take(natural(1)));
    case 'X': return make_text(PickleKind::text, take(natural(4)));
    case 0x8d: return make_text(PickleKind::text, take(natural(8)));
    case 'S': {
      const std::string_view quoted = line();
      const bool whole = quoted.size() >= 2 && (quoted[0] == '\'' || quoted[0] == '"') && quoted.back() == quoted[0];
      if (!whole) refuse("a text in quotes", fmt::format("\"{}\"", quoted.substr(0, 40)));
      return make_text(PickleKind::bytes, keep(unescaped(quoted.substr(1, quoted.size() - 2))));
    }
    case 'V': return make_text(PickleKind::text, keep(unicode(line())));
    default: return false;
  }
}

// raw-unicode-escape: bytes are code points, beside \uXXXX and \UXXXXXXXX.
std::string PickleMachine::unicode(std::string_view raw) const {
  std::string plain;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const std::size_t digits = raw.substr(i).starts_with("\\u") ? 4 : raw.substr(i).starts_with("\\U") ? 8 : 0;
    const auto code = digits ? hex_number(raw.substr(i + 2), digits) : std::uint32_t{static_cast<unsigned char>(raw[i])};
    if (!code || *code > 0x10FFFF) refuse("a character's number", fmt::format("\"{}\"", raw.substr(i, 10)));
    append_utf8(plain, *code);
    i += digits ? digits + 1 : 0;
  }
  return plain;
}

bool PickleMachine::container(unsigned char op) {
  switch (op) {
    case ']': make(PickleKind::list); return true;
    case '}': make(PickleKind::dictionary); return true;
    case ')': make(PickleKind::tuple); return true;
    case 'l': case 't': {
      std::vector<const PickleValue*> items = pop_mark();
      make(op == 'l' ? PickleKind::list : PickleKind::tuple).items = std::move(items);
      return true;
    }
    case 'd': {
      std::vector<const PickleValue*> items = pairs();
      make(PickleKind::dictionary).items = std::move(items);
      return true;
    }
    case 0x85: case 0x86: case 0x87: {
      std::vector<const PickleValue*> items(op - 0x84u);
      for (std::size_t i = items.size(); i-- > 0;) items[i] = pop();
      charge(items.size() * sizeof(void*));
      make(PickleKind::tuple).items = std::move(items);
      return true;
    }
    case 'a': {
      const PickleValue* const item = pop();
      append(open(PickleKind::list), {item});
      return true;
    }
    case 'e': {
      const std::vector<const PickleValue*> items = pop_mark();
      append(open(PickleKind::list), items);
      return true;
    }
    case 's': {
      const PickleValue* const value = pop();
      const PickleValue* const key = pop();
      append(open(PickleKind::dictionary), {key, value});
      return true;
    }
    case 'u': {
      const std::vector<const PickleValue*> items = pairs();
      append(open(PickleKind::dictionary), items);
      return true;
    }
    default: return false;
  }
}

std::vector<const PickleValue*> PickleMachine::pairs() {
  std::vector<const PickleValue*> items = pop_mark();
  if (items.size() % 2 != 0) refuse("a value of every key", "one without");
  return items;
}

// The container on top of the stack, which is added to.
PickleValue& PickleMachine::open(PickleKind kind) const {
  expect(*top(), kind, "what is added to");
  return *top();
}

bool PickleMachine::stack(unsigned char op) {
  switch (op) {
    case '(':
      charge(2 * sizeof(std::size_t));
      marks_.push_back(stack_.size());
      return true;
    case '0':
      if (!marks_.empty() && marks_.back() == stack_.size()) marks_.pop_back();
      else pop();
      return true;
    case '1': pop_mark(); return true;
    case '2': push(top()); return true;
    case 'g': push(remembered(static_cast<std::uint64_t>(decimal(line())))); return true;
    case 'h': push(remembered(natural(1))); return true;
    case 'j': push(remembered(natural(4))); return true;
    case 'p': remember(static_cast<std::uint64_t>(decimal(line()))); return true;
    case 'q': remember(natural(1)); return true;
    case 'r': remember(natural(4)); return true;
    case 0x94: remember(memo_.size()); return true;
    case 0x80: {
      const std::uint64_t protocol = natural(1);
      if (protocol > 5) refuse("protocol 0 to 5", fmt::format("{}", protocol), foreign_pickle);
      return true;
    }
    case 0x95: {
      const std::uint64_t frame = natural(8), left = bytes_.size() - at_;
      if (frame > left) refuse(fmt::format("a frame of at most {} bytes", left), fmt::format("{}", frame), truncated_pickle);
      return true;
    }
    default: return false;
  }
}

bool PickleMachine::object(unsigned char op) {
  switch (op) {
    case 'c': {
      const std::string_view module = line();
      global(module, line());
      return true;
    }
    case 0x93: {
      const PickleValue* const name = pop();
      const PickleValue* const module = pop();
      expect(*name, PickleKind::text, "a name");
      expect(*module, PickleKind::text, "a module");
      global(module->text, name->text);
      return true;
    }
    case 'R': {
      const PickleValue* const arguments = pop();
      const PickleValue* const function = pop();
      expect(*arguments, PickleKind::tuple, "arguments");
      expect(*function, PickleKind::global, "what is called");
      call(*function, arguments->items);
      return true;
    }
    case 0x81: {
      const PickleValue* const arguments = pop();
      const PickleValue* const made = pop();
      expect(*arguments, PickleKind::tuple, "arguments");
      if (!is_global(*made, Global::csr) || !arguments->items.empty()) refuse("a new sparse matrix",
          made->kind == PickleKind::global ? made->text : name_of(made->kind), foreign_pickle);
      make(PickleKind::sparse);
      return true;
    }
    case 'b': {
      const PickleValue* const state = pop();
      build(*top(), *state);
      return true;
    }
    default: return false;
  }
}

const PickleValue* PickleMachine::run() {
  for (std::uint64_t steps = 0;; ++steps) {
    if (steps % 65536 == 0) pickle_.context_.check_stop("pickle");
    opcode_at_ = at_;
    const auto op = static_cast<unsigned char>(take(1)[0]);
    if (op == '.') return pop();
    if (!number(op) && !text(op) && !container(op) && !stack(op) && !object(op))
      refuse("an opcode of numbers, texts, lists, dictionaries and arrays", op > ' ' && op < 0x7F ? fmt::format("\"{:c}\"", op) : fmt::format("0x{:02x}",
          op), foreign_pickle);
  }
}

Pickle::Pickle(std::string bytes, std::string place, const Context& context) : bytes_(std::move(bytes)), place_(std::move(place)), context_(context) {
  root_ = PickleMachine(*this).run();
}

}  // namespace calor::io
