// The kernels of tables.h in plain loops.
#pragma once

#include "calor/kernels/scalar/descents.h"
#include "calor/kernels/tables.h"

namespace calor::kernels::scalar {

const Products* products();
const Softmax* softmax();
const Gaussian* gaussian();
const Paths* paths();
const Symmetric* symmetric();
const WalkSums* walk_sums();
const WorkingSet* working_set();
const Edges* edges();
const MetricSteps* metric_steps();
const DenseSteps* dense_steps();

inline Tables tables() { return {products(), softmax(), gaussian(), paths(), symmetric(), descents(), walk_sums(), working_set(), edges(), metric_steps(), dense_steps()}; }

}  // namespace calor::kernels::scalar
