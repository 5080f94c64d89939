/* Host threads come and go by the thousand and leave no thread state behind. */
#include "host.h"

static void *run_once(void *id) {
  RUN(*(subpy_id *)id, "n += 1");
  return NULL;
}

static void test_ten_thousand_threads_leave_none(void **state) {
  (void)state;
  subpy_id ids[2];
  for (size_t i = 0; i < COUNT(ids); i++) {
    CREATE(NULL, &ids[i]);
    RUN(ids[i], "n = 0");
  }
  const int before = count_thread_states();
  for (int i = 0; i < 5000; i++) {
    const pthread_t one = thread_start(run_once, &ids[0]), two = thread_start(run_once, &ids[1]);
    thread_join(one);
    thread_join(two);
  }
  CHECK_EQUAL(count_thread_states(), before);
  for (size_t i = 0; i < COUNT(ids); i++) {
    RUN(ids[i], "assert n == 5000, n");
    DESTROY(ids[i]);
  }
  CHECK_EQUAL(count_thread_states(), before - 2);
}

static void *live_a_life(void *unused) {
  RUN_IN_NEW(NULL, "import threading");
  return unused;
}

static void test_threads_that_create_and_destroy_leave_none(void **state) {
  (void)state;
  const int before = count_thread_states();
  for (int i = 0; i < 20; i++) {
    in_thread(live_a_life, NULL);
  }
  CHECK_EQUAL(count_thread_states(), before);
  CHECK_EQUAL(count_interpreters(), 1);
}

static void test_calls_that_fail_leave_none(void **state) {
  (void)state;
  const int before = count_thread_states();
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  subpy_id id;
  config.gil = 100;
  EXPECT(SUBPY_ERR_INVALID_ARGUMENT, subpy_create(&config, &id, &error));
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_run_string(100, "x = 1", &error));
  EXPECT(SUBPY_ERR_NOT_PERMITTED, subpy_run_string(0, "x = 1", &error));
  EXPECT(SUBPY_ERR_NOT_PERMITTED, subpy_destroy(0, &error));
  CHECK_EQUAL(count_thread_states(), before);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ten_thousand_threads_leave_none),
      cmocka_unit_test(test_threads_that_create_and_destroy_leave_none),
      cmocka_unit_test(test_calls_that_fail_leave_none),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
