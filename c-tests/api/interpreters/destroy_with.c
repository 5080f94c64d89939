/* subpy_destroy_with(): as subpy_destroy(), but threads of scripts get time to end. */
#include "backends.h"
#include "busy.h"

/* No test waits for as long as this: what has to happen has happened by then. */
enum { AN_HOUR = 3600 * 1000 };

static void create_with_thread(subpy_id *id, int ends[2]) {
  char code[256], end[128];
  CHECK_EQUAL(pipe(ends), 0);
  open_in_script(end, sizeof end, ends[0], "O_RDONLY");
  CREATE(NULL, id);
  snprintf(code, sizeof code,
           "import os, threading\n"
           "threading.Thread(target=os.read, args=(%s, 1)).start()\nx = 1\n",
           end);
  RUN(*id, code);
}

static void *destroy_patiently(void *id) {
  EXPECT(SUBPY_OK, destroy_within(*(subpy_id *)id, AN_HOUR, &error));
  return NULL;
}

static void test_it_waits_for_threads(void **state) {
  (void)state;
  subpy_id id;
  int ends[2];
  create_with_thread(&id, ends);
  const pthread_t thread = thread_start(destroy_patiently, &id);
  close(ends[1]);
  thread_join(thread);
  EXPECT(SUBPY_ERR_NOT_FOUND, destroy_within(id, 0, &error));
  close(ends[0]);
}

static void test_when_the_time_is_over_nothing_has_happened(void **state) {
  (void)state;
  subpy_id id;
  int ends[2];
  create_with_thread(&id, ends);
  REFUSES_FOR_THREADS("1 Python thread ", destroy_within(id, 0, &error));
  REFUSES_FOR_THREADS("1 Python thread ", destroy_within(id, 1, &error));
  RUN(id, "assert x == 1");
  close(ends[1]);
  EXPECT(SUBPY_OK, destroy_within(id, AN_HOUR, &error));
  close(ends[0]);
}

static void test_idle_workers_of_a_pool_are_told_to_end(void **state) {
  (void)state;
  subpy_id id;
  CREATE(NULL, &id);
  RUN(id, "from concurrent.futures import ThreadPoolExecutor\n"
          "pool = ThreadPoolExecutor(4)\n"
          "assert list(pool.map(abs, range(-9, 0))) == list(range(9, 0, -1))\n");
  EXPECT(SUBPY_OK, destroy_within(id, AN_HOUR, &error));
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_destroy(id, &error));
}

static void test_threads_that_have_just_ended(void **state) {
  (void)state;
  for (int i = 0; i < 10; i++) {
    subpy_id id;
    CREATE(NULL, &id);
    RUN(id, "import threading\n"
            "threads = [threading.Thread(target=int) for _ in range(10)]\n"
            "for t in threads: t.start()\n");
    EXPECT(SUBPY_OK, destroy_within(id, AN_HOUR, &error));
  }
}

static void test_without_threads_it_does_not_wait(void **state) {
  (void)state;
  subpy_id id;
  CREATE(NULL, &id);
  RUN(id, "import threading");
  EXPECT(SUBPY_OK, destroy_within(id, 0, &error));
  CREATE(NULL, &id);
  EXPECT(SUBPY_OK, destroy_within(id, SUBPY_FOREVER, &error));
}

static void test_it_does_not_wait_for_a_run(void **state) {
  (void)state;
  struct busy busy;
  busy_start(&busy);
  REFUSES(SUBPY_ERR_BUSY, "running", destroy_within(busy.id, AN_HOUR, &error));
  busy_end(&busy);
  DESTROY(busy.id);
}

static void destroy_myself(void *user, const char *text, size_t length) {
  (void)text, (void)length;
  const subpy_id id = *(subpy_id *)user;
  REFUSES(SUBPY_ERR_BUSY, "inside", destroy_within(id, AN_HOUR, &error));
}

static void test_it_does_not_wait_for_its_caller(void **state) {
  (void)state;
  subpy_id id;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.stdout_fn = destroy_myself;
  config.output_user = &id;
  CREATE(&config, &id);
  RUN(id, "print()");
  DESTROY(id);
}

static void test_ids_that_it_is_not_for(void **state) {
  (void)state;
  EXPECT(SUBPY_ERR_NOT_FOUND, destroy_within(-1, AN_HOUR, &error));
  EXPECT(SUBPY_ERR_NOT_FOUND, destroy_within(1000000, AN_HOUR, &error));
  REFUSES(SUBPY_ERR_NOT_PERMITTED, "main interpreter", destroy_within(0, AN_HOUR, &error));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_it_waits_for_threads),
      cmocka_unit_test(test_when_the_time_is_over_nothing_has_happened),
      cmocka_unit_test(test_idle_workers_of_a_pool_are_told_to_end),
      cmocka_unit_test(test_threads_that_have_just_ended),
      cmocka_unit_test(test_without_threads_it_does_not_wait),
      cmocka_unit_test(test_it_does_not_wait_for_a_run),
      cmocka_unit_test(test_it_does_not_wait_for_its_caller),
      cmocka_unit_test(test_ids_that_it_is_not_for),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
