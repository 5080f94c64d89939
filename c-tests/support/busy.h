/* An interpreter that another thread runs in until it is told to leave. */
#ifndef SUBPY_TESTS_BUSY_H
#define SUBPY_TESTS_BUSY_H

#include "support.h"

struct busy {
  subpy_id id;
  struct gate inside, leave;
  pthread_t thread;
};

static inline void busy_output(void *user, const char *text, size_t length) {
  struct busy *busy = user;
  (void)text, (void)length;
  gate_open(&busy->inside);
  gate_wait(&busy->leave);
}

static inline void *busy_run(void *argument) {
  struct busy *busy = argument;
  RUN(busy->id, "print('inside')");
  return NULL;
}

/* Creates an interpreter and returns once a run in it is under way: inside of its stdout_fn. */
static inline void busy_start(struct busy *busy) {
  const struct gate closed = GATE_INIT;
  busy->inside = busy->leave = closed;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.stdout_fn = busy_output;
  config.output_user = busy;
  CREATE(&config, &busy->id);
  busy->thread = thread_start(busy_run, busy);
  gate_wait(&busy->inside);
}

/* Lets the run end, and waits for that. */
static inline void busy_end(struct busy *busy) {
  gate_open(&busy->leave);
  thread_join(busy->thread);
}

#endif
