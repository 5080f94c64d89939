# Checks the installed shared library in LIB_DIR: its SONAME and the links to it agree with VERSION,
# and it exports subpy_* and nothing else.

string(REGEX MATCH "^[0-9]+" major "${VERSION}")
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
expect("libsubpy.so's target" "${link}" "libsubpy.so.${major}")
file(READ_SYMLINK "${LIB_DIR}/libsubpy.so.${major}" link)
expect("libsubpy.so.${major}'s target" "${link}" "libsubpy.so.${VERSION}")

run(dynamic "${READELF}" -dW "${library}")
string(REGEX MATCH "SONAME[^[]*\\[([^]]*)\\]" found "${dynamic}")
expect("The SONAME" "${CMAKE_MATCH_1}" "libsubpy.so.${major}")

run(symbols "${NM}" -D --defined-only --format=posix "${library}")
string(REGEX MATCHALL "[^\n]+" symbols "${symbols}")
list(LENGTH symbols all)
list(FILTER symbols EXCLUDE REGEX "^subpy_[a-z0-9_]+ T ")
expect("What is exported besides the functions subpy_*" "${symbols}" "")
if(all LESS 20)
  message(SEND_ERROR "Only ${all} functions are exported")
endif()
