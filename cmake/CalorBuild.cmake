# Settings and helpers shared by every room.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

# Paths relative to the checkout, so that every clone shares one compiler cache; files with precompiled headers are cached too; what a
# file includes is taken from the compiler (-MD), where the cache would else preprocess every new file once more.
find_program(CALOR_CCACHE ccache)
if(CALOR_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER env "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1
      CCACHE_SLOPPINESS=pch_defines,time_macros "${CALOR_CCACHE}")
endif()

find_package(fmt REQUIRED)
find_package(Eigen3 3.3 REQUIRED NO_MODULE)
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(nlohmann_json REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Threads REQUIRED)

if(CALOR_SANITIZE)
  add_compile_options(-fsanitize=${CALOR_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${CALOR_SANITIZE})
  if(CALOR_SANITIZE MATCHES "undefined")  # two thirds of the compiler's time, for what the address sanitizer meets too, or x86-64 allows
    add_compile_options(-fno-sanitize=null,alignment,vptr,object-size)
  endif()
  # Instrumented code makes gcc see uninitialised values where there are none (its manual says so).
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-maybe-uninitialized)
  endif()
endif()

# calor_precompile(NAME HEADERS ... LINKS ...): headers that calor_use_precompiled(TARGET NAME) gives to targets of the same flags.
# The sources include what they use all the same: the thread sanitizer's preset precompiles nothing.
function(calor_precompile name)
  cmake_parse_arguments(PCH "" "" "HEADERS;LINKS;OPTIONS" ${ARGN})
  if(NOT CALOR_QUICK_BUILD)
    return()
  endif()
  file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/precompiled/${name}.cpp" CONTENT "")
  add_library(calor_precompiled_${name} OBJECT "${PROJECT_BINARY_DIR}/precompiled/${name}.cpp")
  target_link_libraries(calor_precompiled_${name} PRIVATE ${PCH_LINKS})
  target_compile_options(calor_precompiled_${name} PRIVATE ${PCH_OPTIONS})
  list(TRANSFORM PCH_HEADERS REPLACE "^(.+)$" "<\\1>")
  target_precompile_headers(calor_precompiled_${name} PRIVATE ${PCH_HEADERS})
endfunction()

function(calor_use_precompiled target name)
  if(CALOR_QUICK_BUILD)
    target_precompile_headers(${target} REUSE_FROM calor_precompiled_${name})
  endif()
endfunction()

# calor_reads_headers(SOURCES...): without precompiled headers, where g++ 12 doubts std::string's own code, which it does not when it reads it.
function(calor_reads_headers)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
endfunction()

# calor_together(VARIABLE SOURCES...): sources that are compiled as one, in the list VARIABLE.  (CMake's UNITY_BUILD names them by their
# full paths, which no other clone's compiler cache knows.)
function(calor_together variable)
  set(together ${ARGN})
  if(CALOR_QUICK_BUILD)
    file(RELATIVE_PATH folder "${PROJECT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}")
    list(TRANSFORM together REPLACE "^(.+)$" "#include \"${folder}/\\1\"\n")
    list(JOIN together "" includes)
    set(together "${CMAKE_CURRENT_BINARY_DIR}/together/${variable}.cpp")
    file(CONFIGURE OUTPUT "${together}" CONTENT "${includes}" @ONLY)
  endif()
  set(${variable} ${together} PARENT_SCOPE)
endfunction()

set(CALOR_STD_HEADERS algorithm array cmath cstdint cstring functional limits map memory numeric optional span stdexcept string string_view
    utility vector fmt/format.h)
calor_precompile(std HEADERS ${CALOR_STD_HEADERS} LINKS fmt::fmt OpenMP::OpenMP_CXX)
calor_precompile(eigen HEADERS ${CALOR_STD_HEADERS} Eigen/Core LINKS fmt::fmt OpenMP::OpenMP_CXX Eigen3::Eigen
  OPTIONS -DEIGEN_DONT_PARALLELIZE)

# calor_room(NAME SOURCES ... LINKS ...): the library calor_NAME (Calor::NAME), headers beside sources.
function(calor_room name)
  cmake_parse_arguments(ROOM "" "PRECOMPILED" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(calor_${name} STATIC ${ROOM_SOURCES})
  add_library(Calor::${name} ALIAS calor_${name})
  set_target_properties(calor_${name} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(calor_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:include>)
  target_compile_features(calor_${name} PUBLIC cxx_std_20)
  target_link_libraries(calor_${name} PUBLIC ${ROOM_LINKS} PRIVATE ${ROOM_PRIVATE_LINKS})
  calor_warnings(calor_${name})
  if(ROOM_PRECOMPILED)
    calor_use_precompiled(calor_${name} ${ROOM_PRECOMPILED})
  endif()
endfunction()

# calor_texts(SOURCES...): files that read and write documents, options and names: -O1 is enough, and compiles JSON code in half the time.
function(calor_texts)
  set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS "$<$<CONFIG:Release>:-O1>")
endfunction()

# calor_warnings(TARGET): our warnings; errors only in our own builds.
function(calor_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual)
  if(CALOR_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()

# calor_embed(TARGET SYMBOL FILE): puts FILE's bytes into TARGET as
# `extern "C" const unsigned char SYMBOL[], SYMBOL_end[];`.
function(calor_embed target symbol file)
  set(asm "${CMAKE_CURRENT_BINARY_DIR}/${symbol}.S")
  file(CONFIGURE OUTPUT "${asm}" @ONLY CONTENT [=[
.section .rodata
.global @symbol@
.global @symbol@_end
.balign 16
@symbol@:
.incbin "@file@"
@symbol@_end:
.byte 0
.section .note.GNU-stack,"",%progbits
]=])
  set_source_files_properties("${asm}" PROPERTIES OBJECT_DEPENDS "${file}")
  target_sources(${target} PRIVATE "${asm}")
endfunction()
