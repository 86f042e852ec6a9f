// One self-contained HTML file from a result document: everything inline, works offline, asks nothing of the network (its
// content security policy forbids it).  Computes nothing but layout: every number shown stands in the document; the mean
// curves and their bands are drawn from its runs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace calor::report {

// The page for a document of kind "compare" (docs/formats/compare.md); about 5 MB, nearly all of it plotly.js.
// Throws Fault::internal for another kind or schema.
std::string compare_page(const nlohmann::json& document);

// The page for a document of kind "run" or "apply" with its pictures (docs/formats/run.md, "The report").  Throws as above.
std::string run_page(const nlohmann::json& document);

// The page for a document of kind "watch" (docs/formats/run.md, "While it runs"): reloads itself every other second while the run goes on.
// 50 kB beside the document, without plotly.js.  Throws as above.
std::string watch_page(const nlohmann::json& document);

// The page for a document of kind "limit" or "limit-data" with its plots (docs/formats/limit.md).  Throws as above.
std::string limit_page(const nlohmann::json& document);

// The page for a document of kind "inspect" (docs/inspect.md).  Throws as above.
std::string inspect_page(const nlohmann::json& document);

// The page for a document of kind "bench-report" with its plots (docs/benchmarks.md).  Throws as above.
std::string bench_page(const nlohmann::json& document);

}  // namespace calor::report
