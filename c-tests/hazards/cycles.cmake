# What a cycle of create, run and destroy loses.
#
#   cmake -DCYCLES=... -DCOUNT=150 -DMOST=20000 -DCODE=... -P cycles.cmake

execute_process(COMMAND "${CYCLES}" ${COUNT} "${CODE}" RESULT_VARIABLE result OUTPUT_VARIABLE output)
message("${CODE}\n${output}")
if(NOT result EQUAL 0 OR NOT output MATCHES "lost per cycle: (-?[0-9]+) bytes")
  message(FATAL_ERROR "${CYCLES}: ${result}")
endif()
if(CMAKE_MATCH_1 GREATER MOST)
  message(FATAL_ERROR "too much: ${CMAKE_MATCH_1} bytes a cycle, more than ${MOST}")
endif()
