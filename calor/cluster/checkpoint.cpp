#include "calor/cluster/checkpoint.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <filesystem>

#include "calor/core/error.h"
#include "calor/core/mixed.h"
#include "calor/io/kept_run.h"
#include "calor/io/output.h"

namespace calor::cluster {

using nlohmann::json;

namespace {

constexpr const char* ending = ".checkpoint";
constexpr const char* kind = "calor-mpi checkpoint";

std::string digest_of(const io::Safetensors& content) { return io::digest_of(content, {"run", "state"}); }

}  // namespace

void Ranges::add(std::int64_t begin, std::int64_t end) {
  if (begin >= end) return;
  auto at = ranges_.upper_bound(begin);
  if (at != ranges_.begin() && std::prev(at)->second >= begin) --at;
  while (at != ranges_.end() && at->first <= end) {
    begin = std::min(begin, at->first);
    end = std::max(end, at->second);
    at = ranges_.erase(at);
  }
  ranges_[begin] = end;
}

std::vector<std::pair<std::int64_t, std::int64_t>> Ranges::missing(std::int64_t begin, std::int64_t end) const {
  std::vector<std::pair<std::int64_t, std::int64_t>> result;
  for (const auto& [first, last] : ranges_) {
    if (last <= begin) continue;
    if (first >= end) break;
    if (first > begin) result.emplace_back(begin, first);
    begin = std::max(begin, last);
  }
  if (begin < end) result.emplace_back(begin, end);
  return result;
}

std::int64_t Ranges::size() const {
  std::int64_t total = 0;
  for (const auto& [begin, end] : ranges_) total += end - begin;
  return total;
}

std::vector<std::int64_t> numbers_after(std::string_view name, std::string_view prefix) {
  std::vector<std::int64_t> numbers;
  if (!name.starts_with(prefix)) return {};
  const char *at = name.data() + prefix.size(), *last = name.data() + name.size();
  for (;; ++at) {
    const auto read = std::from_chars(at, last, numbers.emplace_back());
    if (read.ec != std::errc()) return {};
    at = read.ptr;
    if (at == last) return numbers;
    if (*at != '-') return {};
  }
}

std::string digest_of_rows(const Processes& processes, const Blocks& blocks, const Matrix& own) {
  std::uint64_t total = 0;
  for (Eigen::Index i = 0; i < own.rows(); ++i) {
    std::uint64_t row = mixed(static_cast<std::uint64_t>(blocks.first(processes.rank()) + i) + 1);
    for (const double value : own.row(i)) row = mixed(row ^ std::bit_cast<std::uint64_t>(value)) + 0x9e3779b97f4a7c15u;
    total += row;
  }
  constexpr std::uint64_t half = 0xffffffffu;  // halves are added up apart: their sums stay within 64 bits
  const auto sums = processes.sums(std::vector<std::int64_t>{static_cast<std::int64_t>(total & half), static_cast<std::int64_t>(total >> 32)});
  return fmt::format("{:016x}", static_cast<std::uint64_t>(sums[0]) + (static_cast<std::uint64_t>(sums[1]) << 32));
}

Checkpoint::Checkpoint(const Processes& processes, std::string folder, json run, double every_seconds) : folder_(std::move(folder)), run_(std::move(run)), every_(every_seconds) {
  if (!on()) return;
  namespace fs = std::filesystem;
  processes.together([&] {
    std::error_code error;
    fs::create_directories(folder_, error);
    require(fs::is_directory(folder_), Fault::input, "[checkpoint] expected a folder, found {}{}: name another place", folder_, error ? fmt::format(" ({})", error.message()) : "");
    io::check_writable(path("0"));
    found_ = files();
    // Every file is looked at once, by one process or another.
    for (std::size_t f = 0; f < found_.size(); ++f)
      if (static_cast<int>(f % static_cast<std::size_t>(processes.count())) == processes.rank()) read(found_[f]);
  });
}

std::vector<std::string> Checkpoint::files() const {
  std::vector<std::string> names;
  for (const std::filesystem::directory_entry& entry : std::filesystem::directory_iterator(folder_))
    if (entry.path().extension() == ending) names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

bool Checkpoint::due() const { return on() && std::chrono::duration<double>(std::chrono::steady_clock::now() - last_).count() >= every_; }

std::string Checkpoint::path(const std::string& name) const { return (std::filesystem::path(folder_) / (name + ending)).string(); }

io::Safetensors Checkpoint::read(const std::string& name) const {
  const std::string remedy = fmt::format("delete it, or name another folder ({})", path(name));
  try {
    io::Safetensors content = io::read_safetensors(path(name));
    require(content.metadata.contains("kind") && content.metadata.at("kind") == kind, Fault::input, "[checkpoint] expected a checkpoint of calor-mpi, found another kind of file");
    const json before = json::parse(content.metadata.at("run"));
    require(content.metadata.at("digest") == digest_of(content), Fault::input, "[checkpoint] expected an intact checkpoint, found one whose digest does not fit");
    require(before == run_, Fault::input, "[checkpoint] expected a checkpoint of this run, found one that differs in {}", io::differences(run_, before));
    return content;
  } catch (const Error& error) {
    fail(Fault::input, "{}: {}", error.what(), remedy);
  } catch (const std::exception& error) {  // a field is missing or is no JSON
    fail(Fault::input, "[checkpoint] expected an intact checkpoint, found {}: {}", error.what(), remedy);
  }
}

void Checkpoint::keep(const std::string& name, io::Safetensors content) const {
  content.metadata["kind"] = kind;
  content.metadata["run"] = run_.dump();
  content.metadata.try_emplace("state", "{}");
  content.metadata["digest"] = digest_of(content);
  io::write_safetensors(path(name), content);
  last_ = std::chrono::steady_clock::now();
}

void Checkpoint::remove(const std::string& name) const {
  std::error_code ignored;  // what stays behind is known to be of this run
  std::filesystem::remove(path(name), ignored);
}

}  // namespace calor::cluster
