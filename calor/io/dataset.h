// A labelled data set: what every file format and bundled name becomes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "calor/core/progress.h"

namespace calor::io {

// Rows are points.  Values are finite (checked on load); labels, where there are any, index `classes`.
struct Dataset {
  std::string name;                   // "digits", or the file's name without folder and suffix
  std::string source;                 // the path or bundled name it came from
  std::string hash;                   // SHA-256 of the file as stored, hex; of a pair: of its two hex hashes joined
  std::int64_t rows = 0, columns = 0;
  std::vector<double> values;         // rows x columns, row-major
  bool floats = false;                // the source itself holds floats of at most 32 bits
  std::vector<std::string> features;  // one name a column: the header's, else "x1".."xN" by position in the file
  std::string label;                  // the label column's name; "" without labels
  std::vector<std::int64_t> labels;   // one a row, -1 where it is missing (LoadOptions::partly_labelled); or empty
  std::vector<std::string> classes;   // sorted: numbers by value, texts by bytes
  std::vector<std::string> row_names; // one a row, or empty
  std::string row_names_column;       // the column that they came from; "" where it has no header
  const double* row(std::int64_t i) const { return values.data() + i * columns; }
  bool labelled() const { return !labels.empty(); }
};

struct LoadOptions {
  // Label column: a name, or a position counted from 1 (negative: from the end).  Unset: a column named "label",
  // "class", "target" or "y" (any case), else the last one.
  std::optional<std::string> label;
  bool labelled = true;               // false: every column is a feature
  bool partly_labelled = false;       // a label may be missing (empty, "?", "NA", ...), but not all; false: it is an error
  bool measured = false;              // labels are measured values, which may all be different
  bool label_must_exist = false;      // beside a saved model's features, where labels are optional unless they were asked for
  // Class names a saved model knows: labels are indexed in this order, and an unknown one is an error.
  std::vector<std::string> classes;
  // Feature names a saved model knows.  A file with a header gives these columns by name, in this order, whatever their
  // order there; other columns are ignored.  Without names (or with "x1".."xN", where the header has none of these) the count decides:
  // as many columns, or one more, which is the label.  Either way labels are then optional: data without them loads unlabelled.
  std::vector<std::string> features;
};

// Loads a bundled name ("./name" for a file of that name), a file, or "-" for standard input.  The content decides the
// format: csv (separated by comma, semicolon, tab or blanks; header found by itself), libsvm's sparse
// text (libsvm.h), npy, npz, idx, and each of them gzipped.  For idx, give the images file; the labels file is found beside it ("images-idx3" -> "labels-idx1").  A
// labels file of its own is named after a comma ("images.gz,labels.gz"), for any format.  For npz: arrays X/x/data and
// y/labels/target, or the array that the label option names.  A bare npy has no labels unless the label option names a
// column or a labels file is given.  Arrays of more than two dimensions are flattened to rows.
// In csv a first column called name, id, index or row (any case) or nothing, else the first column of texts that are all different,
// names the rows and is no feature; not where it is the label or a feature of a saved model.
// Throws Fault::input with file, line (or row) and column, and a remedy; Fault::memory when the estimate is over the
// limit.
Dataset load_dataset(const std::string& source, const LoadOptions& options, const Context& context);

// The bundled sets, for `calor data`.
struct BundledSet {
  std::string name, summary, origin, licence;
  std::int64_t rows, columns, classes;
};
const std::vector<BundledSet>& bundled_sets();

// Two interleaved half circles of radius 1, (cos t, sin t) and (1 - cos t, 1/2 - sin t) with t equally spaced in
// [0, pi], under normal noise of the given deviation in each coordinate; `rows` points, labels 0 and 1 in turn.  The
// bundled "moons" is two_moons(500, 0.2, seed 0).  Throws Fault::usage for fewer than two rows or a negative noise.
Dataset two_moons(std::int64_t rows, double noise, std::uint64_t seed);

}  // namespace calor::io
