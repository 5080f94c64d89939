# SUBPY_NATIVE_STATIC_LIBS: the system's libraries that a program has to link with a static library
# of Rust's, for example gcc_s;util;rt;pthread;m;dl;c. An empty library tells: it has the standard
# library's needs, and subpy adds none but libpython.

get_filename_component(cargo_dir "${SUBPY_CARGO}" DIRECTORY)
find_program(SUBPY_RUSTC rustc HINTS "${cargo_dir}" DOC "Rust's rustc")

set(empty "${PROJECT_BINARY_DIR}/CMakeFiles/empty.rs")
file(WRITE "${empty}" "")
execute_process(
  COMMAND "${SUBPY_RUSTC}" --crate-type staticlib --print native-static-libs -o "${empty}.a" "${empty}"
  WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT output MATCHES "native-static-libs: ([^\n]*)")
  message(FATAL_ERROR "${SUBPY_RUSTC} does not say what a static library needs (${result}):\n${output}")
endif()
string(REGEX MATCHALL "[^ ]+" SUBPY_NATIVE_STATIC_LIBS "${CMAKE_MATCH_1}")
list(TRANSFORM SUBPY_NATIVE_STATIC_LIBS REPLACE "^-l" "")
list(REMOVE_DUPLICATES SUBPY_NATIVE_STATIC_LIBS)
file(REMOVE "${empty}.a")
