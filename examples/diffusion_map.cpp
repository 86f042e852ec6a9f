// A diffusion map of handwritten digits, stage by stage: every value has a type, and the compiler checks the pipeline.
#include <calor/calor.h>

#include <cstdio>

int main() {
  const calor::Points points = calor::read_points("digits");
  const calor::Similarity kernel = two_side(exp(distance(points, 2), "auto"), 1.0);
  const calor::Embedding map = eigen(row(kernel), 2, {{"time", 1}});
  std::printf("bandwidth %.4g, eigenvalues %.4f and %.4f\n", map.figures().at("bandwidth"), map.spectrum()[0], map.spectrum()[1]);
  for (int i = 0; i < 3; ++i) std::printf("%9.5f %9.5f\n", map.coordinates()(i, 0), map.coordinates()(i, 1));
  const calor::Labels groups = cluster(map, 3, {{"starts", 5}});  // an embedding is points again
  std::printf("row 0 is in cluster %lld\n", static_cast<long long>(groups.numbers()[0]));
}
