#include <nlohmann/json.hpp>

#include "calor/report/fill_page.h"
#include "calor/report/report.h"

CALOR_EMBEDDED(inspect_figures_js)
CALOR_EMBEDDED(inspect_js)

namespace calor::report {

std::string inspect_page(const nlohmann::json& document) {
  check_document(document, {"inspect"});
  return fill_page("Calor: inspect " + document.at("model").at("kind").get<std::string>(), document,
                   {CALOR_PART(inspect_figures_js), CALOR_PART(inspect_js)}, {});
}

}  // namespace calor::report
