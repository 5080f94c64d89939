/* A host that has started Python, and calls from inside of a subinterpreter of its own. */
#include "host.h"

static void test_it_gets_its_interpreter_back(void **state) {
  (void)state;
#if PY_VERSION_HEX < 0x030C0000
  skip(); /* there, no thread can tell such a thread state from another thread's: see README.md */
#endif
  subpy_id id;
  size_t count = 0;
  start_python();
  PyThreadState *own = PyThreadState_Get();
  INITIALIZE(NULL);
  PyThreadState *inside = Py_NewInterpreter();
  CHECK(inside != NULL, "no interpreter");
  HOST_RUN("mine = 1");

  EXPECT(SUBPY_OK, subpy_list_all(NULL, 0, &count, &error));
  CHECK_EQUAL(count, 1);
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_get_current(&id, &error));
  CREATE(NULL, &id);
  CHECK(PyThreadState_Get() == inside, "another thread state is attached");
  RUN(id, "assert 'mine' not in globals()");
  CHECK(PyThreadState_Get() == inside, "another thread state is attached");
  DESTROY(id);
  CHECK(PyThreadState_Get() == inside, "another thread state is attached");
  HOST_RUN("assert mine == 1");

  Py_EndInterpreter(inside);
  PyThreadState_Swap(own);
  FINALIZE();
  CHECK(PyThreadState_Get() == own, "another thread state is attached");
  CHECK_EQUAL(Py_FinalizeEx(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_it_gets_its_interpreter_back),
  };
  return RUN_TESTS(tests);
}
