// doctest's own code, with main(): compiled once for all the tests in C++. (The header is
// precompiled, so it does not derive the first name from the second any more.)
#define DOCTEST_CONFIG_IMPLEMENT
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#define SUBPY_TESTS_NO_RUNTIME
#include "cpp_support.hpp"

#include <dlfcn.h>

// Goes before the library's: creates an interpreter of the backend under test.
extern "C" subpy_status subpy_create(const subpy_interpreter_config *config, subpy_id *id,
                                     subpy_error **error) {
  static const auto create =
      reinterpret_cast<decltype(&subpy_create)>(dlsym(RTLD_NEXT, "subpy_create"));
  if (!in_processes()) {
    return create(config, id, error);
  }
  const subpy_interpreter_config defaults = SUBPY_INTERPRETER_CONFIG_INIT;
  subpy_interpreter_config used = config ? *config : defaults;
  used.backend = SUBPY_BACKEND_PROCESS;
  return create(&used, id, error);
}
