/* A host that finalizes its own Python before it has given subpy back: subpy's interpreters end before that Python does. */
#include "child.h"
#include "host.h"

static void all_calls_say_that_python_is_gone(void) {
  size_t count = 7;
  subpy_id id;
  CHECK(!subpy_is_initialized(), "initialized, but Python is not");
  EXPECT(SUBPY_ERR_NOT_INITIALIZED, subpy_create(NULL, &id, &error));
  EXPECT(SUBPY_ERR_NOT_INITIALIZED, subpy_run_string(1, "x = 1", &error));
  EXPECT(SUBPY_ERR_NOT_INITIALIZED, subpy_destroy(1, &error));
  EXPECT(SUBPY_ERR_NOT_INITIALIZED, subpy_list_all(NULL, 0, &count, &error));
  CHECK(subpy_initialize(NULL, NULL) != SUBPY_OK, "joined a Python that is gone");

  /* What is left may be given back, or is taken for gone with Python. */
  subpy_status got = subpy_finalize(NULL);
  CHECK(got == SUBPY_OK || got == SUBPY_ERR_NOT_INITIALIZED, "%s", subpy_status_name(got));
  CHECK(!subpy_is_initialized(), "initialized, but Python is not");
}

static void none_left(void *unused) {
  (void)unused;
  start_python();
  INITIALIZE(NULL);
  RUN_IN_NEW(NULL, "x = 1");
  CHECK_EQUAL(Py_FinalizeEx(), 0);
  all_calls_say_that_python_is_gone();
}

/* Each has an exit function, which writes to a pipe. The one that shares the GIL has an idle thread of a pool, too.
 * (CPython 3.12 frees what such a pool allocates into the wrong heap, where each interpreter has one and is the host's.) */
static void some_left(void *unused) {
  (void)unused;
  int ends[2];
  char script[100], written[3] = "";
  CHECK_EQUAL(pipe(ends), 0);
  snprintf(script, sizeof script, "import atexit, os\natexit.register(os.write, %d, b'x')",
           ends[1]);
  start_python();
  INITIALIZE(NULL);
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  subpy_id own, sharing;
  CREATE(NULL, &own);
  RUN(own, script);
  config.gil = SUBPY_GIL_SHARED;
  CREATE(&config, &sharing);
  RUN(sharing, script);
  RUN(sharing, "import concurrent.futures\n"
               "pool = concurrent.futures.ThreadPoolExecutor(1)\n"
               "pool.submit(int).result()");
  CHECK_EQUAL(Py_FinalizeEx(), 0);
  CHECK_EQUAL(read(ends[0], written, sizeof written), 2);
  all_calls_say_that_python_is_gone();
}

static subpy_id endless;

static void *run_for_ever(void *started) {
  subpy_error *error = NULL;
  char script[100];
  snprintf(script, sizeof script,
           "import os, time\nos.write(%d, b'x')\nwhile True: time.sleep(0.001)", *(int *)started);
  CHECK_EQUAL(subpy_run_string(endless, script, &error), SUBPY_ERR_INTERRUPTED);
  subpy_error_free(error);
  EXPECT(SUBPY_ERR_NOT_INITIALIZED, subpy_run_string(endless, "x = 1", &error));
  return NULL;
}

/* Another thread runs in one. (A host gets the GIL below Python 3.12 only if a script lets it go now and then.) */
static void one_runs(void *unused) {
  (void)unused;
  int ends[2];
  char started;
  CHECK_EQUAL(pipe(ends), 0);
  start_python();
  INITIALIZE(NULL);
  CREATE(NULL, &endless);
  PyThreadState *own = PyEval_SaveThread();
  const pthread_t thread = thread_start(run_for_ever, &ends[1]);
  CHECK_EQUAL(read(ends[0], &started, 1), 1);
  PyEval_RestoreThread(own);
  CHECK_EQUAL(Py_FinalizeEx(), 0);
  thread_join(thread);
  all_calls_say_that_python_is_gone();
}

/* An exit function of the host's own, which was registered before, comes after that. */
static void exit_function_uses_subpy(void *unused) {
  (void)unused;
  subpy_id id;
  start_python();
  HOST_RUN(
      "import atexit, ctypes, os\n"
      "def create():\n"
      "    status = ctypes.CDLL(None).subpy_create(None, ctypes.byref(ctypes.c_int64()), None)\n"
      "    if status != 2: os.abort()  # SUBPY_ERR_NOT_INITIALIZED\n"
      "atexit.register(create)");
  INITIALIZE(NULL);
  CREATE(NULL, &id);
  CHECK_EQUAL(Py_FinalizeEx(), 0);
  all_calls_say_that_python_is_gone();
}

#define TEST(work)                                                                                 \
  static void test_##work(void **state) { IN_CHILD(work, *state); }
TEST(none_left)
TEST(some_left)
TEST(one_runs)
TEST(exit_function_uses_subpy)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_none_left),
      cmocka_unit_test(test_some_left),
      cmocka_unit_test(test_one_runs),
      cmocka_unit_test(test_exit_function_uses_subpy),
  };
  return RUN_TESTS(tests);
}
