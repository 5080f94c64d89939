/* A thread that ran in an interpreter gets the main one from PyGILState_Ensure(), as ever. */
#include "host.h"

static subpy_id id;

static int create(void **state) {
  initialize_defaults(state);
  CREATE(NULL, &id);
  return 0;
}

static int destroy(void **state) {
  DESTROY(id);
  return finalize_at_last(state);
}

static void ensure_is_in_main(void) {
  const PyGILState_STATE before = PyGILState_Ensure();
  CHECK(PyInterpreterState_Get() == PyInterpreterState_Main(), "not in the main interpreter");
  HOST_RUN("assert 'secret' not in globals()");
  PyGILState_Release(before);
}

static void test_in_the_thread_that_initialized(void **state) {
  (void)state;
  ensure_is_in_main();
  RUN(id, "secret = 1");
  ensure_is_in_main();
  RUN(id, "assert secret == 1");
  CHECK(PyGILState_GetThisThreadState() == NULL, "a thread state was left behind");
}

static void *run_and_ensure(void *unused) {
  CHECK(PyGILState_GetThisThreadState() == NULL, "a new thread has a thread state");
  RUN(id, "secret = 1");
  CHECK(PyGILState_GetThisThreadState() == NULL, "a thread state was left behind");
  ensure_is_in_main();
  RUN(id, "secret = 1");
  ensure_is_in_main();
  return unused;
}

static void test_in_a_thread_that_python_has_never_seen(void **state) {
  (void)state;
  in_thread(run_and_ensure, NULL);
}

static void *run_inside_of_ensure(void *unused) {
  const PyGILState_STATE before = PyGILState_Ensure();
  PyThreadState *own = PyThreadState_Get();
  RUN(id, "secret = 1");
  RUN_IN_NEW(NULL, "import threading");
  CHECK(PyThreadState_Get() == own, "another thread state is attached");
  CHECK(PyGILState_GetThisThreadState() == own, "another one is this thread's");
  CHECK(PyGILState_Check(), "the GIL is not held");
  ensure_is_in_main(); /* nested */
  CHECK(PyThreadState_Get() == own, "another thread state is attached");
  PyGILState_Release(before);
  CHECK(PyGILState_GetThisThreadState() == NULL, "a thread state was left behind");
  return unused;
}

static void test_runs_between_ensure_and_release(void **state) {
  (void)state;
  in_thread(run_inside_of_ensure, NULL);
  run_inside_of_ensure(NULL);
}

static void *hold_a_thread_state(void *unused) {
  /* Detached, but this thread's: destroying another interpreter must not touch it. */
  const PyGILState_STATE before = PyGILState_Ensure();
  PyThreadState *own = PyEval_SaveThread();
  RUN_IN_NEW(NULL, "x = 1");
  CHECK(PyGILState_GetThisThreadState() == own, "another thread state is this thread's");
  PyEval_RestoreThread(own);
  PyGILState_Release(before);
  return unused;
}

static void test_a_thread_state_that_is_detached(void **state) {
  (void)state;
  in_thread(hold_a_thread_state, NULL);
}

static void test_finalizing_with_a_gil_held_is_refused(void **state) {
  (void)state;
  const PyGILState_STATE before = PyGILState_Ensure();
  REFUSES(SUBPY_ERR_BUSY, "GIL", subpy_finalize(&error));
  CHECK(subpy_is_initialized(), "refused, but finalized");
  HOST_RUN("x = 1");
  PyGILState_Release(before);
}

/* A function of the host's, called without the GIL. */
static void attach_own(void *own, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)call, (void)args, (void)nargs;
  CHECK(PyGILState_GetThisThreadState() == own, "another thread state is this thread's");
  ensure_is_in_main();
  PyEval_RestoreThread(own);
  CHECK(PyGILState_Check(), "attached, but not to this thread's thread state");
  ensure_is_in_main();
  PyEval_SaveThread();
}

static void test_the_hosts_own_thread_state_inside_of_a_function(void **state) {
  (void)state;
  const PyGILState_STATE before = PyGILState_Ensure();
  PyThreadState *own = PyThreadState_Get();
  subpy_function_options options = SUBPY_FUNCTION_OPTIONS_INIT;
  options.release_gil = 1;
  EXPECT(SUBPY_OK, subpy_define_function_with(id, &options, "host", "attach_own", attach_own, own,
                                              NULL, &error));
  for (int i = 0; i < 3; i++) {
    RUN(id, "import host\nfor _ in range(3): host.attach_own()");
    CHECK(PyThreadState_Get() == own, "another thread state is attached");
    CHECK(PyGILState_Check(), "the GIL is not held");
  }
  PyGILState_Release(before);
  CHECK(PyGILState_GetThisThreadState() == NULL, "a thread state was left behind");
}

struct holder {
  struct gate inside, leave;
};

static void *hold_main(void *argument) {
  struct holder *holder = argument;
  const PyGILState_STATE before = PyGILState_Ensure();
  Py_BEGIN_ALLOW_THREADS;
  gate_open(&holder->inside);
  gate_wait(&holder->leave);
  Py_END_ALLOW_THREADS;
  PyGILState_Release(before);
  return NULL;
}

static void test_finalizing_with_a_thread_of_the_host_in_main_is_refused(void **state) {
  (void)state;
  struct holder holder = {GATE_INIT, GATE_INIT};
  const pthread_t thread = thread_start(hold_main, &holder);
  gate_wait(&holder.inside);
  REFUSES(SUBPY_ERR_BUSY, "1 Python thread ", subpy_finalize(&error));
  RUN(id, "x = 1");
  gate_open(&holder.leave);
  thread_join(thread);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_in_the_thread_that_initialized),
      cmocka_unit_test(test_in_a_thread_that_python_has_never_seen),
      cmocka_unit_test(test_runs_between_ensure_and_release),
      cmocka_unit_test(test_a_thread_state_that_is_detached),
      cmocka_unit_test(test_the_hosts_own_thread_state_inside_of_a_function),
      cmocka_unit_test(test_finalizing_with_a_gil_held_is_refused),
      cmocka_unit_test(test_finalizing_with_a_thread_of_the_host_in_main_is_refused),
  };
  return RUN_TESTS_BETWEEN(tests, create, destroy);
}
