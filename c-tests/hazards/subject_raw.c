/* Hazards are put to the C API of Python, used as its documentation says. */
#include "subject.h"

#include "../start_python.h"

#include <pthread.h>

const char *const SUBJECT = "raw";
const bool SUBJECT_REPORTS = false;

struct interpreter {
  PyThreadState *thread_state; /* carried to whichever thread runs something */
  struct interpreter *next;
};

static PyThreadState *main_state;
static struct interpreter *all;
static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;

const char *subject_python_version(void) { return Py_GetVersion(); }

void subject_start(bool ignore_sigpipe, bool account_memory) {
  (void)ignore_sigpipe, (void)account_memory;
  start_python();
  main_state = PyEval_SaveThread();
}

#if PY_VERSION_HEX >= 0x030C0000
static PyThreadState *new_interpreter(const struct options *options) {
  PyInterpreterConfig config = {
      .use_main_obmalloc = options->shared_gil,
      .allow_fork = options->fork,
      .allow_exec = options->exec,
      .allow_threads = 1,
      .allow_daemon_threads = options->daemon_threads,
      .check_multi_interp_extensions = !options->shared_gil,
      .gil = options->shared_gil ? PyInterpreterConfig_SHARED_GIL : PyInterpreterConfig_OWN_GIL,
  };
  PyThreadState *made = NULL;
  PyStatus status = Py_NewInterpreterFromConfig(&made, &config);
  if (PyStatus_Exception(status)) {
    fail("no interpreter: %s", status.err_msg);
  }
  return made;
}
#else
static PyThreadState *new_interpreter(const struct options *options) {
  (void)options;
  return Py_NewInterpreter();
}
#endif

/* Attaches the calling thread to the main interpreter. */
static PyThreadState *visit_main(void) {
  PyThreadState *visitor = PyThreadState_New(PyInterpreterState_Main());
  PyEval_RestoreThread(visitor);
  return visitor;
}

static void leave_main(PyThreadState *visitor) {
  PyThreadState_Clear(visitor);
  PyThreadState_DeleteCurrent();
}

struct interpreter *subject_create(const struct options *options) {
  struct interpreter *interpreter = calloc(1, sizeof *interpreter);
  PyThreadState *visitor = visit_main();
  interpreter->thread_state = new_interpreter(options);
  PyEval_SaveThread();
  PyEval_RestoreThread(visitor);
  leave_main(visitor);
  pthread_mutex_lock(&all_lock);
  interpreter->next = all;
  all = interpreter;
  pthread_mutex_unlock(&all_lock);
  return interpreter;
}

subpy_status subject_run(struct interpreter *interpreter, const char *code, size_t length,
                         const char *filename, struct failure *failure) {
  (void)length, (void)filename, (void)failure;
  PyEval_RestoreThread(interpreter->thread_state);
  int result = PyRun_SimpleString(code);
  PyEval_SaveThread();
  return result == 0 ? SUBPY_OK : SUBPY_ERR_EXCEPTION;
}

subpy_status subject_destroy(struct interpreter *interpreter, struct failure *failure) {
  (void)failure;
#if PY_VERSION_HEX < 0x030C0000
  PyThreadState *visitor = PyThreadState_New(PyInterpreterState_Main());
#endif
  PyEval_RestoreThread(interpreter->thread_state);
  Py_EndInterpreter(interpreter->thread_state);
#if PY_VERSION_HEX < 0x030C0000
  PyThreadState_Swap(visitor); /* the GIL is still held, by nobody */
  leave_main(visitor);
#endif
  interpreter->thread_state = NULL;
  return SUBPY_OK;
}

void subject_forget(struct interpreter *interpreter) {
  pthread_mutex_lock(&all_lock);
  struct interpreter **at = &all;
  while (*at != interpreter) {
    at = &(*at)->next;
  }
  *at = interpreter->next;
  pthread_mutex_unlock(&all_lock);
  free(interpreter);
}

const char *subject_output(const struct interpreter *interpreter, size_t *length) {
  (void)interpreter;
  *length = 0;
  return "";
}

const char *subject_status_name(subpy_status status) {
  return status == SUBPY_OK ? "SUBPY_OK" : "SUBPY_ERR_EXCEPTION";
}

subpy_status subject_stop(struct failure *failure) {
  for (struct interpreter *each = all; each != NULL; each = each->next) {
    if (each->thread_state != NULL) {
      subject_destroy(each, failure);
    }
  }
  PyEval_RestoreThread(main_state);
  Py_Finalize();
  return SUBPY_OK;
}
