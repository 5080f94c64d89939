/* A host that forks after it has initialized subpy: in the child each call says that, and none waits for ever. */
#include "child.h"
#include "waiting_calls.h"

#include <unistd.h>

/* A child that hangs ends by SIGALRM. */
enum { PATIENCE_S = 120 };

static void add_one(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  const subpy_value sum = subpy_int(args[0].as.integer + 1);
  (void)user, (void)nargs;
  subpy_host_return(call, &sum);
}

static void use_all(void *argument) {
  const subpy_id id = *(subpy_id *)argument;
  subpy_id made = 7;
  size_t count = 7;
  bool runs;
  subpy_value value = subpy_int(1);
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.timeout_ms = 1;
  subpy_interpreter_stats stats = SUBPY_INTERPRETER_STATS_INIT;
  alarm(PATIENCE_S);
#define CHILD(call)                                                                                \
  do {                                                                                             \
    subpy_error *error = NULL;                                                                     \
    CHECK_EQUAL(call, SUBPY_ERR_UNSUPPORTED);                                                      \
    CHECK_CONTAINS(subpy_error_message(error), "forked");                                          \
    subpy_error_free(error);                                                                       \
  } while (0)
  CHILD(subpy_run_string(id, "x + 1", &error));
  CHILD(subpy_run_string_with(id, &options, "while True: pass", 16, &error));
  CHILD(subpy_set(id, "x", &value, &error));
  CHILD(subpy_get(id, "x", &value, &error));
  CHILD(subpy_eval(id, "x", &value, &error));
  CHILD(subpy_call(id, "f", NULL, 0, &value, &error));
  CHILD(subpy_define_function(id, "host", "g", add_one, NULL, NULL, &error));
  CHILD(subpy_interrupt(id, &error));
  CHILD(subpy_is_running(id, &runs, &error));
  CHILD(subpy_stats(id, &stats, &error));
  CHILD(subpy_list_all(&made, 1, &count, &error));
  CHILD(subpy_create(NULL, &made, &error));
  CHILD(subpy_destroy(id, &error));
  CHILD(subpy_finalize(&error));
  CHILD(subpy_initialize(NULL, &error));
  CHECK(!subpy_is_initialized(), "it says that it is initialized");
}

static void test_a_child(void **state) {
  (void)state;
  subpy_id id;
  INITIALIZE(NULL);
  CREATE(NULL, &id);
  RUN(id, "x = 1");
  IN_CHILD(use_all, &id);
  RUN(id, "assert x == 1");
  DESTROY(id);
}

struct busy {
  subpy_id id;
  struct gate runs;
};

static void now_runs(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)call, (void)args, (void)nargs;
  gate_open(&((struct busy *)user)->runs);
}

static void *run_for_ever(void *argument) {
  struct busy *busy = argument;
  EXPECT(SUBPY_ERR_INTERRUPTED,
         subpy_run_string(busy->id, "import host\nhost.runs()\nwhile True: pass", &error));
  return NULL;
}

/* Another thread, which the child does not have, holds a GIL and a claim; and the timer's thread was there. */
static void test_a_child_beside_a_run(void **state) {
  (void)state;
  struct busy busy = {0, GATE_INIT};
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.timeout_ms = 1;
  CREATE(NULL, &busy.id);
  EXPECT(SUBPY_ERR_TIMEOUT,
         subpy_run_string_with(busy.id, &options, "while True: pass", 16, &error));
  EXPECT(SUBPY_OK, subpy_define_function(busy.id, "host", "runs", now_runs, &busy, NULL, &error));
  const pthread_t thread = thread_start(run_for_ever, &busy);
  gate_wait(&busy.runs);
  for (int i = 0; i < 20; i++) {
    IN_CHILD(use_all, &busy.id);
  }
  EXPECT(SUBPY_OK, subpy_interrupt(busy.id, &error));
  thread_join(thread);
  DESTROY(busy.id);
}

static pid_t forked;

static void fork_here(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)args, (void)nargs;
  fflush(NULL);
  forked = fork();
  CHECK(forked >= 0, "no child process");
  if (forked == 0) {
    alarm(PATIENCE_S);
    use_all(user);
  }
  const subpy_value is_child = subpy_bool(forked == 0);
  subpy_host_return(call, &is_child);
}

/* The run goes on in both. */
static void test_a_function_of_the_host_forks(void **state) {
  (void)state;
  subpy_id id;
  CREATE(NULL, &id);
  EXPECT(SUBPY_OK, subpy_define_function(id, "host", "fork", fork_here, &id, NULL, &error));
  RUN(id, "import host\n"
          "is_child = host.fork()\n"
          "assert sum(range(1000)) == 499500\n");
  if (forked == 0) {
    use_all(&id);
    _exit(42);
  }
  int status = -1;
  CHECK_EQUAL(waitpid(forked, &status, 0), forked);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42, "wait status %#x", (unsigned)status);
  RUN(id, "assert not is_child");
  DESTROY(id);
}

static void end_child(void) {
  if (forked == 0) {
    _exit(42);
  }
}

/* Those who wait for their turn are not in the child, where the run ends, too, and hands it over to nobody. */
static void test_a_function_of_the_host_forks_while_calls_wait(void **state) {
  (void)state;
  subpy_id id;
  struct call calls[2];
  CREATE(NULL, &id);
  EXPECT(SUBPY_OK, subpy_define_function(id, "host", "fork", fork_here, &id, NULL, &error));
  hold_start_by(id, "import host; host.hold_open(); is_child = host.fork()");
  holder.if_ended = end_child;
  for (size_t i = 0; i < COUNT(calls); i++) {
    call_start(&calls[i], id, "assert is_child is False");
  }
  hold_end(SUBPY_OK);
  int status = -1;
  CHECK_EQUAL(waitpid(forked, &status, 0), forked);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42, "wait status %#x", (unsigned)status);
  for (size_t i = 0; i < COUNT(calls); i++) {
    call_ends(&calls[i], SUBPY_OK, "");
  }
  DESTROY(id);
}

static void start_anew(void *argument) {
  (void)argument;
  execl("/bin/sh", "sh", "-c", "exit 0", (char *)NULL);
}

static void test_a_child_that_executes_a_program(void **state) {
  (void)state;
  IN_CHILD(start_anew, NULL);
}

static void use_python(void *argument) {
  (void)argument;
  INITIALIZE(NULL);
  RUN_IN_NEW(NULL, "import json");
  EXPECT(SUBPY_OK, subpy_finalize(&error));
}

static void test_a_child_from_before(void **state) {
  (void)state;
  EXPECT(SUBPY_ERR_NOT_INITIALIZED, subpy_interrupt(1, &error));
  IN_CHILD(use_python, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_child_from_before),
      cmocka_unit_test(test_a_child),
      cmocka_unit_test(test_a_child_beside_a_run),
      cmocka_unit_test(test_a_function_of_the_host_forks),
      cmocka_unit_test(test_a_function_of_the_host_forks_while_calls_wait),
      cmocka_unit_test(test_a_child_that_executes_a_program),
  };
  return RUN_TESTS_BETWEEN(tests, NULL, finalize_at_last);
}
