/* `threading` takes the OS thread that imports it first for the main one: which may be gone. */
#include "support.h"

static const char *const USE_THREADING = "import threading\n"
                                         "t = threading.Thread(target=print, kwargs={'end': ''})\n"
                                         "t.start()\n"
                                         "t.join()\n";

static void *import_threading(void *id) {
  RUN(*(subpy_id *)id, "import threading");
  return NULL;
}

static void *use_threading(void *id) {
  RUN(*(subpy_id *)id, USE_THREADING);
  return NULL;
}

static void *destroy(void *id) {
  DESTROY(*(subpy_id *)id);
  return NULL;
}

static void test_imported_there_destroyed_here(void **state) {
  (void)state;
  subpy_id id;
  CREATE(NULL, &id);
  in_thread(import_threading, &id);
  DESTROY(id);
}

static void test_imported_here_destroyed_there(void **state) {
  (void)state;
  subpy_id id;
  CREATE(NULL, &id);
  RUN(id, "import threading");
  in_thread(destroy, &id);
}

static void test_imported_and_destroyed_in_two_others(void **state) {
  (void)state;
  for (int i = 0; i < 5; i++) {
    subpy_id id;
    CREATE(NULL, &id);
    in_thread(import_threading, &id);
    in_thread(use_threading, &id);
    RUN(id, USE_THREADING);
    in_thread(destroy, &id);
  }
}

static void test_with_a_shared_gil(void **state) {
  (void)state;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.gil = SUBPY_GIL_SHARED;
  subpy_id id;
  CREATE(&config, &id);
  in_thread(use_threading, &id);
  DESTROY(id);
}

static void test_with_what_threading_runs_at_its_end(void **state) {
  (void)state;
  struct capture capture = {0};
  const subpy_interpreter_config config = capture_config(&capture);
  subpy_id id;
  CREATE(&config, &id);
  in_thread(import_threading, &id);
  RUN(id, "threading._register_atexit(print, 'at its end')");
  in_thread(destroy, &id);
  CHECK_TEXT(text_of(&capture.out), "at its end\n");
  CHECK_TEXT(text_of(&capture.err), "");
  capture_clear(&capture);
}

static void test_a_script_that_breaks_threading(void **state) {
  (void)state;
  const char *const codes[] = {
      "import sys; sys.modules['threading'] = None",
      "import sys; sys.modules['threading'] = 42",
      "import threading; threading._main_thread = None",
      "import threading; threading._shutdown = None",
      "import threading; del threading._main_thread, threading._shutdown, threading.get_ident",
  };
  for (size_t i = 0; i < COUNT(codes); i++) {
    struct capture capture = {0};
    const subpy_interpreter_config config = capture_config(&capture);
    subpy_id id;
    CREATE(&config, &id);
    RUN(id, codes[i]);
    in_thread(destroy, &id);
    EXPECT(SUBPY_ERR_NOT_FOUND, subpy_destroy(id, &error));
    capture_clear(&capture);
  }
}

/* What a script is told of its thread. */
static const char *const ASK =
    "import _thread, asyncio, logging, os, signal, sys, threading, time\n"
    "me, ident = threading.current_thread(), _thread.get_ident()\n"
    "assert me is threading.main_thread() and me.name == 'MainThread' and me.is_alive()\n"
    "assert me.ident == ident == threading.get_ident() and threading.enumerate() == [me]\n"
    "assert globals().setdefault('first', ident) == ident\n"
    "assert me.native_id == threading.get_native_id() == "
    "int(os.readlink('/proc/thread-self').split('/')[-1])\n"
    "record = logging.makeLogRecord({})\n"
    "assert (record.threadName, record.thread) == ('MainThread', ident)\n"
    "assert list(sys._current_frames()) == [ident]\n"
    /* What takes the number of an OS thread. */
    "signal.pthread_kill(ident, 0)\n"
    "assert time.clock_gettime(time.pthread_getcpuclockid(ident)) > 0\n"
    "def other():\n"
    "  mine = threading.get_ident()\n"
    "  signal.pthread_kill(mine, 0)\n"
    "  time.pthread_getcpuclockid(mine)\n"
    "  for use in (lambda: signal.pthread_kill(ident, 0)), (lambda: "
    "time.pthread_getcpuclockid(ident)):\n"
    "    try: use()\n"
    "    except ProcessLookupError: found.append(mine)\n"
    "found = []\n"
    "threads = [threading.Thread(target=other) for _ in range(9)]\n"
    "for t in threads: t.start()\n"
    "for t in threads: t.join()\n"
    "assert len(found) == 18 and ident not in found\n"
    /* Locks that Python code takes, from one run to the next. */
    "lock = globals().get('lock') or threading._RLock()\n"
    "assert lock.acquire(False)\n"
    "loop = globals().get('loop') or asyncio.new_event_loop()\n"
    "loop.set_debug(True)\n"
    "loop.run_until_complete(asyncio.sleep(0))\n"
    "try: import ctypes\n"
    "except ImportError: pass\n"
    "else:\n"
    "  raised = ctypes.pythonapi.PyThreadState_SetAsyncExc\n"
    "  try:\n"
    "    assert raised(ctypes.c_ulong(ident), ctypes.py_object(KeyError)) == 1\n"
    "    for _ in range(1000): pass\n"
    "    assert False\n"
    "  except KeyError: pass\n";

static void *ask(void *id) {
  RUN(*(subpy_id *)id, ASK);
  return NULL;
}

struct created {
  subpy_interpreter_config config;
  subpy_id id;
};

static void *create(void *created) {
  struct created *const it = created;
  CREATE(&it->config, &it->id);
  return NULL;
}

/* The thread that has created an interpreter has ended, and others have got its number. */
static void test_one_main_thread(void **state) {
  (void)state;
  for (int shared = 0; shared < 2; shared++) {
    struct capture capture = {0};
    struct created created = {.config = capture_config(&capture)};
    created.config.gil = shared ? SUBPY_GIL_SHARED : created.config.gil;
    in_thread(create, &created);
    for (int i = 0; i < 3; i++) {
      in_thread(ask, &created.id);
      ask(&created.id);
    }
    RUN(created.id, "loop.close()"); /* a debug build warns of one that is left open */
    in_thread(destroy, &created.id);
    CHECK_TEXT(text_of(&capture.err), "");
    capture_clear(&capture);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_imported_there_destroyed_here),
      cmocka_unit_test(test_imported_here_destroyed_there),
      cmocka_unit_test(test_imported_and_destroyed_in_two_others),
      cmocka_unit_test(test_with_a_shared_gil),
      cmocka_unit_test(test_with_what_threading_runs_at_its_end),
      cmocka_unit_test(test_a_script_that_breaks_threading),
      cmocka_unit_test(test_one_main_thread),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
