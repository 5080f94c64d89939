/* While one thread runs in an interpreter, it is busy for all others; and only it is. */
#include "fixture.h"
#include "busy.h"

static void test_another_run_is_refused(void **state) {
  (void)state;
  struct busy busy;
  busy_start(&busy);
  REFUSES(SUBPY_ERR_BUSY, "running", subpy_run_string(busy.id, "x = 1", &error));
  REFUSES(SUBPY_ERR_BUSY, "running", subpy_run_string_with(busy.id, NULL, "x = 1", 5, &error));
  busy_end(&busy);
  RUN(busy.id, "assert 'x' not in globals()");
  DESTROY(busy.id);
}

static void test_destroying_is_refused(void **state) {
  (void)state;
  struct busy busy;
  busy_start(&busy);
  REFUSES(SUBPY_ERR_BUSY, "running", subpy_destroy(busy.id, &error));
  busy_end(&busy);
  RUN(busy.id, "x = 1");
  DESTROY(busy.id);
}

static void test_is_running_says_so(void **state) {
  (void)state;
  struct busy busy;
  bool running = false;
  busy_start(&busy);
  EXPECT(SUBPY_OK, subpy_is_running(busy.id, &running, &error));
  CHECK(running, "a run is under way, but it is not running");
  busy_end(&busy);
  EXPECT(SUBPY_OK, subpy_is_running(busy.id, &running, &error));
  CHECK(!running, "the run has ended, but it is running");
  DESTROY(busy.id);
}

static void test_it_is_not_current_in_another_thread(void **state) {
  (void)state;
  struct busy busy;
  subpy_id id;
  busy_start(&busy);
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_get_current(&id, &error));
  busy_end(&busy);
  DESTROY(busy.id);
}

static void test_finalizing_is_refused_and_changes_nothing(void **state) {
  (void)state;
  struct busy busy;
  subpy_id idle;
  size_t count = 0;
  CREATE(NULL, &idle);
  RUN(idle, "x = 1");
  busy_start(&busy);
  REFUSES(SUBPY_ERR_BUSY, "running", subpy_finalize(&error));
  CHECK(subpy_is_initialized(), "refused, but finalized");
  EXPECT(SUBPY_OK, subpy_list_all(NULL, 0, &count, &error));
  CHECK_EQUAL(count, 3);
  RUN(idle, "assert x == 1");
  busy_end(&busy);
  RUN(busy.id, "x = 1");
  DESTROY(busy.id);
  DESTROY(idle);
}

static void *finalize_in_vain(void *ended) {
  for (int i = 0; i < 5000; i++) {
    EXPECT(SUBPY_ERR_BUSY, subpy_finalize(&error));
  }
  gate_open(ended);
  return NULL;
}

static void test_others_do_not_notice_a_refused_finalize(void **state) {
  (void)state;
  struct busy busy;
  struct gate ended = GATE_INIT;
  busy_start(&busy);
  const pthread_t thread = thread_start(finalize_in_vain, &ended);
  int refused = 0;
  while (!gate_is_open(&ended)) {
    subpy_id id;
    refused += !subpy_is_initialized() || subpy_get_main(&id, NULL) != SUBPY_OK;
  }
  thread_join(thread);
  busy_end(&busy);
  DESTROY(busy.id);
  CHECK(refused == 0, "%d times, subpy was not initialized", refused);
}

static void test_others_come_run_and_go(void **state) {
  (void)state;
  struct busy busy;
  size_t count = 0;
  busy_start(&busy);
  RUN(id, "import json; assert json.loads('1') == 1");
  EXPECT(SUBPY_OK, subpy_list_all(NULL, 0, &count, &error));
  CHECK_EQUAL(count, 3);
  DESTROY(id);
  busy_end(&busy);
  DESTROY(busy.id);
}

static void test_null_is_refused_all_the_same(void **state) {
  (void)state;
  struct busy busy;
  busy_start(&busy);
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "code", subpy_run_string(busy.id, NULL, &error));
  busy_end(&busy);
  DESTROY(busy.id);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_another_run_is_refused),
      cmocka_unit_test(test_destroying_is_refused),
      cmocka_unit_test(test_is_running_says_so),
      cmocka_unit_test(test_it_is_not_current_in_another_thread),
      cmocka_unit_test(test_finalizing_is_refused_and_changes_nothing),
      cmocka_unit_test(test_others_do_not_notice_a_refused_finalize),
      TEST(test_others_come_run_and_go),
      cmocka_unit_test(test_null_is_refused_all_the_same),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
