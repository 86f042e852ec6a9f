// Reading a finished page as text.
#pragma once

#include <gtest/gtest.h>

#include <string>

namespace calor::report_test {

// The text between a mark and the next end mark.
inline std::string between(const std::string& page, const std::string& begin, const std::string& end) {
  const auto from = page.find(begin);
  if (from == std::string::npos) return "";
  const auto start = from + begin.size();
  return page.substr(start, page.find(end, start) - start);
}

inline const std::string document_begin = "<script id=\"document\" type=\"application/json\">";

// The page without plotly.js, whose source names addresses of map services (the content security policy keeps all of it from
// the network).
inline std::string own_part(std::string page) {
  const auto begin = page.find("plotly.js v");
  if (begin == std::string::npos) return page;
  const auto from = page.rfind("<script>", begin), to = page.find(document_begin);
  return page.erase(from, to - from);
}

// Nothing outside plotly.js names anything to load.
inline void expect_loads_nothing(const std::string& page) {
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
  const std::string own = own_part(page);
  for (const char* load : {" src=", "srcset=", "poster=", "<iframe", "<object", "<embed", "rel=\"stylesheet\"", "@import",
                           "href=\"http", "href=\"//", "url(http", "url(//", "url(\"", "fetch(", "XMLHttpRequest",
                           "WebSocket", "EventSource", "importScripts"})
    EXPECT_EQ(own.find(load), std::string::npos) << load;
}

}  // namespace calor::report_test
