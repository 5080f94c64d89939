# Cargo's other commands, run for the Python of this build tree: cargo-test, cargo-model, cargo-clippy,
# cargo-header, which generates include/subpy.h, and cargo-drift, which checks that it is up to date.

function(subpy_add_cargo_target name)
  add_custom_target(${name}
    COMMAND ${ARGN}
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
    USES_TERMINAL VERBATIM)
endfunction()

subpy_add_cargo_target(cargo-test ${SUBPY_CARGO_COMMAND} test ${SUBPY_CARGO_OPTIONS} --package subpy-core
    --package subpy-wire)
# The interpreter's state under every order of events that the memory model allows.
subpy_add_cargo_target(cargo-model ${CMAKE_COMMAND} -E env "RUSTFLAGS=--cfg loom"
  ${SUBPY_CARGO_COMMAND} test ${SUBPY_CARGO_OPTIONS} --target-dir "${PROJECT_BINARY_DIR}/proof/cargo-model"
    --release --package subpy-core --lib model::)
subpy_add_cargo_target(cargo-clippy
  ${SUBPY_CARGO_COMMAND} clippy ${SUBPY_CARGO_OPTIONS} --workspace --all-targets -- -D warnings)
set(drift ${SUBPY_CARGO_COMMAND} test ${SUBPY_CARGO_OPTIONS} --package subpy-ffi --test header)
subpy_add_cargo_target(cargo-drift ${drift})
subpy_add_cargo_target(cargo-header ${CMAKE_COMMAND} -E env SUBPY_WRITE_HEADER=1 ${drift})
