#include "data_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <vector>

#include "calor/core/error.h"

namespace calor::app {

namespace fs = std::filesystem;

static constexpr std::string_view planetoid_words[] = {"cora", "citeseer", "pubmed"};

// The first of these folders of CALOR_DATA in which `file` is there; `of` says what is sought, `remedy` what to do where it is not.
static fs::path folder_with(const std::vector<std::string>& folders, const std::string& file, const std::string& of, const std::string& remedy) {
  const char* root = std::getenv("CALOR_DATA");
  const bool known = root && *root;
  std::error_code error;
  if (known)
    for (const std::string& folder : folders)
      if (const fs::path path = fs::path(root) / folder; fs::exists(path / file, error) || fs::exists(path / (file + ".gz"), error)) return path;
  fail(Fault::input, "[data] expected CALOR_DATA to name the folder that has {}/{}, found {}: {}", folders.front(), of,
       known ? fmt::format("no such file in {}", root) : "it is not set", remedy);
}

std::string node_source(const std::string& source) {
  std::error_code error;
  if (std::ranges::find(planetoid_words, source) == std::end(planetoid_words) || fs::exists(source, error) || fs::exists(fmt::format("ind.{}.allx", source), error) ||
      fs::exists(source + ".content", error))
    return source;
  const fs::path folder = folder_with({source + "/planetoid", source, ""}, fmt::format("ind.{}.allx", source), fmt::format("ind.{0}.allx, ind.{0}.graph, ... (Planetoid)", source),
                                      fmt::format("get them from https://github.com/kimiyoung/planetoid (its folder data), or name their own folder in place of {}", source));
  return (folder / source).string();
}

CaptionFiles multi30k_files(const std::string& languages) {
  const std::string_view all[] = {"en", "de", "fr"};
  const auto is_one = [&](std::string_view one) { return std::ranges::find(all, one) != std::end(all); };
  const std::size_t dash = languages.find('-');
  const std::string from = languages.substr(0, dash), to = dash == std::string::npos ? "" : languages.substr(dash + 1);
  require(is_one(from) && is_one(to) && from != to, Fault::usage, "[train] expected --languages FROM-TO, two of en, de and fr, found \"{}\": write en-de", languages);
  const std::string remedy = "get train.*.gz and val.*.gz from https://github.com/multi30k/dataset (data/task1/raw), or give two files of your own to calor train-translation";
  const auto file = [&](const char* part, const std::string& language) {
    const std::string name = fmt::format("{}.{}", part, language);
    const fs::path path = folder_with({"multi30k/raw", "multi30k"}, name, name + ".gz", remedy) / name;
    std::error_code error;
    return fs::exists(path, error) ? path.string() : path.string() + ".gz";
  };
  return {file("train", from), file("train", to), file("val", from), file("val", to)};
}

}  // namespace calor::app
