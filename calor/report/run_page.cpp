#include <nlohmann/json.hpp>

#include "calor/report/fill_page.h"
#include "calor/report/report.h"

CALOR_EMBEDDED(arrays_js)
CALOR_EMBEDDED(cloud_js)
CALOR_EMBEDDED(run_figures_js)
CALOR_EMBEDDED(run_js)

namespace calor::report {

std::string run_page(const nlohmann::json& document) {
  check_document(document, {"run", "apply"});
  return fill_page("Calor: " + document.at("title").get<std::string>(), document,
                   {CALOR_PART(arrays_js), CALOR_PART(cloud_js), CALOR_PART(run_figures_js), CALOR_PART(run_js)}, {.webgl = true});
}

}  // namespace calor::report
