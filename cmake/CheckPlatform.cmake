# Enables C, and stops on a platform that subpy does not support.

# This comes before the compiler, which CMake may fail to set up on another system.
if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux")
  message(FATAL_ERROR "subpy needs 64-bit Linux with glibc, and the target is ${CMAKE_SYSTEM_NAME}.")
endif()

enable_language(C)
if(NOT CMAKE_SIZEOF_VOID_P EQUAL 8)
  message(FATAL_ERROR "subpy needs 64-bit Linux with glibc, and the target is not 64-bit.")
endif()

include(CheckSymbolExists)
check_symbol_exists(__GLIBC__ features.h SUBPY_HAVE_GLIBC)
if(NOT SUBPY_HAVE_GLIBC)
  message(FATAL_ERROR "subpy needs 64-bit Linux with glibc, and the target has another C library.")
endif()
