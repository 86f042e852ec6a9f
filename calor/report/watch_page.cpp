#include <nlohmann/json.hpp>

#include "calor/report/fill_page.h"
#include "calor/report/report.h"

CALOR_EMBEDDED(arrays_js)
CALOR_EMBEDDED(cloud_js)
CALOR_EMBEDDED(watch_js)

namespace calor::report {

std::string watch_page(const nlohmann::json& document) {
  constexpr int seconds_shown = 2;
  check_document(document, {"watch"});
  return fill_page("Calor: " + document.at("title").get<std::string>(), document, {CALOR_PART(arrays_js), CALOR_PART(cloud_js), CALOR_PART(watch_js)},
                   {.plotly = false, .reload_after = document.at("running") ? seconds_shown : 0});
}

}  // namespace calor::report
