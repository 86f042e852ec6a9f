#include "calor/learn/text/vocabulary.h"

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include "calor/core/error.h"
#include "calor/io/child.h"

namespace calor::learn {
namespace {

class Lines : public sentencepiece::SentenceIterator {
 public:
  Lines(const std::vector<std::string>& first, const std::vector<std::string>& second) : first_(first), second_(second) {}
  bool done() const override { return at_ == first_.size() + second_.size(); }
  void Next() override { ++at_; }
  const std::string& value() const override { return at_ < first_.size() ? first_[at_] : second_[at_ - first_.size()]; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  const std::vector<std::string>&first_, &second_;
  std::size_t at_ = 0;
};

// What SentencePiece writes.
std::string trained(const std::vector<std::string>& source, const std::vector<std::string>& target, std::int64_t size) {
  Lines lines(source, target);
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train({{"model_type", "bpe"},
                                                                  {"vocab_size", std::to_string(size)},
                                                                  {"hard_vocab_limit", "false"},
                                                                  {"character_coverage", "1.0"},
                                                                  {"pad_id", std::to_string(Vocabulary::padding)},
                                                                  {"unk_id", std::to_string(Vocabulary::unknown)},
                                                                  {"bos_id", std::to_string(Vocabulary::begin)},
                                                                  {"eos_id", std::to_string(Vocabulary::end)},
                                                                  {"num_threads", "1"},
                                                                  {"minloglevel", "2"}},
                                                                 &lines, &model);
  require(status.ok(), Fault::usage, "[vocabulary] expected a vocabulary that can hold the text's characters, found that {} pieces cannot ({}): raise --vocabulary", size,
          status.message());
  return model;
}

}  // namespace

Vocabulary::Vocabulary(std::string model) : model_(std::move(model)), processor_(std::make_unique<sentencepiece::SentencePieceProcessor>()) {
  require(processor_->LoadFromSerializedProto(model_).ok(), Fault::input, "[vocabulary] expected pieces as SentencePiece stores them, found other bytes");
  require(processor_->GetPieceSize() > reserved && processor_->pad_id() == padding && processor_->unk_id() == unknown && processor_->bos_id() == begin && processor_->eos_id() == end,
          Fault::input, "[vocabulary] expected padding, unknown, begin and end as pieces 0 to 3, found {}, {}, {} and {}", processor_->pad_id(), processor_->unk_id(),
          processor_->bos_id(), processor_->eos_id());
}
Vocabulary::~Vocabulary() = default;
Vocabulary::Vocabulary(Vocabulary&&) noexcept = default;
Vocabulary& Vocabulary::operator=(Vocabulary&&) noexcept = default;

Vocabulary Vocabulary::learned(const std::vector<std::string>& source, const std::vector<std::string>& target, std::int64_t size, const Context& context) {
  std::string model;
  io::run_in_child([&] { model = trained(source, target, size); }, [&](io::Sender& send) { send(model); }, [&](io::Receiver& receive) { receive(model); }, "vocabulary", "SentencePiece",
                   "the sentences to train on", context);
  return Vocabulary(std::move(model));
}

Pieces Vocabulary::encode(std::string_view sentence) const {
  std::vector<int> pieces;
  const auto status = processor_->Encode(sentence, &pieces);
  require(status.ok(), Fault::internal, "[vocabulary] expected to encode a sentence, found: {}", status.message());
  return {pieces.begin(), pieces.end()};
}

std::string Vocabulary::decode(std::span<const std::int64_t> pieces) const {
  std::string text;
  const auto status = processor_->Decode(std::vector<int>(pieces.begin(), pieces.end()), &text);
  require(status.ok(), Fault::internal, "[vocabulary] expected to decode pieces, found: {}", status.message());
  return text;
}

std::int64_t Vocabulary::size() const { return processor_->GetPieceSize(); }

}  // namespace calor::learn
