# Finds Pythons and asks them what they are. Needs no project: tools/ uses it in script mode.

set(SUBPY_PROBE_PYTHON "${CMAKE_CURRENT_LIST_DIR}/probe_python.py")

# Runs a Python and sets, in the caller's scope, ${prefix}_VERSION, _EXECUTABLE (the real one: what
# was given may be a script such as pyenv's), _LIBRARY, _INCLUDE_DIR and _PROBLEM.
function(subpy_probe_python executable prefix)
  execute_process(
    COMMAND "${executable}" -s -E "${SUBPY_PROBE_PYTHON}"
    RESULT_VARIABLE result OUTPUT_VARIABLE facts ERROR_VARIABLE complaint
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_STRIP_TRAILING_WHITESPACE TIMEOUT 60)
  set(fields VERSION EXECUTABLE LIBRARY INCLUDE_DIR PROBLEM)
  if(NOT result EQUAL 0)
    set(facts "0;${executable};;;does not run: ${result} ${complaint}")
  endif()
  foreach(field IN LISTS fields)
    list(POP_FRONT facts value)
    set(${prefix}_${field} "${value}" PARENT_SCOPE)
  endforeach()
endfunction()

# Sets `out` to the executables of all Pythons that subpy can be built for, newest first, of those
# on the PATH and in pyenv's folder.
function(subpy_find_pythons out)
  string(REPLACE ":" ";" directories "$ENV{PATH}")
  set(pyenv "$ENV{PYENV_ROOT}")
  if(NOT pyenv)
    set(pyenv "$ENV{HOME}/.pyenv")
  endif()
  file(GLOB pyenv_directories "${pyenv}/versions/3.*/bin")
  list(APPEND directories ${pyenv_directories})

  set(found)
  set(sort_keys)
  set(seen_paths)
  foreach(directory IN LISTS directories)
    file(GLOB candidates "${directory}/python3.1[0-9]")
    foreach(candidate IN LISTS candidates)
      get_filename_component(path "${candidate}" REALPATH)
      if(path IN_LIST seen_paths)
        continue()  # /bin is /usr/bin, say
      endif()
      list(APPEND seen_paths "${path}")
      subpy_probe_python("${candidate}" python)
      if(python_PROBLEM STREQUAL "" AND NOT python_EXECUTABLE IN_LIST found)
        list(APPEND found "${python_EXECUTABLE}")
        list(LENGTH found count)
        math(EXPR earlier "999 - ${count}")  # of two of one version, the first one found
        list(APPEND sort_keys "${python_VERSION}-${earlier}=${python_EXECUTABLE}")
      endif()
    endforeach()
  endforeach()
  list(SORT sort_keys COMPARE NATURAL ORDER DESCENDING)
  list(TRANSFORM sort_keys REPLACE "^[^=]*=" "")
  set(${out} "${sort_keys}" PARENT_SCOPE)
endfunction()
