/*
 * Interpreters are created while others run. CPython 3.12 switches the whole process to another
 * allocator for a moment in each creation: what others allocate and free then must still match.
 */
#include "support.h"

enum { CREATIONS = 40 };

static struct gate ended = GATE_INIT;

static void *list_directories(void *unused) {
  subpy_id id;
  CREATE(NULL, &id);
  RUN(id, "import os, threading\nwhere = os.path.dirname(os.__file__)");
  while (!gate_is_open(&ended)) {
    RUN(id, "for _ in range(20):\n"
            "    os.listdir(where)\n"
            "    locks = [threading.RLock() for _ in range(100)]\n");
  }
  DESTROY(id);
  return unused;
}

static void test_runs_do_not_notice(void **state) {
  (void)state;
  pthread_t threads[4];
  for (size_t i = 0; i < COUNT(threads); i++) {
    threads[i] = thread_start(list_directories, NULL);
  }
  for (int i = 0; i < CREATIONS; i++) {
    subpy_id id;
    CREATE(NULL, &id);
    DESTROY(id);
  }
  gate_open(&ended);
  for (size_t i = 0; i < COUNT(threads); i++) {
    thread_join(threads[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_runs_do_not_notice),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
