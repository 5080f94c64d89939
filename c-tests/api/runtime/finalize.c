/* The last subpy_finalize() ends all interpreters and Python; what may be called then. */
#include "child.h"

static void check_is_over(void) {
  subpy_id id = 7;
  size_t count = 7;
  bool running = true;
  CHECK(!subpy_is_initialized(), "finalized, but initialized");
  EXPECT(SUBPY_ERR_NOT_INITIALIZED, subpy_create(NULL, &id, &error));
  CHECK_EQUAL(id, -1);
  EXPECT(SUBPY_ERR_NOT_INITIALIZED, subpy_destroy(1, &error));
  EXPECT(SUBPY_ERR_NOT_INITIALIZED, subpy_destroy_with(1, NULL, &error));
  EXPECT(SUBPY_ERR_NOT_INITIALIZED, subpy_list_all(&id, 1, &count, &error));
  EXPECT(SUBPY_ERR_NOT_INITIALIZED, subpy_get_current(&id, &error));
  EXPECT(SUBPY_ERR_NOT_INITIALIZED, subpy_get_main(&id, &error));
  EXPECT(SUBPY_ERR_NOT_INITIALIZED, subpy_is_running(1, &running, &error));
  EXPECT(SUBPY_ERR_NOT_INITIALIZED, subpy_run_string(1, "x = 1", &error));
  EXPECT(SUBPY_ERR_NOT_INITIALIZED, subpy_run_string_with(1, NULL, "x = 1", 5, &error));
  EXPECT(SUBPY_ERR_NOT_INITIALIZED, subpy_finalize(&error));
  CHECK_TEXT(subpy_version(), SUBPY_VERSION);
  CHECK(python_at_least(3, 10), "Python %s", subpy_python_version());
  CHECK_EQUAL(subpy_supports(SUBPY_FEATURE_OWN_GIL), python_at_least(3, 12));
  CHECK_TEXT(subpy_status_name(SUBPY_OK), "SUBPY_OK");
}

static void use_and_finalize(void *unused) {
  (void)unused;
  INITIALIZE(NULL);
  RUN_IN_NEW(NULL, "x = 1");
  FINALIZE();
  check_is_over();
}

static void test_nothing_works_afterwards(void **state) {
  (void)state;
  IN_CHILD(use_and_finalize, NULL);
}

static void initialize_again(void *unused) {
  use_and_finalize(unused);
  const subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  REFUSES(SUBPY_ERR_UNSUPPORTED, "finalized", subpy_initialize(NULL, &error));
  REFUSES(SUBPY_ERR_UNSUPPORTED, "finalized", subpy_initialize(&config, &error));
  check_is_over();
}

static void test_a_second_initialize_is_unsupported(void **state) {
  (void)state;
  IN_CHILD(initialize_again, NULL);
}

static void finalize_the_rest(void *unused) {
  (void)unused;
  struct capture captures[5] = {{{0}, {0}}};
  INITIALIZE(NULL);
  for (size_t i = 0; i < COUNT(captures); i++) {
    const subpy_interpreter_config config = capture_config(&captures[i]);
    subpy_id id;
    CREATE(&config, &id);
    RUN(id, "import atexit, json, logging, threading\n"
            "atexit.register(print, 'ended', end='')\n");
  }
  FINALIZE();
  for (size_t i = 0; i < COUNT(captures); i++) {
    CHECK_TEXT(text_of(&captures[i].out), "ended");
    CHECK_TEXT(text_of(&captures[i].err), "");
  }
  check_is_over();
}

static void test_it_ends_the_remaining_interpreters(void **state) {
  (void)state;
  IN_CHILD(finalize_the_rest, NULL);
}

static void *finalize_here(void *unused) {
  FINALIZE();
  return unused;
}

static void *use_here(void *unused) {
  subpy_id id;
  CREATE(NULL, &id);
  RUN(id, "import threading");
  return unused;
}

static void finalize_elsewhere(void *unused) {
  subpy_id id;
  INITIALIZE(NULL);
  CREATE(NULL, &id);
  RUN(id, "import threading");
  in_thread(use_here, unused);
  in_thread(finalize_here, unused);
  check_is_over();
}

static void test_another_thread_may_finalize(void **state) {
  (void)state;
  IN_CHILD(finalize_elsewhere, NULL);
}

static void *initialize_here(void *unused) {
  INITIALIZE(NULL);
  return unused;
}

static void each_in_its_thread(void *unused) {
  in_thread(initialize_here, unused);
  in_thread(use_here, unused);
  in_thread(use_here, unused);
  in_thread(finalize_here, unused);
  check_is_over();
}

static void test_each_step_in_a_thread_of_its_own(void **state) {
  (void)state;
  IN_CHILD(each_in_its_thread, NULL);
}

static void *initialize_and_finalize(void *unused) {
  for (int i = 0; i < 100; i++) {
    subpy_error *error = UNWRITTEN;
    subpy_status got = subpy_initialize(NULL, &error);
    if (got == SUBPY_ERR_UNSUPPORTED) {
      subpy_error_free(error);
      break;
    }
    check_call(__FILE__, __LINE__, "initialize", SUBPY_OK, got, "", error);
    FINALIZE();
  }
  return unused;
}

static void race_to_start_and_stop(void *unused) {
  pthread_t threads[8];
  for (size_t i = 0; i < COUNT(threads); i++) {
    threads[i] = thread_start(initialize_and_finalize, unused);
  }
  for (size_t i = 0; i < COUNT(threads); i++) {
    thread_join(threads[i]);
  }
  check_is_over();
}

static void test_threads_that_start_and_stop_at_once(void **state) {
  (void)state;
  for (int i = 0; i < 5; i++) {
    IN_CHILD(race_to_start_and_stop, NULL);
  }
}

static void ignore_errors(void *unused) {
  (void)unused;
  CHECK_EQUAL(subpy_initialize(NULL, NULL), SUBPY_OK);
  CHECK_EQUAL(subpy_finalize(NULL), SUBPY_OK);
  CHECK_EQUAL(subpy_finalize(NULL), SUBPY_ERR_NOT_INITIALIZED);
  CHECK_EQUAL(subpy_initialize(NULL, NULL), SUBPY_ERR_UNSUPPORTED);
}

static void test_the_error_may_be_ignored(void **state) {
  (void)state;
  IN_CHILD(ignore_errors, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_nothing_works_afterwards),
      cmocka_unit_test(test_a_second_initialize_is_unsupported),
      cmocka_unit_test(test_it_ends_the_remaining_interpreters),
      cmocka_unit_test(test_another_thread_may_finalize),
      cmocka_unit_test(test_each_step_in_a_thread_of_its_own),
      cmocka_unit_test(test_threads_that_start_and_stop_at_once),
      cmocka_unit_test(test_the_error_may_be_ignored),
  };
  return RUN_TESTS(tests);
}
