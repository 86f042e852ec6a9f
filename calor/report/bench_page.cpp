#include <nlohmann/json.hpp>

#include "calor/report/fill_page.h"
#include "calor/report/report.h"

CALOR_EMBEDDED(described_js)
CALOR_EMBEDDED(bench_js)

namespace calor::report {

std::string bench_page(const nlohmann::json& document) {
  check_document(document, {"bench-report"});
  return fill_page("Calor: attention on this machine", document, {CALOR_PART(described_js), CALOR_PART(bench_js)}, {});
}

}  // namespace calor::report
