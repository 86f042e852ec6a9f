// PLY: The PLY Polygon File Format, Greg Turk 1994.
#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <optional>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/mesh_formats.h"
#include "calor/io/number.h"

namespace calor::io {

namespace {

struct Type {
  std::string_view name, other;
  std::size_t size;
  enum Kind { whole, natural, real } kind;
};

constexpr Type types[] = {
    {"char", "int8", 1, Type::whole},       {"short", "int16", 2, Type::whole},      {"int", "int32", 4, Type::whole},    {"float", "float32", 4, Type::real},
    {"uchar", "uint8", 1, Type::natural},   {"ushort", "uint16", 2, Type::natural},  {"uint", "uint32", 4, Type::natural}, {"double", "float64", 8, Type::real}};

struct Property {
  std::string_view name;
  const Type* type;
  const Type* count = nullptr;  // of a list; null: one number
};

struct Element {
  std::string_view name;
  std::int64_t count = 0;
  std::vector<Property> properties;
};

enum class Order { text, little, big };

struct Header {
  Order order = Order::text;
  std::vector<Element> elements;
  std::size_t size = 0;     // bytes
  std::int64_t lines = 0;
};

class HeaderReader {
 public:
  HeaderReader(std::string_view bytes, const std::string& place) : rest_(bytes), place_(place) {
    const std::size_t end = std::min(bytes.find_first_of("\r\n"), bytes.size());
    line_end_ = bytes.substr(end).starts_with("\r\n") ? "\r\n" : bytes.substr(end, 1);  // of all lines, since what follows the last one may be any bytes
  }

  Header read() {
    const std::size_t all = rest_.size();
    bool format = false;
    take_line();
    for (;;) {
      const std::vector<std::string_view> words = take_line();
      if (words.empty() || words[0] == "comment" || words[0] == "obj_info") continue;
      if (words[0] == "end_header") break;
      if (words[0] == "format") {
        header_.order = order_of(words);
        format = true;
      } else if (words[0] == "element") {
        header_.elements.push_back(element_of(words));
      } else {
        require(words[0] == "property" && !header_.elements.empty(), Fault::input,
                "[ply] expected format, element or property, found \"{}\" ({}, line {}): write the file again",
                words[0].substr(0, 40), place_, header_.lines);
        header_.elements.back().properties.push_back(property_of(words));
      }
    }
    require(format, Fault::input, "[ply] expected a line \"format ascii 1.0\" (or binary_little_endian, binary_big_endian), found none ({}): write the file again", place_);
    header_.size = all - rest_.size();
    return std::move(header_);
  }

 private:
  std::vector<std::string_view> take_line() {
    const std::size_t end = line_end_.empty() ? std::string_view::npos : rest_.find(line_end_);
    require(end != std::string_view::npos, Fault::input,
            "[ply] expected the line \"end_header\", found the end of the file ({}): the file is cut off; write it again", place_);
    MeshLines lines(rest_.substr(0, end), '\0');
    rest_.remove_prefix(end + line_end_.size());
    ++header_.lines;
    return lines.next() ? lines.words() : std::vector<std::string_view>{};
  }

  Order order_of(const std::vector<std::string_view>& words) const {
    const std::string_view name = words.size() > 1 ? words[1] : "";
    require(name == "ascii" || name == "binary_little_endian" || name == "binary_big_endian", Fault::input,
            "[ply] expected ascii, binary_little_endian or binary_big_endian, found \"{}\" ({}, line {}): write the file again", name.substr(0,
                40), place_, header_.lines);
    return name == "ascii" ? Order::text : name == "binary_big_endian" ? Order::big : Order::little;
  }

  Element element_of(const std::vector<std::string_view>& words) const {
    Element element{words.size() > 1 ? words[1] : "", -1, {}};
    if (words.size() == 3) std::from_chars(words[2].data(), words[2].data() + words[2].size(), element.count);
    require(element.count >= 0, Fault::input,
            "[ply] expected \"element\", a name and a number of at least 0, found \"{}\" ({}, line {}): write the file again", fmt::join(words,
                " "), place_, header_.lines);
    return element;
  }

  const Type* type_of(std::string_view name) const {
    const auto* type = std::ranges::find_if(types, [&](const Type& known) { return known.name == name || known.other == name; });
    require(type != std::end(types), Fault::input,
            "[ply] expected a type such as float, int or uchar, found \"{}\" ({}, line {}): write the file again", name.substr(0, 40), place_, header_.lines);
    return type;
  }

  Property property_of(const std::vector<std::string_view>& words) const {
    const bool list = words.size() > 1 && words[1] == "list";
    require(words.size() == (list ? 5 : 3), Fault::input,
            "[ply] expected \"property\", its type and its name, found \"{}\" ({}, line {}): write the file again", fmt::join(words,
                " "), place_, header_.lines);
    return {words.back(), type_of(words[words.size() - 2]), list ? type_of(words[2]) : nullptr};
  }

  std::string_view rest_, line_end_;
  const std::string& place_;
  Header header_;
};

// The numbers behind the header as words.
class Words {
 public:
  Words(std::string_view bytes, const Header& header, const std::string& place) : lines_(bytes.substr(header.size), '\0'), header_(header), place_(place) {}
  static constexpr const char* unit = "line";
  std::int64_t at() const { return header_.lines + lines_.line(); }
  double number(const Type&) {
    while (next_ == lines_.words().size()) {
      require(lines_.next(), Fault::input, "[ply] expected a number, found the end of the file ({}): the file is cut off; write it again", place_);
      next_ = 0;
    }
    const std::string_view word = lines_.words()[next_++];
    const auto value = parse_number(word);
    require(value.has_value(), Fault::input, "[ply] expected a number, found \"{}\" ({}, line {}): correct it", word.substr(0, 40), place_, at());
    return *value;
  }

 private:
  MeshLines lines_;
  const Header& header_;
  const std::string& place_;
  std::size_t next_ = 0;
};

// The same as bytes.
class Bytes {
 public:
  Bytes(std::string_view bytes, const Header& header,
        const std::string& place) : bytes_(bytes), at_(header.size), big_(header.order == Order::big), place_(place) {}
  static constexpr const char* unit = "byte";
  std::int64_t at() const { return static_cast<std::int64_t>(last_ + 1); }
  double number(const Type& type) {
    require(bytes_.size() - at_ >= type.size, Fault::input,
            "[ply] expected a number of {} bytes, found the end of the file ({}, byte {}): the file is cut off; write it again", type.size, place_, at_ + 1);
    last_ = at_;
    std::uint64_t bits = 0;
    for (std::size_t b = 0; b < type.size; ++b) bits = bits << 8 | static_cast<unsigned char>(bytes_[at_ + (big_ ? b : type.size - 1 - b)]);
    at_ += type.size;
    if (type.kind == Type::natural) return static_cast<double>(bits);
    if (type.kind == Type::real) return type.size == 8 ? std::bit_cast<double>(bits) : static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    const auto unused = static_cast<int>(64 - 8 * type.size);
    return static_cast<double>(static_cast<std::int64_t>(bits << unused) >> unused);
  }

 private:
  std::string_view bytes_;
  std::size_t at_, last_ = 0;
  bool big_;
  const std::string& place_;
};

template <class Numbers>
class Body {
 public:
  Body(const Header& header, Numbers numbers, const std::string& place,
       const Context& context) : header_(header), numbers_(numbers), place_(place), context_(context) {}

  Polygons read() {
    result_.unit = Numbers::unit;
    const auto find = [&](std::string_view name) { return std::ranges::find(header_.elements, name, &Element::name); };
    require(find("vertex") != header_.elements.end() && (find("face") != header_.elements.end()), Fault::input,
            "[ply] expected the elements vertex and face, found {} ({}): save a mesh of faces",
            names(header_.elements), place_);
    for (const Element& element : header_.elements) {
      if (element.name == "vertex") read_points(element);
      else if (element.name == "face") read_faces(element);
      else read_other(element);
    }
    return std::move(result_);
  }

 private:
  template <class Named>
  static std::string names(const std::vector<Named>& list) {
    std::vector<std::string> found;
    for (const Named& named : list) found.emplace_back(named.name);
    return found.empty() ? "none" : list_names(found);
  }

  std::optional<std::size_t> place_of(const Element& element, std::string_view name, bool list) const {
    const auto found = std::ranges::find_if(element.properties, [&](const Property& property) { return property.name == name &&
        (property.count != nullptr) == list; });
    if (found == element.properties.end()) return {};
    return static_cast<std::size_t>(found - element.properties.begin());
  }

  std::int64_t length(const Property& list) {
    const double count = numbers_.number(*list.count);
    constexpr double most = 1 << 30;
    require(count >= 0 && count <= most && count == std::floor(count), Fault::input,
            "[ply] expected a whole number of at least 0 as the length of a list, found {} ({}, {} {}): correct it", count,
            place_, Numbers::unit, numbers_.at());
    return static_cast<std::int64_t>(count);
  }

  void skip(const Property& property) {
    for (std::int64_t left = property.count ? length(property) : 1; left > 0; --left) numbers_.number(*property.type);
  }

  void read_points(const Element& element) {
    std::array<std::size_t, 3> axes{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const auto found = place_of(element, std::string_view("xyz").substr(axis, 1), false);
      require(found.has_value(), Fault::input, "[ply] expected the properties x, y and z of vertex, found {} ({}): write the file again",
              names(element.properties), place_);
      axes[axis] = *found;
    }
    for (std::int64_t i = 0; i < element.count; ++i) {
      if (i % 65536 == 0) context_.check_stop("ply");
      check_points(result_.points.size(), "ply", place_);
      std::array<double, 3> point{};
      for (std::size_t p = 0; p < element.properties.size(); ++p) {
        const auto axis = static_cast<std::size_t>(std::ranges::find(axes, p) - axes.begin());
        if (axis == 3) {
          skip(element.properties[p]);
          continue;
        }
        point[axis] = numbers_.number(*element.properties[p].type);
        require(std::isfinite(point[axis]), Fault::input, "[ply] expected a finite number as coordinate, found {} ({}, {} {}): correct it",
                point[axis], place_, Numbers::unit, numbers_.at());
      }
      result_.points.insert(result_.points.end(), point.begin(), point.end());
    }
  }

  void read_faces(const Element& element) {
    auto corners = place_of(element, "vertex_indices", true);
    if (!corners) corners = place_of(element, "vertex_index", true);
    require(corners.has_value(), Fault::input, "[ply] expected the list vertex_indices of face, found {} ({}): write the file again",
            names(element.properties), place_);
    for (std::int64_t i = 0; i < element.count; ++i) {
      if (i % 65536 == 0) context_.check_stop("ply");
      for (std::size_t p = 0; p < element.properties.size(); ++p) {
        if (p == *corners) read_corners(element.properties[p]);
        else skip(element.properties[p]);
      }
    }
  }

  void read_corners(const Property& property) {
    const std::int64_t count = length(property), at = numbers_.at();
    for (std::int64_t c = 0; c < count; ++c) {
      const double corner = numbers_.number(*property.type);
      require(std::abs(corner) <= 0x1p32 && corner == std::floor(corner), Fault::input,
              "[ply] expected a whole number as corner, found {} ({}, {} {}): correct it", corner, place_, Numbers::unit,
              numbers_.at());
      result_.corners.push_back(static_cast<std::int64_t>(corner));
    }
    result_.end_face(at);
  }

  void read_other(const Element& element) {
    if (element.properties.empty()) return;  // takes no bytes, however many there are
    for (std::int64_t i = 0; i < element.count; ++i) {
      if (i % 65536 == 0) context_.check_stop("ply");
      for (const Property& property : element.properties) skip(property);
    }
  }

  const Header& header_;
  Numbers numbers_;
  const std::string& place_;
  const Context& context_;
  Polygons result_{.op = "ply"};
};

}  // namespace

bool is_ply(std::string_view bytes) { return bytes.starts_with("ply\n") || bytes.starts_with("ply\r"); }

Polygons parse_ply(std::string_view bytes, const std::string& place, const Context& context) {
  const Header header = HeaderReader(bytes, place).read();
  if (header.order == Order::text) return Body(header, Words(bytes, header, place), place, context).read();
  return Body(header, Bytes(bytes, header, place), place, context).read();
}

}  // namespace calor::io
