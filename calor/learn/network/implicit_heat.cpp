#include "calor/learn/network/implicit_heat.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include "calor/engine/implicit_heat.h"

namespace calor::learn {
namespace {

using engine::Matrix;
using engine::Vector;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// What a solve takes beside tensors.
struct Solver : torch::CustomClassHolder {
  Solver(std::shared_ptr<const engine::MeshLaplacian> given, const Context& heat_context) : laplacian(std::move(given)), context(heat_context) { context.progress = nullptr; }
  std::shared_ptr<const engine::MeshLaplacian> laplacian;
  Context context;
};

Matrix matrix_of(const at::Tensor& tensor) {
  const at::Tensor values = tensor.detach().to(at::kDouble).contiguous();
  return Eigen::Map<const Matrix>(values.const_data_ptr<double>(), values.size(0), values.dim() == 2 ? values.size(1) : 1);
}

at::Tensor tensor_of(const Matrix& values, at::ScalarType dtype) {
  const at::Tensor tensor = at::empty({values.rows(), values.cols()}, at::kDouble);
  std::copy(values.data(), values.data() + values.size(), tensor.mutable_data_ptr<double>());
  return tensor.to(dtype);
}

Matrix flown(const Solver& solver, const at::Tensor& h, const at::Tensor& time) {
  return engine::implicit_heat(*solver.laplacian, solver.laplacian->mass.asDiagonal() * matrix_of(h), matrix_of(time).col(0), solver.context);
}

class ImplicitHeat : public torch::autograd::Function<ImplicitHeat> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& h, const at::Tensor& time, const c10::intrusive_ptr<Solver>& solver) {
    const at::Tensor u = tensor_of(flown(*solver, h, time), h.scalar_type());
    context->save_for_backward({u, time});
    context->saved_data["solver"] = c10::IValue::make_capsule(solver);
    return u;
  }
  static variable_list backward(AutogradContext* context, const variable_list& d_u) {
    const auto saved = context->get_saved_variables();
    const auto solver = c10::static_intrusive_pointer_cast<Solver>(context->saved_data["solver"].toCapsule());
    const engine::MeshLaplacian& laplacian = *solver->laplacian;
    const Matrix u = matrix_of(saved[0]), v = engine::implicit_heat(laplacian, matrix_of(d_u[0]), matrix_of(saved[1]).col(0), solver->context);
    Matrix d_time = Matrix::Zero(1, u.cols());
    for (std::int64_t i = 0; i < laplacian.stiffness.rows; ++i)
      for (std::int64_t e = laplacian.stiffness.begin[i]; e < laplacian.stiffness.begin[i + 1]; ++e)
        d_time.row(0) -= laplacian.stiffness.values[e] * v.row(i).cwiseProduct(u.row(laplacian.stiffness.column[e]));
    return {tensor_of(laplacian.mass.asDiagonal() * v, d_u[0].scalar_type()), tensor_of(d_time, saved[1].scalar_type()).squeeze(0), {}};
  }
};

}  // namespace

at::Tensor implicit_heat(const std::shared_ptr<const engine::MeshLaplacian>& laplacian, const at::Tensor& h, const at::Tensor& time, const Context& context) {
  const auto solver = c10::make_intrusive<Solver>(laplacian, context);
  if (at::GradMode::is_enabled() && (h.requires_grad() || time.requires_grad())) return ImplicitHeat::apply(h, time, solver);
  return tensor_of(flown(*solver, h, time), h.scalar_type());
}

}  // namespace calor::learn
