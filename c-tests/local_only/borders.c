/* What would reach another interpreter from Python code. */
#include "support.h"

static void test_modules_that_reach_all_are_refused(void **state) {
  (void)state;
  subpy_id id;
  CREATE(NULL, &id);
  RUN(id,
      "import importlib, importlib.util, sys\n"
      "for name in ('_interpreters', '_interpchannels', '_interpqueues', '_xxsubinterpreters',\n"
      "             '_xxinterpchannels'):\n"
      "  is_there = importlib.util.find_spec(name) is not None\n"
      "  for again in range(2):\n"
      "    try: importlib.import_module(name)\n"
      "    except ModuleNotFoundError as e: assert e.name == name and is_there == ('subpy' in "
      "str(e)), e\n"
      "    else: assert False, name\n"
      "  assert name not in sys.modules\n"
      "import concurrent.futures.thread, concurrent.futures.process\n");
  DESTROY(id);
}

static const char INTERRUPTED[] = "import _thread\n"
                                  "try:\n"
                                  "  _thread.interrupt_main()\n"
                                  "  while True: pass\n"
                                  "except KeyboardInterrupt: pass\n";

/* It interrupts the run of its own interpreter, and no other one. */
static void test_interrupt_main(void **state) {
  (void)state;
  subpy_id id, other;
  CREATE(NULL, &id);
  CREATE(NULL, &other);
  RUN(id, INTERRUPTED);
  REFUSES(SUBPY_ERR_EXCEPTION, "", subpy_run_string(id, "_thread.interrupt_main()", &error));
  RUN(id, "import signal, threading, time\n"
          "_thread.interrupt_main(signal.SIGTERM)\n"
          "for wrong in 0, -1, 1000:\n"
          "  try: _thread.interrupt_main(wrong)\n"
          "  except ValueError: pass\n"
          "  else: assert False, wrong\n"
          "for _ in range(20):\n"
          "  thread = threading.Thread(target=_thread.interrupt_main)\n"
          "  try:\n"
          "    thread.start()\n"
          "    while True: pass\n"
          "  except KeyboardInterrupt: pass\n"
          "  thread.join()\n"
          "for i in range(100000): pass\n");
  RUN(other, "for i in range(100000): pass");
  DESTROY(id);
  DESTROY(other);
}

/* Between two runs there is none to interrupt, and the next one does not get it. */
static void test_interrupt_main_between_runs(void **state) {
  (void)state;
  subpy_id id;
  CREATE(NULL, &id);
  RUN(id,
      "import _thread, threading, time\n"
      "stop = False\n"
      "def work():\n"
      "  while not stop:\n"
      "    if not running: _thread.interrupt_main()\n"
      "    time.sleep(0)\n"
      "running = True\n"
      "thread = threading.Thread(target=work); thread.start()\n"
      "running = False"); /* from here on the thread interrupts what it meets: this run's end at most */
  for (int i = 0; i < 200; i++) {
    subpy_value value;
    const subpy_status status = subpy_eval(id, "1", &value, NULL);
    CHECK(status == SUBPY_OK || status == SUBPY_ERR_EXCEPTION, "%s", subpy_status_name(status));
    subpy_value_clear(&value);
  }
  while (subpy_run_string(id, "running = True", NULL) != SUBPY_OK) {
  }
  for (int i = 0; i < 100; i++) {
    RUN(id, "for _ in range(100): pass");
  }
  RUN(id, "stop = True; thread.join()");
  DESTROY(id);
}

/* What CPython lets a script change for all, without a lock. */
static void test_refused(void **state) {
  (void)state;
  RUN_IN_NEW(NULL,
             "import importlib.util, sys\n"
             "if hasattr(sys, 'activate_stack_trampoline'):\n"
             "  try: sys.activate_stack_trampoline('perf')\n"
             "  except ValueError as e: assert 'subpy' in str(e), e\n"
             "  else: assert False\n"
             "  assert not sys.is_stack_trampoline_active()\n"
             "lift = getattr(importlib.util, '_incompatible_extension_module_restrictions', None)\n"
             "if lift:\n"
             "  try:\n"
             "    with lift(disable_check=True): assert False\n"
             "  except RuntimeError as e: assert 'SUBPY_GIL_SHARED' in str(e), e\n"
             "if hasattr(sys, 'remote_exec'):\n"
             "  import os\n"
             "  for number in os.getpid(), *map(int, os.listdir('/proc/self/task')):\n"
             "    try: sys.remote_exec(number, os.devnull)\n"
             "    except RuntimeError as e: assert 'other interpreters' in str(e), e\n"
             "    else: assert False, number\n");
}

/* How many blocks the others have is no answer of this one. */
static void test_allocated_blocks(void **state) {
  (void)state;
  subpy_id id, other;
  CREATE(NULL, &id);
  CREATE(NULL, &other);
  RUN(other, "import sys; before = sys.getallocatedblocks(); assert type(before) is int");
  RUN(id, "x = [object() for _ in range(300000)]");
  RUN(other, "assert abs(sys.getallocatedblocks() - before) < 100000");
  DESTROY(id);
  DESTROY(other);
}

/* What CPython puts into the dictionaries of static types of the main interpreter. */
static void test_a_static_type_has_all_its_names(void **state) {
  (void)state;
  for (int again = 0; again < 2; again++) {
    RUN_IN_NEW(NULL,
               "import contextvars\n"
               "v = contextvars.ContextVar('v')\n"
               "assert v.set(1).old_value is contextvars.Token.MISSING\n"
               "assert repr(contextvars.Token.MISSING) == '<Token.MISSING>'\n"
               "assert [v] == list(contextvars.copy_context())\n"
               "import asyncio, datetime, decimal, sys\n"
               "assert datetime.timezone.utc and datetime.datetime.max and sys.float_info.max\n");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_modules_that_reach_all_are_refused),
      cmocka_unit_test(test_interrupt_main),
      cmocka_unit_test(test_interrupt_main_between_runs),
      cmocka_unit_test(test_refused),
      cmocka_unit_test(test_allocated_blocks),
      cmocka_unit_test(test_a_static_type_has_all_its_names),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
