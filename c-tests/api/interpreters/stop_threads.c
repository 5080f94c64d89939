/* subpy_stop_threads(), subpy_thread_names() and subpy_destroy_options::stop_threads: threads that scripts have left. */
#include "fixture.h"
#include "stop.h"

/* A figure of 100 ms, ten times that, and more on a machine that does much else. */
enum { LONG_MS = 5000 };

static const char *const works[] = {
    "while True: pass",
    "import time\ntime.sleep(600)",
    "import threading\nthreading.Event().wait()",
    "import queue\nqueue.Queue().get()",
    "import socket\na, b = socket.socketpair()\na.recv(1)",
    "import threading\nl = threading.Lock()\nwith l: l.acquire()",
    "import subprocess\nsubprocess.run(['sleep', '600'])",
    "import asyncio\nasyncio.run(asyncio.sleep(600))",
    "while True:\n  try: print(end='')\n  except Exception: pass",
};

static bool waits(const char *work) { return strstr(work, "import") == work; }

static void start(const char *how, const char *work) {
  char code[2500];
  snprintf(code, sizeof code,
           "import threading, _thread\n"
           "begun = threading.Semaphore(0)\n"
           "work = compile(%s%s%s, '<work>', 'exec')\n"
           "def run():\n"
           "  begun.release()\n"
           "  exec(work, {})\n"
           "%s\n"
           "begun.acquire()\n",
           "'''", work, "'''", how);
  RUN(id, code);
}

static const char *const ways[] = {
    "threading.Thread(target=run).start()",
    "threading.Thread(target=run, daemon=True).start()",
    "_thread.start_new_thread(run, ())",
};

static void test_threads_are_stopped(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(works); i++) {
    if (waits(works[i]) && !subpy_supports(SUBPY_FEATURE_INTERRUPT_WAITS)) {
      continue;
    }
    start(ways[i % COUNT(ways)], works[i]);
    size_t left = 77;
    const uint64_t before = now_ms();
    EXPECT(SUBPY_OK, subpy_stop_threads(id, SUBPY_FOREVER, &left, &error));
    CHECK(now_ms() - before < LONG_MS, "%s: %d ms", works[i], (int)(now_ms() - before));
    CHECK_EQUAL(left, 0);
    RUN(id, "assert threading.active_count() == 1, threading.enumerate()");
  }
}

static void test_many_at_once(void **state) {
  (void)state;
  for (int i = 0; i < 10; i++) {
    start(ways[i % 3], works[i % 2 == 0 || !subpy_supports(SUBPY_FEATURE_INTERRUPT_WAITS) ? 0 : 2]);
  }
  EXPECT(SUBPY_OK, subpy_stop_threads(id, SUBPY_FOREVER, NULL, &error));
  DESTROY(id);
}

static void test_finally_runs(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(loops); i++) {
    char code[2000];
    snprintf(code, sizeof code,
             "import builtins\n"
             "def run():\n"
             "  done, x = None, 0\n"
             "  try:\n"
             "    %s\n"
             "  finally: builtins.done = True\n"
             "builtins.done, builtins.inside = False, True\n"
             "run()\n",
             loops[i]);
    start(ways[0], code);
    RUN(id, "import builtins, time\nwhile not hasattr(builtins, 'inside'): time.sleep(0.001)\ndel "
            "builtins.inside");
    EXPECT(SUBPY_OK, subpy_stop_threads(id, SUBPY_FOREVER, NULL, &error));
    RUN(id, "assert done");
  }
}

static void test_nothing_is_written_of_it(void **state) {
  (void)state;
  start(ways[0], works[0]);
  start(ways[2], works[0]);
  EXPECT(SUBPY_OK, subpy_stop_threads(id, SUBPY_FOREVER, NULL, &error));
  CHECK(capture.err.length == 0, "%s", capture.err.data);
}

static void test_one_that_waits_for_a_queue_of_ours(void **state) {
  (void)state;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.allow_interpreters = 1;
  DESTROY(id);
  CREATE(&config, &id);
  start(ways[0], "from subpy import interpreters\ninterpreters.create_queue().get()");
  EXPECT(SUBPY_OK, subpy_stop_threads(id, SUBPY_FOREVER, NULL, &error));
}

static void test_destroy_stops_them(void **state) {
  (void)state;
  subpy_destroy_options options = SUBPY_DESTROY_OPTIONS_INIT;
  start(ways[0], works[0]);
  start(ways[1], works[0]);
  REFUSES_FOR_THREADS("", subpy_destroy_with(id, &options, &error));
  options.stop_threads = 1;
  EXPECT(SUBPY_OK, subpy_destroy_with(id, &options, &error));
}

static void test_servers_and_pools_end(void **state) {
  (void)state;
  subpy_destroy_options options = SUBPY_DESTROY_OPTIONS_INIT;
  if (!subpy_supports(SUBPY_FEATURE_INTERRUPT_WAITS)) {
    skip();
  }
  RUN(id, "import http.server, logging.handlers, multiprocessing.pool, queue, threading\n"
          "server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), "
          "http.server.BaseHTTPRequestHandler)\n"
          "threading.Thread(target=server.serve_forever, daemon=True).start()\n"
          "logging.handlers.QueueListener(queue.Queue()).start()\n"
          "pool = multiprocessing.pool.ThreadPool(2)\n"
          "assert pool.map(str, [1, 2]) == ['1', '2']\n");
  options.wait_ms = 10;
  options.stop_threads = 1;
  EXPECT(SUBPY_OK, subpy_destroy_with(id, &options, &error));
}

/* As Python ends: threads that it waits for, exit functions, daemon threads. A pool of processes needs that. */
static void test_exit_functions_run_before_daemon_threads_end(void **state) {
  (void)state;
  subpy_destroy_options options = SUBPY_DESTROY_OPTIONS_INIT;
  RUN(id,
      "import atexit, threading, time\n"
      "def run():\n"
      "  while True: time.sleep(0.001)\n"
      "daemon, other = threading.Thread(target=run, daemon=True), threading.Thread(target=run)\n"
      "daemon.start(); other.start()\n"
      "atexit.register(lambda: print(daemon.is_alive(), other.is_alive(), flush=True))\n"
      "import multiprocessing.pool\n"
      "pool = multiprocessing.get_context('spawn').Pool(1)\n"
      "assert pool.map(str, [1, 2]) == ['1', '2']\n");
  options.wait_ms = 10;
  options.stop_threads = 1;
  EXPECT(SUBPY_OK, subpy_destroy_with(id, &options, &error));
  CHECK_TEXT(text_of(&capture.out), "True False\n");
  CHECK(strstr(text_of(&capture.err), "takes too long") == NULL, "%s", text_of(&capture.err));
}

static void host_waits(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)call, (void)args, (void)nargs;
  gate_wait(user);
}

static void test_one_in_c_is_named(void **state) {
  (void)state;
  struct gate leave = GATE_INIT;
  subpy_function_options options = SUBPY_FUNCTION_OPTIONS_INIT;
  options.release_gil = 1;
  EXPECT(SUBPY_OK, subpy_define_function_with(id, &options, "host", "wait", host_waits, &leave,
                                              NULL, &error));
  start("threading.Thread(target=run, name='the worker').start()",
        "import host\ndef waits(): host.wait()\nwaits()");
  size_t left = 0;
  EXPECT(SUBPY_OK, subpy_stop_threads(id, 100, &left, &error));
  CHECK_EQUAL(left, 1);
  REFUSES_FOR_THREADS("(\"the worker\" in waits, \"<work>\", line ", subpy_destroy(id, &error));
  subpy_value names[2];
  size_t count = 77;
  EXPECT(SUBPY_OK, subpy_thread_names(id, names, 2, &count, &error));
  CHECK_EQUAL(count, 1);
  CHECK_TEXT(subpy_value_text(&names[0]), "the worker");
  subpy_value_clear(&names[0]);
  EXPECT(SUBPY_OK, subpy_thread_names(id, NULL, 0, &count, &error));
  CHECK_EQUAL(count, 1);
  gate_open(&leave);
  EXPECT(SUBPY_OK, destroy_within(id, 60000, &error));
}

static void test_wrong_calls(void **state) {
  (void)state;
  size_t count;
  subpy_destroy_options options = SUBPY_DESTROY_OPTIONS_INIT;
  EXPECT(SUBPY_OK, subpy_stop_threads(id, 0, NULL, &error));
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_stop_threads(id + 1000, 0, NULL, &error));
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_thread_names(id + 1000, NULL, 0, &count, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "count", subpy_thread_names(id, NULL, 0, NULL, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "names", subpy_thread_names(id, NULL, 1, &count, &error));
  options.stop_threads = 2;
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "stop_threads", subpy_destroy_with(id, &options, &error));
  options.stop_threads = 0;
  options.kill = 2;
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "kill", subpy_destroy_with(id, &options, &error));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_threads_are_stopped),
      TEST(test_many_at_once),
      TEST(test_exit_functions_run_before_daemon_threads_end),
      TEST(test_finally_runs),
      TEST(test_nothing_is_written_of_it),
      TEST(test_destroy_stops_them),
      TEST(test_servers_and_pools_end),
      TEST(test_one_in_c_is_named),
      TEST(test_wrong_calls),
      TEST(test_one_that_waits_for_a_queue_of_ours),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
