# Settings and helpers shared by every room.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(CALOR_CCACHE ccache)
if(CALOR_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CALOR_CCACHE}")
endif()

find_package(fmt REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(nlohmann_json REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Threads REQUIRED)

if(CALOR_SANITIZE)
  add_compile_options(-fsanitize=${CALOR_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${CALOR_SANITIZE})
  # Instrumented code makes gcc see uninitialised values where there are none (its manual says so).
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-maybe-uninitialized)
  endif()
endif()

# calor_room(NAME SOURCES ... LINKS ...): the library calor_NAME (Calor::NAME), headers beside sources.
function(calor_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(calor_${name} STATIC ${ROOM_SOURCES})
  add_library(Calor::${name} ALIAS calor_${name})
  set_target_properties(calor_${name} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(calor_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:include>)
  target_compile_features(calor_${name} PUBLIC cxx_std_20)
  target_link_libraries(calor_${name} PUBLIC ${ROOM_LINKS} PRIVATE ${ROOM_PRIVATE_LINKS})
  calor_warnings(calor_${name})
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
