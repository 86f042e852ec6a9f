#include "calor/io/output.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <utility>

#include "calor/core/error.h"

namespace calor::io {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& path, const std::string& reason, const char* remedy) {
  fail(Fault::input, "[write] expected to write {}, found: {}: {}", path, reason, remedy);
}

[[noreturn]] void refuse(const std::string& path, int error_number) {
  const char* remedy = "choose another place";
  switch (error_number) {
    case ENOSPC:
    case EDQUOT: remedy = "free some space, or choose another folder"; break;
    case EFBIG: remedy = "raise the file size limit (ulimit -f), or choose another folder"; break;
    case ENOENT:
    case ENOTDIR: remedy = "create the folder first, or choose another one"; break;
    case EISDIR: remedy = "name a file in this folder"; break;
    default: break;
  }
  refuse(path, system_reason(error_number), remedy);
}

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }
  // Some file systems report a full disk only here.
  bool close() { return ::close(std::exchange(number_, -1)) == 0; }

 private:
  int number_;
};

// Writes everything; false with errno set on failure.
bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// Where a chain of symbolic links ends, whether or not a file is there yet; a rename would replace the link itself.
fs::path link_target(const std::string& path) {
  constexpr int most_links = 40;  // as the kernel allows
  fs::path target(path);
  std::error_code error;
  for (int i = 0; i < most_links; ++i) {
    const fs::path next = fs::read_symlink(target, error);
    if (error) return target;
    target = target.parent_path() / next;  // an absolute `next` replaces the whole
  }
  refuse(path, ELOOP);
}

// What a path names, and what stands there now.
struct Target {
  fs::path path, folder;
  std::optional<struct stat> present;
  // A pipe or a device has no folder entry to replace: it is written straight.
  bool special() const { return present && !S_ISREG(present->st_mode); }
};

Target find_target(const std::string& path) {
  if (path.empty() || path.ends_with('/')) refuse(fmt::format("\"{}\"", path), "no file name", "name a file");
  Target target;
  target.path = link_target(path);
  target.folder = target.path.has_parent_path() ? target.path.parent_path() : fs::path(".");
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) target.present = status;
  else if (errno != ENOENT) refuse(path, errno);
  if (target.present && S_ISDIR(status.st_mode)) refuse(path, EISDIR);
  // A rename would replace even a file that its owner marked read-only.
  if (target.present && ::access(path.c_str(), W_OK) != 0) refuse(path, errno);
  return target;
}

// A new empty file beside the target; removed at the end of the scope unless renamed onto it.
class TemporaryFile {
 public:
  TemporaryFile(const Target& target, const std::string& path) {
    static std::atomic<unsigned> counter{0};
    constexpr int tries = 100;  // a killed process with the same id may have left some
    for (int i = 0; i < tries; ++i) {
      path_ = target.folder / fmt::format(".calor-{}-{}.part", ::getpid(), counter++);
      descriptor_.emplace(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
      if (descriptor_->number() >= 0) return;
      if (errno != EEXIST) break;
    }
    refuse(path, errno);
  }
  ~TemporaryFile() {
    if (!renamed_) ::unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  Descriptor& descriptor() { return *descriptor_; }
  bool rename_to(const fs::path& target) { return renamed_ = ::rename(path_.c_str(), target.c_str()) == 0; }

 private:
  fs::path path_;
  std::optional<Descriptor> descriptor_;
  bool renamed_ = false;
};

}  // namespace

void check_writable(const std::string& path) {
  const Target target = find_target(path);
  if (!target.special()) const TemporaryFile probe(target, path);
}

void write_file(const std::string& path, std::string_view bytes) {
  const Target target = find_target(path);
  if (target.special()) {
    Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (file.number() < 0 || !write_all(file.number(), bytes) || !file.close()) refuse(path, errno);
    return;
  }
  TemporaryFile temporary(target, path);
  Descriptor& file = temporary.descriptor();
  if (target.present) ::fchmod(file.number(), target.present->st_mode & 07777);
  if (!write_all(file.number(), bytes) || ::fsync(file.number()) != 0 || !file.close() ||
      !temporary.rename_to(target.path))
    refuse(path, errno);
  // The rename itself survives a power cut once the folder is flushed; not every file system can do that.
  const Descriptor folder(::open(target.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.number() >= 0) ::fsync(folder.number());
}

std::string read_file(const std::string& path) {
  const auto check = [&](bool good) {
    require(good, Fault::input, "[read] expected a readable file, found {}: {}: check its name and permissions", path,
            system_reason(errno));
  };
  const bool standard_input = path == "-";
  const Descriptor opened(standard_input ? -1 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const int file = standard_input ? STDIN_FILENO : opened.number();
  struct stat status {};
  check(file >= 0 && ::fstat(file, &status) == 0);
  require(!S_ISDIR(status.st_mode), Fault::input, "[read] expected a file, found the folder {}: name a file in it",
          path);

  constexpr std::size_t piece = std::size_t{1} << 20;
  std::string bytes;
  std::size_t filled = 0;
  if (S_ISREG(status.st_mode)) bytes.resize(static_cast<std::size_t>(status.st_size) + 1);  // one more meets the end
  for (;;) {
    if (filled == bytes.size()) bytes.resize(bytes.size() + std::max(piece, bytes.size() / 2));
    const ssize_t count = ::read(file, bytes.data() + filled, bytes.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    check(count >= 0);
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  bytes.resize(filled);
  return bytes;
}

}  // namespace calor::io
