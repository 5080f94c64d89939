/* A run: in __main__, which keeps its names, and in nobody else's. */
#include "fixture.h"

static void test_names_stay_from_run_to_run(void **state) {
  (void)state;
  RUN(id, "x = 1\n"
          "def double(n): return 2 * n\n");
  RUN(id, "x = double(x)");
  RUN(id, "assert x == 2, x");
}

static void test_it_runs_in_main(void **state) {
  (void)state;
  RUN(id, "mine = 1");
  RUN(id, "import __main__, sys\n"
          "assert __name__ == '__main__', __name__\n"
          "assert __main__.mine == 1\n"
          "assert globals() is locals() is sys.modules['__main__'].__dict__\n");
}

static void test_the_result_is_thrown_away(void **state) {
  (void)state;
  RUN(id, "'text'\n1 + 1\n");
  RUN(id, "import builtins\nassert not hasattr(builtins, '_')");
}

static void test_the_same_string_runs_each_time(void **state) {
  (void)state;
  RUN(id, "n = 0");
  for (int i = 0; i < 1000; i++) {
    RUN(id, "n += 1");
  }
  RUN(id, "assert n == 1000, n");
}

static void test_a_failed_run_keeps_what_it_has_done(void **state) {
  (void)state;
  subpy_error_free(RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "done = 1\n1 / 0\ndone = 2\n"));
  RUN(id, "assert done == 1, done");
}

static void test_interpreters_share_no_names(void **state) {
  (void)state;
  const subpy_id b = create_second();
  RUN(id, "secret = 1");
  RUN(b, "assert 'secret' not in globals()");
  RUN(b, "secret = 2");
  RUN(id, "assert secret == 1, secret");
}

static void test_interpreters_share_no_modules(void **state) {
  (void)state;
  const subpy_id b = create_second();
  RUN(id, "import builtins, json, sys\n"
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
    RUN_IN_NEW(NULL, "assert 'x' not in globals()\n"
                     "x = 1\n"
                     "import json\n"
                     "assert not hasattr(json, 'mark')\n"
                     "json.mark = 1\n");
  }
}

static void test_annotations_and_classes(void **state) {
  (void)state;
  RUN(id, "class Shape:\n"
          "    sides: int = 4\n"
          "count: int = 3\n"
          "import sys\n"
          "found = sys.modules[__name__].__annotations__\n"
          "assert found == {'count': int}, found\n");
  RUN(id, "assert Shape.__module__ == '__main__' and Shape().sides == 4");
}

static void test_the_standard_library_imports(void **state) {
  (void)state;
  const subpy_id b = create_second();
  const char *const modules =
      "import ast, collections, json, math, os, re, struct, threading, zlib\n"
      "assert json.loads('[1, 2]') == [1, 2]\n"
      "assert math.sqrt(4) == 2\n"
      "assert re.match('a+', 'aab').end() == 2\n";
  RUN(id, modules);
  RUN(b, modules);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_names_stay_from_run_to_run),
      TEST(test_it_runs_in_main),
      TEST(test_the_result_is_thrown_away),
      TEST(test_the_same_string_runs_each_time),
      TEST(test_a_failed_run_keeps_what_it_has_done),
      TEST(test_interpreters_share_no_names),
      TEST(test_interpreters_share_no_modules),
      TEST(test_each_new_one_starts_afresh),
      TEST(test_annotations_and_classes),
      TEST(test_the_standard_library_imports),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
