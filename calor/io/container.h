// What is in a file that is no separated text: arrays, archives of arrays, sparse matrices.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "calor/io/dataset.h"
#include "calor/io/table_data.h"

namespace calor::io {

// A file as read: its bytes, unpacked where they were gzipped, and the hash of what is stored.
struct File {
  std::string path, bytes, hash;
};

// Whether bytes begin as a format that parse_container reads.
bool is_container(std::string_view bytes);

// A data set from npy, npz or idx.  `beside`: labels from a file of their own.
Dataset parse_container(const File& file, const LoadOptions& options, const std::optional<LabelsBeside>& beside, const Context& context);

// Labels from such a file that holds nothing else.
LabelTexts labels_of_container(const File& file);

// A data set of sparse rows, which stay sparse only if the options let them; else made dense, asked of the limit.
Dataset data_of_sparse(SparseMatrix&& matrix, std::vector<std::string> features, const std::optional<LabelsBeside>& beside, const LoadOptions& options, const std::string& place,
                       const Context& context);

}  // namespace calor::io
