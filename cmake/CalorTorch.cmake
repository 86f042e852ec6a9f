# libtorch from the pip wheel: paths come from the wheel itself, linked by path (find_package(Torch) would ask for a CUDA
# toolkit on a CUDA wheel).  Defines the interface target calor_libtorch.
execute_process(
  COMMAND "${CALOR_PYTHON}" -c [[
import torch
from torch.utils import cpp_extension as extension
print(torch.__version__)
print(';'.join(extension.include_paths()))
print(extension.library_paths()[0])
]]
  OUTPUT_VARIABLE torch_answer RESULT_VARIABLE torch_failed ERROR_VARIABLE torch_error
  OUTPUT_STRIP_TRAILING_WHITESPACE)
if(torch_failed)
  message(FATAL_ERROR "CALOR_TORCH is ON, but ${CALOR_PYTHON} cannot import torch. Run `make setup`, or name an "
                      "interpreter that has torch 2.13.0 with -DCALOR_PYTHON=..., or build the core with "
                      "-DCALOR_TORCH=OFF.\n${torch_error}")
endif()
string(REPLACE ";" "\\;" torch_answer "${torch_answer}")
string(REPLACE "\n" ";" torch_answer "${torch_answer}")
list(GET torch_answer 0 CALOR_TORCH_VERSION)
list(GET torch_answer 1 torch_includes)
list(GET torch_answer 2 CALOR_TORCH_LIBRARIES)
message(STATUS "torch ${CALOR_TORCH_VERSION} in ${CALOR_TORCH_LIBRARIES}")

add_library(calor_libtorch INTERFACE)
target_include_directories(calor_libtorch SYSTEM INTERFACE ${torch_includes})
# torch's include folder holds a newer fmt than the system's library: where its headers win, fmt is used from headers.  Without the
# second every file that names one operator would compile the declarations of all of them.
target_compile_definitions(calor_libtorch INTERFACE FMT_HEADER_ONLY AT_PER_OPERATOR_HEADERS)
target_link_libraries(calor_libtorch INTERFACE
  "${CALOR_TORCH_LIBRARIES}/libtorch.so" "${CALOR_TORCH_LIBRARIES}/libtorch_cpu.so" "${CALOR_TORCH_LIBRARIES}/libc10.so")
target_link_options(calor_libtorch INTERFACE "-Wl,-rpath,${CALOR_TORCH_LIBRARIES}" "-Wl,--no-as-needed")

calor_precompile(torch HEADERS ${CALOR_STD_HEADERS} ATen/core/Tensor.h ATen/core/grad_mode.h ATen/TensorOperators.h
  LINKS fmt::fmt OpenMP::OpenMP_CXX calor_libtorch)
