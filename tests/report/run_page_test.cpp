// The page of a run as text: it holds the whole document and loads nothing, text of the data cannot become markup, and packed arrays
// are base64 as RFC 4648 has it, of little-endian numbers.  What a browser makes of it: test_run_report.py.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
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

json document() {
  const std::vector<float> x{0, 1, 2}, y{3, 4, 5};
  const std::vector<std::int64_t> label{0, -1, 1};
  return {{"schema", 1},
          {"kind", "run"},
          {"title", "mds on three points"},
          {"summary", {"mds gave 2 coordinates to each of 3 points."}},
          {"data", {{"name", "three"}, {"columns", 2}, {"label", "label"}}},
          {"picture",
           {{"names", nullptr},
            {"judged", report::packed(std::vector<std::int64_t>{})},
            {"views", {{{"name", "embedding"}, {"axes", {"dim1", "dim2"}}, {"coordinates", {report::packed(x), report::packed(y)}}}}},
            {"colourings", {{{"name", "label"}, {"kind", "classes"}, {"classes", {"a", "b"}}, {"values", report::packed(label)}}}}}}};
}

TEST(RunPage, HoldsTheWholeDocument) {
  const std::string page = report::run_page(document());
  EXPECT_EQ(json::parse(between(page, document_begin, "</script>")), document());
  EXPECT_EQ(own_part(page).find("{{"), std::string::npos);
  EXPECT_NE(page.find("<title>Calor: mds on three points</title>"), std::string::npos);
  EXPECT_NE(page.find("function cloudFigure"), std::string::npos);
  EXPECT_EQ(report::run_page(document()), page);
}

TEST(RunPage, LoadsNothingFromElsewhere) { expect_loads_nothing(report::run_page(document())); }

TEST(RunPage, DoesNotReload) { EXPECT_EQ(own_part(report::run_page(document())).find("http-equiv=\"refresh\""), std::string::npos); }

TEST(RunPage, TextOfTheDataCannotBecomeMarkup) {
  const std::string attack = "</script><script>alert(1)</script><!-- <img src=x onerror=alert(2)> & {{scripts}}";
  json hostile = document();
  hostile["title"] = attack;
  hostile["picture"]["names"] = {attack, "b", "caf\xe9"};
  hostile["picture"]["colourings"][0]["classes"][0] = attack;
  const std::string page = report::run_page(hostile);
  EXPECT_EQ(page.find("<script>alert"), std::string::npos);
  EXPECT_EQ(page.find("<img"), std::string::npos);
  const json read = json::parse(between(page, document_begin, "</script>"));
  EXPECT_EQ(read["picture"]["colourings"][0]["classes"][0], attack);
  EXPECT_EQ(read["picture"]["names"][2], "caf\xEF\xBF\xBD");  // bytes that are not UTF-8 are replaced
}

TEST(RunPage, RefusesAnotherKindOrSchema) {
  EXPECT_NO_THROW(report::run_page([] { json apply = document(); apply["kind"] = "apply"; return apply; }()));
  for (const json& wrong : {json{{"kind", "compare"}, {"schema", 1}}, json{{"kind", "run"}, {"schema", 2}}, json::array(), json()}) {
    try {
      report::run_page(wrong);
      ADD_FAILURE() << "accepted " << wrong.dump();
    } catch (const Error& error) {
      EXPECT_EQ(error.fault(), Fault::internal);
      EXPECT_EQ(std::string(error.what()).rfind("[report] expected", 0), 0u) << error.what();
    }
  }
}

TEST(PackedArrays, AreBase64OfLittleEndianNumbers) {
  // 1.0f is 00 00 80 3f, -2.0f is 00 00 00 c0: encoded by hand.
  EXPECT_EQ(report::packed(std::vector<float>{1}), (json{{"type", "f32"}, {"data", "AACAPw=="}}));
  EXPECT_EQ(report::packed(std::vector<float>{1, -2})["data"], "AACAPwAAAMA=");
  EXPECT_EQ(report::packed(std::vector<float>{})["data"], "");
  EXPECT_EQ(report::packed(std::vector<float>{std::numeric_limits<float>::quiet_NaN()})["data"], "AADAfw==");
}

TEST(PackedArrays, TakeTheNarrowestWholeNumbers) {
  using Values = std::vector<std::int64_t>;
  EXPECT_EQ(report::packed(Values{-1, 0, 254}), (json{{"type", "u8"}, {"data", "AAH/"}}));  // RFC 4648: 00 01 ff
  EXPECT_EQ(report::packed(Values{255}), (json{{"type", "u16"}, {"data", "AAE="}}));
  EXPECT_EQ(report::packed(Values{65534})["type"], "u16");
  EXPECT_EQ(report::packed(Values{65535}), (json{{"type", "i32"}, {"data", "AAABAA=="}}));
  EXPECT_EQ(report::packed(Values{}), (json{{"type", "u8"}, {"data", ""}}));
}

}  // namespace
}  // namespace calor
