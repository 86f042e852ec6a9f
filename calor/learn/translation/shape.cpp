#include "calor/learn/translation/shape.h"

#include <algorithm>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/kernels/attention.h"
#include "calor/learn/text/vocabulary.h"

namespace calor::learn {

const std::vector<std::string>& translator_scores() {
  static const std::vector<std::string> names{"self", "l2", "metric", "uniform"};
  return names;
}

std::size_t place_of(std::string_view name, const std::vector<std::string>& names, std::string_view what) {
  const auto found = std::ranges::find(names, name);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  const std::string near = nearest_name(name, names);
  fail(Fault::usage, "[translation] expected {} of {}, found \"{}\"{}", what, list_names(names), name, near.empty() ? "" : fmt::format(": did you mean \"{}\"?", near));
}

TranslatorScore parse_translator_score(std::string_view name) { return static_cast<TranslatorScore>(place_of(name, translator_scores(), "an attention")); }

void validate(const TranslatorShape& shape) {
  parse_translator_score(shape.score);
  const auto within = [](const char* what, std::int64_t value, std::int64_t least, std::int64_t most) {
    require(value >= least && value <= most, Fault::usage, "[translation] expected {} from {} to {}, found {}", what, grouped_digits(least), grouped_digits(most), value);
  };
  within("a vocabulary", shape.vocabulary, Vocabulary::reserved + 1, 1'000'000);
  within("a width", shape.width, 2, 8192);
  within("a number of layers", shape.layers, 1, 100);
  within("a number of heads", shape.heads, 1, shape.width);
  within("hidden units", shape.hidden, 1, 100'000);
  require(shape.width % shape.heads == 0 && shape.width % 2 == 0, Fault::usage, "[translation] expected an even width that the heads divide, found width {} and {} heads", shape.width,
          shape.heads);
  require(shape.width / shape.heads <= kernels::max_dim, Fault::usage, "[translation] expected heads of at most {} features, found {}: take more heads", kernels::max_dim,
          shape.width / shape.heads);
  require(shape.dropout >= 0 && shape.dropout < 1, Fault::usage, "[translation] expected a dropout from 0 to below 1, found {}", shape.dropout);
}

}  // namespace calor::learn
