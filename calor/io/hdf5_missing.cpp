// The reader of HDF5 where Calor was built without libhdf5.
#include "calor/core/error.h"
#include "calor/io/hdf5.h"

namespace calor::io {

AnnotatedMatrix read_hdf5(const std::string& path, const Hdf5Options&, const Context&) {
  fail(Fault::input,
       "[h5] expected a format that this build reads, found HDF5 ({}): build Calor where libhdf5 is installed (Debian: libhdf5-dev), "
       "or save the matrix with scipy.sparse.save_npz or numpy.save",
       path);
}

AnnotatedMatrix parse_hdf5(std::string_view, const std::string& place, const Hdf5Options& options, const Context& context) {
  return read_hdf5(place, options, context);
}

}  // namespace calor::io
