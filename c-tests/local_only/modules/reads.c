/*
 * A module that waits as CPython's own functions do: a call that a signal has interrupted is made again, unless Python has
 * something to raise.
 *
 *   read(descriptor)    one byte
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <errno.h>
#include <unistd.h>

static PyObject *read_byte(PyObject *module, PyObject *descriptor) {
  const int from = PyObject_AsFileDescriptor(descriptor);
  (void)module;
  if (from < 0) {
    return NULL;
  }
  for (;;) {
    char byte;
    ssize_t got;
    Py_BEGIN_ALLOW_THREADS got = read(from, &byte, 1);
    Py_END_ALLOW_THREADS if (got >= 0) { return PyBytes_FromStringAndSize(&byte, got); }
    if (errno != EINTR) {
      return PyErr_SetFromErrno(PyExc_OSError);
    }
    if (PyErr_CheckSignals() < 0) {
      return NULL;
    }
  }
}

static PyMethodDef methods[] = {{"read", read_byte, METH_O, NULL}, {NULL, NULL, 0, NULL}};

static PyModuleDef_Slot slots[] = {
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
    {0, NULL}};

static PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "reads",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit_reads(void) { return PyModuleDef_Init(&module); }
