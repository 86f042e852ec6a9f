#include "calor/io/lines.h"

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/number.h"
#include "calor/io/source.h"

namespace calor::io {

TextLines read_lines(const std::string& path, std::string_view op, std::string_view expected, const Context& context) {
  Source source = open_source(path, context);
  require(source.text != nullptr, Fault::input, "[{}] expected {}, found binary data ({}): give a plain text, or one that is gzipped", op, expected, path);
  refuse_foreign(source.head, path);
  TextFacts facts;
  const auto text = as_utf8(std::move(source.text), "", path, context, facts, source.counted);
  TextLines result{split_text(whole_text(*text, facts.bytes, path, context), '\n'), {}};
  if (result.lines.back().empty()) result.lines.pop_back();
  for (std::size_t k = 0; k < result.lines.size(); ++k) {
    std::string& line = result.lines[k];
    require(is_utf8(line), Fault::input, "[{}] expected text in UTF-8, found other bytes ({}, line {}): save the file as UTF-8", op, path, k + 1);
    if (!line.empty() && line.back() == '\r') line.pop_back();
  }
  result.hash = source.hash.get();
  return result;
}

}  // namespace calor::io
