#include "calor/cluster/rows.h"

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/hash.h"
#include "calor/io/npy.h"
#include "calor/io/text_source.h"
#include "calor/pipeline/wants.h"

namespace calor::cluster {
namespace {

using pipeline::Data, pipeline::Loaded;

// The header of a file that can be read in blocks; an empty shape for any other.
io::NpyHeader header_of_blocks(const std::string& source, const io::LoadOptions& options) {
  constexpr std::size_t head_size = std::size_t{1} << 16;  // headers are a few hundred bytes
  std::error_code error;
  const bool plain = (!options.label || *options.label == "none") && options.select.empty() && options.one_hot.empty() && options.missing == io::Missing::refuse;
  if (!plain || !std::filesystem::is_regular_file(source, error)) return {};
  const auto file = io::text_of_file(source);
  std::string head(head_size, '\0');
  head.resize(file->read(head.data(), head.size()));
  if (!io::is_npy(head)) return {};
  io::NpyHeader header = io::parse_npy_header(head, source);
  const io::Array& array = header.array;
  const bool numbers = array.element != io::Element::bytes && array.element != io::Element::unicode;
  if (array.shape.empty() || array.fortran || !numbers || array.rows() == array.columns()) return {};
  const std::uintmax_t size = std::filesystem::file_size(source, error);
  io::check_bytes(array.shape, array.size, static_cast<std::size_t>(size) - header.begin, "npy", source);
  return header;
}

std::string bytes_at(const std::string& path, std::uint64_t begin, std::uint64_t count) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes(count, '\0');
  file.seekg(static_cast<std::streamoff>(begin));
  file.read(bytes.data(), static_cast<std::streamsize>(count));
  require(file.good() || count == 0, Fault::input, "[npy] expected {} bytes from byte {} on, found an error of reading ({}): is the file still being written?", count, begin, path);
  return bytes;
}

std::string hash_of(const std::string& path, const Context& context) {
  io::Sha256 hash;
  const auto file = io::text_of_file(path);
  std::string piece(std::size_t{1} << 20, '\0');
  while (const std::size_t count = file->read(piece.data(), piece.size())) {
    hash.add(std::string_view(piece).substr(0, count));
    context.check_stop("data");
  }
  return hash.hex();
}

std::shared_ptr<const Matrix> own_block(const io::NpyHeader& header, const std::string& source, std::int64_t first, std::int64_t rows, const Context& context) {
  const std::int64_t columns = header.array.columns();
  auto points = std::make_shared<Matrix>(rows, columns);
  if (rows == 0) return points;
  const std::uint64_t row_bytes = static_cast<std::uint64_t>(columns) * header.array.size;
  const std::string bytes = bytes_at(source, header.begin + static_cast<std::uint64_t>(first) * row_bytes, static_cast<std::uint64_t>(rows) * row_bytes);
  io::Array block = header.array;
  block.shape = {rows, columns};
  block.data = bytes;
  const std::vector<double> values = io::array_values(block, source, context, io::Gaps::kept);
  std::copy(values.begin(), values.end(), points->data());
  return points;
}

OwnRows load_blocks(const Processes& processes, const io::NpyHeader& header, const std::string& source, const Context& context) {
  OwnRows result;
  const std::int64_t rows = header.array.rows(), columns = header.array.columns();
  result.blocks = even_blocks(rows, processes.count());
  Loaded& loaded = result.loaded;
  processes.together([&] {
    result.points = own_block(header, source, result.blocks.first(processes.rank()), result.blocks.size(processes.rank()), context);
    if (processes.first()) loaded.hash = hash_of(source, context);
  });
  for (std::int64_t c = 1; c <= columns; ++c) loaded.data.feature_names.push_back(fmt::format("x{}", c));
  loaded.reading.format = "npy";
  loaded.reading.rows = rows;
  loaded.reading.features = columns;
  loaded.read = fmt::format("read {} rows x {} features in {} blocks of the file", grouped_digits(rows), columns, processes.count());
  return result;
}

// Rows in parts of any sizes, as even blocks: those that are another's go there.
std::shared_ptr<const Matrix> evened(const Processes& processes, const Blocks& blocks, const std::vector<double>& values, std::int64_t columns) {
  const std::int64_t row_bytes = columns * static_cast<std::int64_t>(sizeof(double)), rows = static_cast<std::int64_t>(values.size()) / columns;
  const Blocks parts = processes.blocks_of(rows);
  const std::int64_t first = parts.first(processes.rank());
  const auto shared_with = [&](const Blocks& one, int p, const Blocks& other, int q) {  // rows of both
    const std::int64_t begin = std::max(one.first(p), other.first(q)), end = std::min(one.first(p + 1), other.first(q + 1));
    return std::pair(begin, std::max(begin, end));
  };
  std::vector<std::string> sent(static_cast<std::size_t>(processes.count()));
  for (int p = 0; p < processes.count(); ++p) {
    const auto [begin, end] = shared_with(parts, processes.rank(), blocks, p);
    if (p != processes.rank() && end > begin)
      sent[static_cast<std::size_t>(p)].assign(reinterpret_cast<const char*>(values.data() + (begin - first) * columns), static_cast<std::size_t>((end - begin) * row_bytes));
  }
  const std::vector<std::string> received = processes.exchange(sent);
  auto points = std::make_shared<Matrix>(blocks.size(processes.rank()), columns);
  double* into = points->data();
  for (int p = 0; p < processes.count(); ++p) {
    const auto [begin, end] = shared_with(parts, p, blocks, processes.rank());
    const double* from = p == processes.rank() ? values.data() + (begin - first) * columns : nullptr;
    if (end > begin) std::memcpy(into, from ? reinterpret_cast<const char*>(from) : received[static_cast<std::size_t>(p)].data(), static_cast<std::size_t>((end - begin) * row_bytes));
    into += (end - begin) * columns;
  }
  return points;
}

// A separated text in parts; no blocks for a file that is not read so.
OwnRows load_parts(const Processes& processes, const std::vector<pipeline::BoundStage>& stages, const std::string& source, const io::LoadOptions& options, std::string& why,
                   const Context& context) {
  if (processes.count() == 1) return {};
  const io::PartReaders readers{processes.rank(), processes.count(), [&](const std::string& own) { return processes.all_texts(own); },
                                [&](const std::function<void()>& work) { processes.together(work); }};
  std::optional<pipeline::LoadedPart> part = pipeline::load_part_for(stages, source, options, readers, why, context);
  if (!part) return {};
  OwnRows result;
  result.loaded = std::move(part->loaded);
  result.blocks = even_blocks(result.loaded.reading.rows, processes.count());
  result.points = evened(processes, result.blocks, part->values, result.loaded.reading.features);
  processes.together([&] {
    if (processes.first()) result.loaded.hash = hash_of(source, context);
  });
  result.loaded.read += fmt::format(" in {} parts of the file", processes.count());
  return result;
}

OwnRows keep_block(const Processes& processes, Loaded&& loaded) {
  OwnRows result;
  const Data& data = loaded.data;
  result.blocks = even_blocks(data.rows(), processes.count());
  result.points = std::make_shared<const Matrix>(data.features->middleRows(result.blocks.first(processes.rank()), result.blocks.size(processes.rank())));
  result.loaded = std::move(loaded);
  return result;
}

// As pipeline::begin, for rows in blocks.
void check_numbers(const Processes& processes, const OwnRows& rows) {
  const Matrix& points = *rows.points;
  const std::int64_t first = rows.blocks.first(processes.rank());
  processes.together([&] {
    for (Eigen::Index i = 0; i < points.rows(); ++i)
      for (Eigen::Index j = 0; j < points.cols(); ++j)
        require(std::isfinite(points(i, j)), Fault::input, "[run] expected finite numbers, found {} in row {}, column {}", points(i, j), first + i + 1, j + 1);
  });
  const double most = processes.greatest(points.size() ? points.cwiseAbs().maxCoeff() : 0);
  require(most == 0 || (most > 0x1p-400 && most < 0x1p400), Fault::input,
          "[run] expected numbers of which some are larger than 1e-120 and all smaller than 1e120, found {:.3g} as the largest: give them in another unit", most);
}

}  // namespace

OwnRows load_rows(const Processes& processes, const std::vector<pipeline::BoundStage>& stages, const std::string& source, const io::LoadOptions& options, const Context& context) {
  io::NpyHeader header;
  std::string why;
  processes.together([&] {
    if (pipeline::wants_of(stages) == pipeline::Wants::nothing) header = header_of_blocks(source, options);
  });
  OwnRows result;
  if (processes.all(header.array.shape.empty())) result = load_parts(processes, stages, source, options, why, context);
  Loaded loaded;
  processes.together([&] {
    if (!header.array.shape.empty() || result.points) return;
    loaded = pipeline::load_for(stages, source, options, pipeline::As::automatic, context);
    if (!why.empty()) loaded.reading.notes.push_back(why);
    require(!loaded.data.sparse && !loaded.data.distances, Fault::usage, "[cluster] expected a table of points or a graph, found {} ({}). On one machine: calor run",
            loaded.data.sparse ? "sparse points" : "a table of distances", source);
  });
  const bool blocks = !header.array.shape.empty();
  const io::Reading& read = result.loaded.reading;
  const std::int64_t rows = blocks ? header.array.rows() : result.points ? read.rows : loaded.data.rows();
  const std::int64_t columns = blocks ? header.array.columns() : result.points ? read.features : loaded.data.columns();
  const std::vector<std::int64_t> all_rows = processes.each(rows), all_columns = processes.each(columns);
  for (int p = 0; p < processes.count(); ++p)
    require(all_rows[static_cast<std::size_t>(p)] == all_rows[0] && all_columns[static_cast<std::size_t>(p)] == all_columns[0], Fault::input,
            "[cluster] expected the same data in every process, found {} x {} in process {} and {} x {} in process 0: give a file that all machines see", all_rows[static_cast<std::size_t>(p)],
            all_columns[static_cast<std::size_t>(p)], p, all_rows[0], all_columns[0]);
  if (!result.points) result = blocks ? load_blocks(processes, header, source, context) : keep_block(processes, std::move(loaded));
  result.loaded.data.features = std::make_shared<const Matrix>(rows, 0);
  check_numbers(processes, result);
  require(rows > 0, Fault::input, "[run] expected at least one point, found none");
  return result;
}

}  // namespace calor::cluster
