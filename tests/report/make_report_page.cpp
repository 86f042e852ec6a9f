// make_report_page IN.json OUT.html: measurements (as in compare_fixture.json) or a whole document in, page out.
#include <cstdio>
#include <exception>
#include <fstream>

#include "calor/report/report.h"
#include "fixture.h"

int main(int count, char** words) {
  if (count != 3) {
    std::fprintf(stderr, "expected make_report_page IN.json OUT.html\n");
    return 2;
  }
  try {
    nlohmann::json document = calor::report_test::read_json(words[1]);
    if (!document.contains("verdict")) document = calor::report_test::completed(std::move(document));
    std::ofstream page(words[2], std::ios::binary);
    page << calor::report::compare_page(document);
    page.close();
    if (!page) throw std::runtime_error("cannot write the page");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
