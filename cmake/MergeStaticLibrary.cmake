# Script: makes OUTPUT, a static library, of cargo's INPUT, with only subpy_* visible.
#
# Cargo's has Rust's standard library and the allocator in it, with global names: a program that
# brings its own mimalloc, or another library made of Rust, would get two of each. So all that is
# used from the functions on that SHARED exports is linked into one object, and the rest of its
# names become local. What is left is a tenth in size.
cmake_minimum_required(VERSION 3.18)

foreach(input "${INPUT}" "${SHARED}" "${CMAKE_CURRENT_LIST_FILE}")
  if("${input}" IS_NEWER_THAN "${OUTPUT}")
    set(outdated TRUE)
  endif()
endforeach()
if(NOT outdated)
  return()
endif()

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${ARGV0}: ${result}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

run("${NM}" -D --defined-only --format=posix "${SHARED}")
string(REGEX MATCHALL "subpy_[a-z0-9_]+ T" roots "${output}")
list(TRANSFORM roots REPLACE "(.*) T" "--undefined=\\1")

set(strip)
if(PROFILE STREQUAL "release")
  set(strip --strip-debug)
endif()

file(REMOVE "${OUTPUT}")
run("${LD}" -r --gc-sections ${roots} -o "${OUTPUT}.o" "${INPUT}")
# The .llvm sections are the compiler's, and keep ar and nm with LLVM's plugin from reading the rest.
run("${OBJCOPY}" ${strip} --wildcard "--keep-global-symbol=subpy_*"
  --remove-section=.llvmbc --remove-section=.llvmcmd --remove-section=.llvm_addrsig "${OUTPUT}.o")
run("${AR}" rcs "${OUTPUT}" "${OUTPUT}.o")
file(REMOVE "${OUTPUT}.o")
