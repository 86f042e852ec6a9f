// How a translator is trained, and what an epoch gave.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace calor::learn {

// After a linear warm-up, noam: as 1 / sqrt(step) (Vaswani et al. 2017); plateau: constant, halved after every epoch that does not lower the least validation loss.
enum class RateSchedule { noam, plateau };
const std::vector<std::string>& rate_schedules();            // "noam", "plateau"
RateSchedule parse_rate_schedule(std::string_view name);  // throws Fault::usage with the nearest name

struct TranslationProtocol {
  std::int64_t epochs = 10;
  std::int64_t batch = 2000;      // pieces of the longer side of a batch, padding included
  std::int64_t accumulate = 1;    // batches a step of the optimiser
  double learning_rate = 1e-3;    // at its highest, at the end of the warm-up
  std::int64_t warm_up = 500;     // steps
  std::string schedule = "noam";
  double label_smoothing = 0.1;
  std::string precision = "float";  // of products: float, or bf16 (linear.h)
};

// Throws Fault::usage: "[translation] expected ..., found ...".
void validate(const TranslationProtocol& protocol);

// An epoch's end.  Losses in nats a target piece: of training with dropout and smoothing, of validation with neither.
struct TranslationEpoch {
  double training_loss = 0, validation_loss = 0;
  double seconds = 0;       // of training, up to here
  std::int64_t pieces = 0;  // trained on in this epoch, of both sides, ends included
};

}  // namespace calor::learn
