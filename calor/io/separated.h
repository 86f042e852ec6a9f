// Writing separated text and npy: what a result becomes in a file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace calor::io {

// A cell as it stands between delimiters: quoted where it holds one, a quote or a line break, and where a reader would not give it back
// otherwise (blanks at its ends, a comment's mark at its beginning).
std::string separated_cell(std::string_view text, char delimiter);

// What stands before rows x columns doubles, row-major, in a npy file of version 1; and the whole file.
std::string npy_header(std::int64_t rows, std::int64_t columns);
std::string npy_file(const std::vector<double>& values, std::int64_t rows, std::int64_t columns);

}  // namespace calor::io
