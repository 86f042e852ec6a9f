#include <nlohmann/json.hpp>

#include "calor/report/fill_page.h"
#include "calor/report/report.h"

CALOR_EMBEDDED(plots_js)
CALOR_EMBEDDED(rows_js)
CALOR_EMBEDDED(maps_js)
CALOR_EMBEDDED(figures_js)
CALOR_EMBEDDED(surfaces_js)
CALOR_EMBEDDED(compare_js)

namespace calor::report {

std::string compare_page(const nlohmann::json& document) {
  check_document(document, {"compare"});
  std::string names;
  bool webgl = false;
  for (const auto& experiment : document.at("experiments")) {
    if (!names.empty()) names += ", ";
    names += experiment.at("data").at("name").get<std::string>();
    webgl |= experiment.contains("surfaces") && !experiment.at("surfaces").empty();
  }
  return fill_page("Calor comparison: " + names, document,
                   {CALOR_PART(plots_js), CALOR_PART(rows_js), CALOR_PART(maps_js), CALOR_PART(figures_js), CALOR_PART(surfaces_js), CALOR_PART(compare_js)},
                   {.webgl = webgl});
}

}  // namespace calor::report
