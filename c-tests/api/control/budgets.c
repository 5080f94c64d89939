/* What a run may use: CPU time, output, threads, recursion. */
#include "fixture.h"
#include "stop.h"

static struct capture written;

static subpy_interpreter_config with_budget(uint64_t cpu_limit_ms, uint64_t output_limit) {
  subpy_interpreter_config config = capture_config(&written);
  config.cpu_limit_ms = cpu_limit_ms;
  config.output_limit = output_limit;
  return config;
}

static void create(const subpy_interpreter_config *config) {
  capture_clear(&written);
  CREATE(config, &id);
}

#define REACHES_LIMIT(options, code, part)                                                         \
  do {                                                                                             \
    subpy_error *error = run_for(id, options, code);                                               \
    CHECK(subpy_error_status(error) == SUBPY_ERR_LIMIT, "%s: %s",                                  \
          subpy_status_name(subpy_error_status(error)), subpy_error_message(error));               \
    CHECK(strstr(subpy_error_message(error), part) != NULL, "%s", subpy_error_message(error));     \
    subpy_error_free(error);                                                                       \
  } while (0)

static void test_cpu_time(void **state) {
  (void)state;
  const subpy_interpreter_config config = with_budget(50, 0);
  create(&config);
  for (int i = 0; i < 3; i++) {
    REACHES_LIMIT(NULL, "while True: pass", "more CPU time than its cpu_limit_ms: it has used ");
    REACHES_LIMIT(NULL, "while True: pass", "may use 50 ms");
    RUN(id, "for i in range(100): pass");
  }
  if (stops_everything()) {
    REACHES_LIMIT(NULL,
                  "def f():\n"
                  "  while True:\n"
                  "    x = 0\n" /* without it, CPython 3.12 lays the exception before the try */
                  "    try:\n"
                  "      while True: pass\n"
                  "    except BaseException: pass\n"
                  "f()\n",
                  "cpu_limit_ms");
  }
  DESTROY(id);
}

static void test_what_waits_uses_none(void **state) {
  (void)state;
  const subpy_interpreter_config config = with_budget(100, 0);
  create(&config);
  RUN(id, "import time\ntime.sleep(0.3)");
  DESTROY(id);
}

static void test_cpu_time_of_threads(void **state) {
  (void)state;
  const subpy_interpreter_config config = with_budget(100, 0);
  create(&config);
  RUN(id, "import threading\n"
          "stop = False\n"
          "def work():\n"
          "  while not stop: pass\n"
          "threads = [threading.Thread(target=work) for _ in range(2)]\n");
  if (subpy_supports(SUBPY_FEATURE_INTERRUPT_WAITS)) {
    REACHES_LIMIT(NULL, "for t in threads: t.start()\nfor t in threads: t.join()", "cpu_limit_ms");
  } else {
    REACHES_LIMIT(NULL, "for t in threads: t.start()\nwhile True: pass", "cpu_limit_ms");
  }
  RUN(id, "stop = True\nfor i in range(100): pass"); /* what they have used before counts there */
  EXPECT(SUBPY_OK, destroy_within(id, 60000, &error));
}

static void test_a_run_may_have_less(void **state) {
  (void)state;
  const subpy_interpreter_config config = with_budget(100, 10);
  create(&config);
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.cpu_limit_ms = 20;
  REACHES_LIMIT(&options, "while True: pass", "may use 20 ms");
  options.cpu_limit_ms = 100000;
  REACHES_LIMIT(&options, "while True: pass", "may use 100 ms");
  options.output_limit = 5;
  REACHES_LIMIT(&options, "print('12345')", "written 6 bytes, and may write 5");
  options.output_limit = 1000;
  REACHES_LIMIT(&options, "print('1234567890')", "written 11 bytes, and may write 10");
  DESTROY(id);
  CREATE(NULL, &id);
  options.output_limit = 3;
  REACHES_LIMIT(&options, "print('123')", "written 4 bytes, and may write 3");
  DESTROY(id);
}

static void test_output(void **state) {
  (void)state;
  const subpy_interpreter_config config = with_budget(0, 1000);
  create(&config);
  for (int i = 0; i < 3; i++) {
    capture_clear(&written);
    REACHES_LIMIT(NULL, "while True: print('123456789')", "about to have written 1009 bytes");
    CHECK_EQUAL(written.out.length, 1000);
  }
  REACHES_LIMIT(NULL, "import sys\nprint('x' * 600)\nprint('x' * 600, file=sys.stderr)",
                "1201 bytes");
  REACHES_LIMIT(NULL, "print('x' * 100000)", "100000 bytes");
  REACHES_LIMIT(NULL, "print('x' * 500)\nimport sys\nsys.stdout.buffer.write(b'x' * 500)", "1001");
  if (python_at_least(3, 13)) { /* 3.12 has no safe point here outside of the try */
    REACHES_LIMIT(NULL,
                  "def f():\n"
                  "  while True:\n"
                  "    try: print('123456789')\n"
                  "    except BaseException: pass\n"
                  "f()\n",
                  "output_limit");
  }
  RUN(id, "print('x' * 999)");
  RUN(id, "print('x' * 999)");
  DESTROY(id);
}

static void test_eval_and_call(void **state) {
  (void)state;
  const subpy_interpreter_config config = with_budget(50, 100);
  create(&config);
  RUN(id, "def endless():\n"
          "  while True: pass\n"
          "def talks():\n"
          "  while True: print('1234567890')\n");
  REFUSES(SUBPY_ERR_LIMIT, "cpu_limit_ms", subpy_call(id, "endless", NULL, 0, NULL, &error));
  REFUSES(SUBPY_ERR_LIMIT, "output_limit", subpy_call(id, "talks", NULL, 0, NULL, &error));
  REFUSES(SUBPY_ERR_LIMIT, "cpu_limit_ms", subpy_eval(id, "endless()", NULL, &error));
  DESTROY(id);
}

static void test_threads(void **state) {
  (void)state;
  subpy_interpreter_config config = with_budget(0, 0);
  config.thread_limit = 3;
  create(&config);
  RUN(id, "import threading, _thread\n"
          "event = threading.Event()\n"
          "def start(): t = threading.Thread(target=event.wait); t.start(); return t\n"
          "threads = [start() for _ in range(3)]\n"
          "for _ in range(3):\n"
          "  try: start()\n"
          "  except RuntimeError as e: assert 'thread_limit' in str(e), e\n"
          "  else: raise SystemError('a fourth one')\n"
          "  try: _thread.start_new_thread(print, ())\n"
          "  except RuntimeError as e: assert 'thread_limit' in str(e), e\n"
          "  else: raise SystemError('a fourth one')\n"
          "event.set()\n"
          "for t in threads: t.join()\n");
  RUN(id, "import time\n"
          "for _ in range(1000):\n" /* one that was joined is there for a moment */
          "  try: t = start(); break\n"
          "  except RuntimeError: time.sleep(0.01)\n"
          "t.join()\n"
          "assert threading.active_count() == 1\n");
  EXPECT(SUBPY_OK, destroy_within(id, 60000, &error));
}

/* Threads are started by a function of ours, which shows nowhere. */
static void test_what_threads_raise(void **state) {
  (void)state;
  create(NULL);
  RUN(id,
      "import _thread, sys, threading\n"
      "seen, done = [], threading.Semaphore(0)\n"
      "def hook(args): seen.append((args.exc_type, args.object, args.err_msg)); done.release()\n"
      "sys.unraisablehook = hook\n"
      "def fails(): 1 / 0\n"
      "_thread.start_new_thread(fails, ())\n"
      "done.acquire()\n"
      "(kind, function, message), = seen\n"
      "assert kind is ZeroDivisionError, kind\n"
      "assert function is fails or 'fails' in message, (function, message)\n"
      "assert 'thread started by' in message, message\n"
      "def leaves(): done.release(); raise SystemExit\n"
      "_thread.start_new_thread(leaves, ())\n"
      "done.acquire()\n"
      "assert len(seen) == 1\n"
      "for wrong in ((), (1, ()), (print,), (print, 1), (print, (), 1)):\n"
      "  try: _thread.start_new_thread(*wrong)\n"
      "  except TypeError: pass\n"
      "  else: raise SystemError(wrong)\n"
      "result = []\n"
      "_thread.start_new_thread(lambda *a, **k: (result.append((a, k)), done.release()), (1, 2), "
      "{'c': 3})\n"
      "done.acquire()\n"
      "assert result == [((1, 2), {'c': 3})], result\n");
  EXPECT(SUBPY_OK, destroy_within(id, 60000, &error));
}

static void test_recursion(void **state) {
  (void)state;
  subpy_interpreter_config config = with_budget(0, 0);
  config.recursion_limit = 200;
  create(&config);
  RUN(id, "import sys\n"
          "assert sys.getrecursionlimit() == 200\n"
          "def deep(n): return n and deep(n - 1)\n"
          "deep(100)\n"
          "try: deep(300)\n"
          "except RecursionError: pass\n"
          "else: raise SystemError\n"
          "sys.setrecursionlimit(150)\n"
          "sys.setrecursionlimit(200)\n"
          "for wrong, error in ((201, ValueError), (0, ValueError), ('x', TypeError)):\n"
          "  try: sys.setrecursionlimit(wrong)\n"
          "  except error as e: assert wrong != 201 or 'recursion_limit' in str(e), e\n"
          "  else: raise SystemError(wrong)\n"
          "try: sys.setrecursionlimit(10 ** 30)\n"
          "except OverflowError: pass\n"
          "assert sys.getrecursionlimit() == 200\n");
  DESTROY(id);
  config.recursion_limit = 5000;
  create(&config);
  RUN(id, "import sys\n"
          "assert sys.getrecursionlimit() == 1000\n"
          "sys.setrecursionlimit(5000)\n");
  DESTROY(id);
}

static void test_what_scripts_create_has_them_too(void **state) {
  (void)state;
  subpy_interpreter_config config = with_budget(0, 100);
  config.allow_interpreters = 1;
  config.recursion_limit = 300;
  create(&config);
  RUN(id, "from subpy import _interpreters as i\n"
          "one = i.create()\n"
          "i.run_string(one, 'import sys; assert sys.getrecursionlimit() == 300')\n"
          "try: i.run_string(one, 'while True: print(1)')\n"
          "except BaseException as e: assert 'output_limit' in str(e), e\n"
          "else: raise SystemError\n");
  DESTROY(id);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cpu_time),
      cmocka_unit_test(test_what_waits_uses_none),
      cmocka_unit_test(test_cpu_time_of_threads),
      cmocka_unit_test(test_a_run_may_have_less),
      cmocka_unit_test(test_output),
      cmocka_unit_test(test_eval_and_call),
      cmocka_unit_test(test_threads),
      cmocka_unit_test(test_what_threads_raise),
      cmocka_unit_test(test_recursion),
      cmocka_unit_test(test_what_scripts_create_has_them_too),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
