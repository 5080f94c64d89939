/* What scripts have left to be run at the end of their interpreter, and that never ends: it can be
 * interrupted while subpy_destroy() waits for it. */
#include "backends.h"

enum { AN_HOUR = 3600 * 1000 };

struct ending {
  subpy_id id;
  int ends[2]; /* of a pipe: the script writes to it when it is there */
};

static void *interrupt_when_it_writes(void *argument) {
  struct ending *ending = argument;
  char byte;
  CHECK_EQUAL(read(ending->ends[0], &byte, 1), 1);
  EXPECT(SUBPY_OK, subpy_interrupt(ending->id, &error));
  return NULL;
}

/* `code` has `write()`, which says that the end has come this far. */
static void ends_when_interrupted(const char *code) {
  struct ending ending;
  char end[128], prepare[256];
  CHECK_EQUAL(pipe(ending.ends), 0);
  CREATE(NULL, &ending.id);
  open_in_script(end, sizeof end, ending.ends[1], "O_WRONLY");
  snprintf(prepare, sizeof prepare,
           "import os\ndef write(write=os.write, end=%s): write(end, b'x')\n", end);
  RUN(ending.id, prepare);
  RUN(ending.id, code);
  const pthread_t thread = thread_start(interrupt_when_it_writes, &ending);
  EXPECT(SUBPY_OK, destroy_within(ending.id, AN_HOUR, &error));
  thread_join(thread);
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_interrupt(ending.id, &error));
  close(ending.ends[0]);
  close(ending.ends[1]);
}

static void test_an_exit_function(void **state) {
  (void)state;
  ends_when_interrupted("import atexit, sys\n"
                        "sys.unraisablehook = lambda _: None\n"
                        "def loop():\n"
                        "  write()\n"
                        "  while True: pass\n"
                        "atexit.register(loop)\n");
}

static void test_an_exit_function_that_catches(void **state) {
  (void)state;
  if (!python_at_least(3, 12)) {
    skip();
  }
  ends_when_interrupted("import atexit, sys\n"
                        "sys.unraisablehook = lambda _: None\n"
                        "def loop():\n"
                        "  write()\n"
                        "  while True:\n"
                        "    try:\n"
                        "      while True: pass\n"
                        "    except BaseException: pass\n"
                        "atexit.register(loop)\n");
}

static void test_a_finalizer(void **state) {
  (void)state;
  if (!python_at_least(3, 12)) {
    skip();
  }
  ends_when_interrupted("import sys\n"
                        "sys.unraisablehook = lambda _: None\n"
                        "class Endless:\n"
                        "  def __del__(self, write=write):\n"
                        "    write()\n"
                        "    while True: pass\n"
                        "kept = Endless()\n");
}

static void *loop(void *id) {
  EXPECT(SUBPY_ERR_INTERRUPTED, subpy_run_string(*(subpy_id *)id, "while True: pass", &error));
  return NULL;
}

/* Others that share its GIL want it meanwhile, and it had threads when its last run ended. */
static void test_a_finalizer_beside_others_of_its_gil(void **state) {
  (void)state;
  if (!python_at_least(3, 12) || in_processes()) {
    skip();
  }
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.gil = SUBPY_GIL_SHARED;
  subpy_id other;
  struct ending ending;
  int leave[2];
  char code[1024];
  CREATE(&config, &other);
  CREATE(&config, &ending.id);
  CHECK_EQUAL(pipe(ending.ends), 0);
  CHECK_EQUAL(pipe(leave), 0);
  snprintf(code, sizeof code,
           "import os, sys, threading\n"
           "sys.unraisablehook = lambda _: None\n"
           "class Endless:\n"
           "  def __del__(self, write=os.write):\n"
           "    write(%d, b'x')\n"
           "    while True: pass\n"
           "kept = Endless()\n"
           "takes_long = [[] for _ in range(10 ** 6)]\n"
           "threading.Thread(target=os.read, args=(%d, 1)).start()\n",
           ending.ends[1], leave[0]);
  RUN(ending.id, code);
  const pthread_t looping = thread_start(loop, &other);
  for (bool runs = false; !runs;) {
    EXPECT(SUBPY_OK, subpy_is_running(other, &runs, &error));
  }
  CHECK_EQUAL(write(leave[1], "x", 1), 1);
  const pthread_t interrupts = thread_start(interrupt_when_it_writes, &ending);
  EXPECT(SUBPY_OK, destroy_within(ending.id, AN_HOUR, &error));
  thread_join(interrupts);
  EXPECT(SUBPY_OK, subpy_interrupt(other, &error));
  thread_join(looping);
  DESTROY(other);
  for (int i = 0; i < 2; i++) {
    close(ending.ends[i]);
    close(leave[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_an_exit_function),
      cmocka_unit_test(test_an_exit_function_that_catches),
      cmocka_unit_test(test_a_finalizer),
      cmocka_unit_test(test_a_finalizer_beside_others_of_its_gil),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
