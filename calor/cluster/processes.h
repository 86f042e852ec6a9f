// The processes of a run and the messages between them.  Sums of doubles are added up in the order of the processes, so that the same number of
// processes gives the same bits.
#pragma once

#include <mpi.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "calor/engine/matrix.h"

namespace calor::cluster {

using engine::Matrix, engine::Vector;

// Consecutive rows for each process: process p has begin[p] up to begin[p + 1].
struct Blocks {
  std::vector<std::int64_t> begin{0};
  std::int64_t rows() const { return begin.back(); }
  std::int64_t first(int process) const { return begin[static_cast<std::size_t>(process)]; }
  std::int64_t size(int process) const { return first(process + 1) - first(process); }
};

// Blocks whose sizes differ by at most 1; the later processes have none where there are fewer rows than processes.
Blocks even_blocks(std::int64_t rows, int processes);

// What this process has handed to MPI.
struct Traffic {
  std::uint64_t messages = 0, message_bytes = 0;        // from one process to another
  std::uint64_t collectives = 0, collective_bytes = 0;  // calls of all together: what this process put in
  double seconds = 0, processor_seconds = 0;            // within these calls, waiting included: by the clock, and of this process's processors
};
Traffic operator-(const Traffic& after, const Traffic& before);

// All processes of a communicator.  Every function but rank, count and traffic is called by all of them, in the same order.
class Processes {
 public:
  explicit Processes(MPI_Comm communicator);
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;

  MPI_Comm communicator() const { return communicator_; }
  int rank() const { return rank_; }
  int count() const { return count_; }
  bool first() const { return rank_ == 0; }
  const Traffic& traffic() const { return traffic_; }

  // Runs what each process does by itself; where that fails in some, the error of the first of them is thrown in all.
  void together(const std::function<void()>& work) const;

  bool all(bool holds) const;
  double greatest(double number) const;
  std::int64_t sum(std::int64_t number) const;
  std::vector<std::int64_t> sums(std::vector<std::int64_t> numbers) const;  // of each place; as many in every process
  // The same of doubles, in the order of the processes: each adds up a part of the places for all.  O(numbers) memory.
  Vector sums(const Vector& numbers) const;
  std::vector<std::int64_t> each(std::int64_t number) const;                // every process's number
  Matrix each(const Vector& numbers) const;                                 // every process's numbers, a row each; as many in every process
  std::vector<double> together_all(const std::vector<double>& own) const;   // every process's numbers, one after the other

  Blocks blocks_of(std::int64_t own_rows) const;
  // All rows, of which this process has its block.
  Matrix all_rows(const Matrix& own, const Blocks& blocks) const;
  Vector all_rows(const Vector& own, const Blocks& blocks) const;
  // The same in the first process alone; empty in the others.
  Matrix rows_in_first(const Matrix& own, const Blocks& blocks) const;
  // The bytes that each process has for each other one: `sent[p]` goes to p, and what p has for this one is at p in the result.
  std::vector<std::string> exchange(const std::vector<std::string>& sent) const;
  std::vector<std::string> all_texts(const std::string& own) const;

  // Calls use(p, block of p) for the blocks of all processes, its own first, then that of the next and so on round the ring: while a block is in
  // use the next one is on its way.  Holds two blocks beside its own.  All have as many columns.
  using Block = std::shared_ptr<const Matrix>;
  void each_block(const Block& own, const Blocks& blocks, const std::function<void(int, const Block&)>& use) const;

 private:
  // Takes the time of a call of MPI's until it is destroyed.
  class Call {
   public:
    explicit Call(Traffic& traffic);
    ~Call();
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

   private:
    Traffic& traffic_;
    std::chrono::steady_clock::time_point begin_;
    double processor_begin_;
  };
  [[nodiscard]] Call collective(std::uint64_t bytes) const;
  Matrix gathered(const Matrix& own, const Blocks& blocks, bool in_all) const;

  MPI_Comm communicator_;
  int rank_ = 0, count_ = 1;
  mutable Traffic traffic_;
  mutable std::vector<Block> abandoned_;  // that messages were still under way for when their use failed: MPI may write to them until it ends
};

}  // namespace calor::cluster
