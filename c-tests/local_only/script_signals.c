/* Signals, as scripts see them: their handlers are kept, and none is installed. */
#include "child.h"

#include <fcntl.h>
#include <sys/resource.h>

static void caught(int number) { (void)number; }

static void test_handlers_are_kept(void **state) {
  (void)state;
  subpy_id id, other;
  CREATE(NULL, &id);
  CREATE(NULL, &other);
  signal(SIGUSR1, caught);
  signal(SIGUSR2, SIG_IGN);
  RUN(id,
      "import signal, sys\n"
      "get, SIG_DFL, SIG_IGN = signal.getsignal, signal.SIG_DFL, signal.SIG_IGN\n"
      "assert get(signal.SIGINT) is signal.default_int_handler\n"
      "assert get(signal.SIGUSR1) is None and get(signal.SIGUSR2) is SIG_IGN\n"
      "assert get(signal.SIGTERM) is SIG_DFL and get(signal.SIGKILL) is SIG_DFL\n"
      "def handler(*arguments): pass\n"
      "for number in signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGINT, 64:\n"
      "  before = get(number)\n"
      "  assert signal.signal(number, handler) is before and get(number) is handler\n"
      "  assert signal.signal(number, SIG_IGN) is handler\n"
      "  assert signal.signal(number, SIG_DFL) is SIG_IGN and get(number) is SIG_DFL\n"
      "  signal.siginterrupt(number, True)\n"
      "def refused(kind, call, *arguments):\n"
      "  try: call(*arguments)\n"
      "  except kind as e: return str(e)\n"
      "  else: assert False, (call, arguments)\n"
      "for wrong in 0, -1, signal.NSIG:\n"
      "  refused(ValueError, get, wrong)\n"
      "  refused(ValueError, signal.signal, wrong, handler)\n"
      "  refused(ValueError, signal.siginterrupt, wrong, True)\n"
      "refused(TypeError, signal.signal, signal.SIGTERM, 'x')\n"
      "refused(TypeError, signal.signal, signal.SIGTERM, None)\n"
      "refused(TypeError, signal.signal, 'x', handler)\n"
      "refused(OSError, signal.signal, signal.SIGKILL, handler)\n"
      "for call, *arguments in ((signal.alarm, 1), (signal.setitimer, signal.ITIMER_REAL, 0.01)):\n"
      "  assert 'threading.Timer' in refused(ValueError, call, *arguments)\n"
      "assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)\n");
  RUN(other, "import signal\n"
             "assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL\n"
             "assert signal.getsignal(signal.SIGINT) is signal.default_int_handler\n");
  struct sigaction action;
  CHECK_EQUAL(sigaction(SIGUSR1, NULL, &action), 0);
  CHECK(action.sa_handler == caught && (action.sa_flags & SA_RESTART) != 0, "it was changed");
  const int unchanged[] = {SIGTERM, SIGINT};
  for (size_t i = 0; i < COUNT(unchanged); i++) {
    CHECK_EQUAL(sigaction(unchanged[i], NULL, &action), 0);
    CHECK(action.sa_handler == SIG_DFL, "signal %d", unchanged[i]);
  }
  signal(SIGUSR1, SIG_DFL);
  signal(SIGUSR2, SIG_DFL);
  DESTROY(id);
  DESTROY(other);
}

/* As in any Python: in the thread that runs the program. */
static void test_only_in_the_thread_that_runs(void **state) {
  (void)state;
  RUN_IN_NEW(NULL,
             "import signal, threading\n"
             "found = []\n"
             "def work():\n"
             "  for call, *arguments in ((signal.signal, 15, print), (signal.set_wakeup_fd, -1)):\n"
             "    try: call(*arguments)\n"
             "    except ValueError as e: found.append('main thread' in str(e))\n"
             "thread = threading.Thread(target=work); thread.start(); thread.join()\n"
             "assert found == [True, True] and signal.getsignal(15) is signal.SIG_DFL\n"
             "assert threading.current_thread() is threading.main_thread()\n");
}

/* What uvicorn, twisted and asyncio do at their start. */
static void test_frameworks_go_on(void **state) {
  (void)state;
  RUN_IN_NEW(NULL, "import asyncio, signal, threading\n"
                   "if threading.current_thread() is threading.main_thread():\n"
                   "  signal.signal(signal.SIGTERM, lambda *_: None)\n"
                   "async def main():\n"
                   "  loop = asyncio.get_running_loop()\n"
                   "  for number in signal.SIGTERM, signal.SIGINT:\n"
                   "    loop.add_signal_handler(number, print)\n"
                   "    assert loop.remove_signal_handler(number)\n"
                   "  return 42\n"
                   "assert asyncio.run(main()) == 42\n"
                   "assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL\n"
                   "assert signal.getsignal(signal.SIGINT) is signal.default_int_handler\n");
}

struct interrupter {
  subpy_id id;
  struct gate inside;
  int times;
};

static void let_go(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)call, (void)args, (void)nargs;
  gate_open(&((struct interrupter *)user)->inside);
}

static void *interrupt(void *argument) {
  struct interrupter *interrupter = argument;
  gate_wait(&interrupter->inside);
  for (int i = 0; i < interrupter->times; i++) {
    EXPECT(SUBPY_OK, subpy_interrupt(interrupter->id, &error));
  }
  return NULL;
}

/* Runs a program that is interrupted so many times once it has called host.ready(). */
static subpy_status run_interrupted(const char *code, int times, subpy_error **error) {
  struct interrupter interrupter = {.inside = GATE_INIT, .times = times};
  CREATE(NULL, &interrupter.id);
  EXPECT(SUBPY_OK, subpy_define_function(interrupter.id, "host", "ready", let_go, &interrupter,
                                         NULL, &error));
  const pthread_t thread = thread_start(interrupt, &interrupter);
  const subpy_status status = subpy_run_string(interrupter.id, code, error);
  thread_join(thread);
  RUN(interrupter.id, "x = 1\nfor i in range(10000): x += 1");
  DESTROY(interrupter.id);
  return status;
}

static void check_interrupted(const char *code, subpy_status expected, const char *type) {
  subpy_error *error = NULL;
  const subpy_status status = run_interrupted(code, 1, &error);
  CHECK(status == expected, "%s: %s", subpy_status_name(status), subpy_error_traceback(error));
  if (type != NULL) {
    CHECK_TEXT(subpy_error_type(error), type);
  }
  subpy_error_free(error);
}

static void test_an_interrupt_calls_the_handler(void **state) {
  (void)state;
  const char ready[] = "import host, signal, sys\n";
  char code[2048];
  const struct {
    const char *code;
    subpy_status status;
    const char *type;
    bool everywhere;
  } programs[] = {
      {"calls = []\n"
       "def handler(number, frame): calls.append((number, frame.f_code.co_name))\n"
       "signal.signal(signal.SIGINT, handler)\n"
       "host.ready()\n"
       "while not calls: pass\n"
       "assert calls == [(signal.SIGINT, '<module>')], calls\n"
       "for i in range(1000000): pass\n"
       "assert len(calls) == 1\n",
       SUBPY_OK, NULL, false},
      {"def handler(number, frame): raise LookupError(number)\n"
       "signal.signal(signal.SIGINT, handler)\n"
       "host.ready()\n"
       "while True: pass\n",
       SUBPY_ERR_EXCEPTION, "LookupError", false},
      {"signal.signal(signal.SIGINT, lambda *_: sys.exit(3))\n"
       "host.ready()\n"
       "while True: pass\n",
       SUBPY_ERR_EXIT, "SystemExit", false},
      {"signal.signal(signal.SIGINT, signal.SIG_IGN)\nhost.ready()\nwhile True: pass\n",
       SUBPY_ERR_INTERRUPTED, "KeyboardInterrupt", true},
      {"signal.signal(signal.SIGINT, signal.SIG_DFL)\nhost.ready()\nwhile True: pass\n",
       SUBPY_ERR_INTERRUPTED, "KeyboardInterrupt", true},
      {"signal.signal(signal.SIGINT, print)\n"
       "signal.signal(signal.SIGINT, signal.default_int_handler)\nhost.ready()\nwhile True: pass\n",
       SUBPY_ERR_INTERRUPTED, "KeyboardInterrupt", true},
      {"import asyncio\n"
       "async def main():\n"
       "  host.ready()\n"
       "  try:\n"
       "    while True: await asyncio.sleep(0.001)\n"
       "  finally: sys.cleaned = True\n"
       "try: asyncio.run(main())\n"
       "finally: assert sys.cleaned\n",
       SUBPY_ERR_INTERRUPTED, "KeyboardInterrupt", true},
      {"import asyncio\n"
       "async def main():\n"
       "  told = asyncio.Event()\n"
       "  asyncio.get_running_loop().add_signal_handler(signal.SIGINT, told.set)\n"
       "  host.ready()\n"
       "  await told.wait()\n"
       "asyncio.run(main())\n",
       SUBPY_OK, NULL, true},
  };
  for (size_t i = 0; i < COUNT(programs); i++) {
    if (programs[i].everywhere || python_at_least(3, 12)) {
      snprintf(code, sizeof code, "%s%s", ready, programs[i].code);
      check_interrupted(code, programs[i].status, programs[i].type);
    }
  }
}

/* A handler that goes on does not keep the host from ending the run. */
static void test_a_time_limit_asks_no_handler(void **state) {
  (void)state;
  subpy_id id;
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.timeout_ms = 50;
  CREATE(NULL, &id);
  RUN(id, "import signal\n"
          "calls = 0\n"
          "def handler(number, frame):\n"
          "  global calls\n"
          "  calls += 1\n"
          "signal.signal(signal.SIGINT, handler)\n");
  const char code[] = "while True: pass";
  EXPECT(SUBPY_ERR_TIMEOUT, subpy_run_string_with(id, &options, code, strlen(code), &error));
  RUN(id, "assert calls == 0, calls");
  DESTROY(id);
}

struct told {
  subpy_id id;
  subpy_status status;
  struct gate returned;
};

static void *run_told(void *argument) {
  struct told *told = argument;
  const char code[] = "while True: pass";
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.timeout_ms = 300;
  told->status = subpy_run_string_with(told->id, &options, code, strlen(code), NULL);
  gate_open(&told->returned);
  return NULL;
}

/* Nor does one that was told. */
static void test_a_time_limit_after_an_interrupt(void **state) {
  (void)state;
  struct told told = {0, SUBPY_OK, GATE_INIT};
  CREATE(NULL, &told.id);
  RUN(told.id, "import signal, socket\n"
               "signal.signal(signal.SIGINT, lambda *_: None)\n"
               "reader, writer = socket.socketpair()\n"
               "reader.setblocking(False); writer.setblocking(False)\n"
               "assert signal.set_wakeup_fd(writer.fileno()) == -1\n");
  const pthread_t thread = thread_start(run_told, &told);
  while (!gate_is_open(&told.returned)) {
    EXPECT(SUBPY_OK, subpy_interrupt(told.id, &error));
  }
  thread_join(thread);
  CHECK_EQUAL(told.status, SUBPY_ERR_TIMEOUT);
  RUN(told.id, "assert set(reader.recv(100000)) == {signal.SIGINT}");
  DESTROY(told.id);
}

static void test_wakeup_descriptors(void **state) {
  (void)state;
  check_interrupted("import host, os, select, signal\n"
                    "r, w = os.pipe()\n"
                    "def refused(kind, fd):\n"
                    "  try: signal.set_wakeup_fd(fd)\n"
                    "  except kind: pass\n"
                    "  else: assert False, fd\n"
                    "refused(ValueError, w)\n" /* it could keep the host waiting */
                    "refused(OSError, 12345)\n"
                    "refused(TypeError, 'x')\n"
                    "os.set_blocking(w, False)\n"
                    "assert signal.set_wakeup_fd(w, warn_on_full_buffer=False) == -1\n"
                    "signal.signal(signal.SIGINT, lambda *_: None)\n"
                    "host.ready()\n"
                    "assert select.select([r], [], [], 60)[0] == [r]\n"
                    "assert os.read(r, 10) == bytes([signal.SIGINT])\n"
                    "assert signal.set_wakeup_fd(-1) == w and signal.set_wakeup_fd(-1) == -1\n",
                    SUBPY_OK, NULL);
  /* One that the script has closed is no other file's. */
  check_interrupted("import host, os, signal\n"
                    "r, w = os.pipe()\n"
                    "os.set_blocking(w, False)\n"
                    "signal.set_wakeup_fd(w)\n"
                    "os.close(w)\n"
                    "other, again = os.pipe()\n"
                    "host.ready()\n"
                    "try:\n"
                    "  while True: pass\n"
                    "finally:\n"
                    "  os.set_blocking(other, False); os.set_blocking(r, False)\n"
                    "  assert os.read(r, 10)[0] == signal.SIGINT\n"
                    "  try: os.read(other, 10)\n"
                    "  except BlockingIOError: pass\n"
                    "  else: assert False\n",
                    SUBPY_ERR_INTERRUPTED, "KeyboardInterrupt");
}

/* A full pipe, and one that nobody reads, keep nobody waiting and end nobody. */
static void test_wakeup_without_room(void **state) {
  (void)state;
  const char *const codes[] = {
      "r, w = os.pipe(); os.set_blocking(w, False)\n"
      "try:\n"
      "  while True: os.write(w, b'x' * 100000)\n"
      "except BlockingIOError: signal.set_wakeup_fd(w)\n"
      "os.set_blocking(w, True)\n",
      "r, w = os.pipe(); os.set_blocking(w, False); os.close(r); signal.set_wakeup_fd(w)\n",
  };
  for (size_t i = 0; i < COUNT(codes); i++) {
    char code[1024];
    snprintf(code, sizeof code, "import host, os, signal\n%shost.ready()\nwhile True: pass\n",
             codes[i]);
    check_interrupted(code, SUBPY_ERR_INTERRUPTED, "KeyboardInterrupt");
  }
}

/* No descriptor stays when the interpreter is gone. */
static void test_wakeup_descriptors_are_closed(void **state) {
  (void)state;
  const int first = dup(0);
  close(first);
  for (int i = 0; i < 3; i++) {
    RUN_IN_NEW(NULL, "import signal, socket\n"
                     "a, b = socket.socketpair(); a.setblocking(False); b.setblocking(False)\n"
                     "signal.set_wakeup_fd(a.fileno()); signal.set_wakeup_fd(b.fileno())\n");
  }
  const int last = dup(0);
  close(last);
  CHECK_EQUAL(last, first);
}

/* `_thread.interrupt_main()` is as if a signal had come. */
static void test_interrupt_main_calls_handlers(void **state) {
  (void)state;
  subpy_id id;
  CREATE(NULL, &id);
  RUN(id, "import _thread, signal, threading\n"
          "calls = []\n"
          "def handler(number, frame): calls.append(number)\n"
          "signal.signal(signal.SIGTERM, handler)\n"
          "_thread.interrupt_main(signal.SIGTERM)\n"
          "_thread.interrupt_main(signal.SIGHUP)\n"
          "assert calls == [signal.SIGTERM]\n"
          "signal.signal(signal.SIGINT, handler)\n"
          "_thread.interrupt_main()\n"
          "assert calls == [signal.SIGTERM, signal.SIGINT]\n"
          "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
          "_thread.interrupt_main()\n"
          "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
          "try: _thread.interrupt_main()\n"
          "except KeyboardInterrupt: pass\n"
          "else: assert False\n");
  RUN(id, "def send(): _thread.interrupt_main()\n"
          "for ignored in signal.SIG_IGN, signal.SIG_DFL:\n"
          "  signal.signal(signal.SIGINT, ignored)\n"
          "  for _ in range(20):\n"
          "    thread = threading.Thread(target=send); thread.start(); thread.join()\n"
          "    for i in range(1000): pass\n");
  if (python_at_least(3, 12)) {
    RUN(id, "for number in signal.SIGTERM, signal.SIGINT:\n"
            "  signal.signal(number, handler)\n"
            "  calls.clear()\n"
            "  thread = threading.Thread(target=_thread.interrupt_main, args=(number,))\n"
            "  thread.start()\n"
            "  while not calls: pass\n"
            "  assert calls == [number]\n"
            "  thread.join()\n");
  }
  DESTROY(id);
}

/* A signal that a script sends itself calls its handler, and does not reach the process: its default ends it. */
static void test_signals_to_itself(void **state) {
  (void)state;
  subpy_id id, other;
  CREATE(NULL, &id);
  CREATE(NULL, &other);
  RUN(id, "import os, signal, threading\n"
          "calls = []\n"
          "def handler(number, frame): calls.append((number, frame.f_code.co_name))\n"
          "signal.signal(signal.SIGTERM, handler)\n"
          "def by_pidfd():\n"
          "  fds = [os.open(f'/proc/{os.getpid()}', os.O_DIRECTORY)]\n"
          "  try: fds.append(os.pidfd_open(os.getpid()))\n"
          "  except OSError: pass\n"
          "  for fd in fds: signal.pidfd_send_signal(fd, signal.SIGTERM); os.close(fd)\n"
          "def send():\n"
          "  os.kill(os.getpid(), signal.SIGTERM)\n"
          "  signal.raise_signal(signal.SIGTERM)\n"
          "  signal.pthread_kill(threading.get_ident(), signal.SIGTERM)\n"
          "  if hasattr(signal, 'pidfd_send_signal'): by_pidfd()\n"
          "send()\n"
          "assert len(calls) >= 3 and {number for number, _ in calls} == {signal.SIGTERM}, calls\n"
          "assert {name for _, name in calls} <= {'send', 'by_pidfd'}, calls\n"
          "calls.clear()\n"
          "signal.signal(signal.SIGTERM, signal.SIG_IGN); send()\n"
          "assert not calls\n"
          "for call in (lambda: os.kill(os.getpid(), signal.SIGINT),\n"
          "             lambda: signal.raise_signal(signal.SIGINT)):\n"
          "  try: call()\n"
          "  except KeyboardInterrupt: pass\n"
          "  else: assert False\n"
          "def raises(number, frame): raise LookupError(number)\n"
          "signal.signal(signal.SIGTERM, raises)\n"
          "try: os.kill(os.getpid(), signal.SIGTERM)\n"
          "except LookupError: pass\n"
          "else: assert False\n"
          "os.kill(os.getpid(), 0)\n"
          "for wrong in (lambda: os.kill(os.getpid(), 1000), lambda: signal.raise_signal(1000)):\n"
          "  try: wrong()\n"
          "  except (OSError, ValueError): pass\n"
          "  else: assert False\n");
  /* An event loop hears of it, also from another thread. */
  RUN(other, "import asyncio, os, signal, threading\n"
             "async def main(send):\n"
             "  told = asyncio.Event()\n"
             "  asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, told.set)\n"
             "  send()\n"
             "  await told.wait()\n"
             "def send(): os.kill(os.getpid(), signal.SIGUSR1)\n"
             "asyncio.run(main(send))\n");
  if (python_at_least(3, 12)) {
    RUN(other, "asyncio.run(main(lambda: threading.Thread(target=send).start()))\n");
  }
  DESTROY(id);
  DESTROY(other);
}

/* What the script has no handler for is the process's. */
static void send_to_the_process(void *unused) {
  (void)unused;
  INITIALIZE(NULL);
  subpy_id id;
  CREATE(NULL, &id);
  signal(SIGUSR1, caught);
  RUN(id, "import os, signal\n"
          "os.kill(os.getpid(), signal.SIGUSR1)\n"
          "signal.signal(signal.SIGUSR2, print)\n"
          "signal.signal(signal.SIGUSR2, signal.SIG_DFL)\n");
  subpy_run_string(id, "signal.raise_signal(signal.SIGUSR2)", NULL);
}

/* A signal that has come is for the handler that there was then, though it is called a little later. */
static void test_a_handler_is_changed(void **state) {
  (void)state;
  subpy_id id;
  if (!python_at_least(3, 12)) {
    skip(); /* nothing calls a handler from another thread */
  }
  CREATE(NULL, &id);
  RUN(id, "import _thread, os, signal\n"
          "calls = []\n"
          "def send():\n"
          "  os.kill(os.getpid(), signal.SIGUSR1)\n"
          "  sent.release()\n"
          "for i in range(50):\n"
          "  calls.clear()\n"
          "  signal.signal(signal.SIGUSR1, lambda number, frame: calls.append('before'))\n"
          "  sent = _thread.allocate_lock(); sent.acquire()\n"
          "  _thread.start_new_thread(send, ())\n"
          "  sent.acquire()\n"
          "  signal.signal(signal.SIGUSR1, lambda number, frame: calls.append('after'))\n"
          "  while not calls: pass\n"
          "  assert calls == ['before'], (i, calls)\n");
  EXPECT(SUBPY_OK, destroy_within(id, 60000, &error));
}

static void test_signals_to_the_process(void **state) {
  (void)state;
  const int status = child_status(send_to_the_process, NULL);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR2, "wait status %#x", (unsigned)status);
}

/* In the main interpreter it is the same. */
static void use_main(void *unused) {
  (void)unused;
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.allow_main = 1;
  INITIALIZE(&config);
  RUN(0, "import signal\n"
         "assert signal.getsignal(signal.SIGINT) is signal.default_int_handler\n"
         "assert signal.signal(signal.SIGTERM, print) is signal.SIG_DFL\n");
  struct sigaction action;
  CHECK_EQUAL(sigaction(SIGTERM, NULL, &action), 0);
  CHECK(action.sa_handler == SIG_DFL, "it is installed");
  FINALIZE();
}

static void test_the_main_interpreter(void **state) {
  (void)state;
  IN_CHILD(use_main, NULL);
}

/* SIGINT is the host's, whoever imports `signal`. */
static void keep_sigint(void *unused) {
  (void)unused;
  for (int own = 0; own < 2; own++) {
    struct sigaction mine = {0}, now;
    mine.sa_handler = own ? caught : SIG_DFL;
    subpy_id id;
    if (!own) {
      INITIALIZE(NULL);
    }
    CHECK_EQUAL(sigaction(SIGINT, &mine, NULL), 0);
    CREATE(NULL, &id);
    RUN(id, "import signal, asyncio, subprocess\n"
            "async def main(): pass\n"
            "asyncio.run(main())\n");
    CHECK_EQUAL(sigaction(SIGINT, NULL, &now), 0);
    CHECK(now.sa_handler == mine.sa_handler, "SIGINT, own %d", own);
    DESTROY(id);
    if (own) {
      FINALIZE();
    }
    CHECK_EQUAL(sigaction(SIGINT, NULL, &now), 0);
    CHECK(now.sa_handler == mine.sa_handler, "SIGINT at the end, own %d", own);
  }
}

static void test_sigint_is_the_hosts(void **state) {
  (void)state;
  IN_CHILD(keep_sigint, NULL);
}

static const char WRITES[] = "import os, resource, socket, tempfile\n"
                             "r, w = os.pipe()\n"
                             "os.close(r)\n"
                             "try: os.write(w, b'x')\n"
                             "except BrokenPipeError: pass\n"
                             "else: assert False\n"
                             "hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]\n"
                             "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))\n"
                             "try:\n"
                             "  with tempfile.TemporaryFile(buffering=0) as f:\n"
                             "    while True: f.write(b'x' * 999)\n"
                             "except OSError: pass\n"
                             "resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))\n";

/* `config`: NULL, or the defaults of the header. */
static void write_to_nobody(void *config) {
  const int signals[] = {SIGPIPE, SIGXFSZ};
  struct sigaction action;
  INITIALIZE(config);
  RUN_IN_NEW(NULL, WRITES);
  FINALIZE();
  for (size_t i = 0; i < COUNT(signals); i++) {
    CHECK_EQUAL(sigaction(signals[i], NULL, &action), 0);
    CHECK(action.sa_handler == SIG_DFL, "signal %d at the end", signals[i]);
  }
}

static void write_with_handlers(void *unused) {
  (void)unused;
  subpy_id id;
  struct sigaction action;
  signal(SIGPIPE, caught);
  signal(SIGXFSZ, SIG_IGN);
  INITIALIZE(NULL);
  CREATE(NULL, &id);
  RUN(id, WRITES);
  FINALIZE();
  CHECK_EQUAL(sigaction(SIGPIPE, NULL, &action), 0);
  CHECK(action.sa_handler == caught, "SIGPIPE");
  CHECK_EQUAL(sigaction(SIGXFSZ, NULL, &action), 0);
  CHECK(action.sa_handler == SIG_IGN, "SIGXFSZ");
}

static void write_unprotected(void *unused) {
  (void)unused;
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  subpy_id id;
  config.ignore_sigpipe = 0;
  INITIALIZE(&config);
  CREATE(NULL, &id);
  subpy_run_string(id, WRITES, NULL);
}

static void test_writes_to_nobody(void **state) {
  (void)state;
  subpy_runtime_config defaults = SUBPY_RUNTIME_CONFIG_INIT;
  IN_CHILD(write_to_nobody, NULL);
  IN_CHILD(write_to_nobody, &defaults);
  IN_CHILD(write_with_handlers, NULL);
  const int status = child_status(write_unprotected, NULL);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE, "wait status %#x", (unsigned)status);
}

int main(void) {
  const struct CMUnitTest children[] = {
      cmocka_unit_test(test_the_main_interpreter),
      cmocka_unit_test(test_sigint_is_the_hosts),
      cmocka_unit_test(test_writes_to_nobody),
      cmocka_unit_test(test_signals_to_the_process),
  };
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_handlers_are_kept),
      cmocka_unit_test(test_only_in_the_thread_that_runs),
      cmocka_unit_test(test_frameworks_go_on),
      cmocka_unit_test(test_an_interrupt_calls_the_handler),
      cmocka_unit_test(test_a_time_limit_asks_no_handler),
      cmocka_unit_test(test_a_time_limit_after_an_interrupt),
      cmocka_unit_test(test_wakeup_descriptors),
      cmocka_unit_test(test_wakeup_without_room),
      cmocka_unit_test(test_wakeup_descriptors_are_closed),
      cmocka_unit_test(test_interrupt_main_calls_handlers),
      cmocka_unit_test(test_signals_to_itself),
      cmocka_unit_test(test_a_handler_is_changed),
  };
  const int failed = RUN_TESTS(children);
  return failed + RUN_TESTS_INITIALIZED(tests);
}
