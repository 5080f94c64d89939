/* What belongs to the host's thread and process is as it was before, after each call and in each callback. */
#define _GNU_SOURCE /* processors, traps */

#include "child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <locale.h>
#include <sched.h>
#include <signal.h>
#include <stdio_ext.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#ifdef __SSE2__
#include <xmmintrin.h>
#endif

extern char **environ;

struct thread_has {
  sigset_t mask;
  locale_t locale;
  int rounding, traps, flags;
  unsigned sse;
  cpu_set_t processors;
  char name[16];
  int nice;
};

struct process_has {
  struct sigaction actions[65];
  char locale[1024], directory[1024], descriptors[1024];
  mode_t umask;
  struct rlimit limits[RLIM_NLIMITS];
  char **environment;
  unsigned long variables; /* a sum over all of them */
  int threads;
  size_t buffers[2];
  int line_buffered[2];
};

/* What a host has before a call. */
struct host_has {
  struct thread_has thread;
  struct process_has process;
  int can_be_cancelled;
};

static void look_at_thread(struct thread_has *seen) {
  memset(seen, 0, sizeof *seen);
  seen->flags = fetestexcept(FE_ALL_EXCEPT);
  seen->rounding = fegetround();
  seen->traps = fegetexcept();
#ifdef __SSE2__
  seen->sse = _mm_getcsr();
#endif
  CHECK_EQUAL(pthread_sigmask(SIG_SETMASK, NULL, &seen->mask), 0);
  seen->locale = uselocale((locale_t)0);
  CHECK_EQUAL(sched_getaffinity(0, sizeof seen->processors, &seen->processors), 0);
  CHECK_EQUAL(prctl(PR_GET_NAME, seen->name), 0);
  seen->nice = getpriority(PRIO_PROCESS, 0);
}

static int count(const char *folder, char *names, size_t room) {
  DIR *entries = opendir(folder);
  CHECK(entries != NULL, "no %s", folder);
  int found = 0;
  size_t length = 0;
  for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
    if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(entries)) {
      found++;
      length += (size_t)snprintf(names + length, room - length, " %s", entry->d_name);
    }
  }
  closedir(entries);
  return found;
}

static int threads(void) {
  char names[1024];
  return count("/proc/self/task", names, sizeof names);
}

static void look_at_process(struct process_has *seen) {
  memset(seen, 0, sizeof *seen);
  for (int number = 1; number < (int)COUNT(seen->actions); number++) {
    if (sigaction(number, NULL, &seen->actions[number]) != 0) {
      CHECK_EQUAL(errno, EINVAL); /* the C library's own */
    }
    seen->actions[number].sa_flags &= SA_RESTART | SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  }
  snprintf(seen->locale, sizeof seen->locale, "%s", setlocale(LC_ALL, NULL));
  CHECK(getcwd(seen->directory, sizeof seen->directory) != NULL, "no working directory");
  seen->umask = umask(0);
  umask(seen->umask);
  for (int which = 0; which < RLIM_NLIMITS; which++) {
    CHECK_EQUAL(getrlimit(which, &seen->limits[which]), 0);
  }
  seen->environment = environ;
  for (char **variable = environ; *variable != NULL; variable++) {
    for (const char *c = *variable; *c != '\0'; c++) {
      seen->variables = seen->variables * 31 + (unsigned char)*c;
    }
  }
  count("/proc/self/fd", seen->descriptors, sizeof seen->descriptors);
  seen->threads = threads();
  FILE *const streams[] = {stdout, stderr};
  for (size_t i = 0; i < COUNT(streams); i++) {
    seen->buffers[i] = __fbufsize(streams[i]);
    seen->line_buffered[i] = __flbf(streams[i]) != 0;
  }
}

static int cancel_state(void) {
  int state;
  CHECK_EQUAL(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state), 0);
  CHECK_EQUAL(pthread_setcancelstate(state, NULL), 0);
  return state;
}

static void check_thread(const struct thread_has *before, const char *when, bool flags_too) {
  struct thread_has now;
  look_at_thread(&now);
  for (int number = 1; number < 65; number++) {
    CHECK(sigismember(&now.mask, number) == sigismember(&before->mask, number),
          "the mask of signal %d, %s", number, when);
  }
  CHECK(now.locale == before->locale, "the thread's locale, %s", when);
  CHECK(now.rounding == before->rounding, "rounding %d, %s", now.rounding, when);
  CHECK(now.traps == before->traps, "traps %#x, %s", (unsigned)now.traps, when);
  CHECK((now.sse & ~0x3fu) == (before->sse & ~0x3fu), "settings %#x, %s", now.sse, when);
  CHECK(!flags_too || now.flags == before->flags, "flags %#x, %s", (unsigned)now.flags, when);
  CHECK(CPU_EQUAL(&now.processors, &before->processors), "processors, %s", when);
  CHECK_TEXT(now.name, before->name);
  CHECK(now.nice == before->nice, "nice %d, %s", now.nice, when);
}

/* The library's own thread, for time limits, is there from the first one to the last subpy_finalize(). */
static void check_process(const struct process_has *before, const char *when, int more_threads) {
  struct process_has now;
  look_at_process(&now);
  for (int number = 1; number < (int)COUNT(now.actions); number++) {
    const bool ignored = (number == SIGPIPE || number == SIGXFSZ) &&
                         strcmp(when, "at the end") != 0 &&
                         before->actions[number].sa_handler == SIG_DFL;
    /* The one that ends waits. */
    if (number == SIGRTMAX && strcmp(when, "at the end") != 0 &&
        before->actions[number].sa_handler == SIG_DFL) {
      CHECK_EQUAL(now.actions[number].sa_flags & (SA_RESTART | SA_SIGINFO | SA_ONSTACK),
                  SA_SIGINFO | SA_ONSTACK);
      continue;
    }
    CHECK(now.actions[number].sa_handler ==
                  (ignored ? SIG_IGN : before->actions[number].sa_handler) &&
              now.actions[number].sa_flags == before->actions[number].sa_flags,
          "signal %d, %s", number, when);
  }
  CHECK(strcmp(now.locale, before->locale) == 0, "locale %s, %s", now.locale, when);
  CHECK(strcmp(now.directory, before->directory) == 0, "in %s, %s", now.directory, when);
  CHECK(strcmp(now.descriptors, before->descriptors) == 0, "descriptors%s and not%s, %s",
        now.descriptors, before->descriptors, when);
  CHECK(now.umask == before->umask, "umask %o, %s", (unsigned)now.umask, when);
  for (int which = 0; which < RLIM_NLIMITS; which++) {
    CHECK(now.limits[which].rlim_cur == before->limits[which].rlim_cur &&
              now.limits[which].rlim_max == before->limits[which].rlim_max,
          "limit %d, %s", which, when);
  }
  CHECK(now.environment == before->environment && now.variables == before->variables,
        "the environment, %s", when);
  for (int i = 0; i < 10000 && threads() > before->threads + more_threads; i++) {
    usleep(1000); /* one that has ended is there for a moment */
  }
  CHECK(threads() <= before->threads + more_threads, "%d threads and not %d, %s", threads(),
        before->threads, when);
  for (size_t i = 0; i < COUNT(now.buffers); i++) {
    CHECK(now.buffers[i] == before->buffers[i] && now.line_buffered[i] == before->line_buffered[i],
          "stdio, %s", when);
  }
}

static struct host_has host;
static pthread_t host_thread;
static int callbacks;

/* In a callback: the thread is the host's. It can't be cancelled there: Python can't be unwound. */
static void look_around(const char *where) {
  callbacks++;
  if (!pthread_equal(pthread_self(), host_thread)) {
    return; /* a script's own */
  }
  check_thread(&host.thread, where, false);
  CHECK_EQUAL(cancel_state(), PTHREAD_CANCEL_DISABLE);
}

static void on_output(void *user, const char *text, size_t length) {
  (void)user, (void)text, (void)length;
  look_around("while output is written");
}

static void on_call(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  look_around(user);
  if (nargs > 0) {
    subpy_host_return(call, &args[0]);
  }
}

static void on_free(void *user) {
  (void)user;
  look_around("when a function is freed");
}

static uint64_t on_deadline(void *user, subpy_id id, uint64_t elapsed_ms) {
  (void)user, (void)id, (void)elapsed_ms;
  return 0; /* in the library's own thread */
}

/* Does a call, and compares. */
#define UNTOUCHED(call)                                                                            \
  do {                                                                                             \
    host.can_be_cancelled = cancel_state();                                                        \
    look_at_thread(&host.thread);                                                                  \
    feclearexcept(FE_ALL_EXCEPT);                                                                  \
    host.thread.flags = 0;                                                                         \
    errno = 4242;                                                                                  \
    call;                                                                                          \
    CHECK_EQUAL(errno, 4242);                                                                      \
    check_thread(&host.thread, "after " #call, true);                                              \
    CHECK_EQUAL(cancel_state(), host.can_be_cancelled);                                            \
    check_process(&host.process, "after " #call, 1);                                               \
  } while (0)

static const char PROGRAM[] = "import asyncio, json, math, signal, subprocess, sys, threading\n"
                              "print('x', 0.1 + 0.2, 1e308 * 10)\n"
                              "async def main(): await asyncio.sleep(0)\n"
                              "asyncio.run(main())\n"
                              "thread = threading.Thread(target=print, args=('y',))\n"
                              "thread.start(); thread.join()\n"
                              "assert host.with_gil(1.5) == 1.5 and host.without_gil(2) == 2\n"
                              "def add(a, b): return host.with_gil(a + b)\n";

static const char LATER[] = "class Late:\n"
                            "  def __del__(self, call=host.with_gil): call()\n"
                            "import atexit, sys; late = sys.late = Late()\n"
                            "atexit.register(host.without_gil)\n";

static void live_a_life(void) {
  subpy_id id;
  subpy_value value, arguments[2];
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  subpy_function_options released = SUBPY_FUNCTION_OPTIONS_INIT;
  subpy_run_options limited = SUBPY_RUN_OPTIONS_INIT;
  config.stdout_fn = on_output;
  released.release_gil = 1;
  limited.timeout_ms = 20;
  limited.deadline_fn = on_deadline;
  subpy_error *failed = NULL;
  host_thread = pthread_self();
  look_at_process(&host.process);
  UNTOUCHED(INITIALIZE(NULL));
  UNTOUCHED(CREATE(&config, &id));
  UNTOUCHED(EXPECT(SUBPY_OK, subpy_define_function(id, "host", "with_gil", on_call,
                                                   "in a function with the GIL", on_free, &error)));
  UNTOUCHED(EXPECT(SUBPY_OK,
                   subpy_define_function_with(id, &released, "host", "without_gil", on_call,
                                              "in a function without the GIL", on_free, &error)));
  UNTOUCHED(RUN(id, "import host"));
  UNTOUCHED(RUN(id, PROGRAM));
  UNTOUCHED(failed = RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "x = 1 / 3\nopen('/nowhere/at/all')"));
  UNTOUCHED(subpy_error_free(failed));
  UNTOUCHED(failed = RUN_FAILS(SUBPY_ERR_EXIT, id, "raise SystemExit(3)"));
  UNTOUCHED(subpy_error_free(failed));
  UNTOUCHED(EXPECT(SUBPY_ERR_TIMEOUT,
                   subpy_run_string_with(id, &limited, "while True: x = 1 / 3", 21, &error)));
  UNTOUCHED(EXPECT(SUBPY_OK, subpy_eval(id, "[1 / 3, 'x', {'y': b'z'}]", &value, &error)));
  UNTOUCHED(EXPECT(SUBPY_OK, subpy_set(id, "kept", &value, &error)));
  UNTOUCHED(subpy_value_clear(&value));
  UNTOUCHED(EXPECT(SUBPY_OK, subpy_get(id, "kept", &value, &error)));
  UNTOUCHED(subpy_value_clear(&value));
  arguments[0] = subpy_float(0.1), arguments[1] = subpy_float(0.2);
  UNTOUCHED(EXPECT(SUBPY_OK, subpy_call(id, "add", arguments, 2, &value, &error)));
  UNTOUCHED(subpy_value_clear(&value));
  UNTOUCHED(EXPECT(SUBPY_ERR_NOT_FOUND, subpy_get(id, "nothing", &value, &error)));
  UNTOUCHED(EXPECT(SUBPY_OK, subpy_interrupt(id, &error)));
  UNTOUCHED(EXPECT(SUBPY_ERR_NOT_FOUND, subpy_run_string(4711, "x", &error)));
  UNTOUCHED(RUN(id, LATER));
  callbacks = 0;
  UNTOUCHED(DESTROY(id));
  CHECK_EQUAL(callbacks, 4); /* an exit function, a finalizer, two functions freed */
  UNTOUCHED(CREATE(NULL, &id));
  UNTOUCHED(RUN(id, "import re"));
  look_at_thread(&host.thread);
  FINALIZE();
  check_thread(&host.thread, "at the end", false);
  CHECK_EQUAL(cancel_state(), host.can_be_cancelled);
  check_process(&host.process, "at the end", 0);
}

static void with_nothing_set(void *unused) {
  (void)unused;
  live_a_life();
}

static void on_signal(int number) { (void)number; }

static void with_all_set(void *rounding) {
  struct sigaction action = {0};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  const int own[] = {SIGINT, SIGPIPE, SIGTERM, SIGUSR1, SIGXFSZ};
  for (size_t i = 0; i < COUNT(own); i++) {
    CHECK_EQUAL(sigaction(own[i], &action, NULL), 0);
  }
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR2);
  CHECK_EQUAL(pthread_sigmask(SIG_SETMASK, &mask, NULL), 0);
  setlocale(LC_ALL, "C.UTF-8");
  locale_t own_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  uselocale(own_locale);
  CHECK_EQUAL(fesetround(*(int *)rounding), 0);
#ifdef __SSE2__
  _mm_setcsr(_mm_getcsr() | 0x8040); /* small numbers are zero */
#endif
  cpu_set_t one;
  CHECK_EQUAL(sched_getaffinity(0, sizeof one, &one), 0);
  for (int i = 0; i < CPU_SETSIZE; i++) {
    if (CPU_COUNT(&one) > 1) {
      CPU_CLR(i, &one);
    }
  }
  CHECK_EQUAL(sched_setaffinity(0, sizeof one, &one), 0);
  CHECK_EQUAL(prctl(PR_SET_NAME, "the host's own"), 0);
  umask(027);
  struct rlimit limit;
  CHECK_EQUAL(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = 200;
  CHECK_EQUAL(setrlimit(RLIMIT_NOFILE, &limit), 0);
  CHECK_EQUAL(chdir("/"), 0);
  setvbuf(stdout, NULL, _IOFBF, 12345);
  CHECK_EQUAL(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL), 0);
  CHECK_EQUAL(setenv("SUBPY_TEST_VARIABLE", "x", 1), 0);
  live_a_life();
}

static void with_traps(void *unused) {
  (void)unused;
  CHECK(feenableexcept(FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW) != -1, "no traps here");
  live_a_life();
}

static void test_a_host_that_has_set_nothing(void **state) {
  (void)state;
  IN_CHILD(with_nothing_set, NULL);
}

static void test_a_host_that_has_set_all(void **state) {
  (void)state;
  int roundings[] = {FE_UPWARD, FE_TOWARDZERO};
  for (size_t i = 0; i < COUNT(roundings); i++) {
    IN_CHILD(with_all_set, &roundings[i]);
  }
}

static void test_a_host_with_traps(void **state) {
  (void)state;
  IN_CHILD(with_traps, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_host_that_has_set_nothing),
      cmocka_unit_test(test_a_host_that_has_set_all),
      cmocka_unit_test(test_a_host_with_traps),
  };
  return RUN_TESTS(tests);
}
