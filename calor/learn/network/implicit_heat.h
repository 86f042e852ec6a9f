// One implicit step of heat on a surface as a differentiable function.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "calor/core/progress.h"
#include "calor/engine/mesh_laplacian.h"

namespace calor::learn {

// u = (mass + t stiffness)^-1 mass h, h [points, features], time [features], at least 0; of h's type, in double inside.  Differentiable once in both: with
// v = (mass + t stiffness)^-1 du, dh = mass v and dt = -v' stiffness u, a feature each.  A factorisation for each time that differs, in the forward and again in the backward pass:
// O(points features) memory beside one of them.  Throws as engine::implicit_heat.
at::Tensor implicit_heat(const std::shared_ptr<const engine::MeshLaplacian>& laplacian, const at::Tensor& h, const at::Tensor& time, const Context& context);

}  // namespace calor::learn
