#include "calor/report/fill_page.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "calor/core/error.h"
#include "calor/core/text.h"

CALOR_EMBEDDED(page_html)
CALOR_EMBEDDED(page_css)
CALOR_EMBEDDED(plotly)
CALOR_EMBEDDED(format_js)
CALOR_EMBEDDED(theme_js)
CALOR_EMBEDDED(page_js)
CALOR_EMBEDDED(frame_js)

namespace calor::report {
namespace {

std::string escaped(std::string_view plain) {
  std::string html;
  for (const char c : plain) {
    if (c == '<')
      html += "&lt;";
    else if (c == '>')
      html += "&gt;";
    else if (c == '&')
      html += "&amp;";
    else
      html += c;
  }
  return html;
}

// JSON that can stand inside a script element: no "<" means neither "</script>" nor "<!--".  In JSON "<" occurs in strings only.
std::string inlined(const nlohmann::json& document) {
  const std::string plain = document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::string safe;
  safe.reserve(plain.size());
  for (const char c : plain) {
    if (c == '<')
      safe += "\\u003c";
    else
      safe += c;
  }
  return safe;
}

}  // namespace

std::string_view embedded_text(const unsigned char* begin, const unsigned char* end) {
  return {reinterpret_cast<const char*>(begin), static_cast<std::size_t>(end - begin)};
}

void check_document(const nlohmann::json& document, std::initializer_list<std::string_view> kinds) {
  const std::string kind = document.is_object() ? document.value("kind", "") : "";
  std::string wanted;
  for (const std::string_view one : kinds) wanted += fmt::format("{}\"{}\"", wanted.empty() ? "" : " or ", one);
  require(std::find(kinds.begin(), kinds.end(), kind) != kinds.end(), Fault::internal,
          "[report] expected a document of kind {}, found \"{}\"", wanted, kind);
  const auto schema = document.value("schema", 0);
  require(schema == 1, Fault::internal, "[report] expected schema 1, found {}: this version cannot show it", schema);
}

std::string fill_page(std::string_view title, const nlohmann::json& document, std::initializer_list<std::string_view> scripts,
                      const PageNeeds& needs) {
  const std::string page_title = escaped(title), data = inlined(document);
  const std::string reload = needs.reload_after > 0 ? fmt::format("\n<meta http-equiv=\"refresh\" content=\"{}\">", needs.reload_after) : "";
  const std::string_view plotly = needs.plotly ? CALOR_PART(plotly) : std::string_view{};
  std::string script;
  for (const std::string_view part : {CALOR_PART(format_js), CALOR_PART(theme_js), CALOR_PART(page_js), CALOR_PART(frame_js)}) script += part;
  for (const std::string_view part : scripts) script += part;
  const std::pair<std::string_view, std::string_view> parts[] = {{"title", page_title},
                                                                 {"reload", reload},
                                                                 {"script-rule", needs.webgl ? " 'unsafe-eval'" : ""},
                                                                 {"style", CALOR_PART(page_css)},
                                                                 {"plotly", plotly},
                                                                 {"document", data},
                                                                 {"scripts", script}};

  std::string page;
  std::string_view rest = CALOR_PART(page_html);
  page.reserve(rest.size() + plotly.size() + CALOR_PART(page_css).size() + data.size() + script.size());
  while (true) {
    const std::size_t open = rest.find("{{");
    page += rest.substr(0, open);
    if (open == std::string_view::npos) return page;
    const std::size_t close = rest.find("}}", open);
    const std::string_view mark = rest.substr(open + 2, close - open - 2);
    for (const auto& [name, content] : parts)
      if (name == mark) page += content;
    rest.remove_prefix(close + 2);
  }
}

}  // namespace calor::report
