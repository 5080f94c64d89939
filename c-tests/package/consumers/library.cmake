# Checks the installed libraries in LIB_DIR: the SONAME of the shared one and the links to it agree
# with ABI and VERSION, and both have the functions subpy_* and no other global name.
cmake_minimum_required(VERSION 3.18)

set(library "${LIB_DIR}/libsubpy.so.${VERSION}")

function(expect what value expected)
  if(NOT value STREQUAL expected)
    message(SEND_ERROR "${what} is '${value}', not '${expected}'")
  endif()
endfunction()

function(run out)
  execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE output RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${ARGN}: ${result}")
  endif()
  set(${out} "${output}" PARENT_SCOPE)
endfunction()

file(READ_SYMLINK "${LIB_DIR}/libsubpy.so" link)
expect("libsubpy.so's target" "${link}" "libsubpy.so.${ABI}")
file(READ_SYMLINK "${LIB_DIR}/libsubpy.so.${ABI}" link)
expect("libsubpy.so.${ABI}'s target" "${link}" "libsubpy.so.${VERSION}")

run(dynamic "${READELF}" -dW "${library}")
string(REGEX MATCH "SONAME[^[]*\\[([^]]*)\\]" found "${dynamic}")
expect("The SONAME" "${CMAKE_MATCH_1}" "libsubpy.so.${ABI}")

function(expect_functions_only library)
  run(symbols "${NM}" ${ARGN} --defined-only --format=posix "${library}")
  string(REGEX MATCHALL "[^\n]+" symbols "${symbols}")
  list(FILTER symbols EXCLUDE REGEX ":$")  # the headings of an archive's members
  list(LENGTH symbols all)
  list(FILTER symbols EXCLUDE REGEX "^subpy_[a-z0-9_]+ T ")
  expect("What ${library} has besides the functions subpy_*" "${symbols}" "")
  if(all LESS 20)
    message(SEND_ERROR "${library} has only ${all} functions")
  endif()
endfunction()
expect_functions_only("${library}" -D)
expect_functions_only("${LIB_DIR}/libsubpy.a" --extern-only)
