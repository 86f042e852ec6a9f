// A pipeline by its text: fitted to your own numbers, saved, loaded, and given new points.
#include <calor/calor.h>

#include <cstdio>

int main(int, char** arguments) {
  calor::Matrix features(200, 3);
  for (int i = 0; i < features.rows(); ++i) features.row(i) << std::cos(0.05 * i), std::sin(0.05 * i), 0.01 * i;
  const calor::Points points(features, {.seed = 1, .threads = 1});

  const calor::Pipeline pipeline("isomap", {"knn.k=8"});
  const calor::Fit fit = pipeline.fit(points);
  const std::string file = std::string(arguments[0]) + ".fit.safetensors";
  fit.save(file);

  const calor::Value placed = calor::Fit::load(file).transform(calor::Points(features.topRows(5)));
  const double apart = (std::get<calor::Embedding>(placed).coordinates() - fit.as<calor::Embedding>().coordinates().topRows(5)).cwiseAbs().maxCoeff();
  std::printf("%s\nrows of the fit come back to within %.1e\n", pipeline.text().c_str(), apart);
  return std::remove(file.c_str()) == 0 && apart < 1e-6 ? 0 : 1;
}
