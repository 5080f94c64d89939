/* Tracebacks read as Python prints them. */
#include "fixture.h"

/* The traceback of a string that is run under a file name; "" and a failed check if it succeeds. */
static subpy_error *fails_in(const char *filename, const char *code) {
  subpy_error *error = UNWRITTEN;
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.filename = filename;
  subpy_status got = subpy_run_string_with(id, &options, code, strlen(code), &error);
  CHECK(got == SUBPY_ERR_EXCEPTION, "%s: %s", subpy_status_name(got), subpy_error_message(error));
  return error;
}

static void test_the_whole_text(void **state) {
  (void)state;
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id,
                                 "def f():\n"
                                 "    raise ValueError('no good')\n"
                                 "f()\n");
  char expected[256];
  snprintf(expected, sizeof expected,
           "Traceback (most recent call last):\n"
           "  File \"<string>\", line 3, in <module>\n"
           "    f()\n"
           "%s"
           "  File \"<string>\", line 2, in f\n"
           "    raise ValueError('no good')\n"
           "ValueError: no good\n",
           python_at_least(3, 13) ? "    ~^^\n" : "");
  CHECK_TEXT(subpy_error_traceback(error), expected);
  subpy_error_free(error);
}

static void test_it_is_what_python_prints(void **state) {
  (void)state;
  struct capture capture = {0};
  subpy_interpreter_config config = capture_config(&capture);
  subpy_id other;
  CREATE(&config, &other);
  const char *const code = "import json, traceback\n"
                           "try:\n"
                           "    json.loads('[')\n"
                           "except ValueError as e:\n"
                           "    traceback.print_exc()\n"
                           "    raise\n";
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, other, code);
  CHECK_TEXT(subpy_error_traceback(error), text_of(&capture.err));
  CHECK_CONTAINS(subpy_error_traceback(error), "    json.loads('[')\n");
  subpy_error_free(error);
  DESTROY(other);
  capture_clear(&capture);
}

static void test_the_file_name_is_shown(void **state) {
  (void)state;
  subpy_error *error = fails_in("sc\xc3\xa8nes/level-1.py", "x = 1\n\nx / 0\n");
  CHECK_CONTAINS(subpy_error_traceback(error),
                 "  File \"sc\xc3\xa8nes/level-1.py\", line 3, in <module>\n    x / 0\n");
  subpy_error_free(error);
  error = fails_in("", "x / 0");
  CHECK_CONTAINS(subpy_error_traceback(error), "  File \"\", line 1, in <module>\n");
  subpy_error_free(error);
}

static void test_strings_without_a_name_are_told_apart(void **state) {
  (void)state;
  RUN(id, "def first():\n"
          "    return 1 / 0\n");
  RUN(id, "def second():\n"
          "    # one line down\n"
          "    return first()\n");
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "second()");
  const char *const traceback = subpy_error_traceback(error);
  CHECK_CONTAINS(traceback, "  File \"<string-3>\", line 1, in <module>\n    second()\n");
  CHECK_CONTAINS(traceback, "  File \"<string-2>\", line 3, in second\n    return first()\n");
  CHECK_CONTAINS(traceback, "  File \"<string>\", line 2, in first\n    return 1 / 0\n");
  subpy_error_free(error);
}

static void test_lines_are_those_that_ran_last_under_a_name(void **state) {
  (void)state;
  subpy_error_free(fails_in("a.py", "1 / 0 # old"));
  subpy_error *error = fails_in("a.py", "1 / 0 # new");
  CHECK_CONTAINS(subpy_error_traceback(error), "    1 / 0 # new\n");
  subpy_error_free(error);
}

/* A line ends where Python's own ends, and nowhere else. */
static void test_lines_are_those_of_the_compiler(void **state) {
  (void)state;
  subpy_error *error =
      fails_in("ends.py", "a = '\x0c\xe2\x80\xa8' # no end\r\nb = 1\r1 / 0 # here");
  CHECK_CONTAINS(subpy_error_traceback(error), "line 3, in <module>\n    1 / 0 # here\n");
  subpy_error_free(error);
}

/* linecache has what is kept, for inspect, for debuggers, and for what a script prints itself. */
static void test_scripts_see_the_sources(void **state) {
  (void)state;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.code_cache_entries = 4;
  subpy_id other;
  CREATE(&config, &other);
  RUN(other, "import inspect, linecache\n"
             "class Double:\n"
             "  def of(self, n):\n"
             "    return n * 2");
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.filename = "plugin.py";
  const char *const code = "def check(function):\n"
                           "  assert inspect.getsource(function).endswith('return 3 * r * r\\n')\n"
                           "  return function\n"
                           "@check\n"
                           "def area(r):\n"
                           "  return 3 * r * r";
  EXPECT(SUBPY_OK, subpy_run_string_with(other, &options, code, strlen(code), &error));
  RUN(other, "linecache.clearcache()\n"
             "linecache.checkcache()\n"
             "assert inspect.getsource(Double.of) == '  def of(self, n):\\n    return n * 2\\n'\n"
             "assert linecache.getline('plugin.py', 6) == '  return 3 * r * r\\n'\n"
             "assert 'plugin.py' in linecache.cache and linecache.cache.get('other.py') is None\n"
             "assert linecache.getlines('other.py') == []\n");
  /* One that has gone is gone. */
  for (int i = 0; i < 4; i++) {
    char pass[] = "x0 = 1";
    pass[1] = (char)('0' + i);
    RUN(other, pass);
  }
  RUN(other, "assert linecache.getlines('plugin.py') == []\n");
  DESTROY(other);
}

static void test_causes_and_contexts(void **state) {
  (void)state;
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id,
                                 "try:\n"
                                 "    try:\n"
                                 "        {}['key']\n"
                                 "    except KeyError:\n"
                                 "        [].pop()\n"
                                 "except IndexError as e:\n"
                                 "    raise ValueError('at last') from e\n");
  const char *const traceback = subpy_error_traceback(error);
  const char *key = strstr(traceback, "KeyError: 'key'\n\n"
                                      "During handling of the above exception, another exception "
                                      "occurred:\n\n");
  CHECK(key != NULL, "no context:\n%s", traceback);
  const char *cause = strstr(key, "IndexError: pop from empty list\n\n"
                                  "The above exception was the direct cause of the following "
                                  "exception:\n\n");
  CHECK(cause != NULL, "no cause:\n%s", traceback);
  CHECK_CONTAINS(cause, "ValueError: at last\n");
  CHECK_CONTAINS(traceback, "    {}['key']\n");
  CHECK_CONTAINS(traceback, "    [].pop()\n");
  subpy_error_free(error);
}

static void test_a_context_that_is_suppressed(void **state) {
  (void)state;
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id,
                                 "try:\n"
                                 "    {}['key']\n"
                                 "except KeyError:\n"
                                 "    raise ValueError('alone') from None\n");
  CHECK(strstr(subpy_error_traceback(error), "KeyError") == NULL, "%s",
        subpy_error_traceback(error));
  subpy_error_free(error);
}

static void test_notes(void **state) {
  (void)state;
  if (!python_at_least(3, 11)) {
    skip();
  }
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id,
                                 "e = ValueError('noted')\n"
                                 "e.add_note('first note')\n"
                                 "e.add_note('second\\nnote')\n"
                                 "raise e\n");
  CHECK_CONTAINS(subpy_error_traceback(error), "ValueError: noted\nfirst note\nsecond\nnote\n");
  CHECK_TEXT(subpy_error_message(error), "noted");
  subpy_error_free(error);
}

/* Python's module can't print these. */
static void test_a_class_that_hinders_its_traceback(void **state) {
  (void)state;
  static const char *const names[] = {"__notes__", "__cause__", "__suppress_context__",
                                      "__traceback__", "__module__"};
  for (size_t i = 0; i < COUNT(names); i++) {
    char code[500];
    snprintf(code, sizeof code,
             "class Hinders(ValueError):\n"
             "  def hinder(self): raise KeyError('hindered')\n"
             "  %s = property(hinder)\n"
             "def run():\n"
             "  raise Hinders('what')\n"
             "run()\n",
             names[i]);
    subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id, code);
    const char *const traceback = subpy_error_traceback(error);
    CHECK_CONTAINS(traceback, "Traceback (most recent call last):\n  File \"<string");
    CHECK_CONTAINS(traceback, ", line 6, in <module>\n    run()\n");
    CHECK_CONTAINS(traceback, ", line 5, in run\n    raise Hinders('what')\n");
    CHECK_CONTAINS(traceback, "Hinders: what\n");
    subpy_error_free(error);
  }
}

static void test_exception_groups(void **state) {
  (void)state;
  if (!python_at_least(3, 11)) {
    skip();
  }
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id,
                                 "def fail(): return 1 / 0\n"
                                 "try:\n"
                                 "    fail()\n"
                                 "except ZeroDivisionError as e:\n"
                                 "    raise ExceptionGroup('two', [e, KeyError('k')])\n");
  const char *const traceback = subpy_error_traceback(error);
  CHECK_TEXT(subpy_error_type(error), "ExceptionGroup");
  CHECK_TEXT(subpy_error_message(error), "two (2 sub-exceptions)");
  CHECK_CONTAINS(traceback, "  +-+---------------- 1 ----------------\n");
  CHECK_CONTAINS(traceback, "    |     def fail(): return 1 / 0\n");
  CHECK_CONTAINS(traceback, "    | KeyError: 'k'\n");
  subpy_error_free(error);
}

static void test_a_syntax_error_points_at_its_place(void **state) {
  (void)state;
  subpy_error *error = fails_in("level.py", "x = 1\ny = 2 +* 3\n");
  CHECK_CONTAINS(subpy_error_traceback(error), "  File \"level.py\", line 2\n"
                                               "    y = 2 +* 3\n"
                                               "           ^\n"
                                               "SyntaxError: invalid syntax\n");
  subpy_error_free(error);
}

static void test_carets_mark_the_expression(void **state) {
  (void)state;
  if (!python_at_least(3, 11)) {
    skip();
  }
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "x = 0\ny = 1 + 2 / x\n");
  CHECK_CONTAINS(subpy_error_traceback(error), "    y = 1 + 2 / x\n"
                                               "            ~~^~~\n");
  subpy_error_free(error);
}

static void test_causes_that_go_in_circles(void **state) {
  (void)state;
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id,
                                 "a, b = ValueError('a'), ValueError('b')\n"
                                 "a.__cause__, b.__cause__ = b, a\n"
                                 "raise a\n");
  CHECK_CONTAINS(subpy_error_traceback(error), "ValueError: b\n");
  CHECK_CONTAINS(subpy_error_traceback(error), "ValueError: a\n");
  subpy_error_free(error);
}

static void test_a_filter_of_lazy_imports_that_raises(void **state) {
  (void)state;
  if (!python_at_least(3, 15)) {
    skip();
  }
  RUN(id, "import sys\n"
          "def refuse(*names): raise ValueError(names)\n"
          "sys.set_lazy_imports('all')\n"
          "sys.set_lazy_imports_filter(refuse)\n");
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "1 / 0");
  CHECK_CONTAINS(subpy_error_traceback(error), "    1 / 0\n");
  subpy_error_free(error);
  RUN(id, "assert sys.get_lazy_imports_filter() is refuse");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_the_whole_text),
      TEST(test_it_is_what_python_prints),
      TEST(test_the_file_name_is_shown),
      TEST(test_strings_without_a_name_are_told_apart),
      TEST(test_lines_are_those_that_ran_last_under_a_name),
      TEST(test_lines_are_those_of_the_compiler),
      TEST(test_scripts_see_the_sources),
      TEST(test_causes_and_contexts),
      TEST(test_a_context_that_is_suppressed),
      TEST(test_notes),
      TEST(test_a_class_that_hinders_its_traceback),
      TEST(test_exception_groups),
      TEST(test_a_syntax_error_points_at_its_place),
      TEST(test_carets_mark_the_expression),
      TEST(test_causes_that_go_in_circles),
      TEST(test_a_filter_of_lazy_imports_that_raises),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
