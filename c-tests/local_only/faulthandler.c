/* faulthandler shows the threads of its own interpreter, and leaves the process's signals alone. */
#include "support.h"

#include <signal.h>

static const char *const SETUP = "import faulthandler, os, sys, tempfile, threading, time\n"
                                 "file = tempfile.TemporaryFile()\n"
                                 "def written():\n"
                                 "  size = os.fstat(file.fileno()).st_size\n"
                                 "  text = os.pread(file.fileno(), size, 0).decode()\n"
                                 "  os.ftruncate(file.fileno(), 0)\n"
                                 "  os.lseek(file.fileno(), 0, os.SEEK_SET)\n"
                                 "  return text\n"
                                 "def wait_for_text():\n"
                                 "  while not os.fstat(file.fileno()).st_size: time.sleep(0.001)\n"
                                 "  return written()\n"
                                 "stop = threading.Event()\n"
                                 "def here(): stop.wait()\n";

static void create_with_setup(uint32_t gil, subpy_id *id) {
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.gil = gil;
  CREATE(&config, id);
  RUN(*id, SETUP);
}

static void check_dumps(uint32_t gil) {
  subpy_id id, other;
  create_with_setup(gil, &id);
  create_with_setup(gil, &other);
  RUN(other, "thread = threading.Thread(target=here); thread.start()");
  RUN(id, "def inner():\n"
          "  faulthandler.dump_traceback(file)\n"
          "inner()\n"
          "text = written()\n"
          "assert text.startswith('Current thread 0x') and '(most recent call first):\\n' in text\n"
          "assert 'line 2 in inner\\n' in text and 'line 3 in <module>\\n' in text, text\n"
          "assert ' in here\\n' not in text and 'Thread 0x' not in text, text\n"
          "faulthandler.dump_traceback(file, all_threads=False)\n"
          "assert written().startswith('Stack (most recent call first):\\n  File \"')\n"
          "faulthandler.dump_traceback(file.fileno())\n"
          "assert written()\n"
          "def deep(n): deep(n - 1) if n else faulthandler.dump_traceback(file)\n"
          "deep(200)\n"
          "assert written().count('\\n') == 102\n");
  RUN(other, "faulthandler.dump_traceback(file)\n"
             "text = written()\n"
             "assert text.startswith('Thread 0x') and ' in here\\n' in text, text\n"
             "assert '\\n\\nCurrent thread 0x' in text, text\n"
             "stop.set(); thread.join()\n");
  DESTROY(other);
  DESTROY(id);
}

static void test_dumps(void **state) {
  (void)state;
  check_dumps(SUBPY_GIL_DEFAULT);
  check_dumps(SUBPY_GIL_SHARED);
}

static void test_enabled_takes_no_signal(void **state) {
  (void)state;
  const int all[] = {SIGSEGV, SIGFPE, SIGABRT, SIGBUS, SIGILL, SIGUSR1};
  struct sigaction before[COUNT(all)], after;
  for (size_t i = 0; i < COUNT(all); i++) {
    sigaction(all[i], NULL, &before[i]);
  }
  subpy_id id;
  create_with_setup(SUBPY_GIL_SHARED, &id);
  RUN(id, "assert not faulthandler.is_enabled()\n"
          "faulthandler.enable(file)\n"
          "assert faulthandler.is_enabled()\n"
          "import _thread, signal\n"
          "faulthandler.register(signal.SIGUSR1, file)\n"
          "_thread.interrupt_main(signal.SIGUSR1)\n"
          "assert wait_for_text().startswith('Current thread')\n"
          "assert faulthandler.unregister(signal.SIGUSR1)\n"
          "assert not faulthandler.unregister(signal.SIGUSR1)\n"
          "assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL\n"
          "faulthandler.register(signal.SIGUSR1, file)\n"
          "try: faulthandler.register(signal.SIGSEGV)\n"
          "except RuntimeError: pass\n"
          "else: assert False\n");
  for (size_t i = 0; i < COUNT(all); i++) {
    sigaction(all[i], NULL, &after);
    CHECK(after.sa_handler == before[i].sa_handler, "signal %d", all[i]);
  }
  RUN(id, "assert faulthandler.disable() and not faulthandler.disable()");
  DESTROY(id);
}

static void test_later(void **state) {
  (void)state;
  subpy_id id;
  create_with_setup(SUBPY_GIL_DEFAULT, &id);
  RUN(id, "thread = threading.Thread(target=here); thread.start()\n"
          "faulthandler.dump_traceback_later(0.001, file=file)\n"
          "text = wait_for_text()\n"
          "assert text.startswith('Timeout (0:00:00.001000)!\\nThread 0x'), text\n"
          "assert ' in here\\n' in text and ' in wait_for_text\\n' in text, text\n"
          "stop.set(); thread.join()\n"
          "faulthandler.dump_traceback_later(0.001, repeat=True, file=file)\n"
          "for _ in range(3): wait_for_text()\n"
          "faulthandler.dump_traceback_later(4000, file=file)\n"
          "for wrong in 0, -1, 1e30:\n"
          "  try: faulthandler.dump_traceback_later(wrong)\n"
          "  except (ValueError, OverflowError): pass\n"
          "  else: assert False, wrong\n");
  DESTROY(id); /* what waits goes with it */
}

/* Where the host takes what a script writes, it gets the dump, too. */
static void test_a_stream_of_the_host(void **state) {
  (void)state;
  struct capture capture = {0};
  subpy_interpreter_config config = capture_config(&capture);
  subpy_id id;
  CREATE(&config, &id);
  RUN(id, "import faulthandler; faulthandler.dump_traceback()");
  CHECK_CONTAINS(text_of(&capture.err), "line 1 in <module>\n");
  DESTROY(id);
  capture_clear(&capture);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_dumps),
      cmocka_unit_test(test_enabled_takes_no_signal),
      cmocka_unit_test(test_later),
      cmocka_unit_test(test_a_stream_of_the_host),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
