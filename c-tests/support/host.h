/* Python's own header and what the hosts that use it share. */
#ifndef SUBPY_TESTS_HOST_H
#define SUBPY_TESTS_HOST_H

#include "start_python.h"
#include "support.h"

/* How many interpreters Python has, whoever made them. Nobody makes or ends one meanwhile. */
static inline int count_interpreters(void) {
  int count = 0;
  for (PyInterpreterState *i = PyInterpreterState_Head(); i != NULL;
       i = PyInterpreterState_Next(i)) {
    count++;
  }
  return count;
}

/* How many thread states all interpreters have. */
static inline int count_thread_states(void) {
  int count = 0;
  for (PyInterpreterState *i = PyInterpreterState_Head(); i != NULL;
       i = PyInterpreterState_Next(i)) {
    for (PyThreadState *t = PyInterpreterState_ThreadHead(i); t != NULL;
         t = PyThreadState_Next(t)) {
      count++;
    }
  }
  return count;
}

/* Runs code in the interpreter that the calling thread is attached to, as hosts do. */
#define HOST_RUN(code) CHECK(PyRun_SimpleString(code) == 0, "the host's own code failed")

#endif
