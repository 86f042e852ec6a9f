// One process at a time for a file that is written over long.
#pragma once

#include <string>

namespace calor::io {

// Held from construction to destruction, at most as long as the process lives: the system gives up the lock of one that was killed.
class FileLock {
 public:
  // Locks `path` by a file path + ".lock" beside it, which holds the process's number and is removed at the end.  Throws Fault::input where another holds it, in this
  // process or another: "[op] expected ..., found ...".  Nothing is locked where the file cannot be made or the file system knows no locks: writing `path` then has its own errors.
  FileLock(const std::string& path, const char* op);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  std::string lock_;
  int descriptor_ = -1;
};

}  // namespace calor::io
