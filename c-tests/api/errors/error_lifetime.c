/* An error is plain data: it outlives its interpreter and Python, and any thread may read it. */
#include "support.h"

static void check_error(const subpy_error *error) {
  CHECK_EQUAL(subpy_error_status(error), SUBPY_ERR_EXCEPTION);
  CHECK_TEXT(subpy_error_type(error), "ValueError");
  CHECK_TEXT(subpy_error_message(error), "kept");
  CHECK_CONTAINS(subpy_error_traceback(error), "    raise ValueError('kept')\nValueError: kept\n");
  CHECK_EQUAL(subpy_error_exit_code(error), 0);
}

static void *read_error(void *error) {
  check_error(error);
  return NULL;
}

static void *free_error(void *error) {
  check_error(error);
  subpy_error_free(error);
  return NULL;
}

static void test_it_outlives_its_interpreter_and_python(void **state) {
  (void)state;
  subpy_id id;
  INITIALIZE(NULL);
  CREATE(NULL, &id);
  subpy_error *error =
      RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "def f():\n    raise ValueError('kept')\nf()\n");
  const char *const traceback = subpy_error_traceback(error);
  check_error(error);
  in_thread(read_error, error);
  DESTROY(id);
  check_error(error);
  FINALIZE();
  check_error(error);
  CHECK(subpy_error_traceback(error) == traceback, "the string has moved");
  in_thread(free_error, error);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_it_outlives_its_interpreter_and_python),
  };
  return RUN_TESTS(tests);
}
