// Numbers as they stand in text files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace calor::io {

// The value of a whole text such as "5", "-1.5e3", "+2", "inf" or "nan", in the C notation whatever the locale;
// nothing for any other text.  Too small a number is 0, too large a one infinite.
std::optional<double> parse_number(std::string_view text);

// The shortest text that reads back as the same double; whole numbers without point or exponent ("3", "-0.25").
std::string format_number(double value);

// The marks by which files leave a value out: "", "?", "-", "NA", "N/A", "NaN", "null", "none" and the like, any case.
bool is_missing(std::string_view text);

// ASCII letters in lower case; other bytes as they are.
std::string lower_case(std::string_view text);

// Valid UTF-8: no stray or overlong bytes, no surrogates.
bool is_utf8(std::string_view text);

// Appends a code point, below 2^21, in UTF-8.
void append_utf8(std::string& text, std::uint32_t code);

}  // namespace calor::io
