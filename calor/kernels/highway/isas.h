// The tiles written with Highway, one set for each instruction set that this compiler can produce.  Comes before Highway's
// own headers.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/kernels/isa.h"

// Named vector lengths only: the micro-kernels keep arrays of vectors, which the scalable ones do not allow.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)

namespace calor::kernels {

// Those that this machine can run, slowest first.
std::vector<Isa> highway_isas();

// The tables of one of Highway's targets, and the two of them that products.cpp makes.
Tables highway_tables(std::int64_t target);
const Products* highway_products(std::int64_t target);
const Softmax* highway_softmax(std::int64_t target);

// Its kernels of descents, of training a metric, and of dense layers.
const Descents* highway_descents(std::int64_t target);
const MetricSteps* highway_metric_steps(std::int64_t target);
const DenseSteps* highway_dense_steps(std::int64_t target);

}  // namespace calor::kernels
