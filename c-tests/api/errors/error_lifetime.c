/* An error is plain data: it outlives its interpreter and Python, and any thread may read it. */
#include "support.h"

static void check_error(const subpy_error *error) {
  CHECK_EQUAL(subpy_error_status(error), SUBPY_ERR_EXCEPTION);
  CHECK_TEXT(subpy_error_type(error), "ValueError");
  CHECK_TEXT(subpy_error_message(error), "kept");
  CHECK_CONTAINS(subpy_error_traceback(error),
                 "    raise ValueError('kept') from e\nValueError: kept\n");
  CHECK_EQUAL(subpy_error_exit_code(error), 0);
  CHECK_EQUAL(subpy_error_frame_count(error), 2);
  CHECK_TEXT(subpy_error_frame(error, 1)->source, "        raise ValueError('kept') from e");
  CHECK_TEXT(subpy_value_text(subpy_value_item(subpy_error_args(error), 0)), "kept");
  CHECK_TEXT(subpy_error_note(error, 0), "noted");
  const subpy_error *const cause = subpy_error_cause(error);
  CHECK_TEXT(subpy_error_type(cause), "ZeroDivisionError");
  CHECK_TEXT(subpy_error_frame(cause, 0)->function, "f");
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
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id,
                                 "class ValueError(ValueError):\n"
                                 "    __module__ = 'builtins'\n"
                                 "    __notes__ = ['noted']\n"
                                 "def f():\n"
                                 "    try: 1 / 0\n"
                                 "    except Exception as e:\n"
                                 "        raise ValueError('kept') from e\n"
                                 "f()\n");
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
