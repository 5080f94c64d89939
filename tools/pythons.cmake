# cmake -P tools/pythons.cmake: lists the Pythons found that subpy can be built for, newest first,
# a line each: version, space, path.
cmake_minimum_required(VERSION 3.18)
include("${CMAKE_CURRENT_LIST_DIR}/../cmake/FindPythons.cmake")
subpy_find_pythons(pythons)
foreach(python IN LISTS pythons)
  subpy_probe_python("${python}" python)
  # message() would write to stderr, or with a prefix.
  execute_process(COMMAND ${CMAKE_COMMAND} -E echo "${python_VERSION} ${python_EXECUTABLE}")
endforeach()
