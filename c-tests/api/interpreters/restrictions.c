/* What a script may do: allow_fork, allow_exec, allow_threads, allow_daemon_threads. */
#include "backends.h"

static subpy_interpreter_config config;

static int restrict_nothing(void **state) {
  (void)state;
  const subpy_interpreter_config defaults = SUBPY_INTERPRETER_CONFIG_INIT;
  config = defaults;
  return 0;
}

static void check_raises(int line, const char *code, const char *type, const char *message) {
  subpy_id id;
  CREATE(&config, &id);
  subpy_error *error = run_fails(__FILE__, line, SUBPY_ERR_EXCEPTION, id, code);
  CHECK_TEXT(subpy_error_type(error), type);
  CHECK_CONTAINS(subpy_error_message(error), message);
  subpy_error_free(error);
  DESTROY(id);
}

#define RAISES(code, type, message) check_raises(__LINE__, code, type, message)

static void works(const char *code) { RUN_IN_NEW(&config, code); }

#define NEEDS_RESTRICTIONS()                                                                       \
  do {                                                                                             \
    if (!subpy_supports(SUBPY_FEATURE_RESTRICTIONS)) {                                             \
      skip();                                                                                      \
    }                                                                                              \
  } while (0)

/* CPython ends the child of a fork in any interpreter but the main one, by exit(1); a debug build by an assertion. */
static const char *const FORK = "import os, sys\n"
                                "ended = -6 if hasattr(sys, 'gettotalrefcount') else 1\n"
                                "pid = os.fork()\n"
                                "if pid == 0:\n"
                                "    os._exit(7)\n"
                                "code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])\n"
                                "assert code in (7, ended), code\n";

static void test_fork_is_refused(void **state) {
  (void)state;
  NEEDS_RESTRICTIONS();
  RAISES(FORK, "RuntimeError", "subpy_interpreter_config::allow_fork");
  RAISES("import os; os.spawnv(os.P_WAIT, '/bin/true', ['true'])", "RuntimeError", "allow_fork");
}

/* What else forks is refused with that, where it may be allowed at all. */
static void test_what_forks_is_refused(void **state) {
  (void)state;
  NEEDS_RESTRICTIONS();
  const char *const reason = scripts_may_fork() ? "allow_fork" : "no option";
  RAISES("import os\nif os.forkpty()[0] == 0: os._exit(0)", "RuntimeError", reason);
  RAISES("import subprocess; subprocess.run(['true'], preexec_fn=int)", "RuntimeError", reason);
  works("import subprocess; subprocess.run(['true'])");
}

/* No option allows these, and the message says so. */
static void test_what_the_main_interpreter_alone_may(void **state) {
  (void)state;
  config.allow_fork = 1;
  if (scripts_may_fork()) {
    /* A system in a folder of another one may have no terminals. */
    works("import os\n"
          "try: terminal = os.openpty()\n"
          "except OSError: terminal = None\n"
          "if terminal and os.forkpty()[0] == 0: os._exit(0)\n"
          "if terminal: os.wait()\n");
    works("import subprocess; subprocess.run(['true'], preexec_fn=int)");
    return;
  }
  RAISES("import os\nif os.forkpty()[0] == 0: os._exit(0)", "RuntimeError", "no option");
  RAISES("import subprocess; subprocess.run(['true'], preexec_fn=int)", "RuntimeError",
         "no option");
}

static void test_fork_works_if_allowed(void **state) {
  (void)state;
  config.allow_fork = 1;
  works(FORK);
}

static const char *const EXEC = "import os, sys\nos.execv('/no/such/program', ['program'])\n";

static void test_exec_is_refused(void **state) {
  (void)state;
  NEEDS_RESTRICTIONS();
  RAISES(EXEC, "RuntimeError", "subpy_interpreter_config::allow_exec");
  RAISES("import os; os.execve('/no/such', ['x'], {})", "RuntimeError", "allow_exec");
}

static void test_exec_works_if_allowed(void **state) {
  (void)state;
  config.allow_exec = 1;
  RAISES(EXEC, "FileNotFoundError", "No such file");
}

static void test_a_child_process_works_all_the_same(void **state) {
  (void)state;
  works("import subprocess\n"
        "done = subprocess.run(['echo', 'hello'], capture_output=True, text=True, check=True)\n"
        "assert done.stdout == 'hello\\n', done\n");
}

static const char *const THREAD = "import threading\n"
                                  "done = []\n"
                                  "t = threading.Thread(target=done.append, args=(1,))\n"
                                  "t.start()\n"
                                  "t.join()\n"
                                  "assert done == [1]\n";

static void test_threads_work(void **state) {
  (void)state;
  subpy_id id;
  CREATE(&config, &id);
  RUN(id, THREAD);
  while (subpy_destroy(id, NULL) == SUBPY_ERR_BUSY) {
  }
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_destroy(id, &error));
}

static void test_threads_are_refused_if_not_allowed(void **state) {
  (void)state;
  config.allow_threads = 0;
  if (!subpy_supports(SUBPY_FEATURE_RESTRICTIONS)) {
    subpy_id id = 7;
    REFUSES(SUBPY_ERR_UNSUPPORTED, "allow_threads", subpy_create(&config, &id, &error));
    CHECK_EQUAL(id, -1);
    return;
  }
  RAISES(THREAD, "RuntimeError", "subpy_interpreter_config::allow_threads");
  RAISES("import _thread; _thread.start_new_thread(print, ())", "RuntimeError", "allow_threads");
}

static const char *const DAEMON = "import threading\n"
                                  "t = threading.Thread(target=print, args=('', ), daemon=True,\n"
                                  "                     kwargs={'end': ''})\n"
                                  "t.start()\n"
                                  "t.join()\n";

static void test_daemon_threads_are_refused(void **state) {
  (void)state;
  NEEDS_RESTRICTIONS();
  config.allow_daemon_threads = 0;
  const char *const name = "subpy_interpreter_config::allow_daemon_threads";
  RAISES(DAEMON, "RuntimeError", name);
  RAISES("import threading; threading.Thread().daemon = True", "RuntimeError", name);
  RAISES("import logging.handlers, queue\n"
         "logging.handlers.QueueListener(queue.Queue()).start()\n",
         "RuntimeError", name);
  RAISES("import multiprocessing.pool; multiprocessing.pool.ThreadPool(1)", "RuntimeError", name);
}

static void test_daemon_threads_work_if_allowed(void **state) {
  (void)state;
  subpy_id id;
  CREATE(&config, &id);
  RUN(id, DAEMON);
  while (subpy_destroy(id, NULL) == SUBPY_ERR_BUSY) {
  }
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_destroy(id, &error));
}

static void test_a_shared_gil_changes_nothing(void **state) {
  (void)state;
  NEEDS_RESTRICTIONS();
  config.gil = SUBPY_GIL_SHARED;
  config.allow_daemon_threads = 0;
  RAISES(FORK, "RuntimeError", "allow_fork");
  RAISES(EXEC, "RuntimeError", "allow_exec");
  RAISES(DAEMON, "RuntimeError", "allow_daemon_threads");
}

static void test_an_older_python_restricts_nothing(void **state) {
  (void)state;
  if (subpy_supports(SUBPY_FEATURE_RESTRICTIONS)) {
    skip();
  }
  works(FORK);
  RAISES(EXEC, "FileNotFoundError", "No such file");
}

#define TEST(test) cmocka_unit_test_setup(test, restrict_nothing)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_fork_is_refused),
      TEST(test_what_forks_is_refused),
      TEST(test_fork_works_if_allowed),
      TEST(test_what_the_main_interpreter_alone_may),
      TEST(test_exec_is_refused),
      TEST(test_exec_works_if_allowed),
      TEST(test_a_child_process_works_all_the_same),
      TEST(test_threads_work),
      TEST(test_threads_are_refused_if_not_allowed),
      TEST(test_daemon_threads_are_refused),
      TEST(test_daemon_threads_work_if_allowed),
      TEST(test_a_shared_gil_changes_nothing),
      TEST(test_an_older_python_restricts_nothing),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
