# Builds the library with cargo, and defines subpy::subpy and subpy::subpy_static for this tree.

find_program(SUBPY_CARGO cargo HINTS "$ENV{CARGO_HOME}/bin" "$ENV{HOME}/.cargo/bin"
  DOC "Rust's cargo")
if(NOT SUBPY_CARGO)
  message(FATAL_ERROR "subpy is built with cargo, which was not found: install Rust"
    " (the distribution's cargo package, or rustup), or give its path as -DSUBPY_CARGO=PATH.")
endif()

# In the build tree, so that trees for several Pythons live side by side; another place serves
# to share what was compiled between trees for one and the same Python.
set(SUBPY_CARGO_TARGET_DIR "${PROJECT_BINARY_DIR}/cargo" CACHE PATH "Where cargo puts what it builds")

# A folder that `cargo vendor` has made. Cargo takes all crates from there, and uses no network.
set(SUBPY_VENDOR_DIR "" CACHE PATH "The folder of the vendored crates; empty: cargo downloads them")

# Every call of cargo for this tree starts with this: it says for which Python, by which C compiler, and
# where to.
set(SUBPY_CARGO_COMMAND ${CMAKE_COMMAND} -E env
  "PYO3_PYTHON=${SUBPY_PYTHON_EXECUTABLE}"
  "CC=${CMAKE_C_COMPILER}"
  "CARGO_TARGET_DIR=${SUBPY_CARGO_TARGET_DIR}"
  "${SUBPY_CARGO}")

# These options follow the name of cargo's command: clippy would not see them before it.
set(SUBPY_CARGO_OPTIONS --locked)
if(SUBPY_VENDOR_DIR)
  list(APPEND SUBPY_CARGO_OPTIONS --offline
    --config "source.crates-io.replace-with='vendored'"
    --config "source.vendored.directory='${SUBPY_VENDOR_DIR}'")
endif()

if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  set(cargo_profile dev)
  set(cargo_output "${SUBPY_CARGO_TARGET_DIR}/debug")
else()
  set(cargo_profile release)
  set(cargo_output "${SUBPY_CARGO_TARGET_DIR}/release")
endif()

# Cargo calls the shared library libsubpy.so; here it gets its versioned names, the same as installed.
set(SUBPY_LIB_DIR "${PROJECT_BINARY_DIR}/lib")
set(SUBPY_SONAME libsubpy.so.${SUBPY_ABI})
set(SUBPY_SHARED_LIBRARY "${SUBPY_LIB_DIR}/libsubpy.so.${PROJECT_VERSION}")
set(SUBPY_STATIC_LIBRARY "${SUBPY_LIB_DIR}/libsubpy.a")
# The library looks for the program of workers from the folder that it is in.
set(SUBPY_LIBEXEC_DIR "${PROJECT_BINARY_DIR}/libexec")
set(SUBPY_WORKER "${SUBPY_LIBEXEC_DIR}/subpy/subpy-worker")
file(MAKE_DIRECTORY "${SUBPY_LIB_DIR}" "${SUBPY_LIBEXEC_DIR}/subpy")

set(cargo_features)
if(SUBPY_BUILD_BENCHES)
  set(cargo_features --features subpy-ffi/bench)
endif()

# Always asks cargo: only cargo knows what is out of date, and says so in no time.
add_custom_target(subpy ALL
  COMMAND ${SUBPY_CARGO_COMMAND} build ${SUBPY_CARGO_OPTIONS} --package subpy-ffi
    --package subpy-worker --profile ${cargo_profile} ${cargo_features}
  COMMAND ${CMAKE_COMMAND} -E copy_if_different "${cargo_output}/libsubpy.so" "${SUBPY_SHARED_LIBRARY}"
  COMMAND ${CMAKE_COMMAND} -E copy_if_different "${cargo_output}/subpy-worker" "${SUBPY_WORKER}"
  COMMAND ${CMAKE_COMMAND}
    "-DINPUT=${cargo_output}/libsubpy.a" "-DSHARED=${cargo_output}/libsubpy.so"
    "-DOUTPUT=${SUBPY_STATIC_LIBRARY}" -DPROFILE=${cargo_profile}
    "-DLD=${CMAKE_LINKER}" "-DNM=${CMAKE_NM}" "-DOBJCOPY=${CMAKE_OBJCOPY}" "-DAR=${CMAKE_AR}"
    -P "${CMAKE_CURRENT_LIST_DIR}/MergeStaticLibrary.cmake"
  COMMAND ${CMAKE_COMMAND} -E create_symlink libsubpy.so.${PROJECT_VERSION} "${SUBPY_LIB_DIR}/${SUBPY_SONAME}"
  COMMAND ${CMAKE_COMMAND} -E create_symlink ${SUBPY_SONAME} "${SUBPY_LIB_DIR}/libsubpy.so"
  BYPRODUCTS "${SUBPY_SHARED_LIBRARY}" "${SUBPY_STATIC_LIBRARY}" "${SUBPY_WORKER}"
  WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
  COMMENT "cargo build (${cargo_profile}, Python ${SUBPY_PYTHON_VERSION})"
  USES_TERMINAL VERBATIM)

include("${CMAKE_CURRENT_LIST_DIR}/NativeStaticLibs.cmake")

# The same file defines the targets of an installed subpy.
configure_file("${CMAKE_CURRENT_LIST_DIR}/subpyTargets.cmake.in" subpyTargets.cmake @ONLY)
include("${PROJECT_BINARY_DIR}/subpyTargets.cmake")
subpy_define_targets("${PROJECT_SOURCE_DIR}/include" "${SUBPY_LIB_DIR}" "${SUBPY_LIBEXEC_DIR}"
  "${SUBPY_PYTHON_LIBRARY}")
add_dependencies(subpy::subpy subpy)
add_dependencies(subpy::subpy_static subpy)
add_dependencies(subpy::worker subpy)
