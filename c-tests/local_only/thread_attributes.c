/* What a script sets in the host's thread is the host's again after the run and in its functions, or is refused. */
#define _GNU_SOURCE /* processors */

#include "child.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>

struct marks {
  sigset_t mask;
  cpu_set_t processors;
  char name[16];
};

static struct marks look(void) {
  struct marks seen;
  memset(&seen, 0, sizeof seen);
  CHECK_EQUAL(pthread_sigmask(SIG_SETMASK, NULL, &seen.mask), 0);
  CHECK_EQUAL(sched_getaffinity(0, sizeof seen.processors, &seen.processors), 0);
  CHECK_EQUAL(prctl(PR_GET_NAME, seen.name), 0);
  return seen;
}

static struct marks before;

static void check_marks(const char *when) {
  const struct marks now = look();
  for (int number = 1; number < 65; number++) {
    CHECK(sigismember(&now.mask, number) == sigismember(&before.mask, number),
          "the mask of signal %d, %s", number, when);
  }
  CHECK(CPU_EQUAL(&now.processors, &before.processors), "processors, %s", when);
  CHECK(strcmp(now.name, before.name) == 0, "the name %s, %s", now.name, when);
}

static void in_host(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)call, (void)args, (void)nargs;
  check_marks("in a function of the host's");
  if (user != NULL) {
    RUN(*(subpy_id *)user, "import signal\n"
                           "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])\n");
    check_marks("after a run inside");
  }
}

static const char SETS[] =
    "import host, os, signal, sys, threading, _thread\n"
    "def has():\n"
    "  return signal.pthread_sigmask(signal.SIG_BLOCK, []), os.sched_getaffinity(0), name()\n"
    "def name():\n"
    "  with open(f'/proc/self/task/{_thread.get_native_id()}/comm') as f: return f.read().strip()\n"
    "start = has()\n"
    "assert signal.SIGTERM not in signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n"
    "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
    "if sys.version_info >= (3, 14): _thread.set_name('of the script')\n"
    "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])\n"
    "own = has()\n"
    "assert own[0] >= {signal.SIGTERM, signal.SIGUSR2} and len(own[1]) == 1, own\n"
    "assert sys.version_info < (3, 14) or own[2] == 'of the script', own\n"
    "for call in host.with_gil, host.without_gil, host.nested:\n"
    "  call()\n"
    "  assert has() == own, (call, has())\n";

static void put_back(void *unused) {
  (void)unused;
  subpy_id id, other;
  subpy_function_options released = SUBPY_FUNCTION_OPTIONS_INIT;
  released.release_gil = 1;
  INITIALIZE(NULL);
  CREATE(NULL, &id);
  CREATE(NULL, &other);
  EXPECT(SUBPY_OK, subpy_define_function(id, "host", "with_gil", in_host, NULL, NULL, &error));
  EXPECT(SUBPY_OK, subpy_define_function(id, "host", "nested", in_host, &other, NULL, &error));
  EXPECT(SUBPY_OK, subpy_define_function_with(id, &released, "host", "without_gil", in_host, NULL,
                                              NULL, &error));
  before = look();
  for (int i = 0; i < 3; i++) {
    RUN(id, SETS);
    check_marks("after the run");
    RUN(id, "assert has() == start, (has(), start)");
    subpy_error_free(RUN_FAILS(
        SUBPY_ERR_EXCEPTION, id,
        "signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())\nraise ValueError"));
    check_marks("after an exception");
  }
  RUN(id, "class Late:\n"
          "  def __del__(self, block=signal.pthread_sigmask): block(signal.SIG_BLOCK, [15])\n"
          "import sys; sys.late = Late()");
  DESTROY(id);
  check_marks("after the end");
  DESTROY(other);
  FINALIZE();
}

static void test_put_back(void **state) {
  (void)state;
  IN_CHILD(put_back, NULL);
}

static const char REFUSED[] =
    "import os, signal, subprocess, sys, threading\n"
    "def priority(): return os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0)\n"
    "start = priority()\n"
    "param = os.sched_param(0)\n"
    "calls = [(os.nice, 1), (os.setpriority, os.PRIO_PROCESS, 0, 5),\n"
    "         (os.setpriority, os.PRIO_PROCESS, threading.get_native_id(), 5),\n"
    "         (os.setpriority, os.PRIO_PROCESS, os.getpid(), 5),\n"
    "         (os.setpriority, os.PRIO_PGRP, 0, 5), (os.setpriority, os.PRIO_USER, 0, 5),\n"
    "         (os.setpriority, os.PRIO_PGRP, os.getpgrp(), 5),\n"
    "         (os.sched_setscheduler, 0, os.SCHED_BATCH, param), (os.sched_setparam, 0, param)]\n"
    "if hasattr(os, 'unshare'): calls += [(os.unshare, os.CLONE_FILES), (os.setns, 0)]\n"
    "import posix\n"
    "calls += [(getattr(posix, call.__name__), *args) for call, *args in calls]\n"
    "for call, *args in calls:\n"
    "  try: call(*args)\n"
    "  except PermissionError as e: assert \"host's\" in str(e), e\n"
    "  else: assert False, call\n"
    "assert priority() == start and os.nice(0) == start[0]\n"
    "wrong = []\n"
    "def work():\n"
    "  try:\n"
    "    assert os.nice(1) == start[0] + 1\n"
    "    os.sched_setscheduler(0, os.SCHED_BATCH, param)\n"
    "    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
    "    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n"
    "    try: os.sched_setaffinity(main, os.sched_getaffinity(0))\n"
    "    except PermissionError as e: assert f'thread {main}' in str(e), e\n"
    "    else: assert False\n"
    "  except BaseException as e: wrong.append(e)\n"
    "main = threading.get_native_id()\n"
    "thread = threading.Thread(target=work); thread.start(); thread.join()\n"
    "assert not wrong, wrong\n"
    "assert priority() == start\n"
    "child = subprocess.Popen([\"/bin/cat\"], stdin=subprocess.PIPE)\n"
    "os.setpriority(os.PRIO_PROCESS, child.pid, start[0] + 2)\n"
    "assert os.getpriority(os.PRIO_PROCESS, child.pid) == start[0] + 2\n"
    "child.communicate()\n";

/* What can't be put back without privilege is refused to anybody; an ordinary user is who could not. */
static void refuse_as_user(void *user) {
  subpy_id id;
  INITIALIZE(NULL);
  CREATE(NULL, &id);
  RUN(id, "import subprocess, threading");
  if (*(uid_t *)user != getuid()) {
    CHECK_EQUAL(setuid(*(uid_t *)user), 0);
  }
  RUN(id, REFUSED);
  DESTROY(id);
  FINALIZE();
}

static void test_refused(void **state) {
  (void)state;
  uid_t users[] = {getuid(), 65534};
  for (size_t i = 0; i < (getuid() == 0 ? 2 : 1); i++) {
    IN_CHILD(refuse_as_user, &users[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_refused),
      cmocka_unit_test(test_put_back),
  };
  return RUN_TESTS(tests);
}
