// The page of a run that goes on, as text: it reloads itself while the run does, holds its document, and loads nothing.  What a browser makes of it:
// test_watch_browser.py.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "calor/core/error.h"
#include "calor/report/arrays.h"
#include "calor/report/report.h"
#include "page_text.h"

namespace calor {
namespace {

using nlohmann::json;
using namespace report_test;

constexpr const char* reload = "http-equiv=\"refresh\"";

json document() {
  const std::vector<float> x{0, 1, 2}, y{3, 4, 5};
  return {{"schema", 1},
          {"kind", "watch"},
          {"title", "tsne on three points"},
          {"running", true},
          {"descent", {{"step", 3}, {"most_steps", 750}, {"loss", {{"name", "kl"}, {"value", 1.5}, {"step", 0}}}}},
          {"picture",
           {{"names", nullptr},
            {"views", {{{"name", "embedding"}, {"axes", {"dim1", "dim2"}}, {"coordinates", {report::packed(x), report::packed(y)}}}}},
            {"colourings", {{{"name", "label"}, {"kind", "classes"}, {"classes", {"a", "</script><script>alert(1)</script>"}}, {"values", report::packed(std::vector<std::int64_t>{0, 1, 1})}}}}}}};
}

TEST(WatchPage, ReloadsItselfWhileTheRunGoesOn) {
  json state = document();
  EXPECT_NE(report::watch_page(state).find(reload), std::string::npos);
  state["running"] = false;
  EXPECT_EQ(report::watch_page(state).find(reload), std::string::npos);
}

TEST(WatchPage, HoldsItsDocumentAndNoPlotly) {
  const std::string page = report::watch_page(document());
  EXPECT_EQ(json::parse(between(page, document_begin, "</script>")), document());
  EXPECT_EQ(page.find("<script>alert"), std::string::npos);
  EXPECT_EQ(page.find("plotly.js v"), std::string::npos);
  EXPECT_EQ(page.find("{{"), std::string::npos);
  EXPECT_LT(page.size(), 100'000u);  // it is written and read every second or two
  expect_loads_nothing(page);
}

TEST(WatchPage, RefusesAnotherKind) { EXPECT_THROW(report::watch_page({{"kind", "run"}, {"schema", 1}}), Error); }

}  // namespace
}  // namespace calor
