// Formats that are known well enough to be refused by name.
#pragma once

#include <string>
#include <string_view>

namespace calor::io {

// What a file's first bytes (unpacked; some thousand are enough) say that it is: "GML", "Pajek", "DIMACS", "ARFF",
// "Excel workbook", "RDS", "parquet", "feather", "Stata", "SPSS", "SAS", "MATLAB", "Python pickle", "web page", "JSON" and others; "" when
// they are none of these.  Formats that the library reads are not among them.
std::string foreign_format(std::string_view bytes);

// What to do with a file of that format, as the end of an error message: "write it with networkx.write_graphml".
std::string foreign_remedy(std::string_view format);

}  // namespace calor::io
