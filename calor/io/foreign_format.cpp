#include "calor/io/foreign_format.h"

#include <algorithm>
#include <cctype>
#include <initializer_list>

#include "calor/core/text.h"
#include "calor/io/graphml.h"
#include "calor/io/number.h"

namespace calor::io {

namespace {

using namespace std::string_view_literals;

struct Mark {
  std::string_view bytes, format;
  std::size_t at = 0;
};

// Bytes at a fixed place, as the formats' own descriptions give them; none of them begins a text.
constexpr Mark marks[] = {
    {"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv, "Excel workbook"},
    {"X\n\0\0\0"sv, "RDS"}, {"RDX2\n"sv, "RData"}, {"RDX3\n"sv, "RData"},
    {"PAR1\x15"sv, "parquet"}, {"ARROW1\0"sv, "feather"}, {"FEA1\0"sv, "feather"},
    {"<stata_dta>"sv, "Stata"},
    {"$FL2@(#)"sv, "SPSS"}, {"$FL3@(#)"sv, "SPSS"},
    {"\xC2\xEA\x81\x60\xB3\x14\x11\xCF\xBD\x92\x08\x00\x09\xC7\x31\x8C\x18\x1F\x10\x11"sv, "SAS", 12}, {"HEADER RECORD*******"sv, "SAS"},
    {"MATLAB 5.0 MAT-file"sv, "MATLAB"}, {"MATLAB 7.3 MAT-file"sv, "MATLAB 7.3"},
    {"SQLite format 3\0"sv, "SQLite"}, {"CDF\x01"sv, "NetCDF"}, {"CDF\x02"sv, "NetCDF"}, {"CDF\x05"sv, "NetCDF"}, {"SIMPLE  ="sv, "FITS"},
    {"1AY&SY"sv, "bzip2", 4}, {"\xFD" "7zXZ"sv, "xz"}, {"\x28\xB5\x2F\xFD"sv, "zstd"}, {"7z\xBC\xAF\x27\x1C"sv, "7-Zip"}, {"Rar!\x1A\x07"sv, "rar"}, {"ustar\0"sv, "tar", 257}, {"ustar  \0"sv, "tar", 257},
    {"%PDF-"sv, "PDF"}, {"\x89PNG\r\n"sv, "picture"}, {"\xFF\xD8\xFF"sv, "picture"}, {"GIF89a"sv, "picture"}, {"II*\0"sv, "picture"}, {"MM\0*"sv, "picture"},
};

// Stata before version 117: the version, the byte order, the type of file, a zero.
bool is_old_stata(std::string_view bytes) {
  return bytes.size() > 4 && bytes[0] >= 0x69 && bytes[0] <= 0x73 && (bytes[1] == 1 || bytes[1] == 2) && bytes[2] == 1 && bytes[3] == 0;
}

// Pickle protocols 2 to 5; the first opcode is a frame (4 and 5), or one of those that begin an object or a container.
bool is_pickle(std::string_view bytes) {
  return bytes.size() > 2 && bytes[0] == '\x80' && bytes[1] >= 2 && bytes[1] <= 5 && "\x95" "c}](X)\x8c"sv.find(bytes[2]) != std::string_view::npos;
}

std::string zip_format(std::string_view bytes) {
  if (!bytes.starts_with("PK\x03\x04")) return "";
  if (bytes.find("mimetypeapplication/vnd.oasis.opendocument.spreadsheet") < 100) return "OpenDocument spreadsheet";
  return bytes.find("xl/workbook") != std::string_view::npos ||
                 (bytes.find("[Content_Types].xml") < 100 && bytes.find("xl/") != std::string_view::npos)
             ? "Excel workbook"
             : "";
}

// Takes the next word, quoted text or bracket off the front; "" at the end.
std::string_view take_token(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  std::size_t size = std::min(text.find_first_of(" \t\r\n[]"), text.size());
  if (text.starts_with('"')) size = std::min(text.find('"', 1), text.size() - 1) + 1;
  else if (text.starts_with('[') || text.starts_with(']')) size = 1;
  const std::string_view token = text.substr(0, size);
  text.remove_prefix(size);
  return token;
}

// A line without its comment sign, and the rest of the text after it.
std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return trim(line);
}

// Keys with values (Creator, Version, comment), then "graph [".
bool is_gml(std::string_view text) {
  for (std::string_view rest = text; trim(rest).starts_with('#');) {
    rest = trim(rest);
    take_line(rest);
    text = rest;
  }
  for (std::string_view key = take_token(text); !key.empty(); key = take_token(text)) {
    if (!std::ranges::all_of(key, [](unsigned char c) { return std::isalnum(c); }) || !std::isalpha(static_cast<unsigned char>(key[0]))) return false;
    const std::string_view value = take_token(text);
    if (value == "[") return lower_case(key) == "graph";
    if (value.empty()) return false;
  }
  return false;
}

// Graphviz: "graph {", "strict digraph name {", behind comments.
bool is_dot(std::string_view text) {
  for (;;) {
    text = trim(text);
    if (text.starts_with("//") || text.starts_with('#')) take_line(text);
    else if (text.starts_with("/*")) text.remove_prefix(std::min(text.find("*/"), text.size() - 2) + 2);
    else break;
  }
  std::string_view head = trim(text.substr(0, text.find('{')));
  if (head.size() == text.size() || head.find_first_of("\r\n,;") != std::string_view::npos) return false;
  std::string word = lower_case(take_token(head));
  if (word == "strict") word = lower_case(take_token(head));
  if (word != "graph" && word != "digraph") return false;
  take_token(head);  // its name
  return trim(head).empty();
}

bool is_count(std::string_view word) {
  return !word.empty() && std::ranges::all_of(word, [](unsigned char c) { return std::isdigit(c); });
}

// "c" lines of comments, then "p", a problem's name, and its two sizes.
bool is_dimacs(std::string_view text) {
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (line.empty() || line == "c" || line.starts_with("c ")) continue;
    if (take_token(line) != "p") return false;
    const std::string_view problem = take_token(line);
    const std::string_view nodes = take_token(line), edges = take_token(line);
    return !problem.empty() && !is_count(problem) && is_count(nodes) && is_count(edges) && take_token(line).empty();
  }
  return false;
}

// The first line that is no comment ("%"), in small letters.
std::string first_line(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (!line.empty() && !line.starts_with('%') && !line.starts_with("/*")) return lower_case(line.substr(0, 80));
  }
  return "";
}

bool is_json(std::string_view text) {
  const std::string_view begin = trim(text);
  if (begin.empty() || (begin[0] != '{' && begin[0] != '[')) return false;
  const std::string_view inner = trim(begin.substr(1));
  return !inner.empty() && (begin[0] == '{' ? inner[0] == '"' : inner[0] == '{' || inner[0] == '[');
}

std::string text_format(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const std::string line = first_line(text);
  const auto begins = [&](std::initializer_list<std::string_view> words) {
    return std::ranges::any_of(words, [&](std::string_view word) { return line.starts_with(word); });
  };
  if (begins({"@relation"})) return "ARFF";
  if (begins({"*vertices", "*network", "*arcs", "*edges", "*matrix"})) return "Pajek";
  if (begins({"<!doctype html", "<html"})) return "web page";
  if (begins({"<gexf"}) || (begins({"<?xml"}) && text.substr(0, 1000).find("<gexf") != std::string_view::npos)) return "GEXF";
  if (begins({"<?xml"}) && !is_graphml(text)) return "XML";
  if (is_json(text)) return "JSON";
  if (is_gml(text)) return "GML";
  if (is_dot(text)) return "DOT";
  return is_dimacs(text) ? "DIMACS" : "";
}

}  // namespace

std::string foreign_format(std::string_view bytes) {
  for (const Mark& mark : marks)
    if (bytes.size() >= mark.at && bytes.substr(mark.at).starts_with(mark.bytes)) return std::string(mark.format);
  if (is_old_stata(bytes)) return "Stata";
  if (is_pickle(bytes)) return "Python pickle";
  constexpr std::size_t longest_preamble = 1 << 16;  // comments and the like
  const std::string zip = zip_format(bytes);
  return zip.empty() ? text_format(bytes.substr(0, longest_preamble)) : zip;
}

std::string foreign_remedy(std::string_view format) {
  struct Remedy {
    std::string_view format, text;
  };
  constexpr Remedy remedies[] = {
      {"GML", "read it with networkx.read_gml and write it with networkx.write_graphml, or as lines \"from to weight\""},
      {"GEXF", "read it with networkx.read_gexf and write it with networkx.write_graphml, or as lines \"from to weight\""},
      {"Pajek", "read it with networkx.read_pajek and write it with networkx.write_graphml, or as lines \"from to weight\""},
      {"DOT", "read it with networkx.nx_pydot.read_dot and write it with networkx.write_graphml, or as lines \"from to weight\""},
      {"DIMACS", "keep the two nodes and the weight of each edge, as lines \"from to weight\""},
      {"ARFF", "read it with scipy.io.arff.loadarff and save it as csv"},
      {"Excel workbook", "save the sheet as csv"},
      {"OpenDocument spreadsheet", "save the sheet as csv"},
      {"RDS", "read it in R with readRDS and save it with write.csv"},
      {"RData", "load it in R and save the table with write.csv"},
      {"parquet", "read it with pandas.read_parquet and save it with to_csv"},
      {"feather", "read it with pandas.read_feather and save it with to_csv"},
      {"Stata", "read it with pandas.read_stata and save it with to_csv"},
      {"SPSS", "read it with pandas.read_spss and save it with to_csv"},
      {"SAS", "read it with pandas.read_sas and save it with to_csv"},
      {"MATLAB", "read it with scipy.io.loadmat and save the matrix with numpy.save"},
      {"MATLAB 7.3", "read it with h5py and save the matrix with numpy.save, transposed"},
      {"SQLite", "read the table with pandas.read_sql and save it with to_csv"},
      {"NetCDF", "read it with xarray.open_dataset and save the array with numpy.save"},
      {"FITS", "read it with astropy and save the array with numpy.save"},
      {"bzip2", "unpack it with bunzip2"},
      {"xz", "unpack it with unxz"},
      {"zstd", "unpack it with unzstd"},
      {"7-Zip", "unpack it"},
      {"rar", "unpack it"},
      {"tar", "unpack it with tar -xf"},
      {"Python pickle", "load it in Python and save the array with numpy.save"},
      {"JSON", "read it with pandas.read_json and save it with to_csv"},
      {"XML", "save the table as csv"},
      {"PDF", "save the table as csv"},
      {"picture", "save the pixels with numpy.save"},
      {"web page", "the download gave a page instead of the file; fetch the file itself"},
  };
  const auto found = std::ranges::find(remedies, format, &Remedy::format);
  return std::string(found == std::end(remedies) ? "save it as csv or npy" : found->text);
}

}  // namespace calor::io
