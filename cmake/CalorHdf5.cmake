# libhdf5 (C).  Sets CALOR_HDF5_FOUND, CALOR_HDF5_INCLUDES and CALOR_HDF5_LIBRARIES, by path, so that a project which
# finds an installed Calor need not look for it.
#
# Debian's shared libhdf5 loads libcurl and thirty others at every start of a program, for drivers of remote files, which
# takes longer than the program's own start.  The static one leaves out what is not called; it is taken where it links.
find_package(HDF5 COMPONENTS C)
set(CALOR_HDF5_FOUND ${HDF5_FOUND})
if(NOT HDF5_FOUND)
  message(STATUS "libhdf5 is missing (Debian: libhdf5-dev): .h5ad and .h5 files will be refused")
  return()
endif()
set(CALOR_HDF5_INCLUDES ${HDF5_C_INCLUDE_DIRS})
set(CALOR_HDF5_LIBRARIES ${HDF5_C_LIBRARIES})

set(static_libraries)
foreach(library IN LISTS HDF5_C_LIBRARIES)
  if(library MATCHES "/libhdf5[^/]*\\.so$")
    string(REGEX REPLACE "\\.so$" ".a" library "${library}")
  endif()
  if(NOT library MATCHES "/lib(curl|crypto|ssl)\\.")
    list(APPEND static_libraries "${library}")
  endif()
endforeach()
include(CheckCSourceCompiles)
set(CMAKE_REQUIRED_INCLUDES ${CALOR_HDF5_INCLUDES})
set(CMAKE_REQUIRED_LIBRARIES ${static_libraries})
check_c_source_compiles("#include <hdf5.h>
int main(void) { return H5Fopen(\"\", H5F_ACC_RDONLY, H5P_DEFAULT) < 0 && H5Pset_fapl_core(0, 0, 0) < 0; }" CALOR_HDF5_STATIC)
unset(CMAKE_REQUIRED_INCLUDES)
unset(CMAKE_REQUIRED_LIBRARIES)
if(CALOR_HDF5_STATIC)
  set(CALOR_HDF5_LIBRARIES ${static_libraries})
endif()
