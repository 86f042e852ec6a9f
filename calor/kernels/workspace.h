// Scratch memory that a thread keeps between calls: touching fresh pages costs more than the arithmetic of a small
// problem.  What a thread keeps is bounded; beyond the bound memory is returned after the call.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace calor::kernels {

class Workspace {
 public:
  // A cache-line aligned array with undefined contents, valid until clear().
  template <class T>
  T* take(std::int64_t count) {
    return static_cast<T*>(take_bytes(static_cast<std::uint64_t>(count) * sizeof(T)));
  }
  // Ends every array; keeps at most kept_bytes of memory.  Never throws.
  void clear();

  static constexpr std::uint64_t kept_bytes = 64u << 20;

 private:
  struct Free {
    void operator()(void* pointer) const;
  };
  struct Chunk {
    std::unique_ptr<std::byte, Free> bytes;
    std::uint64_t size = 0;
  };
  void* take_bytes(std::uint64_t bytes);

  std::vector<Chunk> chunks_;  // the last is the one in use
  std::uint64_t used_ = 0;     // of the last chunk
  std::uint64_t wanted_ = 0;   // what the next first chunk should hold, so that one chunk comes to suffice
};

// A thread's workspace for the length of a scope.  A thread has two, because the thread that drives a problem also runs
// pieces of it.
class WorkspaceScope {
 public:
  enum class Use { problem, piece };
  explicit WorkspaceScope(Use use);
  ~WorkspaceScope() { workspace_.clear(); }
  WorkspaceScope(const WorkspaceScope&) = delete;
  WorkspaceScope& operator=(const WorkspaceScope&) = delete;
  Workspace& operator*() const { return workspace_; }
  Workspace* operator->() const { return &workspace_; }

 private:
  Workspace& workspace_;
};

}  // namespace calor::kernels
