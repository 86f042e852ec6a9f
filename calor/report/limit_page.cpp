#include <nlohmann/json.hpp>

#include "calor/report/fill_page.h"
#include "calor/report/report.h"

CALOR_EMBEDDED(described_js)
CALOR_EMBEDDED(limit_js)

namespace calor::report {

std::string limit_page(const nlohmann::json& document) {
  check_document(document, {"limit", "limit-data"});
  const bool laboratory = document.at("kind") == "limit";
  return fill_page(laboratory ? "Calor: the theory in numbers" : "Calor: " + document.at("data").get<std::string>() + " in the limit", document,
                   {CALOR_PART(described_js), CALOR_PART(limit_js)}, {});
}

}  // namespace calor::report
