/* Ways in which the process of an interpreter can end, and what the host sees of each. */
#include "processes.h"
#include "waiting_calls.h"

static pid_t ended_process;

struct end {
  const char *code, *why, *traceback;
  int exit_code, signal;
};

static const struct end ends[] = {
    {"import os\nos._exit(3)", "exited with code 3", "", 3, 0},
    {"def f():\n  import os\n  os.abort()\nf()", "SIGABRT", " in f\n", 0, SIGABRT},
    {"import os\nos.kill(os.getpid(), 9)", "SIGKILL", "", 0, SIGKILL},
    {"import os; os.kill(os.getpid(), 11)", "SIGSEGV", "line 1", 0, SIGSEGV},
    {"import os; os.kill(os.getpid(), 7)", "SIGBUS", "line 1", 0, SIGBUS},
    {"def f():\n  import ctypes\n  ctypes.string_at(0)\nf()", "SIGSEGV", " in f\n", 0, SIGSEGV},
    {"import os, signal\nsignal.signal(signal.SIGTERM, signal.SIG_DFL)\n"
     "os.kill(os.getpid(), signal.SIGTERM)",
     "SIGTERM", "", 0, SIGTERM},
    {"import os\nos.execv('/bin/false', ['false'])", "exited with code 1", "", 1, 0},
    {"import ctypes\nctypes.CDLL(None).exit(7)", "exited with code 7", "", 7, 0},
    {"import ctypes, os\nos.close(0)\nctypes.CDLL(None)._exit(300)", "exited with code 44", "", 44,
     0},
};

static void check_lost(const struct end *end, subpy_error *error) {
  CHECK_EQUAL(subpy_error_status(error), SUBPY_ERR_LOST);
  CHECK_CONTAINS(subpy_error_message(error), end->why);
  CHECK_CONTAINS(subpy_error_traceback(error), end->traceback);
  CHECK_EQUAL(subpy_error_exit_code(error), end->exit_code);
  CHECK_EQUAL(subpy_error_signal(error), end->signal);
  CHECK_TEXT(subpy_error_type(error), "");
  subpy_error_free(error);
}

/* From then on each call says the same, until it is destroyed. */
static void check_is_lost(const struct end *end, subpy_id id) {
  subpy_value value;
  const subpy_value one = subpy_int(1);
  subpy_error *error = NULL;
  bool running = true;
#define LOST(call)                                                                                 \
  CHECK_EQUAL(call, SUBPY_ERR_LOST);                                                               \
  check_lost(end, error)
  LOST(subpy_run_string(id, "x = 1", &error));
  LOST(subpy_eval(id, "1", &value, &error));
  LOST(subpy_get(id, "x", &value, &error));
  LOST(subpy_set(id, "x", &one, &error));
  LOST(subpy_call(id, "builtins:abs", &one, 1, &value, &error));
  LOST(subpy_stop_threads(id, 0, NULL, &error));
#undef LOST
  EXPECT(SUBPY_OK, subpy_is_running(id, &running, &error));
  CHECK(!running, "a process that is gone runs");
  EXPECT(SUBPY_OK, subpy_interrupt(id, &error));
  EXPECT(SUBPY_OK, subpy_kill(id, &error));
  DESTROY(id);
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_run_string(id, "x = 1", &error));
}

static void test_each_way(void **state) {
  (void)state;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.allow_exec = 1;
  for (size_t i = 0; i < COUNT(ends); i++) {
    const subpy_id id = create_process(&config);
    const pid_t process = process_of(id);
    subpy_error *error = RUN_FAILS(SUBPY_ERR_LOST, id, ends[i].code);
    check_lost(&ends[i], error);
    wait_until_gone(process);
    check_is_lost(&ends[i], id);
  }
}

static void test_while_nobody_waits(void **state) {
  (void)state;
  const struct end killed = {NULL, "SIGKILL", "", 0, SIGKILL};
  const subpy_id id = create_process(NULL);
  const pid_t process = process_of(id);
  CHECK_EQUAL(kill(process, SIGKILL), 0);
  wait_until_gone(process);
  check_is_lost(&killed, id);
}

static void test_output_until_then(void **state) {
  (void)state;
  struct capture capture = {0};
  const subpy_interpreter_config config = capture_config(&capture);
  const subpy_id id = create_process(&config);
  subpy_error_free(RUN_FAILS(SUBPY_ERR_LOST, id,
                             "import os, sys\n"
                             "for i in range(1000): print(i)\n"
                             "print('last words', file=sys.stderr)\n"
                             "os._exit(1)"));
  CHECK_CONTAINS(text_of(&capture.out), "\n998\n999\n");
  CHECK_TEXT(text_of(&capture.err), "last words\n");
  DESTROY(id);
  capture_clear(&capture);
}

/* The host kills it. ------------------------------------------------------------------------- */

static void *run_for_ever(void *id) {
  subpy_error *error = RUN_FAILS(SUBPY_ERR_LOST, *(subpy_id *)id, "while True: pass");
  CHECK_CONTAINS(subpy_error_message(error), "the host has killed it");
  CHECK_EQUAL(subpy_error_signal(error), SIGKILL);
  subpy_error_free(error);
  return NULL;
}

static void wait_until_it_runs(subpy_id id) {
  bool running = false;
  while (!running) {
    EXPECT(SUBPY_OK, subpy_is_running(id, &running, &error));
  }
}

static void test_kill(void **state) {
  (void)state;
  subpy_id id = create_process(NULL);
  const pthread_t thread = thread_start(run_for_ever, &id);
  wait_until_it_runs(id);
  EXPECT(SUBPY_OK, subpy_kill(id, &error));
  thread_join(thread);
  EXPECT(SUBPY_OK, subpy_kill(id, &error));
  DESTROY(id);
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_kill(id, &error));
}

static void test_what_has_no_process(void **state) {
  (void)state;
  subpy_id id;
  subpy_destroy_options options = SUBPY_DESTROY_OPTIONS_INIT;
  EXPECT(SUBPY_OK, subpy_create(NULL, &id, &error));
  REFUSES(SUBPY_ERR_UNSUPPORTED, "SUBPY_BACKEND_PROCESS", subpy_kill(id, &error));
  options.kill = 1;
  REFUSES(SUBPY_ERR_UNSUPPORTED, "SUBPY_BACKEND_PROCESS", subpy_destroy_with(id, &options, &error));
  DESTROY(id);
  REFUSES(SUBPY_ERR_UNSUPPORTED, "", subpy_kill(0, &error));
}

static void *run_until_destroyed(void *id) {
  subpy_error_free(RUN_FAILS(SUBPY_ERR_LOST, *(subpy_id *)id, "while True: pass"));
  return NULL;
}

static void test_destroy_with_kill(void **state) {
  (void)state;
  subpy_destroy_options options = SUBPY_DESTROY_OPTIONS_INIT;
  subpy_id id = create_process(NULL);
  const pid_t process = process_of(id);
  const pthread_t thread = thread_start(run_until_destroyed, &id);
  wait_until_it_runs(id);
  REFUSES(SUBPY_ERR_BUSY, "is running", subpy_destroy(id, &error));
  options.kill = 1;
  EXPECT(SUBPY_OK, subpy_destroy_with(id, &options, &error));
  thread_join(thread);
  wait_until_gone(process);
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_destroy(id, &error));
}

/* Calls that wait for their turn. ------------------------------------------------------------- */

static void *kill_it(void *id) {
  EXPECT(SUBPY_OK, subpy_kill(*(subpy_id *)id, &error));
  return NULL;
}

static void *destroy_with_kill(void *id) {
  subpy_destroy_options options = SUBPY_DESTROY_OPTIONS_INIT;
  options.kill = 1;
  EXPECT(SUBPY_OK, subpy_destroy_with(*(subpy_id *)id, &options, &error));
  return NULL;
}

static void *end_its_process(void *id) {
  (void)id;
  CHECK_EQUAL(kill(ended_process, SIGSEGV), 0);
  return NULL;
}

/* They are woken at once, while the run that they wait for stays in a function of the host's. */
static void test_the_end_of_a_process_ends_the_waits(void **state) {
  (void)state;
  void *(*const ways[])(void *) = {kill_it, destroy_with_kill, end_its_process};
  for (size_t way = 0; way < COUNT(ways); way++) {
    struct call calls[3];
    subpy_id id = create_process(NULL);
    ended_process = process_of(id);
    hold_start(id);
    for (size_t i = 0; i < COUNT(calls); i++) {
      call_start(&calls[i], id, "x = 1");
    }
    ways[way](&id);
    for (size_t i = 0; i < COUNT(calls); i++) {
      call_ends(&calls[i], SUBPY_ERR_LOST, "is lost");
    }
    hold_end(SUBPY_ERR_LOST);
    if (ways[way] != destroy_with_kill) {
      DESTROY(id);
    }
  }
}

/* A time limit that a script ignores. --------------------------------------------------------- */

static void test_a_limit_that_is_ignored(void **state) {
  (void)state;
  static const char *const ignores[] = {
      "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
      "sum(range(10 ** 12))",
  };
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.timeout_ms = 20;
  options.kill_after_ms = 50;
  for (size_t i = 0; i < COUNT(ignores); i++) {
    const subpy_id id = create_process(NULL);
    REFUSES(SUBPY_ERR_LOST, "has ignored its time limit",
            subpy_run_string_with(id, &options, ignores[i], strlen(ignores[i]), &error));
    DESTROY(id);
  }
}

static void test_one_that_is_kept(void **state) {
  (void)state;
  const char code[] = "import time\nend = time.monotonic() + 0.2\n"
                      "while time.monotonic() < end: sum(range(10 ** 6))";
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.timeout_ms = 20;
  options.kill_after_ms = SUBPY_FOREVER;
  const subpy_id id = create_process(NULL);
  const subpy_status got = subpy_run_string_with(id, &options, code, strlen(code), NULL);
  CHECK_EQUAL(got, SUBPY_ERR_TIMEOUT);
  RUN(id, "x = 1");
  DESTROY(id);
}

/* When the process that a run waits for is killed, that run has its own time to end. */

struct inner {
  subpy_id id;
  uint64_t goes_on_until;
};

static void run_one_that_is_killed(void *user, subpy_host_call *call, const subpy_value *args,
                                   size_t nargs) {
  (void)call, (void)args, (void)nargs;
  struct inner *inner = user;
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.kill_after_ms = 1900;
  const char code[] = "sum(range(10 ** 15))";
  REFUSES(SUBPY_ERR_LOST, "has ignored its time limit",
          subpy_run_string_with(inner->id, &options, code, strlen(code), &error));
  while (now_ms() < inner->goes_on_until) {
    usleep(1000);
  }
}

static void test_one_that_waits_for_a_killed_one(void **state) {
  (void)state;
  const subpy_id id = create_process(NULL);
  struct inner inner = {create_process(NULL), 0};
  EXPECT(SUBPY_OK,
         subpy_define_function(id, "host", "f", run_one_that_is_killed, &inner, NULL, &error));
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.timeout_ms = 50;
  options.kill_after_ms = 2000;
  inner.goes_on_until = now_ms() + 50 + 2000 + 100;
  const char code[] = "import host\nhost.f()";
  REFUSES(SUBPY_ERR_TIMEOUT, "", subpy_run_string_with(id, &options, code, strlen(code), &error));
  RUN(id, "x = 1");
  DESTROY(id);
  DESTROY(inner.id);
}

/* But what it begins later gives it no more time. */

struct later {
  subpy_id id;
  pid_t outer;
};

static void run_until_it_is_gone(void *user, subpy_host_call *call, const subpy_value *args,
                                 size_t nargs) {
  (void)call, (void)args, (void)nargs;
  const struct later *later = user;
  while (lives(later->outer)) {
    subpy_run_string(later->id, "x = 1", NULL);
  }
}

static void test_one_that_begins_others_later(void **state) {
  (void)state;
  const subpy_id id = create_process(NULL);
  struct later later = {create_process(NULL), process_of(id)};
  EXPECT(SUBPY_OK,
         subpy_define_function(id, "host", "f", run_until_it_is_gone, &later, NULL, &error));
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.timeout_ms = 20;
  options.kill_after_ms = 100;
  const char code[] = "import host\nhost.f()";
  REFUSES(SUBPY_ERR_LOST, "has ignored its time limit",
          subpy_run_string_with(id, &options, code, strlen(code), &error));
  DESTROY(id);
  DESTROY(later.id);
}

static int initialize(void **state) {
  (void)state;
  INITIALIZE(NULL);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_each_way),
      cmocka_unit_test(test_while_nobody_waits),
      cmocka_unit_test(test_output_until_then),
      cmocka_unit_test(test_kill),
      cmocka_unit_test(test_what_has_no_process),
      cmocka_unit_test(test_destroy_with_kill),
      cmocka_unit_test(test_the_end_of_a_process_ends_the_waits),
      cmocka_unit_test(test_a_limit_that_is_ignored),
      cmocka_unit_test(test_one_that_is_kept),
      cmocka_unit_test(test_one_that_waits_for_a_killed_one),
      cmocka_unit_test(test_one_that_begins_others_later),
  };
  return RUN_TESTS_BETWEEN(tests, initialize, finalize_at_last);
}
