# Whether docs/hazards.md names each hazard.
#
#   cmake -DTABLE=docs/hazards.md -P table.cmake FILE.py...

file(READ "${TABLE}" table)
set(missing)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE 5 ${last})
  file(STRINGS "${CMAKE_ARGV${i}}" lines REGEX "^#: " ENCODING UTF-8)
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "^#: ([^ ]+).*" "\\1" name "${line}")
    string(FIND "${table}" "`${name}`" at)
    if(at EQUAL -1)
      list(APPEND missing "${name}")
    endif()
  endforeach()
endforeach()
if(missing)
  message(FATAL_ERROR "${TABLE} does not name ${missing}")
endif()
