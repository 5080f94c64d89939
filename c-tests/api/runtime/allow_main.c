/* With allow_main, code runs in the main interpreter as in any other. */
#include "backends.h"

static int initialize(void **state) {
  (void)state;
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.allow_main = 1;
  INITIALIZE(&config);
  return 0;
}

static void *run_in_main(void *argument) {
  (void)argument;
  RUN(0, "calls += 1");
  return NULL;
}

static void test_names_stay(void **state) {
  (void)state;
  RUN(0, "calls = 1");
  in_thread(run_in_main, NULL);
  RUN(0, "assert __name__ == '__main__' and calls == 2, calls");
}

static void test_errors_come_back(void **state) {
  (void)state;
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, 0, "raise ValueError('in main')");
  CHECK_TEXT(subpy_error_message(error), "in main");
  CHECK_CONTAINS(subpy_error_traceback(error), "    raise ValueError('in main')\n");
  subpy_error_free(error);
  error = RUN_FAILS(SUBPY_ERR_EXIT, 0, "import sys; sys.exit(3)");
  CHECK_EQUAL(subpy_error_exit_code(error), 3);
  subpy_error_free(error);
}

static void test_others_do_not_see_it(void **state) {
  (void)state;
  subpy_id id;
  CREATE(NULL, &id);
  RUN(0, "secret = 1");
  RUN(id, "assert 'secret' not in globals()");
  RUN(id, "secret = 2");
  RUN(0, "assert secret == 1");
  DESTROY(id);
}

/* A child that it forks joins its threads at its end, as any Python process does. */
static void *fork_in_main(void *argument) {
  (void)argument;
  RUN(0, "import os, threading\n"
         "me = threading.main_thread()\n"
         "assert threading.current_thread() is me\n"
         "read, write = os.pipe()\n"
         "pid = os.fork()\n"
         "if not pid:\n"
         "  try:\n"
         "    assert threading.current_thread() is me and me.is_alive()\n"
         "    go = threading.Event()\n"
         "    threading._register_atexit(go.set)\n"
         "    threading.Thread(target=lambda: go.wait() and os.write(write, b'.')).start()\n"
         "    threading._shutdown()\n"
         "  finally:\n"
         "    os._exit(0)\n"
         "os.close(write)\n"
         "assert os.read(read, 9) == b'.'\n"
         "os.waitpid(pid, 0)\n"
         "os.close(read)\n");
  return NULL;
}

static void test_it_has_one_main_thread(void **state) {
  (void)state;
  fork_in_main(NULL);
  in_thread(fork_in_main, NULL);
}

static void *see_a_short_interval(void *argument) {
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  limit_to(&options, 20000);
  const char code[] = "import sys\n"
                      "usual = sys.getswitchinterval()\n"
                      "while sys.getswitchinterval() == usual: pass\n"
                      "while sys.getswitchinterval() != usual: pass\n";
  const subpy_status status = subpy_run_string_with(0, &options, code, strlen(code), NULL);
  gate_open(argument);
  CHECK_EQUAL(status, SUBPY_OK);
  return NULL;
}

/* Who makes an interpreter, or imports, while code runs in the main one does not wait 5 ms each time that it needs the
 * main one's GIL. */
static void test_it_gives_way(void **state) {
  (void)state;
  if (!python_at_least(3, 12) ||
      in_processes()) /* who is elsewhere needs no GIL of this process's */
    skip();
  struct gate seen = GATE_INIT;
  pthread_t thread = thread_start(see_a_short_interval, &seen);
  while (!gate_is_open(&seen)) {
    RUN_IN_NEW(NULL, "import json");
  }
  thread_join(thread);
}

static void test_it_is_never_destroyed(void **state) {
  (void)state;
  REFUSES(SUBPY_ERR_NOT_PERMITTED, "main interpreter", subpy_destroy(0, &error));
  RUN(0, "x = 1");
}

static void test_bad_input_as_ever(void **state) {
  (void)state;
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "code", subpy_run_string(0, NULL, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "UTF-8", subpy_run_string(0, "\xff", &error));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_names_stay),           cmocka_unit_test(test_errors_come_back),
      cmocka_unit_test(test_others_do_not_see_it), cmocka_unit_test(test_it_has_one_main_thread),
      cmocka_unit_test(test_it_gives_way),         cmocka_unit_test(test_it_is_never_destroyed),
      cmocka_unit_test(test_bad_input_as_ever),
  };
  return RUN_TESTS_BETWEEN(tests, initialize, finalize_at_last);
}
