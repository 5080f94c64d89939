/*
 * A host that has started Python itself, and holds its GIL: subpy joins, everything works, and the
 * host finds its thread state as it was.
 */
#include "host.h"

static PyThreadState *own;

/* The host's thread is attached as it was before. */
static void check_attached(int line) {
  CHECK(PyThreadState_Get() == own, "line %d: another thread state is attached", line);
  CHECK(PyGILState_GetThisThreadState() == own, "line %d: another one is this thread's", line);
  CHECK(PyGILState_Check(), "line %d: the GIL is not held", line);
  HOST_RUN("assert host_name == 'host'");
}

#define AS_BEFORE() check_attached(__LINE__)

static void test_everything_works_with_the_gil_held(void **state) {
  (void)state;
  subpy_id id;
  size_t count = 0;
  bool running = true;
  CREATE(NULL, &id);
  AS_BEFORE();
  RUN(id, "import json, math, threading\nassert 'host_name' not in globals()");
  AS_BEFORE();
  subpy_error_free(RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "1 / 0"));
  AS_BEFORE();
  EXPECT(SUBPY_OK, subpy_is_running(id, &running, &error));
  CHECK(!running, "running after the run");
  EXPECT(SUBPY_OK, subpy_list_all(NULL, 0, &count, &error));
  CHECK_EQUAL(count, 2);
  DESTROY(id);
  AS_BEFORE();
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_run_string(id, "x = 1", &error));
  AS_BEFORE();
}

static void test_everything_works_with_the_gil_released(void **state) {
  (void)state;
  subpy_id id, current;
  PyEval_SaveThread();
  CREATE(NULL, &id);
  RUN(id, "import json, threading");
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_get_current(&current, &error));
  DESTROY(id);
  CHECK(PyGILState_GetThisThreadState() == own, "another thread state is this thread's");
  PyEval_RestoreThread(own);
  AS_BEFORE();
}

static void *use_in_thread(void *unused) {
  RUN_IN_NEW(NULL, "import threading; x = 1");
  CHECK(PyGILState_GetThisThreadState() == NULL, "a thread state was left behind");
  return unused;
}

static void test_other_threads_work_meanwhile(void **state) {
  (void)state;
  PyThreadState *kept = PyEval_SaveThread();
  in_thread(use_in_thread, NULL);
  PyEval_RestoreThread(kept);
  AS_BEFORE();
}

static void test_the_host_is_in_the_main_interpreter(void **state) {
  (void)state;
  subpy_id id = 7;
  EXPECT(SUBPY_OK, subpy_get_current(&id, &error));
  CHECK_EQUAL(id, 0);
  REFUSES(SUBPY_ERR_NOT_PERMITTED, "allow_main", subpy_run_string(0, "x = 1", &error));
  REFUSES(SUBPY_ERR_NOT_PERMITTED, "main interpreter", subpy_destroy(0, &error));
  AS_BEFORE();
}

static void test_a_config_that_asks_for_other_things(void **state) {
  (void)state;
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.isolated = 0;
  REFUSES(SUBPY_ERR_NOT_PERMITTED, "isolated", subpy_initialize(&config, &error));
  AS_BEFORE();
}

static int start_python_and_join(void **state) {
  (void)state;
  start_python();
  own = PyThreadState_Get();
  HOST_RUN("import sys\n"
           "host_name, host_stdout, host_path = 'host', sys.stdout, list(sys.path)\n"
           "from importlib.machinery import BuiltinImporter, ExtensionFileLoader\n"
           "def loaders(): return BuiltinImporter.exec_module, ExtensionFileLoader.exec_module\n"
           "host_loaders = loaders()\n");

  const char *const paths[] = {"/"};
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.home = "/";
  REFUSES(SUBPY_ERR_NOT_PERMITTED, "home", subpy_initialize(&config, &error));
  config.home = NULL;
  config.import_site = 0;
  REFUSES(SUBPY_ERR_NOT_PERMITTED, "import_site", subpy_initialize(&config, &error));
  config.import_site = 1;
  config.module_search_paths = paths;
  config.module_search_paths_count = 1;
  REFUSES(SUBPY_ERR_NOT_PERMITTED, "module_search_paths", subpy_initialize(&config, &error));
  CHECK(!subpy_is_initialized(), "refused, but initialized");
  AS_BEFORE();

  INITIALIZE(NULL);
  AS_BEFORE();
  return 0;
}

/* What that takes is changed in a libpython only that subpy has started. */
static void test_a_locale_is_refused(void **state) {
  (void)state;
  RUN_IN_NEW(NULL, "import locale\n"
                   "now = locale.setlocale(locale.LC_ALL)\n"
                   "assert locale.setlocale(locale.LC_ALL, now) == now\n"
                   "try: locale.setlocale(locale.LC_NUMERIC, 'C.UTF-8')\n"
                   "except locale.Error as e: assert 'has not started' in str(e), e\n"
                   "else: assert False\n");
}

/* New types get what Python's caches know them by, as if subpy had never been there. */
static void check_new_types(void) {
#if PY_VERSION_HEX >= 0x030C0000
  PyType_Slot slots[] = {{0, NULL}};
  PyType_Spec spec = {"host.made", 0, 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, slots};
  PyObject *made = PyType_FromSpec(&spec);
  CHECK_EQUAL(PyUnstable_Type_AssignVersionTag((PyTypeObject *)made), 1);
  Py_DECREF(made);
#endif
}

static int finalize_again_and_again(void **state) {
  subpy_id id;
  for (int i = 0; i < 3; i++) {
    CREATE(NULL, &id);
    RUN(id, "import threading");
    CHECK_EQUAL(count_interpreters(), 2);
    finalize_at_last(state);
    AS_BEFORE();
    CHECK(Py_IsInitialized(), "the host's Python was finalized");
    CHECK_EQUAL(count_interpreters(), 1);
    CHECK_EQUAL(count_thread_states(), 1);
    HOST_RUN("assert sys.stdout is host_stdout and sys.path == host_path");
    HOST_RUN("assert loaders() == host_loaders");
    check_new_types();
    EXPECT(SUBPY_ERR_NOT_INITIALIZED, subpy_run_string(id, "x = 1", &error));
    EXPECT(SUBPY_ERR_NOT_INITIALIZED, subpy_finalize(&error));
    INITIALIZE(NULL);
    AS_BEFORE();
    EXPECT(SUBPY_ERR_NOT_FOUND, subpy_run_string(id, "x = 1", &error));
  }
  finalize_at_last(state);

  /* Joined as another host would, with its code in the main interpreter. */
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.allow_main = 1;
  INITIALIZE(&config);
  REFUSES(SUBPY_ERR_UNSUPPORTED, "host's own", subpy_configure_main(NULL, &error));
  RUN(0, "assert host_name == 'host'\nfrom_subpy = 1");
  HOST_RUN("assert from_subpy == 1 and sys.stdout is host_stdout");
  finalize_at_last(state);
  AS_BEFORE();

  CHECK_EQUAL(Py_FinalizeEx(), 0);
  CHECK(!subpy_is_initialized(), "initialized, but Python is not");
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_everything_works_with_the_gil_held),
      cmocka_unit_test(test_everything_works_with_the_gil_released),
      cmocka_unit_test(test_other_threads_work_meanwhile),
      cmocka_unit_test(test_the_host_is_in_the_main_interpreter),
      cmocka_unit_test(test_a_config_that_asks_for_other_things),
      cmocka_unit_test(test_a_locale_is_refused),
  };
  return RUN_TESTS_BETWEEN(tests, start_python_and_join, finalize_again_and_again);
}
