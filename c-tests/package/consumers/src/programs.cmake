# The programs of a consumer project: C and C++, each with the shared and the static library. Each
# is a test. The C++ sources are compiled once: they take the longest. A program that has the static library in it is its
# own program of workers.
enable_testing()
add_library(cpp_objects OBJECT "${CMAKE_CURRENT_LIST_DIR}/main.cpp" "${CMAKE_CURRENT_LIST_DIR}/other.cpp")
target_link_libraries(cpp_objects PRIVATE subpy::subpy)
set(arguments)
foreach(library subpy subpy_static)
  add_executable(c_${library} "${CMAKE_CURRENT_LIST_DIR}/main.c")
  add_executable(cpp_${library} $<TARGET_OBJECTS:cpp_objects>)
  foreach(program c_${library} cpp_${library})
    target_link_libraries(${program} PRIVATE subpy::${library})
    add_test(NAME ${program} COMMAND ${CMAKE_COMMAND} -E env --unset=LD_LIBRARY_PATH $<TARGET_FILE:${program}>
      ${arguments})
  endforeach()
  set(arguments is_the_worker)
endforeach()
foreach(target c_subpy c_subpy_static cpp_objects)
  target_compile_features(${target} PRIVATE c_std_99 cxx_std_17)
  target_compile_definitions(${target} PRIVATE
    "EXPECTED_VERSION=\"${EXPECTED_VERSION}\"" "EXPECTED_PYTHON_VERSION=\"${EXPECTED_PYTHON_VERSION}\"")
endforeach()
