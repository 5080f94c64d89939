/* subpy_interrupt(): the run that is under way ends, whatever it does, and no other one. */
#include "fixture.h"
#include "stop.h"

#include <sched.h>
#include <stdatomic.h>

/* No test waits for as long as this. */
enum { AN_HOUR = 3600 * 1000 };

/* An interpreter that is interrupted, by another thread, when it prints. */
struct victim {
  subpy_id id;
  struct gate printed;
};

static void victim_prints(void *user, const char *text, size_t length) {
  struct victim *victim = user;
  (void)text, (void)length;
  gate_open(&victim->printed);
}

static void ignore_output(void *user, const char *text, size_t length) {
  (void)user, (void)text, (void)length;
}

static void victim_create(struct victim *victim) {
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.stdout_fn = victim_prints;
  config.stderr_fn = ignore_output;
  config.output_user = victim;
  CREATE(&config, &victim->id);
}

static void *interrupt_when_it_prints(void *argument) {
  struct victim *victim = argument;
  gate_wait(&victim->printed);
  EXPECT(SUBPY_OK, subpy_interrupt(victim->id, &error));
  return NULL;
}

/* The error of a run that is interrupted when it prints. */
static subpy_error *interrupted(struct victim *victim, const char *code) {
  const struct gate closed = GATE_INIT;
  victim->printed = closed;
  const pthread_t thread = thread_start(interrupt_when_it_prints, victim);
  subpy_error *error = run_for(victim->id, NULL, code);
  gate_open(&victim->printed);
  thread_join(thread);
  return error;
}

static void victim_destroy(struct victim *victim) {
  RUN(victim->id, "assert True");
  EXPECT(SUBPY_OK, destroy_within(victim->id, AN_HOUR, &error));
}

/* asyncio has one of its own: see test_a_coroutine_that_never_waits(). */
static bool has_a_handler(const struct endless *script) {
  return python_at_least(3, 12) && strstr(script->code, "asyncio.run") != NULL;
}

static void test_endless(void **state) {
  const struct endless *script = *state;
  if (!python_at_least(3, script->since) || has_a_handler(script)) {
    skip();
  }
  struct victim victim;
  victim_create(&victim);
  for (int i = 0; i < 3; i++) {
    subpy_error *error = interrupted(&victim, script->code);
    CHECK_STOPPED(SUBPY_ERR_INTERRUPTED, error, script->part);
    RUN(victim.id, "for _ in range(10000): pass");
  }
  victim_destroy(&victim);
}

struct twice {
  subpy_id id;
  struct gate told[2];
};

static void twice_ready(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  struct twice *twice = user;
  (void)call;
  CHECK_EQUAL(nargs, 1);
  gate_open(&twice->told[args[0].as.integer]);
}

static void *interrupt_twice(void *argument) {
  struct twice *twice = argument;
  for (size_t i = 0; i < COUNT(twice->told); i++) {
    gate_wait(&twice->told[i]);
    EXPECT(SUBPY_OK, subpy_interrupt(twice->id, &error));
  }
  return NULL;
}

/* asyncio's handler cancels the main task the first time, and raises the second time. */
static void test_a_coroutine_that_never_waits(void **state) {
  (void)state;
  if (!python_at_least(3, 12)) {
    skip();
  }
  for (int i = 0; i < 3; i++) {
    struct twice twice = {0, {GATE_INIT, GATE_INIT}};
    CREATE(NULL, &twice.id);
    EXPECT(SUBPY_OK,
           subpy_define_function(twice.id, "host", "ready", twice_ready, &twice, NULL, &error));
    const pthread_t thread = thread_start(interrupt_twice, &twice);
    subpy_error *error = run_for(twice.id, NULL,
                                 "import asyncio, host\n"
                                 "async def busy():\n"
                                 "  task = asyncio.current_task()\n"
                                 "  host.ready(0)\n"
                                 "  while not task.cancelling(): pass\n"
                                 "  host.ready(1)\n"
                                 "  while True: pass\n"
                                 "asyncio.run(busy())\n");
    thread_join(thread);
    CHECK_STOPPED(SUBPY_ERR_INTERRUPTED, error, ", in busy\n");
    RUN(twice.id, "async def calm(): return 42\nassert asyncio.run(calm()) == 42");
    DESTROY(twice.id);
  }
}

static void test_the_traceback_says_where(void **state) {
  (void)state;
  struct victim victim;
  victim_create(&victim);
  subpy_error *error = interrupted(&victim, "def outer():\n"
                                            "  inner()\n"
                                            "def inner():\n"
                                            "  print()\n"
                                            "  while True: pass\n"
                                            "outer()\n");
  CHECK_TEXT(subpy_error_type(error), "KeyboardInterrupt");
  CHECK_CONTAINS(subpy_error_traceback(error), "Traceback (most recent call last):\n");
  CHECK_CONTAINS(subpy_error_traceback(error), "line 6, in <module>\n    outer()\n");
  CHECK_CONTAINS(subpy_error_traceback(error), "line 2, in outer\n    inner()\n");
  CHECK_CONTAINS(subpy_error_traceback(error), ", in inner\n    ");
  CHECK_EQUAL(subpy_error_exit_code(error), 0);
  subpy_error_free(error);
  victim_destroy(&victim);
}

/* What the host has released goes first. */
static void test_after_a_release(void **state) {
  (void)state;
  struct victim victim;
  victim_create(&victim);
  for (int i = 0; i < 3; i++) {
    subpy_object object;
    EXPECT(SUBPY_OK, subpy_eval_object(victim.id, "object()", &object, &error));
    subpy_object_release(object);
    CHECK_STOPPED(SUBPY_ERR_INTERRUPTED, interrupted(&victim, "print()\nwhile True: pass\n"),
                  "line ");
  }
  victim_destroy(&victim);
}

static void test_finally_runs(void **state) {
  (void)state;
  struct victim victim;
  victim_create(&victim);
  RUN(victim.id, "cleaned = 0");
  /* What takes more than 10 ms, on a busy machine, is interrupted again. */
  for (int again = 0; again < 100; again++) {
    CHECK_STOPPED(SUBPY_ERR_INTERRUPTED,
                  interrupted(&victim, "try:\n"
                                       "  print()\n"
                                       "  while True: pass\n"
                                       "finally:\n"
                                       "  cleaned += 1\n"),
                  "line ");
    if (subpy_run_string(victim.id, "assert cleaned == 1", NULL) == SUBPY_OK) {
      break;
    }
  }
  RUN(victim.id, "assert cleaned == 1");
  victim_destroy(&victim);
}

static void test_a_script_may_catch_it_and_end(void **state) {
  (void)state;
  struct victim victim;
  victim_create(&victim);
  static const char code[] = "try:\n"
                             "  print()\n"
                             "  while True: pass\n"
                             "except KeyboardInterrupt as e: caught = str(e)\n";
  subpy_error *error = interrupted(&victim, code);
  /* What takes more than 10 ms, on a busy machine, is interrupted again. */
  for (int again = 0; again < 100 && error != NULL; again++) {
    CHECK_STOPPED(SUBPY_ERR_INTERRUPTED, error, "line ");
    error = interrupted(&victim, code);
  }
  CHECK(error == NULL, "%s", subpy_error_message(error));
  if (stops_everything()) {
    RUN(victim.id, "assert caught == 'the run was interrupted by the host', caught");
  }
  victim_destroy(&victim);
}

static void test_what_comes_of_it_is_interrupted(void **state) {
  (void)state;
  const char *const handlers[][2] = {{"raise ValueError('mine')", "ValueError"},
                                     {"import sys; sys.exit(3)", "SystemExit"},
                                     {"1 / 0", "ZeroDivisionError"}};
  struct victim victim;
  victim_create(&victim);
  for (size_t i = 0; i < COUNT(handlers); i++) {
    char code[256];
    snprintf(code, sizeof code,
             "try:\n  print()\n  while True: pass\nexcept BaseException:\n  %s\n", handlers[i][0]);
    subpy_error *error = interrupted(&victim, code);
    /* A handler that takes more than 10 ms, on a busy machine, is interrupted again. */
    for (int again = 0; again < 100 && strcmp(subpy_error_type(error), handlers[i][1]) != 0;
         again++) {
      CHECK_STOPPED(SUBPY_ERR_INTERRUPTED, error, "KeyboardInterrupt");
      error = interrupted(&victim, code);
    }
    CHECK_EQUAL(subpy_error_status(error), SUBPY_ERR_INTERRUPTED);
    CHECK_TEXT(subpy_error_type(error), handlers[i][1]);
    CHECK_TEXT(subpy_error_message(error), "the run was interrupted by the host");
    CHECK_CONTAINS(subpy_error_traceback(error), "KeyboardInterrupt");
    CHECK_EQUAL(subpy_error_exit_code(error), 0);
    subpy_error_free(error);
  }
  victim_destroy(&victim);
}

/* An interrupt right after a function of the standard library has taken a lock. Each of these takes one over and over;
 * what comes after the # has to find it free, in another thread. */
static const struct taker {
  const char *name, *setup, *loop, *is_free;
} takers[] = {
    {"condition", "c = threading.Condition(threading.Lock())", "with c: pass",
     "not c._lock.locked()"},
    {"semaphore", "s = threading.Semaphore()", "with s: pass", "not s._cond._lock.locked()"},
    {"event", "e = threading.Event()", "e.set()", "not e._cond._lock.locked()"},
    {"logging",
     "import logging\nh = logging.NullHandler()\nh.lock = threading.Lock()\n"
     "h.handle = lambda r: logging.Handler.handle(h, r)\nr = logging.makeLogRecord({})",
     "h.handle(r)", "not h.lock.locked()"},
    {"futures",
     "import concurrent.futures as f\none = f.Future()\none.set_result(1)\n"
     "one._condition = threading.Condition(threading.Lock())",
     "f.wait([one])", "not one._condition._lock.locked()"},
};

static void test_no_lock_is_left_behind(void **state) {
  const struct taker *taker = *state;
  struct victim victim;
  char code[256], is_free[256];
  victim_create(&victim);
  RUN(victim.id, "import threading");
  RUN(victim.id, taker->setup);
  snprintf(code, sizeof code, "print()\nwhile True:\n  %s\n", taker->loop);
  snprintf(is_free, sizeof is_free, "assert %s", taker->is_free);
  /* Earlier versions look less often whether the place is right. */
  const int runs = python_at_least(3, 12) ? 200 : 10;
  for (int i = 0; i < runs; i++) {
    CHECK_STOPPED(SUBPY_ERR_INTERRUPTED, interrupted(&victim, code), "line ");
    RUN(victim.id, is_free);
  }
  victim_destroy(&victim);
}

/* The standard library waits for others, again and again. */
static void test_what_waits_again_and_again_ends(void **state) {
  (void)state;
  const char *const loops[] = {
      "while True: c.wait_for(done.is_set, 0.001)",
      "while not done.wait(0.001): pass",
      "while thread.is_alive(): thread.join(0.001)",
      "while not full.acquire(timeout=0.001): pass",
  };
  struct victim victim;
  victim_create(&victim);
  RUN(victim.id,
      "import threading\n"
      "done, c, full = threading.Event(), threading.Condition(), threading.Semaphore(0)\n"
      "last = threading.Event()\n"
      "thread = threading.Thread(target=last.wait)\n"
      "thread.start()\n");
  for (size_t i = 0; i < COUNT(loops); i++) {
    char code[256];
    snprintf(code, sizeof code, "print()\nwith c:\n  %s\n", loops[i]);
    CHECK_STOPPED(SUBPY_ERR_INTERRUPTED, interrupted(&victim, code), "line ");
  }
  RUN(victim.id, "last.set()\nthread.join()");
  victim_destroy(&victim);
}

/* From inside: a callback of the run itself. */
static void interrupt_itself(void *user, const char *text, size_t length) {
  (void)text, (void)length;
  EXPECT(SUBPY_OK, subpy_interrupt(*(subpy_id *)user, &error));
}

static subpy_id create_self_interrupting(subpy_id *id) {
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.stdout_fn = interrupt_itself;
  config.stderr_fn = ignore_output;
  config.output_user = id;
  CREATE(&config, id);
  return *id;
}

static void test_from_a_callback(void **state) {
  (void)state;
  subpy_id id;
  create_self_interrupting(&id);
  for (int i = 0; i < 100; i++) {
    CHECK_STOPPED(SUBPY_ERR_INTERRUPTED, run_for(id, NULL, "print()\nwhile True: pass\n"), "line ");
    RUN(id, "x = 1");
  }
  DESTROY(id);
}

static void test_at_the_very_end(void **state) {
  (void)state;
  subpy_id id;
  create_self_interrupting(&id);
  RUN(id, "import sys");
  for (int i = 0; i < 100; i++) {
    RUN(id, "sys.stdout.write('x')"); /* flushed when the program is over */
    RUN(id, "for _ in range(1000): pass");
  }
  RUN(id, "import atexit\natexit.register(print, 'x')");
  DESTROY(id);
}

static void test_eval_and_call(void **state) {
  (void)state;
  subpy_id id;
  create_self_interrupting(&id);
  RUN(id, "def endless():\n  print()\n  while True: pass\n");
  REFUSES(SUBPY_ERR_INTERRUPTED, "interrupted by the host",
          subpy_eval(id, "endless()", NULL, &error));
  REFUSES(SUBPY_ERR_INTERRUPTED, "interrupted by the host",
          subpy_call(id, "endless", NULL, 0, NULL, &error));
  RUN(id, "x = 1");
  DESTROY(id);
}

/* Runs beside one that is interrupted. (Runs inside of it end with it: see nested.c.) */
struct bystander {
  subpy_id id;
  atomic_bool end;
};

static void *run_on_and_on(void *argument) {
  struct bystander *bystander = argument;
  while (!atomic_load(&bystander->end)) {
    RUN(bystander->id, "for _ in range(1000): pass");
  }
  return NULL;
}

static void test_only_that_interpreter(void **state) {
  (void)state;
  struct bystander bystander;
  struct victim victim;
  atomic_init(&bystander.end, false);
  CREATE(NULL, &bystander.id);
  victim_create(&victim);
  const pthread_t thread = thread_start(run_on_and_on, &bystander);
  for (int i = 0; i < 20; i++) {
    CHECK_STOPPED(SUBPY_ERR_INTERRUPTED, interrupted(&victim, "print()\nwhile True: pass\n"),
                  "line ");
  }
  atomic_store(&bystander.end, true);
  thread_join(thread);
  victim_destroy(&victim);
  DESTROY(bystander.id);
}

static void test_nothing_runs(void **state) {
  (void)state;
  for (int i = 0; i < 1000; i++) {
    EXPECT(SUBPY_OK, subpy_interrupt(id, &error));
    CHECK_EQUAL(subpy_interrupt(id, NULL), SUBPY_OK);
    RUN(id, "for _ in range(100): pass");
  }
  DESTROY(id);
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_interrupt(id, &error));
}

static void test_no_such_interpreter(void **state) {
  (void)state;
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_interrupt(-1, &error));
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_interrupt(INT64_MAX, &error));
  CHECK_EQUAL(subpy_interrupt(INT64_MIN, NULL), SUBPY_ERR_NOT_FOUND);
}

static void test_the_main_interpreter(void **state) {
  (void)state;
  EXPECT(SUBPY_OK, subpy_interrupt(0, &error));
  RUN(0, "def ask(): pass");
}

/* Races. -------------------------------------------------------------------------------------- */

/* Rounds of one run that may be interrupted and one that may not. */
struct race {
  subpy_id id;
  atomic_int asked_for, asked; /* the number of the round */
};

static void *interrupt_each_round(void *argument) {
  struct race *race = argument;
  for (int round = 0; round >= 0;) {
    const int now = atomic_load(&race->asked_for);
    if (now == round) {
      sched_yield();
      continue;
    }
    round = now;
    if (round > 0) {
      EXPECT(SUBPY_OK, subpy_interrupt(race->id, &error));
      atomic_store(&race->asked, round);
    }
  }
  return NULL;
}

static void race_rounds(int rounds, const char *prepare, const char *first) {
  struct race race;
  const subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  atomic_init(&race.asked_for, 0);
  atomic_init(&race.asked, 0);
  CREATE(&config, &race.id);
  RUN(race.id, prepare);
  const pthread_t thread = thread_start(interrupt_each_round, &race);
  int interrupts = 0;
  for (int round = 1; round <= rounds; round++) {
    atomic_store(&race.asked_for, round);
    const subpy_status status = subpy_run_string(race.id, first, NULL);
    CHECK(status == SUBPY_OK || status == SUBPY_ERR_INTERRUPTED, "%s in round %d",
          subpy_status_name(status), round);
    interrupts += status == SUBPY_ERR_INTERRUPTED;
    while (atomic_load(&race.asked) != round) {
      sched_yield();
    }
    RUN(race.id, "for _ in range(200): pass");
  }
  atomic_store(&race.asked_for, -1);
  thread_join(thread);
  RUN(race.id, "end = True");
  EXPECT(SUBPY_OK, destroy_within(race.id, AN_HOUR, &error));
  print_message("%d of %d runs were interrupted\n", interrupts, rounds);
}

static void test_never_the_next_run(void **state) {
  (void)state;
  race_rounds(5000, "", "for _ in range(200): pass");
}

static void test_never_the_next_run_after_it_was_caught(void **state) {
  (void)state;
  race_rounds(5000, "",
              "try:\n  for _ in range(200): pass\nexcept BaseException: pass\n"
              "for _ in range(200): pass\n");
}

static void test_never_the_next_run_beside_python_threads(void **state) {
  (void)state;
  race_rounds(300,
              "import sys, threading\n"
              "sys.setswitchinterval(1e-5)\n"
              "end = False\n"
              "def spin():\n"
              "  while not end: pass\n"
              "threading.Thread(target=spin).start()\n",
              "for _ in range(2000): pass");
}

/* Many threads interrupt one run after the other. */
struct crowd {
  subpy_id id;
  atomic_bool end;
};

static void *interrupt_on_and_on(void *argument) {
  struct crowd *crowd = argument;
  while (!atomic_load(&crowd->end)) {
    EXPECT(SUBPY_OK, subpy_interrupt(crowd->id, &error));
    sched_yield();
  }
  return NULL;
}

static void test_by_many_at_once(void **state) {
  (void)state;
  struct crowd crowd;
  pthread_t threads[8];
  CREATE(NULL, &crowd.id);
  atomic_init(&crowd.end, false);
  for (size_t i = 0; i < COUNT(threads); i++) {
    threads[i] = thread_start(interrupt_on_and_on, &crowd);
  }
  for (int i = 0; i < 500; i++) {
    CHECK_STOPPED(SUBPY_ERR_INTERRUPTED, run_for(crowd.id, NULL, "while True: pass"), "line ");
  }
  atomic_store(&crowd.end, true);
  for (size_t i = 0; i < COUNT(threads); i++) {
    thread_join(threads[i]);
  }
  RUN(crowd.id, "for _ in range(10000): pass");
  DESTROY(crowd.id);
}

/* Interrupts that come while the interpreter is destroyed find it, or don't. */
static void *interrupt_until_it_is_gone(void *argument) {
  struct crowd *crowd = argument;
  subpy_status status;
  while ((status = subpy_interrupt(crowd->id, NULL)) == SUBPY_OK) {
    sched_yield();
  }
  CHECK_EQUAL(status, SUBPY_ERR_NOT_FOUND);
  return NULL;
}

static void test_while_it_is_destroyed(void **state) {
  (void)state;
  for (int i = 0; i < 20; i++) {
    struct crowd crowd;
    CREATE(NULL, &crowd.id);
    const pthread_t one = thread_start(interrupt_until_it_is_gone, &crowd);
    const pthread_t other = thread_start(interrupt_until_it_is_gone, &crowd);
    subpy_run_string(crowd.id, "for _ in range(10000): pass", NULL);
    DESTROY(crowd.id);
    thread_join(one);
    thread_join(other);
  }
}

/* The end is asked to stop for so long that it is asked at each safe point, until it makes the last pending calls. */
static void test_an_end_that_is_asked_to_stop(void **state) {
  (void)state;
  struct crowd crowd;
  CREATE(NULL, &crowd.id);
  RUN(crowd.id, "import threading, time\n"
                "threading._shutdown = lambda: time.sleep(0.3)\n");
  const pthread_t thread = thread_start(interrupt_until_it_is_gone, &crowd);
  DESTROY(crowd.id);
  thread_join(thread);
}

static void test_before_initialize(void **state) {
  (void)state;
  EXPECT(SUBPY_ERR_NOT_INITIALIZED, subpy_interrupt(0, &error));
}

static int initialize(void **state) {
  (void)state;
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.allow_main = 1;
  INITIALIZE(&config);
  return 0;
}

int main(void) {
  const struct CMUnitTest first[] = {cmocka_unit_test(test_before_initialize)};
  const struct CMUnitTest others[] = {
      cmocka_unit_test(test_a_coroutine_that_never_waits),
      cmocka_unit_test(test_the_traceback_says_where),
      cmocka_unit_test(test_after_a_release),
      cmocka_unit_test(test_finally_runs),
      cmocka_unit_test(test_a_script_may_catch_it_and_end),
      cmocka_unit_test(test_what_comes_of_it_is_interrupted),
      cmocka_unit_test(test_what_waits_again_and_again_ends),
      cmocka_unit_test(test_from_a_callback),
      cmocka_unit_test(test_at_the_very_end),
      cmocka_unit_test(test_eval_and_call),
      cmocka_unit_test(test_only_that_interpreter),
      TEST(test_nothing_runs),
      cmocka_unit_test(test_no_such_interpreter),
      cmocka_unit_test(test_the_main_interpreter),
      cmocka_unit_test(test_never_the_next_run),
      cmocka_unit_test(test_never_the_next_run_after_it_was_caught),
      cmocka_unit_test(test_never_the_next_run_beside_python_threads),
      cmocka_unit_test(test_by_many_at_once),
      cmocka_unit_test(test_while_it_is_destroyed),
      cmocka_unit_test(test_an_end_that_is_asked_to_stop),
  };
  struct CMUnitTest scripts[COUNT(endless) + COUNT(takers)];
  for (size_t i = 0; i < COUNT(endless); i++) {
    const struct CMUnitTest test = {endless[i].name, test_endless, NULL, NULL, (void *)&endless[i]};
    scripts[i] = test;
  }
  for (size_t i = 0; i < COUNT(takers); i++) {
    const struct CMUnitTest test = {takers[i].name, test_no_lock_is_left_behind, NULL, NULL,
                                    (void *)&takers[i]};
    scripts[COUNT(endless) + i] = test;
  }
  return RUN_TESTS(first) || RUN_TESTS_BETWEEN(scripts, initialize, NULL) ||
         RUN_TESTS_BETWEEN(others, NULL, finalize_at_last);
}
