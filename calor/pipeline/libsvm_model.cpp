#include "calor/pipeline/libsvm_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "calor/core/error.h"
#include "calor/io/hash.h"
#include "calor/io/number.h"
#include "calor/io/output.h"
#include "calor/pipeline/bind.h"
#include "calor/pipeline/data.h"

namespace calor::pipeline {
namespace {

constexpr const char* remedy = "save under a name that does not end in .model";

struct KernelName {
  const char *ours, *theirs;
};
constexpr KernelName kernels[] = {{"linear", "linear"}, {"poly", "polynomial"}, {"rbf", "rbf"}, {"sigmoid", "sigmoid"}};

struct MachineName {
  const char *ours, *theirs, *after;
};
constexpr MachineName machines[] = {{"svm", "c_svc", " | vote"}, {"svr", "epsilon_svr", " | average"}, {"one_class", "one_class", ""},
                                    {"svm", "nu_svc", " | vote"}, {"svr", "nu_svr", " | average"}};

std::int64_t pairs_of(std::int64_t classes) { return classes * (classes - 1) / 2; }

// Which of the pairs is (a, b), a < b.
std::int64_t pair_number(std::int64_t classes, std::int64_t a, std::int64_t b) { return a * classes - a * (a + 1) / 2 + b - a - 1; }

// The machine in which a vector of class `own` has its m-th weight.
std::int64_t machine_of(std::int64_t classes, std::int64_t own, std::int64_t m) { return m < own ? pair_number(classes, m, own) : pair_number(classes, own, m + 1); }

std::string numbers_line(const char* name, const std::vector<double>& numbers) {
  std::string text = name;
  for (const double number : numbers) text += fmt::format(" {}", number);
  return text + "\n";
}

std::string vector_text(const Data& data, std::int64_t row) {
  std::string text;
  if (data.sparse) {
    for (std::int64_t e = data.sparse->begin[row]; e < data.sparse->begin[row + 1]; ++e) text += fmt::format("{}:{} ", data.sparse->column[e] + 1, data.sparse->value[e]);
  } else {
    for (Eigen::Index c = 0; c < data.features->cols(); ++c)
      if (const double value = (*data.features)(row, c); value != 0) text += fmt::format("{}:{} ", c + 1, value);
  }
  return text + "\n";
}

// The lines of a file, and words of one, with errors that say where.
class Lines {
 public:
  explicit Lines(const std::string& path) : place_(path), text_(io::read_file(path)) {}
  bool next(std::istringstream& words) {
    std::string line;
    if (!std::getline(text_, line)) return false;
    ++number_;
    words = std::istringstream(line);
    return true;
  }
  [[noreturn]] void wrong(const std::string& expected, const std::string& found) const {
    fail(Fault::input, "[model] expected {}, found \"{}\" ({}, line {}): is it a model of svm-train?", expected, found, place_, number_);
  }
  double number(const std::string& word) const {
    const auto found = io::parse_number(word);
    if (!found || !std::isfinite(*found)) wrong("a number", word);
    return *found;
  }
  std::vector<double> numbers(std::istringstream& words) const {
    std::vector<double> result;
    for (std::string word; words >> word;) result.push_back(number(word));
    return result;
  }

 private:
  std::string place_;
  std::istringstream text_;
  std::int64_t number_ = 0;
};

struct Header {
  const MachineName* machine = nullptr;
  const KernelName* kernel = nullptr;
  std::map<std::string, std::vector<double>> numbers;
  std::int64_t classes = 2, vectors = 0;
  const std::vector<double>& of(const std::string& name, std::size_t count, const Lines& lines) const {
    static const std::vector<double> none;
    const auto found = numbers.find(name);
    const std::vector<double>& values = found == numbers.end() ? none : found->second;
    if (values.size() != count) lines.wrong(fmt::format("{} numbers after {}", count, name), fmt::format("{}", values.size()));
    return values;
  }
};

Header header_of(Lines& lines) {
  Header header;
  std::istringstream words;
  while (lines.next(words)) {
    std::string name, word;
    if (!(words >> name)) continue;
    if (name == "SV") {
      if (!header.machine || !header.kernel) lines.wrong("svm_type and kernel_type before SV", name);
      const auto whole = [&](const char* key) { return static_cast<std::int64_t>(header.of(key, 1, lines)[0]); };
      header.classes = whole("nr_class");
      header.vectors = whole("total_sv");
      constexpr std::int64_t most = 1'000'000'000;
      if (header.classes < 2 || header.classes > 100'000 || header.vectors < 0 || header.vectors > most) lines.wrong("two classes or more, and some support vectors", name);
      return header;
    }
    if (name == "svm_type" || name == "kernel_type") {
      words >> word;
      if (name == "svm_type")
        for (const MachineName& one : machines) header.machine = word == one.theirs ? &one : header.machine;
      else
        for (const KernelName& one : kernels) header.kernel = word == one.theirs ? &one : header.kernel;
      if (name == "svm_type" ? !header.machine : !header.kernel)
        lines.wrong(name == "svm_type" ? "c_svc, nu_svc, one_class, epsilon_svr or nu_svr" : "linear, polynomial, rbf or sigmoid", word);
    } else {
      header.numbers[name] = lines.numbers(words);
    }
  }
  lines.wrong("support vectors after SV", "the end");
}

std::string pipeline_of(const Header& header, const Lines& lines) {
  const std::string kernel = header.kernel->ours;
  std::string text = "kernel(" + kernel;
  if (kernel != "linear") text += fmt::format(", gamma={}", header.of("gamma", 1, lines)[0]);
  if (kernel == "poly") text += fmt::format(", degree={}", header.of("degree", 1, lines)[0]);
  if (kernel == "poly" || kernel == "sigmoid") text += fmt::format(", offset={}", header.of("coef0", 1, lines)[0]);
  const bool probabilities = header.numbers.count("probB") > 0 && std::string(header.machine->ours) == "svm";
  return fmt::format("{}) | weigh({}{}){}", text, header.machine->ours, probabilities ? ", probabilities=platt" : "", header.machine->after);
}

struct Read {
  io::SparseMatrix points;
  Matrix weights;
};

// One line a support vector: its weights, then index:value.
Read vectors_of(Lines& lines, const Header& header, std::int64_t each) {
  Read read;
  read.weights.resize(header.vectors, each);
  std::istringstream words;
  for (std::int64_t v = 0; v < header.vectors; ++v) {
    if (!lines.next(words)) lines.wrong(fmt::format("{} support vectors", header.vectors), fmt::format("{}", v));
    std::string word;
    for (std::int64_t m = 0; m < each; ++m) {
      if (!(words >> word)) lines.wrong(fmt::format("{} weights", each), "fewer");
      read.weights(v, m) = lines.number(word);
    }
    std::int64_t before = 0;
    while (words >> word) {
      const std::size_t colon = word.find(':');
      const auto index = io::parse_number(word.substr(0, colon));
      if (colon == std::string::npos || !index || *index != std::floor(*index) || *index <= static_cast<double>(before) || *index > 2e9) lines.wrong("ascending index:value", word);
      before = static_cast<std::int64_t>(*index);
      read.points.columns = std::max(read.points.columns, before);
      if (const double value = lines.number(word.substr(colon + 1)); value != 0) {
        read.points.column.push_back(static_cast<std::int32_t>(before - 1));
        read.points.value.push_back(value);
      }
    }
    read.points.begin.push_back(read.points.entries());
  }
  read.points.rows = header.vectors;
  read.points.columns = std::max<std::int64_t>(1, read.points.columns);
  return read;
}

std::string class_name(double label) { return fmt::format("{}", label); }

}  // namespace

bool is_libsvm_model(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return false;
  std::ifstream file(path);
  std::string word;
  return static_cast<bool>(file >> word) && word == "svm_type";
}

bool names_libsvm_model(const std::string& path) { return path.ends_with(".model"); }

void require_libsvm_stages(const std::vector<BoundStage>& stages) {
  const auto name = [&](std::size_t s) { return s < stages.size() ? stages[s].stage->name : std::string_view(); };
  const bool fits = name(0) == "kernel" && stages[0].takes != types::graph && stages[0].arguments.word("name") != "laplacian" && name(1) == "weigh" &&
                    (stages.size() == 2 || (stages.size() == 3 && (name(2) == "vote" || name(2) == "average")));
  require(fits, Fault::usage, "[save] expected kernel(rbf, linear, poly or sigmoid) | weigh(..) | vote or average for a libsvm model, found \"{}\": {}", print(stages), remedy);
}

void save_libsvm_model(const std::string& path, const SavedFit& saved) {
  require_libsvm_stages(saved.fit.stages);
  const Data& data = *saved.fit.data;
  const Arguments &kernel = saved.fit.stages[0].arguments, &weigh = saved.fit.stages[1].arguments;
  const Kept &scale = saved.fit.kept[0], &kept = saved.fit.kept[1];
  const std::string& machine = weigh.word("machine");
  const Matrix &vectors = kept.array("vectors"), &weights = kept.array("weights"), &offsets = kept.array("offsets");
  const bool classes = machine == "svm";
  std::string text;
  for (const MachineName& one : machines)
    if (machine == one.ours && text.empty()) text = fmt::format("svm_type {}\n", one.theirs);
  const std::string& name = kernel.word("name");
  for (const KernelName& one : kernels)
    if (name == one.ours) text += fmt::format("kernel_type {}\n", one.theirs);
  if (name == "poly") text += fmt::format("degree {}\n", kernel.number("degree"));
  if (name != "linear") text += fmt::format("gamma {}\n", scale.number("gamma"));
  if (name == "poly" || name == "sigmoid") text += fmt::format("coef0 {}\n", kernel.number("offset"));
  const std::int64_t k = classes ? kept.array("order").size() : 2;
  text += fmt::format("nr_class {}\ntotal_sv {}\n", k, vectors.size());
  text += numbers_line("rho", std::vector<double>(offsets.data(), offsets.data() + offsets.size()));
  std::vector<std::vector<std::int64_t>> rows(static_cast<std::size_t>(classes ? k : 1));
  if (classes) {
    std::vector<double> labels, counts;
    std::map<std::int64_t, std::size_t> place;
    for (std::int64_t p = 0; p < k; ++p) {
      const auto c = static_cast<std::int64_t>(kept.array("order")(p, 0));
      const std::string& label = data.classes[static_cast<std::size_t>(c)];
      const auto number = io::parse_number(label);
      require(number && *number == std::floor(*number) && std::abs(*number) < 2e9, Fault::usage, "[save] expected classes that are whole numbers for a libsvm model, found \"{}\": {}", label, remedy);
      labels.push_back(*number);
      place[c] = static_cast<std::size_t>(p);
    }
    for (Eigen::Index v = 0; v < vectors.size(); ++v) rows[place.at(data.labels[static_cast<std::size_t>(vectors(v, 0))])].push_back(v);
    for (const auto& one : rows) counts.push_back(static_cast<double>(one.size()));
    text += numbers_line("label", labels);
    if (kept.has("sigmoids")) {
      const Matrix& sigmoids = kept.array("sigmoids");
      std::vector<double> a, b;
      for (Eigen::Index m = 0; m < sigmoids.rows(); ++m) {
        a.push_back(sigmoids(m, 0));
        b.push_back(sigmoids(m, 1));
      }
      text += numbers_line("probA", a) + numbers_line("probB", b);
    }
    text += numbers_line("nr_sv", counts);
  } else {
    for (Eigen::Index v = 0; v < vectors.size(); ++v) rows[0].push_back(v);
  }
  text += "SV\n";
  for (std::size_t own = 0; own < rows.size(); ++own)
    for (const std::int64_t v : rows[own]) {
      for (std::int64_t m = 0; m < (classes ? k - 1 : 1); ++m) text += fmt::format("{} ", weights(v, classes ? machine_of(k, static_cast<std::int64_t>(own), m) : 0));
      text += vector_text(data, static_cast<std::int64_t>(vectors(v, 0)));
    }
  io::write_file(path, text);
}

SavedFit load_libsvm_model(const std::string& path, const StageList& stages) {
  Lines lines(path);
  const Header header = header_of(lines);
  const bool classes = std::string(header.machine->ours) == "svm";
  const std::int64_t k = header.classes, count = classes ? pairs_of(k) : 1;
  const std::vector<double>& offsets = header.of("rho", static_cast<std::size_t>(count), lines);
  SavedFit saved;
  Kept kept;
  std::vector<std::string> names;
  std::vector<std::int64_t> own(static_cast<std::size_t>(header.vectors), 0), order;
  if (classes) {
    const std::vector<double> labels = header.of("label", static_cast<std::size_t>(k), lines), counts = header.of("nr_sv", static_cast<std::size_t>(k), lines);
    std::vector<double> sorted = labels;
    std::sort(sorted.begin(), sorted.end());
    if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) lines.wrong("different labels", "equal ones");
    for (const double label : sorted) names.push_back(class_name(label));
    for (const double label : labels) order.push_back(std::lower_bound(sorted.begin(), sorted.end(), label) - sorted.begin());
    std::int64_t at = 0;
    for (std::int64_t p = 0; p < k; ++p)
      for (double n = 0; n < counts[static_cast<std::size_t>(p)]; ++n, ++at) {
        if (at >= header.vectors) lines.wrong("counts of nr_sv that add up to total_sv", fmt::format("more than {}", header.vectors));
        own[static_cast<std::size_t>(at)] = p;
      }
    if (at != header.vectors) lines.wrong("counts of nr_sv that add up to total_sv", fmt::format("{}", at));
    Matrix places(k, 1);
    for (std::int64_t p = 0; p < k; ++p) places(p, 0) = static_cast<double>(order[static_cast<std::size_t>(p)]);
    kept.keep("order", std::move(places));
    if (header.numbers.count("probB")) {
      const std::vector<double>&a = header.of("probA", static_cast<std::size_t>(count), lines), &b = header.of("probB", static_cast<std::size_t>(count), lines);
      Matrix sigmoids(count, 2);
      for (std::int64_t m = 0; m < count; ++m) sigmoids.row(m) << a[static_cast<std::size_t>(m)], b[static_cast<std::size_t>(m)];
      kept.keep("sigmoids", std::move(sigmoids));
    }
  }
  saved.pipeline = pipeline_of(header, lines);
  Read read = vectors_of(lines, header, classes ? k - 1 : 1);
  Matrix vectors(header.vectors, 1), weights = Matrix::Zero(header.vectors, count), rho(count, 1);
  for (std::int64_t m = 0; m < count; ++m) rho(m, 0) = offsets[static_cast<std::size_t>(m)];
  for (std::int64_t v = 0; v < header.vectors; ++v) {
    vectors(v, 0) = static_cast<double>(v);
    for (Eigen::Index m = 0; m < read.weights.cols(); ++m) weights(v, classes ? machine_of(k, own[static_cast<std::size_t>(v)], m) : 0) = read.weights(v, m);
  }
  kept.keep("vectors", std::move(vectors));
  kept.keep("weights", std::move(weights));
  kept.keep("offsets", std::move(rho));
  std::vector<std::string> features;
  for (std::int64_t c = 1; c <= read.points.columns; ++c) features.push_back(fmt::format("x{}", c));
  Data data = data_of(std::move(read.points), std::move(features), {});
  for (const std::int64_t p : own) data.labels.push_back(classes ? order[static_cast<std::size_t>(p)] : 0);
  if (classes) data.classes = std::move(names);
  else data.labels.clear();
  if (std::string(header.machine->ours) == "svr") data.targets = Vector::Zero(data.rows());
  try {
    saved.fit.stages = bind_stages(parse(saved.pipeline), stages);
  } catch (const Error& error) {
    fail(Fault::input, "[model] expected a kernel's parameters within their range, found others ({}): {}", path, error.what());
  }
  saved.fit.data = std::make_shared<const Data>(std::move(data));
  saved.fit.prototypes.assign(saved.fit.stages.size(), 0);
  saved.fit.kept.resize(saved.fit.stages.size());
  saved.fit.kept[1] = std::move(kept);
  saved.input_hash = io::sha256(io::read_file(path));
  return saved;
}

}  // namespace calor::pipeline
