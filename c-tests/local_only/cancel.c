/* A thread that is cancelled in a call is cancelled when the call has returned. */
#include "support.h"

struct cancelled {
  subpy_id id;
  const char *code;
  struct gate inside, go_on;
  subpy_status status;
  bool returned;
};

static void wait_here(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  struct cancelled *cancelled = user;
  (void)call, (void)args, (void)nargs;
  gate_open(&cancelled->inside);
  gate_wait(&cancelled->go_on); /* where a thread can be cancelled */
}

static void *run(void *argument) {
  struct cancelled *cancelled = argument;
  cancelled->status = subpy_run_string(cancelled->id, cancelled->code, NULL);
  cancelled->returned = true;
  pthread_testcancel();
  return NULL;
}

static void test_a_run(void **state) {
  (void)state;
  const char *const codes[] = {
      "import host, os, select\nhost.wait()\nselect.select([], [], [], "
      "0)\nos.listdir('/')\nprint('x')\ny = 1",
      "import host, sys\nhost.wait()\nopen('/dev/null', 'w').write('x')\nraise ValueError",
  };
  for (size_t i = 0; i < COUNT(codes); i++) {
    for (uint32_t release_gil = 0; release_gil < 2; release_gil++) {
      struct cancelled cancelled = {.inside = GATE_INIT, .go_on = GATE_INIT};
      struct capture capture = {{NULL, 0}, {NULL, 0}};
      const subpy_interpreter_config config = capture_config(&capture);
      subpy_function_options options = SUBPY_FUNCTION_OPTIONS_INIT;
      options.release_gil = release_gil;
      CREATE(&config, &cancelled.id);
      cancelled.code = codes[i];
      EXPECT(SUBPY_OK, subpy_define_function_with(cancelled.id, &options, "host", "wait", wait_here,
                                                  &cancelled, NULL, &error));
      const pthread_t thread = thread_start(run, &cancelled);
      gate_wait(&cancelled.inside);
      CHECK_EQUAL(pthread_cancel(thread), 0);
      gate_open(&cancelled.go_on);
      void *result = NULL;
      CHECK_EQUAL(pthread_join(thread, &result), 0);
      CHECK(result == PTHREAD_CANCELED, "it was not cancelled");
      CHECK(cancelled.returned, "the run did not return");
      CHECK_EQUAL(cancelled.status, i == 0 ? SUBPY_OK : SUBPY_ERR_EXCEPTION);
      RUN(cancelled.id, i == 0 ? "assert y == 1" : "assert host");
      DESTROY(cancelled.id);
      capture_clear(&capture);
    }
  }
}

static void *destroy(void *argument) {
  struct cancelled *cancelled = argument;
  cancelled->status = destroy_within(cancelled->id, UINT64_MAX, NULL);
  cancelled->returned = true;
  pthread_testcancel();
  return NULL;
}

/* It waits for a thread of a script's, which goes on when the one that waits is cancelled. */
static void test_an_end(void **state) {
  (void)state;
  struct cancelled cancelled = {.inside = GATE_INIT, .go_on = GATE_INIT};
  subpy_function_options options = SUBPY_FUNCTION_OPTIONS_INIT;
  options.release_gil = 1;
  CREATE(NULL, &cancelled.id);
  EXPECT(SUBPY_OK, subpy_define_function_with(cancelled.id, &options, "host", "wait", wait_here,
                                              &cancelled, NULL, &error));
  RUN(cancelled.id, "import host, threading\nthreading.Thread(target=host.wait).start()");
  gate_wait(&cancelled.inside);
  const pthread_t thread = thread_start(destroy, &cancelled);
  CHECK_EQUAL(pthread_cancel(thread), 0);
  gate_open(&cancelled.go_on);
  void *result = NULL;
  CHECK_EQUAL(pthread_join(thread, &result), 0);
  CHECK(result == PTHREAD_CANCELED && cancelled.returned, "the call did not return first");
  CHECK_EQUAL(cancelled.status, SUBPY_OK);
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_destroy(cancelled.id, &error));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_run),
      cmocka_unit_test(test_an_end),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
