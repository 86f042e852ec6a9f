#include "calor/learn/baseline/contender.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/learn/data/split.h"

namespace calor::learn {
namespace {

using engine::Matrix;

constexpr std::uint64_t folds_stream = std::uint64_t{1} << 32;  // the split itself has a stream a class
constexpr std::int64_t most_judged = 3000, few = 1000, folds_of_few = 5, folds_of_many = 3;

using Places = std::vector<std::size_t>;  // of a setting's values

Setting setting_at(const Contender& contender, const Places& places) {
  Setting setting;
  for (std::size_t i = 0; i < places.size(); ++i) setting.push_back(contender.parameters[i].values[places[i]]);
  return setting;
}

// Every combination of one of each list.
std::vector<Places> combinations(const std::vector<Places>& lists) {
  std::vector<Places> result{{}};
  for (const Places& list : lists) {
    std::vector<Places> longer;
    for (const Places& begun : result)
      for (const std::size_t place : list) {
        longer.push_back(begun);
        longer.back().push_back(place);
      }
    result = std::move(longer);
  }
  return result;
}

// The folds' rows: of each class in a random order, dealt out in turn.
std::vector<std::vector<std::int64_t>> folds_of(const std::vector<std::int64_t>& labels, std::int64_t classes, std::uint64_t seed) {
  const std::vector<std::int64_t> judged = stratified_sample(labels, classes, most_judged, seed);
  std::vector<std::vector<std::int64_t>> folds(
      static_cast<std::size_t>(static_cast<std::int64_t>(judged.size()) <= few ? folds_of_few : folds_of_many));
  Random random(seed, Purpose::split, folds_stream);
  const auto order = permutation(static_cast<std::int64_t>(judged.size()), random);
  std::vector<std::int64_t> shuffled;
  for (const std::int64_t at : order) shuffled.push_back(judged[static_cast<std::size_t>(at)]);
  std::stable_sort(shuffled.begin(), shuffled.end(), [&](std::int64_t a, std::int64_t b) { return labels[static_cast<std::size_t>(a)] < labels[static_cast<std::size_t>(b)]; });
  for (std::size_t i = 0; i < shuffled.size(); ++i) folds[i % folds.size()].push_back(shuffled[i]);
  return folds;
}

class Search {
 public:
  Search(const Contender& contender, const LabelledRows& train, std::int64_t classes, std::uint64_t seed, const Context& context)
      : contender_(contender), train_(train), context_(context), folds_(folds_of(train.labels, classes, seed)) {}

  Choice best() {
    std::vector<Places> first;
    for (const Parameter& parameter : contender_.parameters) first.push_back(parameter.first);
    for (std::size_t p = 0; p < contender_.preprocessings.size(); ++p)
      if (possible(contender_.preprocessings[p], kept_rows(), train_.points.cols())) judge(p, combinations(first));
    for (;;) {
      const std::vector<Places> next = untried_neighbours();
      if (next.empty()) break;
      judge(best_.first, next);
    }
    return {contender_.preprocessings[best_.first], setting_at(contender_, best_.second), static_cast<double>(right_) / static_cast<double>(judged())};
  }

 private:
  using Candidate = std::pair<std::size_t, Places>;  // preprocessing, setting: the plainer first

  std::size_t turns() const { return std::min(folds_.size(), static_cast<std::size_t>(contender_.most_folds)); }
  std::int64_t judged() const {
    std::int64_t rows = 0;
    for (std::size_t fold = 0; fold < turns(); ++fold) rows += static_cast<std::int64_t>(folds_[fold].size());
    return rows;
  }
  // Of the smallest training set of a fold.
  std::int64_t kept_rows() const {
    std::int64_t rows = 0;
    for (const auto& fold : folds_) rows += static_cast<std::int64_t>(fold.size());
    return rows - static_cast<std::int64_t>(folds_.front().size());
  }

  std::vector<Places> untried_neighbours() const {
    std::vector<Places> around;
    for (std::size_t i = 0; i < best_.second.size(); ++i) {
      const std::size_t at = best_.second[i], end = contender_.parameters[i].values.size();
      around.emplace_back();
      for (std::size_t place = at > 0 ? at - 1 : 0; place <= at + 1 && place < end; ++place) around.back().push_back(place);
    }
    std::vector<Places> result = combinations(around);
    std::erase_if(result, [&](const Places& places) { return tried_.contains({best_.first, places}); });
    return result;
  }

  void judge(std::size_t preprocessing, const std::vector<Places>& candidates) {
    std::vector<Setting> settings;
    for (const Places& places : candidates) settings.push_back(setting_at(contender_, places));
    std::vector<std::int64_t> right(candidates.size(), 0);
    for (std::size_t fold = 0; fold < turns(); ++fold) {
      context_.check_stop("compare");
      std::vector<std::int64_t> kept;
      for (std::size_t other = 0; other < folds_.size(); ++other)
        if (other != fold) kept.insert(kept.end(), folds_[other].begin(), folds_[other].end());
      if (kept.empty() || folds_[fold].empty()) continue;
      std::sort(kept.begin(), kept.end());
      LabelledRows rows = train_.those(kept), left_out = train_.those(folds_[fold]);
      const PointMap map(contender_.preprocessings[preprocessing], rows.points);
      rows.points = map(rows.points);
      const auto found = contender_.predict(rows, map(left_out.points), settings);
      for (std::size_t s = 0; s < settings.size(); ++s)
        for (std::size_t i = 0; i < left_out.labels.size(); ++i) right[s] += found[s][i] == left_out.labels[i];
    }
    for (std::size_t s = 0; s < candidates.size(); ++s) {
      const Candidate candidate{preprocessing, candidates[s]};
      tried_.insert(candidate);
      if (right[s] > right_ || (right[s] == right_ && candidate < best_)) {
        right_ = right[s];
        best_ = candidate;
      }
    }
  }

  const Contender& contender_;
  const LabelledRows& train_;
  const Context& context_;
  std::vector<std::vector<std::int64_t>> folds_;
  std::set<Candidate> tried_;
  Candidate best_;
  std::int64_t right_ = -1;
};

}  // namespace

LabelledRows LabelledRows::those(const std::vector<std::int64_t>& rows) const {
  LabelledRows result{Matrix(static_cast<Eigen::Index>(rows.size()), points.cols()), {}};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    result.points.row(static_cast<Eigen::Index>(i)) = points.row(rows[i]);
    result.labels.push_back(labels[static_cast<std::size_t>(rows[i])]);
  }
  return result;
}

Choice choose(const Contender& contender, const LabelledRows& train, std::int64_t classes, std::uint64_t seed, const Context& context) {
  bool one = contender.preprocessings.size() == 1;
  for (const Parameter& parameter : contender.parameters) one = one && parameter.values.size() == 1;
  if (one) return {contender.preprocessings.front(), setting_at(contender, Places(contender.parameters.size(), 0)), std::numeric_limits<double>::quiet_NaN()};
  return Search(contender, train, classes, seed, context).best();
}

std::vector<std::int64_t> predict(const Contender& contender, const Choice& choice, const LabelledRows& train, const Matrix& points) {
  const PointMap map(choice.preprocessing, train.points);
  return contender.predict({map(train.points), train.labels}, map(points), {choice.setting}).front();
}

}  // namespace calor::learn
