/*
 * A module `_cffi_backend` that makes C functions of Python functions as cffi does: by a libffi that is built in. It sees
 * to it that libffi keeps what it is given.
 *
 *   callback(function)        a number
 *   in_thread(number, int)    the function's answer, called by C in a new thread
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <pthread.h>
#include <stdint.h>

/* As libffi has them. */
typedef struct {
  size_t size;
  unsigned short alignment, type;
  void *elements;
} ffi_type;

typedef struct {
  unsigned abi, nargs;
  ffi_type **arg_types, *rtype;
  unsigned bytes, flags;
} ffi_cif;

typedef void (*ffi_function)(ffi_cif *, void *, void **, void *);

typedef struct {
  char code[32];
  ffi_cif *cif;
  ffi_function function;
  void *user_data;
} ffi_closure;

/* libffi. The two are found by their names, as in a shared library of its own. */
int ffi_prep_closure_loc(ffi_closure *closure, ffi_cif *cif, ffi_function function, void *user_data,
                         void *code);
void ffi_closure_free(void *closure);

int ffi_prep_closure_loc(ffi_closure *closure, ffi_cif *cif, ffi_function function, void *user_data,
                         void *code) {
  (void)code;
  closure->cif = cif;
  closure->function = function;
  closure->user_data = user_data;
  return 0;
}

void ffi_closure_free(void *closure) { free(closure); }

static ffi_type of_int = {sizeof(int), sizeof(int), 1, NULL};
static ffi_type *of_arguments[] = {&of_int};
static ffi_cif cif = {2, 1, of_arguments, &of_int, 0, 0};

/* cffi. */
static void call(ffi_cif *used, void *result, void **arguments, void *user_data) {
  (void)used;
  const PyGILState_STATE before = PyGILState_Ensure();
  PyObject *answer =
      PyObject_CallFunction(PyTuple_GET_ITEM((PyObject *)user_data, 0), "i", *(int *)arguments[0]);
  *(intptr_t *)result = answer != NULL ? PyLong_AsLong(answer) : -1;
  Py_XDECREF(answer);
  if (PyErr_Occurred()) {
    PyErr_Print();
  }
  PyGILState_Release(before);
}

static PyObject *callback(PyObject *module, PyObject *function) {
  (void)module;
  ffi_closure *closure = malloc(sizeof *closure);
  PyObject *user_data = PyTuple_Pack(1, function);
  if (closure == NULL || user_data == NULL) {
    return PyErr_NoMemory();
  }
  ffi_prep_closure_loc(closure, &cif, call, user_data, closure);
  if (closure->user_data != user_data) {
    PyErr_SetString(PyExc_SystemError, "libffi has other data");
    return NULL;
  }
  return PyLong_FromVoidPtr(closure);
}

struct work {
  ffi_closure *closure;
  int argument;
  intptr_t answer;
};

static void *do_work(void *place) {
  struct work *work = place;
  void *arguments[] = {&work->argument};
  work->closure->function(&cif, &work->answer, arguments, work->closure->user_data);
  return NULL;
}

static PyObject *in_thread(PyObject *module, PyObject *arguments) {
  (void)module;
  PyObject *number;
  struct work work = {NULL, 0, -7};
  if (!PyArg_ParseTuple(arguments, "Oi", &number, &work.argument)) {
    return NULL;
  }
  work.closure = PyLong_AsVoidPtr(number);
  Py_BEGIN_ALLOW_THREADS;
  pthread_t thread;
  pthread_create(&thread, NULL, do_work, &work);
  pthread_join(thread, NULL);
  Py_END_ALLOW_THREADS;
  return PyLong_FromLong((long)work.answer);
}

static PyMethodDef methods[] = {{"callback", callback, METH_O, NULL},
                                {"in_thread", in_thread, METH_VARARGS, NULL},
                                {NULL, NULL, 0, NULL}};

static PyModuleDef_Slot slots[] = {
#if PY_VERSION_HEX >= 0x030c0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_cffi_backend", NULL, 0, methods, slots, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__cffi_backend(void) { return PyModuleDef_Init(&definition); }
