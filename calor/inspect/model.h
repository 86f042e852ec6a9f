// A trained model as the inspector needs it: run on tokens, it shows every attention layer with the tokens that enter it.
//
// Five kinds, told apart by the file:
//   llama2.c   .bin of llama2.c's legacy layout (float32; rotary positions, grouped heads, RMS normalisation), a tok*.bin beside it
//   use-lite   safetensors of the Universal Sentence Encoder Lite's tensors, vocab.json beside it
//   calor      what `calor train --save` wrote (docs/formats/model.md)
//   propagator what `calor train --model propagator --save` wrote, as one head
//   mapping    a JSON file that names query, key and value weights of any safetensors file (docs/inspect.md)
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/inspect/head.h"
#include "calor/io/dataset.h"

namespace calor::inspect {

// An attention layer with what enters it.
struct Layer {
  Matrix stream;             // N x width: the model's state before the layer
  Matrix tokens;             // N x width: what the heads see (head.h)
  std::vector<Head> heads;
};

struct Activations {
  std::vector<Layer> layers;
  Matrix last;                     // N x width: the state after the last layer
  std::vector<std::string> names;  // one per token
  std::string tokens;              // where they came from, in words
};

// What the user gives: a text, numbers, or nothing.
struct Tokens {
  std::string text, source;
  bool is_text = false;
  std::map<std::string, Matrix> tensors;  // of a safetensors file, by name; of any other file one, named ""
  std::vector<std::string> names;         // one per row, or empty
  bool given() const { return is_text || !tensors.empty(); }
};

class Model {
 public:
  virtual ~Model() = default;
  virtual std::string kind() const = 0;
  virtual std::int64_t layers() const = 0;
  virtual std::int64_t heads() const = 0;  // of a layer
  virtual io::LoadOptions token_options() const {
    io::LoadOptions options;
    options.labels = io::LabelUse::none;
    return options;
  }
  // Throws Fault::input for tokens that do not fit the model, Fault::memory.
  virtual Activations run(const Tokens& tokens, const Context& context) const = 0;
};

// `tokeniser`: its file; "": the usual one beside the model.  Throws Fault::input for a file of no known kind.
std::unique_ptr<Model> load_model(const std::string& path, const std::string& tokeniser);

// A text file (.txt), a safetensors file, or whatever load_dataset takes.  Throws Fault::input, also for values that are not finite.
Tokens load_tokens(const std::string& path, const Model& model, const Context& context);

// The only tensor; for several, the one of that name.  Throws Fault::input.
const Matrix& single_tensor(const Tokens& tokens, const std::string& name = "");

// Token numbers where `values` has one column of whole numbers in [0, vocabulary); throws Fault::input for others.
std::vector<std::int64_t> token_numbers(const Matrix& values, std::int64_t vocabulary, const std::string& source);

// One a loader.
std::unique_ptr<Model> load_llama2c(const std::string& path, const std::string& tokeniser);
std::unique_ptr<Model> load_use_lite(const std::string& path, const std::string& vocabulary);
std::unique_ptr<Model> load_propagation_network(const std::string& path);
std::unique_ptr<Model> load_metric_propagator(const std::string& path);
std::unique_ptr<Model> load_mapping(const std::string& path);

}  // namespace calor::inspect
