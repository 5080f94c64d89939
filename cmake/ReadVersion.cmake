# SUBPY_VERSION, and SUBPY_ABI, the version that the SONAME has: from the workspace's Cargo.toml, the only place
# that states them.

set(cargo_toml "${CMAKE_CURRENT_LIST_DIR}/../Cargo.toml")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${cargo_toml}")

file(STRINGS "${cargo_toml}" version_line REGEX "^version = \"[0-9]+\\.[0-9]+\\.[0-9]+\"$")
if(NOT version_line MATCHES "^version = \"([0-9]+\\.[0-9]+\\.[0-9]+)\"$")
  message(FATAL_ERROR "No line such as version = \"1.2.3\" in ${cargo_toml}")
endif()
set(SUBPY_VERSION ${CMAKE_MATCH_1})

file(STRINGS "${cargo_toml}" abi_line REGEX "^abi = \"[0-9.]+\"$")
if(NOT abi_line MATCHES "^abi = \"([0-9.]+)\"$")
  message(FATAL_ERROR "No line such as abi = \"1.2\" in ${cargo_toml}")
endif()
set(SUBPY_ABI ${CMAKE_MATCH_1})
