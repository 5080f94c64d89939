# Selects the Python that subpy is built for, and says which and why. In this order:
#
#   1. Python3_EXECUTABLE, or what FindPython3 makes of Python3_ROOT_DIR or Python3_FIND_VIRTUALENV;
#   2. what an earlier configuration of this build tree found by itself;
#   3. the newest Python from 3.12 on (where interpreters have a GIL each) that can be built for;
#   4. python3.
#
# Sets SUBPY_PYTHON_VERSION, _EXECUTABLE, _LIBRARY and _INCLUDE_DIR.
include("${CMAKE_CURRENT_LIST_DIR}/FindPythons.cmake")

if(Python3_EXECUTABLE)
  set(python "${Python3_EXECUTABLE}")
  set(why "given as Python3_EXECUTABLE")
elseif(Python3_ROOT_DIR OR DEFINED Python3_FIND_VIRTUALENV)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  set(python "${Python3_EXECUTABLE}")
  set(why "found by FindPython3 with the variables given")
elseif(SUBPY_FOUND_PYTHON AND EXISTS "${SUBPY_FOUND_PYTHON}")
  set(python "${SUBPY_FOUND_PYTHON}")
  set(why "found when this build tree was first configured")
else()
  subpy_find_pythons(pythons)
  list(LENGTH pythons count)
  set(python)
  if(pythons)
    list(GET pythons 0 newest)
    subpy_probe_python("${newest}" SUBPY_PYTHON)
    if(SUBPY_PYTHON_VERSION VERSION_GREATER_EQUAL 3.12)
      set(python "${newest}")
      set(why "the newest of ${count} found that have a shared library and headers")
    endif()
  endif()
  if(NOT python)
    set(python python3)
    set(why "the default python3: none from 3.12 on was found with a shared library and headers")
  endif()
endif()

subpy_probe_python("${python}" SUBPY_PYTHON)
if(SUBPY_PYTHON_PROBLEM)
  subpy_find_pythons(pythons)
  if(pythons)
    list(JOIN pythons "\n  " pythons)
    set(pythons "Pythons that subpy can be built for:\n  ${pythons}\nSelect one with -DPython3_EXECUTABLE=PATH.")
  else()
    set(pythons "Or select another one with -DPython3_EXECUTABLE=PATH.")
  endif()
  message(FATAL_ERROR "${python} (${why}) ${SUBPY_PYTHON_PROBLEM}.\n${pythons}")
endif()
message(STATUS "subpy: Python ${SUBPY_PYTHON_VERSION}, ${SUBPY_PYTHON_EXECUTABLE} (${why})")

if(why MATCHES "^the ")
  set(SUBPY_FOUND_PYTHON "${SUBPY_PYTHON_EXECUTABLE}" CACHE FILEPATH
    "The Python that was found where none was given; Python3_EXECUTABLE goes before it")
endif()
