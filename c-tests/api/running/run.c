/* A run: in __main__, which keeps its names, and in nobody else's. */
#include "support.h"

static subpy_id a, b;

static int create_two(void **state) {
  initialize_defaults(state);
  CREATE(NULL, &a);
  CREATE(NULL, &b);
  return 0;
}

static int destroy_two(void **state) {
  DESTROY(a);
  DESTROY(b);
  return finalize_at_last(state);
}

static void test_names_stay_from_run_to_run(void **state) {
  (void)state;
  RUN(a, "x = 1\n"
         "def double(n): return 2 * n\n");
  RUN(a, "x = double(x)");
  RUN(a, "assert x == 2, x");
}

static void test_it_runs_in_main(void **state) {
  (void)state;
  RUN(a, "mine = 1");
  RUN(a, "import __main__, sys\n"
         "assert __name__ == '__main__', __name__\n"
         "assert __main__.mine == 1\n"
         "assert globals() is locals() is sys.modules['__main__'].__dict__\n");
}

static void test_the_result_is_thrown_away(void **state) {
  (void)state;
  RUN(a, "'text'\n1 + 1\n");
  RUN(a, "import builtins\nassert not hasattr(builtins, '_')");
}

static void test_the_same_string_runs_each_time(void **state) {
  (void)state;
  RUN(a, "n = 0");
  for (int i = 0; i < 1000; i++) {
    RUN(a, "n += 1");
  }
  RUN(a, "assert n == 1000, n");
}

static void test_a_failed_run_keeps_what_it_has_done(void **state) {
  (void)state;
  subpy_error_free(RUN_FAILS(SUBPY_ERR_EXCEPTION, a, "done = 1\n1 / 0\ndone = 2\n"));
  RUN(a, "assert done == 1, done");
}

static void test_interpreters_share_no_names(void **state) {
  (void)state;
  RUN(a, "secret = 1");
  RUN(b, "assert 'secret' not in globals()");
  RUN(b, "secret = 2");
  RUN(a, "assert secret == 1, secret");
}

static void test_interpreters_share_no_modules(void **state) {
  (void)state;
  RUN(a, "import builtins, json, sys\n"
         "builtins.leak = json.leak = sys.leak = 1\n"
         "sys.path.append('leak')\n"
         "sys.modules['leak'] = json\n");
  RUN(b, "import builtins, json, sys\n"
         "assert not hasattr(builtins, 'leak')\n"
         "assert not hasattr(json, 'leak')\n"
         "assert not hasattr(sys, 'leak')\n"
         "assert 'leak' not in sys.path\n"
         "assert 'leak' not in sys.modules\n");
}

static void test_each_new_one_starts_afresh(void **state) {
  (void)state;
  for (int i = 0; i < 5; i++) {
    subpy_id id;
    CREATE(NULL, &id);
    RUN(id, "assert 'x' not in globals()\n"
            "x = 1\n"
            "import json\n"
            "assert not hasattr(json, 'mark')\n"
            "json.mark = 1\n");
    DESTROY(id);
  }
}

static void test_annotations_and_classes(void **state) {
  (void)state;
  RUN(a, "class Shape:\n"
         "    sides: int = 4\n"
         "count: int = 3\n"
         "import sys\n"
         "found = sys.modules[__name__].__annotations__\n"
         "assert found == {'count': int}, found\n");
  RUN(a, "assert Shape.__module__ == '__main__' and Shape().sides == 4");
}

static void test_the_standard_library_imports(void **state) {
  (void)state;
  const char *const modules =
      "import ast, collections, json, math, os, re, struct, threading, zlib\n"
      "assert json.loads('[1, 2]') == [1, 2]\n"
      "assert math.sqrt(4) == 2\n"
      "assert re.match('a+', 'aab').end() == 2\n";
  RUN(a, modules);
  RUN(b, modules);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_names_stay_from_run_to_run),
      cmocka_unit_test(test_it_runs_in_main),
      cmocka_unit_test(test_the_result_is_thrown_away),
      cmocka_unit_test(test_the_same_string_runs_each_time),
      cmocka_unit_test(test_a_failed_run_keeps_what_it_has_done),
      cmocka_unit_test(test_interpreters_share_no_names),
      cmocka_unit_test(test_interpreters_share_no_modules),
      cmocka_unit_test(test_each_new_one_starts_afresh),
      cmocka_unit_test(test_annotations_and_classes),
      cmocka_unit_test(test_the_standard_library_imports),
  };
  return RUN_TESTS_BETWEEN(tests, create_two, destroy_two);
}
