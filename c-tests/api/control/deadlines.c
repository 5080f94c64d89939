/* subpy_run_options::deadline_fn: the host decides what becomes of a run that is out of time. */
#include "fixture.h"
#include "stop.h"

#include <stdatomic.h>

enum { SHORT = 20 };

/* What a deadline_fn answers: the answers in turn, the last one for ever. */
struct judge {
  subpy_id id;
  const uint64_t *answers;
  size_t count;
  atomic_size_t asked;
  uint64_t elapsed_ms;
  pthread_t run_by;
  bool over;
};

static uint64_t judge(void *user, subpy_id id, uint64_t elapsed_ms) {
  struct judge *judge = user;
  const size_t n = atomic_fetch_add(&judge->asked, 1);
  CHECK(!judge->over, "asked after the run has returned");
  CHECK_EQUAL(id, judge->id);
  CHECK(!pthread_equal(pthread_self(), judge->run_by), "asked in the thread that runs");
  CHECK(elapsed_ms >= judge->elapsed_ms + SHORT, "asked after %llu ms",
        (unsigned long long)elapsed_ms);
  judge->elapsed_ms = elapsed_ms;
  return judge->answers[n < judge->count ? n : judge->count - 1];
}

/* For scripts: how often the judge was asked. */
static void asked(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  struct judge *judge = user;
  (void)args, (void)nargs;
  const subpy_value count = subpy_int((int64_t)atomic_load(&judge->asked));
  subpy_host_return(call, &count);
}

static void judge_init(struct judge *judge, const uint64_t *answers, size_t count) {
  memset(judge, 0, sizeof *judge);
  judge->answers = answers;
  judge->count = count;
  judge->run_by = pthread_self();
  CREATE(NULL, &judge->id);
  EXPECT(SUBPY_OK, subpy_define_function(judge->id, "host", "asked", asked, judge, NULL, &error));
}

static subpy_error *run_judged(struct judge *user, uint64_t timeout_ms, const char *code) {
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  limit_to(&options, timeout_ms);
  options.deadline_fn = judge;
  options.deadline_user = user;
  return run_for(user->id, &options, code);
}

static void test_interrupt(void **state) {
  (void)state;
  const uint64_t answers[] = {0};
  struct judge judge;
  judge_init(&judge, answers, COUNT(answers));
  CHECK_STOPPED(SUBPY_ERR_TIMEOUT, run_judged(&judge, SHORT, "while True: pass"), "line ");
  CHECK_EQUAL(atomic_load(&judge.asked), 1);
  RUN(judge.id, "for _ in range(10000): pass");
  DESTROY(judge.id);
}

static void test_extend_then_interrupt(void **state) {
  (void)state;
  const uint64_t answers[] = {SHORT, SHORT, SHORT, 0};
  struct judge judge;
  judge_init(&judge, answers, COUNT(answers));
  CHECK_STOPPED(SUBPY_ERR_TIMEOUT, run_judged(&judge, SHORT, "while True: pass"), "line ");
  CHECK_EQUAL(atomic_load(&judge.asked), 4);
  DESTROY(judge.id);
}

static void test_extend_until_it_ends(void **state) {
  (void)state;
  const uint64_t answers[] = {SHORT};
  struct judge judge;
  judge_init(&judge, answers, COUNT(answers));
  subpy_error *error =
      run_judged(&judge, SHORT, "import host\nwhile host.asked() < 3: pass\nx = 1\n");
  CHECK(error == NULL, "%s", subpy_error_message(error));
  CHECK(atomic_load(&judge.asked) >= 3, "asked too little");
  RUN(judge.id, "assert x == 1");
  DESTROY(judge.id);
}

static void go_on(const uint64_t *answer) {
  struct judge judge;
  judge_init(&judge, answer, 1);
  subpy_error *error = run_judged(&judge, SHORT,
                                  "import host, time\n"
                                  "while host.asked() < 1: pass\n"
                                  "end = time.monotonic() + 0.1\n"
                                  "while time.monotonic() < end: pass\n");
  CHECK(error == NULL, "%s", subpy_error_message(error));
  CHECK_EQUAL(atomic_load(&judge.asked), 1);
  DESTROY(judge.id);
}

static void test_go_on(void **state) {
  (void)state;
  const uint64_t never = SUBPY_FOREVER, almost_never = SUBPY_FOREVER - 1;
  go_on(&never);
  go_on(&almost_never);
}

static void test_in_time(void **state) {
  (void)state;
  const uint64_t answers[] = {0};
  struct judge judge;
  judge_init(&judge, answers, COUNT(answers));
  CHECK(run_judged(&judge, 3600 * 1000, "x = 1") == NULL, "it has failed");
  CHECK_EQUAL(atomic_load(&judge.asked), 0);
  DESTROY(judge.id);
}

static uint64_t open_and_go_on(void *user, subpy_id id, uint64_t elapsed_ms) {
  struct gate *asked = user;
  (void)id, (void)elapsed_ms;
  gate_open(asked);
  return SUBPY_FOREVER;
}

struct asked_for {
  subpy_id id;
  struct gate asked;
};

static void *interrupt_when_asked(void *argument) {
  struct asked_for *run = argument;
  gate_wait(&run->asked);
  EXPECT(SUBPY_OK, subpy_interrupt(run->id, &error));
  return NULL;
}

static void test_an_interrupt_beside_it(void **state) {
  (void)state;
  struct asked_for run = {0, GATE_INIT};
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  limit_to(&options, SHORT);
  options.deadline_fn = open_and_go_on;
  options.deadline_user = &run.asked;
  CREATE(NULL, &run.id);
  const pthread_t thread = thread_start(interrupt_when_asked, &run);
  CHECK_STOPPED(SUBPY_ERR_INTERRUPTED, run_for(run.id, &options, "while True: pass"), "line ");
  thread_join(thread);
  DESTROY(run.id);
}

static void test_needs_a_timeout(void **state) {
  (void)state;
  const uint64_t answers[] = {0};
  struct judge judge;
  judge_init(&judge, answers, COUNT(answers));
  subpy_error *error = run_judged(&judge, 0, "x = 1");
  CHECK_EQUAL(subpy_error_status(error), SUBPY_ERR_INVALID_ARGUMENT);
  CHECK_CONTAINS(subpy_error_message(error), "timeout_ms");
  subpy_error_free(error);
  DESTROY(judge.id);
}

/* `user` is good as long as the run is, and no longer. */
static uint64_t look_at_user(void *user, subpy_id id, uint64_t elapsed_ms) {
  (void)id, (void)elapsed_ms;
  CHECK_EQUAL(*(int *)user, 1);
  return 1;
}

static void test_never_after_the_run(void **state) {
  (void)state;
  RUN(id, "import time\nnow = time.perf_counter");
  for (int i = 0; i < 1000; i++) {
    int *user = malloc(sizeof *user);
    CHECK(user != NULL, "no memory");
    *user = 1;
    subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
    limit_to(&options, 1);
    options.deadline_fn = look_at_user;
    options.deadline_user = user;
    CHECK(run_for(id, &options, "end = now() + 0.001\nwhile now() < end: pass\n") == NULL,
          "it has failed");
    *user = 0;
    free(user);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_interrupt),
      cmocka_unit_test(test_extend_then_interrupt),
      cmocka_unit_test(test_extend_until_it_ends),
      cmocka_unit_test(test_go_on),
      cmocka_unit_test(test_in_time),
      cmocka_unit_test(test_an_interrupt_beside_it),
      cmocka_unit_test(test_needs_a_timeout),
      TEST(test_never_after_the_run),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
