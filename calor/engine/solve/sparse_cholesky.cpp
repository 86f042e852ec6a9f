#include "calor/engine/solve/sparse_cholesky.h"

#include <Eigen/OrderingMethods>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "calor/kernels/isa.h"

namespace calor::engine {

namespace {

constexpr std::int32_t widest = 128;       // columns of a block: a product that deep stays in the first-level cache
constexpr std::int64_t tile_columns = 256;  // of a product before it is spread out: 128 x 256 doubles stay in the second-level cache

Sparse permute(const Sparse& a, const std::vector<std::int32_t>& position) {
  Eigen::PermutationMatrix<Eigen::Dynamic, Eigen::Dynamic, int> order(a.rows());
  std::copy(position.begin(), position.end(), order.indices().data());
  Sparse permuted;
  permuted = a.twistedBy(order);
  return permuted;
}

// The elimination tree: the row of the first entry below the diagonal in each column of L, -1 for a root (Liu 1990).
std::vector<std::int32_t> elimination_tree(const Sparse& a) {
  const auto n = static_cast<std::int32_t>(a.cols());
  std::vector<std::int32_t> parent(static_cast<std::size_t>(n), -1), ancestor(static_cast<std::size_t>(n), -1);
  for (std::int32_t column = 0; column < n; ++column)
    for (Sparse::InnerIterator entry(a, column); entry && entry.row() < column; ++entry)
      for (std::int32_t i = static_cast<std::int32_t>(entry.row()); i != -1 && i < column;) {
        const std::int32_t next = ancestor[i];
        ancestor[i] = column;
        if (next == -1) parent[i] = column;
        i = next;
      }
  return parent;
}

// The position of each node when children come before their parents and subtrees together.
std::vector<std::int32_t> postorder(const std::vector<std::int32_t>& parent) {
  const auto n = static_cast<std::int32_t>(parent.size());
  std::vector<std::int32_t> child(parent.size(), -1), sibling(parent.size(), -1), position(parent.size()), open;
  for (std::int32_t i = n - 1; i >= 0; --i)
    if (parent[i] >= 0) sibling[i] = std::exchange(child[parent[i]], i);
  std::int32_t next = 0;
  for (std::int32_t root = 0; root < n; ++root) {
    if (parent[root] >= 0) continue;
    open.push_back(root);
    while (!open.empty()) {
      const std::int32_t node = open.back();
      if (child[node] >= 0) {
        open.push_back(child[node]);
        child[node] = sibling[child[node]];
      } else {
        position[node] = next++;
        open.pop_back();
      }
    }
  }
  return position;
}

// Entries of each column of L, the diagonal with them: each row of L is a subtree of the elimination tree.
std::vector<std::int32_t> column_counts(const Sparse& a, const std::vector<std::int32_t>& parent) {
  const auto n = static_cast<std::int32_t>(a.cols());
  std::vector<std::int32_t> counts(parent.size(), 1), seen(parent.size(), -1);
  for (std::int32_t row = 0; row < n; ++row) {
    seen[row] = row;
    for (Sparse::InnerIterator entry(a, row); entry && entry.row() < row; ++entry)
      for (auto i = static_cast<std::int32_t>(entry.row()); seen[i] != row; i = parent[i]) {
        seen[i] = row;
        ++counts[i];
      }
  }
  return counts;
}

// Whether a block of so many columns may hold that share of zeros: products of wide blocks are worth some.
bool worth(std::int64_t width, double zeros, double entries) {
  return width <= 4 || zeros < (width <= 16 ? 0.8 : width <= 48 ? 0.1 : 0.05) * entries;
}

}  // namespace

SparseCholesky::SparseCholesky(const Sparse& a) : panel_(kernels::current_isa().products().double_panel_width) {
  const auto n = static_cast<std::size_t>(a.cols());
  position_.resize(n);
  Eigen::PermutationMatrix<Eigen::Dynamic, Eigen::Dynamic, int> order;
  Eigen::AMDOrdering<int>()(Sparse(a), order);
  for (std::size_t i = 0; i < n; ++i) position_[static_cast<std::size_t>(order.indices()[static_cast<Eigen::Index>(i)])] = static_cast<std::int32_t>(i);
  const std::vector<std::int32_t> after = postorder(elimination_tree(permute(a, position_)));
  for (std::int32_t& position : position_) position = after[position];
  const Sparse permuted = permute(a, position_);
  const std::vector<std::int32_t> parent = elimination_tree(permuted);
  find_blocks(permuted, parent, column_counts(permuted, parent));
  lay_out();
}

void SparseCholesky::find_blocks(const Sparse& permuted, const std::vector<std::int32_t>& parent, const std::vector<std::int32_t>& counts) {
  const auto n = static_cast<std::int32_t>(parent.size());
  struct Range {
    std::int32_t first, end;
    double zeros;
  };
  // Columns whose structure is that of the column before it without its diagonal join it; then a block joins the one after it,
  // which holds its parent, where that adds few zeros.
  std::vector<Range> ranges;
  const auto entries = [&](std::int64_t width, std::int64_t height) { return 0.5 * static_cast<double>(width * (2 * height - width + 1)); };
  for (std::int32_t begin = 0, end; begin < n; begin = end) {
    for (end = begin + 1; end < n && parent[end - 1] == end && counts[end - 1] == counts[end] + 1;) ++end;
    Range range{begin, end, 0};
    while (!ranges.empty()) {
      const Range& before = ranges.back();
      if (parent[range.first - 1] < range.first || parent[range.first - 1] >= range.end) break;
      const std::int64_t width = range.end - range.first, wide = range.end - before.first;
      const std::int64_t below = counts[range.end - 1] - 1, below_before = counts[before.end - 1] - 1;
      const double joint = entries(wide, wide + below);
      const double zeros = range.zeros + before.zeros + static_cast<double>((before.end - before.first) * (width + below - below_before));
      if (!worth(wide, zeros, joint)) break;
      range = {before.first, range.end, zeros};
      ranges.pop_back();
    }
    ranges.push_back(range);
  }
  // The rows of each: those of A and those of its children.
  std::vector<std::int32_t> range_of(parent.size());
  for (std::size_t r = 0; r < ranges.size(); ++r) std::fill(range_of.begin() + ranges[r].first, range_of.begin() + ranges[r].end, static_cast<std::int32_t>(r));
  std::vector<std::vector<std::int32_t>> rows(ranges.size());
  std::vector<std::int32_t> seen(parent.size(), -1);
  std::vector<std::vector<std::int32_t>> children(ranges.size());
  block_of_.resize(parent.size());
  for (std::size_t r = 0; r < ranges.size(); ++r) {
    const auto [first, end, zeros] = ranges[r];
    const auto add = [&](std::int32_t row) {
      if (row < end || seen[row] == static_cast<std::int32_t>(r)) return;
      seen[row] = static_cast<std::int32_t>(r);
      rows[r].push_back(row);
    };
    for (std::int32_t column = first; column < end; ++column)
      for (Sparse::InnerIterator entry(permuted, column); entry; ++entry) add(static_cast<std::int32_t>(entry.row()));
    for (const std::int32_t child : children[r])
      for (const std::int32_t row : rows[child]) add(row);
    std::sort(rows[r].begin(), rows[r].end());
    if (!rows[r].empty()) children[range_of[rows[r][0]]].push_back(static_cast<std::int32_t>(r));
  }
  for (std::size_t r = 0; r < ranges.size(); ++r) {
    // In pieces of at most `widest` columns; the columns of later pieces are rows of earlier ones.
    const std::int32_t width = ranges[r].end - ranges[r].first, pieces = (width + widest - 1) / widest;
    for (std::int32_t p = 0; p < pieces; ++p) {
      Block block;
      block.first = ranges[r].first + p * width / pieces;
      block.width = ranges[r].first + (p + 1) * width / pieces - block.first;
      block.below.resize(static_cast<std::size_t>(ranges[r].end - block.first - block.width));
      std::iota(block.below.begin(), block.below.end(), block.first + block.width);
      block.below.insert(block.below.end(), rows[r].begin(), rows[r].end());
      std::fill_n(block_of_.begin() + block.first, block.width, static_cast<std::int32_t>(blocks_.size()));
      blocks_.push_back(std::move(block));
    }
  }
}

void SparseCholesky::lay_out() {
  for (Block& block : blocks_) {
    block.begin = stored_;
    stored_ += (block.height() + panel_ - 1) / panel_ * panel_ * block.width;
    structure_bytes_ += sizeof(Block) + block.below.size() * sizeof(std::int32_t);
    for (std::int64_t c = 0; c < block.width; ++c) operations_ += 0.5 * static_cast<double>((block.height() - c) * (block.height() - c));
  }
}

bool SparseCholesky::factorise(const Sparse& a, const Context& context) {
  memory_.clear();
  numbers_ = memory_.take<double>(stored_);
  std::fill_n(numbers_, stored_, 0.0);
  const Sparse permuted = permute(a, position_);
  std::vector<std::int64_t> place(position_.size()), offsets;
  // The blocks that wait for each block's columns, as linked lists, and the row of each from which on they wait.
  std::vector<std::int32_t> waiting(blocks_.size(), -1), next(blocks_.size(), -1);
  std::vector<std::int64_t> row(blocks_.size());
  const kernels::WorkspaceScope scratch(kernels::WorkspaceScope::Use::problem);
  double* tile = scratch->take<double>(widest * tile_columns);
  double done = 0;
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    context.check_stop("eigen");
    Block& block = blocks_[b];
    for (std::int32_t c = 0; c < block.width; ++c) place[block.first + c] = c;
    for (std::size_t r = 0; r < block.below.size(); ++r) place[block.below[r]] = block.width + static_cast<std::int64_t>(r);
    double* own = numbers_ + block.begin;
    for (std::int32_t c = 0; c < block.width; ++c)
      for (Sparse::InnerIterator entry(permuted, block.first + c); entry; ++entry)
        if (entry.row() >= block.first + c) {
          const std::int64_t at = place[entry.row()];
          own[at / panel_ * panel_ * block.width + c * panel_ + at % panel_] = entry.value();
        }
    const auto wait = [&](std::int32_t from) {
      const Block& other = blocks_[from];
      if (row[from] == other.height()) return;
      const std::int32_t at = block_of_[other.below[row[from] - other.width]];
      next[from] = std::exchange(waiting[at], from);
    };
    for (std::int32_t from = waiting[b], following; from != -1; from = following) {
      following = next[from];
      const Block& other = blocks_[from];
      std::int64_t end = row[from];
      while (end < other.height() && other.below[end - other.width] < block.first + block.width) ++end;
      subtract(other, row[from], end, block, place, tile, offsets);
      row[from] = end;
      wait(from);
    }
    if (!factorise_block(block, tile)) return false;
    row[b] = block.width;
    wait(static_cast<std::int32_t>(b));
    for (std::int64_t c = 0; c < block.width; ++c) done += 0.5 * static_cast<double>((block.height() - c) * (block.height() - c));
    context.advance(done, operations_, "factorising");
  }
  return true;
}

// to -= L_from L_from', the columns being the rows row .. end of `from`, the rows all from `row` on.
void SparseCholesky::subtract(const Block& from, std::int64_t row, std::int64_t end, const Block& to, const std::vector<std::int64_t>& place,
                              double* tile, std::vector<std::int64_t>& offsets) {
  const auto product = kernels::current_isa().products().double_products;
  const double* numbers = numbers_ + from.begin;
  const std::int64_t depth = from.width, height = from.height(), first = row / panel_ * panel_;
  offsets.resize(static_cast<std::size_t>(height - row));
  for (std::int64_t r = row; r < height; ++r) {
    const std::int64_t at = place[from.below[r - depth]];
    offsets[r - row] = at / panel_ * panel_ * to.width + at % panel_;
  }
  for (std::int64_t begin = first; begin < height; begin += tile_columns) {
    const std::int64_t count = std::min(tile_columns, height - begin);
    for (std::int64_t a = row; a < end;) {
      // The rows a .. of one panel by the columns begin .. of the tile.
      const std::int64_t rows = std::min(end, (a / panel_ + 1) * panel_) - a;
      product(numbers + a / panel_ * panel_ * depth + a % panel_, rows, numbers + begin * depth, (count + panel_ - 1) / panel_, depth, tile,
              tile_columns);
      for (std::int64_t r = 0; r < rows; ++r) {
        double* column = numbers_ + to.begin + place[from.below[a + r - depth]] * panel_;
        for (std::int64_t c = std::max(row, begin); c < begin + count; ++c) column[offsets[c - row]] -= tile[r * tile_columns + c - begin];
      }
      a += rows;
    }
  }
}

// Panel by panel: columns before a group of panel_ columns by one product, those within it one after the other.
bool SparseCholesky::factorise_block(Block& block, double* tile) {
  const auto product = kernels::current_isa().products().double_products;
  double* numbers = numbers_ + block.begin;
  const std::int64_t width = block.width, size = panel_ * width;
  for (std::int64_t row = 0; row < block.height(); row += panel_) {
    double* panel = numbers + row * width;
    const std::int64_t columns = std::min(width, row + panel_);
    for (std::int64_t group = 0; group < columns; group += panel_) {
      const double* left = numbers + group / panel_ * size;  // the panel of rows group ..
      const std::int64_t count = std::min(panel_, columns - group);
      if (group > 0) {
        product(left, count, panel, 1, group, tile, panel_);
        for (std::int64_t k = 0; k < count * panel_; ++k) panel[group * panel_ + k] -= tile[k];
      }
      for (std::int64_t c = group; c < group + count; ++c) {
        double* x = panel + c * panel_;
        for (std::int64_t l = group; l < c; ++l) {
          const double factor = left[l * panel_ + c - group];
          for (std::int64_t lane = 0; lane < panel_; ++lane) x[lane] -= factor * panel[l * panel_ + lane];
        }
        if (group == row) {
          if (!(x[c - group] > 0)) return false;
          const double root = std::sqrt(x[c - group]);
          for (std::int64_t lane = 0; lane < panel_; ++lane) x[lane] /= root;
          x[c - group] = root;
        } else {
          const double pivot = left[c * panel_ + c - group];
          for (std::int64_t lane = 0; lane < panel_; ++lane) x[lane] /= pivot;
        }
      }
    }
  }
  return true;
}

// L L' x = x, in the order of L.
template <int panel>
void SparseCholesky::solve_in_order(Vector& x) const {
  std::array<double, panel> part;
  for (const Block& block : blocks_) {
    double* own = x.data() + block.first;
    for (std::int64_t row = 0; row < block.height(); row += panel) {
      const double* numbers = numbers_ + block.begin + row * block.width;
      const std::int64_t columns = std::min<std::int64_t>(block.width, row), rows = std::min<std::int64_t>(panel, block.height() - row);
      part.fill(0);
      for (std::int64_t c = 0; c < columns; ++c)
        for (int lane = 0; lane < panel; ++lane) part[lane] += numbers[c * panel + lane] * own[c];
      for (std::int64_t c = columns; c < std::min<std::int64_t>(block.width, row + panel); ++c) {
        own[c] = (own[c] - part[c - row]) / numbers[c * panel + c - row];
        for (std::int64_t lane = c - row + 1; lane < panel; ++lane) part[lane] += numbers[c * panel + lane] * own[c];
      }
      for (std::int64_t lane = std::max<std::int64_t>(0, block.width - row); lane < rows; ++lane)
        x[block.below[row + lane - block.width]] -= part[lane];
    }
  }
  std::array<double, widest * panel> sums;  // of each column, lane by lane
  for (std::size_t n = blocks_.size(); n-- > 0;) {
    const Block& block = blocks_[n];
    double* own = x.data() + block.first;
    std::fill_n(sums.begin(), block.width * panel, 0.0);
    for (std::int64_t row = (block.height() - 1) / panel * panel; row >= 0; row -= panel) {
      const double* numbers = numbers_ + block.begin + row * block.width;
      const std::int64_t rows = std::min<std::int64_t>(panel, block.height() - row);
      part.fill(0);
      for (std::int64_t lane = std::max<std::int64_t>(0, block.width - row); lane < rows; ++lane)
        part[lane] = x[block.below[row + lane - block.width]];
      for (std::int64_t c = std::min<std::int64_t>(block.width, row + panel) - 1; c >= row; --c) {
        double sum = 0;
        for (int lane = 0; lane < panel; ++lane) sum += sums[c * panel + lane];
        for (std::int64_t lane = c - row + 1; lane < panel; ++lane) sum += numbers[c * panel + lane] * part[lane];
        part[c - row] = own[c] = (own[c] - sum) / numbers[c * panel + c - row];
      }
      for (std::int64_t c = 0; c < std::min<std::int64_t>(block.width, row); ++c)
        for (int lane = 0; lane < panel; ++lane) sums[c * panel + lane] += numbers[c * panel + lane] * part[lane];
    }
  }
}

Vector SparseCholesky::solve(const Vector& b) const {
  Vector x(b.size());
  for (Eigen::Index i = 0; i < b.size(); ++i) x[position_[i]] = b[i];
  if (panel_ == 16) solve_in_order<16>(x);
  else if (panel_ == 8) solve_in_order<8>(x);
  else solve_in_order<4>(x);
  Vector result(b.size());
  for (Eigen::Index i = 0; i < b.size(); ++i) result[i] = x[position_[i]];
  return result;
}

}  // namespace calor::engine
