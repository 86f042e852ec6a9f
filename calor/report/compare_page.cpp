// Fills page.html: style, scripts and the document, each at its {{mark}}.  What is inserted is never searched for marks.
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "calor/core/error.h"
#include "calor/report/report.h"

// Embedded by the build (calor_embed): calor_report_NAME and calor_report_NAME_end.
#define CALOR_EMBEDDED(name) extern const unsigned char calor_report_##name[], calor_report_##name##_end[];
#define CALOR_PART(name) text(calor_report_##name, calor_report_##name##_end)

extern "C" {
CALOR_EMBEDDED(page_html)
CALOR_EMBEDDED(compare_css)
CALOR_EMBEDDED(plotly)
CALOR_EMBEDDED(format_js)
CALOR_EMBEDDED(theme_js)
CALOR_EMBEDDED(page_js)
CALOR_EMBEDDED(plots_js)
CALOR_EMBEDDED(rows_js)
CALOR_EMBEDDED(maps_js)
CALOR_EMBEDDED(figures_js)
CALOR_EMBEDDED(compare_js)
}

namespace calor::report {
namespace {

std::string_view text(const unsigned char* begin, const unsigned char* end) {
  return {reinterpret_cast<const char*>(begin), static_cast<std::size_t>(end - begin)};
}

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

std::string title(const nlohmann::json& document) {
  std::string names;
  for (const auto& experiment : document.at("experiments")) {
    if (!names.empty()) names += ", ";
    names += experiment.at("data").at("name").get<std::string>();
  }
  return "Calor comparison: " + names;
}

}  // namespace

std::string compare_page(const nlohmann::json& document) {
  const std::string kind = document.is_object() ? document.value("kind", "") : "";
  require(kind == "compare", Fault::internal, "[report] expected a document of kind \"compare\", found \"{}\"", kind);
  const auto schema = document.value("schema", 0);
  require(schema == 1, Fault::internal, "[report] expected schema 1, found {}: this version cannot show it", schema);

  const std::string page_title = escaped(title(document)), data = inlined(document);
  std::string scripts;
  for (const std::string_view part :
       {CALOR_PART(format_js), CALOR_PART(theme_js), CALOR_PART(page_js), CALOR_PART(plots_js), CALOR_PART(rows_js),
        CALOR_PART(maps_js), CALOR_PART(figures_js), CALOR_PART(compare_js)})
    scripts += part;
  const std::pair<std::string_view, std::string_view> parts[] = {{"title", page_title},
                                                                 {"style", CALOR_PART(compare_css)},
                                                                 {"plotly", CALOR_PART(plotly)},
                                                                 {"document", data},
                                                                 {"scripts", scripts}};

  std::string page;
  std::string_view rest = CALOR_PART(page_html);
  page.reserve(rest.size() + CALOR_PART(plotly).size() + CALOR_PART(compare_css).size() + data.size() + scripts.size());
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
