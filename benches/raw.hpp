/// The raw C API as a careful host would use it: the floor.
///
/// A host's thread is detached except inside of these calls, as it is with subpy.
#pragma once

#include <Python.h>

#include <cstdlib>

namespace raw {

/// Exits if Python refused: a benchmark has nobody to tell.
inline void *check(void *made) {
  if (!made) {
    PyErr_Print();
    std::exit(1);
  }
  return made;
}

/// Starts Python as subpy does, without it.
inline void start(bool import_site = true) {
  PyPreConfig before;
  PyPreConfig_InitIsolatedConfig(&before);
  before.utf8_mode = 1;
  Py_PreInitialize(&before);
  PyConfig config;
  PyConfig_InitIsolatedConfig(&config);
  config.site_import = import_site;
  PyConfig_SetBytesString(&config, &config.executable, BENCH_PYTHON);
  const PyStatus status = Py_InitializeFromConfig(&config);
  if (PyStatus_Exception(status)) {
    Py_ExitStatusException(status);
  }
  PyConfig_Clear(&config);
  PyEval_SaveThread();
}

/// The calling thread's own state in the main interpreter; detached. Creating needs it.
inline PyThreadState *main_state() {
  static thread_local PyThreadState *const state = PyThreadState_New(PyInterpreterState_Main());
  return state;
}

/// Creates an interpreter like subpy's by default. Its first thread state is left detached.
inline PyThreadState *create() {
  PyEval_RestoreThread(main_state());
  PyThreadState *state = nullptr;
#if PY_VERSION_HEX >= 0x030C0000
  PyInterpreterConfig config{};
  config.allow_threads = 1;
  config.check_multi_interp_extensions = 1;
  config.gil = PyInterpreterConfig_OWN_GIL;
  const PyStatus status = Py_NewInterpreterFromConfig(&state, &config);
  if (PyStatus_Exception(status)) {
    Py_ExitStatusException(status);
  }
#else
  state = static_cast<PyThreadState *>(check(Py_NewInterpreter()));
#endif
  PyEval_SaveThread();
  return state;
}

/// Ends the interpreter of its only thread state.
inline void destroy(PyThreadState *state) {
  PyEval_RestoreThread(state);
  Py_EndInterpreter(state);
#if PY_VERSION_HEX < 0x030C0000 // the GIL is still held then, by nobody
  PyThreadState_Swap(main_state());
  PyEval_SaveThread();
#endif
}

/// A program that is kept compiled, for an interpreter whose thread state is kept.
class Program {
public:
  Program(PyThreadState *state, const char *source) {
    PyEval_RestoreThread(state);
    globals_ = globals();
    code_ = compile(source);
    PyEval_SaveThread();
  }

  /// Attaches, evaluates and detaches.
  void run(PyThreadState *state) const {
    PyEval_RestoreThread(state);
    evaluate();
    PyEval_SaveThread();
  }

  /// Evaluates, in a thread that is attached.
  void evaluate() const { evaluate(code_, globals_); }

  static void evaluate(PyObject *code, PyObject *globals) {
    Py_DECREF(static_cast<PyObject *>(check(PyEval_EvalCode(code, globals, globals))));
  }

  static PyObject *compile(const char *source) {
    return static_cast<PyObject *>(check(Py_CompileString(source, "<string>", Py_file_input)));
  }

  static PyObject *globals() { return PyModule_GetDict(PyImport_AddModule("__main__")); }

private:
  PyObject *globals_;
  PyObject *code_; // as long as the interpreter
};

} // namespace raw
