// A data set: what every file format and bundled name becomes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/io/coding.h"
#include "calor/io/dialect.h"
#include "calor/io/sparse.h"

namespace calor::io {

// What is done about feature values that are missing (missing.h).
enum class Missing { refuse, drop, mean, neighbours };

// What was read and what was guessed, for the line that says so.
struct Reading {
  std::string format;                 // "csv", "npy", "libsvm", ...
  std::optional<bool> header;         // nothing where the format has none
  std::string delimiter, decimal, encoding;  // in words; "" where the format has none
  std::int64_t comments = 0;          // lines left out
  std::int64_t rows = 0, features = 0;      // of a graph: nodes and 0
  std::optional<std::int64_t> edges;        // of a graph
  std::optional<std::string> label, names;  // the columns; "" for one without a name
  std::int64_t classes = 0, missing = 0, constant = 0;  // different labels, values that are missing, columns of one value
  std::vector<std::string> left_out;  // columns
  std::vector<std::string> notes;     // doubts, and what was done about them
};

// Rows are points.  Values are finite unless LoadOptions::missing keeps what is missing (NaN); labels, where there are any, index `classes`.
struct Dataset {
  std::string name;                   // "digits", or the file's name without folder and suffix
  std::string source;                 // the path or bundled name it came from
  std::string hash;                   // SHA-256 of the file as stored, hex; of a pair: of its two hex hashes joined
  std::int64_t rows = 0, columns = 0;
  std::vector<double> values;         // rows x columns, row-major; empty where `sparse` is set
  std::shared_ptr<const SparseMatrix> sparse;  // instead of values (LoadOptions::sparse); else null
  bool floats = false;                // the source itself holds floats of at most 32 bits
  std::vector<std::string> features;  // one name per column: the header's, else "x1".."xN" by position in the file
  Coding coding;                      // how columns of the file became features
  std::string label;                  // the label column's name; "" without labels
  std::vector<std::int64_t> labels;   // one per row, -1 where it is missing (LoadOptions::partly_labelled); or empty
  std::vector<std::string> classes;   // sorted: numbers by value, texts by bytes
  bool measured = false;              // labels are measured values (LoadOptions::measured)
  std::vector<std::string> row_names; // one per row, or empty
  std::string row_names_column;       // the column that they came from; "" where it has no header
  std::vector<std::string> kept;      // the texts of LoadOptions::kept, one per row; empty where there is no such column
  std::int64_t missing = 0;           // values that are NaN
  std::optional<std::int64_t> constant;  // columns of one value alone, where `values` are not here (text_part.h)
  Missing fill_by = Missing::refuse;  // what is to be done about them
  Reading reading;
  const double* row(std::int64_t i) const { return values.data() + i * columns; }
  bool labelled() const { return !labels.empty(); }
};

// Where a label comes from when nobody says.
enum class LabelUse {
  expected,  // it is predicted: a column named label, class, target or y (any case), else the only text column, else the last one
  shown,     // it is only looked at: the only text column
  none,      // every column is a feature
};

struct LoadOptions {
  TextOptions text;                   // delimiter, header, decimal mark, encoding
  std::optional<std::string> label;   // a name, or a position counted from 1 (negative: from the end); "none": no label
  std::optional<std::string> names;   // the column that names the rows, likewise; "none": no column does
  std::vector<std::string> select;    // features: these columns alone, or all but those that begin with "!"
  std::vector<std::string> one_hot;   // categorical columns to one-hot encode; "auto": all text columns
  std::string kept;                   // a column of this name, in small letters, is no feature, label or name, and kept as texts; "": none
  Missing missing = Missing::refuse;  // else features may be missing (NaN) in what is loaded, for settle_missing or whoever splits the rows
  bool sparse = false;                // sparse sources may stay sparse
  std::string layer, obsm;            // of an h5ad file: the layer or the matrix of obsm that is read instead of X
  LabelUse labels = LabelUse::expected;
  bool partly_labelled = false;       // a label may be missing (empty, "?", "NA", ...), but not all; false: it is an error
  bool measured = false;              // labels are measured values, which may all be different
  bool label_must_exist = false;      // beside a saved model's features, where labels are optional unless they were asked for
  // Class names a saved model knows: labels are indexed in this order, and an unknown one is an error.
  std::vector<std::string> classes;
  // The columns a saved model knows, and how they become features.  A file with a header gives these columns by name, in this order, whatever
  // their order there; other columns are left out.  Without names (or with "x1".."xN", where the header has none of these) the count
  // decides: as many columns, or one more, which is the label.  Either way labels are then optional: data without them loads unlabelled.
  Coding coding;
  bool known() const { return !coding.columns.empty(); }
};

// Loads a bundled name ("./name" for a file of that name), a file, or "-" for standard input.  The content decides the format: separated
// text (csv, tsv, ..., dialect.h), libsvm's sparse text, Matrix Market, npy, npz (numpy's or scipy.sparse's), idx, h5ad and 10x h5, and each
// but the last two gzipped.  For idx, give the images file; the labels file is found beside it ("images-idx3" -> "labels-idx1").  A labels
// file of its own is named after a comma ("images.gz,labels.gz"), for any format.  For npz: arrays X/x/data and y/labels/target, or the
// array that the label option names.  A bare npy has no labels unless the label option names a column or a labels file is given.  Arrays
// of more than two dimensions are flattened to rows.
// Throws Fault::input with file, line (or row) and column, and a remedy; Fault::memory when the estimate is over the limit.
Dataset load_dataset(const std::string& source, const LoadOptions& options, const Context& context);

// The file or name of the data in "data,labels"; else the whole.  And what a data set is called that comes from a file.
std::string data_part(const std::string& source);
std::string short_name(const std::string& path);

// The reading of a data set with its counts and columns, as they are now.
Reading full_reading(const Dataset& data);

// "read 1,797 rows x 64 features (label \"digit\", 10 classes; no names; header yes; comma; 3 columns constant)".
std::string reading_line(const Dataset& data);

// The number of columns that have one value alone.
std::int64_t constant_columns(const Dataset& data);

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
