// Text: the nearest known name for a misspelt one, lists and counts for messages.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace calor {

// The known name with the least edit distance, when that is close enough to be meant; "" otherwise.
std::string nearest_name(std::string_view name, const std::vector<std::string>& known);

// "a, b, c" ; past `most` names: "a, b, ... (17 in all)".
std::string list_names(const std::vector<std::string>& names, std::size_t most = 12);

// "70,000".
std::string grouped_digits(std::int64_t count);

// "1 feature", "1,024 features", "2 classes".
std::string counted(std::int64_t count, std::string_view noun);

// Splits at every separator; an empty text gives one empty piece.
std::vector<std::string> split_text(std::string_view text, char separator);

// As a word of a command line: in double quotes unless it is letters, digits and "_.-=%+" alone.
std::string shell_quoted(std::string_view text);

// Without blanks at either end.
std::string_view trim(std::string_view text);

}  // namespace calor
