/* SystemExit comes back with the code that the shell would see; the process goes on. */
#include "fixture.h"

static void check_exit(int line, const char *code, int exit_code, const char *message) {
  subpy_error *error = run_fails(__FILE__, line, SUBPY_ERR_EXIT, id, code);
  CHECK(subpy_error_exit_code(error) == exit_code, "%s: it is %d, not %d", code,
        subpy_error_exit_code(error), exit_code);
  CHECK_TEXT(subpy_error_message(error), message);
  CHECK_TEXT(subpy_error_type(error), "SystemExit");
  CHECK_CONTAINS(subpy_error_traceback(error), "SystemExit");
  CHECK_EQUAL(subpy_error_status(error), SUBPY_ERR_EXIT);
  subpy_error_free(error);
  RUN(id, "assert True");
}

#define EXITS(code, exit_code, message) check_exit(__LINE__, code, exit_code, message)

static void test_numbers(void **state) {
  (void)state;
  EXITS("import sys; sys.exit(0)", 0, "0");
  EXITS("import sys; sys.exit(3)", 3, "3");
  EXITS("import sys; sys.exit(255)", 255, "255");
  EXITS("raise SystemExit(7)", 7, "7");
}

static void test_numbers_that_do_not_fit_a_byte(void **state) {
  (void)state;
  EXITS("import sys; sys.exit(256)", 0, "256");
  EXITS("import sys; sys.exit(256 + 44)", 44, "300");
  EXITS("import sys; sys.exit(-1)", 255, "-1");
  EXITS("import sys; sys.exit(10**30)", 255, "1000000000000000000000000000000");
  EXITS("import sys; sys.exit(-10**30)", 255, "-1000000000000000000000000000000");
}

static void test_nothing_is_success(void **state) {
  (void)state;
  EXITS("import sys; sys.exit()", 0, "");
  EXITS("import sys; sys.exit(None)", 0, "");
  EXITS("raise SystemExit", 0, "");
}

static void test_other_objects_are_failure(void **state) {
  (void)state;
  EXITS("import sys; sys.exit('the reason')", 1, "the reason");
  EXITS("import sys; sys.exit('')", 1, "");
  EXITS("import sys; sys.exit((1, 2))", 1, "(1, 2)");
  EXITS("import sys; sys.exit(3.0)", 1, "3.0");
}

static void test_booleans_are_numbers(void **state) {
  (void)state;
  EXITS("import sys; sys.exit(True)", 1, "True");
  EXITS("import sys; sys.exit(False)", 0, "False");
}

static void test_exit_and_quit(void **state) {
  (void)state;
  EXITS("exit(4)", 4, "4");
  EXITS("quit(5)", 5, "5");
}

static void test_a_class_of_its_own(void **state) {
  (void)state;
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXIT, id,
                                 "class Leave(SystemExit): pass\n"
                                 "raise Leave(9)");
  CHECK_TEXT(subpy_error_type(error), "Leave");
  CHECK_EQUAL(subpy_error_exit_code(error), 9);
  subpy_error_free(error);
}

static void test_a_code_that_raises(void **state) {
  (void)state;
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXIT, id,
                                 "class Odd(SystemExit):\n"
                                 "    @property\n"
                                 "    def code(self): raise RuntimeError('no code')\n"
                                 "raise Odd(9)");
  CHECK_EQUAL(subpy_error_exit_code(error), 1);
  subpy_error_free(error);
}

static void test_an_exit_that_is_caught_is_none(void **state) {
  (void)state;
  RUN(id, "import sys\n"
          "try:\n"
          "    sys.exit(3)\n"
          "except SystemExit as e:\n"
          "    caught = e.code\n");
  RUN(id, "assert caught == 3");
}

static void test_nothing_is_written(void **state) {
  (void)state;
  struct capture capture = {0};
  subpy_interpreter_config config = capture_config(&capture);
  subpy_id quiet;
  CREATE(&config, &quiet);
  subpy_error_free(RUN_FAILS(SUBPY_ERR_EXIT, quiet, "import sys; sys.exit('the reason')"));
  subpy_error_free(RUN_FAILS(SUBPY_ERR_EXCEPTION, quiet, "raise ValueError('the reason')"));
  DESTROY(quiet);
  CHECK_TEXT(text_of(&capture.out), "");
  CHECK_TEXT(text_of(&capture.err), "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_numbers),
      TEST(test_numbers_that_do_not_fit_a_byte),
      TEST(test_nothing_is_success),
      TEST(test_other_objects_are_failure),
      TEST(test_booleans_are_numbers),
      TEST(test_exit_and_quit),
      TEST(test_a_class_of_its_own),
      TEST(test_a_code_that_raises),
      TEST(test_an_exit_that_is_caught_is_none),
      TEST(test_nothing_is_written),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
