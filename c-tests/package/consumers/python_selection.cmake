# Configures SOURCE_DIR with the Python PYTHON, given in each of the ways there are, and with Pythons
# and platforms that have to be refused with a word of advice.
cmake_minimum_required(VERSION 3.18)

file(REMOVE_RECURSE "${WORK_DIR}")
set(scripts "${WORK_DIR}/scripts")

# Configures in a new build tree and checks that it says `expected`, a regular expression.
function(configure name result expected)
  execute_process(
    COMMAND ${CMAKE_COMMAND} -S "${SOURCE_DIR}" -B "${WORK_DIR}/${name}" -G "${GENERATOR}"
      "-DCMAKE_MAKE_PROGRAM=${MAKE_PROGRAM}" -DSUBPY_BUILD_TESTS=OFF ${ARGN}
    RESULT_VARIABLE got OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(got EQUAL 0)
    set(got "accepted")
  else()
    set(got "refused")
  endif()
  string(REGEX REPLACE "[ \n]+" " " line "${output}")  # as CMake breaks long lines
  if(got STREQUAL result AND line MATCHES "${expected}")
    message(STATUS "${name}: ${got}")
  else()
    message(SEND_ERROR "${name}: ${got}, and the output has to match '${expected}':\n${output}")
  endif()
endfunction()

# A script that runs PYTHON, as pyenv's are. With Python code given, it first pretends something.
function(write_script path)
  set(run "exec '${PYTHON}' \"$@\"")
  if(ARGC GREATER 1)
    # The last argument is the program to run.
    set(run "for last; do :; done
exec '${PYTHON}' -c '
import platform, sys, sysconfig
${ARGV1}
exec(open(sys.argv[1]).read())' \"$last\"")
  endif()
  get_filename_component(name "${path}" NAME)
  get_filename_component(directory "${path}" DIRECTORY)
  file(WRITE "${WORK_DIR}/unexecutable/${name}" "#!/bin/sh\n${run}\n")
  file(COPY "${WORK_DIR}/unexecutable/${name}" DESTINATION "${directory}"
    FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
endfunction()

# Accepted.
configure(executable accepted "${PYTHON} .given as Python3_EXECUTABLE" "-DPython3_EXECUTABLE=${PYTHON}")

write_script("${scripts}/shim")
configure(shim accepted "${PYTHON} .given as" "-DPython3_EXECUTABLE=${scripts}/shim")

get_filename_component(bin "${PYTHON}" DIRECTORY)
configure(root accepted "${bin}/python[0-9.]* .found by FindPython3" "-DPython3_ROOT_DIR=${bin}/..")

execute_process(COMMAND "${PYTHON}" -m venv --without-pip "${WORK_DIR}/venv" RESULT_VARIABLE result)
if(result EQUAL 0)
  set(in_venv "${WORK_DIR}/venv/bin/python[0-9.]*")
  configure(given_venv accepted "${in_venv} .given as" "-DPython3_EXECUTABLE=${WORK_DIR}/venv/bin/python")
  set(ENV{VIRTUAL_ENV} "${WORK_DIR}/venv")
  configure(active_venv accepted "${in_venv} .found by FindPython3" -DPython3_FIND_VIRTUALENV=ONLY)
  unset(ENV{VIRTUAL_ENV})
endif()

# With none given, those on the PATH are asked, through scripts too.
include("${SOURCE_DIR}/cmake/FindPythons.cmake")
set(path "$ENV{PATH}")
set(pyenv_root "$ENV{PYENV_ROOT}")
set(ENV{PATH} "${WORK_DIR}/newest")
set(ENV{PYENV_ROOT} "${WORK_DIR}/none")
write_script("${WORK_DIR}/newest/python3.11")
write_script("${WORK_DIR}/newest/python3.12" "sys.version_info = (3, 16, 0)")
subpy_find_pythons(found)
set(ENV{PATH} "${path}")
set(ENV{PYENV_ROOT} "${pyenv_root}")
if(NOT found STREQUAL PYTHON)
  message(SEND_ERROR "Found ${found}, not ${PYTHON}")
endif()

# Refused.
write_script("${scripts}/old" "sys.version_info = (3, 9, 18)")
configure(old refused "is Python 3.9.18, but subpy works with 3.10 to 3.15" "-DPython3_EXECUTABLE=${scripts}/old")

write_script("${scripts}/new" "sys.version_info = (3, 16, 0)")
configure(new refused "is Python 3.16.0, but subpy works with 3.10 to 3.15" "-DPython3_EXECUTABLE=${scripts}/new")

write_script("${scripts}/threaded" "sysconfig.get_config_vars()[\"Py_GIL_DISABLED\"] = 1")
configure(threaded refused "is a free-threaded build" "-DPython3_EXECUTABLE=${scripts}/threaded")

write_script("${scripts}/static" "sysconfig.get_config_var = {\"LDVERSION\": \"3.0\"}.get")
configure(static refused "no shared library libpython3.0.so: install .*enable-shared" "-DPython3_EXECUTABLE=${scripts}/static")

write_script("${scripts}/headerless" "sysconfig.get_config_vars(); sysconfig.get_paths = lambda: {\"include\": \"/nowhere\"}")
configure(headerless refused "has no headers .Python.h.: install" "-DPython3_EXECUTABLE=${scripts}/headerless")

write_script("${scripts}/other" "platform.python_implementation = lambda: \"Other\"")
configure(other refused "is Other, but subpy needs CPython" "-DPython3_EXECUTABLE=${scripts}/other")

configure(missing refused "does not run" "-DPython3_EXECUTABLE=${scripts}/missing")

configure(darwin refused "needs 64-bit Linux with glibc, and the target is Darwin" -DCMAKE_SYSTEM_NAME=Darwin)

configure(libc refused "and the target has another C library" -DSUBPY_HAVE_GLIBC=OFF)

if(PROCESSOR STREQUAL "x86_64")
  # Of static libraries, because there may be no C library of 32 bits to link.
  configure(bits refused "and the target is not 64-bit" -DCMAKE_C_FLAGS=-m32 -DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY)
endif()
