/*
 * Checks that say what went wrong.
 *
 * A check that fails in the test's own thread fails the test. In another thread, in a child
 * process or in a program without cmocka (SUPPORT_PLAIN) it ends the process with the code FAILED:
 * cmocka leaves a test by longjmp, which only the thread that runs the test may do.
 */
#ifndef SUBPY_TESTS_CHECK_H
#define SUBPY_TESTS_CHECK_H

/* POSIX and its XSI part, whatever -std says. This header comes first. */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE 1
#endif

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <subpy.h>

#ifndef SUPPORT_PLAIN
#include <cmocka.h>
#endif

enum { FAILED = 43 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The thread that runs the tests, while a check may leave by longjmp. */
#ifndef SUPPORT_PLAIN
static pthread_t test_thread;
#endif
static bool tests_run;

/* Checks. ------------------------------------------------------------------------------------ */

__attribute__((format(printf, 4, 5), noreturn)) static inline void
check_failed(const char *file, int line, const char *what, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "%s:%d: %s: ", file, line, what);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
#ifndef SUPPORT_PLAIN
  if (tests_run && pthread_equal(pthread_self(), test_thread)) {
    _fail(file, line);
  }
#endif
  _exit(FAILED);
}

/* FAIL("format", ...): what was expected did not happen. */
#define FAIL(...) check_failed(__FILE__, __LINE__, __func__, __VA_ARGS__)

/* CHECK(condition, "format", ...): the rest says what was found instead. */
#define CHECK(condition, ...)                                                                      \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      check_failed(__FILE__, __LINE__, #condition, __VA_ARGS__);                                   \
    }                                                                                              \
  } while (0)

#define CHECK_EQUAL(found, expected)                                                               \
  do {                                                                                             \
    const long long it_is = (long long)(found), it_should_be = (long long)(expected);              \
    if (it_is != it_should_be) {                                                                   \
      check_failed(__FILE__, __LINE__, #found, "it is %lld, not %lld", it_is, it_should_be);       \
    }                                                                                              \
  } while (0)

#define CHECK_TEXT(found, expected)                                                                \
  do {                                                                                             \
    const char *const it_is = (found), *const it_should_be = (expected);                           \
    if (strcmp(it_is, it_should_be) != 0) {                                                        \
      check_failed(__FILE__, __LINE__, #found, "it is \"%s\", not \"%s\"", it_is, it_should_be);   \
    }                                                                                              \
  } while (0)

#define CHECK_CONTAINS(text, part)                                                                 \
  do {                                                                                             \
    const char *const it_is = (text), *const needed = (part);                                      \
    if (strstr(it_is, needed) == NULL) {                                                           \
      check_failed(__FILE__, __LINE__, #text, "\"%s\" is not in this:\n%s", needed, it_is);        \
    }                                                                                              \
  } while (0)

/* What an error holds before a call has written it. */
#define UNWRITTEN ((subpy_error *)&tests_run)

static inline void check_call(const char *file, int line, const char *call, subpy_status expected,
                              subpy_status got, const char *part, subpy_error *error) {
  if (error == UNWRITTEN) {
    check_failed(file, line, call, "%s, but the error was not written", subpy_status_name(got));
  }
  const char *message = subpy_error_message(error);
  if (message == NULL) {
    check_failed(file, line, call, "%s, but the message is NULL", subpy_status_name(got));
  }
  if (got != expected) {
    check_failed(file, line, call, "%s, not %s: %s\n%s", subpy_status_name(got),
                 subpy_status_name(expected), message, subpy_error_traceback(error));
  }
  if (subpy_error_status(error) != got || (error == NULL) != (got == SUBPY_OK)) {
    check_failed(file, line, call, "%s, but the error is of status %s", subpy_status_name(got),
                 subpy_status_name(subpy_error_status(error)));
  }
  if (strstr(message, part) == NULL) {
    check_failed(file, line, call, "\"%s\" is not in this: %s", part, message);
  }
  subpy_error_free(error);
}

/* REFUSES(status, part, call): the call, which hands on `&error`, returns this status, and an error
 * with `part` in its message. */
#define REFUSES(expected, part, call)                                                              \
  do {                                                                                             \
    subpy_error *error = UNWRITTEN;                                                                \
    subpy_status got = (call);                                                                     \
    check_call(__FILE__, __LINE__, #call, expected, got, part, error);                             \
  } while (0)

/* As REFUSES, whatever the message. */
#define EXPECT(expected, call) REFUSES(expected, "", call)

/* Destroys, and waits for Python threads. */
static inline subpy_status destroy_within(subpy_id id, uint64_t wait_ms, subpy_error **error) {
  subpy_destroy_options options = SUBPY_DESTROY_OPTIONS_INIT;
  options.wait_ms = wait_ms;
  return subpy_destroy_with(id, &options, error);
}

/* Reads a value, by these flags. */
static inline subpy_status get_by_flags(subpy_id id, uint32_t flags, const char *name,
                                        subpy_value *out, subpy_error **error) {
  subpy_call_options options = SUBPY_CALL_OPTIONS_INIT;
  options.flags = flags;
  return subpy_get_with(id, &options, name, out, error);
}

/* The backend under test: SUBPY_TESTS_BACKEND in the environment names it, `local` or `process`. The default is
 * `local`. */
static inline uint32_t backend_under_test(void) {
  const char *const name = getenv("SUBPY_TESTS_BACKEND");
  if (name != NULL && strcmp(name, "process") == 0) {
    return SUBPY_BACKEND_PROCESS;
  }
  CHECK(name == NULL || strcmp(name, "local") == 0, "there is no backend \"%s\"", name);
  return SUBPY_BACKEND_LOCAL;
}

/* Creates an interpreter of the backend under test. */
static inline subpy_status create_under_test(const subpy_interpreter_config *config, subpy_id *id,
                                             subpy_error **error) {
  const subpy_interpreter_config defaults = SUBPY_INTERPRETER_CONFIG_INIT;
  subpy_interpreter_config used = config != NULL ? *config : defaults;
  used.backend = backend_under_test();
  return subpy_create(&used, id, error);
}

#define RUN(id, code) EXPECT(SUBPY_OK, subpy_run_string(id, code, &error))
#define CREATE(config, id) EXPECT(SUBPY_OK, create_under_test(config, id, &error))
#define DESTROY(id) EXPECT(SUBPY_OK, subpy_destroy(id, &error))
#define INITIALIZE(config) EXPECT(SUBPY_OK, subpy_initialize(config, &error))
#define FINALIZE() EXPECT(SUBPY_OK, subpy_finalize(&error))

/* Runs a program in an interpreter that is created for it, and destroys that. */
#define RUN_IN_NEW(config, code)                                                                   \
  do {                                                                                             \
    subpy_id new_id;                                                                               \
    CREATE(config, &new_id);                                                                       \
    RUN(new_id, code);                                                                             \
    DESTROY(new_id);                                                                               \
  } while (0)

static inline subpy_error *run_fails(const char *file, int line, subpy_status expected, subpy_id id,
                                     const char *code) {
  subpy_error *error = UNWRITTEN;
  subpy_status got = subpy_run_string(id, code, &error);
  if (got != expected || error == UNWRITTEN) {
    check_call(file, line, code, expected, got, "", error);
  }
  return error;
}

/* The error of a run that ends with this status. */
#define RUN_FAILS(expected, id, code) run_fails(__FILE__, __LINE__, expected, id, code)

#endif
