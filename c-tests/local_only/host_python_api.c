/* A function of the host's may use Python.h for the interpreter that calls it: its thread state is attached. */
#include <Python.h>

#include "support.h"

/* host.api(): calls what the script has defined, imports a module of the interpreter's, and sets a name. */
static void use_api(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user, (void)args;
  CHECK_EQUAL(nargs, 0);
  CHECK(PyThreadState_Get() != NULL, "no thread state is attached");
  PyObject *main = PyImport_AddModule("__main__"); /* borrowed */
  PyObject *thing = PyObject_GetAttrString(main, "thing");
  PyObject *name = thing ? PyObject_CallMethod(thing, "name", NULL) : NULL;
  PyObject *builder = PyImport_ImportModule("decimal");
  PyObject *number = builder ? PyObject_CallMethod(builder, "Decimal", "s", "1.5") : NULL;
  if (!name || !number || PyObject_SetAttrString(main, "number", number) != 0) {
    PyErr_Print();
    FAIL("the API has failed");
  }
  /* An exception of its own is cleared before it returns. */
  CHECK(!PyObject_GetAttrString(thing, "no_such"), "there is such an attribute");
  CHECK(PyErr_ExceptionMatches(PyExc_AttributeError), "another exception");
  PyErr_Clear();
  const subpy_value result = subpy_str(PyUnicode_AsUTF8(name));
  subpy_host_return(call, &result);
  Py_XDECREF(thing), Py_XDECREF(name), Py_XDECREF(builder), Py_XDECREF(number);
}

static const char CODE[] = "import host\n"
                           "class Thing:\n"
                           "    def name(self): return f'thing of {owner}'\n"
                           "thing = Thing()\n"
                           "assert host.api() == f'thing of {owner}', host.api()\n"
                           "from decimal import Decimal\n"
                           "assert type(number) is Decimal and number == Decimal('1.5')\n";

static void *use_one(void *argument) {
  subpy_id id;
  CREATE(argument, &id);
  const subpy_value owner = subpy_int(id);
  EXPECT(SUBPY_OK, subpy_set(id, "owner", &owner, &error));
  EXPECT(SUBPY_OK, subpy_define_function(id, "host", "api", use_api, NULL, NULL, &error));
  for (int i = 0; i < 20; i++) {
    RUN(id, CODE);
  }
  /* No script is under it. */
  subpy_value value;
  EXPECT(SUBPY_OK, subpy_call(id, "host:api", NULL, 0, &value, &error));
  CHECK_CONTAINS(subpy_value_text(&value), "thing of ");
  subpy_value_clear(&value);
  DESTROY(id);
  return NULL;
}

static void test_its_own_interpreter(void **state) {
  (void)state;
  use_one(NULL);
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.gil = SUBPY_GIL_SHARED;
  use_one(&config);
}

/* Between two calls of a thread that stays in the interpreter, too. */
static void test_in_a_stay(void **state) {
  (void)state;
  if (!python_at_least(3, 12)) {
    skip(); /* no interpreter has a GIL of its own */
  }
  subpy_id id;
  subpy_value value = subpy_none();
  CREATE(NULL, &id);
  EXPECT(SUBPY_OK, subpy_enter(id, NULL, &error));
  RUN(id, "numbers = []");
  PyObject *const numbers = PyObject_GetAttrString(PyImport_AddModule("__main__"), "numbers");
  for (long i = 0; i < 10; i++) {
    PyObject *const number = PyLong_FromLong(i);
    CHECK_EQUAL(PyList_Append(numbers, number), 0);
    Py_DECREF(number);
    EXPECT(SUBPY_OK, subpy_eval(id, "numbers[-1]", &value, &error));
    CHECK_EQUAL(value.as.integer, i);
  }
  Py_DECREF(numbers);
  /* Without the GIL, a call takes it for as long as it needs. */
  PyThreadState *const mine = PyEval_SaveThread();
  RUN(id, "assert numbers == list(range(10))");
  REFUSES(SUBPY_ERR_BUSY, "taken back", subpy_leave(id, &error));
  PyEval_RestoreThread(mine);
  RUN(id, "numbers.clear()");
  EXPECT(SUBPY_OK, subpy_leave(id, &error));
  DESTROY(id);
}

/* Who holds a GIL by itself has to let go of it first. */
static void test_a_gil_of_the_host(void **state) {
  (void)state;
  if (!python_at_least(3, 12)) {
    skip();
  }
  subpy_id id;
  CREATE(NULL, &id);
  PyThreadState *const own = PyThreadState_New(PyInterpreterState_Main());
  PyEval_RestoreThread(own);
  REFUSES(SUBPY_ERR_NOT_PERMITTED, "GIL of its own", subpy_enter(id, NULL, &error));
  PyThreadState_Clear(own);
  PyThreadState_DeleteCurrent();
  EXPECT(SUBPY_OK, subpy_enter(id, NULL, &error));
  EXPECT(SUBPY_OK, subpy_leave(id, &error));
  DESTROY(id);
}

static void test_several_at_once(void **state) {
  (void)state;
  pthread_t threads[4];
  for (size_t i = 0; i < COUNT(threads); i++) {
    CHECK_EQUAL(pthread_create(&threads[i], NULL, use_one, NULL), 0);
  }
  for (size_t i = 0; i < COUNT(threads); i++) {
    pthread_join(threads[i], NULL);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_its_own_interpreter),
      cmocka_unit_test(test_in_a_stay),
      cmocka_unit_test(test_a_gil_of_the_host),
      cmocka_unit_test(test_several_at_once),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
