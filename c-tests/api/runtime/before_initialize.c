/* What works before subpy_initialize(), and what says that it comes first. */
#include "support.h"

static const char *const FIRST = "initialize it first";

static void test_calls_say_that_initialize_comes_first(void **state) {
  (void)state;
  subpy_id id = 7;
  size_t count = 7;
  bool running = true;
  CHECK(!subpy_is_initialized(), "initialized by itself");
  REFUSES(SUBPY_ERR_NOT_INITIALIZED, FIRST, subpy_create(NULL, &id, &error));
  CHECK_EQUAL(id, -1);
  REFUSES(SUBPY_ERR_NOT_INITIALIZED, FIRST, subpy_destroy(1, &error));
  REFUSES(SUBPY_ERR_NOT_INITIALIZED, FIRST, subpy_destroy_with(1, NULL, &error));
  REFUSES(SUBPY_ERR_NOT_INITIALIZED, FIRST, subpy_list_all(&id, 1, &count, &error));
  CHECK_EQUAL(count, 0);
  REFUSES(SUBPY_ERR_NOT_INITIALIZED, FIRST, subpy_get_current(&id, &error));
  REFUSES(SUBPY_ERR_NOT_INITIALIZED, FIRST, subpy_get_main(&id, &error));
  REFUSES(SUBPY_ERR_NOT_INITIALIZED, FIRST, subpy_is_running(1, &running, &error));
  CHECK(!running, "an interpreter that can't be there is running");
  REFUSES(SUBPY_ERR_NOT_INITIALIZED, FIRST, subpy_run_string(1, "x = 1", &error));
  REFUSES(SUBPY_ERR_NOT_INITIALIZED, FIRST, subpy_run_string_with(1, NULL, "x = 1", 5, &error));
  REFUSES(SUBPY_ERR_NOT_INITIALIZED, FIRST, subpy_finalize(&error));
  CHECK(!subpy_is_initialized(), "initialized by a call that was refused");
}

static void test_the_error_may_be_ignored(void **state) {
  (void)state;
  subpy_id id;
  CHECK_EQUAL(subpy_create(NULL, &id, NULL), SUBPY_ERR_NOT_INITIALIZED);
  CHECK_EQUAL(subpy_run_string(1, "x = 1", NULL), SUBPY_ERR_NOT_INITIALIZED);
  CHECK_EQUAL(subpy_finalize(NULL), SUBPY_ERR_NOT_INITIALIZED);
}

static void test_an_error_without_an_exception(void **state) {
  (void)state;
  subpy_error *error = UNWRITTEN;
  CHECK_EQUAL(subpy_run_string(1, "x = 1", &error), SUBPY_ERR_NOT_INITIALIZED);
  CHECK_EQUAL(subpy_error_status(error), SUBPY_ERR_NOT_INITIALIZED);
  CHECK_TEXT(subpy_error_type(error), "");
  CHECK_TEXT(subpy_error_traceback(error), "");
  CHECK_EQUAL(subpy_error_exit_code(error), 0);
  subpy_error_free(error);
}

static void test_no_error_is_an_empty_one(void **state) {
  (void)state;
  CHECK_EQUAL(subpy_error_status(NULL), SUBPY_OK);
  CHECK_TEXT(subpy_error_message(NULL), "");
  CHECK_TEXT(subpy_error_type(NULL), "");
  CHECK_TEXT(subpy_error_traceback(NULL), "");
  CHECK_EQUAL(subpy_error_exit_code(NULL), 0);
  subpy_error_free(NULL);
}

static void test_the_versions(void **state) {
  (void)state;
  char parts[64];
  snprintf(parts, sizeof parts, "%d.%d.%d", SUBPY_VERSION_MAJOR, SUBPY_VERSION_MINOR,
           SUBPY_VERSION_PATCH);
  CHECK_TEXT(SUBPY_VERSION, parts);
  CHECK_TEXT(subpy_version(), SUBPY_VERSION);

  int major = 0, minor = 0, patch = -1;
  CHECK_EQUAL(sscanf(subpy_python_version(), "%d.%d.%d", &major, &minor, &patch), 3);
  CHECK(major == 3 && minor >= 10 && patch >= 0, "Python %s", subpy_python_version());
  CHECK(strchr(subpy_python_version(), ' ') == NULL, "\"%s\"", subpy_python_version());
  CHECK(subpy_python_version() == subpy_python_version(), "another string each time");
}

static void test_what_a_python_supports(void **state) {
  (void)state;
  CHECK_EQUAL(subpy_supports(SUBPY_FEATURE_OWN_GIL), python_at_least(3, 12));
  CHECK_EQUAL(subpy_supports(SUBPY_FEATURE_RESTRICTIONS), python_at_least(3, 12));
  CHECK_EQUAL(subpy_supports(0), false);
  CHECK_EQUAL(subpy_supports(UINT32_MAX), false);
}

static void test_each_status_has_its_name(void **state) {
  (void)state;
#define NAMED(status) CHECK_TEXT(subpy_status_name(status), #status)
  NAMED(SUBPY_OK);
  NAMED(SUBPY_ERR_INVALID_ARGUMENT);
  NAMED(SUBPY_ERR_NOT_INITIALIZED);
  NAMED(SUBPY_ERR_NOT_FOUND);
  NAMED(SUBPY_ERR_BUSY);
  NAMED(SUBPY_ERR_NOT_PERMITTED);
  NAMED(SUBPY_ERR_UNSUPPORTED);
  NAMED(SUBPY_ERR_EXCEPTION);
  NAMED(SUBPY_ERR_EXIT);
  NAMED(SUBPY_ERR_INTERRUPTED);
  NAMED(SUBPY_ERR_TIMEOUT);
  NAMED(SUBPY_ERR_NOT_SHAREABLE);
  NAMED(SUBPY_ERR_NO_MEMORY);
  NAMED(SUBPY_ERR_INTERNAL);
  CHECK_EQUAL(SUBPY_OK, 0);
  CHECK_EQUAL(SUBPY_ERR_INTERNAL, 13);
}

static void test_any_integer_is_a_status(void **state) {
  (void)state;
  const int others[] = {16, -1, 1000, INT32_MAX, INT32_MIN};
  for (size_t i = 0; i < COUNT(others); i++) {
    CHECK_TEXT(subpy_status_name((subpy_status)others[i]), "unknown subpy_status");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_calls_say_that_initialize_comes_first),
      cmocka_unit_test(test_the_error_may_be_ignored),
      cmocka_unit_test(test_an_error_without_an_exception),
      cmocka_unit_test(test_no_error_is_an_empty_one),
      cmocka_unit_test(test_the_versions),
      cmocka_unit_test(test_what_a_python_supports),
      cmocka_unit_test(test_each_status_has_its_name),
      cmocka_unit_test(test_any_integer_is_a_status),
  };
  return RUN_TESTS(tests);
}
