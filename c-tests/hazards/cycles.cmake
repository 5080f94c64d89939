# What a cycle of create, run and destroy loses, beside the raw C API, which loses it by itself.
#
#   cmake -DCYCLES=... -DCYCLES_RAW=... -DCOUNT=150 -DPYTHON=3.13.0 -DCODE=... -P cycles.cmake

function(lost program count out)
  execute_process(COMMAND "${program}" ${count} "${CODE}" RESULT_VARIABLE result OUTPUT_VARIABLE output)
  message("${output}")
  if(NOT result EQUAL 0 OR NOT output MATCHES "lost per cycle: (-?[0-9]+) bytes")
    message(FATAL_ERROR "${program}: ${result}")
  endif()
  set(${out} "${CMAKE_MATCH_1}" PARENT_SCOPE)
endfunction()

message("Python ${PYTHON}: ${CODE}")
lost("${CYCLES_RAW}" 150 raw) # 2000 would take 13 GiB
lost("${CYCLES}" ${COUNT} subpy)

if(raw LESS 0)
  set(raw 0)
endif()
if(PYTHON VERSION_LESS 3.12 OR PYTHON VERSION_GREATER_EQUAL 3.14)
  math(EXPR most "${raw} + 4096")
else()
  math(EXPR most "${raw} / 100 + 4096")
endif()
message("lost per cycle: ${subpy} bytes; raw: ${raw} bytes; at most: ${most} bytes")
if(subpy GREATER most)
  message(FATAL_ERROR "too much")
endif()
