// What files that a run goes on from have in common: they know the run that they belong to, and whether they are whole.
#pragma once

#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "calor/io/safetensors.h"

namespace calor::io {

// Of these fields of the metadata, which must be there, and of all tensors with their names.
std::string digest_of(const Safetensors& content, std::initializer_list<const char*> fields);

// The fields of two runs that differ: "epochs (60, was 100), seed (1, was 0)".
std::string differences(const nlohmann::json& now, const nlohmann::json& before);

}  // namespace calor::io
