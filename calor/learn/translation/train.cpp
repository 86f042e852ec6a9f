#include "calor/learn/translation/train.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/core/text.h"
#include "calor/core/version.h"
#include "calor/learn/train/checkpoint.h"
#include "calor/learn/translation/fields.h"
#include "calor/learn/translation/network.h"
#include "calor/learn/translation/run.h"

namespace calor::learn {
namespace {

using nlohmann::json;

constexpr std::int64_t held_out_share = 50, most_held_out = 1000;

std::vector<Pair> pairs_of(const Vocabulary& vocabulary, const ParallelText& text) {
  std::vector<Pair> pairs;
  for (std::size_t k = 0; k < text.source.size(); ++k) pairs.push_back({vocabulary.encode(text.source[k]), vocabulary.encode(text.target[k])});
  return pairs;
}

// Removes pairs with a longer side; how many.
std::int64_t leave_out_long(std::vector<Pair>& pairs, std::int64_t most) {
  return static_cast<std::int64_t>(std::erase_if(pairs, [&](const Pair& pair) { return std::max(pair.source.size(), pair.target.size()) > static_cast<std::size_t>(most); }));
}

ParallelText held_out(ParallelText& training, std::uint64_t seed) {
  const auto count = static_cast<std::int64_t>(training.source.size());
  require(count >= 2, Fault::input, "[translation] expected at least 2 pairs of sentences, one to validate on, found {}: give more text, or --validation", count);
  Random random(seed, Purpose::split);
  std::vector<std::int64_t> order = permutation(count, random);
  const std::int64_t held = std::clamp<std::int64_t>(count / held_out_share, 1, most_held_out);
  std::sort(order.begin() + held, order.end());
  ParallelText validation, rest;
  rest.hash = training.hash;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto row = static_cast<std::size_t>(order[static_cast<std::size_t>(i)]);
    ParallelText& to = i < held ? validation : rest;
    to.source.push_back(std::move(training.source[row]));
    to.target.push_back(std::move(training.target[row]));
  }
  training = std::move(rest);
  return validation;
}

// Weights, their gradients, Adam's two moments, a checkpoint's copy and the best; what a batch keeps for its derivative.
std::uint64_t bytes_of(const TranslatorShape& shape, const TranslationProtocol& protocol, std::int64_t parameters) {
  const std::int64_t kept = shape.layers * (40 * shape.width + 4 * shape.hidden) + 4 * shape.vocabulary;
  return static_cast<std::uint64_t>(4 * (8 * parameters + protocol.batch * kept));
}

// All that decides the bits of a run; not how many epochs it has, since no epoch depends on that.
json command_of(const ParallelText& training, const std::optional<ParallelText>& validation, const TranslationOptions& options) {
  json command = options.protocol;
  command.erase("epochs");
  command.update(json(options.shape));
  command.update({{"version", version},
                  {"model", "translation"},
                  {"most pieces", options.most_pieces},
                  {"seed", options.seed},
                  {"text", training.hash},
                  {"validation text", validation ? json(validation->hash) : json()}});
  return command;
}

}  // namespace

TrainedTranslation train_translation(const ParallelText& text, const std::optional<ParallelText>& validation_text, const TranslationOptions& options, const Context& context) {
  validate(options.shape);
  validate(options.protocol);
  require(options.most_pieces >= 1 && options.most_pieces < most_positions, Fault::usage, "[translation] expected sentences of at most 1 to {} pieces, found {}",
          grouped_digits(most_positions - 1), options.most_pieces);
  Checkpoints checkpoints(options.save, command_of(text, validation_text, options), options.restart, options.checkpoint_seconds);
  ParallelText training = text;
  const ParallelText validated = validation_text ? *validation_text : held_out(training, options.seed);
  context.advance(0, 1, "learning the vocabulary");
  TrainedTranslation result{{options.shape, options.protocol, options.seed, version, text.hash, Vocabulary::learned(training.source, training.target, options.shape.vocabulary, context), {}},
                            {}, 0, 0, 0, 0, 0, {}, {}};
  const Vocabulary& vocabulary = result.model.vocabulary;
  TranslatorShape& shape = result.model.shape;
  shape.vocabulary = vocabulary.size();
  context.check_stop("train-translation");
  std::vector<Pair> pairs = pairs_of(vocabulary, training), validation = pairs_of(vocabulary, validated);
  result.too_long = leave_out_long(pairs, options.most_pieces);
  leave_out_long(validation, options.most_pieces);
  require(!pairs.empty() && !validation.empty(), Fault::input, "[translation] expected pairs of at most {} pieces a side, found none to {} on: raise --longest", options.most_pieces,
          pairs.empty() ? "train" : "validate");
  for (const WeightSpec& spec : weight_specs(shape)) result.parameters += spec.size();
  context.memory.require(bytes_of(shape, options.protocol, result.parameters), "train-translation", "network and activations", "choose a smaller --batch or --width");

  TranslationRun run(shape, options.protocol, options.seed, pairs, validation);
  const auto after_epoch = [&] {
    if (options.after_epoch) options.after_epoch(run.epoch(), run.record().back());
  };
  result.resumed_epoch = train_to_end(run, checkpoints, "train-translation", context, after_epoch);
  result.record = run.record();
  result.failure = run.failure();
  result.best_epoch = run.best_epoch();
  result.training_pairs = static_cast<std::int64_t>(pairs.size());
  result.validation_pairs = static_cast<std::int64_t>(validation.size());
  result.model.weights = run.best();
  if (!options.save.empty() && !result.failure) save_translation(options.save, result.model);
  if (options.keep_checkpoint && !result.failure) checkpoints.write(run.checkpoint());
  else checkpoints.remove();
  return result;
}

}  // namespace calor::learn
