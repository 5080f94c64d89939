/* Destroys an interpreter, and waits for its Python threads. */
#ifndef SUBPY_FUZZ_DESTROY_WITHIN_H
#define SUBPY_FUZZ_DESTROY_WITHIN_H

#include <subpy.h>

inline subpy_status destroy_within(subpy_id id, uint64_t wait_ms, subpy_error **error) {
  subpy_destroy_options options = SUBPY_DESTROY_OPTIONS_INIT;
  options.wait_ms = wait_ms;
  return subpy_destroy_with(id, &options, error);
}

#endif
