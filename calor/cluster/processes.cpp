#include "calor/cluster/processes.h"

#include <algorithm>
#include <ctime>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>

#include "calor/core/error.h"

namespace calor::cluster {
namespace {

// Rows of so many doubles as one element, so that counts are of rows and fit an int.
class RowType {
 public:
  explicit RowType(std::int64_t columns) {
    MPI_Type_contiguous(whole(columns), MPI_DOUBLE, &type_);
    MPI_Type_commit(&type_);
  }
  ~RowType() { MPI_Type_free(&type_); }
  RowType(const RowType&) = delete;
  RowType& operator=(const RowType&) = delete;
  operator MPI_Datatype() const { return type_; }

  static int whole(std::int64_t count) {
    require(count <= std::numeric_limits<int>::max(), Fault::input, "[cluster] expected fewer than 2^31 rows or bytes in a message, found {}: use more processes", count);
    return static_cast<int>(count);
  }

 private:
  MPI_Datatype type_ = MPI_DATATYPE_NULL;
};

int whole(std::int64_t count) { return RowType::whole(count); }
std::uint64_t bytes_of(const Matrix& rows) { return static_cast<std::uint64_t>(rows.size()) * sizeof(double); }

// Where each process's part begins, of parts of these sizes.
std::vector<int> places(const std::vector<int>& sizes) {
  std::vector<int> begin(sizes.size());
  std::exclusive_scan(sizes.begin(), sizes.end(), begin.begin(), 0);
  return begin;
}

std::vector<std::string> cut(const std::string& text, const std::vector<int>& sizes) {
  std::vector<std::string> parts;
  std::size_t at = 0;
  for (const int size : sizes) {
    parts.push_back(text.substr(at, static_cast<std::size_t>(size)));
    at += static_cast<std::size_t>(size);
  }
  return parts;
}

}  // namespace

Blocks even_blocks(std::int64_t rows, int processes) {
  Blocks blocks;
  for (int p = 1; p <= processes; ++p) blocks.begin.push_back(blocks.begin.back() + rows / processes + (p <= rows % processes));
  return blocks;
}

Processes::Processes(MPI_Comm communicator) : communicator_(communicator) {
  MPI_Comm_rank(communicator_, &rank_);
  MPI_Comm_size(communicator_, &count_);
}

static double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

Processes::Call::Call(Traffic& traffic) : traffic_(traffic), begin_(std::chrono::steady_clock::now()), processor_begin_(processor_seconds()) {}

Processes::Call::~Call() {
  traffic_.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  traffic_.processor_seconds += processor_seconds() - processor_begin_;
}

Processes::Call Processes::collective(std::uint64_t bytes) const {
  ++traffic_.collectives;
  traffic_.collective_bytes += bytes;
  return Call(traffic_);
}

Traffic operator-(const Traffic& after, const Traffic& before) {
  return {after.messages - before.messages, after.message_bytes - before.message_bytes, after.collectives - before.collectives, after.collective_bytes - before.collective_bytes,
          after.seconds - before.seconds, after.processor_seconds - before.processor_seconds};
}

void Processes::together(const std::function<void()>& work) const {
  std::optional<Error> failed;
  try {
    work();
  } catch (const Error& error) {
    failed = error;
  } catch (const std::bad_alloc&) {
    failed = Error(Fault::memory, "[cluster] expected enough memory, found none left: use more processes, or give less data");
  }
  const int own = failed ? rank_ : count_;
  int first = count_;
  {
    const Call call = collective(sizeof own);
    MPI_Allreduce(&own, &first, 1, MPI_INT, MPI_MIN, communicator_);
  }
  if (first == count_) return;
  std::string text = failed && first == rank_ ? failed->what() : "";
  int facts[2] = {failed ? static_cast<int>(failed->fault()) : 0, whole(static_cast<std::int64_t>(text.size()))};
  {
    const Call call = collective(first == rank_ ? sizeof facts : 0);
    MPI_Bcast(facts, 2, MPI_INT, first, communicator_);
  }
  text.resize(static_cast<std::size_t>(facts[1]));
  const Call call = collective(first == rank_ ? text.size() : 0);
  MPI_Bcast(text.data(), facts[1], MPI_CHAR, first, communicator_);
  throw Error(static_cast<Fault>(facts[0]), text);
}

bool Processes::all(bool holds) const {
  int own = holds, every = 0;
  const Call call = collective(sizeof own);
  MPI_Allreduce(&own, &every, 1, MPI_INT, MPI_LAND, communicator_);
  return every;
}

double Processes::greatest(double number) const {
  double most = 0;
  const Call call = collective(sizeof number);
  MPI_Allreduce(&number, &most, 1, MPI_DOUBLE, MPI_MAX, communicator_);
  return most;
}

std::int64_t Processes::sum(std::int64_t number) const { return sums(std::vector<std::int64_t>{number}).front(); }

std::vector<std::int64_t> Processes::sums(std::vector<std::int64_t> numbers) const {
  const Call call = collective(numbers.size() * sizeof(std::int64_t));
  MPI_Allreduce(MPI_IN_PLACE, numbers.data(), whole(static_cast<std::int64_t>(numbers.size())), MPI_INT64_T, MPI_SUM, communicator_);
  return numbers;
}

Vector Processes::sums(const Vector& numbers) const {
  const Blocks places_of = even_blocks(numbers.size(), count_);
  const std::int64_t own_places = places_of.size(rank_);
  Matrix parts(count_, own_places);  // every process's numbers at this one's places
  std::vector<int> out, in(static_cast<std::size_t>(count_), whole(own_places));
  for (int p = 0; p < count_; ++p) out.push_back(whole(places_of.size(p)));
  {
    const Call call = collective(static_cast<std::uint64_t>(numbers.size()) * sizeof(double));
    MPI_Alltoallv(numbers.data(), out.data(), places(out).data(), MPI_DOUBLE, parts.data(), in.data(), places(in).data(), MPI_DOUBLE, communicator_);
  }
  Vector own = Vector::Zero(own_places);
  for (int p = 0; p < count_; ++p) own += parts.row(p).transpose();
  return all_rows(own, places_of);
}

std::vector<std::int64_t> Processes::each(std::int64_t number) const {
  std::vector<std::int64_t> all(static_cast<std::size_t>(count_));
  const Call call = collective(sizeof number);
  MPI_Allgather(&number, 1, MPI_INT64_T, all.data(), 1, MPI_INT64_T, communicator_);
  return all;
}

Matrix Processes::each(const Vector& numbers) const { return all_rows(Matrix(numbers.transpose()), even_blocks(count_, count_)); }

std::vector<double> Processes::together_all(const std::vector<double>& own) const {
  const Blocks blocks = blocks_of(static_cast<std::int64_t>(own.size()));
  const Vector all = all_rows(Vector(Eigen::Map<const Vector>(own.data(), static_cast<Eigen::Index>(own.size()))), blocks);
  return {all.begin(), all.end()};
}

Blocks Processes::blocks_of(std::int64_t own_rows) const {
  Blocks blocks;
  for (const std::int64_t size : each(own_rows)) blocks.begin.push_back(blocks.begin.back() + size);
  return blocks;
}

Matrix Processes::gathered(const Matrix& own, const Blocks& blocks, bool in_all) const {
  require(own.rows() == blocks.size(rank_), Fault::internal, "[cluster] expected {} rows, found {}", blocks.size(rank_), own.rows());
  std::vector<int> sizes, begin;
  for (int p = 0; p < count_; ++p) {
    sizes.push_back(whole(blocks.size(p)));
    begin.push_back(whole(blocks.first(p)));
  }
  Matrix all(in_all || first() ? blocks.rows() : 0, own.cols());
  if (own.cols() == 0) return all;
  const RowType row(own.cols());
  const Call call = collective(bytes_of(own));
  if (in_all) MPI_Allgatherv(own.data(), sizes[static_cast<std::size_t>(rank_)], row, all.data(), sizes.data(), begin.data(), row, communicator_);
  else MPI_Gatherv(own.data(), sizes[static_cast<std::size_t>(rank_)], row, all.data(), sizes.data(), begin.data(), row, 0, communicator_);
  return all;
}

Matrix Processes::all_rows(const Matrix& own, const Blocks& blocks) const { return gathered(own, blocks, true); }
Vector Processes::all_rows(const Vector& own, const Blocks& blocks) const { return gathered(Matrix(own), blocks, true).col(0); }
Matrix Processes::rows_in_first(const Matrix& own, const Blocks& blocks) const { return gathered(own, blocks, false); }

std::vector<std::string> Processes::exchange(const std::vector<std::string>& sent) const {
  std::vector<int> out, in(sent.size());
  std::string packed;
  for (const std::string& text : sent) {
    out.push_back(whole(static_cast<std::int64_t>(text.size())));
    packed += text;
  }
  whole(static_cast<std::int64_t>(packed.size()));
  {
    const Call call = collective(sizeof(int) * sent.size());
    MPI_Alltoall(out.data(), 1, MPI_INT, in.data(), 1, MPI_INT, communicator_);
  }
  std::string received(static_cast<std::size_t>(whole(std::accumulate(in.begin(), in.end(), std::int64_t{0}))), '\0');
  const Call call = collective(packed.size());
  MPI_Alltoallv(packed.data(), out.data(), places(out).data(), MPI_CHAR, received.data(), in.data(), places(in).data(), MPI_CHAR, communicator_);
  return cut(received, in);
}

std::vector<std::string> Processes::all_texts(const std::string& own) const {
  std::vector<int> sizes;
  for (const std::int64_t size : each(static_cast<std::int64_t>(own.size()))) sizes.push_back(whole(size));
  std::string all(static_cast<std::size_t>(whole(std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}))), '\0');
  const Call call = collective(own.size());
  MPI_Allgatherv(own.data(), whole(static_cast<std::int64_t>(own.size())), MPI_CHAR, all.data(), sizes.data(), places(sizes).data(), MPI_CHAR, communicator_);
  return cut(all, sizes);
}

void Processes::each_block(const Block& own, const Blocks& blocks, const std::function<void(int, const Block&)>& use) const {
  require(own->rows() == blocks.size(rank_), Fault::internal, "[cluster] expected a block of {} rows, found {}", blocks.size(rank_), own->rows());
  const RowType row(std::max<Eigen::Index>(1, own->cols()));
  const int before = (rank_ + count_ - 1) % count_, after = (rank_ + 1) % count_;
  Block block = own;
  for (int step = 0; step < count_; ++step) {
    const int owner = (rank_ + step) % count_, next_owner = (owner + 1) % count_;
    const bool last = step + 1 == count_;
    std::shared_ptr<Matrix> next;
    MPI_Request requests[2] = {MPI_REQUEST_NULL, MPI_REQUEST_NULL};
    if (!last) {
      next = std::make_shared<Matrix>(blocks.size(next_owner), own->cols());
      const Call call(traffic_);
      MPI_Irecv(next->data(), whole(next->rows()), row, after, step, communicator_, &requests[0]);
      MPI_Isend(block->data(), whole(block->rows()), row, before, step, communicator_, &requests[1]);
      ++traffic_.messages;
      traffic_.message_bytes += bytes_of(*block);
    }
    try {
      use(owner, block);
    } catch (...) {
      if (!last) abandoned_.insert(abandoned_.end(), {own, block, next});
      throw;
    }
    const Call call(traffic_);
    MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
    if (!last) block = std::move(next);
  }
}

}  // namespace calor::cluster
