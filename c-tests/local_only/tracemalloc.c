/* tracemalloc traces the memory of the process: it is on while an interpreter wants it. */
#include "child.h"

static subpy_id create(subpy_gil gil) {
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.gil = gil;
  subpy_id id;
  CREATE(&config, &id);
  RUN(id, "import tracemalloc");
  return id;
}

static void refuses_to_start(void *why) {
  INITIALIZE(NULL);
  subpy_id id = create(SUBPY_GIL_DEFAULT);
  RUN(id, "assert not tracemalloc.is_tracing() and tracemalloc.get_traced_memory() == (0, 0)\n"
          "assert tracemalloc.get_object_traceback(object()) is None\n"
          "tracemalloc.stop(); tracemalloc.clear_traces()\n");
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "tracemalloc.start()");
  CHECK_CONTAINS(subpy_error_message(error), (const char *)why);
  subpy_error_free(error);
  DESTROY(id);
  FINALIZE();
}

/* Where it can't be on it can be imported and asked. */
static void test_it_says_why_it_does_not_start(void **state) {
  (void)state;
  IN_CHILD(refuses_to_start, python_at_least(3, 12) ? "SUBPY_GIL_SHARED" : "a second interpreter");
}

static void starts_and_stops(void *unused) {
  (void)unused;
  INITIALIZE(NULL);
  for (int i = 0; i < 2; i++) {
    subpy_id first = create(SUBPY_GIL_SHARED), second = create(SUBPY_GIL_SHARED);
    RUN(first, "tracemalloc.start(3)\n"
               "kept = [bytes(1000) for _ in range(100)]\n"
               "assert tracemalloc.get_traced_memory()[0] >= 100_000\n"
               "assert len(tracemalloc.get_object_traceback(kept[0])) == 1\n");
    RUN(second, "assert tracemalloc.is_tracing()\n"
                "tracemalloc.stop()  # it has not started it\n"
                "assert tracemalloc.is_tracing()\n"
                "tracemalloc.start(); tracemalloc.start()\n");
    RUN(first, "tracemalloc.stop(); tracemalloc.stop(); assert tracemalloc.is_tracing()");
    DESTROY(first);
    RUN(second, "assert tracemalloc.is_tracing()");
    DESTROY(second);
    subpy_id third = create(SUBPY_GIL_SHARED);
    RUN(third, "assert not tracemalloc.is_tracing()");
    DESTROY(third);
  }
  FINALIZE();
}

static void test_it_is_off_when_nobody_wants_it(void **state) {
  (void)state;
  if (!python_at_least(3, 12)) {
    skip();
  }
  IN_CHILD(starts_and_stops, NULL);
}

/* What it knows of an interpreter that has ended: the names of files, which are counted down when it stops. */
static void outlives_others(void *unused) {
  (void)unused;
  INITIALIZE(NULL);
  subpy_id traces = create(SUBPY_GIL_SHARED);
  /* Not cured in debug builds to 3.13: see docs/testing.md. */
  RUN(traces, "import sys\n"
              "if sys.version_info >= (3, 14) or not hasattr(sys, 'gettotalrefcount'):\n"
              "    tracemalloc.start()\n");
  RUN_IN_NEW(NULL, "import asyncio, json, logging");
  RUN(traces, "from sys import getrefcount\n"
              "taken = [bytes(n) for n in range(2, 160) for _ in range(500)]\n"
              "before = [getrefcount(it) for it in taken]\n"
              "tracemalloc.stop()\n"
              "after = [getrefcount(it) for it in taken]\n"
              "assert before == after, [p for p in zip(before, after) if p[0] != p[1]]\n");
  DESTROY(traces);
  FINALIZE();
}

static void test_it_outlives_other_interpreters(void **state) {
  (void)state;
  if (!python_at_least(3, 12)) {
    skip();
  }
  IN_CHILD(outlives_others, NULL);
}

static void starts_with_it(void *unused) {
  (void)unused;
  setenv("PYTHONTRACEMALLOC", "1", 1);
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.isolated = 0;
  config.account_memory = 0;
  if (!python_at_least(3, 12)) {
    subpy_error *error = NULL;
    CHECK_EQUAL(subpy_initialize(&config, &error), SUBPY_ERR_UNSUPPORTED);
    CHECK_CONTAINS(subpy_error_message(error), "PYTHONTRACEMALLOC");
    subpy_error_free(error);
    return;
  }
  INITIALIZE(&config);
  for (int i = 0; i < 2; i++) {
    subpy_id id = create(SUBPY_GIL_SHARED);
    RUN(id, "assert tracemalloc.is_tracing()\n"
            "tracemalloc.start(); tracemalloc.stop()\n"
            "assert tracemalloc.is_tracing()\n");
    DESTROY(id);
  }
  FINALIZE();
}

static void test_what_the_host_has_started_stays(void **state) {
  (void)state;
  IN_CHILD(starts_with_it, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_it_says_why_it_does_not_start),
      cmocka_unit_test(test_it_is_off_when_nobody_wants_it),
      cmocka_unit_test(test_it_outlives_other_interpreters),
      cmocka_unit_test(test_what_the_host_has_started_stays),
  };
  return RUN_TESTS(tests);
}
