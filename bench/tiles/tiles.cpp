// Which register tile is fastest: products of 64 numbers, as attention's scores are, by tiles of 1 to 14 rows and 1 to 4 vectors, out of cache.
//
//   calor_bench_tiles [--quick] [--json FILE]
//
// Every shape's product is compared with sums in double before it is timed.  One thread; all shapes of an instruction set take turns.
#include <fmt/format.h>
#include <hwy/targets.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "bench/program.h"
#include "bench/tiles/shapes.h"
#include "calor/core/error.h"
#include "calor/measure/attention_problem.h"
#include "calor/measure/interleave.h"
#include "calor/measure/processor.h"

namespace {

using namespace calor;
using bench::tiles::Shape;

constexpr std::int64_t depth = 64, blocks = 8;  // of rows, so that a run is long enough to time; all of it stays in the first cache

void check(const Shape& shape, const std::vector<float>& a, const std::vector<float>& b, const std::vector<float>& c) {
  const std::int64_t width = shape.vectors * shape.lanes;
  for (std::int64_t r = 0; r < shape.rows; ++r)
    for (std::int64_t j = 0; j < width; ++j) {
      double sum = 0;
      for (std::int64_t k = 0; k < depth; ++k) sum += static_cast<double>(a[static_cast<std::size_t>(r * depth + k)]) * static_cast<double>(b[static_cast<std::size_t>(k * width + j)]);
      require(std::abs(static_cast<double>(c[static_cast<std::size_t>(r * width + j)]) - sum) < 1e-4, Fault::internal, "[tiles] {} x {}: expected {} at ({}, {}), found {}", shape.rows, shape.vectors, sum,
              r, j, c[static_cast<std::size_t>(r * width + j)]);
    }
}

// Operations a second of each shape.
std::vector<double> rates(const std::vector<Shape>& shapes, bool quick) {
  const std::vector<float> a = measure::normals(14 * depth * blocks, 1), b = measure::normals(depth * 4 * 16, 2);
  std::vector<float> c(14 * 4 * 16);
  std::vector<measure::Contestant> contestants;
  for (const Shape& shape : shapes) {
    shape.product(a.data(), b.data(), depth, c.data());
    check(shape, a, b, c);
    contestants.push_back({fmt::format("{} x {}", shape.rows, shape.vectors), [&, shape] {
                             for (std::int64_t n = 0; n < blocks; ++n) shape.product(a.data() + n * shape.rows * depth, b.data(), depth, c.data());
                           }});
  }
  measure::interleave(contestants, quick ? 0.01 : 0.3, quick ? 1 : 9, 200);
  std::vector<double> result;
  for (std::size_t s = 0; s < shapes.size(); ++s)
    result.push_back(2.0 * static_cast<double>(blocks * shapes[s].rows * shapes[s].vectors * shapes[s].lanes * depth) / contestants[s].seconds);
  return result;
}

int run(const bench::Options& options) {
  nlohmann::json document{{"kind", "bench tiles"}, {"processor", measure::processor_name()}, {"sets", nlohmann::json::array()}};
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    const std::vector<Shape> shapes = bench::tiles::shapes(target);
    if (shapes.empty()) continue;
    const std::vector<double> found = rates(shapes, options.quick);
    const Shape own = bench::tiles::chosen(target);
    fmt::print("{}: GFLOP/s of tiles of so many rows, 1 to 4 vectors of {} floats; * the kernels'\n", hwy::TargetName(target), own.lanes);
    std::map<int, std::string> lines;
    const double best = *std::max_element(found.begin(), found.end());
    for (std::size_t s = 0; s < shapes.size(); ++s) {
      const bool mine = shapes[s].rows == own.rows && shapes[s].vectors == own.vectors;
      lines[shapes[s].rows] += fmt::format("{:8.1f}{}", found[s] / 1e9, mine ? "*" : " ");
      document["sets"].push_back({{"set", hwy::TargetName(target)}, {"rows", shapes[s].rows}, {"vectors", shapes[s].vectors}, {"flops", found[s]}, {"kernels", mine}, {"share_of_best", found[s] / best}});
    }
    for (const auto& [rows, line] : lines) fmt::print("{:4} {}\n", rows, line);
  }
  bench::write_json(options, document);
  return 0;
}

}  // namespace

int main(int count, char** arguments) { return bench::program("calor_bench_tiles", count, arguments, run); }
