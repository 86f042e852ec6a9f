// A method in a comparison, whatever it is: what it may choose from, and how it predicts.  All choose in the same way.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/learn/data/point_map.h"

namespace calor::learn {

// Points with their classes, in double.
struct LabelledRows {
  engine::Matrix points;
  std::vector<std::int64_t> labels;
  std::int64_t count() const { return points.rows(); }
  LabelledRows those(const std::vector<std::int64_t>& rows) const;
};

// A number that is chosen.  Its values go from the plainest model to the most intricate, of two that predict as well the plainer is taken.
struct Parameter {
  std::string name;
  std::vector<double> values;
  std::vector<std::size_t> first;  // places of those that are tried at once; then the best one's neighbours, as long as one is better
};

using Setting = std::vector<double>;  // a value for each parameter

struct Contender {
  std::string name;
  std::vector<Preprocessing> preprocessings;  // the plainest first
  std::vector<Parameter> parameters;
  std::int64_t most_folds = 5;  // fewer for a method that takes long
  std::int64_t trained = 0;     // numbers that training fits; 0: not to be counted
  std::int64_t most_rows = 0;   // training rows that it is given at most; 0: any number
  // The classes of the queries under each of the settings, trained on the rows; what settings have in common is done once.
  std::function<std::vector<std::vector<std::int64_t>>(const LabelledRows& train, const engine::Matrix& queries,
                                                       const std::vector<Setting>& settings)>
      predict;
};

struct Choice {
  Preprocessing preprocessing = Preprocessing::as_given;
  Setting setting;
  double validated = 0;  // accuracy on the rows left out; NaN where there was nothing to choose
};

// The preprocessing and parameters that predict best the training rows left out in turn: stratified folds drawn by the seed, five of at most
// 1,000 rows, else three, on at most 3,000 rows.  The maps are fitted on the rows of a fold that are trained on.  Every
// preprocessing meets the settings that are tried first, the best one then the neighbours of its best setting.
Choice choose(const Contender& contender, const LabelledRows& train, std::int64_t classes, std::uint64_t seed, const Context& context);

// Classes of points under a choice, trained on all the rows.
std::vector<std::int64_t> predict(const Contender& contender, const Choice& choice, const LabelledRows& train, const engine::Matrix& points);

}  // namespace calor::learn
