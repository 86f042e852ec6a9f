#include "calor/io/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "calor/core/error.h"

namespace calor::io {
namespace {

std::string first_line(int descriptor) {
  char text[32];
  const ssize_t size = ::pread(descriptor, text, sizeof(text), 0);
  const std::string all(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  return all.substr(0, all.find('\n'));
}

// Whether there is nothing but a process's number in it, or nothing.
bool is_ours(int descriptor) {
  char text[32];
  const ssize_t size = ::pread(descriptor, text, sizeof(text), 0);
  return size >= 0 && size < static_cast<ssize_t>(sizeof(text)) && std::all_of(text, text + size, [](char c) { return (c >= '0' && c <= '9') || c == '\n'; });
}

// Whether the path still names the file that is open: its last holder may have removed it since.
bool is_named(int descriptor, const std::string& path) {
  struct stat open {}, named {};
  return ::fstat(descriptor, &open) == 0 && ::stat(path.c_str(), &named) == 0 && open.st_ino == named.st_ino && open.st_dev == named.st_dev;
}

}  // namespace

FileLock::FileLock(const std::string& path, const char* op) : lock_(path + ".lock") {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) return;  // a device or a pipe
  for (;;) {
    const int opened = ::open(lock_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (opened < 0) return;
    if (!is_ours(opened)) {  // somebody's file of that name is left alone
      ::close(opened);
      return;
    }
    const bool held = ::flock(opened, LOCK_EX | LOCK_NB) == 0;
    const bool taken = !held && errno == EWOULDBLOCK;
    const std::string holder = taken ? first_line(opened) : "";
    if (held && is_named(opened, lock_)) {
      descriptor_ = opened;
      break;
    }
    ::close(opened);
    require(!taken, Fault::input, "[{}] expected no other run that saves to {}, found one at work{}: wait for it, stop it, or save to another file", op, path,
            holder.empty() ? "" : " (process " + holder + ")");
    if (!held) return;
  }
  const std::string number = std::to_string(::getpid()) + "\n";
  if (::ftruncate(descriptor_, 0) != 0 || ::pwrite(descriptor_, number.data(), number.size(), 0) < 0) return;  // a full disk: the lock holds without the number
}

FileLock::~FileLock() {
  if (descriptor_ < 0) return;
  ::unlink(lock_.c_str());  // before the lock is given up, so that whoever waits for this file finds it gone
  ::close(descriptor_);
}

}  // namespace calor::io
