// The page as text: it holds the whole document and every part, loads nothing from anywhere, and text of the data cannot
// become markup.  What a browser makes of it: test_report_browser.py.
#include <gtest/gtest.h>

#include "calor/core/error.h"
#include "calor/report/report.h"
#include "fixture.h"
#include "page_text.h"

namespace calor {
namespace {

using nlohmann::json;
using namespace report_test;

const json& document() {
  static const json whole = report_test::completed(report_test::measured_fixture());
  return whole;
}

TEST(ComparePage, HoldsTheWholeDocument) {
  const std::string page = report::compare_page(document());
  EXPECT_EQ(json::parse(between(page, document_begin, "</script>")), document());
  EXPECT_EQ(own_part(page).find("{{"), std::string::npos);
  EXPECT_NE(page.find("<title>Calor comparison: moons, digits</title>"), std::string::npos);
  EXPECT_NE(page.find("function buildPage"), std::string::npos);
  EXPECT_NE(page.find("--accent"), std::string::npos);
  EXPECT_GT(page.size(), 3'000'000u);  // plotly.js is in it
}

TEST(ComparePage, LoadsNothingFromElsewhere) {
  expect_loads_nothing(report::compare_page(document()));
}

TEST(ComparePage, TextOfTheDataCannotBecomeMarkup) {
  json hostile = document();
  const std::string attack = "</script><script>alert(1)</script><!-- <img src=x onerror=alert(2)> & {{scripts}}";
  hostile["command"] = attack;
  hostile["experiments"][0]["data"]["name"] = attack;
  hostile["experiments"][0]["data"]["classes"][0] = attack;
  const std::string page = report::compare_page(hostile);
  EXPECT_EQ(page.find("<script>alert"), std::string::npos);
  EXPECT_EQ(page.find("<img"), std::string::npos);
  EXPECT_EQ(json::parse(between(page, document_begin, "</script>")), hostile);  // and nothing was lost
  // As many script elements as without the attack.
  const auto elements = [](const std::string& text) {
    std::size_t count = 0;
    for (auto at = text.find("<script"); at != std::string::npos; at = text.find("<script", at + 1)) ++count;
    return count;
  };
  EXPECT_EQ(elements(page), elements(report::compare_page(document())));
}

TEST(ComparePage, InvalidUtf8IsReplacedAndNotThrown) {
  json odd = document();
  odd["experiments"][0]["data"]["classes"][0] = "caf\xe9";
  const std::string page = report::compare_page(odd);
  EXPECT_NE(page.find("caf\xEF\xBF\xBD"), std::string::npos);
}

TEST(ComparePage, RefusesAnotherKindOrSchema) {
  for (const json& wrong :
       {json{{"kind", "inspect"}, {"schema", 1}}, json{{"kind", "compare"}, {"schema", 2}}, json::array(), json()}) {
    try {
      report::compare_page(wrong);
      ADD_FAILURE() << "accepted " << wrong.dump();
    } catch (const Error& error) {
      EXPECT_EQ(error.fault(), Fault::internal);
      EXPECT_EQ(std::string(error.what()).rfind("[report] expected", 0), 0u) << error.what();
    }
  }
}

TEST(ComparePage, SameDocumentSamePage) {
  EXPECT_EQ(report::compare_page(document()), report::compare_page(document()));
}

}  // namespace
}  // namespace calor
