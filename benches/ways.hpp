/// The interpreters that the benchmarks share, one for each way. They stay until the process ends:
/// before Python 3.14 each one that is destroyed costs 1.7 MiB for good.
#pragma once

#include "raw.hpp"

#include <subpy.hpp>

inline void check(subpy_status status) {
  if (status != SUBPY_OK) {
    std::fprintf(stderr, "%s\n", subpy_status_name(status));
    std::exit(1);
  }
}

inline subpy_id create() {
  subpy_id id = 0;
  check(subpy_create(nullptr, &id, nullptr));
  return id;
}

inline void run(subpy_id id, const char *code) { check(subpy_run_string(id, code, nullptr)); }

inline PyThreadState *raw_interpreter() {
  static PyThreadState *const state = raw::create();
  return state;
}

inline subpy_id c_interpreter() {
  static const subpy_id id = create();
  return id;
}

inline subpy::Interpreter &cpp_interpreter() {
  static auto *const interpreter = new subpy::Interpreter;
  return *interpreter;
}
