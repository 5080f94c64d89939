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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_an_exit_function),
      cmocka_unit_test(test_an_exit_function_that_catches),
      cmocka_unit_test(test_a_finalizer),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
