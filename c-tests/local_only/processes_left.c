/* What scripts started is gone with their interpreter: processes that have ended, and multiprocessing's servers. */
#include "support.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <sys/times.h>

/* Child processes of this one, zombies among them. */
static int children(void) {
  int count = 0;
  DIR *all = opendir("/proc");
  CHECK(all != NULL, "no /proc");
  for (struct dirent *entry; (entry = readdir(all)) != NULL;) {
    char path[300], line[1000], state;
    int parent;
    snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
      continue;
    }
    const char *behind_name = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
    if (behind_name && sscanf(behind_name + 1, " %c %d", &state, &parent) == 2) {
      count += parent == getpid();
    }
    fclose(file);
  }
  closedir(all);
  return count;
}

static int descriptors(void) {
  int count = 0;
  DIR *all = opendir("/proc/self/fd");
  CHECK(all != NULL, "no /proc/self/fd");
  while (readdir(all) != NULL) {
    count++;
  }
  closedir(all);
  return count;
}

/* The end of an interpreter has a patience with servers. If the machine has none, later ends see to them. */
static void check_nothing_is_left(int children_before, int descriptors_before) {
  CHECK_EQUAL(descriptors(), descriptors_before);
  for (int i = 0; i < 1000 && children() != children_before; i++) {
    subpy_id id;
    CREATE(NULL, &id);
    DESTROY(id);
  }
  CHECK_EQUAL(children(), children_before);
}

static void check_leaves_nothing(const char *code, uint32_t allow_fork) {
  struct capture capture = {0};
  subpy_interpreter_config config = capture_config(&capture);
  config.allow_fork = allow_fork;
  subpy_id id;
  CREATE(NULL, &id); /* it may open what stays open, once */
  DESTROY(id);
  const int children_before = children(), descriptors_before = descriptors();
  RUN_IN_NEW(&config, code);
  check_nothing_is_left(children_before, descriptors_before);
  CHECK_TEXT(text_of(&capture.err), "");
  capture_clear(&capture);
}

static void test_shared_memory(void **state) {
  (void)state;
  check_leaves_nothing("from multiprocessing.shared_memory import SharedMemory\n"
                       "memory = SharedMemory(create=True, size=10)\n"
                       "memory.close(); memory.unlink()\n",
                       0);
}

static void test_locks(void **state) {
  (void)state;
  check_leaves_nothing("import multiprocessing\n"
                       "lock = multiprocessing.get_context('spawn').Lock()\n",
                       0);
}

/* Its tracker is there until the last finalizer has run. */
static void test_shared_memory_that_a_finalizer_unlinks(void **state) {
  (void)state;
  check_leaves_nothing("from multiprocessing.shared_memory import SharedMemory\n"
                       "class Owner:\n"
                       "  memory = SharedMemory(create=True, size=10)\n"
                       "  def __del__(self): self.memory.close(); self.memory.unlink()\n"
                       "owner = Owner()\n",
                       0);
}

static void test_shared_memory_in_an_exit_function(void **state) {
  (void)state;
  check_leaves_nothing("import atexit\n"
                       "def at_exit():\n"
                       "  memory = SharedMemory(create=True, size=10)\n"
                       "  memory.close(); memory.unlink()\n"
                       "atexit.register(at_exit)\n"
                       "from multiprocessing.shared_memory import SharedMemory\n",
                       0);
}

static void test_fork_server(void **state) {
  (void)state;
  check_leaves_nothing("from multiprocessing import forkserver; forkserver.ensure_running()", 0);
}

static void test_server_that_the_script_stopped(void **state) {
  (void)state;
  check_leaves_nothing("from multiprocessing import resource_tracker\n"
                       "resource_tracker.ensure_running()\n"
                       "resource_tracker._resource_tracker._stop()\n",
                       0);
}

/* `ended(pid)` waits for a child's end, and leaves it to be reaped. */
#define ENDED                                                                                      \
  "import os, subprocess\n"                                                                        \
  "def ended(pid): os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)\n"

static void test_programs_that_nobody_waited_for(void **state) {
  (void)state;
  check_leaves_nothing(ENDED "import warnings\n"
                             "warnings.simplefilter('ignore')\n"
                             "for again in range(20):\n"
                             "  child = subprocess.Popen(['cat'], stdin=subprocess.PIPE)\n"
                             "  pid, pipe = child.pid, child.stdin\n"
                             "  del child\n" /* it runs: subprocess keeps it */
                             "  pipe.close(); ended(pid)\n"
                             "  ended(os.posix_spawn('/bin/true', ['true'], os.environ))\n"
                             "  ended(os.posix_spawnp('true', ['true'], os.environ))\n",
                       0);
}

static void test_forks_that_nobody_waited_for(void **state) {
  (void)state;
  if (!python_at_least(3, 12)) {
    skip(); /* interpreters can't fork */
  }
  check_leaves_nothing(ENDED "import warnings\n"
                             "warnings.simplefilter('ignore')\n"
                             "pid = os.fork()\n"
                             "if pid == 0: os._exit(3)\n"
                             "ended(pid)\n"
                             "ended(os.spawnv(os.P_NOWAIT, '/bin/true', ['true']))\n",
                       1);
}

static pid_t pid_of(subpy_id id) {
  subpy_value value;
  EXPECT(SUBPY_OK, subpy_get(id, "pid", &value, &error));
  const pid_t pid = (pid_t)value.as.integer;
  subpy_value_clear(&value);
  return pid;
}

static void wait_for_end(pid_t pid) {
  siginfo_t info;
  CHECK_EQUAL(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static void test_one_that_still_runs(void **state) {
  (void)state;
  int ends[2];
  char code[300];
  CHECK_EQUAL(pipe(ends), 0);
  snprintf(code, sizeof code, ENDED "pid = subprocess.Popen(['cat'], stdin=%d).pid", ends[0]);
  const int before = children();
  subpy_id id;
  CREATE(NULL, &id);
  RUN(id, code);
  const pid_t pid = pid_of(id);
  DESTROY(id);
  CHECK_EQUAL(waitpid(pid, NULL, WNOHANG), 0); /* it runs */
  close(ends[0]);
  close(ends[1]);
  wait_for_end(pid);
  CHECK_EQUAL(children(), before + 1);
  CREATE(NULL, &id);
  DESTROY(id);
  CHECK_EQUAL(children(), before);
}

/* Starts a child process under a number, which ends at once. 0: it can't be had. */
static pid_t start_stranger(pid_t pid) {
  for (int i = 0; i < 1000; i++) {
    FILE *last = fopen("/proc/sys/kernel/ns_last_pid", "w");
    if (last == NULL || fprintf(last, "%d", (int)pid - 1) < 0 || fclose(last) != 0) {
      return 0;
    }
    const pid_t started = fork();
    if (started == 0) {
      _exit(42);
    }
    if (started == pid) {
      return started;
    }
    CHECK_EQUAL(waitpid(started, NULL, 0), started);
  }
  return 0;
}

/* A script has waited for its child, and the host's has the same number. */
static void test_the_hosts_own_is_left_to_it(void **state) {
  (void)state;
  subpy_id id;
  CREATE(NULL, &id);
  RUN(id, "import subprocess\n"
          "child = subprocess.Popen(['/bin/true']); child.wait(); pid = child.pid\n");
  const pid_t pid = pid_of(id);
  struct tms unused;
  const clock_t tick = times(&unused);
  while (times(&unused) < tick + 2) { /* the kernel tells times in ticks */
  }
  if (start_stranger(pid) == 0) {
    DESTROY(id);
    skip(); /* not without privilege */
  }
  wait_for_end(pid);
  DESTROY(id);
  int status = 0;
  CHECK_EQUAL(waitpid(pid, &status, 0), pid);
  CHECK_EQUAL(WEXITSTATUS(status), 42);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_shared_memory),
      cmocka_unit_test(test_locks),
      cmocka_unit_test(test_shared_memory_that_a_finalizer_unlinks),
      cmocka_unit_test(test_shared_memory_in_an_exit_function),
      cmocka_unit_test(test_fork_server),
      cmocka_unit_test(test_server_that_the_script_stopped),
      cmocka_unit_test(test_programs_that_nobody_waited_for),
      cmocka_unit_test(test_forks_that_nobody_waited_for),
      cmocka_unit_test(test_one_that_still_runs),
      cmocka_unit_test(test_the_hosts_own_is_left_to_it),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
