// Text: files of sentences and what is wrong with them, pieces that give the text back, batches that hold every pair once within their budget, and BLEU of
// real text (CALOR_DATA) against what sacrebleu 2.6.0 prints.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "calor/analyse/bleu.h"
#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/core/text.h"
#include "calor/learn/text/batches.h"
#include "calor/learn/text/sentences.h"
#include "calor/learn/text/vocabulary.h"

namespace calor::learn {
namespace {

std::string written(const std::string& name, const std::string& text) {
  const std::string path = testing::TempDir() + "text_" + name;
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Sentences, AreLines) {
  const std::vector<std::string> expected{"Ein Mann.", "", "Größe"};
  EXPECT_EQ(read_sentences(written("lf", "Ein Mann.\n\nGröße\n"), {}).lines, expected);
  EXPECT_EQ(read_sentences(written("crlf", "\xef\xbb\xbf" "Ein Mann.\r\n\r\nGröße"), {}).lines, expected);
}

TEST(Sentences, WhatIsWrongIsNamed) {
  EXPECT_NE(refusal([] { read_sentences("/nowhere/a.en", {}); }).find("/nowhere/a.en"), std::string::npos);
  EXPECT_NE(refusal([] { read_sentences(written("empty", ""), {}); }).find("empty"), std::string::npos);
  EXPECT_NE(refusal([] { read_sentences(written("latin1", "Gr\xf6\xdf" "e und Weite\n"), {}); }).find("UTF-8"), std::string::npos);
  const std::string two = written("two", "a\nb\n"), three = written("three", "a\nb\nc\n"), blank = written("blank", "a\n \n"), other = written("other", "\nb\n");
  EXPECT_NE(refusal([&] { read_parallel(two, three, {}); }).find("found 3 and 2"), std::string::npos);
  EXPECT_NE(refusal([&] { read_parallel(blank, other, {}); }).find("blank"), std::string::npos);
  const ParallelText text = read_parallel(two, blank, {});
  EXPECT_EQ(text.source, std::vector<std::string>{"a"});
  EXPECT_EQ(text.left_out, 1);
}

TEST(Vocabularies, GiveTheTextBack) {
  const std::vector<std::string> source{"A man is riding a bicycle.", "Two dogs run."}, target{"Ein Mann fährt Fahrrad.", "Zwei Hunde laufen über die Straße."};
  const Vocabulary vocabulary = Vocabulary::learned(source, target, 80);
  EXPECT_LE(vocabulary.size(), 80);
  for (const auto* side : {&source, &target})
    for (const std::string& line : *side) EXPECT_EQ(vocabulary.decode(vocabulary.encode(line)), line);
  EXPECT_EQ(Vocabulary::learned(source, target, 80).model(), vocabulary.model());
  EXPECT_EQ(Vocabulary(vocabulary.model()).encode("Zwei Hunde."), vocabulary.encode("Zwei Hunde."));
  EXPECT_TRUE(vocabulary.encode("").empty());
  for (const std::int64_t piece : vocabulary.encode("two dogs")) EXPECT_TRUE(piece == Vocabulary::unknown || piece >= Vocabulary::reserved);
}

TEST(Vocabularies, WhatCannotBeIsRefused) {
  EXPECT_NE(refusal([] { Vocabulary::learned({"abcdefghijklmnopqrstuvwxyz"}, {"zyx"}, 8); }).find("--vocabulary"), std::string::npos);
  EXPECT_NE(refusal([] { Vocabulary("no model"); }).find("SentencePiece"), std::string::npos);
}

TEST(Batches, HoldEveryPairOnceWithinTheirBudget) {
  Random random(3, Purpose::test);
  std::vector<Pair> pairs;
  for (int k = 0; k < 500; ++k) pairs.push_back({Pieces(1 + random.below(30), 5), Pieces(1 + random.below(30), 6)});
  constexpr std::int64_t budget = 200;
  const auto batches = length_batches(pairs, budget, 1, 0);
  std::set<std::int64_t> seen;
  std::int64_t padded = 0, real = 0;
  for (const auto& rows : batches) {
    std::int64_t longest = 0;
    for (const std::int64_t row : rows) {
      EXPECT_TRUE(seen.insert(row).second);
      const Pair& pair = pairs[static_cast<std::size_t>(row)];
      longest = std::max(longest, 1 + static_cast<std::int64_t>(std::max(pair.source.size(), pair.target.size())));
    }
    EXPECT_LE(longest * static_cast<std::int64_t>(rows.size()), budget);
    const PairBatch batch = pair_batch(pairs, rows);
    EXPECT_EQ(batch.source.valid.sum().item<std::int64_t>(), batch.source_pieces);
    EXPECT_EQ(batch.places.size(0), batch.target_pieces);
    EXPECT_EQ(batch.wanted.size(0), batch.target_pieces);
    EXPECT_EQ(batch.wanted.eq(Vocabulary::end).sum().item<std::int64_t>(), static_cast<std::int64_t>(rows.size()));
    padded += longest * static_cast<std::int64_t>(rows.size());
    real += std::max(batch.source_pieces, batch.target_pieces);
  }
  EXPECT_EQ(seen.size(), pairs.size());
  EXPECT_LT(static_cast<double>(padded), 1.4 * static_cast<double>(real));
  EXPECT_EQ(length_batches(pairs, budget, 1, 0), batches);
  EXPECT_NE(length_batches(pairs, budget, 1, 1), batches);
  EXPECT_NE(length_batches(pairs, budget, 2, 0), batches);
}

TEST(Batches, ShowTheDecoderWhatCameBefore) {
  const PairBatch batch = pair_batch({{{5}, {6, 7}}, {{8, 9}, {10}}}, {0, 1});
  EXPECT_TRUE(batch.source.pieces.equal(at::tensor({5L, 3L, 0L, 8L, 9L, 3L}).view({2, 3})));
  EXPECT_TRUE(batch.input.equal(at::tensor({2L, 6L, 7L, 2L, 10L, 0L}).view({2, 3})));
  EXPECT_TRUE(batch.places.equal(at::tensor({0L, 1L, 2L, 3L, 4L})));
  EXPECT_TRUE(batch.wanted.equal(at::tensor({6L, 7L, 3L, 10L, 3L})));
}

TEST(RealText, BleuIsSacrebleus) {
  const char* data = std::getenv("CALOR_DATA");
  if (!data) GTEST_SKIP() << "CALOR_DATA names no data folder";
  struct Case {
    const char *file, *without_words, *of_the_next;
  };
  for (const Case& one : {
           Case{"test_2016_flickr.de.gz", "BLEU = 64.97 100.0/86.4/71.4/56.1 (BP = 0.847 ratio = 0.858 hyp_len = 10385 ref_len = 12106)",
                "BLEU = 0.54 17.9/1.2/0.1/0.0 (BP = 1.000 ratio = 1.000 hyp_len = 12106 ref_len = 12106)"},
           Case{"val.en.gz", "BLEU = 64.32 100.0/86.1/70.7/54.9 (BP = 0.846 ratio = 0.857 hyp_len = 11388 ref_len = 13289)",
                "BLEU = 0.77 20.8/1.3/0.2/0.1 (BP = 1.000 ratio = 1.000 hyp_len = 13289 ref_len = 13289)"},
           Case{"test_2017_mscoco.fr.gz", "BLEU = 64.43 100.0/85.8/70.2/54.7 (BP = 0.851 ratio = 0.861 hyp_len = 4720 ref_len = 5484)",
                "BLEU = 1.80 20.0/2.6/0.6/0.3 (BP = 1.000 ratio = 1.000 hyp_len = 5484 ref_len = 5484)"}
       }) {
    SCOPED_TRACE(one.file);
    const std::vector<std::string> reference = read_sentences(std::string(data) + "/multi30k/raw/" + one.file, {}).lines;
    std::vector<std::string> shortened, next;
    for (std::size_t k = 0; k < reference.size(); ++k) {  // every seventh word missing
      std::string line;
      const std::vector<std::string> words = split_text(reference[k], ' ');
      for (std::size_t w = 0; w < words.size(); ++w)
        if ((w + k) % 7 != 3) line += (line.empty() ? "" : " ") + words[w];
      shortened.push_back(line);
      next.push_back(reference[(k + 1) % reference.size()]);
    }
    EXPECT_EQ(analyse::bleu_line(analyse::corpus_bleu(shortened, reference)), one.without_words);
    EXPECT_EQ(analyse::bleu_line(analyse::corpus_bleu(next, reference)), one.of_the_next);
  }
}

}  // namespace
}  // namespace calor::learn
