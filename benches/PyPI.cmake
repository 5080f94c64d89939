# What the benchmarks take from PyPI goes into the build tree, once.
set(BENCH_PYPI_DIR "${CMAKE_CURRENT_BINARY_DIR}/pypi")

# The Python that gets it, and uses it: one that has pip.
set(BENCH_PIP_PYTHON "${SUBPY_PYTHON_EXECUTABLE}")
execute_process(COMMAND "${SUBPY_PYTHON_EXECUTABLE}" -m pip --version
  OUTPUT_QUIET ERROR_QUIET RESULT_VARIABLE has_no_pip)
if(has_no_pip)
  set(BENCH_PIP_PYTHON python3)
endif()

# Sets `place` to the folder of `package`, or to "" if `requirement` can't be installed.
function(bench_from_pypi requirement package place)
  if(NOT EXISTS "${BENCH_PYPI_DIR}/${package}")
    message(STATUS "benches: getting ${requirement} from PyPI")
    execute_process(
      COMMAND "${BENCH_PIP_PYTHON}" -m pip install --quiet --disable-pip-version-check
        --retries 1 --target "${BENCH_PYPI_DIR}" "${requirement}"
      OUTPUT_QUIET ERROR_QUIET RESULT_VARIABLE failed)
    if(failed)
      message(STATUS "benches: pip could not install ${requirement}: what needs it is left out")
      set(${place} "" PARENT_SCOPE)
      return()
    endif()
  endif()
  set(${place} "${BENCH_PYPI_DIR}/${package}" PARENT_SCOPE)
endfunction()
