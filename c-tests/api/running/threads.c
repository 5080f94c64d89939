/* Host threads: any may run anything, they come and go, and they race. */
#include "fixture.h"

enum { THREADS = 8 };

static void start_all(pthread_t *threads, void *(*work)(void *), void *argument) {
  for (int i = 0; i < THREADS; i++) {
    threads[i] = thread_start(work, argument);
  }
}

static void join_all(const pthread_t *threads) {
  for (int i = 0; i < THREADS; i++) {
    thread_join(threads[i]);
  }
}

static void *run_once(void *id) {
  RUN(*(subpy_id *)id, "n += 1");
  return NULL;
}

static void test_thousands_of_threads_one_after_the_other(void **state) {
  (void)state;
  RUN(id, "n = 0");
  for (int i = 0; i < 3000; i++) {
    in_thread(run_once, &id);
  }
  RUN(id, "assert n == 3000, n");
}

static void *create_thing(void *id) {
  CREATE(NULL, (subpy_id *)id);
  return NULL;
}

static void *destroy_thing(void *id) {
  DESTROY(*(subpy_id *)id);
  return NULL;
}

static void *import_things(void *id) {
  RUN(*(subpy_id *)id, "import json, logging, re, threading\nn = 0");
  return NULL;
}

static void test_each_step_in_a_thread_of_its_own(void **state) {
  (void)state;
  for (int i = 0; i < 10; i++) {
    subpy_id id = 0;
    in_thread(create_thing, &id);
    in_thread(import_things, &id);
    in_thread(run_once, &id);
    in_thread(destroy_thing, &id);
    EXPECT(SUBPY_ERR_NOT_FOUND, subpy_destroy(id, &error));
  }
}

static void *live_whole_lives(void *argument) {
  (void)argument;
  for (int i = 0; i < 5; i++) {
    subpy_id id = 0;
    CREATE(NULL, &id);
    RUN(id, "import json, re\nx = json.loads('[1, 2, 3]')");
    RUN(id, "assert sum(x) == 6 and re.match('a', 'a')");
    DESTROY(id);
  }
  return NULL;
}

static void test_whole_lives_in_parallel(void **state) {
  (void)state;
  pthread_t threads[THREADS];
  size_t count = 0;
  start_all(threads, live_whole_lives, NULL);
  join_all(threads);
  EXPECT(SUBPY_OK, subpy_list_all(NULL, 0, &count, &error));
  CHECK_EQUAL(count, 1);
}

static void test_interpreters_made_at_once_have_ids_of_their_own(void **state) {
  (void)state;
  pthread_t threads[THREADS];
  subpy_id ids[THREADS] = {0}, listed[THREADS + 1];
  size_t count = 0;
  for (int i = 0; i < THREADS; i++) {
    threads[i] = thread_start(create_thing, &ids[i]);
  }
  join_all(threads);
  EXPECT(SUBPY_OK, subpy_list_all(listed, COUNT(listed), &count, &error));
  CHECK_EQUAL(count, THREADS + 1);
  for (size_t i = 1; i < count; i++) {
    CHECK(listed[i] > listed[i - 1], "not in ascending order");
  }
  for (int i = 0; i < THREADS; i++) {
    RUN(ids[i], "x = 1");
    threads[i] = thread_start(destroy_thing, &ids[i]);
  }
  join_all(threads);
}

struct race {
  struct gate start;
  subpy_id id;
};

static void *run_or_find_it_busy(void *argument) {
  struct race *race = argument;
  gate_wait(&race->start);
  size_t *done = calloc(1, sizeof *done);
  for (int i = 0; i < 300; i++) {
    subpy_error *error = UNWRITTEN;
    subpy_status got = subpy_run_string(race->id, "n += 1", &error);
    *done += got == SUBPY_OK;
    check_call(__FILE__, __LINE__, "a run", got == SUBPY_OK ? SUBPY_OK : SUBPY_ERR_BUSY, got, "",
               error);
  }
  return done;
}

static void test_of_runs_that_race_one_wins(void **state) {
  (void)state;
  struct race race = {GATE_INIT, 0};
  pthread_t threads[THREADS];
  char code[64];
  size_t all = 0;
  CREATE(NULL, &race.id);
  RUN(race.id, "n = 0");
  start_all(threads, run_or_find_it_busy, &race);
  gate_open(&race.start);
  for (int i = 0; i < THREADS; i++) {
    void *done = NULL;
    CHECK_EQUAL(pthread_join(threads[i], &done), 0);
    all += *(size_t *)done;
    free(done);
  }
  snprintf(code, sizeof code, "assert n == %zu, n", all);
  RUN(race.id, code);
  DESTROY(race.id);
}

static void *run_while_it_is_there(void *argument) {
  struct race *race = argument;
  gate_wait(&race->start);
  subpy_status got = SUBPY_OK;
  for (int i = 0; i < 200 && got != SUBPY_ERR_NOT_FOUND; i++) { /* so that a destroy comes in */
    subpy_error *error = UNWRITTEN;
    got = subpy_run_string(race->id, "n += 1", &error);
    const bool fine = got == SUBPY_OK || got == SUBPY_ERR_BUSY || got == SUBPY_ERR_NOT_FOUND;
    check_call(__FILE__, __LINE__, "a run", fine ? got : SUBPY_OK, got, "", error);
  }
  return NULL;
}

static void *destroy_as_soon_as_it_can_be(void *argument) {
  struct race *race = argument;
  gate_wait(&race->start);
  for (subpy_status got = SUBPY_ERR_BUSY; got == SUBPY_ERR_BUSY;) {
    subpy_error *error = UNWRITTEN;
    got = subpy_destroy(race->id, &error);
    const bool fine = got == SUBPY_OK || got == SUBPY_ERR_BUSY || got == SUBPY_ERR_NOT_FOUND;
    check_call(__FILE__, __LINE__, "a destroy", fine ? got : SUBPY_OK, got, "", error);
  }
  return NULL;
}

static void test_runs_and_destroys_race(void **state) {
  (void)state;
  for (int round = 0; round < 20; round++) {
    struct race race = {GATE_INIT, 0};
    pthread_t runners[THREADS], destroyers[2];
    CREATE(NULL, &race.id);
    RUN(race.id, "n = 0");
    start_all(runners, run_while_it_is_there, &race);
    for (size_t i = 0; i < COUNT(destroyers); i++) {
      destroyers[i] = thread_start(destroy_as_soon_as_it_can_be, &race);
    }
    gate_open(&race.start);
    join_all(runners);
    for (size_t i = 0; i < COUNT(destroyers); i++) {
      thread_join(destroyers[i]);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_thousands_of_threads_one_after_the_other),
      cmocka_unit_test(test_each_step_in_a_thread_of_its_own),
      cmocka_unit_test(test_whole_lives_in_parallel),
      cmocka_unit_test(test_interpreters_made_at_once_have_ids_of_their_own),
      cmocka_unit_test(test_of_runs_that_race_one_wins),
      cmocka_unit_test(test_runs_and_destroys_race),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
