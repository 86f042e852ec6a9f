// What every page shares: page.html filled with style, plotly.js where it is needed, the document and the page's own scripts.
#pragma once

#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

// Embedded by the build (calor_embed): calor_report_NAME and calor_report_NAME_end.
#define CALOR_EMBEDDED(name) extern "C" const unsigned char calor_report_##name[], calor_report_##name##_end[];
#define CALOR_PART(name) calor::report::embedded_text(calor_report_##name, calor_report_##name##_end)

namespace calor::report {

std::string_view embedded_text(const unsigned char* begin, const unsigned char* end);

// Throws Fault::internal for a document of another kind or schema than 1.
void check_document(const nlohmann::json& document, std::initializer_list<std::string_view> kinds);

// What a page needs beside its document and scripts.
struct PageNeeds {
  bool plotly = true;   // plotly.js; without it a page has some 40 kB beside its document
  bool webgl = false;   // plots in WebGL, whose plotly.js parts compile functions at run time: the content security policy then allows that,
                        // of inline code still and with nothing to load
  int reload_after = 0;  // seconds; 0: never
};

// `scripts` follow those that every page has (format, theme, page, frame).  What is inserted is never searched for marks, and
// text of the document cannot end its script element.
std::string fill_page(std::string_view title, const nlohmann::json& document, std::initializer_list<std::string_view> scripts,
                      const PageNeeds& needs);

}  // namespace calor::report
