/* Without functions of the host, output goes to the process's own file descriptors. */
#include "backends.h"

#include <fcntl.h>

/* A pipe in the place of a file descriptor. */
struct diversion {
  int descriptor, original, reader;
};

static void divert(struct diversion *diversion, int descriptor) {
  int ends[2];
  fflush(NULL);
  CHECK_EQUAL(pipe(ends), 0);
  diversion->descriptor = descriptor;
  diversion->original = dup(descriptor);
  diversion->reader = ends[0];
  CHECK(dup2(ends[1], descriptor) == descriptor, "not diverted");
  close(ends[1]);
}

static void put_back(struct diversion *diversion) {
  fflush(NULL);
  dup2(diversion->original, diversion->descriptor);
  close(diversion->original);
}

/* Reads what was written until it was put back: less than a pipe holds. */
static void read_diverted(struct diversion *diversion, char *text, size_t room) {
  size_t length = 0;
  for (ssize_t n = 1; n > 0 && length < room - 1; length += n > 0 ? (size_t)n : 0) {
    n = read(diversion->reader, text + length, room - 1 - length);
  }
  text[length] = '\0';
  close(diversion->reader);
}

static subpy_status run_diverted(subpy_id id, const char *code, char *out, char *err, size_t room) {
  struct diversion one, two;
  divert(&one, STDOUT_FILENO);
  divert(&two, STDERR_FILENO);
  follow_streams(id);
  subpy_status got = subpy_run_string(id, code, NULL);
  put_back(&two);
  put_back(&one);
  follow_streams(id);
  read_diverted(&two, err, room);
  read_diverted(&one, out, room);
  return got;
}

static void check_streams(subpy_id id) {
  char out[4096], err[4096];
  const char *const code = "import os, sys\n"
                           "print('caf\xc3\xa9')\n"
                           "os.write(1, b'direct\\n')\n"
                           "print('warning', file=sys.stderr)\n"
                           "print('no newline', end='')\n"
                           "assert sys.stdout.fileno() == 1 and sys.stderr.fileno() == 2\n";
  CHECK_EQUAL(run_diverted(id, code, out, err, sizeof out), SUBPY_OK);
  CHECK_TEXT(out, "caf\xc3\xa9\ndirect\nno newline");
  CHECK_TEXT(err, "warning\n");
}

static void test_it_goes_to_the_process_streams(void **state) {
  (void)state;
  subpy_id id;
  CREATE(NULL, &id);
  check_streams(id);
  DESTROY(id);
}

static void test_those_of_the_main_interpreter_too(void **state) {
  (void)state;
  check_streams(0);
}

static void test_one_stream_may_be_captured_alone(void **state) {
  (void)state;
  struct capture capture = {0};
  subpy_interpreter_config config = capture_config(&capture);
  config.stderr_fn = NULL;
  char out[4096], err[4096];
  subpy_id id;
  CREATE(&config, &id);
  const char *const code = "import sys; print('out'); print('err', file=sys.stderr)";
  CHECK_EQUAL(run_diverted(id, code, out, err, sizeof out), SUBPY_OK);
  CHECK_TEXT(text_of(&capture.out), "out\n");
  CHECK_TEXT(out, "");
  CHECK_TEXT(err, "err\n");
  DESTROY(id);
  capture_clear(&capture);
}

static void *read_all(void *argument) {
  const struct diversion *diversion = argument;
  static char text[4096];
  size_t *total = calloc(1, sizeof *total);
  for (ssize_t n; (n = read(diversion->reader, text, sizeof text)) > 0;) {
    *total += (size_t)n;
  }
  return total;
}

static void test_a_pipe_that_does_not_block_and_is_full(void **state) {
  (void)state;
  struct diversion diversion;
  subpy_id id;
  CREATE(NULL, &id);
  divert(&diversion, STDOUT_FILENO);
  const int flags = fcntl(STDOUT_FILENO, F_GETFL);
  fcntl(STDOUT_FILENO, F_SETFL, flags | O_NONBLOCK);
  follow_streams(id);
  const pthread_t reader = thread_start(read_all, &diversion);
  subpy_status got = subpy_run_string(id, "print('x' * (1 << 20))", NULL);
  put_back(&diversion);
  follow_streams(id);
  void *total = NULL;
  CHECK_EQUAL(pthread_join(reader, &total), 0);
  close(diversion.reader);
  CHECK_EQUAL(got, SUBPY_OK);
  CHECK_EQUAL(*(size_t *)total, (1 << 20) + 1);
  free(total);
  DESTROY(id);
}

static void test_a_stream_that_cannot_be_written_to(void **state) {
  (void)state;
  subpy_id id;
  CREATE(NULL, &id);
  fflush(NULL);
  const int original = dup(STDOUT_FILENO);
  close(STDOUT_FILENO);
  follow_streams(id);
  subpy_error *error = UNWRITTEN;
  subpy_status got = subpy_run_string(id, "print('nowhere')", &error);
  dup2(original, STDOUT_FILENO);
  close(original);
  check_call(__FILE__, __LINE__, "print", SUBPY_ERR_EXCEPTION, got, "Bad file descriptor", error);
  RUN(id, "x = 1");
  DESTROY(id);
}

/* What waits for the end of its line is written when the run ends. If it can't be, that is said then. */
static void test_a_full_disk(void **state) {
  (void)state;
  static const struct {
    const char *code, *error;
    subpy_status status;
  } runs[] = {
      {"print('a line')", "No space left", SUBPY_ERR_EXCEPTION},
      {"print('x' * 100000)", "No space left", SUBPY_ERR_EXCEPTION},
      {"print('a piece', end='')", "No space left", SUBPY_ERR_EXCEPTION},
      {"print('a piece', end='')\n1 / 0", "division by zero", SUBPY_ERR_EXCEPTION},
      {"print('a piece', end='')\nraise SystemExit(3)", NULL, SUBPY_ERR_EXIT},
      {"import sys; print('a piece', end='', file=sys.stderr)", NULL, SUBPY_OK},
      {"x = 1", NULL, SUBPY_OK},
  };
  subpy_status got[COUNT(runs)];
  subpy_error *errors[COUNT(runs)] = {NULL};
  subpy_id id;
  CREATE(NULL, &id);
  fflush(NULL);
  const int originals[] = {dup(STDOUT_FILENO), dup(STDERR_FILENO)};
  const int full = open("/dev/full", O_WRONLY);
  dup2(full, STDOUT_FILENO);
  dup2(full, STDERR_FILENO);
  follow_streams(id);
  for (size_t i = 0; i < COUNT(runs); i++) {
    got[i] = subpy_run_string(id, runs[i].code, &errors[i]);
  }
  subpy_value length = subpy_none();
  const subpy_value text = subpy_str("four");
  subpy_error *error = NULL;
  const subpy_status called = subpy_call(id, "builtins:len", &text, 1, &length, &error);
  dup2(originals[0], STDOUT_FILENO);
  dup2(originals[1], STDERR_FILENO);
  close(originals[0]);
  close(originals[1]);
  close(full);
  for (size_t i = 0; i < COUNT(runs); i++) {
    CHECK(got[i] == runs[i].status, "%s: %s", runs[i].code, subpy_status_name(got[i]));
    if (runs[i].error != NULL) {
      CHECK_CONTAINS(subpy_error_message(errors[i]), runs[i].error);
    }
    subpy_error_free(errors[i]);
  }
  CHECK_EQUAL(called, SUBPY_OK);
  CHECK_EQUAL(length.as.integer, 4);
  RUN(id, "assert x == 1");
  DESTROY(id);
}

#define WRITES_EVERYWHERE                                                                          \
  "import logging, sys, traceback, warnings\n"                                                     \
  "print('x'); print('x', file=sys.stderr, flush=True); logging.warning('x'); "                    \
  "warnings.warn('x')\n"                                                                           \
  "traceback.print_stack()\n"

/* A daemon has no standard streams, and takes none of a script's. What it opens there is its own. */
static void test_a_process_without_streams(void **state) {
  (void)state;
  int ends[2], originals[3];
  char text[100];
  subpy_id id, silent;
  fflush(NULL);
  for (int i = 0; i < 3; i++) {
    originals[i] = dup(i);
  }
  CHECK_EQUAL(pipe(ends), 0);
  for (int i = 0; i < 3; i++) {
    close(i);
  }
  const subpy_status made = subpy_create(NULL, &silent, NULL);
  subpy_error *error = NULL;
  const subpy_status ran = subpy_run_string(silent, WRITES_EVERYWHERE, &error);
  dup2(ends[1], STDOUT_FILENO);
  dup2(ends[1], STDERR_FILENO);
  const subpy_status ran_again = subpy_run_string(silent, WRITES_EVERYWHERE, NULL);
  const subpy_status made_later = subpy_create(NULL, &id, NULL);
  const subpy_status ran_later = subpy_run_string(id, "print('heard')", NULL);
  for (int i = 0; i < 3; i++) {
    dup2(originals[i], i);
    close(originals[i]);
  }
  close(ends[1]);
  CHECK_EQUAL(made, SUBPY_OK);
  CHECK(ran == SUBPY_OK, "%s", subpy_error_traceback(error));
  CHECK_EQUAL(ran_again, SUBPY_OK);
  CHECK_EQUAL(made_later, SUBPY_OK);
  CHECK_EQUAL(ran_later, SUBPY_OK);
  const ssize_t length = read(ends[0], text, sizeof text - 1);
  text[length < 0 ? 0 : length] = '\0';
  close(ends[0]);
  CHECK_TEXT(text, "heard\n");
  RUN(silent, "import sys\n"
              "assert (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__) == (None,) * 4\n");
  DESTROY(silent);
  DESTROY(id);
}

static int initialize(void **state) {
  (void)state;
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.allow_main = 1;
  INITIALIZE(&config);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_it_goes_to_the_process_streams),
      cmocka_unit_test(test_those_of_the_main_interpreter_too),
      cmocka_unit_test(test_one_stream_may_be_captured_alone),
      cmocka_unit_test(test_a_pipe_that_does_not_block_and_is_full),
      cmocka_unit_test(test_a_full_disk),
      cmocka_unit_test(test_a_process_without_streams),
      cmocka_unit_test(test_a_stream_that_cannot_be_written_to),
  };
  return RUN_TESTS_BETWEEN(tests, initialize, finalize_at_last);
}
