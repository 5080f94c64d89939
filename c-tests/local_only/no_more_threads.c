/* The system has no more threads: clone() says EAGAIN, as at the end of RLIMIT_NPROC or of a container's limit. */
#include "child.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* From now on this process gets no thread. False: it can't be told so here. */
static bool refuse_threads(void) {
  struct sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN),
  };
  const struct sock_fprog filter = {COUNT(rules), rules};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

static void is_possible(void *unused) {
  (void)unused;
  _exit(refuse_threads() ? 0 : 1);
}

static void start_one(void *code) {
  subpy_id id;
  INITIALIZE(NULL);
  CREATE(NULL, &id);
  RUN(id, "import _thread, gc, sys, threading\n"
          "def refused(start, *args):\n"
          "    try: start(*args)\n"
          "    except RuntimeError as e: assert \"can't start new thread\" in str(e), e\n"
          "    else: raise SystemError('it started')\n");
  CHECK(refuse_threads(), "no filter");
  RUN(id, code);
  RUN(id, "assert threading.active_count() == 1");
  DESTROY(id);
  FINALIZE();
}

static void test_a_thread_that_did_not_start_is_not_there(void **state) {
  (void)state;
  IN_CHILD(start_one, "refused(threading.Thread(target=print).start)");
  IN_CHILD(start_one, "refused(_thread.start_new_thread, print, ())");
  IN_CHILD(start_one, "for _ in range(100): refused(_thread.start_new, print, (), {})");
  IN_CHILD(start_one, "if hasattr(_thread, 'start_joinable_thread'):\n"
                      "    refused(_thread.start_joinable_thread, print)");
  IN_CHILD(start_one, "try: 1 / 0\n"
                      "except ZeroDivisionError: refused(_thread.start_new_thread, print, ())");
  IN_CHILD(start_one, "assert gc.isenabled()\n"
                      "refused(_thread.start_new_thread, print, ())\n"
                      "assert gc.isenabled()");
}

/* The thread that was started before is no rest of the one that was refused. */
static void start_one_beside_another(void *unused) {
  (void)unused;
  subpy_id id;
  INITIALIZE(NULL);
  CREATE(NULL, &id);
  RUN(id, "import _thread\n"
          "done = _thread.allocate_lock(); done.acquire()\n"
          "go_on = _thread.allocate_lock(); go_on.acquire()\n"
          "def work():\n"
          "    go_on.acquire(); done.release()\n"
          "_thread.start_new_thread(work, ())\n");
  CHECK(refuse_threads(), "no filter");
  RUN(id, "try: _thread.start_new_thread(print, ())\n"
          "except RuntimeError: pass\n"
          "else: raise SystemError('it started')");
  REFUSES(SUBPY_ERR_BUSY, "has 1 Python thread that", subpy_destroy(id, &error));
  RUN(id, "go_on.release(); done.acquire()");
  EXPECT(SUBPY_OK, destroy_within(id, 60000, &error));
  FINALIZE();
}

static void test_threads_that_did_start_stay(void **state) {
  (void)state;
  IN_CHILD(start_one_beside_another, NULL);
}

/* An audit hook starts a thread, which has to wait for this one, and says what CPython says of one that the system
 * refuses. */
static void raise_in_a_hook(void *unused) {
  (void)unused;
  subpy_id id;
  INITIALIZE(NULL);
  CREATE(NULL, &id);
  RUN(id, "import _thread, sys\n"
          "go_on = _thread.allocate_lock(); go_on.acquire()\n"
          "within = False\n"
          "def hook(name, args):\n"
          "    global within\n"
          "    if name == '_thread.start_new_thread' and not within:\n"
          "        within = True\n"
          "        sys.setswitchinterval(1000)\n" /* the new thread has to wait for us */
          "        _thread.start_new_thread(go_on.acquire, ())\n"
          "        raise RuntimeError(\"can't start new thread\")\n"
          "sys.addaudithook(hook)\n"
          "try: _thread.start_new_thread(print, ())\n"
          "except RuntimeError: pass\n"
          "else: raise SystemError('it started')\n"
          "sys.setswitchinterval(0.005)\n");
  REFUSES(SUBPY_ERR_BUSY, "has 1 Python thread that", subpy_destroy(id, &error));
  RUN(id, "go_on.release()");
  EXPECT(SUBPY_OK, destroy_within(id, 60000, &error));
  FINALIZE();
}

static void test_what_looks_like_a_refusal(void **state) {
  (void)state;
  if (!python_at_least(3, 12)) {
    skip(); /* no audit hook is called */
  }
  IN_CHILD(raise_in_a_hook, NULL);
}

static void run_with_a_limit(void *unused) {
  (void)unused;
  subpy_id id;
  CHECK(refuse_threads(), "no filter");
  INITIALIZE(NULL);
  CREATE(NULL, &id);
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.timeout_ms = 20;
  const char *endless = "ran = True\nwhile True: pass";
  REFUSES(SUBPY_ERR_NO_MEMORY, "no thread can be started to watch a time limit",
          subpy_run_string_with(id, &options, endless, strlen(endless), &error));
  RUN(id, "assert 'ran' not in globals()");
  CHECK(!subpy_supports(SUBPY_FEATURE_INTERRUPT_WAITS), "there was a thread to try it");
  DESTROY(id);
  FINALIZE();
}

static void test_a_limit_that_no_thread_can_watch(void **state) {
  (void)state;
  IN_CHILD(run_with_a_limit, NULL);
}

int main(void) {
  if (child_status(is_possible, NULL) != 0) {
    puts("no seccomp filter here");
    return 77;
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_thread_that_did_not_start_is_not_there),
      cmocka_unit_test(test_threads_that_did_start_stay),
      cmocka_unit_test(test_what_looks_like_a_refusal),
      cmocka_unit_test(test_a_limit_that_no_thread_can_watch),
  };
  return RUN_TESTS(tests);
}
