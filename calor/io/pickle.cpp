#include "calor/io/pickle.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <limits>
#include <optional>

#include "calor/core/error.h"
#include "calor/io/npy.h"
#include "calor/io/number.h"

namespace calor::io {

namespace {

constexpr std::string_view damaged = "the file is damaged; fetch or write it again", truncated = "the file is truncated; fetch or write it again",
                           foreign = "load it in Python and save the arrays with numpy.savez";

enum class Global { defaultdict, list, object, bytes, encode, reconstructor, ndarray, dtype, reconstruct, frombuffer, csr };

struct Known {
  std::string_view module, name;
  Global global;
};

// All that may be named, as Python 2 and 3, and numpy and scipy before and after their modules moved, name it.
constexpr Known known_globals[] = {
    {"collections", "defaultdict", Global::defaultdict},
    {"__builtin__", "list", Global::list},
    {"builtins", "list", Global::list},
    {"__builtin__", "object", Global::object},
    {"builtins", "object", Global::object},
    {"__builtin__", "bytes", Global::bytes},
    {"builtins", "bytes", Global::bytes},
    {"_codecs", "encode", Global::encode},
    {"copy_reg", "_reconstructor", Global::reconstructor},
    {"copyreg", "_reconstructor", Global::reconstructor},
    {"numpy", "ndarray", Global::ndarray},
    {"numpy", "dtype", Global::dtype},
    {"numpy.core.multiarray", "_reconstruct", Global::reconstruct},
    {"numpy._core.multiarray", "_reconstruct", Global::reconstruct},
    {"numpy.core.numeric", "_frombuffer", Global::frombuffer},
    {"numpy._core.numeric", "_frombuffer", Global::frombuffer},
    {"scipy.sparse.csr", "csr_matrix", Global::csr},
    {"scipy.sparse._csr", "csr_matrix", Global::csr},
    {"scipy.sparse._csr", "csr_array", Global::csr},
};

bool is_global(const PickleValue& value, Global global) { return value.kind == PickleKind::global && value.whole == static_cast<std::int64_t>(global); }

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

// The virtual machine that a pickle is written for: a stack, marks in it, and a memo of values by number.
class PickleMachine {
 public:
  explicit PickleMachine(Pickle& pickle) : pickle_(pickle), bytes_(pickle.bytes_) {}

  const PickleValue* run() {
    for (std::uint64_t steps = 0;; ++steps) {
      if (steps % 65536 == 0) pickle_.context_.check_stop("pickle");
      opcode_at_ = at_;
      const auto op = static_cast<unsigned char>(take(1)[0]);
      if (op == '.') return pop();
      if (!number(op) && !text(op) && !container(op) && !stack(op) && !object(op))
        refuse("an opcode of numbers, texts, lists, dictionaries and arrays", op > ' ' && op < 0x7F ? fmt::format("\"{:c}\"", op) : fmt::format("0x{:02x}", op), foreign);
    }
  }

 private:
  [[noreturn]] void refuse(std::string_view expected, std::string_view found, std::string_view remedy = damaged) const {
    fail(Fault::input, "[pickle] expected {}, found {} ({}, byte {}): {}", expected, found, pickle_.place_, opcode_at_ + 1, remedy);
  }
  void expect(const PickleValue& value, PickleKind kind, std::string_view what) const {
    if (value.kind != kind) refuse(fmt::format("{} as {}", name_of(kind), what), name_of(value.kind));
  }

  // Asked of the limit ahead, a half more each time.
  void charge(std::uint64_t bytes) {
    held_ += bytes;
    if (held_ <= asked_) return;
    asked_ = held_ + held_ / 2;
    pickle_.context_.memory.require(asked_, "pickle", fmt::format("the values of {}", pickle_.place_), "use a smaller file, or raise --max-memory");
  }

  // The bytes.
  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size() - at_) refuse(fmt::format("{} more byte{}", count, count == 1 ? "" : "s"), fmt::format("{}", bytes_.size() - at_), truncated);
    const std::string_view taken = bytes_.substr(at_, count);
    at_ += count;
    return taken;
  }
  std::string_view line() {
    const std::size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) refuse("a line", "no end of it", truncated);
    const std::string_view taken = bytes_.substr(at_, end - at_);
    at_ = end + 1;
    return taken;
  }
  std::uint64_t natural(std::size_t size) {
    std::uint64_t value = 0;
    const std::string_view digits = take(size);
    for (std::size_t i = 0; i < size; ++i) value |= std::uint64_t{static_cast<unsigned char>(digits[i])} << (8 * i);
    return value;
  }
  std::int64_t decimal(std::string_view digits) const {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) refuse("a whole number of at most 64 bits", fmt::format("\"{}\"", digits.substr(0, 40)));
    return value;
  }

  // The stack.
  PickleValue& make(PickleKind kind) {
    charge(sizeof(PickleValue) + 2 * sizeof(void*));
    pickle_.values_.emplace_back();
    pickle_.values_.back().kind = kind;
    stack_.push_back(&pickle_.values_.back());
    return *stack_.back();
  }
  void push(PickleValue* value) {
    charge(2 * sizeof(void*));
    stack_.push_back(value);
  }
  PickleValue* top() const {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) refuse("a value on the stack", "none");
    return stack_.back();
  }
  PickleValue* pop() {
    PickleValue* const value = top();
    stack_.pop_back();
    return value;
  }
  // The values above the last mark, which goes.
  std::vector<const PickleValue*> pop_mark() {
    if (marks_.empty()) refuse("a mark on the stack", "none");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<const PickleValue*> values(begin, stack_.end());
    charge(values.size() * sizeof(void*));
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return values;
  }
  void append(PickleValue& value, const std::vector<const PickleValue*>& items) {
    charge(2 * items.size() * sizeof(void*));
    value.items.insert(value.items.end(), items.begin(), items.end());
  }
  std::string_view keep(std::string decoded) {
    charge(decoded.size() + sizeof(std::string));
    return pickle_.decoded_.emplace_back(std::move(decoded));
  }

  void whole(std::int64_t value) { make(PickleKind::whole).whole = value; }
  void truth(bool value) { make(PickleKind::boolean).whole = value; }

  bool number(unsigned char op) {
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
  void long_integer(std::uint64_t size) {
    if (size > 8) refuse("a whole number of at most 64 bits", fmt::format("one of {} bytes", size), foreign);
    const std::uint64_t bits = natural(size), unused = 64 - 8 * size;
    whole(size == 0 ? 0 : static_cast<std::int64_t>(bits << unused) >> unused);
  }

  bool text(unsigned char op) {
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
  std::string unicode(std::string_view raw) const {
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

  bool container(unsigned char op) {
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

  std::vector<const PickleValue*> pairs() {
    std::vector<const PickleValue*> items = pop_mark();
    if (items.size() % 2 != 0) refuse("a value of every key", "one without");
    return items;
  }
  // The container on top of the stack, which is added to.
  PickleValue& open(PickleKind kind) const {
    expect(*top(), kind, "what is added to");
    return *top();
  }

  bool stack(unsigned char op) {
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
        if (protocol > 5) refuse("protocol 0 to 5", fmt::format("{}", protocol), foreign);
        return true;
      }
      case 0x95: {
        const std::uint64_t frame = natural(8), left = bytes_.size() - at_;
        if (frame > left) refuse(fmt::format("a frame of at most {} bytes", left), fmt::format("{}", frame), truncated);
        return true;
      }
      default: return false;
    }
  }

  PickleValue* remembered(std::uint64_t number) const {
    const auto found = memo_.find(number);
    if (found == memo_.end()) refuse("the number of a value that came before", fmt::format("{}", number));
    return found->second;
  }
  void remember(std::uint64_t number) {
    constexpr std::uint64_t entry = 8 * sizeof(void*);  // of a hash table
    charge(entry);
    memo_[number] = top();
  }

  bool object(unsigned char op) {
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
        if (!is_global(*made, Global::csr) || !arguments->items.empty()) refuse("a new sparse matrix", made->kind == PickleKind::global ? made->text : name_of(made->kind), foreign);
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

  void global(std::string_view module, std::string_view name) {
    const auto found = std::ranges::find_if(known_globals, [&](const Known& known) { return known.module == module && known.name == name; });
    if (found == std::end(known_globals))
      refuse("numbers, texts, lists, dictionaries, numpy arrays and csr matrices alone", fmt::format("\"{}.{}\"", module.substr(0, 80), name.substr(0, 80)), foreign);
    PickleValue& value = make(PickleKind::global);
    value.whole = static_cast<std::int64_t>(found->global);
    value.text = found->name;
  }

  void call(const PickleValue& function, const std::vector<const PickleValue*>& arguments) {
    const auto argument = [&](std::size_t i) -> const PickleValue& {
      if (i >= arguments.size()) refuse(fmt::format("argument {} of {}", i + 1, function.text), "none");
      return *arguments[i];
    };
    switch (static_cast<Global>(function.whole)) {
      case Global::defaultdict: make(PickleKind::dictionary); return;
      case Global::bytes:
        if (!arguments.empty()) break;
        make(PickleKind::bytes);
        return;
      case Global::encode: {
        expect(argument(0), PickleKind::text, "bytes");
        if (!argument(1).is_text("latin1") && !argument(1).is_text("latin-1")) break;
        make(PickleKind::bytes).text = latin1(argument(0).text);
        return;
      }
      case Global::reconstructor:
        if (!is_global(argument(0), Global::csr)) break;
        make(PickleKind::sparse);
        return;
      case Global::reconstruct:
        if (!is_global(argument(0), Global::ndarray)) break;
        make(PickleKind::array);
        return;
      case Global::dtype: set_type(make(PickleKind::type), argument(0), "<"); return;
      case Global::frombuffer: {
        const PickleValue &buffer = argument(0), &type = argument(1), &shape = argument(2), &order = argument(3);
        set_array(make(PickleKind::array), type, shape, order.is_text("F"), buffer);
        return;
      }
      default: break;
    }
    refuse("a call that makes an array or a dictionary", fmt::format("a call of {}", function.text), foreign);
  }

  // Code points below 256 as bytes: so Python 3 writes bytes in the protocols of Python 2.
  std::string_view latin1(std::string_view utf8) {
    if (std::ranges::all_of(utf8, [](char c) { return static_cast<unsigned char>(c) < 0x80; })) return utf8;
    charge(utf8.size());
    std::string plain;
    for (std::size_t i = 0; i < utf8.size(); ++i) {
      const auto first = static_cast<unsigned char>(utf8[i]), second = static_cast<unsigned char>(i + 1 < utf8.size() ? utf8[i + 1] : 0);
      if (first < 0x80) {
        plain += utf8[i];
        continue;
      }
      if ((first != 0xC2 && first != 0xC3) || (second & 0xC0) != 0x80) refuse("characters of latin1 as bytes", "others");
      plain += static_cast<char>(first << 6 | (second & 0x3F));
      ++i;
    }
    return keep(std::move(plain));
  }

  // A type without `array` is that of Python objects.
  void set_type(PickleValue& type, const PickleValue& name, std::string_view order) {
    if (name.kind != PickleKind::text && name.kind != PickleKind::bytes) refuse("a type's name", name_of(name.kind));
    type.text = name.text;
    type.array.reset();
    if (name.text == "O" || name.text == "O8" || name.text == "O4") return;
    Array element;
    if (!set_element(fmt::format("{}{}", order, name.text.substr(0, 20)), element))
      refuse("an array of numbers (b1, i1-i8, u1-u8, f2-f8), texts (S, U) or objects (O)", fmt::format("type \"{}\"", name.text.substr(0, 20)), foreign);
    charge(sizeof(Array));
    type.array = std::make_unique<Array>(std::move(element));
  }

  void set_array(PickleValue& value, const PickleValue& type, const PickleValue& shape, bool fortran, const PickleValue& content) {
    expect(type, PickleKind::type, "an array's type");
    expect(shape, PickleKind::tuple, "an array's shape");
    constexpr std::size_t most_dimensions = 32;
    std::vector<std::int64_t> sizes;
    for (const PickleValue* const size : shape.items) {
      expect(*size, PickleKind::whole, "a dimension");
      if (size->whole < 0 || sizes.size() == most_dimensions) refuse("a shape of at most 32 dimensions, none below 0", fmt::format("{}", size->whole));
      sizes.push_back(size->whole);
    }
    value.items.clear();
    value.array.reset();
    if (!type.array) {
      expect(content, PickleKind::list, "an array's objects");
      value.items = {&content};
      return;
    }
    expect(content, PickleKind::bytes, "an array's elements");
    charge(sizeof(Array) + sizes.size() * sizeof(std::int64_t));
    Array array = *type.array;
    array.fortran = fortran;
    array.shape = std::move(sizes);
    array.data = content.text;
    const bool empty = array.data.empty() && std::ranges::find(array.shape, 0) != array.shape.end();
    if (!empty) check_bytes(array.shape, array.size, array.data.size(), "pickle", fmt::format("{}, byte {}", pickle_.place_, opcode_at_ + 1));
    value.array = std::make_unique<Array>(std::move(array));
  }

  void build(PickleValue& value, const PickleValue& state) {
    if (value.kind == PickleKind::sparse) {
      expect(state, PickleKind::dictionary, "a matrix's state");
      value.items = {&state};
      return;
    }
    if (value.kind != PickleKind::array && value.kind != PickleKind::type) refuse("an array or a sparse matrix to build", name_of(value.kind), foreign);
    expect(state, PickleKind::tuple, "its state");
    const std::vector<const PickleValue*>& parts = state.items;
    if (value.kind == PickleKind::array) {  // version, shape, type, Fortran order, elements
      if (parts.size() != 5) refuse("an array's state of 5 parts", fmt::format("{}", parts.size()));
      set_array(value, *parts[2], *parts[1], parts[3]->whole != 0, *parts[4]);
      return;
    }
    // version, byte order, base, names and fields of records, sizes, flags
    if (parts.size() < 8) refuse("a type's state of 8 parts", fmt::format("{}", parts.size()));
    for (const std::size_t part : {2, 3, 4})
      if (parts[part]->kind != PickleKind::none) refuse("an array of numbers or texts", "one of records", foreign);
    PickleValue name;
    name.kind = PickleKind::text;
    name.text = value.text;
    set_type(value, name, parts[1]->is_text(">") ? ">" : "<");
  }

  Pickle& pickle_;
  std::string_view bytes_;
  std::size_t at_ = 0, opcode_at_ = 0;
  std::vector<PickleValue*> stack_;
  std::vector<std::size_t> marks_;  // sizes of the stack
  std::unordered_map<std::uint64_t, PickleValue*> memo_;
  std::uint64_t held_ = 0, asked_ = 0;
};

Pickle::Pickle(std::string bytes, std::string place, const Context& context) : bytes_(std::move(bytes)), place_(std::move(place)), context_(context) {
  root_ = PickleMachine(*this).run();
}

}  // namespace calor::io
