// Tests on every instruction set that this machine can run: a suite of them derives from OnIsa and is instantiated with
// CALOR_ON_EVERY_ISA(Suite).  Each holds to the bound that it states against loops of its own, "scalar" too, so any two agree within twice
// that.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "calor/kernels/attention.h"

namespace calor::engine {

struct WithIsa {
  explicit WithIsa(const std::string& name) { kernels::force_isa(name); }
  WithIsa(const WithIsa&) = delete;
  WithIsa& operator=(const WithIsa&) = delete;
  ~WithIsa() { kernels::force_isa(""); }
};

class OnIsa : public ::testing::TestWithParam<std::string> {
 private:
  WithIsa forced_{GetParam()};
};

inline std::string isa_of(const ::testing::TestParamInfo<std::string>& test) { return test.param; }

#define CALOR_ON_EVERY_ISA(Suite) INSTANTIATE_TEST_SUITE_P(Isa, Suite, ::testing::ValuesIn(kernels::isa_names()), isa_of)

}  // namespace calor::engine
