// The two drivers: a record's pairs go through a reducer, all pairs tile by tile, a support row by row.  Memory is what the reducer holds,
// a tile per thread, and O((rows + columns) d) for the points; time is O(rows columns d) or O(edges d).  Pieces are fixed by the problem, so
// results have the same bits for any number of threads.
//
// A reducer says what it reads and holds the state of some rows:
//
//   static constexpr Reads reads;                                  what the numbers of a block are
//   static constexpr Span span;                                    which columns a row needs, and how many at once
//   typename Rows;  Rows begin(first row, rows) const;             one at a time for each piece of rows, from several threads
//   void add(Rows&, const Block&);                                 blocks of the same rows, in order of their columns
//   void end(Rows&, first row, rows);                              what the rows came to
//
// Several threads call them, each for rows of its own.  The list is closed: reducers.h, and key_densities.cpp and left_out_rows.cpp for what leaves one out.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "calor/core/error.h"
#include "calor/core/progress.h"
#include "calor/core/threads.h"
#include "calor/engine/record.h"
#include "calor/engine/values.h"

namespace calor::engine {

// scores: before strengthening.  logs: score / scale + factors of an exponential record.  values: factors included.
enum class Reads { scores, logs, values };

// tiles: all columns, some hundred at once.  lower: the columns up to the last row's own.  whole_rows: all columns at once, of few rows.
enum class Span { tiles, lower, whole_rows };

// Numbers of pairs: a tile, or the edges of one row.
struct Block {
  std::int64_t first_row = 0, first_column = 0;
  const std::int32_t* columns = nullptr;  // of the edges, ascending; null: first_column and those after it
  Matrix& numbers;                        // rows x columns of the block, for the reducer to change
  std::int64_t column(Eigen::Index b) const { return columns ? columns[b] : first_column + b; }
};

// Tiles begin at multiples of these.  128 x 512 doubles (512 KiB) stay in the second-level cache beside the points that they are made of.
inline constexpr std::int64_t tile_rows = 128, tile_columns = 512;

// Runs piece(first row, rows) over all rows, from several threads, with progress and interruption.
template <class Piece>
void over_rows(std::int64_t rows, std::int64_t at_once, const Context& context, const char* what, const Piece& piece) {
  const std::int64_t pieces = (rows + at_once - 1) / at_once;
  std::atomic<std::int64_t> done{0};
  parallel_for(pieces, context.threads, [&](std::int64_t p) {
    context.check_stop(what);
    piece(p * at_once, std::min(at_once, rows - p * at_once));
    context.advance(static_cast<double>(++done), static_cast<double>(pieces), what);
  });
}

// `ready`: of the same columns, made before (values.h), or null.
template <class Reducer>
Reducer& reduce_tiles(const Similarity& similarity, Reducer& reducer, const Context& context, const char* what, const TileScores* ready = nullptr) {
  constexpr std::int64_t few_rows = 16;
  constexpr bool whole = Reducer::span == Span::whole_rows;
  const TileScores tiles = ready ? TileScores(similarity, *ready) : TileScores(similarity);
  over_rows(similarity.rows, whole ? few_rows : tile_rows, context, what, [&](std::int64_t first, std::int64_t rows) {
    auto state = reducer.begin(first, rows);
    Matrix tile;
    const std::int64_t end = Reducer::span == Span::lower ? first + rows : similarity.columns, at_once = whole ? end : tile_columns;
    for (std::int64_t column = 0; column < end; column += at_once) {
      const std::int64_t columns = std::min(at_once, end - column);
      if constexpr (Reducer::reads == Reads::scores) tiles.scores(first, rows, column, columns, tile);
      else if constexpr (Reducer::reads == Reads::logs) tiles.logs(first, rows, column, columns, tile);
      else tiles.values(first, rows, column, columns, tile);
      reducer.add(state, Block{first, column, nullptr, tile});
    }
    reducer.end(state, first, rows);
  });
  return reducer;
}

template <class Reducer>
Reducer& reduce_edges(const Similarity& similarity, Reducer& reducer, const Context& context, const char* what) {
  constexpr std::int64_t edge_rows = 512;
  require(Reducer::reads == Reads::scores || !similarity.rows_deferred, Fault::internal, "[{}] expected settled row sums, found deferred ones", what);
  const Csr& support = *similarity.support;
  require(!support.near || static_cast<std::int64_t>(support.near->size()) == similarity.rows, Fault::internal, "[{}] expected an order of {} rows, found one of {}", what,
          similarity.rows, support.near ? support.near->size() : 0);
  over_rows(similarity.rows, edge_rows, context, what, [&](std::int64_t first, std::int64_t rows) {
    Matrix numbers;
    for (std::int64_t place = first; place < first + rows; ++place) {
      const std::int64_t i = support.near ? (*support.near)[static_cast<std::size_t>(place)] : place;
      auto state = reducer.begin(i, 1);
      numbers.resize(1, support.begin[i + 1] - support.begin[i]);
      if constexpr (Reducer::reads == Reads::scores) edge_scores(similarity, i, numbers.data());
      else if constexpr (Reducer::reads == Reads::logs) edge_logs(similarity, i, numbers.data());
      else edge_values(similarity, i, numbers.data());
      reducer.add(state, Block{i, 0, support.column.data() + support.begin[i], numbers});
      reducer.end(state, i, 1);
    }
  });
  return reducer;
}

// The record through the reducer; its row sums must not be deferred (settle of passes.h).
template <class Reducer>
Reducer& reduce(const Similarity& similarity, Reducer& reducer, const Context& context, const char* what) {
  return similarity.all_pairs() ? reduce_tiles(similarity, reducer, context, what) : reduce_edges(similarity, reducer, context, what);
}

}  // namespace calor::engine
