/* What scripts of interpreters in this process create: interpreters that have processes of their own. */
#include "processes.h"
#include "stop.h"

static subpy_id create_creator(const subpy_interpreter_config *config) {
  subpy_interpreter_config used = SUBPY_INTERPRETER_CONFIG_INIT;
  if (config != NULL) {
    used = *config;
  }
  used.backend = SUBPY_BACKEND_LOCAL;
  used.allow_interpreters = 1;
  subpy_id creator;
  EXPECT(SUBPY_OK, subpy_create(&used, &creator, &error));
  RUN(creator, "from subpy import _dummy_interpreters, interpreters\n"
               "id = _dummy_interpreters.create()\n"
               "process = _dummy_interpreters.run_string_unrestricted(id, 'import os; n = "
               "os.getpid()')['n']\n");
  return creator;
}

static subpy_id created_by(subpy_id creator) { return number_in(creator, "id"); }

static void test_they_end_with_their_creator(void **state) {
  (void)state;
  const subpy_id creator = create_creator(NULL), id = created_by(creator);
  const pid_t process = (pid_t)number_in(creator, "process");
  CHECK(process != getpid() && process_of(id) == process, "it has no process of its own");
  DESTROY(creator);
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_run_string(id, "", &error));
  wait_until_gone(process);
}

static void test_the_host_takes_one_over(void **state) {
  (void)state;
  const subpy_id creator = create_creator(NULL), id = created_by(creator);
  EXPECT(SUBPY_OK, subpy_take_over(id, &error));
  RUN(creator, "assert id not in _dummy_interpreters.list_all()");
  DESTROY(creator);
  RUN(id, "x = 1");
  DESTROY(id);
}

static void test_they_write_where_their_creator_does(void **state) {
  (void)state;
  struct capture capture = {0};
  const subpy_interpreter_config config = capture_config(&capture);
  const subpy_id creator = create_creator(&config);
  RUN(creator, "_dummy_interpreters.run_string(id, 'import sys; print(1, end=\"\"); print(2, "
               "file=sys.stderr)')\n"
               "print(3)\n");
  CHECK_TEXT(text_of(&capture.out), "13\n");
  CHECK_TEXT(text_of(&capture.err), "2\n");
  DESTROY(creator);
}

static void test_limits_of_the_creator_end_them(void **state) {
  (void)state;
  const subpy_id creator = create_creator(NULL);
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.timeout_ms = 50;
  CHECK_STOPPED(
      SUBPY_ERR_TIMEOUT,
      run_for(creator, &options, "_dummy_interpreters.run_string(id, 'while True: pass')"), "");
  CHECK_STOPPED(SUBPY_ERR_TIMEOUT,
                run_for(creator, &options,
                        "_dummy_interpreters.run_string(id, 'import time; time.sleep(1000)')"),
                "");
  RUN(creator, "_dummy_interpreters.run_string(id, 'x = 1')");
  /* One that ignores that is killed. */
  CHECK_STOPPED(
      SUBPY_ERR_TIMEOUT,
      run_for(creator, &options, "_dummy_interpreters.run_string(id, 'sum(range(10 ** 15))')"), "");
  RUN(creator, "try: _dummy_interpreters.run_string(id, '')\n"
               "except _dummy_interpreters.InterpreterLostError as e: assert 'ignored' in str(e)\n"
               "else: raise AssertionError\n"
               "_dummy_interpreters.destroy(id)\n");
  DESTROY(creator);
}

static void *kill_it(void *id) {
  usleep(1000);
  EXPECT(SUBPY_OK, subpy_kill(*(const subpy_id *)id, &error));
  return NULL;
}

static void test_the_host_kills_one_that_its_creator_waits_for(void **state) {
  (void)state;
  const subpy_id creator = create_creator(NULL);
  subpy_id id = created_by(creator);
  const pthread_t thread = thread_start(kill_it, &id);
  RUN(creator, "while True:\n"
               "  try: _dummy_interpreters.run_string(id, 'import time; time.sleep(1000)')\n"
               "  except _dummy_interpreters.InterpreterLostError as e: break\n"
               "else: raise AssertionError\n"
               "try: _dummy_interpreters.run_string(id, '')\n"
               "except _dummy_interpreters.InterpreterLostError as e: assert 'the host has killed "
               "it' in str(e)\n"
               "else: raise AssertionError\n");
  thread_join(thread);
  DESTROY(creator);
}

struct run {
  subpy_id id;
  const char *code;
};

static void *run(void *user) {
  const struct run *run = user;
  RUN(run->id, run->code);
  return NULL;
}

static void test_a_creator_whose_children_run(void **state) {
  (void)state;
  const subpy_id creator = create_creator(NULL), id = created_by(creator);
  RUN(id, "import os\nr, w = os.pipe()");
  const int64_t r = number_in(id, "r");
  char code[64], end[96];
  snprintf(code, sizeof code, "import os; os.read(%d, 1)", (int)r);
  struct run waits = {id, code};
  const pthread_t thread = thread_start(run, &waits);
  bool running = false;
  while (!running) {
    EXPECT(SUBPY_OK, subpy_is_running(id, &running, &error));
  }
  REFUSES(SUBPY_ERR_BUSY, "has created it", subpy_destroy(creator, &error));
  snprintf(end, sizeof end, "/proc/%d/fd/%d", (int)number_in(creator, "process"),
           (int)r + 1); /* its pipe's other end */
  FILE *pipe = fopen(end, "w");
  CHECK(pipe != NULL, "no %s", end);
  fputc('x', pipe);
  fclose(pipe);
  thread_join(thread);
  DESTROY(creator);
}

static void test_they_are_left_to_the_end(void **state) {
  (void)state;
  create_creator(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_they_end_with_their_creator),
      cmocka_unit_test(test_the_host_takes_one_over),
      cmocka_unit_test(test_they_write_where_their_creator_does),
      cmocka_unit_test(test_limits_of_the_creator_end_them),
      cmocka_unit_test(test_the_host_kills_one_that_its_creator_waits_for),
      cmocka_unit_test(test_a_creator_whose_children_run),
      cmocka_unit_test(test_they_are_left_to_the_end),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
