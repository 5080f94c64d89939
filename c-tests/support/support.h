/* What the C tests share: checks, captured output, gates, threads, and how to run them all. */
#ifndef SUBPY_TESTS_SUPPORT_H
#define SUBPY_TESTS_SUPPORT_H

#include "check.h"

/* Output. ------------------------------------------------------------------------------------ */

struct text {
  char *data; /* ends in a NUL; NULL while there is none */
  size_t length;
};

/* Collects an interpreter's output: the `output_user` of capture_config(). */
struct capture {
  struct text out, err;
};

static inline void text_add(struct text *text, const char *data, size_t length) {
  CHECK(length > 0, "a callback was called with nothing");
  text->data = realloc(text->data, text->length + length + 1);
  CHECK(text->data != NULL, "no memory");
  memcpy(text->data + text->length, data, length);
  text->length += length;
  text->data[text->length] = '\0';
}

static inline const char *text_of(const struct text *text) { return text->data ? text->data : ""; }

static inline void capture_out(void *user, const char *data, size_t length) {
  text_add(&((struct capture *)user)->out, data, length);
}

static inline void capture_err(void *user, const char *data, size_t length) {
  text_add(&((struct capture *)user)->err, data, length);
}

static inline subpy_interpreter_config capture_config(struct capture *capture) {
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.stdout_fn = capture_out;
  config.stderr_fn = capture_err;
  config.output_user = capture;
  return config;
}

static inline void capture_clear(struct capture *capture) {
  free(capture->out.data);
  free(capture->err.data);
  memset(capture, 0, sizeof *capture);
}

/* A run may take so long, in milliseconds. What ends it may take longer: a machine may leave a process no core for a second,
 * which is no reason to kill it. */
static inline void limit_to(subpy_run_options *options, uint64_t timeout_ms) {
  options->timeout_ms = timeout_ms;
  options->kill_after_ms = SUBPY_FOREVER;
}

/* A clock that goes on, in milliseconds. */
static inline uint64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Threads. ----------------------------------------------------------------------------------- */

/* Closed until somebody opens it. */
struct gate {
  pthread_mutex_t lock;
  pthread_cond_t opened;
  bool open;
};

#define GATE_INIT {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false}

static inline void gate_open(struct gate *gate) {
  pthread_mutex_lock(&gate->lock);
  gate->open = true;
  pthread_cond_broadcast(&gate->opened);
  pthread_mutex_unlock(&gate->lock);
}

static inline bool gate_is_open(struct gate *gate) {
  pthread_mutex_lock(&gate->lock);
  const bool open = gate->open;
  pthread_mutex_unlock(&gate->lock);
  return open;
}

static inline void gate_wait(struct gate *gate) {
  pthread_mutex_lock(&gate->lock);
  while (!gate->open) {
    pthread_cond_wait(&gate->opened, &gate->lock);
  }
  pthread_mutex_unlock(&gate->lock);
}

static inline pthread_t thread_start(void *(*work)(void *), void *argument) {
  pthread_t thread;
  CHECK_EQUAL(pthread_create(&thread, NULL, work, argument), 0);
  return thread;
}

static inline void thread_join(pthread_t thread) { CHECK_EQUAL(pthread_join(thread, NULL), 0); }

/* Does some work in another thread, and waits for it. */
static inline void in_thread(void *(*work)(void *), void *argument) {
  thread_join(thread_start(work, argument));
}

/* Both, with a stack of this size. */
static inline pthread_t thread_start_in(size_t stack, void *(*work)(void *), void *argument) {
  pthread_t thread;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  CHECK_EQUAL(pthread_attr_setstacksize(&attributes, stack), 0);
  CHECK_EQUAL(pthread_create(&thread, &attributes, work, argument), 0);
  pthread_attr_destroy(&attributes);
  return thread;
}

static inline void in_thread_of(size_t stack, void *(*work)(void *), void *argument) {
  thread_join(thread_start_in(stack, work, argument));
}

/* Whether the Python that is loaded is this version or a later one. */
static inline bool python_at_least(int major, int minor) {
  int found_major = 0, found_minor = 0;
  sscanf(subpy_python_version(), "%d.%d", &found_major, &found_minor);
  return found_major > major || (found_major == major && found_minor >= minor);
}

#ifndef SUPPORT_PLAIN
/* Runs a `const struct CMUnitTest[]` between two functions; the value of main(). */
#define RUN_TESTS_BETWEEN(tests, setup, teardown)                                                  \
  (test_thread = pthread_self(), tests_run = true,                                                 \
   cmocka_run_group_tests_name(__FILE__, tests, setup, teardown))

/* For tests that initialize by themselves. */
#define RUN_TESTS(tests) RUN_TESTS_BETWEEN(tests, NULL, NULL)

/* For tests that share one subpy_initialize() with the defaults, and one subpy_finalize(). */
#define RUN_TESTS_INITIALIZED(tests) RUN_TESTS_BETWEEN(tests, initialize_defaults, finalize_at_last)

static inline int initialize_defaults(void **state) {
  (void)state;
  INITIALIZE(NULL);
  return 0;
}

static inline int finalize_at_last(void **state) {
  (void)state;
  FINALIZE();
  CHECK(!subpy_is_initialized(), "a test has not given back its count");
  return 0;
}
#endif

#endif
