/*
 * The fixture of a test: an interpreter `id` of the backend under test, and what its scripts write.
 *
 *     static void test_names_stay(void **state) {
 *       (void)state;
 *       RUN(id, "x = 1");
 *       RUN(id, "assert x == 1");
 *     }
 *
 * TEST(test_names_stay) creates it before the test, and destroys it afterwards if the test has not. subpy is
 * initialized by RUN_TESTS_INITIALIZED, or by a setup of the whole group.
 */
#ifndef SUBPY_TESTS_FIXTURE_H
#define SUBPY_TESTS_FIXTURE_H

#include "backends.h"

static subpy_id id, second;
static struct capture capture;

static inline int create_fixture(void **state) {
  (void)state;
  const subpy_interpreter_config config = capture_config(&capture);
  CREATE(&config, &id);
  second = 0;
  return 0;
}

/* A second interpreter, for as long. */
static inline subpy_id create_second(void) {
  CREATE(NULL, &second);
  return second;
}

static inline void destroy_if_there(subpy_id one) {
  subpy_error *error = UNWRITTEN;
  const subpy_status got = subpy_destroy(one, &error);
  check_call(__FILE__, __LINE__, "subpy_destroy",
             got == SUBPY_ERR_NOT_FOUND ? SUBPY_ERR_NOT_FOUND : SUBPY_OK, got, "", error);
}

static inline int destroy_fixture(void **state) {
  (void)state;
  destroy_if_there(id);
  if (second != 0) {
    destroy_if_there(second);
  }
  capture_clear(&capture);
  return 0;
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, create_fixture, destroy_fixture)

#endif
