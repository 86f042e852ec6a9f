// A user's program: a pipeline by name and the same by functions, from the installed header alone.
#include <calor/calor.h>

#include <cstdio>

int main() {
  const calor::Points points = calor::read_points("wine");
  const calor::Matrix by_name = calor::Pipeline("mds", {"eigen.k=2"}).fit(points).as<calor::Embedding>().coordinates();
  const calor::Matrix by_functions = eigen(double_center(distance(points, 1)), 2, {{"time", 0.5}}).coordinates();
  std::printf("%td x %td, %s\n", by_name.rows(), by_name.cols(), by_name == by_functions ? "equal" : "different");
  return by_name == by_functions ? 0 : 1;
}
