/* Starts the Python that subpy is built for, as a host does that knows where its Python is: without
 * that, Python looks for a python3 on the PATH, and takes its library. */
#ifndef SUBPY_TESTS_START_PYTHON_H
#define SUBPY_TESTS_START_PYTHON_H

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic" /* not ours */
#include <Python.h>
#pragma GCC diagnostic pop

static inline void start_python(void) {
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  config.install_signal_handlers = 0;
  PyStatus status = PyConfig_SetBytesString(&config, &config.executable, SUBPY_TESTS_PYTHON);
  if (!PyStatus_Exception(status)) {
    status = Py_InitializeFromConfig(&config);
  }
  PyConfig_Clear(&config);
  if (PyStatus_Exception(status)) {
    Py_ExitStatusException(status);
  }
}

#endif
