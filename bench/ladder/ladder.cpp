// The ladder of docs/engine.md: attention of one head of 2,048 x 64 numbers, forward and with gradients, from three loops to the kernel, one thread.
//
//   calor_bench_ladder [--quick] [--json FILE]
//
// Every rung's answer is compared with the definition in double before it is timed.  Operations are counted as 4 N^2 d forward and 14 N^2 d with gradients; the
// bound is the time that they and N^2 exponentials (2 N^2) take at the rates that calor/measure/limits.h measures in the same run.  CALOR_ISA names the
// instruction set of the rungs, of the kernel and of the bound.
#include <fmt/format.h>
#include <hwy/aligned_allocator.h>
#include <hwy/targets.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "bench/ladder/rungs.h"
#include "bench/program.h"
#include "calor/core/error.h"
#include "calor/measure/attention_problem.h"
#include "calor/measure/interleave.h"
#include "calor/measure/limits.h"
#include "calor/measure/processor.h"

namespace {

using namespace calor;
using bench::ladder::dim;
using bench::ladder::Head;
using bench::ladder::Rung;
using bench::ladder::Scratch;

// A sum of two thousand products, through a softmax and back.
constexpr double largest_error = 4e-5;

using Numbers = hwy::AlignedFreeUniquePtr<float[]>;

Numbers room(std::int64_t count) { return hwy::AllocateAligned<float>(static_cast<std::size_t>(count)); }

Numbers normals(std::int64_t count, std::uint64_t seed) {
  Numbers numbers = room(count);
  std::ranges::copy(measure::normals(count, seed), numbers.get());
  return numbers;
}

// A head that owns its numbers: those of measure::AttentionProblem.
struct Problem {
  std::int64_t rows, size = rows * dim;
  Numbers q = normals(size, 1), k = normals(size, 2), v = normals(size, 3), d_out = normals(size, 4);
  Numbers out = room(size), d_q = room(size), d_k = room(size), d_v = room(size), lse = room(rows);
  explicit Problem(std::int64_t n) : rows(n) {}

  Head head() const {
    const float scale = 1 / std::sqrt(static_cast<float>(dim));
    return {rows, scale, q.get(), k.get(), v.get(), d_out.get(), out.get(), d_q.get(), d_k.get(), d_v.get(), lse.get()};
  }
  std::vector<const float*> results(bool backward) const { return backward ? std::vector<const float*>{out.get(), d_q.get(), d_k.get(), d_v.get()} : std::vector<const float*>{out.get()}; }
  void forget() const {
    for (float* result : {out.get(), d_q.get(), d_k.get(), d_v.get()}) std::fill_n(result, size, NAN);
  }
};

// The last rung.
void kernel(const Head& h, bool backward, Scratch&) {
  const kernels::Strides strides{0, 0, dim};
  kernels::AttentionParams<float> p;
  p.batch = p.heads = 1, p.queries = p.keys = h.rows, p.dim = p.value_dim = dim;
  p.q = h.q, p.k = h.k, p.v = h.v, p.scale = &h.scale;
  p.q_strides = p.k_strides = p.v_strides = strides;
  p.threads = 1;
  kernels::attention_forward(p, {h.out, strides, h.lse});
  if (!backward) return;
  kernels::AttentionBackward<float> b;
  b.out = h.out, b.lse = h.lse, b.d_out = h.d_out, b.d_q = h.d_q, b.d_k = h.d_k, b.d_v = h.d_v;
  b.out_strides = b.d_out_strides = b.d_q_strides = b.d_k_strides = b.d_v_strides = strides;
  kernels::attention_backward(p, b);
}

std::uint64_t kernel_memory(std::int64_t rows, bool backward) {
  kernels::AttentionParams<float> p;
  const float none = 0;
  p.batch = p.heads = 1, p.queries = p.keys = rows, p.dim = p.value_dim = dim, p.threads = 1;
  p.q = p.k = p.v = p.scale = &none;
  return kernels::attention_workspace(p, backward);
}

// The largest error of the results, each relative to its largest value.
double error_of(const Problem& problem, const measure::AttentionProblem<double>& truth, bool backward) {
  double worst = 0;
  const auto expected = truth.results(backward);
  for (std::size_t r = 0; r < expected.size(); ++r) {
    double difference = 0, largest = 0;
    for (std::size_t n = 0; n < expected[r]->size(); ++n) {
      const double error = std::abs(static_cast<double>(problem.results(backward)[r][n]) - (*expected[r])[n]);
      difference = std::isnan(error) ? INFINITY : std::max(difference, error);
      largest = std::max(largest, std::abs((*expected[r])[n]));
    }
    worst = std::max(worst, difference / largest);
  }
  return worst;
}

struct Measured {
  std::string name;
  bool backward;
  double seconds = 0, flops = 0, share = 0, error = 0;
  std::uint64_t memory = 0;
};

// Highway's number of the instruction set that the kernels use; the limits are then measured with it too.
std::int64_t chosen_target() {
  const std::string isa = kernels::isa_name();
  require(isa != "scalar", Fault::usage, "[ladder] expected an instruction set with vectors, found scalar: unset CALOR_ISA, or name one of calor_bench_ladder's others");
  const std::int64_t target = isa == "avx512" ? HWY_AVX3 : isa == "avx2" ? HWY_AVX2 : isa == "sse4" ? HWY_SSE4 : HWY_NEON;
  hwy::SetSupportedTargetsForTest(target);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  return target;
}

std::vector<Measured> measure_rungs(const std::vector<Rung>& rungs, std::int64_t rows, bool backward, const measure::Limits& limits, bool quick) {
  const Problem problem(rows);
  measure::AttentionProblem<double> truth({1, 1, rows, dim}, kernels::Score::dot, 1);
  truth.run(backward);
  Scratch scratch;
  const auto run = [&](const Rung& rung) {
    scratch.clear();
    rung.run(problem.head(), backward, scratch);
  };
  const double pairs = static_cast<double>(rows) * static_cast<double>(rows), operations = (backward ? 14 : 4) * pairs * dim;
  const double bound = operations / limits.flops + (backward ? 2 : 1) * pairs * limits.exp_seconds;

  std::vector<Measured> all;
  std::vector<measure::Contestant> slow, fast;  // those that take seconds get few rounds
  std::vector<std::pair<bool, std::size_t>> places;
  for (const Rung& rung : rungs) {
    problem.forget();
    const double once = measure::seconds_of([&] { run(rung); });
    Measured found{rung.name, backward};
    found.error = error_of(problem, truth, backward);
    found.memory = rung.run == kernel ? kernel_memory(rows, backward) : scratch.bytes();
    require(found.error < largest_error, Fault::check, "[ladder] expected an error below {:.0e} of \"{}\"{}, found {:.1e}", largest_error, rung.name, backward ? " with gradients" : "", found.error);
    const bool is_fast = once < 40 * bound;
    auto& group = is_fast ? fast : slow;
    places.emplace_back(is_fast, group.size());
    group.push_back({rung.name, [&run, &rung] { run(rung); }});
    all.push_back(std::move(found));
  }
  if (!slow.empty()) measure::interleave(slow, 0, quick ? 1 : 3, quick ? 1 : 3);
  if (!fast.empty()) measure::interleave(fast, quick ? 0.1 : 1.5, quick ? 3 : 11, 61);
  for (std::size_t n = 0; n < all.size(); ++n) {
    all[n].seconds = (places[n].first ? fast : slow)[places[n].second].seconds;
    all[n].flops = operations / all[n].seconds;
    all[n].share = bound / all[n].seconds;
  }
  return all;
}

std::string cells(const Measured& found) {
  return fmt::format("{:>9.2f} | {:>5.1f} | {:>5.1f} % | {:>7.0e} | {:>9.2f}", found.seconds * 1e3, found.flops * 1e-9, 100 * found.share, found.error, static_cast<double>(found.memory) / (1 << 20));
}

int run(const bench::Options& options) {
  const std::int64_t target = chosen_target();
  const std::int64_t rows = options.quick ? 512 : 2048;
  const measure::Limits limits = measure::measure_limits();
  std::vector<Rung> rungs = bench::ladder::rungs(target);
  rungs.insert(rungs.end() - 1, {"the kernel", kernel});
  fmt::print("{}, one thread, float, one head of {} x {}, {}. One core, measured: {:.1f} GFLOP/s of multiply-adds, {:.3f} ns per exponential.\n\n", measure::processor_name(), rows, dim, kernels::isa_name(),
             limits.flops * 1e-9, limits.exp_seconds * 1e9);
  const std::vector<Measured> forward = measure_rungs(rungs, rows, false, limits, options.quick), both = measure_rungs(rungs, rows, true, limits, options.quick);
  fmt::print("|   |                               | forward, ms | GFLOP/s | of the bound | error | memory, MiB | with gradients, ms | GFLOP/s | of the bound | error | memory, MiB |\n"
             "|---|---|---|---|---|---|---|---|---|---|---|---|\n");
  nlohmann::json results = nlohmann::json::array();
  for (std::size_t n = 0; n < rungs.size(); ++n) {
    fmt::print("| {} | {:<29} | {} | {} |\n", n + 1 < rungs.size() ? fmt::to_string(n + 1) : " ", rungs[n].name, cells(forward[n]), cells(both[n]));
    for (const Measured* found : {&forward[n], &both[n]})
      results.push_back({{"rung", found->name}, {"backward", found->backward}, {"seconds", found->seconds}, {"flops", found->flops}, {"share_of_bound", found->share}, {"error", found->error}, {"memory", found->memory}});
  }
  bench::write_json(options, {{"schema", 1}, {"kind", "bench_ladder"}, {"isa", kernels::isa_name()}, {"rows", rows}, {"dim", dim},
                              {"limits", {{"target", limits.target}, {"flops", limits.flops}, {"exp_seconds", limits.exp_seconds}}}, {"results", results}});
  return 0;
}

}  // namespace

int main(int count, char** arguments) { return bench::program("calor_bench_ladder", count, arguments, run); }
