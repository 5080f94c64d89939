/* Calls from inside a callback: interpreters work, also the one that calls; it can't be destroyed. */
#include "support.h"

/* What a stdout_fn does, and what it found. */
struct inside {
  void (*act)(struct inside *);
  subpy_id self, other;
  int calls;
};

static void on_output(void *user, const char *text, size_t length) {
  struct inside *inside = user;
  (void)text, (void)length;
  inside->calls++;
  inside->act(inside);
}

static subpy_id current(void) {
  subpy_id id = -1;
  EXPECT(SUBPY_OK, subpy_get_current(&id, &error));
  return id;
}

static void create_inside(struct inside *inside, void (*act)(struct inside *)) {
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  memset(inside, 0, sizeof *inside);
  inside->act = act;
  config.stdout_fn = on_output;
  config.output_user = inside;
  CREATE(&config, &inside->self);
}

/* Has the interpreter call its callback once, and goes on in it afterwards. */
static void call_once(struct inside *inside) {
  RUN(inside->self, "x = 1\nprint('now')\nx += 1");
  CHECK_EQUAL(inside->calls, 1);
  RUN(inside->self, "assert x == 2, x");
}

static void ask_who_runs(struct inside *inside) {
  bool running = false;
  CHECK_EQUAL(current(), inside->self);
  EXPECT(SUBPY_OK, subpy_is_running(inside->self, &running, &error));
  CHECK(running, "not running while its output is written");
  EXPECT(SUBPY_OK, subpy_is_running(0, &running, &error));
  CHECK(!running, "the main interpreter runs");
}

static void test_it_is_the_current_one(void **state) {
  (void)state;
  struct inside inside;
  create_inside(&inside, ask_who_runs);
  call_once(&inside);
  subpy_id id;
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_get_current(&id, &error));
  DESTROY(inside.self);
}

static void run_in_the_other(struct inside *inside) {
  RUN(inside->other, "y = 40 + 2");
  CHECK_EQUAL(current(), inside->self);
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, inside->other, "raise ValueError('inner')");
  CHECK_TEXT(subpy_error_message(error), "inner");
  subpy_error_free(error);
  CHECK_EQUAL(current(), inside->self);
}

static void test_another_interpreter_runs(void **state) {
  (void)state;
  struct inside inside;
  create_inside(&inside, run_in_the_other);
  CREATE(NULL, &inside.other);
  call_once(&inside);
  RUN(inside.other, "assert y == 42");
  DESTROY(inside.other);
  DESTROY(inside.self);
}

static void enter_itself(struct inside *inside) {
  RUN(inside->self, "assert x == 1; x = 100; print('written by the callback')");
  REFUSES(SUBPY_ERR_BUSY, "inside", subpy_destroy(inside->self, &error));
  REFUSES(SUBPY_ERR_BUSY, "", subpy_finalize(&error));
  CHECK(subpy_is_initialized(), "finalized from inside an interpreter");
  CHECK_EQUAL(current(), inside->self);
}

static void do_nothing(struct inside *inside) { (void)inside; }

static void enter_itself_once(struct inside *inside) {
  inside->act = do_nothing;
  enter_itself(inside);
}

/* What is written there is handed on when the callback has returned. */
static void test_the_same_interpreter_runs(void **state) {
  (void)state;
  struct inside inside;
  create_inside(&inside, enter_itself_once);
  RUN(inside.self, "x = 1\nprint('now')\nassert x == 100\n");
  CHECK_EQUAL(inside.calls, 2);
  DESTROY(inside.self);
}

static void come_and_go(struct inside *inside) {
  subpy_id id;
  size_t count = 0;
  CREATE(NULL, &id);
  RUN(id, "import json");
  EXPECT(SUBPY_OK, subpy_list_all(NULL, 0, &count, &error));
  CHECK_EQUAL(count, 3);
  DESTROY(id);
  CHECK_EQUAL(current(), inside->self);
}

static void test_interpreters_come_and_go(void **state) {
  (void)state;
  struct inside inside;
  create_inside(&inside, come_and_go);
  call_once(&inside);
  DESTROY(inside.self);
}

static void initialize_again(struct inside *inside) {
  INITIALIZE(NULL);
  FINALIZE();
  CHECK(subpy_is_initialized(), "a count too many was given back");
  CHECK_EQUAL(current(), inside->self);
}

static void test_counts_come_and_go(void **state) {
  (void)state;
  struct inside inside;
  create_inside(&inside, initialize_again);
  call_once(&inside);
  DESTROY(inside.self);
}

enum { DEPTH = 10 };
static struct inside chain[DEPTH];

static void call_the_next(struct inside *inside) {
  const size_t place = (size_t)(inside - chain);
  if (place + 1 < DEPTH) {
    call_once(inside + 1);
  }
  for (size_t i = 0; i <= place; i++) {
    RUN(chain[i].self, "assert x == 1, x");
    EXPECT(SUBPY_ERR_BUSY, subpy_destroy(chain[i].self, &error));
  }
  CHECK_EQUAL(current(), inside->self);
}

static void test_ten_deep(void **state) {
  (void)state;
  for (size_t i = 0; i < DEPTH; i++) {
    create_inside(&chain[i], call_the_next);
  }
  call_once(&chain[0]);
  for (size_t i = 0; i < DEPTH; i++) {
    CHECK_EQUAL(chain[i].calls, 1);
    DESTROY(chain[i].self);
  }
}

static subpy_id shared;

static void *run_shared(void *argument) {
  subpy_id id;
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_get_current(&id, &error));
  RUN(shared, "z = 1");
  return argument;
}

static void wait_for_a_thread(struct inside *inside) {
  in_thread(run_shared, inside); /* which takes the GIL that this thread has let go of */
}

static void test_a_callback_may_wait_for_another_thread(void **state) {
  (void)state;
  struct inside inside;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.gil = SUBPY_GIL_SHARED;
  config.stdout_fn = on_output;
  config.output_user = &inside;
  memset(&inside, 0, sizeof inside);
  inside.act = wait_for_a_thread;
  CREATE(&config, &inside.self);
  config.stdout_fn = NULL;
  CREATE(&config, &shared);
  call_once(&inside);
  RUN(shared, "assert z == 1");
  DESTROY(shared);
  DESTROY(inside.self);
}

static void destroy_the_other(struct inside *inside) { DESTROY(inside->other); }

static void test_another_interpreter_is_destroyed(void **state) {
  (void)state;
  struct inside inside;
  create_inside(&inside, destroy_the_other);
  CREATE(NULL, &inside.other);
  RUN(inside.other, "import threading");
  call_once(&inside);
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_destroy(inside.other, &error));
  DESTROY(inside.self);
}

/* What ends a run ends those in other interpreters that its callbacks make, each of them. */
static subpy_status inner_status;
static struct gate inner_runs = GATE_INIT;

static void run_forever(struct inside *inside) {
  for (int i = 0; i < 2; i++) {
    subpy_error *error = NULL;
    gate_open(&inner_runs);
    CHECK_EQUAL(subpy_run_string(inside->other, "while True: pass", &error), inner_status);
    CHECK_TEXT(subpy_error_type(error), "KeyboardInterrupt");
    subpy_error_free(error);
  }
}

/* The next one of the chain runs for ever, too. */
static void run_forever_deeper(struct inside *inside) {
  subpy_error *error = NULL;
  CHECK_EQUAL(subpy_run_string(inside->other, "print('now')\nwhile True: pass", &error),
              inner_status);
  subpy_error_free(error);
}

static void *interrupt_outer(void *id) {
  gate_wait(&inner_runs);
  EXPECT(SUBPY_OK, subpy_interrupt(*(subpy_id *)id, &error));
  return NULL;
}

static void test_a_limit_reaches_inner_runs(void **state) {
  (void)state;
  struct inside outer, middle;
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  const char *const code = "print('now')\nwhile True: pass";
  create_inside(&outer, run_forever_deeper);
  create_inside(&middle, run_forever);
  outer.other = middle.self;
  CREATE(NULL, &middle.other);
  limit_to(&options, 50);
  inner_status = SUBPY_ERR_TIMEOUT;
  EXPECT(SUBPY_ERR_TIMEOUT,
         subpy_run_string_with(middle.self, &options, code, strlen(code), &error));
  EXPECT(SUBPY_ERR_TIMEOUT,
         subpy_run_string_with(outer.self, &options, code, strlen(code), &error));
  inner_status = SUBPY_ERR_INTERRUPTED;
  const struct gate closed = GATE_INIT;
  inner_runs = closed;
  const pthread_t thread = thread_start(interrupt_outer, &outer.self);
  EXPECT(SUBPY_ERR_INTERRUPTED, subpy_run_string(outer.self, code, &error));
  thread_join(thread);
  /* It has nothing to do with the runs that come. */
  RUN(middle.other, "for i in range(100000): pass");
  outer.act = run_in_the_other;
  outer.calls = 0;
  call_once(&outer);
  DESTROY(middle.other);
  DESTROY(middle.self);
  DESTROY(outer.self);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_it_is_the_current_one),
      cmocka_unit_test(test_another_interpreter_runs),
      cmocka_unit_test(test_the_same_interpreter_runs),
      cmocka_unit_test(test_interpreters_come_and_go),
      cmocka_unit_test(test_counts_come_and_go),
      cmocka_unit_test(test_ten_deep),
      cmocka_unit_test(test_a_callback_may_wait_for_another_thread),
      cmocka_unit_test(test_another_interpreter_is_destroyed),
      cmocka_unit_test(test_a_limit_reaches_inner_runs),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
