// From a csv to a picture: a map of wines, drawn and saved, and new rows on it.
#include <calor/calor.h>

#include <cstdio>

int main(int count, char** words) {
  const calor::Points wines = calor::read_points(count > 1 ? words[1] : "wine");
  const calor::Pipeline tsne("standardise | knn(90) | distance(2) | exp(perplexity=30) | row | mean | global | match(student, kl)");
  const calor::Fit fit = tsne.fit(wines);
  fit.report("wine.html", {.title = "Wine", .data = "wine.csv"});
  fit.save("map.calor");

  const calor::Matrix& map = fit.as<calor::Embedding>().coordinates();
  for (int i = 0; i < map.rows(); ++i) std::printf("%.17g,%.17g\n", map(i, 0), map(i, 1));
  const calor::Points some(wines.coordinates().topRows(3));  // as good as new ones
  const calor::Value placed = calor::Fit::load("map.calor").transform(some);
  return std::get<calor::Embedding>(placed).coordinates() == map.topRows(3) ? 0 : 1;
}
