// The idx format of MNIST: two zero bytes, a type code, the number of dimensions, the dimensions and the data, all
// big-endian.  http://yann.lecun.com/exdb/mnist (section "The IDX file format")
#pragma once

#include <string>
#include <string_view>

#include "calor/io/array.h"

namespace calor::io {

bool is_idx(std::string_view bytes);

// A view into `bytes`.  Throws Fault::input, naming `place`, for a truncated file or dimensions it cannot hold.
Array parse_idx(std::string_view bytes, const std::string& place);

// The name that the labels of an images file have by custom: "train-images-idx3-ubyte.gz" ->
// "train-labels-idx1-ubyte.gz"; "" when the name does not follow it.
std::string labels_name(const std::string& images_path);

}  // namespace calor::io
