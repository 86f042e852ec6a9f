#include "calor/kernels/workspace.h"

#include <algorithm>
#include <new>

namespace calor::kernels {

static constexpr std::align_val_t alignment{64};
static constexpr std::uint64_t least_chunk = 1u << 18;

void Workspace::Free::operator()(void* pointer) const { ::operator delete(pointer, alignment); }

void* Workspace::take_bytes(std::uint64_t bytes) {
  bytes = (bytes + 63) / 64 * 64;
  if (chunks_.empty() || used_ + bytes > chunks_.back().size) {
    const std::uint64_t size = std::max({bytes, least_chunk, chunks_.empty() ? wanted_ : 0});
    chunks_.emplace_back();
    chunks_.back().bytes.reset(static_cast<std::byte*>(::operator new(size, alignment)));
    chunks_.back().size = size;
    used_ = 0;
  }
  void* array = chunks_.back().bytes.get() + used_;
  used_ += bytes;
  return array;
}

void Workspace::clear() {
  used_ = 0;
  if (chunks_.empty() || (chunks_.size() == 1 && chunks_.back().size <= kept_bytes)) return;
  wanted_ = 0;
  for (const Chunk& chunk : chunks_) wanted_ += chunk.size;
  if (wanted_ > kept_bytes) wanted_ = 0;
  chunks_.clear();
}

static Workspace& workspace_for(WorkspaceScope::Use use) {
  thread_local Workspace problem, piece;
  return use == WorkspaceScope::Use::problem ? problem : piece;
}

WorkspaceScope::WorkspaceScope(Use use) : workspace_(workspace_for(use)) {}

}  // namespace calor::kernels
