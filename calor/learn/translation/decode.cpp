#include "calor/learn/translation/decode.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/topk.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "calor/core/error.h"
#include "calor/learn/data/tokens.h"
#include "calor/learn/train/trainer.h"

namespace calor::learn {
namespace {

constexpr float never = -std::numeric_limits<float>::infinity();

std::int64_t most_pieces(std::int64_t source) { return std::min(2 * source + 10, most_positions - 1); }

// Pieces of each source, its end not counted.
std::vector<std::int64_t> lengths(const SourceBatch& sources) {
  std::vector<std::int64_t> result;
  for (std::int64_t r = 0; r < sources.valid.size(0); ++r) result.push_back(sources.valid[r].sum().item<std::int64_t>() - 1);
  return result;
}

// Logits of the piece after these, [rows, vocabulary]; of those that stand for no text and do not end it, -infinity.
at::Tensor next_logits(const Translator& translator, DecoderCache& cache, const std::vector<std::int64_t>& pieces) {
  const at::Tensor logits = translator.logits(translator.decode(cache, index_tensor(pieces).unsqueeze(1), {}).squeeze(1));
  for (const std::int64_t piece : {Vocabulary::padding, Vocabulary::unknown, Vocabulary::begin}) logits.select(1, piece).fill_(never);
  return logits;
}

// A sentence at work: its beams, and those that have ended.
struct Beams {
  struct Hypothesis {
    Pieces pieces;
    float score = 0;  // log-likelihood
  };
  std::size_t sentence;
  std::int64_t most;
  std::vector<Hypothesis> open;  // `beam` of them; those of score `never` are no sentences
  Pieces best;
  double best_score = -std::numeric_limits<double>::infinity();
  std::int64_t ended = 0;

  void end(const Hypothesis& one, float score, double length_penalty) {
    ++ended;
    const double value = score / std::pow((5 + static_cast<double>(one.pieces.size() + 1)) / 6, length_penalty);
    if (value <= best_score && ended > 1) return;
    best = one.pieces;
    best_score = value;
  }
};

struct Candidates {
  const float* scores;
  const std::int64_t* numbers;  // beam * vocabulary + piece
  std::int64_t count, vocabulary;
};

// The beams after one more piece; `from`: the rows of the cache that they continue, the sentence's first being `row`.
void extend(Beams& beams, const Candidates& found, std::int64_t row, double length_penalty, std::vector<std::int64_t>& from) {
  const std::size_t beam = beams.open.size();
  std::vector<Beams::Hypothesis> open;
  for (std::int64_t c = 0; c < found.count && open.size() < beam && found.scores[c] > never; ++c) {
    const std::int64_t origin = found.numbers[c] / found.vocabulary, piece = found.numbers[c] % found.vocabulary;
    const Beams::Hypothesis& before = beams.open[static_cast<std::size_t>(origin)];
    if (piece == Vocabulary::end) {
      if (c < static_cast<std::int64_t>(beam)) beams.end(before, found.scores[c], length_penalty);
      continue;
    }
    open.push_back({before.pieces, found.scores[c]});
    open.back().pieces.push_back(piece);
    from.push_back(row + origin);
  }
  for (; open.size() < beam; from.push_back(row)) open.push_back({beams.open.front().pieces, never}), open.back().pieces.push_back(Vocabulary::end);
  beams.open = std::move(open);
}

bool done(Beams& beams, double length_penalty) {
  const bool full = static_cast<std::int64_t>(beams.open.front().pieces.size()) >= beams.most;
  if (full && beams.ended == 0) beams.end(beams.open.front(), beams.open.front().score, length_penalty);
  return full || beams.ended >= static_cast<std::int64_t>(beams.open.size()) || beams.open.front().score == never;
}

}  // namespace

void validate(const DecodeOptions& options) {
  require(options.beam >= 1 && options.beam <= 100, Fault::usage, "[translate] expected a beam from 1 to 100, found {}", options.beam);
  require(std::isfinite(options.length_penalty) && options.length_penalty >= 0, Fault::usage, "[translate] expected a length penalty of at least 0, found {}", options.length_penalty);
  require(options.batch >= 1, Fault::usage, "[translate] expected at least 1 piece at a time, found {}", options.batch);
}

std::vector<Pieces> greedy_search(const Translator& translator, const SourceBatch& sources) {
  const at::NoGradGuard no_gradient;
  const std::vector<std::int64_t> source_lengths = lengths(sources);
  DecoderCache cache = translator.encode(sources, {});
  std::vector<Pieces> result(source_lengths.size());
  std::vector<std::int64_t> sentences(result.size()), pieces(result.size(), Vocabulary::begin);
  std::iota(sentences.begin(), sentences.end(), 0);
  while (!sentences.empty()) {
    const at::Tensor found = at::argmax(next_logits(translator, cache, pieces), 1);
    const auto* likeliest = found.const_data_ptr<std::int64_t>();
    std::vector<std::int64_t> rows, left;
    pieces.clear();
    for (std::size_t r = 0; r < sentences.size(); ++r) {
      const auto s = static_cast<std::size_t>(sentences[r]);
      if (likeliest[r] == Vocabulary::end) continue;
      result[s].push_back(likeliest[r]);
      if (static_cast<std::int64_t>(result[s].size()) >= most_pieces(source_lengths[s])) continue;
      rows.push_back(static_cast<std::int64_t>(r));
      left.push_back(sentences[r]);
      pieces.push_back(likeliest[r]);
    }
    if (left.size() < sentences.size() && !left.empty()) cache.select(index_tensor(rows));
    sentences = std::move(left);
  }
  return result;
}

std::vector<Pieces> beam_search(const Translator& translator, const SourceBatch& sources, std::int64_t beam, double length_penalty) {
  const at::NoGradGuard no_gradient;
  const std::vector<std::int64_t> source_lengths = lengths(sources);
  DecoderCache cache = translator.encode(sources, {});
  std::vector<Pieces> result(source_lengths.size());
  std::vector<Beams> work;
  std::vector<std::int64_t> from, pieces;
  for (std::size_t s = 0; s < result.size(); ++s) {
    work.push_back({s, most_pieces(source_lengths[s]), std::vector<Beams::Hypothesis>(static_cast<std::size_t>(beam), {{}, never}), {}});
    work.back().open.front().score = 0;
    from.insert(from.end(), static_cast<std::size_t>(beam), static_cast<std::int64_t>(s));
    pieces.insert(pieces.end(), static_cast<std::size_t>(beam), Vocabulary::begin);
  }
  cache.select(index_tensor(from));
  const std::int64_t vocabulary = translator.shape().vocabulary;
  while (!work.empty()) {
    const auto sentences = static_cast<std::int64_t>(work.size());
    const at::Tensor so_far = at::empty({sentences * beam, 1}, at::kFloat);
    auto* score = so_far.mutable_data_ptr<float>();
    for (const Beams& beams : work)
      for (const auto& one : beams.open) *score++ = one.score;
    const at::Tensor scores = (at::log_softmax(next_logits(translator, cache, pieces), 1) + so_far).view({sentences, beam * vocabulary});
    const auto [values, numbers] = at::topk(scores, std::min(2 * beam, beam * vocabulary), 1);
    from.clear();
    std::vector<Beams> left;
    for (std::int64_t s = 0; s < sentences; ++s) {
      Beams& beams = work[static_cast<std::size_t>(s)];
      const std::int64_t count = values.size(1);
      const std::size_t before = from.size();
      extend(beams, {values.const_data_ptr<float>() + s * count, numbers.const_data_ptr<std::int64_t>() + s * count, count, vocabulary}, s * beam, length_penalty, from);
      if (done(beams, length_penalty)) {
        from.resize(before);
        result[beams.sentence] = std::move(beams.best);
      } else {
        left.push_back(std::move(beams));
      }
    }
    work = std::move(left);
    pieces.clear();
    for (const Beams& beams : work)
      for (const auto& one : beams.open) pieces.push_back(one.pieces.back());
    if (!work.empty()) cache.select(index_tensor(from));
  }
  return result;
}

std::vector<Pieces> translate(const Translator& translator, const std::vector<Pieces>& sources, const DecodeOptions& options, const Context& context) {
  validate(options);
  const OneThread one_thread;
  std::vector<std::size_t> order;
  for (std::size_t s = 0; s < sources.size(); ++s)
    if (!sources[s].empty()) order.push_back(s);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return sources[a].size() > sources[b].size(); });
  std::vector<Pieces> result(sources.size());
  for (std::size_t first = 0; first < order.size();) {
    const auto longest = static_cast<std::int64_t>(sources[order[first]].size()) + 1;
    const auto fit = static_cast<std::size_t>(std::max<std::int64_t>(1, options.batch / (longest * options.beam)));
    const std::size_t last = std::min(first + fit, order.size());
    std::vector<const Pieces*> together;
    for (std::size_t s = first; s < last; ++s) together.push_back(&sources[order[s]]);
    const SourceBatch batch = source_batch(together);
    std::vector<Pieces> found = options.beam == 1 ? greedy_search(translator, batch) : beam_search(translator, batch, options.beam, options.length_penalty);
    for (std::size_t s = first; s < last; ++s) result[order[s]] = std::move(found[s - first]);
    first = last;
    context.advance(static_cast<double>(first), static_cast<double>(order.size()), "translating");
    context.check_stop("translate");
  }
  return result;
}

std::vector<std::string> translate(const TranslationModel& model, const std::vector<std::string>& sentences, const DecodeOptions& options, const Context& context) {
  std::vector<Pieces> sources;
  for (const std::string& sentence : sentences) sources.push_back(model.vocabulary.encode(sentence));
  std::vector<std::string> result;
  for (const Pieces& pieces : translate(*translator_of(model), sources, options, context)) result.push_back(model.vocabulary.decode(pieces));
  return result;
}

}  // namespace calor::learn
