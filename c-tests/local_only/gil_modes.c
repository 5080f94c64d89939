/* Whose GIL an interpreter uses: its own, so that it runs in parallel, or the shared one. */
#include "support.h"

static subpy_id create_with_gil(uint32_t gil) {
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.gil = gil;
  subpy_id id;
  CREATE(&config, &id);
  return id;
}

/* A GIL's switch interval is the same for all who share it, and nobody else's. */
static bool share_a_gil(subpy_id a, subpy_id b) {
  RUN(a, "import sys; sys.setswitchinterval(0.125)");
  RUN(b, "import sys; sys.setswitchinterval(0.25)");
  subpy_error *error = NULL;
  subpy_status got = subpy_run_string(a, "assert sys.getswitchinterval() == 0.125", &error);
  CHECK(got == SUBPY_OK || got == SUBPY_ERR_EXCEPTION, "%s", subpy_error_message(error));
  subpy_error_free(error);
  RUN(a, "sys.setswitchinterval(0.005)");
  RUN(b, "sys.setswitchinterval(0.005)");
  return got == SUBPY_ERR_EXCEPTION;
}

static void test_shared_ones_share_it(void **state) {
  (void)state;
  subpy_id a = create_with_gil(SUBPY_GIL_SHARED), b = create_with_gil(SUBPY_GIL_SHARED);
  CHECK(share_a_gil(a, b), "two shared GILs");
  CHECK(share_a_gil(0, a), "not the main interpreter's");
  DESTROY(a);
  DESTROY(b);
}

static void test_own_ones_do_not(void **state) {
  (void)state;
  if (!subpy_supports(SUBPY_FEATURE_OWN_GIL)) {
    skip();
  }
  subpy_id a = create_with_gil(SUBPY_GIL_OWN), b = create_with_gil(SUBPY_GIL_OWN);
  subpy_id shared = create_with_gil(SUBPY_GIL_SHARED);
  CHECK(!share_a_gil(a, b), "one GIL for two");
  CHECK(!share_a_gil(a, shared), "one GIL for two");
  CHECK(!share_a_gil(0, a), "the main interpreter's");
  DESTROY(a);
  DESTROY(b);
  DESTROY(shared);
}

static void test_the_default_is_its_own_where_there_is_one(void **state) {
  (void)state;
  subpy_id a = create_with_gil(SUBPY_GIL_DEFAULT), b;
  CREATE(NULL, &b);
  CHECK_EQUAL(share_a_gil(a, b), !subpy_supports(SUBPY_FEATURE_OWN_GIL));
  DESTROY(a);
  DESTROY(b);
}

/* Two interpreters wait for one another without letting go of their GILs: each spins until the
 * other has written to a memory map of the same file, and nobody switches in less than 1000 s. */
struct meeting {
  subpy_id id;
  int file, mine, other;
};

static void *meet(void *argument) {
  const struct meeting *meeting = argument;
  char code[512];
  snprintf(code, sizeof code,
           "import mmap, sys\n"
           "sys.setswitchinterval(1000)\n"
           "memory = mmap.mmap(%d, 4096)\n"
           "memory[%d] = 1\n"
           "while memory[%d] == 0: pass\n",
           meeting->file, meeting->mine, meeting->other);
  RUN(meeting->id, code);
  return NULL;
}

static void test_own_ones_run_in_parallel(void **state) {
  (void)state;
  if (!subpy_supports(SUBPY_FEATURE_OWN_GIL)) {
    skip();
  }
  FILE *file = tmpfile();
  CHECK(file != NULL, "no temporary file");
  CHECK_EQUAL(ftruncate(fileno(file), 4096), 0);
  struct meeting meetings[2];
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) {
    meetings[i] = (struct meeting){create_with_gil(SUBPY_GIL_OWN), fileno(file), i, 1 - i};
    threads[i] = thread_start(meet, &meetings[i]);
  }
  for (int i = 0; i < 2; i++) {
    thread_join(threads[i]);
    DESTROY(meetings[i].id);
  }
  fclose(file);
}

static void test_both_kinds_live_side_by_side(void **state) {
  (void)state;
  subpy_id ids[4];
  for (size_t i = 0; i < COUNT(ids); i++) {
    ids[i] = create_with_gil(i % 2 ? SUBPY_GIL_SHARED : SUBPY_GIL_DEFAULT);
    RUN(ids[i], "import json, math, re, threading; x = json.loads('[1]')");
  }
  for (size_t i = 0; i < COUNT(ids); i++) {
    RUN(ids[i], "assert x == [1]");
    DESTROY(ids[i]);
  }
}

static int initialize(void **state) {
  (void)state;
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.allow_main = 1;
  INITIALIZE(&config);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_shared_ones_share_it),
      cmocka_unit_test(test_own_ones_do_not),
      cmocka_unit_test(test_the_default_is_its_own_where_there_is_one),
      cmocka_unit_test(test_own_ones_run_in_parallel),
      cmocka_unit_test(test_both_kinds_live_side_by_side),
  };
  return RUN_TESTS_BETWEEN(tests, initialize, finalize_at_last);
}
