# Installs the packages that packages.py uses: what there is for this Python.
#
#   cmake -DPYTHON=... -DPLACE=... -P packages.cmake

foreach(package IN ITEMS markupsafe multidict xxhash msgpack numpy lxml pandas python-dateutil pytz tzdata six)
  if(EXISTS "${PLACE}/${package}")
    continue()
  endif()
  execute_process(
    COMMAND "${PYTHON}" -m pip install --quiet --disable-pip-version-check --only-binary :all: --no-deps
      --retries 0 --timeout 30 --target "${PLACE}" ${package}
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    message("skipped: ${package} can't be installed: ${output}")
    if(NOT EXISTS "${PLACE}")
      return() # no pip, or no index: the others fail alike
    endif()
  endif()
endforeach()
