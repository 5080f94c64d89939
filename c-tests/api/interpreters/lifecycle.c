/* Interpreters come, are listed, and go; ids are never given out twice. */
#include "fixture.h"

static void *identify(void *found) {
  EXPECT(SUBPY_OK, subpy_get_main(found, &error));
  return NULL;
}

static void test_ids_ascend_and_are_never_reused(void **state) {
  (void)state;
  subpy_id last = 0;
  for (int i = 0; i < 20; i++) {
    subpy_id id = 0;
    CREATE(NULL, &id);
    CHECK(id > last, "%lld after %lld", (long long)id, (long long)last);
    last = id;
    if (i % 2 == 0) {
      DESTROY(id);
      REFUSES(SUBPY_ERR_NOT_FOUND, "destroyed", subpy_run_string(id, "x = 1", &error));
    }
  }
  subpy_id ids[16];
  size_t count = 0;
  EXPECT(SUBPY_OK, subpy_list_all(ids, COUNT(ids), &count, &error));
  CHECK_EQUAL(count, 11);
  for (size_t i = 1; i < count; i++) {
    CHECK(ids[i] > ids[i - 1], "not in ascending order");
    DESTROY(ids[i]);
  }
}

static void test_the_list_has_the_main_interpreter(void **state) {
  (void)state;
  subpy_id ids[2] = {-1, -1};
  size_t count = 0;
  EXPECT(SUBPY_OK, subpy_list_all(ids, 2, &count, &error));
  CHECK_EQUAL(count, 1);
  CHECK_EQUAL(ids[0], 0);
  CHECK_EQUAL(ids[1], -1);
}

static void test_the_list_writes_what_fits_and_counts_all(void **state) {
  (void)state;
  subpy_id a, b;
  CREATE(NULL, &a);
  CREATE(NULL, &b);
  for (size_t capacity = 0; capacity <= 4; capacity++) {
    const subpy_id expected[] = {0, a, b};
    subpy_id ids[] = {-1, -1, -1, -1};
    size_t count = 0;
    EXPECT(SUBPY_OK, subpy_list_all(ids, capacity, &count, &error));
    CHECK_EQUAL(count, 3);
    for (size_t i = 0; i < COUNT(ids); i++) {
      CHECK_EQUAL(ids[i], i < capacity && i < 3 ? expected[i] : -1);
    }
  }
  DESTROY(a);
  DESTROY(b);
}

static void test_the_list_and_null(void **state) {
  (void)state;
  subpy_id id;
  size_t count = 7;
  EXPECT(SUBPY_OK, subpy_list_all(NULL, 0, &count, &error));
  CHECK_EQUAL(count, 1);
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "ids", subpy_list_all(NULL, 1, &count, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "count", subpy_list_all(&id, 1, NULL, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "count", subpy_list_all(NULL, 0, NULL, &error));
}

static void test_null_for_a_result(void **state) {
  (void)state;
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "id", subpy_create(NULL, NULL, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "id", subpy_get_current(NULL, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "id", subpy_get_main(NULL, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "running", subpy_is_running(0, NULL, &error));
  size_t count = 0;
  EXPECT(SUBPY_OK, subpy_list_all(NULL, 0, &count, &error));
  CHECK_EQUAL(count, 1);
}

static void test_the_error_may_be_ignored(void **state) {
  (void)state;
  subpy_id id;
  bool running;
  size_t count;
  CHECK_EQUAL(subpy_create(NULL, &id, NULL), SUBPY_OK);
  CHECK_EQUAL(subpy_run_string(id, "x = 1", NULL), SUBPY_OK);
  CHECK_EQUAL(subpy_run_string(id, "1 / 0", NULL), SUBPY_ERR_EXCEPTION);
  CHECK_EQUAL(subpy_is_running(id, &running, NULL), SUBPY_OK);
  CHECK_EQUAL(subpy_list_all(NULL, 0, &count, NULL), SUBPY_OK);
  CHECK_EQUAL(subpy_destroy(id, NULL), SUBPY_OK);
  CHECK_EQUAL(subpy_destroy(id, NULL), SUBPY_ERR_NOT_FOUND);
}

static void test_an_interpreter_is_destroyed_once(void **state) {
  (void)state;
  bool running = true;
  DESTROY(id);
  REFUSES(SUBPY_ERR_NOT_FOUND, "destroyed", subpy_destroy(id, &error));
  REFUSES(SUBPY_ERR_NOT_FOUND, "destroyed", subpy_run_string(id, "x = 1", &error));
  REFUSES(SUBPY_ERR_NOT_FOUND, "destroyed", subpy_is_running(id, &running, &error));
  CHECK(!running, "a destroyed interpreter is running");
}

static void test_ids_that_were_never_given_out(void **state) {
  (void)state;
  const subpy_id ids[] = {-1, 1000000, INT64_MAX, INT64_MIN, 0x100000000};
  for (size_t i = 0; i < COUNT(ids); i++) {
    bool running;
    EXPECT(SUBPY_ERR_NOT_FOUND, subpy_run_string(ids[i], "x = 1", &error));
    EXPECT(SUBPY_ERR_NOT_FOUND, subpy_run_string_with(ids[i], NULL, "x = 1", 5, &error));
    EXPECT(SUBPY_ERR_NOT_FOUND, subpy_destroy(ids[i], &error));
    EXPECT(SUBPY_ERR_NOT_FOUND, subpy_is_running(ids[i], &running, &error));
  }
}

static void test_the_main_interpreter(void **state) {
  (void)state;
  subpy_id id = 7;
  bool running = true;
  EXPECT(SUBPY_OK, subpy_get_main(&id, &error));
  CHECK_EQUAL(id, 0);
  id = 7;
  in_thread(identify, &id);
  CHECK_EQUAL(id, 0);
  EXPECT(SUBPY_OK, subpy_is_running(0, &running, &error));
  CHECK(!running, "the main interpreter is running");
  REFUSES(SUBPY_ERR_NOT_PERMITTED, "main interpreter", subpy_destroy(0, &error));
  REFUSES(SUBPY_ERR_NOT_PERMITTED, "allow_main", subpy_run_string(0, "x = 1", &error));
  REFUSES(SUBPY_ERR_NOT_PERMITTED, "allow_main", subpy_configure_main(NULL, &error));
  REFUSES(SUBPY_ERR_NOT_PERMITTED, "allow_main",
          subpy_run_string_with(0, NULL, "x = 1", 5, &error));
}

static void test_a_new_interpreter_is_idle(void **state) {
  (void)state;
  bool running = true;
  EXPECT(SUBPY_OK, subpy_is_running(id, &running, &error));
  CHECK(!running, "a new interpreter is running");
  RUN(id, "x = 1");
  EXPECT(SUBPY_OK, subpy_is_running(id, &running, &error));
  CHECK(!running, "it is running after its run");
}

static void test_outside_there_is_no_current_one(void **state) {
  (void)state;
  RUN(id, "x = 1");
  subpy_id current = 7;
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_get_current(&current, &error));
  DESTROY(id);
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_get_current(&current, &error));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_list_has_the_main_interpreter),
      cmocka_unit_test(test_ids_ascend_and_are_never_reused),
      cmocka_unit_test(test_the_list_writes_what_fits_and_counts_all),
      cmocka_unit_test(test_the_list_and_null),
      cmocka_unit_test(test_null_for_a_result),
      cmocka_unit_test(test_the_error_may_be_ignored),
      TEST(test_an_interpreter_is_destroyed_once),
      cmocka_unit_test(test_ids_that_were_never_given_out),
      cmocka_unit_test(test_the_main_interpreter),
      TEST(test_a_new_interpreter_is_idle),
      TEST(test_outside_there_is_no_current_one),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
