# Installs the headers, the libraries, the program of workers, the CMake package and the pkg-config file. Nothing that is
# installed says where the prefix is, so it can be moved.
include(CMakePackageConfigHelpers)

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(FILES
  "${SUBPY_SHARED_LIBRARY}"
  "${SUBPY_LIB_DIR}/${SUBPY_SONAME}"
  "${SUBPY_LIB_DIR}/libsubpy.so"
  "${SUBPY_STATIC_LIBRARY}"
  DESTINATION "${CMAKE_INSTALL_LIBDIR}")

# The program of workers: the library looks for it there.
install(PROGRAMS "${SUBPY_WORKER}" DESTINATION "${CMAKE_INSTALL_LIBEXECDIR}/subpy")

# The CMake package.
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/subpy")
get_filename_component(SUBPY_PYTHON_LINK_NAME "${SUBPY_PYTHON_LIBRARY}" NAME)
string(REGEX REPLACE "^lib|\\.so$" "" SUBPY_PYTHON_LINK_NAME "${SUBPY_PYTHON_LINK_NAME}")
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/subpyConfig.cmake.in" subpyConfig.cmake
  INSTALL_DESTINATION "${package_dir}"
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_LIBEXECDIR)
# Before 1.0, a new minor version may change anything.
write_basic_package_version_file(subpyConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/subpyConfig.cmake"
  "${PROJECT_BINARY_DIR}/subpyConfigVersion.cmake"
  "${PROJECT_BINARY_DIR}/subpyTargets.cmake"
  DESTINATION "${package_dir}")

# The pkg-config file. ${prefix} is for pkg-config to fill in.
function(subpy_pc_path out directory)
  if(IS_ABSOLUTE "${directory}")
    set(${out} "${directory}" PARENT_SCOPE)
  else()
    set(${out} "\${prefix}/${directory}" PARENT_SCOPE)
  endif()
endfunction()
set(pc_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
file(RELATIVE_PATH SUBPY_PC_PREFIX "${CMAKE_INSTALL_PREFIX}/${pc_dir}" "${CMAKE_INSTALL_PREFIX}")
string(REGEX REPLACE "/$" "" SUBPY_PC_PREFIX "${SUBPY_PC_PREFIX}")
subpy_pc_path(SUBPY_PC_LIBDIR "${CMAKE_INSTALL_LIBDIR}")
subpy_pc_path(SUBPY_PC_LIBEXECDIR "${CMAKE_INSTALL_LIBEXECDIR}")
subpy_pc_path(SUBPY_PC_INCLUDEDIR "${CMAKE_INSTALL_INCLUDEDIR}")

get_filename_component(python_lib_dir "${SUBPY_PYTHON_LIBRARY}" DIRECTORY)
set(SUBPY_PC_LIBS_PRIVATE "-l${SUBPY_PYTHON_LINK_NAME}")
if(NOT python_lib_dir IN_LIST CMAKE_C_IMPLICIT_LINK_DIRECTORIES)
  string(PREPEND SUBPY_PC_LIBS_PRIVATE "-L${python_lib_dir} -Wl,-rpath,${python_lib_dir} ")
endif()
foreach(library IN LISTS SUBPY_NATIVE_STATIC_LIBS)
  string(APPEND SUBPY_PC_LIBS_PRIVATE " -l${library}")
endforeach()
configure_file("${CMAKE_CURRENT_LIST_DIR}/subpy.pc.in" subpy.pc @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/subpy.pc" DESTINATION "${pc_dir}")
