# Cargo's other commands, run for the Python of this build tree: cargo-test, cargo-test-core (those of the
# tests that depend on the Python), cargo-clippy and cargo-header.

function(subpy_add_cargo_target name)
  add_custom_target(${name}
    COMMAND ${ARGN}
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
    USES_TERMINAL VERBATIM)
endfunction()

subpy_add_cargo_target(cargo-test ${SUBPY_CARGO_COMMAND} test --locked --workspace)
subpy_add_cargo_target(cargo-test-core ${SUBPY_CARGO_COMMAND} test --locked --package subpy-core)
subpy_add_cargo_target(cargo-clippy
  ${SUBPY_CARGO_COMMAND} clippy --locked --workspace --all-targets -- -D warnings)
subpy_add_cargo_target(cargo-header ${CMAKE_COMMAND} -E env SUBPY_WRITE_HEADER=1
  ${SUBPY_CARGO_COMMAND} test --locked --package subpy-ffi --test header)
