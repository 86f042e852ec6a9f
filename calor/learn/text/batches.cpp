#include "calor/learn/text/batches.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>

#include <algorithm>
#include <tuple>

#include "calor/core/random.h"
#include "calor/learn/data/tokens.h"

namespace calor::learn {
namespace {

std::int64_t size_of(const Pieces& pieces) { return static_cast<std::int64_t>(pieces.size()); }

std::int64_t length(const Pair& pair) { return 1 + std::max(size_of(pair.source), size_of(pair.target)); }

std::int64_t longest(const std::vector<const Pieces*>& sentences) {
  std::int64_t most = 0;
  for (const Pieces* sentence : sentences) most = std::max(most, size_of(*sentence));
  return most;
}

}  // namespace

std::vector<std::vector<std::int64_t>> length_batches(const std::vector<Pair>& pairs, std::int64_t budget, std::uint64_t seed, std::uint64_t epoch) {
  Random random(seed, Purpose::shuffle, epoch);
  std::vector<std::int64_t> order = permutation(static_cast<std::int64_t>(pairs.size()), random);
  const auto key = [&](std::int64_t row) {
    const Pair& pair = pairs[static_cast<std::size_t>(row)];
    return std::tuple(length(pair), pair.target.size(), pair.source.size());
  };
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return key(a) < key(b); });
  std::vector<std::vector<std::int64_t>> batches;
  for (const std::int64_t row : order) {
    const std::int64_t now = length(pairs[static_cast<std::size_t>(row)]);  // the longest so far
    if (batches.empty() || (static_cast<std::int64_t>(batches.back().size()) + 1) * now > budget) batches.emplace_back();
    batches.back().push_back(row);
  }
  std::vector<std::vector<std::int64_t>> shuffled;
  for (const std::int64_t at : permutation(static_cast<std::int64_t>(batches.size()), random)) shuffled.push_back(std::move(batches[static_cast<std::size_t>(at)]));
  return shuffled;
}

SourceBatch source_batch(const std::vector<const Pieces*>& sentences) {
  const auto rows = static_cast<std::int64_t>(sentences.size()), columns = longest(sentences) + 1;
  SourceBatch batch{at::full({rows, columns}, Vocabulary::padding, at::kLong), at::empty({rows, columns}, at::kBool)};
  auto* pieces = batch.pieces.mutable_data_ptr<std::int64_t>();
  auto* valid = batch.valid.mutable_data_ptr<bool>();
  for (std::size_t r = 0; r < sentences.size(); ++r, pieces += columns, valid += columns) {
    std::copy(sentences[r]->begin(), sentences[r]->end(), pieces);
    pieces[sentences[r]->size()] = Vocabulary::end;
    for (std::int64_t c = 0; c < columns; ++c) valid[c] = c <= size_of(*sentences[r]);
  }
  return batch;
}

PairBatch pair_batch(const std::vector<Pair>& pairs, const std::vector<std::int64_t>& rows) {
  std::vector<const Pieces*> sources, targets;
  for (const std::int64_t row : rows) {
    sources.push_back(&pairs[static_cast<std::size_t>(row)].source);
    targets.push_back(&pairs[static_cast<std::size_t>(row)].target);
  }
  const std::int64_t columns = longest(targets) + 1;
  PairBatch batch{source_batch(sources), at::full({static_cast<std::int64_t>(rows.size()), columns}, Vocabulary::padding, at::kLong), {}, {}, 0, 0};
  std::vector<std::int64_t> places, wanted;
  auto* input = batch.input.mutable_data_ptr<std::int64_t>();
  for (std::size_t r = 0; r < rows.size(); ++r, input += columns) {
    const Pieces& target = *targets[r];
    input[0] = Vocabulary::begin;
    std::copy(target.begin(), target.end(), input + 1);
    for (std::size_t c = 0; c <= target.size(); ++c) {
      places.push_back(static_cast<std::int64_t>(r) * columns + static_cast<std::int64_t>(c));
      wanted.push_back(c < target.size() ? target[c] : Vocabulary::end);
    }
    batch.source_pieces += size_of(*sources[r]) + 1;
    batch.target_pieces += size_of(target) + 1;
  }
  batch.places = index_tensor(places);
  batch.wanted = index_tensor(wanted);
  return batch;
}

}  // namespace calor::learn
