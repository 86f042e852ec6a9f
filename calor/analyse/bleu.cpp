#include "calor/analyse/bleu.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "calor/core/error.h"

namespace calor::analyse {
namespace {

constexpr std::size_t orders = 4;

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
}

bool digit(char c) { return c >= '0' && c <= '9'; }
bool point(char c) { return c == '.' || c == ','; }

// Every ASCII sign but apostrophe, comma, dash and full stop; the blank too.
bool sign(char c) { return (c >= '{' && c <= '~') || (c >= '[' && c <= '`') || (c >= ' ' && c <= '&') || (c >= '(' && c <= '+') || (c >= ':' && c <= '@') || c == '/'; }

// Two neighbouring bytes that satisfy `which` become `format(first, second)`, from the left, none used twice: a substitution by a regular
// expression.  Bytes stand for characters: digits and points are ASCII, and no byte of another character is.
template <class Which, class Format>
std::string pairs_replaced(const std::string& text, Which&& which, Format&& format) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i + 1 < text.size() && which(text[i], text[i + 1])) {
      format(result, text[i], text[i + 1]);
      ++i;
    } else {
      result += text[i];
    }
  }
  return result;
}

// Bytes of white space at the place, as Python's str.split() takes it; 0 for none.
std::size_t blank_at(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  if ((byte(0) >= 0x09 && byte(0) <= 0x0d) || (byte(0) >= 0x1c && byte(0) <= 0x20)) return 1;
  if (byte(0) == 0xc2 && (byte(1) == 0x85 || byte(1) == 0xa0)) return 2;
  if (byte(0) == 0xe1 && byte(1) == 0x9a && byte(2) == 0x80) return 3;                                                      // U+1680
  if (byte(0) == 0xe2 && byte(1) == 0x80 && ((byte(2) >= 0x80 && byte(2) <= 0x8a) || byte(2) == 0xa8 || byte(2) == 0xa9 || byte(2) == 0xaf)) return 3;
  if (byte(0) == 0xe2 && byte(1) == 0x81 && byte(2) == 0x9f) return 3;                                                      // U+205F
  if (byte(0) == 0xe3 && byte(1) == 0x80 && byte(2) == 0x80) return 3;                                                      // U+3000
  return 0;
}

std::vector<std::string> split_blanks(std::string_view text) {
  std::vector<std::string> words;
  bool inside = false;
  while (!text.empty()) {
    const std::size_t blank = blank_at(text);
    if (blank == 0) {
      if (!inside) words.emplace_back();
      words.back() += text.front();
    }
    inside = blank == 0;
    text.remove_prefix(std::max<std::size_t>(blank, 1));
  }
  return words;
}

using Counts = std::map<std::vector<std::string>, std::int64_t>;

Counts counts_of(const std::vector<std::string>& words, std::size_t order) {
  Counts counts;
  for (std::size_t i = 0; i + order <= words.size(); ++i) ++counts[{words.begin() + static_cast<std::ptrdiff_t>(i), words.begin() + static_cast<std::ptrdiff_t>(i + order)}];
  return counts;
}

}  // namespace

std::vector<std::string> words_13a(std::string_view sentence) {
  std::string text(sentence);
  replace_all(text, "<skipped>", "");
  replace_all(text, "-\n", "");
  replace_all(text, "\n", " ");
  replace_all(text, "&quot;", "\"");
  replace_all(text, "&amp;", "&");
  replace_all(text, "&lt;", "<");
  replace_all(text, "&gt;", ">");
  std::string spaced = " ";
  for (const char c : text) sign(c) ? spaced.append({' ', c, ' '}) : spaced += c;
  spaced += ' ';
  spaced = pairs_replaced(spaced, [](char a, char b) { return !digit(a) && point(b); }, [](std::string& to, char a, char b) { to.append({a, ' ', b, ' '}); });
  spaced = pairs_replaced(spaced, [](char a, char b) { return point(a) && !digit(b); }, [](std::string& to, char a, char b) { to.append({' ', a, ' ', b}); });
  spaced = pairs_replaced(spaced, [](char a, char b) { return digit(a) && b == '-'; }, [](std::string& to, char a, char b) { to.append({a, ' ', b, ' '}); });
  return split_blanks(spaced);
}

Bleu corpus_bleu(const std::vector<std::string>& hypotheses, const std::vector<std::string>& references) {
  require(!hypotheses.empty() && hypotheses.size() == references.size(), Fault::input,
          "[bleu] expected a reference for each of at least 1 sentence, found {} sentences and {} references: give files with as many lines", hypotheses.size(), references.size());
  std::array<std::int64_t, orders> matched{}, total{};
  Bleu bleu;
  for (std::size_t k = 0; k < hypotheses.size(); ++k) {
    const std::vector<std::string> said = words_13a(hypotheses[k]), wanted = words_13a(references[k]);
    bleu.hypothesis_words += static_cast<std::int64_t>(said.size());
    bleu.reference_words += static_cast<std::int64_t>(wanted.size());
    for (std::size_t n = 1; n <= orders; ++n) {
      const Counts known = counts_of(wanted, n);
      for (const auto& [gram, count] : counts_of(said, n)) {
        const auto found = known.find(gram);
        if (found != known.end()) matched[n - 1] += std::min(count, found->second);
        total[n - 1] += count;
      }
    }
  }
  const auto said = static_cast<double>(bleu.hypothesis_words), wanted = static_cast<double>(bleu.reference_words);
  if (bleu.hypothesis_words < bleu.reference_words) bleu.brevity = said > 0 ? std::exp(1 - wanted / said) : 0;
  if (std::ranges::all_of(matched, [](std::int64_t count) { return count == 0; })) return bleu;
  double smoothing = 1, logs = 0;
  for (std::size_t n = 0; n < orders && total[n] > 0; ++n) {
    if (matched[n] == 0) smoothing *= 2;
    bleu.precisions[n] = matched[n] == 0 ? 100 / (smoothing * static_cast<double>(total[n])) : 100.0 * static_cast<double>(matched[n]) / static_cast<double>(total[n]);
  }
  constexpr double log_of_nothing = -9999999999;  // sacrebleu's
  for (const double precision : bleu.precisions) logs += precision > 0 ? std::log(precision) : log_of_nothing;
  bleu.score = bleu.brevity * std::exp(logs / orders);
  return bleu;
}

std::string bleu_line(const Bleu& bleu) {
  const auto& p = bleu.precisions;
  const double ratio = bleu.reference_words ? static_cast<double>(bleu.hypothesis_words) / static_cast<double>(bleu.reference_words) : 0;
  return fmt::format("BLEU = {:.2f} {:.1f}/{:.1f}/{:.1f}/{:.1f} (BP = {:.3f} ratio = {:.3f} hyp_len = {} ref_len = {})", bleu.score, p[0], p[1], p[2], p[3], bleu.brevity,
                     ratio, bleu.hypothesis_words, bleu.reference_words);
}

}  // namespace calor::analyse
