// Let U be what a loss sends to attention's gradients, and take one query's row: s its scores, P their softmax, g_j = d_out.v_j, D = sum_j P_j g_j
// and l = d_lse, so that dS_j = P_j (g_j - D + l).  A change of q, k, scale and bias along U changes the scores by A_j, and what the loss
// sends to d_v weighs P_j by B_j = d_out.U_v,j.  The loss is linear in the gradients:
//
//   L = sum_j dS_j A_j + P_j B_j = E[g A] - D E[A] + l E[A] + E[B],   E the mean under P,
//
// of which follow, with a = E[A]:
//
//   dL/dA_j = dS_j,   dL/dg_j = P_j (A_j - a),   dL/dl = a,   dL/dB_j = P_j,
//   dL/ds_j = P_j (f_j - E[f]),   f_j = (g_j - D + l) A_j - a g_j + B_j.
//
// Scores and A are products of rows, so that each of these tiles goes back to the rows by products.  A row depends on no other.
#include "bindings/torch/attention_second.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <limits>

namespace calor::torch_ops {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::int64_t block_numbers = 1 << 18;  // of a tile: several stay in the second-level cache

at::Tensor row_sums(const at::Tensor& tile) { return tile.sum(1, true); }
at::Tensor norms(const at::Tensor& rows) { return rows.square().sum(1, true); }
at::Tensor dots(const at::Tensor& a, const at::Tensor& b) { return a.mul(b).sum(1, true); }

// What of [heads of a batch] belongs to one head: dimensions of 1 are all heads'.
at::Tensor of_head(const at::Tensor& tensor, std::int64_t batch, std::int64_t head) {
  if (!tensor.defined()) return tensor;
  return tensor.select(0, tensor.size(0) == 1 ? 0 : batch).select(0, tensor.size(1) == 1 ? 0 : head);
}
at::Tensor of_head(const OptionalTensor& tensor, std::int64_t batch, std::int64_t head) { return of_head(tensor.value_or(at::Tensor()), batch, head); }

// One head.  Rows of queries and keys are taken relative to the keys' mean where distances are compared, which no difference of them sees.
class HeadSecond {
 public:
  HeadSecond(const SecondProblem& p, const SecondGradients& to, std::int64_t batch, std::int64_t head)
      : p_(p), factor_(p.score == Score::dot ? 1 : 2), norm_(p.score == Score::dot ? 0 : -1),
        scale_(p.scale.expand({p.q.size(0), p.q.size(1)}).select(0, batch).select(0, head).item<double>()), q_(of_head(p.q, batch, head)), k_(of_head(p.k, batch, head)),
        v_(of_head(p.v, batch, head)), lse_(of_head(p.lse, batch, head)), d_out_(of_head(p.d_out, batch, head)), bias_(of_head(p.bias, batch, head)),
        mask_(of_head(p.mask, batch, head)), d_lse_(of_head(p.d_lse, batch, head)), of_q_(of_head(p.of_d_q, batch, head)), of_k_(of_head(p.of_d_k, batch, head)),
        of_v_(of_head(p.of_d_v, batch, head)), of_bias_(of_head(p.of_d_bias, batch, head)),
        of_scale_(p.of_d_scale.defined() ? of_head(p.of_d_scale, batch, head).item<double>() : 0), to_q_(of_head(to.q, batch, head)), to_k_(of_head(to.k, batch, head)),
        to_v_(of_head(to.v, batch, head)), to_bias_(of_head(to.bias, batch, head)), to_d_out_(of_head(to.d_out, batch, head)), to_d_lse_(of_head(to.d_lse, batch, head)),
        to_scale_(to.scale.select(0, batch).select(0, head)) {
    find_seen(batch);
    if (norm_ != 0) {
      // The mean of the keys that are seen.
      const auto centre = kept_keys_.defined() ? k_.sum(0, true).div(kept_keys_.sum().clamp_min(1)) : k_.mean(0, true);
      k_ = k_.sub(centre), q_ = q_.sub(centre);
      if (kept_keys_.defined()) k_ = at::where(kept_keys_.unsqueeze(1), k_, 0.0);
      key_norms_ = norms(k_).t();
      if (of_k_.defined()) key_pulls_ = dots(of_k_, k_).t();
    }
  }

  void run() {
    const std::int64_t rows = rows_at_once();
    double d_scale = 0;
    for (std::int64_t begin = 0; begin < q_.size(0); begin += rows) d_scale += block(begin, std::min(rows, q_.size(0) - begin));
    to_scale_.fill_(d_scale);
  }

 private:
  std::int64_t rows_at_once() const { return std::clamp<std::int64_t>(block_numbers / std::max<std::int64_t>(k_.size(0), 1), 16, 512); }

  // Keys that nobody sees are 0, whatever they hold and are sent, so that nothing of it meets a product.
  void find_seen(std::int64_t batch) {
    if (!p_.key_mask && !bias_.defined() && !mask_.defined() && !p_.causal && p_.own_key < 0) return;
    key_seen_ = at::full({k_.size(0)}, true, k_.options().dtype(at::kBool));
    if (p_.key_mask) key_seen_ = key_seen_.logical_and(p_.key_mask->select(0, p_.key_mask->size(0) == 1 ? 0 : batch));
    if (bias_.defined()) key_seen_ = key_seen_.logical_and(bias_.ne(-infinity)), bias_ = at::where(key_seen_, bias_, 0.0);
    kept_keys_ = key_seen_;
    if (mask_.defined() || p_.causal || p_.own_key >= 0) {
      kept_keys_ = at::full({k_.size(0)}, false, key_seen_.options());
      for (std::int64_t begin = 0; begin < q_.size(0); begin += rows_at_once())
        kept_keys_ = kept_keys_.logical_or(hidden(begin, std::min(rows_at_once(), q_.size(0) - begin)).logical_not().any(0));
    }
    const auto kept = kept_keys_.unsqueeze(1);
    k_ = at::where(kept, k_, 0.0), v_ = at::where(kept, v_, 0.0);
    if (of_k_.defined()) of_k_ = at::where(kept, of_k_, 0.0);
    if (of_v_.defined()) of_v_ = at::where(kept, of_v_, 0.0);
    if (of_bias_.defined()) of_bias_ = at::where(kept_keys_, of_bias_, 0.0);
  }

  // True where a query of the block may not look; undefined: nowhere.
  at::Tensor hidden(std::int64_t begin, std::int64_t rows) const {
    at::Tensor seen = key_seen_.defined() ? key_seen_.unsqueeze(0) : at::Tensor();
    const auto also = [&](const at::Tensor& more) { seen = seen.defined() ? seen.logical_and(more) : more; };
    if (mask_.defined()) also(mask_.size(0) == 1 ? mask_ : mask_.narrow(0, begin, rows));
    if (const auto placed = visible_places(begin, rows, k_.size(0), k_.device(), p_.causal, p_.own_key); placed.defined()) also(placed);
    return seen.defined() ? seen.logical_not() : seen;
  }

  // Adds a block of queries' part to the keys' gradients, writes the queries' own, and returns the part of the scale's.
  double block(std::int64_t begin, std::int64_t rows) {
    const auto lse = lse_.narrow(0, begin, rows).unsqueeze(1);
    const auto live = lse.ne(-infinity);  // others see nothing, and hold what they will
    const auto q = at::where(live, q_.narrow(0, begin, rows), 0.0), d_out = at::where(live, d_out_.narrow(0, begin, rows), 0.0);
    const auto of_q = of_q_.defined() ? at::where(live, of_q_.narrow(0, begin, rows), 0.0) : at::Tensor();
    const auto q_norms = norm_ != 0 ? norms(q) : at::Tensor();

    auto similarity = at::mm(q, k_.t());  // the score over the scale
    if (norm_ != 0) similarity.mul_(factor_).sub_(q_norms).sub_(key_norms_);
    auto P = keeps_scores_ ? similarity.mul(scale_) : similarity.mul_(scale_);
    if (bias_.defined()) P.add_(bias_);
    P.sub_(at::where(live, lse, infinity));
    if (const auto away = hidden(begin, rows); away.defined()) P.masked_fill_(away, -infinity);
    P.exp_();
    // The log-sum-exp may come from scores that were rounded otherwise, as bfloat16's are.
    const auto sums = row_sums(P);
    P.div_(at::where(sums.gt(0), sums, 1.0));

    // A, of which the scale's share is kept apart.
    auto along = at::zeros({}, q.options());
    const auto add_product = [&](const at::Tensor& a, const at::Tensor& b) { along = along.dim() == 2 ? along.addmm_(a, b.t()) : at::mm(a, b.t()); };
    if (of_q.defined()) add_product(of_q, k_);
    if (of_k_.defined()) add_product(q, of_k_);
    if (along.dim() == 0) along = at::zeros_like(P);
    if (norm_ != 0) {
      along.mul_(factor_);
      if (of_q.defined()) along.sub_(dots(of_q, q).mul_(2));
      if (of_k_.defined()) along.sub_(key_pulls_, 2);
    }
    auto A = p_.scale_gradient ? along.mul(scale_) : along.mul_(scale_);
    if (of_scale_ != 0) A.add_(similarity, of_scale_);
    if (of_bias_.defined()) A.add_(of_bias_);

    const auto g = at::mm(d_out, v_.t());
    const auto D = row_sums(g.mul(P)), a = row_sums(A.mul(P));
    auto shift = D.neg();
    if (d_lse_.defined()) shift.add_(at::where(live, d_lse_.narrow(0, begin, rows).unsqueeze(1), 0.0));
    auto dS = g.add(shift);  // over P, as yet
    auto f = A.mul(dS).addcmul_(g, a, -1);
    if (of_v_.defined()) f.addmm_(d_out, of_v_.t());
    dS.mul_(P);
    const auto G = f.sub_(row_sums(f.mul(P))).mul_(P);
    const auto through_values = A.sub_(a).mul_(P);

    auto to_d_out = at::mm(through_values, v_);
    if (of_v_.defined()) to_d_out.addmm_(P, of_v_);
    to_d_out_.narrow(0, begin, rows).copy_(to_d_out);
    to_v_.addmm_(through_values.t(), d_out);
    if (to_d_lse_.defined()) to_d_lse_.narrow(0, begin, rows).copy_(a.squeeze(1));

    // Back through scores and A to the rows: sum over j of G scale (factor k_j + 2 norm q_i) + dS (scale (factor U_k,j + 2 norm U_q,i) + U_scale (factor k_j + 2 norm q_i)).
    auto on_keys = G.mul(scale_);
    if (of_scale_ != 0) on_keys.add_(dS, of_scale_);
    auto to_q = at::mm(on_keys, k_);
    if (of_k_.defined()) to_q.addmm_(dS, of_k_, 1, scale_);
    to_k_.addmm_(on_keys.t(), q, 1, factor_);
    if (of_q.defined()) to_k_.addmm_(dS.t(), of_q, 1, scale_ * factor_);
    to_q.mul_(factor_);
    if (norm_ != 0) {
      to_q.sub_(row_sums(on_keys).mul(q), 2);
      if (of_q.defined()) to_q.sub_(row_sums(dS).mul(of_q), 2 * scale_);
      to_k_.sub_(on_keys.sum(0).unsqueeze(1).mul(k_), 2);
      if (of_k_.defined()) to_k_.sub_(dS.sum(0).unsqueeze(1).mul(of_k_), 2 * scale_);
    }
    to_q_.narrow(0, begin, rows).copy_(to_q);
    if (to_bias_.defined()) to_bias_.add_(G.sum(0));
    return p_.scale_gradient ? G.mul(similarity).sum().item<double>() + dS.mul(along).sum().item<double>() : 0;
  }

  const SecondProblem& p_;
  double factor_, norm_, scale_;  // a score is scale (factor q.k + norm (|q|^2 + |k|^2)) + bias
  at::Tensor q_, k_, v_, lse_, d_out_, bias_, mask_, d_lse_, of_q_, of_k_, of_v_, of_bias_;
  double of_scale_;
  bool keeps_scores_ = p_.scale_gradient || of_scale_ != 0;
  at::Tensor to_q_, to_k_, to_v_, to_bias_, to_d_out_, to_d_lse_, to_scale_;
  at::Tensor key_seen_, kept_keys_, key_norms_, key_pulls_;  // seen: as far as a key alone decides; kept: by some query
};

}  // namespace

SecondGradients second_derivative(const SecondProblem& p) {
  const at::NoGradGuard without_graph;
  const c10::impl::ExcludeDispatchKeyGuard without_autocast(c10::autocast_dispatch_keyset);
  const auto zeros = [](const at::Tensor& like) { return at::zeros(like.sizes(), like.options()); };
  SecondGradients to;
  to.q = zeros(p.q), to.k = zeros(p.k), to.v = zeros(p.v), to.d_out = zeros(p.d_out);
  to.scale = at::zeros(p.q.sizes().slice(0, 2), p.lse.options());
  if (p.bias) to.bias = at::zeros(p.k.sizes().slice(0, 3), p.lse.options());
  to.d_lse = at::zeros(p.lse.sizes(), p.lse.options());
  const std::int64_t heads = p.q.size(1);
  at::parallel_for(0, p.q.size(0) * heads, 1, [&](std::int64_t begin, std::int64_t end) {
    const at::NoGradGuard within_thread;
    const c10::impl::ExcludeDispatchKeyGuard without_autocast_here(c10::autocast_dispatch_keyset);
    for (std::int64_t n = begin; n < end; ++n) HeadSecond(p, to, n / heads, n % heads).run();
  });
  return to;
}

}  // namespace calor::torch_ops
