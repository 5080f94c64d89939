/*
 * Two versions of Python in one process: subpy is built for one, and the process has another. It is refused, and told
 * which two there are and where.
 */
#include "child.h"

#include <dlfcn.h>

static void refused(int flags) {
  CHECK(dlopen(SUBPY_OTHER_PYTHON, RTLD_NOW | flags) != NULL, "%s", dlerror());
  void *library = dlopen(SUBPY_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  CHECK(library != NULL, "%s", dlerror());
  __typeof__(&subpy_initialize) initialize;
  __typeof__(&subpy_error_message) error_message;
  *(void **)&initialize = dlsym(library, "subpy_initialize");
  *(void **)&error_message = dlsym(library, "subpy_error_message");
  for (int i = 0; i < 2; i++) {
    subpy_error *error = NULL;
    CHECK_EQUAL(initialize(NULL, &error), SUBPY_ERR_UNSUPPORTED);
    CHECK_CONTAINS(error_message(error), "Python " SUBPY_PYTHON_MINOR);
    CHECK_CONTAINS(error_message(error), SUBPY_LIBRARY);
    CHECK_CONTAINS(error_message(error), "Python 3.2.1");
    CHECK_CONTAINS(error_message(error), SUBPY_OTHER_PYTHON);
  }
}

static void libpython(void *argument) {
  (void)argument;
  refused(RTLD_GLOBAL);
}

static void copy(void *argument) {
  (void)argument;
  refused(RTLD_LOCAL);
}

static void test_other_libpython(void **state) { IN_CHILD(libpython, *state); }

static void test_copy_for_other_python(void **state) { IN_CHILD(copy, *state); }

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_other_libpython),
      cmocka_unit_test(test_copy_for_other_python),
  };
  return RUN_TESTS(tests);
}
