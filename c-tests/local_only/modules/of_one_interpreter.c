/* A module that is loaded into one interpreter of a process, as those that Cython makes. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject *create(PyObject *spec, PyModuleDef *definition) {
  static int64_t first = -1;
  (void)spec, (void)definition;
  const int64_t here = PyInterpreterState_GetID(PyInterpreterState_Get());
  if (first == -1) {
    first = here;
  }
  if (first != here) {
    PyErr_Format(PyExc_ImportError, "interpreter %lld has it", (long long)first);
    return NULL;
  }
  return PyModule_New("of_one_interpreter");
}

static PyModuleDef_Slot slots[] = {{Py_mod_create, (void *)create}, {0, NULL}};

static PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "of_one_interpreter",
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit_of_one_interpreter(void) { return PyModuleDef_Init(&module); }
