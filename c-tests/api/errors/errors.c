/* An exception comes back with its type and its message. */
#include "fixture.h"

static void check_raised(int line, const char *code, const char *type, const char *message) {
  subpy_error *error = run_fails(__FILE__, line, SUBPY_ERR_EXCEPTION, id, code);
  CHECK_TEXT(subpy_error_type(error), type);
  CHECK_TEXT(subpy_error_message(error), message);
  CHECK_EQUAL(subpy_error_status(error), SUBPY_ERR_EXCEPTION);
  CHECK_EQUAL(subpy_error_exit_code(error), 0);
  CHECK_CONTAINS(subpy_error_traceback(error), type);
  subpy_error_free(error);
}

#define RAISES(code, type, message) check_raised(__LINE__, code, type, message)

static void test_type_and_message(void **state) {
  (void)state;
  RAISES("raise ValueError('no good')", "ValueError", "no good");
  RAISES("raise ValueError", "ValueError", "");
  RAISES("1 / 0", "ZeroDivisionError", "division by zero");
  RAISES("undefined", "NameError", "name 'undefined' is not defined");
  RAISES("raise KeyError('k')", "KeyError", "'k'");
  RAISES("raise KeyboardInterrupt", "KeyboardInterrupt", "");
  RAISES("raise GeneratorExit('g')", "GeneratorExit", "g");
  RAISES("raise Exception(1, 'two')", "Exception", "(1, 'two')");
  RAISES("import no_such_module", "ModuleNotFoundError", "No module named 'no_such_module'");
}

static void test_a_type_has_its_module_in_front(void **state) {
  (void)state;
  RAISES("import json; json.loads('[')", "json.decoder.JSONDecodeError",
         "Expecting value: line 1 column 2 (char 1)");
  RAISES("import struct; raise struct.error('e')", "struct.error", "e");
  RAISES("class Oops(Exception): __module__ = 'package.module'\n"
         "raise Oops('o')",
         "package.module.Oops", "o");
}

static void test_a_type_of_main_has_none(void **state) {
  (void)state;
  RAISES("class Mine(Exception): pass\n"
         "raise Mine('m')",
         "Mine", "m");
  RAISES("class Outer:\n"
         "    class Inner(Exception): pass\n"
         "raise Outer.Inner('i')",
         "Outer.Inner", "i");
}

static void test_text_of_any_script(void **state) {
  (void)state;
  RAISES("raise ValueError('\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80')", "ValueError",
         "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  RAISES("class \xc3\x89t\xc3\xa9(Exception): pass\nraise \xc3\x89t\xc3\xa9", "\xc3\x89t\xc3\xa9",
         "");
}

static void test_a_nul_in_a_message_is_written_out(void **state) {
  (void)state;
  RAISES("raise ValueError('before\\0after')", "ValueError", "before\\x00after");
}

static void test_a_lone_surrogate_in_a_message(void **state) {
  (void)state;
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "raise ValueError('a\\udc80b')");
  CHECK_TEXT(subpy_error_type(error), "ValueError");
  CHECK_TEXT(subpy_error_message(error), "a\\udc80b");
  CHECK_CONTAINS(subpy_error_traceback(error), "ValueError: a\\udc80b");
  subpy_error_free(error);
}

static void test_a_message_of_a_megabyte_is_whole(void **state) {
  (void)state;
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "raise ValueError('x' * (1 << 20))");
  CHECK_EQUAL(strlen(subpy_error_message(error)), 1 << 20);
  subpy_error_free(error);
}

/* What is asked after it finds no exception of its own. */
static void test_a_type_that_says_its_name_but_not_its_module(void **state) {
  (void)state;
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id,
                                 "class Meta(type):\n"
                                 "    def __getattribute__(cls, name):\n"
                                 "        if name == '__module__': raise RuntimeError(name)\n"
                                 "        return type.__getattribute__(cls, name)\n"
                                 "class Mine(Exception, metaclass=Meta): pass\n"
                                 "raise Mine('m')");
  CHECK_TEXT(subpy_error_type(error), "Mine");
  CHECK_TEXT(subpy_error_message(error), "m");
  subpy_error_free(error);
}

static void test_an_exception_that_cannot_say_what_it_is(void **state) {
  (void)state;
  const char *const codes[] = {
      "class Mute(Exception):\n"
      "    def __str__(self): raise RuntimeError('not even this')\n"
      "raise Mute\n",
      "class Mute(Exception):\n"
      "    def __str__(self): return 42\n"
      "raise Mute\n",
      "class Mute(Exception):\n"
      "    def __str__(self): raise SystemExit(3)\n"
      "raise Mute\n",
  };
  for (size_t i = 0; i < COUNT(codes); i++) {
    subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id, codes[i]);
    CHECK_TEXT(subpy_error_type(error), "Mute");
    CHECK(*subpy_error_message(error) != '\0', "no message at all");
    CHECK_CONTAINS(subpy_error_traceback(error), "Mute");
    subpy_error_free(error);
  }
  RUN(id, "assert True");
}

static void test_code_that_cannot_be_compiled(void **state) {
  (void)state;
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "x = (");
  CHECK_TEXT(subpy_error_type(error), "SyntaxError");
  CHECK_CONTAINS(subpy_error_message(error), "'(' was never closed");
  subpy_error_free(error);
  error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "if True:\npass");
  CHECK_TEXT(subpy_error_type(error), "IndentationError");
  subpy_error_free(error);
  error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "return 1");
  CHECK_TEXT(subpy_error_type(error), "SyntaxError");
  subpy_error_free(error);
}

static void test_recursion_without_end_and_memory_without_end(void **state) {
  (void)state;
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "def f(): f()\nf()");
  CHECK_TEXT(subpy_error_type(error), "RecursionError");
  CHECK_CONTAINS(subpy_error_traceback(error), "more times]");
  subpy_error_free(error);
  error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "x = bytes(1 << 62)");
  CHECK_TEXT(subpy_error_type(error), "MemoryError");
  subpy_error_free(error);
  RUN(id, "assert True");
}

static void test_a_script_that_breaks_the_tools(void **state) {
  (void)state;
  struct capture capture = {0};
  subpy_interpreter_config config = capture_config(&capture);
  subpy_id broken;
  CREATE(&config, &broken);
  RUN(broken, "import builtins, linecache, sys, traceback\n"
              "sys.stdout = sys.stderr = None\n"
              "sys.modules['traceback'] = None\n"
              "del builtins.set\n");
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, broken, "raise ValueError('still')");
  CHECK_TEXT(subpy_error_type(error), "ValueError");
  CHECK_TEXT(subpy_error_message(error), "still");
  CHECK(*subpy_error_traceback(error) != '\0', "no traceback at all");
  subpy_error_free(error);
  DESTROY(broken);
  capture_clear(&capture);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_type_and_message),
      TEST(test_a_type_has_its_module_in_front),
      TEST(test_a_type_of_main_has_none),
      TEST(test_text_of_any_script),
      TEST(test_a_nul_in_a_message_is_written_out),
      TEST(test_a_lone_surrogate_in_a_message),
      TEST(test_a_message_of_a_megabyte_is_whole),
      TEST(test_a_type_that_says_its_name_but_not_its_module),
      TEST(test_an_exception_that_cannot_say_what_it_is),
      TEST(test_code_that_cannot_be_compiled),
      TEST(test_recursion_without_end_and_memory_without_end),
      TEST(test_a_script_that_breaks_the_tools),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
