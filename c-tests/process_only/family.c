/* The processes of interpreters are no family of the host's: it sees none of them end, and none outlives it. */
#include "processes.h"

#include <errno.h>
#include <sys/prctl.h>

static void check_works(void) {
  const subpy_id id = create_process(NULL);
  RUN(id, "x = 1");
  RUN(id, "import subprocess\nassert subprocess.run(['false']).returncode == 1");
  DESTROY(id);
}

/* No `wait()` of the host's meets one. */
static void wait_for_any(void *unused) {
  (void)unused;
  INITIALIZE(NULL);
  const subpy_id id = create_process(NULL);
  CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "the host has a child");
  CHECK(waitpid(-1, NULL, WNOHANG | __WALL) == -1 && errno == ECHILD, "the host has a child");
  DESTROY(id);
  CHECK(waitpid(-1, NULL, WNOHANG | __WALL) == -1 && errno == ECHILD, "the host has a child");
  FINALIZE();
}

static void test_the_host_has_no_child(void **state) {
  (void)state;
  IN_CHILD(wait_for_any, NULL);
}

/* What the zygote is started with besides is not for scripts, nor for what they start. */
static void have_its_environment(void *value) {
  unsetenv("LD_BIND_NOW");
  if (value != NULL) {
    setenv("LD_BIND_NOW", value, 1);
  }
  INITIALIZE(NULL);
  const subpy_id id = create_process(NULL);
  char code[256];
  snprintf(
      code, sizeof code,
      "import os, subprocess\n"
      "assert os.environ.get('LD_BIND_NOW', '') == '%s'\n"
      "assert subprocess.check_output(['sh', '-c', 'echo $LD_BIND_NOW'], text=True) == '%s\\n'\n",
      value != NULL ? (const char *)value : "", value != NULL ? (const char *)value : "");
  RUN(id, code);
  FINALIZE();
}

static void test_the_environment_is_the_hosts(void **state) {
  (void)state;
  char value[] = "1";
  IN_CHILD(have_its_environment, NULL);
  IN_CHILD(have_its_environment, value);
}

static volatile sig_atomic_t told;
static void count_child(int signal) {
  (void)signal;
  told++;
}

static void be_told_of_children(void *unused) {
  (void)unused;
  signal(SIGCHLD, count_child);
  INITIALIZE(NULL);
  check_works();
  CHECK_EQUAL(told, 0);
  FINALIZE();
}

static void ignore_children(void *unused) {
  (void)unused;
  signal(SIGCHLD, SIG_IGN);
  INITIALIZE(NULL);
  check_works();
  FINALIZE();
}

static void block_all_signals(void *unused) {
  (void)unused;
  sigset_t all, blocked;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, NULL);
  INITIALIZE(NULL);
  const subpy_id id = create_process(NULL);
  RUN(id,
      "import signal\n"
      "assert not signal.pthread_sigmask(signal.SIG_BLOCK, []) & {signal.SIGTERM, signal.SIGCHLD}\n"
      "assert signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL");
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  limit_to(&options, 20);
  const char code[] = "import time; time.sleep(1000)";
  EXPECT(SUBPY_ERR_TIMEOUT, subpy_run_string_with(id, &options, code, strlen(code), &error));
  DESTROY(id);
  sigprocmask(SIG_BLOCK, NULL, &blocked);
  CHECK(sigismember(&blocked, SIGTERM) == 1, "the host's mask has changed");
  FINALIZE();
}

static void test_what_the_host_does_about_signals(void **state) {
  (void)state;
  IN_CHILD(be_told_of_children, NULL);
  IN_CHILD(ignore_children, NULL);
  IN_CHILD(block_all_signals, NULL);
}

/* The thread that has made it may end before. */
static void *create_in_thread(void *id) {
  *(subpy_id *)id = create_process(NULL);
  return NULL;
}

static void create_elsewhere(void *unused) {
  (void)unused;
  subpy_id id;
  INITIALIZE(NULL);
  in_thread(create_in_thread, &id);
  usleep(20000); /* a signal at the thread's end would have come by then */
  RUN(id, "x = 1");
  DESTROY(id);
  check_works();
  FINALIZE();
}

static void test_a_thread_that_ends(void **state) {
  (void)state;
  IN_CHILD(create_elsewhere, NULL);
}

/* However the host ends, they end. A child of the host's, which has copies of its descriptors, changes nothing. */
struct processes {
  int ends[2];
  int until[2]; /* closed when a child that the host has forked may end */
  int how;
};

static void end_in_some_way(void *argument) {
  struct processes *processes = argument;
  INITIALIZE(NULL);
  const subpy_id idle = create_process(NULL), busy = create_process(NULL);
  const pid_t numbers[] = {process_of(idle), process_of(busy),
                           (pid_t)number_in(idle, "__import__('os').getppid()")};
  CHECK_EQUAL(write(processes->ends[1], numbers, sizeof numbers), (long)sizeof numbers);
  if (processes->how == 3 && fork() == 0) {
    char byte;
    close(processes->ends[1]);
    close(processes->until[1]);
    _exit(read(processes->until[0], &byte, 1) == 0 ? 0 : 1);
  }
  if (processes->how == 0) {
    kill(getpid(), SIGKILL);
  } else if (processes->how == 1) {
    abort();
  } else if (processes->how == 2) {
    alarm(1); /* SIGALRM ends it while it waits for a run */
    subpy_run_string(busy, "while True: pass", NULL);
  }
  _exit(0);
}

static void test_they_end_with_the_host(void **state) {
  (void)state;
  for (int how = 0; how < 4; how++) {
    struct processes processes;
    pid_t numbers[3];
    processes.how = how;
    CHECK_EQUAL(pipe(processes.ends), 0);
    CHECK_EQUAL(pipe(processes.until), 0);
    child_status(end_in_some_way, &processes);
    close(processes.ends[1]);
    CHECK_EQUAL(read(processes.ends[0], numbers, sizeof numbers), (long)sizeof numbers);
    for (size_t i = 0; i < COUNT(numbers); i++) {
      wait_until_gone(numbers[i]);
    }
    close(processes.ends[0]);
    close(processes.until[0]);
    close(processes.until[1]);
  }
}

/* A host that forks goes on; its child may not use subpy. */
static void fork_and_go_on(void *unused) {
  (void)unused;
  INITIALIZE(NULL);
  const subpy_id id = create_process(NULL);
  RUN(id, "x = 1");
  const pid_t child = fork();
  if (child == 0) {
    _exit(subpy_run_string(id, "x = 2", NULL) == SUBPY_ERR_UNSUPPORTED ? 0 : 1);
  }
  int status = -1;
  CHECK_EQUAL(waitpid(child, &status, 0), child);
  CHECK_EQUAL(status, 0);
  RUN(id, "assert x == 1");
  DESTROY(id);
  FINALIZE();
}

static void test_a_host_that_forks(void **state) {
  (void)state;
  IN_CHILD(fork_and_go_on, NULL);
}

/* As the first process of a container: what has no parent becomes its child. */
static void be_a_subreaper(void *unused) {
  (void)unused;
  CHECK_EQUAL(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  INITIALIZE(NULL);
  check_works();
  const subpy_id id = create_process(NULL);
  subpy_error_free(RUN_FAILS(SUBPY_ERR_LOST, id, "import os; os._exit(1)"));
  DESTROY(id);
  check_works();
  FINALIZE();
}

static void test_a_subreaper(void **state) {
  (void)state;
  IN_CHILD(be_a_subreaper, NULL);
}

/* Nothing is left of what has ended: no process, no descriptor. */
static void come_and_go(void *unused) {
  (void)unused;
  INITIALIZE(NULL);
  check_works();
  const size_t descriptors = entries_of("/proc/self/fd");
  for (int i = 0; i < 100; i++) {
    const subpy_id id = create_process(NULL);
    if (i % 3 == 0) {
      RUN(id, "x = 1");
      EXPECT(SUBPY_OK, subpy_kill(id, &error));
    } else if (i % 3 == 1) {
      RUN(id, "import threading\nthreading.Thread(target=print, args=('',), kwargs={'end': "
              "''}).start()");
    }
    DESTROY(id);
  }
  CHECK_EQUAL(entries_of("/proc/self/fd"), descriptors);
  FINALIZE();
}

static void test_nothing_is_left(void **state) {
  (void)state;
  IN_CHILD(come_and_go, NULL);
}

/* It is started again when it has ended, and its workers with it. */
static void kill_the_one_that_makes_them(void *unused) {
  (void)unused;
  INITIALIZE(NULL);
  const subpy_id id = create_process(NULL);
  const pid_t maker = (pid_t)number_in(id, "__import__('os').getppid()");
  CHECK_EQUAL(kill(maker, SIGKILL), 0);
  wait_until_gone(maker);
  subpy_error *error = NULL;
  subpy_status got;
  do {
    subpy_error_free(error);
    got = subpy_run_string(id, "x = 1", &error);
  } while (got == SUBPY_OK);
  CHECK_EQUAL(got, SUBPY_ERR_LOST);
  CHECK_CONTAINS(subpy_error_message(error), "the process that has made it has ended");
  subpy_error_free(error);
  DESTROY(id);
  check_works();
  FINALIZE();
}

static void test_the_one_that_makes_them_ends(void **state) {
  (void)state;
  IN_CHILD(kill_the_one_that_makes_them, NULL);
}

static void use_no_terminal(void *unused) {
  (void)unused;
  INITIALIZE(NULL);
  const subpy_id id = create_process(NULL);
  CHECK(number_in(id, "__import__('os').getsid(0)") != getsid(0), "it is in the host's session");
  CHECK_EQUAL(number_in(id, "int(len(__import__('os').listdir('/proc/self/fd')) <= 7)"), 1);
  DESTROY(id);
  FINALIZE();
}

static void test_a_session_of_its_own(void **state) {
  (void)state;
  IN_CHILD(use_no_terminal, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_host_has_no_child),
      cmocka_unit_test(test_the_environment_is_the_hosts),
      cmocka_unit_test(test_what_the_host_does_about_signals),
      cmocka_unit_test(test_a_thread_that_ends),
      cmocka_unit_test(test_a_host_that_forks),
      cmocka_unit_test(test_a_subreaper),
      cmocka_unit_test(test_nothing_is_left),
      cmocka_unit_test(test_the_one_that_makes_them_ends),
      cmocka_unit_test(test_a_session_of_its_own),
      cmocka_unit_test(test_they_end_with_the_host),
  };
  return RUN_TESTS(tests);
}
