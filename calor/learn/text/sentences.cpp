#include "calor/learn/text/sentences.h"

#include <filesystem>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/hash.h"
#include "calor/io/lines.h"

namespace calor::learn {
namespace {

bool blank(const std::string& line) { return trim(line).empty(); }

}  // namespace

Sentences read_sentences(const std::string& path, const Context& context) {
  std::error_code error;
  require(path == "-" || std::filesystem::exists(path, error), Fault::input, "[text] expected a file of sentences, found none ({}): check the name", path);
  io::TextLines text = io::read_lines(path, "text", "a text with one sentence a line", context);
  return {std::move(text.lines), std::move(text.hash)};
}

ParallelText read_parallel(const std::string& source, const std::string& target, const Context& context) {
  Sentences from = read_sentences(source, context), to = read_sentences(target, context);
  require(from.lines.size() == to.lines.size(), Fault::input,
          "[text] expected as many lines in {} as in {}, found {} and {}: line k of each must be the translation of line k of the other", target, source,
          grouped_digits(static_cast<std::int64_t>(to.lines.size())), grouped_digits(static_cast<std::int64_t>(from.lines.size())));
  ParallelText text;
  text.hash = io::sha256(from.hash + to.hash);
  for (std::size_t k = 0; k < from.lines.size(); ++k) {
    if (blank(from.lines[k]) || blank(to.lines[k])) {
      ++text.left_out;
      continue;
    }
    text.source.push_back(std::move(from.lines[k]));
    text.target.push_back(std::move(to.lines[k]));
  }
  require(!text.source.empty(), Fault::input, "[text] expected pairs of sentences, found blank lines in one of each ({}, {})", source, target);
  return text;
}

}  // namespace calor::learn
