// The document of a made-up comparison: what it measured stands in compare_fixture.json, its statistics are computed here.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace calor::report_test {

nlohmann::json read_json(const std::string& path);

// The fixture as it stands: runs, baselines, similarity and regions.
nlohmann::json measured_fixture();

// A document of docs/formats/compare.md from such measurements, as the command `calor compare` puts it together.
nlohmann::json completed(nlohmann::json measured);

}  // namespace calor::report_test
