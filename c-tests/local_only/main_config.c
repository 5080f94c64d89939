/* The main interpreter has a config, where code may run in it. */
#include "backends.h"
#include "support.h"

static struct capture capture;
static subpy_interpreter_config config;

static int initialize(void **state) {
  (void)state;
  subpy_runtime_config runtime = SUBPY_RUNTIME_CONFIG_INIT;
  runtime.allow_main = 1;
  runtime.account_memory = subpy_supports(SUBPY_FEATURE_MEMORY_ACCOUNTS);
  INITIALIZE(&runtime);
  config = capture_config(&capture);
  return 0;
}

/* What can't be, and then nothing has happened. */
static void test_what_it_can_not_be(void **state) {
  (void)state;
  subpy_interpreter_config wrong = config;
  wrong.backend = SUBPY_BACKEND_PROCESS;
  REFUSES(SUBPY_ERR_UNSUPPORTED, "backend", subpy_configure_main(&wrong, &error));
  wrong = config;
  wrong.gil = SUBPY_GIL_OWN;
  REFUSES(SUBPY_ERR_UNSUPPORTED, "gil", subpy_configure_main(&wrong, &error));
  wrong = config;
  wrong.allow_daemon_threads = 0;
  REFUSES(SUBPY_ERR_UNSUPPORTED, "allow_daemon_threads", subpy_configure_main(&wrong, &error));
  wrong = config;
  wrong.allow_interpreters = 1;
  REFUSES(SUBPY_ERR_UNSUPPORTED, "subpy_runtime_config", subpy_configure_main(&wrong, &error));
  wrong.allow_interpreters = 7;
  EXPECT(SUBPY_ERR_INVALID_ARGUMENT, subpy_configure_main(&wrong, &error));
  if (subpy_supports(SUBPY_FEATURE_MEMORY_ACCOUNTS)) {
    uint64_t current; /* it may have nothing before that which is counted */
    RUN(0, "much = bytearray(1 << 20)");
    EXPECT(SUBPY_OK, subpy_memory_usage(0, &current, NULL, &error));
    CHECK(current > (1 << 20) - (32 << 10), "%d bytes", (int)current);
    wrong = config;
    wrong.memory_limit = 1000;
    REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "too low", subpy_configure_main(&wrong, &error));
  }
  RUN(0, "import sys; assert sys.argv == [''] and sys.getrecursionlimit() > 500, sys.argv");
}

static size_t give_line(void *user, char *buffer, size_t length) {
  static const char line[] = "a line\n";
  (void)user;
  CHECK(length > sizeof line, "there is no room");
  memcpy(buffer, line, sizeof line - 1);
  return sizeof line - 1;
}

static void test_it_has_all_of_it(void **state) {
  (void)state;
  const char *const argv[] = {"main.py", "first"}, *const places[] = {"/nowhere/first"};
  config.argv = argv;
  config.argc = 2;
  config.search_paths = places;
  config.search_paths_count = 1;
  config.stdin_fn = give_line;
  config.recursion_limit = 500;
  config.output_limit = 1000;
  config.memory_limit = subpy_supports(SUBPY_FEATURE_MEMORY_ACCOUNTS) ? 200 << 20 : 0;
  EXPECT(SUBPY_OK, subpy_configure_main(&config, &error));
  RUN(0, "import sys\n"
         "assert sys.argv == ['main.py', 'first'], sys.argv\n"
         "assert sys.path[0] == '/nowhere/first', sys.path\n"
         "assert sys.stdin.readline() == 'a line\\n'\n"
         "assert sys.getrecursionlimit() == 500\n"
         "print('out')\n"
         "print('err', file=sys.stderr)\n");
  CHECK_TEXT(capture.out.data, "out\n");
  CHECK_TEXT(capture.err.data, "err\n");
  capture_clear(&capture);
  EXPECT(SUBPY_ERR_EXCEPTION, subpy_run_string(0, "sys.setrecursionlimit(501)", &error));
  REFUSES(SUBPY_ERR_LIMIT, "1000", subpy_run_string(0, "print('x' * 2000)", &error));
  RUN(0, "print('y' * 900)");
  if (config.memory_limit > 0) {
    subpy_error *const error = RUN_FAILS(SUBPY_ERR_EXCEPTION, 0, "x = bytearray(300 << 20)");
    CHECK_TEXT(subpy_error_type(error), "MemoryError");
    subpy_error_free(error);
    RUN(0, "x = bytearray(10 << 20); del x");
  }
  capture_clear(&capture);
  REFUSES(SUBPY_ERR_NOT_PERMITTED, "once", subpy_configure_main(&config, &error));
}

/* Other interpreters are as they were. */
static void test_others_are_not_like_it(void **state) {
  (void)state;
  RUN_IN_NEW(NULL, "import sys\n"
                   "assert sys.argv == [''] and '/nowhere/first' not in sys.path\n"
                   "assert sys.getrecursionlimit() > 500\n");
  CHECK(capture.out.length == 0, "another one has written");
}

static void twice(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user;
  CHECK_EQUAL(nargs, 1);
  const subpy_value result = subpy_int(2 * args[0].as.integer);
  subpy_host_return(call, &result);
}

/* What any other interpreter takes. */
static void test_it_takes_each_call(void **state) {
  (void)state;
  subpy_value value = subpy_none();
  subpy_object object = 0;
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  EXPECT(SUBPY_OK, subpy_define_function(0, "host", "twice", twice, NULL, NULL, &error));
  EXPECT(SUBPY_OK, subpy_add_namespace(0, "plugin", &error));
  options.in_namespace = "plugin";
  options.wait_ms = 1000;
  const char code[] = "import host\ndef f(x): return host.twice(x)\n";
  EXPECT(SUBPY_OK, subpy_run_string_with(0, &options, code, strlen(code), &error));
  EXPECT(SUBPY_OK, subpy_get_object_with(0, &options, "f", &object, &error));
  const subpy_value three = subpy_int(3);
  EXPECT(SUBPY_OK, subpy_object_call(object, &three, 1, &value, &error));
  CHECK_EQUAL(value.as.integer, 6);
  subpy_object_release(object);
  EXPECT(SUBPY_OK, subpy_remove_namespace(0, "plugin", &error));
  EXPECT(SUBPY_OK, subpy_add_module(0, "mine", "x = 5", 5, NULL, &error));
  EXPECT(SUBPY_OK, subpy_import(0, "mine", &error));
  EXPECT(SUBPY_OK,
         subpy_call(0, "builtins:len", (const subpy_value[]){subpy_str("abc")}, 1, &value, &error));
  CHECK_EQUAL(value.as.integer, 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_it_can_not_be),
      cmocka_unit_test(test_it_has_all_of_it),
      cmocka_unit_test(test_others_are_not_like_it),
      cmocka_unit_test(test_it_takes_each_call),
  };
  return RUN_TESTS_BETWEEN(tests, initialize, finalize_at_last);
}
