# cmake -DBUILD= -DSOURCE= -DSCRATCH= -DCOMPILER= [-DSANITIZE=] -P check.cmake
function(step)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE failed OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(failed)
    message(FATAL_ERROR "failed: ${ARGN}\n${output}")
  endif()
endfunction()

file(REMOVE_RECURSE "${SCRATCH}")
step("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${SCRATCH}/prefix")
step("${CMAKE_COMMAND}" -S "${SOURCE}" -B "${SCRATCH}/build" "-DCMAKE_PREFIX_PATH=${SCRATCH}/prefix"
     "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DSANITIZE=${SANITIZE}")
step("${CMAKE_COMMAND}" --build "${SCRATCH}/build")
step("${SCRATCH}/build/consumer")
step("${SCRATCH}/build/pipelines")
step("${SCRATCH}/prefix/bin/calor" --version)
step("${SCRATCH}/prefix/bin/calor" train --help)  # of the program that it becomes
