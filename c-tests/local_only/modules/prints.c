/* A module of the old kind, with one function for all of its making, that prints while it is made. From Python 3.13 on,
 * CPython has the main interpreter's thread state attached meanwhile. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "prints",
    .m_size = -1,
};

PyMODINIT_FUNC PyInit_prints(void) {
  const char *const code = "import sys\n"
                           "for stream in sys.stdout, sys.stderr:\n"
                           "    print('made', file=stream, flush=True)\n"
                           "try:\n"
                           "    compile('(', 'nothing', 'exec')\n"
                           "except SyntaxError as e:\n"
                           "    pass\n";
  return PyRun_SimpleString(code) == 0 ? PyModule_Create(&module) : NULL;
}
