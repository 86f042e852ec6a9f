// A user's program: attention over the iris flowers.  Rows of the similarity sum to one, so ones come back as ones.
#include <cmath>
#include <cstdio>
#include <vector>

#include "calor/core/version.h"
#include "calor/io/dataset.h"
#include "calor/kernels/attention.h"

int main() {
  const auto iris = calor::io::load_dataset("iris", {}, calor::Context());
  const std::vector<float> points(iris.values.begin(), iris.values.end());
  const std::vector<float> ones(static_cast<std::size_t>(iris.rows), 1.0f);
  std::vector<float> out(ones.size()), lse(ones.size());
  const float scale = 0.5f;
  calor::kernels::AttentionParams<float> params;
  params.score = calor::kernels::Score::squared_distance;
  params.batch = params.heads = 1;
  params.queries = params.keys = iris.rows;
  params.dim = iris.columns;
  params.value_dim = 1;
  params.q = params.k = points.data();
  params.v = ones.data();
  params.q_strides.row = params.k_strides.row = iris.columns;
  params.v_strides.row = 1;
  params.scale = &scale;
  calor::kernels::attention_forward(params, calor::kernels::AttentionForward<float>{out.data(), {0, 0, 1}, lse.data()});
  for (const float x : out)
    if (std::abs(x - 1) > 1e-5f) return std::printf("row sum %g\n", x), 1;
  std::printf("calor %s: %zu rows, %s\n", calor::version, out.size(), calor::kernels::isa_name().c_str());
  return 0;
}
