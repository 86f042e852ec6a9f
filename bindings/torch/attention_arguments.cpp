#include "bindings/torch/attention_arguments.h"

#include <ATen/ops/arange.h>
#include <c10/util/Exception.h>

namespace calor::torch_ops {
namespace {

using SymSizes = c10::SymIntArrayRef;

// Whether `found` broadcasts to `wanted`, with no more dimensions than that.
bool broadcasts(SymSizes found, SymSizes wanted) {
  if (found.size() > wanted.size()) return false;
  const std::size_t lead = wanted.size() - found.size();
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i] != wanted[lead + i] && found[i] != 1) return false;
  }
  return true;
}

bool same_or_one(const c10::SymInt& found, const c10::SymInt& wanted) { return found == wanted || found == 1; }

void check_device_and_dtype(const at::Tensor& tensor, const at::Tensor& q, const char* name, bool plain = false) {
  TORCH_CHECK_TYPE(tensor.device() == q.device(), "[calor::attention] expected ", name, " on the device of q, ",
                   q.device(), ", found ", tensor.device());
  const auto wanted = plain ? plain_type(q.scalar_type()) : q.scalar_type();
  TORCH_CHECK_TYPE(tensor.scalar_type() == wanted, "[calor::attention] expected ", name,
                   wanted == q.scalar_type() ? " of the dtype of q, " : " beside bfloat16 rows of dtype ", wanted, ", found ", tensor.scalar_type());
}

void check_boolean(const at::Tensor& tensor, const at::Tensor& q, const char* name) {
  TORCH_CHECK_TYPE(tensor.device() == q.device(), "[calor::attention] expected ", name, " on the device of q, ",
                   q.device(), ", found ", tensor.device());
  TORCH_CHECK_TYPE(tensor.scalar_type() == at::kBool, "[calor::attention] expected ", name,
                   " of dtype bool (true = attend), found ", tensor.scalar_type(),
                   ": put a mask that is added to the scores into bias, or compare it with `mask == 0`");
}

}  // namespace

Score score_of(std::string_view name) {
  if (name == "dot") return Score::dot;
  TORCH_CHECK_VALUE(name == "squared_distance", "[calor::attention] expected score \"dot\" or \"squared_distance\", "
                    "found \"", name, "\"");
  return Score::squared_distance;
}

std::string_view name_of(Score score) { return score == Score::dot ? "dot" : "squared_distance"; }

void check_device(const at::Tensor& q) {
  TORCH_CHECK_TYPE(q.is_cpu() || q.is_meta(), "[calor::attention] expected tensors on the CPU, found ", q.device(),
                   ": move them with .cpu(), or call attention_composed");
}

void check_arguments(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& scale,
                     const OptionalTensor& bias, const OptionalTensor& key_mask, const OptionalTensor& mask) {
  const auto dtype = q.scalar_type();
  TORCH_CHECK_TYPE(dtype == at::kFloat || dtype == at::kDouble || dtype == at::kBFloat16, "[calor::attention] expected float32, float64 or bfloat16, "
                   "found ", dtype, ": convert q, k, v, scale and bias with .float() and the result back");
  check_device_and_dtype(k, q, "k");
  check_device_and_dtype(v, q, "v");
  check_device_and_dtype(scale, q, "scale", true);
  const auto q_sizes = q.sym_sizes(), k_sizes = k.sym_sizes(), v_sizes = v.sym_sizes();
  TORCH_CHECK_VALUE(q.dim() == 4, "[calor::attention] expected q of 4 dimensions [batch, heads, queries, dim], found ",
                    q_sizes);
  TORCH_CHECK_VALUE(k.dim() == 4 && k_sizes[0] == q_sizes[0] && k_sizes[1] == q_sizes[1] && k_sizes[3] == q_sizes[3],
                    "[calor::attention] expected k of [batch, heads, keys, dim] with the batch, heads and dim of q, ",
                    q_sizes, ", found ", k_sizes);
  TORCH_CHECK_VALUE(v.dim() == 4 && v_sizes[0] == q_sizes[0] && v_sizes[1] == q_sizes[1] && v_sizes[2] == k_sizes[2],
                    "[calor::attention] expected v of [batch, heads, keys, value dim] with the batch, heads and keys "
                    "of k, ", k_sizes, ", found ", v_sizes);
  TORCH_CHECK_VALUE(q_sizes[3] >= 1 && q_sizes[3] <= kernels::max_dim && v_sizes[3] >= 1 &&
                        v_sizes[3] <= kernels::max_dim,
                    "[calor::attention] expected a head dimension from 1 to ", kernels::max_dim, ", found ",
                    q_sizes[3], " (q and k) and ", v_sizes[3], " (v): use more heads");
  TORCH_CHECK_VALUE(broadcasts(scale.sym_sizes(), q_sizes.slice(0, 2)),
                    "[calor::attention] expected scale to broadcast to [batch, heads] = ", q_sizes.slice(0, 2),
                    ", found ", scale.sym_sizes());
  if (bias) {
    check_device_and_dtype(*bias, q, "bias", true);
    const auto found = bias->sym_sizes();
    TORCH_CHECK_VALUE(bias->dim() == 3 && same_or_one(found[0], q_sizes[0]) && same_or_one(found[1], q_sizes[1]) &&
                          found[2] == k_sizes[2],
                      "[calor::attention] expected bias of [batch or 1, heads or 1, keys] for k of ", k_sizes,
                      ", found ", found);
  }
  if (key_mask) {
    check_boolean(*key_mask, q, "key_mask");
    const auto found = key_mask->sym_sizes();
    TORCH_CHECK_VALUE(key_mask->dim() == 2 && same_or_one(found[0], q_sizes[0]) && found[1] == k_sizes[2],
                      "[calor::attention] expected key_mask of [batch or 1, keys] for k of ", k_sizes, ", found ",
                      found);
  }
  if (mask) {
    check_boolean(*mask, q, "mask");
    const auto found = mask->sym_sizes();
    TORCH_CHECK_VALUE(mask->dim() == 4 && same_or_one(found[0], q_sizes[0]) && same_or_one(found[1], q_sizes[1]) &&
                          same_or_one(found[2], q_sizes[2]) && found[3] == k_sizes[2],
                      "[calor::attention] expected mask of [batch or 1, heads or 1, queries or 1, keys] for q of ",
                      q_sizes, " and k of ", k_sizes, ", found ", found);
  }
}

void check_own_key(std::int64_t own_key) {
  TORCH_CHECK_VALUE(own_key >= -1, "[calor::attention] expected own_key from 0, or -1 for none, found ", own_key);
}

at::Tensor visible_places(const c10::SymInt& first, const c10::SymInt& rows, const c10::SymInt& keys, at::Device device, bool causal, std::int64_t own_key) {
  if (!causal && own_key < 0) return {};
  const auto index = at::TensorOptions().dtype(at::kLong).device(device);
  const auto key = at::arange(keys, index).unsqueeze(0), query = at::arange(first, first + rows, index).unsqueeze(1);
  if (own_key < 0) return key.le(query);
  const auto others = key.ne(query.add(own_key));
  return causal ? others.logical_and(key.le(query)) : others;
}

}  // namespace calor::torch_ops
