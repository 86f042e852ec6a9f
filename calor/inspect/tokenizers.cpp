#include "calor/inspect/tokenizers.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "calor/core/error.h"
#include "calor/io/output.h"

namespace calor::inspect {

namespace {

// Bytes of the UTF-8 character that begins here; 1 for a byte that begins none.
std::size_t character_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 1;
  return std::min(length, text.size());
}

constexpr std::int64_t first_byte = 3;  // llama2.c: tokens 3 .. 258 are the bytes
constexpr std::size_t controls = 6;
constexpr std::string_view space = "\xE2\x96\x81";  // SentencePiece writes a blank as U+2581

}  // namespace

BytePairs::BytePairs(const std::string& path, std::int64_t size) {
  const std::string bytes = io::read_file(path);
  std::size_t at = sizeof(std::int32_t);
  for (std::int64_t id = 0; id < size; ++id) {
    float score = 0;
    std::int32_t length = 0;
    require(at + 8 <= bytes.size(), Fault::input, "[inspect] expected a tokeniser of {} pieces, found {} ({})", size, id, path);
    std::memcpy(&score, bytes.data() + at, 4);
    std::memcpy(&length, bytes.data() + at + 4, 4);
    at += 8;
    require(length >= 0 && at + static_cast<std::size_t>(length) <= bytes.size(), Fault::input,
            "[inspect] expected a tokeniser of {} pieces, found piece {} of {} bytes beyond the file's end ({})", size, id, length, path);
    pieces_.push_back(bytes.substr(at, static_cast<std::size_t>(length)));
    scores_.push_back(score);
    numbers_.try_emplace(pieces_.back(), id);
    at += static_cast<std::size_t>(length);
  }
  require(at == bytes.size(), Fault::input, "[inspect] expected a tokeniser of {} pieces, found {} bytes after the last one ({})", size,
          bytes.size() - at, path);
}

TokenIds BytePairs::encode(std::string_view text) const {
  TokenIds ids{begin};
  if (!text.empty()) {
    if (const auto blank = numbers_.find(std::string_view(" ")); blank != numbers_.end()) ids.push_back(blank->second);
  }
  while (!text.empty()) {
    const std::string_view character = text.substr(0, character_length(text));
    if (const auto found = numbers_.find(character); found != numbers_.end()) {
      ids.push_back(found->second);
    } else {
      for (const char byte : character) ids.push_back(first_byte + static_cast<unsigned char>(byte));
    }
    text.remove_prefix(character.size());
  }
  while (true) {
    float best = -std::numeric_limits<float>::infinity();
    std::size_t place = 0;
    std::int64_t merged = -1;
    for (std::size_t i = 1; i + 1 < ids.size(); ++i) {
      const auto found = numbers_.find(piece(ids[i]) + piece(ids[i + 1]));
      if (found == numbers_.end() || scores_[static_cast<std::size_t>(found->second)] <= best) continue;
      best = scores_[static_cast<std::size_t>(found->second)];
      place = i;
      merged = found->second;
    }
    if (merged < 0) return ids;
    ids[place] = merged;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(place) + 1);
  }
}

std::string BytePairs::decode(std::int64_t previous, std::int64_t id) const {
  std::string text = piece(id);
  if (previous == begin && text.starts_with(' ')) text.erase(0, 1);
  if (text.size() == 6 && text.starts_with("<0x") && text.ends_with('>')) return {static_cast<char>(std::stoi(text.substr(3, 2), nullptr, 16))};
  return text;
}

Unigram::Unigram(const std::string& path) {
  try {
    const auto list = nlohmann::json::parse(io::read_file(path));
    for (const auto& entry : list) {
      pieces_.push_back(entry.at(0).get<std::string>());
      // A piece without a number is never chosen.
      scores_.push_back(entry.at(1).is_null() ? -std::numeric_limits<double>::infinity() : entry.at(1).get<double>());
    }
  } catch (const nlohmann::json::exception& error) {
    fail(Fault::input, "[inspect] expected a vocabulary, a JSON list of [piece, score], found: {} ({})", error.what(), path);
  }
  require(pieces_.size() > controls, Fault::input, "[inspect] expected a vocabulary of more than {} pieces, found {} ({})", controls,
          pieces_.size(), path);
  for (std::size_t id = controls; id < pieces_.size(); ++id) {
    numbers_.try_emplace(pieces_[id], static_cast<std::int64_t>(id));
    longest_ = std::max(longest_, pieces_[id].size());
  }
}

TokenIds Unigram::encode(std::string_view plain) const {
  std::string text(space);
  for (const char c : plain) {
    if (c == ' ') text += space;
    else text += c;
  }
  // Viterbi: the best cutting up to each byte, and the piece that it ends with.
  double unknown = 0;
  for (const double score : scores_)
    if (std::isfinite(score)) unknown = std::min(unknown, score);
  unknown -= 10;  // SentencePiece's penalty
  struct Best {
    double score = -std::numeric_limits<double>::infinity();
    std::size_t from = 0;
    std::int64_t id = 0;
  };
  std::vector<Best> best(text.size() + 1);
  best[0].score = 0;
  const auto offer = [&](std::size_t from, std::size_t to, std::int64_t id, double score) {
    if (best[from].score + score > best[to].score) best[to] = {best[from].score + score, from, id};
  };
  for (std::size_t from = 0; from < text.size();) {
    const std::string_view rest = std::string_view(text).substr(from);
    const std::size_t step = character_length(rest);
    for (std::size_t length = step; length <= std::min(longest_, rest.size()); length += character_length(rest.substr(length))) {
      if (const auto found = numbers_.find(rest.substr(0, length)); found != numbers_.end())
        offer(from, from + length, found->second, scores_[static_cast<std::size_t>(found->second)]);
      if (length == rest.size()) break;
    }
    offer(from, from + step, 0, unknown);
    from += step;
  }
  TokenIds ids;
  for (std::size_t at = text.size(); at > 0; at = best[at].from) ids.push_back(best[at].id);
  std::reverse(ids.begin(), ids.end());
  return ids;
}

}  // namespace calor::inspect
