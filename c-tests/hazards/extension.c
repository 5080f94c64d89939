/*
 * The extension module of the scripts in type_versions.c and kept.c. It declares its support
 * of interpreters, as others do.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <sched.h>

static PyObject *new_type(void) {
  PyType_Slot slots[] = {{0, NULL}};
  PyType_Spec spec = {"extension.made", 0, 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, slots};
  return PyType_FromSpec(&spec);
}

/* Waits until as many threads have come here, in whatever interpreter. */
static void meet(int threads) {
  static int come;
  __atomic_fetch_add(&come, 1, __ATOMIC_SEQ_CST);
  while (__atomic_load_n(&come, __ATOMIC_SEQ_CST) < threads) {
    sched_yield();
  }
}

static Py_ssize_t number_of(PyObject *types, Py_ssize_t place, PyObject *name) {
  PyObject *number = PyObject_GetAttr(PyList_GetItem(types, place), name);
  Py_XDECREF(number); /* its type keeps it */
  return PyLong_AsSsize_t(number);
}

/*
 * use(n, threads): makes n types, each with a number, and counts those that answer with another's.
 * All threads ask at once.
 */
static PyObject *use(PyObject *module, PyObject *arguments) {
  (void)module;
  Py_ssize_t count;
  int threads;
  if (!PyArg_ParseTuple(arguments, "ni", &count, &threads)) {
    return NULL;
  }
  PyObject *types = PyList_New(count);
  Py_ssize_t wrong = 0;
  for (Py_ssize_t i = 0; types != NULL && i < count; i++) {
    PyObject *type = new_type(), *number = PyLong_FromSsize_t(i);
    PyDict_SetItemString(((PyTypeObject *)type)->tp_dict, "number", number);
    Py_DECREF(number);
    PyList_SetItem(types, i, type);
  }
  meet(threads);
  PyObject *name = PyUnicode_InternFromString("number"); /* caches are for such */
  for (Py_ssize_t i = 0; types != NULL && name != NULL && i < count; i++) {
    number_of(types, i, name); /* gives it a version */
    wrong += i > 0 && number_of(types, i - 1, name) != i - 1;
  }
  Py_XDECREF(name);
  Py_XDECREF(types);
  return PyLong_FromSsize_t(wrong);
}

static PyObject *kept;

/* keep(s): keeps a string in a static, as modules do that were not written for interpreters. */
static PyObject *keep(PyObject *module, PyObject *string) {
  (void)module;
  Py_INCREF(string);
  kept = string;
  Py_RETURN_NONE;
}

static PyObject *get_kept(PyObject *module, PyObject *unused) {
  (void)module, (void)unused;
  Py_INCREF(kept);
  return kept;
}

static PyMethodDef methods[] = {
    {"use", use, METH_VARARGS, NULL},
    {"keep", keep, METH_O, NULL},
    {"get_kept", get_kept, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

/* A type that all interpreters share, as in modules that were written before there were several: the names
 * in its dict are strings of the first interpreter that imported the module. */
static PyObject *answer(PyObject *self, PyObject *unused) {
  (void)self, (void)unused;
  return PyLong_FromLong(42);
}

static PyMethodDef shared_methods[] = {
    {"a_method_that_a_static_type_has", answer, METH_NOARGS, NULL},
    {"another_method_that_it_has", answer, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject shared_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "extension.Shared",
    .tp_basicsize = sizeof(PyObject),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_methods = shared_methods,
    .tp_new = PyType_GenericNew,
};

static int execute(PyObject *module) { return PyModule_AddType(module, &shared_type); }

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)execute},
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {0, NULL},
};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "extension",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit_extension(void) { return PyModuleDef_Init(&definition); }
