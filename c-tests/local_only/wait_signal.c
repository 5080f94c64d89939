/* The signal that ends waits in C is one of this process's, and what is looked for after it is CPython's code. */
#include "child.h"
#include "stop.h"

#include <dlfcn.h>
#include <sys/prctl.h>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

enum { SHORT = 50 };

static subpy_id id;

static void begin(const subpy_runtime_config *config) {
  INITIALIZE(config);
  CREATE(NULL, &id);
}

static void end(void) {
  DESTROY(id);
  FINALIZE();
}

static bool does_nothing(int number) {
  struct sigaction action;
  CHECK_EQUAL(sigaction(number, NULL, &action), 0);
  return action.sa_handler == SIG_DFL;
}

/* Whether a limit ends a wait: of a second, else. */
static bool ends_wait(void) {
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.timeout_ms = SHORT;
  subpy_error *error = run_for(id, &options, "import time\ntime.sleep(1)\nwhile True: pass");
  CHECK_EQUAL(subpy_error_status(error), SUBPY_ERR_TIMEOUT);
  subpy_error_free(error);
  subpy_interpreter_stats stats = SUBPY_INTERPRETER_STATS_INIT;
  EXPECT(SUBPY_OK, subpy_stats(id, &stats, &error));
  return stats.last_wall_ns < 1000000000;
}

static void by_the_last_free_one(void *unused) {
  (void)unused;
  struct sigaction taken;
  memset(&taken, 0, sizeof taken);
  taken.sa_handler = SIG_IGN;
  CHECK_EQUAL(sigaction(SIGRTMAX, &taken, NULL), 0);
  begin(NULL);
  CHECK(!does_nothing(SIGRTMAX - 1), "another signal was taken");
  CHECK(ends_wait() == subpy_supports(SUBPY_FEATURE_INTERRUPT_WAITS), "it is not as it says");
  end();
  CHECK(does_nothing(SIGRTMAX - 1), "it was not put back");
}

static void by_one_of_the_hosts_choice(void *unused) {
  (void)unused;
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  const int wrong[] = {-1, SIGKILL, 1000, SIGUSR1};
  struct sigaction own;
  memset(&own, 0, sizeof own);
  own.sa_handler = SIG_IGN;
  CHECK_EQUAL(sigaction(SIGUSR1, &own, NULL), 0);
  for (size_t i = 0; i < COUNT(wrong); i++) {
    config.wait_signal = wrong[i];
    REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "wait_signal", subpy_initialize(&config, &error));
  }
  config.wait_signal = SIGUSR2;
  begin(&config);
  CHECK(!does_nothing(SIGUSR2) && does_nothing(SIGRTMAX), "another signal was taken");
  CHECK(ends_wait() == subpy_supports(SUBPY_FEATURE_INTERRUPT_WAITS), "it is not as it says");
  end();
  CHECK(does_nothing(SIGUSR2), "it was not put back");
}

static volatile sig_atomic_t has_come;

static void comes(int number) {
  (void)number;
  has_come = 1;
}

/* None is sent from then on. */
static void taken_by_the_host_later(void *unused) {
  (void)unused;
  begin(NULL);
  struct sigaction own, now;
  memset(&own, 0, sizeof own);
  own.sa_handler = comes;
  CHECK_EQUAL(sigaction(SIGRTMAX, &own, NULL), 0);
  CHECK(!ends_wait(), "the host's signal was sent");
  CHECK(!has_come, "the host's signal was sent");
  end();
  CHECK_EQUAL(sigaction(SIGRTMAX, NULL, &now), 0);
  CHECK(now.sa_handler == comes, "what is the host's was changed");
}

/* The first bytes of CPython's functions. */
static const char *const functions[] = {"PyErr_CheckSignals", "Py_MakePendingCalls"};
enum { BYTES = 16 };

static bool stay_as_they_were(const subpy_runtime_config *config) {
  unsigned char before[COUNT(functions)][BYTES];
  for (size_t i = 0; i < COUNT(functions); i++) {
    memcpy(before[i], dlsym(RTLD_DEFAULT, functions[i]), BYTES);
  }
  begin(config);
  bool same = true;
  for (size_t i = 0; i < COUNT(functions); i++) {
    same = same && memcmp(before[i], dlsym(RTLD_DEFAULT, functions[i]), BYTES) == 0;
  }
  if (same) {
    CHECK(!subpy_supports(SUBPY_FEATURE_INTERRUPT_WAITS), "what could end waits?");
    CHECK(!subpy_supports(SUBPY_FEATURE_INTERRUPT_COMPUTATIONS), "what could end them?");
    CHECK(!ends_wait(), "a wait was ended");
  }
  end();
  return same;
}

static void with_patches_forbidden(void *unused) {
  (void)unused;
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.forbid_patches = 1;
  CHECK(stay_as_they_were(&config), "the code was changed");
}

static void where_no_memory_becomes_executable(void *unused) {
  (void)unused;
  if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) == 0) {
    CHECK(stay_as_they_were(NULL), "the code was changed");
  } /* else this system has no such thing */
}

static void by_default(void *unused) {
  (void)unused;
  CHECK(!stay_as_they_were(NULL), "the code was not changed");
}

/* Other tests leave out what a Python does not support. Those that the tests run with have to. */
static void on_machines_that_it_is_made_for(void *unused) {
  (void)unused;
#ifdef __x86_64__
  begin(NULL);
  CHECK(subpy_supports(SUBPY_FEATURE_INTERRUPT_WAITS), "waits don't end");
  CHECK(subpy_supports(SUBPY_FEATURE_INTERRUPT_COMPUTATIONS), "computations don't end");
  CHECK(ends_wait(), "a wait did not end");
  end();
#endif
}

static void in_an_extension_module(void *unused) {
  (void)unused;
  begin(NULL);
  if (subpy_supports(SUBPY_FEATURE_INTERRUPT_WAITS)) {
    RUN(id,
        "import os, sys\nsys.path.insert(0, '" SUBPY_MODULES "')\nimport reads\nr, w = os.pipe()");
    subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
    options.timeout_ms = SHORT;
    CHECK_STOPPED(SUBPY_ERR_TIMEOUT, run_for(id, &options, "reads.read(r)"), "reads.read");
    RUN(id, "os.write(w, b'x')\nassert reads.read(r) == b'x'");
  }
  end();
}

static subpy_id far;

/* host.wait(): a call of another process, for which the thread lets go of the GIL, and then a wait of the host's own. */
static void wait_in_host(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  const struct timespec time = {0, 4 * SHORT * 1000000L};
  (void)call, (void)args, (void)nargs;
  RUN(far, "x = 1");
  *(int *)user = clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
}

/* The limit is over while the host waits: it is the run that is to end, and not that. */
static void never_in_the_host(void *unused) {
  (void)unused;
  int ended = -1;
  begin(NULL);
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.backend = SUBPY_BACKEND_PROCESS;
  EXPECT(SUBPY_OK, subpy_create(&config, &far, &error));
  EXPECT(SUBPY_OK, subpy_define_function(id, "host", "wait", wait_in_host, &ended, NULL, &error));
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.timeout_ms = SHORT;
  subpy_error_free(run_for(id, &options, "import host\nhost.wait()\nwhile True: pass"));
  CHECK_EQUAL(ended, 0);
  DESTROY(far);
  end();
}

#define IN_A_PROCESS(name)                                                                         \
  static void test_##name(void **state) {                                                          \
    (void)state;                                                                                   \
    IN_CHILD(name, NULL);                                                                          \
  }

IN_A_PROCESS(by_the_last_free_one)
IN_A_PROCESS(by_one_of_the_hosts_choice)
IN_A_PROCESS(taken_by_the_host_later)
IN_A_PROCESS(with_patches_forbidden)
IN_A_PROCESS(where_no_memory_becomes_executable)
IN_A_PROCESS(by_default)
IN_A_PROCESS(on_machines_that_it_is_made_for)
IN_A_PROCESS(in_an_extension_module)
IN_A_PROCESS(never_in_the_host)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_by_the_last_free_one),
      cmocka_unit_test(test_by_one_of_the_hosts_choice),
      cmocka_unit_test(test_taken_by_the_host_later),
      cmocka_unit_test(test_with_patches_forbidden),
      cmocka_unit_test(test_where_no_memory_becomes_executable),
      cmocka_unit_test(test_by_default),
      cmocka_unit_test(test_on_machines_that_it_is_made_for),
      cmocka_unit_test(test_in_an_extension_module),
      cmocka_unit_test(test_never_in_the_host),
  };
  return RUN_TESTS(tests);
}
