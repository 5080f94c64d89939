/* A time limit and an interrupt end what waits in C, where subpy_supports() says so: the waits of the standard library. */
#include "fixture.h"
#include "stop.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

enum { SHORT = 50, LONG = 600 };

/* What a limit may be late: ten times what the documents say of it, and more on a machine that does much else. */
enum { LATE_MS = 2000 };

/* A wait, after some code that goes before it, and before some that gives back what it waited with. */
struct wait {
  const char *name, *before, *code, *after;
};

#define SOCKETS "a, b = socket.socketpair()\n"
#define CLOSE_SOCKETS "a.close(); b.close()\n"
#define CHILD "p = subprocess.Popen(['sleep', '600'])\n"
#define END_CHILD "p.kill(); p.wait()\n"
#define FOR_EVENT "e = threading.Event()\n"
#define THREAD FOR_EVENT "t = threading.Thread(target=e.wait); t.start()\n"
#define END_THREAD "e.set(); t.join()\n"

static const struct wait waits[] = {
    {"time.sleep", "", "time.sleep(600)", ""},
    {"Lock.acquire", "l = threading.Lock(); l.acquire()", "l.acquire()",
     "l.release(); assert l.acquire(False)"},
    {"Lock.acquire_timeout", "l = threading.Lock(); l.acquire()", "l.acquire(timeout=600)",
     "l.release()"},
    {"RLock.acquire",
     "l, e, f = threading.RLock(), threading.Event(), threading.Event()\n"
     "def hold():\n"
     "  with l:\n"
     "    f.set(); e.wait()\n"
     "t = threading.Thread(target=hold); t.start(); f.wait()\n",
     "l.acquire()", END_THREAD "assert l.acquire(False)"},
    {"Event.wait", FOR_EVENT, "e.wait()", "e.set(); assert e.wait()"},
    {"Event.wait_timeout", FOR_EVENT, "e.wait(600)", "e.set(); assert e.wait(600)"},
    {"Condition.wait", "c = threading.Condition()", "with c: c.wait()",
     "assert c.acquire(False) and not c._waiters"},
    {"Condition.wait_timeout", "c = threading.Condition()", "with c: c.wait(600)",
     "assert c.acquire(False) and not c._waiters"},
    {"Condition.wait_for", "c = threading.Condition()", "with c: c.wait_for(lambda: False)",
     "assert c.acquire(False)"},
    {"Semaphore.acquire", "s = threading.Semaphore(0)", "s.acquire()",
     "s.release(); assert s.acquire()"},
    {"Barrier.wait", "b = threading.Barrier(2)", "b.wait()", "assert b.n_waiting == 0"},
    {"Thread.join", THREAD, "t.join()", END_THREAD "assert not t.is_alive()"},
    {"Thread.join_timeout", THREAD, "t.join(600)", END_THREAD},
    {"Timer.join", "t = threading.Timer(600, print); t.start()", "t.join()",
     "t.cancel(); t.join()"},
    {"Queue.get", "q = queue.Queue()", "q.get()", "q.put(1); assert q.get() == 1"},
    {"Queue.get_timeout", "q = queue.Queue()", "q.get(timeout=600)",
     "q.put(1); assert q.get() == 1"},
    {"Queue.put", "q = queue.Queue(1); q.put(1)", "q.put(2)", "assert q.get() == 1 and q.empty()"},
    {"Queue.join", "q = queue.Queue(); q.put(1)", "q.join()", "q.task_done(); q.join()"},
    {"SimpleQueue.get", "q = queue.SimpleQueue()", "q.get()", "q.put(1); assert q.get() == 1"},
    {"SimpleQueue.get_timeout", "q = queue.SimpleQueue()", "q.get(timeout=600)",
     "q.put(1); assert q.get() == 1"},
    {"Future.result", "f = concurrent.futures.Future()", "f.result()",
     "f.set_result(1); assert f.result() == 1"},
    {"Future.result_timeout", "f = concurrent.futures.Future()", "f.result(600)", ""},
    {"futures.wait", "f = concurrent.futures.Future()", "concurrent.futures.wait([f])", ""},
    {"futures.as_completed", "f = concurrent.futures.Future()",
     "list(concurrent.futures.as_completed([f]))", ""},
    {"ThreadPoolExecutor.shutdown",
     FOR_EVENT "p = concurrent.futures.ThreadPoolExecutor(1); p.submit(e.wait)", "p.shutdown()",
     "e.set(); p.shutdown()"},
    {"ThreadPoolExecutor.exit", FOR_EVENT "p = concurrent.futures.ThreadPoolExecutor(1)",
     "with p: p.submit(e.wait)", "e.set(); p.shutdown()"},
    {"ThreadPoolExecutor.map", FOR_EVENT "p = concurrent.futures.ThreadPoolExecutor(1)",
     "list(p.map(lambda _: e.wait(), [1]))", "e.set(); p.shutdown()"},
    {"select.select", "", "select.select([], [], [], 600)", ""},
    {"select.select_for_ever", SOCKETS, "select.select([a], [], [])", CLOSE_SOCKETS},
    {"select.poll", SOCKETS "p = select.poll(); p.register(a, select.POLLIN)", "p.poll()",
     CLOSE_SOCKETS},
    {"select.epoll", SOCKETS "p = select.epoll(); p.register(a, select.EPOLLIN)", "p.poll()",
     "p.close()\n" CLOSE_SOCKETS},
    {"selectors", SOCKETS "s = selectors.DefaultSelector(); s.register(a, selectors.EVENT_READ)",
     "s.select()", "s.close()\n" CLOSE_SOCKETS},
    {"socket.recv", SOCKETS, "a.recv(1)", "b.send(b'x'); assert a.recv(1) == b'x'\n" CLOSE_SOCKETS},
    {"socket.recv_timeout", SOCKETS "a.settimeout(600)", "a.recv(1)", CLOSE_SOCKETS},
    {"socket.recv_into", SOCKETS, "a.recv_into(bytearray(1))", CLOSE_SOCKETS},
    {"socket.recvmsg", SOCKETS, "a.recvmsg(1)", CLOSE_SOCKETS},
    {"socket.sendall", SOCKETS, "a.sendall(bytes(1 << 24))", CLOSE_SOCKETS},
    {"socket.sendall_timeout", SOCKETS "a.settimeout(600)", "a.sendall(bytes(1 << 24))",
     CLOSE_SOCKETS},
    {"socket.send",
     SOCKETS "a.setblocking(False)\n"
             "try:\n"
             "  while True: a.send(bytes(1 << 16))\n"
             "except BlockingIOError: a.setblocking(True)\n",
     "a.send(bytes(1 << 20))", CLOSE_SOCKETS},
    {"socket.accept", "s = socket.create_server(('127.0.0.1', 0))", "s.accept()", "s.close()"},
    {"socket.accept_timeout", "s = socket.create_server(('127.0.0.1', 0)); s.settimeout(600)",
     "s.accept()", "s.close()"},
    {"socket.connect",
     "s = socket.socket(socket.AF_UNIX); s.bind(''); s.listen(0); name = s.getsockname()\n"
     "one = socket.socket(socket.AF_UNIX); one.connect(name)\n"
     "c = socket.socket(socket.AF_UNIX)\n",
     "c.connect(name)", "s.close(); one.close(); c.close()"},
    {"socket.makefile", SOCKETS "f = a.makefile()", "f.readline()", "f.close()\n" CLOSE_SOCKETS},
    {"ssl.do_handshake",
     SOCKETS "import ssl\n"
             "c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); c.check_hostname = False\n"
             "s = c.wrap_socket(a, do_handshake_on_connect=False)\n",
     "s.do_handshake()", "s.close(); b.close()"},
    {"os.read", "r, w = os.pipe()", "os.read(r, 1)",
     "os.write(w, b'x'); assert os.read(r, 1) == b'x'; os.close(r); os.close(w)"},
    {"os.write", "r, w = os.pipe()", "while True: os.write(w, bytes(1 << 20))",
     "os.close(r); os.close(w)"},
    {"file.read", "r, w = os.pipe(); f = open(r, 'rb')", "f.read()", "os.close(w); f.close()"},
    {"file.readline", "r, w = os.pipe(); f = open(r)", "f.readline()", "os.close(w); f.close()"},
    {"file.write", "r, w = os.pipe(); f = open(w, 'wb', 0)", "while True: f.write(bytes(1 << 20))",
     "os.close(r); f.close()"},
    {"open_fifo", "d = tempfile.mkdtemp(); os.mkfifo(d + '/fifo')", "open(d + '/fifo')",
     "os.remove(d + '/fifo'); os.rmdir(d)"},
    {"fcntl.lockf",
     "d = tempfile.TemporaryFile(); p = subprocess.Popen([sys.executable, '-c', 'import fcntl, "
     "sys, time\\n'\n"
     "  'fcntl.flock(0, fcntl.LOCK_EX); print(flush=True); time.sleep(600)'],\n"
     "  stdin=os.open(f'/proc/self/fd/{d.fileno()}', os.O_RDWR), stdout=subprocess.PIPE); "
     "p.stdout.readline()\n",
     "fcntl.flock(d, fcntl.LOCK_EX)", END_CHILD "p.stdout.close(); d.close()"},
    {"subprocess.run", "", "subprocess.run(['sleep', '600'])", ""},
    {"subprocess.run_output", "", "subprocess.run(['sleep', '600'], capture_output=True)", ""},
    {"Popen.wait", CHILD, "p.wait()", END_CHILD},
    {"Popen.wait_timeout", CHILD, "p.wait(600)", END_CHILD},
    {"Popen.communicate", "p = subprocess.Popen(['sleep', '600'], stdout=subprocess.PIPE)",
     "p.communicate()", END_CHILD "p.stdout.close()"},
    {"os.waitpid", CHILD, "os.waitpid(p.pid, 0)", END_CHILD},
    {"asyncio.sleep", "", "asyncio.run(asyncio.sleep(600))", ""},
    {"asyncio.Event", "async def main(): await asyncio.Event().wait()\n", "asyncio.run(main())",
     ""},
    {"asyncio.to_thread",
     FOR_EVENT "async def main():\n"
               "  try: await asyncio.to_thread(e.wait)\n"
               "  finally: e.set()\n",
     "asyncio.run(main())", ""},
    {"asyncio.server",
     "async def main():\n"
     "  async with await asyncio.start_server(print, '127.0.0.1', 0) as s: await "
     "s.serve_forever()\n",
     "asyncio.run(main())", ""},
    {"asyncio.subprocess",
     "async def main():\n"
     "  p = await asyncio.create_subprocess_exec('sleep', '600')\n"
     "  try: await p.wait()\n"
     "  finally: p.kill(); await p.wait()\n",
     "asyncio.run(main())", ""},
    {"multiprocessing.Pipe", "a, b = multiprocessing.Pipe()", "a.recv()",
     "b.send(1); assert a.recv() == 1\n" CLOSE_SOCKETS},
    {"multiprocessing.poll", "a, b = multiprocessing.Pipe()", "a.poll(600)", CLOSE_SOCKETS},
    {"multiprocessing.Queue", "q = multiprocessing.Queue()", "q.get()",
     "q.close(); q.join_thread()"},
    {"multiprocessing.Lock", "l = multiprocessing.Lock(); l.acquire()", "l.acquire()",
     "l.release()"},
    {"multiprocessing.connection.wait", "a, b = multiprocessing.Pipe()",
     "multiprocessing.connection.wait([a])", CLOSE_SOCKETS},
    {"signal.pause", "", "signal.pause()", ""},
    {"signal.sigtimedwait", "", "signal.sigtimedwait([signal.SIGUSR1], 600)", ""},
};

static const struct wait computations[] = {
    {"re", "", "re.match('(a+)+b', 'a' * 40)", ""},
    {"int_power", "", "7 ** 7 ** 9", ""},
    {"int_product", "x = 7 ** 5000000", "x * x * x * x * x * x", ""},
    {"int_to_text", "sys.set_int_max_str_digits(0); x = 1 << 40000000", "str(x)",
     "sys.set_int_max_str_digits(4300)"},
};

static bool is_missing(const char *module) {
  char code[128];
  snprintf(code, sizeof code, "import %s", module);
  subpy_error *error = NULL;
  const subpy_status status = subpy_run_string(id, code, &error);
  subpy_error_free(error);
  return status != SUBPY_OK;
}

static void check_ends(const struct wait *wait) {
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  limit_to(&options, SHORT);
  RUN(id, wait->before);
  const uint64_t start = now_ms();
  subpy_error *error = run_for(id, &options, wait->code);
  const uint64_t took = now_ms() - start;
  CHECK(subpy_error_status(error) == SUBPY_ERR_TIMEOUT, "%s: %s", wait->name,
        subpy_error_traceback(error));
  CHECK(strstr(subpy_error_traceback(error), "KeyboardInterrupt") != NULL, "%s", wait->name);
  CHECK(took >= SHORT && took < SHORT + LATE_MS, "%s: %d ms", wait->name, (int)took);
  subpy_error_free(error);
  RUN(id, wait->after);
}

static void test_wait(void **state) {
  const struct wait *wait = *state;
  if (!subpy_supports(SUBPY_FEATURE_INTERRUPT_WAITS)) {
    skip();
  }
  if (strstr(wait->before, "import ssl") != NULL && is_missing("ssl")) {
    skip();
  }
  check_ends(wait);
}

static void test_computation(void **state) {
  if (!subpy_supports(SUBPY_FEATURE_INTERRUPT_COMPUTATIONS)) {
    skip();
  }
  check_ends(*state);
}

static void skip_without(uint32_t feature) {
  if (!subpy_supports(feature)) {
    skip();
  }
}

static subpy_run_options limit(uint64_t timeout_ms) {
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  limit_to(&options, timeout_ms);
  return options;
}

#define TIMES_OUT(code)                                                                            \
  do {                                                                                             \
    const subpy_run_options options = limit(SHORT);                                                \
    CHECK_STOPPED(SUBPY_ERR_TIMEOUT, run_for(id, &options, code), "KeyboardInterrupt");            \
  } while (0)

/* The host waits so long, and nothing disturbs it. */
static void pause_undisturbed(long ms) {
  const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
  CHECK_EQUAL(nanosleep(&time, NULL), 0);
}

static void host_pauses(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user, (void)call, (void)args, (void)nargs;
  pause_undisturbed(5 * SHORT);
}

static void host_says_ready(void *user, subpy_host_call *call, const subpy_value *args,
                            size_t nargs) {
  (void)call, (void)args, (void)nargs;
  gate_open(user);
}

static void define(const char *name, subpy_host_fn function, void *user) {
  EXPECT(SUBPY_OK, subpy_define_function(id, "host", name, function, user, NULL, &error));
}

static void test_a_function_of_the_host_is_not_disturbed(void **state) {
  (void)state;
  define("pause", host_pauses, NULL);
  const subpy_run_options options = limit(SHORT);
  subpy_error *error = run_for(id, &options, "import host\nhost.pause()\nwhile True: pass");
  CHECK_EQUAL(subpy_error_status(error), SUBPY_ERR_TIMEOUT);
  CHECK(strstr(subpy_error_message(error), "came back") != NULL, "%s", subpy_error_message(error));
  subpy_error_free(error);
}

static void *interrupts_all_along(void *argument) {
  const atomic_bool *done = argument;
  while (!atomic_load(done)) {
    EXPECT(SUBPY_OK, subpy_interrupt(id, &error));
  }
  return NULL;
}

static void test_the_host_is_not_disturbed_after_a_run(void **state) {
  (void)state;
  const subpy_run_options options = limit(1);
  for (int i = 0; i < 100; i++) {
    subpy_error_free(run_for(id, &options, "time.sleep(0.0009)"));
    pause_undisturbed(1);
  }
  atomic_bool done = false;
  const pthread_t thread = thread_start(interrupts_all_along, &done);
  for (int i = 0; i < 3000; i++) {
    const struct timespec shortly = {0, 1000};
    subpy_error_free(run_for(id, i % 2 ? NULL : &options, "for _ in range(10): time.sleep(0)"));
    CHECK_EQUAL(nanosleep(&shortly, NULL), 0);
  }
  atomic_store(&done, true);
  thread_join(thread);
  RUN(id, "x = 1");
}

static void test_a_wait_in_finally_ends_too(void **state) {
  (void)state;
  skip_without(SUBPY_FEATURE_INTERRUPT_WAITS);
  TIMES_OUT("try: time.sleep(600)\nfinally: time.sleep(600)");
  TIMES_OUT("for i in range(20):\n"
            "  try: time.sleep(600)\n"
            "  except KeyboardInterrupt: pass\n"
            "raise KeyboardInterrupt");
}

static void test_finally_has_its_time(void **state) {
  (void)state;
  skip_without(SUBPY_FEATURE_INTERRUPT_WAITS);
  TIMES_OUT("done = 0\n"
            "try: time.sleep(600)\n"
            "finally:\n"
            "  while done < 1000: done += 1\n");
  RUN(id, "assert done == 1000");
}

static void *runs_with_all_blocked(void *unused) {
  (void)unused;
  sigset_t all, before, after;
  sigfillset(&all);
  CHECK_EQUAL(pthread_sigmask(SIG_SETMASK, &all, NULL), 0);
  CHECK_EQUAL(pthread_sigmask(SIG_SETMASK, NULL, &before), 0);
  TIMES_OUT("time.sleep(600)");
  CHECK_EQUAL(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
  for (int number = 1; number <= SIGRTMAX; number++) {
    CHECK(sigismember(&after, number) == sigismember(&before, number), "signal %d", number);
  }
  return NULL;
}

static void test_a_thread_that_blocks_all_signals(void **state) {
  (void)state;
  skip_without(SUBPY_FEATURE_INTERRUPT_WAITS);
  thread_join(thread_start(runs_with_all_blocked, NULL));
}

static void test_a_script_can_not_block_it(void **state) {
  (void)state;
  skip_without(SUBPY_FEATURE_INTERRUPT_WAITS);
  TIMES_OUT("signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\ntime.sleep(600)");
  TIMES_OUT("signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())\ntime.sleep(600)");
}

/* A run without a limit, interrupted where it waits. */
struct sleeper {
  struct gate ready;
  bool by_handler;
};

static subpy_id interrupted_id;

static void interrupt_in_handler(int number) {
  (void)number;
  CHECK_EQUAL(subpy_interrupt(interrupted_id, NULL), SUBPY_OK);
}

static void *interrupts(void *argument) {
  struct sleeper *sleeper = argument;
  gate_wait(&sleeper->ready);
  if (sleeper->by_handler) {
    raise(SIGUSR1);
  } else {
    EXPECT(SUBPY_OK, subpy_interrupt(id, &error));
  }
  return NULL;
}

static void interrupt_sleeper(bool by_handler, const char *code, subpy_status expected) {
  struct sleeper sleeper = {GATE_INIT, by_handler};
  struct sigaction action, before;
  memset(&action, 0, sizeof action);
  action.sa_handler = interrupt_in_handler;
  CHECK_EQUAL(sigaction(SIGUSR1, &action, &before), 0);
  interrupted_id = id;
  define("ready", host_says_ready, &sleeper.ready);
  const pthread_t thread = thread_start(interrupts, &sleeper);
  subpy_error *error = run_for(id, NULL, code);
  CHECK(subpy_error_status(error) == expected, "%s", subpy_error_traceback(error));
  subpy_error_free(error);
  thread_join(thread);
  CHECK_EQUAL(sigaction(SIGUSR1, &before, NULL), 0);
}

static void test_an_interrupt_ends_a_wait(void **state) {
  (void)state;
  skip_without(SUBPY_FEATURE_INTERRUPT_WAITS);
  for (int i = 0; i < 20; i++) {
    interrupt_sleeper(false, "import host\nhost.ready()\ntime.sleep(600)", SUBPY_ERR_INTERRUPTED);
    interrupt_sleeper(false, "host.ready()\nthreading.Event().wait()", SUBPY_ERR_INTERRUPTED);
  }
}

static void test_an_interrupt_by_a_signal_handler(void **state) {
  (void)state;
  skip_without(SUBPY_FEATURE_INTERRUPT_WAITS);
  for (int i = 0; i < 20; i++) {
    interrupt_sleeper(true, "import host\nhost.ready()\ntime.sleep(600)", SUBPY_ERR_INTERRUPTED);
    interrupt_sleeper(true, "import host\nhost.ready()\nwhile True: pass", SUBPY_ERR_INTERRUPTED);
  }
  CHECK_EQUAL(subpy_interrupt(id, NULL), SUBPY_OK);
  CHECK_EQUAL(subpy_interrupt(id + 1000, NULL), SUBPY_ERR_NOT_FOUND);
  RUN(id, "x = 1");
}

/* A handler that comes where the thread allocates, as it likes. */
static void *allocates(void *argument) {
  const atomic_bool *done = argument;
  while (!atomic_load(done)) {
    free(malloc(100000));
    subpy_error *error = NULL;
    subpy_run_string(-1, "", &error);
    subpy_error_free(error);
  }
  return NULL;
}

static void test_a_handler_in_the_middle_of_malloc(void **state) {
  (void)state;
  struct sigaction action, before;
  memset(&action, 0, sizeof action);
  action.sa_handler = interrupt_in_handler;
  action.sa_flags = SA_RESTART;
  CHECK_EQUAL(sigaction(SIGUSR1, &action, &before), 0);
  interrupted_id = id;
  atomic_bool done = false;
  const pthread_t thread = thread_start(allocates, &done);
  for (int i = 0; i < 2000; i++) {
    CHECK_EQUAL(pthread_kill(thread, SIGUSR1), 0);
    sched_yield();
    if (i % 100 == 0) {
      subpy_id other; /* the list that a handler looks at changes */
      CREATE(NULL, &other);
      DESTROY(other);
    }
  }
  atomic_store(&done, true);
  thread_join(thread);
  CHECK_EQUAL(sigaction(SIGUSR1, &before, NULL), 0);
  subpy_error *error = run_for(id, NULL, "for i in range(100000): pass");
  subpy_error_free(error);
  RUN(id, "x = 1");
}

/* Its own handler is called where it waits, and the wait goes on. */
static void test_a_handler_of_the_script_is_called(void **state) {
  (void)state;
  skip_without(SUBPY_FEATURE_INTERRUPT_WAITS);
  if (!python_at_least(3, 12)) {
    skip();
  }
  interrupt_sleeper(false,
                    "import host\n"
                    "told = []\n"
                    "signal.signal(signal.SIGINT, lambda number, frame: told.append(number) or "
                    "told.extend(1 / 0))\n"
                    "host.ready()\n"
                    "time.sleep(600)\n",
                    SUBPY_ERR_EXCEPTION);
  RUN(id, "assert told == [signal.SIGINT], told");
  interrupt_sleeper(false,
                    "told = []\n"
                    "q = queue.SimpleQueue()\n"
                    "signal.signal(signal.SIGINT, lambda number, frame: q.put(number))\n"
                    "host.ready()\n"
                    "assert q.get() == signal.SIGINT\n"
                    "signal.signal(signal.SIGINT, signal.default_int_handler)\n",
                    SUBPY_OK);
}

/* A program that waits again and again in what it calls, at random times. */
static void test_at_random_times(void **state) {
  (void)state;
  skip_without(SUBPY_FEATURE_INTERRUPT_WAITS);
  RUN(id, "import random\n"
          "lock, condition, q = threading.Lock(), threading.Condition(), queue.Queue(1)\n"
          "a, b = socket.socketpair()\n"
          "def work():\n"
          "  while True:\n"
          "    random.choice(things)()\n"
          "def locked():\n"
          "  with lock: time.sleep(0.0001)\n"
          "def notified():\n"
          "  with condition: condition.wait(0.0001)\n"
          "def queued():\n"
          "  try: q.get(timeout=0.0001)\n"
          "  except queue.Empty: q.put(1)\n"
          "def sent():\n"
          "  b.send(b'x'); a.recv(1)\n"
          "def found():\n"
          "  re.match('(a+)+b', 'a' * 12)\n"
          "things = [locked, notified, queued, sent, found]\n");
  for (int i = 0; i < 300; i++) {
    const subpy_run_options options = limit((uint64_t)(1 + i % 5));
    subpy_error *error = run_for(id, &options, "work()");
    CHECK(subpy_error_status(error) == SUBPY_ERR_TIMEOUT, "%s", subpy_error_traceback(error));
    subpy_error_free(error);
    RUN(id, "assert lock.acquire(False); lock.release()\n"
            "assert condition.acquire(False); condition.release()\n");
  }
  RUN(id, "a.close(); b.close()");
}

static int create_interpreter(void **state) {
  if (!subpy_is_initialized()) {
    initialize_defaults(state);
  }
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  CREATE(&config, &id);
  RUN(id, "import asyncio, concurrent.futures, fcntl, multiprocessing, multiprocessing.connection, "
          "os, queue, re\n"
          "import select, selectors, signal, socket, subprocess, sys, tempfile, threading, time\n");
  return 0;
}

static int destroy_interpreter(void **state) {
  (void)state;
  EXPECT(SUBPY_OK, destroy_within(id, LONG * 1000, &error));
  return 0;
}

static int destroy_at_last(void **state) {
  destroy_interpreter(state);
  return finalize_at_last(state);
}

int main(void) {
  const struct CMUnitTest others[] = {
      cmocka_unit_test(test_a_function_of_the_host_is_not_disturbed),
      cmocka_unit_test(test_the_host_is_not_disturbed_after_a_run),
      cmocka_unit_test(test_a_wait_in_finally_ends_too),
      cmocka_unit_test(test_finally_has_its_time),
      cmocka_unit_test(test_a_thread_that_blocks_all_signals),
      cmocka_unit_test(test_a_script_can_not_block_it),
      cmocka_unit_test(test_an_interrupt_ends_a_wait),
      cmocka_unit_test(test_an_interrupt_by_a_signal_handler),
      cmocka_unit_test(test_a_handler_in_the_middle_of_malloc),
      cmocka_unit_test(test_a_handler_of_the_script_is_called),
      cmocka_unit_test(test_at_random_times),
  };
  struct CMUnitTest tests[COUNT(waits) + COUNT(computations)];
  for (size_t i = 0; i < COUNT(waits); i++) {
    const struct CMUnitTest test = {waits[i].name, test_wait, NULL, NULL, (void *)&waits[i]};
    tests[i] = test;
  }
  for (size_t i = 0; i < COUNT(computations); i++) {
    const struct CMUnitTest test = {computations[i].name, test_computation, NULL, NULL,
                                    (void *)&computations[i]};
    tests[COUNT(waits) + i] = test;
  }
  return RUN_TESTS_BETWEEN(tests, create_interpreter, destroy_interpreter) ||
         RUN_TESTS_BETWEEN(others, create_interpreter, destroy_at_last);
}
