/*
 * A host that ends its Python and starts it again. CPython's key for a thread's own thread state may be another one then,
 * since somebody has taken the number of the first.
 */
#include "host.h"

/* What the host keeps of a thread, by keys that it makes in between. */
enum { KEYS = 64 };

static pthread_key_t keys[KEYS];

static void check_keys(int line) {
  for (int i = 0; i < KEYS; i++) {
    CHECK(pthread_getspecific(keys[i]) == &keys[i], "line %d: key %d has another value", line, i);
  }
}

static void check_in_run(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user, (void)call, (void)args, (void)nargs;
  check_keys(__LINE__);
  CHECK(PyGILState_GetThisThreadState() == PyThreadState_Get(), "another one is this thread's");
}

static void join(void) {
  start_python();
  INITIALIZE(NULL);
}

static void leave(void) {
  FINALIZE();
  CHECK_EQUAL(Py_FinalizeEx(), 0);
}

static void test_the_keys_of_the_host_are_its_own(void **state) {
  (void)state;
  join();
  RUN_IN_NEW(NULL, "x = 1");
  leave();
  for (int i = 0; i < KEYS; i++) {
    CHECK_EQUAL(pthread_key_create(&keys[i], NULL), 0);
    CHECK_EQUAL(pthread_setspecific(keys[i], &keys[i]), 0);
  }
  join();
  subpy_id id;
  CREATE(NULL, &id);
  EXPECT(SUBPY_OK, subpy_define_function(id, "host", "check", check_in_run, NULL, NULL, &error));
  RUN(id, "import host\nhost.check()");
  check_keys(__LINE__);
  DESTROY(id);
  check_keys(__LINE__);
  leave();
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_keys_of_the_host_are_its_own)};
  return RUN_TESTS(tests);
}
