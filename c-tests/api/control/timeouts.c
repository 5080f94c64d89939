/* subpy_run_options::timeout_ms and measure: a run that takes too long ends, and no other one. */
#include "stop.h"

#include <dirent.h>

enum { AN_HOUR = 3600 * 1000, SHORT = 50 };

static subpy_run_options limit(uint64_t timeout_ms) {
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  limit_to(&options, timeout_ms);
  return options;
}

/* Runs code that has to end in time. */
#define RUN_LIMITED(id, timeout_ms, code)                                                          \
  do {                                                                                             \
    const subpy_run_options options = limit(timeout_ms);                                           \
    EXPECT(SUBPY_OK, subpy_run_string_with(id, &options, code, strlen(code), &error));             \
  } while (0)

static void ignore_output(void *user, const char *text, size_t length) {
  (void)user, (void)text, (void)length;
}

static subpy_id create_quiet(void) {
  subpy_id id;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.stdout_fn = config.stderr_fn = ignore_output;
  CREATE(&config, &id);
  return id;
}

static subpy_interpreter_stats stats_of(subpy_id id) {
  subpy_interpreter_stats stats = SUBPY_INTERPRETER_STATS_INIT;
  EXPECT(SUBPY_OK, subpy_stats(id, &stats, &error));
  return stats;
}

static void test_endless(void **state) {
  const struct endless *script = *state;
  if (!python_at_least(3, script->since)) {
    skip();
  }
  const subpy_id id = create_quiet();
  const subpy_run_options options = limit(SHORT);
  RUN(id, "import asyncio, contextlib, threading");
  CHECK_STOPPED(SUBPY_ERR_TIMEOUT, run_for(id, &options, script->code), script->part);
  CHECK(stats_of(id).last_wall_ns >= SHORT * 1000000ull, "it took %llu ns",
        (unsigned long long)stats_of(id).last_wall_ns);
  RUN(id, "for _ in range(10000): pass");
  EXPECT(SUBPY_OK, destroy_within(id, AN_HOUR, &error));
}

static void test_in_time(void **state) {
  (void)state;
  const subpy_id id = create_quiet();
  RUN_LIMITED(id, AN_HOUR, "x = 1");
  RUN_LIMITED(id, UINT64_MAX, "x = 1");
  const subpy_run_options options = limit(AN_HOUR);
  subpy_error *error = run_for(id, &options, "1 / 0");
  CHECK_EQUAL(subpy_error_status(error), SUBPY_ERR_EXCEPTION);
  CHECK_TEXT(subpy_error_type(error), "ZeroDivisionError");
  subpy_error_free(error);
  error = run_for(id, &options, "raise SystemExit(3)");
  CHECK_EQUAL(subpy_error_status(error), SUBPY_ERR_EXIT);
  CHECK_EQUAL(subpy_error_exit_code(error), 3);
  subpy_error_free(error);
  error = run_for(id, &options, "raise KeyboardInterrupt");
  CHECK_EQUAL(subpy_error_status(error), SUBPY_ERR_EXCEPTION);
  subpy_error_free(error);
  DESTROY(id);
}

static void test_a_script_may_catch_it_and_end(void **state) {
  (void)state;
  const subpy_id id = create_quiet();
  const subpy_run_options options = limit(SHORT);
  static const char code[] = "try:\n"
                             "  while True: pass\n"
                             "except KeyboardInterrupt: caught = True\n"
                             "x = 1\n";
  subpy_error *error = run_for(id, &options, code);
  /* What takes more than 10 ms, on a busy machine, is interrupted again. */
  for (int again = 0; again < 100 && error != NULL; again++) {
    CHECK_STOPPED(SUBPY_ERR_TIMEOUT, error, "line ");
    error = run_for(id, &options, code);
  }
  CHECK(error == NULL, "%s", subpy_error_message(error));
  RUN(id, "assert caught and x == 1");
  DESTROY(id);
}

static void test_with_and_finally_are_not_left_out(void **state) {
  (void)state;
  const subpy_id id = create_quiet();
  const subpy_run_options options = limit(SHORT);
  RUN(id, "import threading\nlock = threading.Lock()");
  for (size_t i = 0; i < COUNT(loops); i++) {
    static const char *const around[] = {
        "left = False\n"
        "def run():\n"
        "  global left\n"
        "  done, x = None, 0\n"
        "  try:\n"
        "    %s\n"
        "  finally: left = not left\n"
        "seen = {run.__code__}\n"
        "run()\n",
        "def run():\n"
        "  done, x = None, 0\n"
        "  with lock:\n"
        "    %s\n"
        "seen = {run.__code__}\n"
        "run()\n",
    };
    for (size_t j = 0; j < COUNT(around); j++) {
      char code[2000];
      CHECK(snprintf(code, sizeof code, around[j], loops[i]) < (int)sizeof code, "it is too long");
      CHECK_STOPPED(SUBPY_ERR_TIMEOUT, run_for(id, &options, code), ", in run\n");
      RUN(id, "assert run.__code__ in seen");
    }
    subpy_error *error =
        run_for(id, NULL, "assert left\nassert lock.acquire(False)\nlock.release()");
    CHECK(error == NULL, "after %s: %s", loops[i], subpy_error_traceback(error));
  }
  DESTROY(id);
}

/* 3.14 looks for exceptions between the call of `__enter__` and the block. */
static void test_a_lock_is_given_back(void **state) {
  (void)state;
  const subpy_id id = create_quiet();
  const subpy_run_options options = limit(1);
  RUN(id, "import threading\nlock = threading.Lock()");
  for (int i = 0; i < 200; i++) {
    CHECK_STOPPED(SUBPY_ERR_TIMEOUT, run_for(id, &options, "while True:\n  with lock: pass"),
                  "line ");
    RUN(id, "assert lock.acquire(False)\nlock.release()");
  }
  DESTROY(id);
}

static void test_eval_and_call(void **state) {
  (void)state;
  const subpy_id id = create_quiet();
  const subpy_run_options run = limit(SHORT);
  subpy_call_options options = SUBPY_CALL_OPTIONS_INIT;
  options.run = &run;
  RUN(id, "def endless():\n  while True: pass\n");
  REFUSES(SUBPY_ERR_TIMEOUT, "longer than it was given",
          subpy_call_with(id, &options, "endless", NULL, 0, NULL, &error));
  REFUSES(SUBPY_ERR_TIMEOUT, "longer than it was given",
          subpy_eval_with(id, &options, "endless()", 9, NULL, &error));
  RUN(id, "x = 1");
  DESTROY(id);
}

static void test_wrong_options(void **state) {
  (void)state;
  const subpy_id id = create_quiet();
  subpy_run_options options = limit(SHORT);
  options.measure = 2;
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "measure",
          subpy_run_string_with(id, &options, "x = 1", 5, &error));
  options = limit(SHORT);
  options.struct_size = 0;
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "struct_size",
          subpy_run_string_with(id, &options, "x = 1", 5, &error));
  EXPECT(SUBPY_ERR_EXCEPTION, subpy_run_string(id, "x", &error));
  DESTROY(id);
}

static void test_measure(void **state) {
  (void)state;
  static const char work[] = "for _ in range(100000): pass";
  const subpy_id id = create_quiet();
  CHECK_EQUAL(stats_of(id).last_wall_ns, 0);
  CHECK_EQUAL(stats_of(id).last_cpu_ns, 0);
  RUN(id, work);
  CHECK_EQUAL(stats_of(id).last_wall_ns, 0);
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.measure = 1;
  EXPECT(SUBPY_OK, subpy_run_string_with(id, &options, work, strlen(work), &error));
  const subpy_interpreter_stats busy = stats_of(id);
  CHECK(busy.last_cpu_ns > 0 && busy.last_wall_ns > 0, "nothing was measured");
  RUN(id, work);
  CHECK_EQUAL(stats_of(id).last_wall_ns, busy.last_wall_ns);
  static const char idle[] = "import time; time.sleep(0.05)";
  EXPECT(SUBPY_OK, subpy_run_string_with(id, &options, idle, strlen(idle), &error));
  CHECK(stats_of(id).last_wall_ns >= 50000000, "wall time");
  CHECK(stats_of(id).last_cpu_ns < stats_of(id).last_wall_ns, "CPU time of one that sleeps");
  RUN_LIMITED(id, AN_HOUR, work);
  CHECK(stats_of(id).last_cpu_ns > 0, "one with a limit is measured");
  DESTROY(id);
}

static size_t threads_of_process(void) {
  size_t count = 0;
  DIR *tasks = opendir("/proc/self/task");
  CHECK(tasks != NULL, "no /proc/self/task");
  for (const struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
    count += entry->d_name[0] != '.';
  }
  closedir(tasks);
  return count;
}

static void test_ten_thousand_timers(void **state) {
  (void)state;
  const subpy_id id = create_quiet();
  RUN_LIMITED(id, AN_HOUR, "x = 0"); /* the timer thread is there from now on */
  const size_t before = threads_of_process();
  for (int i = 0; i < 10000; i++) {
    RUN_LIMITED(id, i % 2 ? AN_HOUR : 10000 + i, "x += 1");
  }
  CHECK_EQUAL(threads_of_process(), before);
  RUN(id, "assert x == 10000");
  DESTROY(id);
}

/* Runs of about as long as their limit: one is over time or it is not, and the next one never is.
 */
static void test_never_the_next_run(void **state) {
  (void)state;
  const subpy_id id = create_quiet();
  const subpy_run_options options = limit(1);
  int late = 0;
  RUN(id, "import time\nnow = time.perf_counter");
  for (int i = 0; i < 1500; i++) {
    subpy_error *error = run_for(id, &options, "end = now() + 0.00095\nwhile now() < end: pass\n");
    if (error != NULL) {
      CHECK_STOPPED(SUBPY_ERR_TIMEOUT, error, "Traceback");
      late++;
    }
    RUN(id, "for _ in range(100): pass");
  }
  print_message("%d of 1500 runs were late\n", late);
  DESTROY(id);
}

static void *time_out(void *argument) {
  const subpy_id id = create_quiet();
  const subpy_run_options options = limit(*(uint64_t *)argument);
  CHECK_STOPPED(SUBPY_ERR_TIMEOUT, run_for(id, &options, "while True: pass"), "line ");
  RUN(id, "for _ in range(10000): pass");
  DESTROY(id);
  return NULL;
}

static void test_many_at_once(void **state) {
  (void)state;
  uint64_t timeouts[] = {100, 1, 50, 20, 70, 5, 90, 10};
  pthread_t threads[COUNT(timeouts)];
  for (size_t i = 0; i < COUNT(timeouts); i++) {
    threads[i] = thread_start(time_out, &timeouts[i]);
  }
  for (size_t i = 0; i < COUNT(timeouts); i++) {
    thread_join(threads[i]);
  }
}

static void test_an_exception_that_is_read_slowly(void **state) {
  (void)state;
  const subpy_id id = create_quiet();
  const subpy_run_options options = limit(SHORT);
  subpy_error *error = run_for(id, &options,
                               "class E(Exception):\n"
                               "  def __str__(self):\n"
                               "    for _ in range(10 ** 6): pass\n"
                               "    return 'read'\n"
                               "raise E\n");
  CHECK_TEXT(subpy_error_type(error), "E");
  subpy_error_free(error);
  RUN(id, "x = 1");
  DESTROY(id);
}

int main(void) {
  const struct CMUnitTest others[] = {
      cmocka_unit_test(test_in_time),
      cmocka_unit_test(test_a_script_may_catch_it_and_end),
      cmocka_unit_test(test_with_and_finally_are_not_left_out),
      cmocka_unit_test(test_a_lock_is_given_back),
      cmocka_unit_test(test_eval_and_call),
      cmocka_unit_test(test_wrong_options),
      cmocka_unit_test(test_measure),
      cmocka_unit_test(test_ten_thousand_timers),
      cmocka_unit_test(test_never_the_next_run),
      cmocka_unit_test(test_many_at_once),
      cmocka_unit_test(test_an_exception_that_is_read_slowly),
  };
  struct CMUnitTest scripts[COUNT(endless)];
  for (size_t i = 0; i < COUNT(endless); i++) {
    const struct CMUnitTest test = {endless[i].name, test_endless, NULL, NULL, (void *)&endless[i]};
    scripts[i] = test;
  }
  return RUN_TESTS_BETWEEN(scripts, initialize_defaults, NULL) ||
         RUN_TESTS_BETWEEN(others, NULL, finalize_at_last);
}
