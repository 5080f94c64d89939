# The programs of a consumer project: C and C++, each with the shared and the static library. Each
# is a test.
enable_testing()
foreach(library subpy subpy_static)
  add_executable(c_${library} "${CMAKE_CURRENT_LIST_DIR}/main.c")
  add_executable(cpp_${library} "${CMAKE_CURRENT_LIST_DIR}/main.cpp" "${CMAKE_CURRENT_LIST_DIR}/other.cpp")
  foreach(program c_${library} cpp_${library})
    target_link_libraries(${program} PRIVATE subpy::${library})
    target_compile_features(${program} PRIVATE c_std_99 cxx_std_17)
    target_compile_definitions(${program} PRIVATE
      "EXPECTED_VERSION=\"${EXPECTED_VERSION}\"" "EXPECTED_PYTHON_VERSION=\"${EXPECTED_PYTHON_VERSION}\"")
    add_test(NAME ${program} COMMAND ${CMAKE_COMMAND} -E env --unset=LD_LIBRARY_PATH $<TARGET_FILE:${program}>)
  endforeach()
endforeach()
