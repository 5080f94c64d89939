# Installs BUILD_DIR into a prefix that is then moved to INSTALL_DIR.
cmake_minimum_required(VERSION 3.18)
set(first "${INSTALL_DIR}-first")
file(REMOVE_RECURSE "${first}" "${INSTALL_DIR}")
execute_process(COMMAND ${CMAKE_COMMAND} --install "${BUILD_DIR}" --prefix "${first}"
  RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "cmake --install: ${result}")
endif()
file(RENAME "${first}" "${INSTALL_DIR}")
