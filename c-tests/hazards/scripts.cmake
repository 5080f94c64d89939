# Read by ctest, for each file: a test for each of its scripts. Their names are what the program knows.
execute_process(COMMAND "${program}" -l "${file}" OUTPUT_VARIABLE names RESULT_VARIABLE failed)
get_filename_component(subject "${file}" NAME_WE)
if(failed)
  set(names not_built)
endif()
string(REGEX MATCHALL "[^\n]+" names "${names}")
foreach(name ${names})
  add_test(hazard.${subject}.${name} "${program}" "${file}" ${name} ${situations})
  set_tests_properties(hazard.${subject}.${name} PROPERTIES TIMEOUT 600 SKIP_RETURN_CODE 77 ${properties})
  # The same in processes of their own, in which the order of their ends and the host's stacks do not matter.
  add_test(hazard.process.${subject}.${name} "${program}" -p "${file}" ${name} once)
  set_tests_properties(hazard.process.${subject}.${name} PROPERTIES TIMEOUT 600 SKIP_RETURN_CODE 77 ${properties})
endforeach()
