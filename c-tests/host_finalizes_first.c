/* A host that finalizes its own Python before it has given subpy back. */
#include "host.h"

static void test_calls_say_that_python_is_gone(void **state) {
  (void)state;
  subpy_id id;
  size_t count = 7;
  start_python();
  INITIALIZE(NULL);
  CREATE(NULL, &id);
  RUN(id, "x = 1");
  DESTROY(id);
  CHECK_EQUAL(Py_FinalizeEx(), 0);

  CHECK(!subpy_is_initialized(), "initialized, but Python is not");
  EXPECT(SUBPY_ERR_NOT_INITIALIZED, subpy_create(NULL, &id, &error));
  EXPECT(SUBPY_ERR_NOT_INITIALIZED, subpy_run_string(1, "x = 1", &error));
  EXPECT(SUBPY_ERR_NOT_INITIALIZED, subpy_destroy(1, &error));
  EXPECT(SUBPY_ERR_NOT_INITIALIZED, subpy_list_all(NULL, 0, &count, &error));
  CHECK(subpy_initialize(NULL, NULL) != SUBPY_OK, "joined a Python that is gone");

  /* What is left may be given back, or is taken for gone with Python. */
  subpy_status got = subpy_finalize(NULL);
  CHECK(got == SUBPY_OK || got == SUBPY_ERR_NOT_INITIALIZED, "%s", subpy_status_name(got));
  CHECK(!subpy_is_initialized(), "initialized, but Python is not");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_calls_say_that_python_is_gone),
  };
  return RUN_TESTS(tests);
}
