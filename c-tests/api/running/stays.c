/* Threads that stay in an interpreter: subpy_enter() and subpy_leave(). */
#include "fixture.h"
#include "stop.h"
#include "waiting_calls.h"

#define ENTER(id) EXPECT(SUBPY_OK, subpy_enter(id, NULL, &error))
#define LEAVE(id) EXPECT(SUBPY_OK, subpy_leave(id, &error))

static int64_t int_of(subpy_id one, const char *expression) {
  subpy_value value = subpy_none();
  EXPECT(SUBPY_OK, subpy_eval(one, expression, &value, &error));
  CHECK_EQUAL(value.kind, SUBPY_INT);
  return value.as.integer;
}

/* What a thread that stays can do -------------------------------------------------------------------- */

/* host.twice(n), by a call of the interpreter that calls it. */
static void twice(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  subpy_value result = subpy_none();
  (void)user;
  EXPECT(SUBPY_OK,
         subpy_call(id, "add", (const subpy_value[]){args[0], args[0]}, 2, &result, &error));
  CHECK_EQUAL(nargs, 1);
  subpy_host_return(call, &result);
  subpy_value_clear(&result);
}

static void each_call(void) {
  subpy_object object;
  subpy_value value = subpy_none();
  RUN(id, "import sys\n"
          "def add(a, b): return a + b\n");
  EXPECT(SUBPY_OK,
         subpy_set(id, "two", &(const subpy_value){.kind = SUBPY_INT, .as.integer = 2}, &error));
  CHECK_EQUAL(int_of(id, "two + 1"), 3);
  EXPECT(SUBPY_OK, subpy_define_function(id, "host", "twice", twice, NULL, NULL, &error));
  RUN(id, "import host; assert host.twice(21) == 42");
  EXPECT(SUBPY_OK, subpy_get_object(id, "add", &object, &error));
  EXPECT(SUBPY_OK, subpy_object_call(object, (const subpy_value[]){subpy_int(1), subpy_int(2)}, 2,
                                     &value, &error));
  CHECK_EQUAL(value.as.integer, 3);
  subpy_object_release(object);
  EXPECT(SUBPY_OK, subpy_get(id, "two", &value, &error));
  EXPECT(SUBPY_OK, subpy_add_namespace(id, "plugin", &error));
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.in_namespace = "plugin";
  EXPECT(SUBPY_OK, subpy_run_string_with(id, &options, "two = 7", 7, &error));
  CHECK_EQUAL(int_of(id, "two"), 2);
  EXPECT(SUBPY_OK, subpy_remove_namespace(id, "plugin", &error));
  REFUSES(SUBPY_ERR_EXCEPTION, "no such thing",
          subpy_run_string(id, "raise KeyError('no such thing')", &error));
  EXPECT(SUBPY_ERR_EXIT, subpy_run_string(id, "sys.exit(3)", &error));
  RUN(id, "print('written')");
  CHECK_TEXT(capture.out.data, "written\n");
  capture_clear(&capture);
}

static void test_each_call(void **state) {
  (void)state;
  ENTER(id);
  each_call();
  subpy_id current;
  EXPECT(SUBPY_OK, subpy_get_current(&current, &error));
  CHECK_EQUAL(current, id);
  LEAVE(id);
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_get_current(&current, &error));
  each_call();
}

static void test_it_nests(void **state) {
  (void)state;
  ENTER(id);
  ENTER(id);
  RUN(id, "x = 1");
  LEAVE(id);
  RUN(id, "assert x == 1");
  LEAVE(id);
  REFUSES(SUBPY_ERR_NOT_PERMITTED, "not entered", subpy_leave(id, &error));
  RUN(id, "assert x == 1");
}

/* Of several, a thread is in the one that it has entered last. */
static void test_the_last_one_is_current(void **state) {
  (void)state;
  subpy_id others[5], current;
  for (size_t i = 0; i < COUNT(others); i++) {
    CREATE(NULL, &others[i]);
  }
  const subpy_id order[] = {others[2], others[4], others[0], others[3], others[1]};
  for (size_t i = 0; i < COUNT(order); i++) {
    ENTER(order[i]);
    EXPECT(SUBPY_OK, subpy_get_current(&current, &error));
    CHECK_EQUAL(current, order[i]);
  }
  for (size_t i = COUNT(order); i-- > 0;) {
    EXPECT(SUBPY_OK, subpy_get_current(&current, &error));
    CHECK_EQUAL(current, order[i]);
    LEAVE(order[i]);
    DESTROY(order[i]);
  }
}

/* Each call has limits of its own, and can be interrupted. */
static void *interrupt_it(void *argument) {
  struct gate *const ended = argument;
  while (!gate_is_open(ended)) {
    EXPECT(SUBPY_OK, subpy_interrupt(id, &error));
    usleep(1000);
  }
  return NULL;
}

static void test_each_call_is_a_run(void **state) {
  (void)state;
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  ENTER(id);
  EXPECT(SUBPY_OK, subpy_interrupt(id, &error));
  RUN(id, "x = 1");
  for (int i = 0; i < 3; i++) {
    limit_to(&options, 20);
    EXPECT(SUBPY_ERR_TIMEOUT, subpy_run_string_with(id, &options, "while True: pass", 16, &error));
    limit_to(&options, 60000);
    EXPECT(SUBPY_OK,
           subpy_run_string_with(id, &options, "import time; time.sleep(0.03)", 29, &error));
  }
  struct gate ended = GATE_INIT;
  const pthread_t thread = thread_start(interrupt_it, &ended);
  CHECK_STOPPED(SUBPY_ERR_INTERRUPTED, RUN_FAILS(SUBPY_ERR_INTERRUPTED, id, "while True: pass"),
                "line 1");
  gate_open(&ended);
  thread_join(thread);
  RUN(id, "x = 2");
  LEAVE(id);
}

/* Of a thread with little stack: calls go by the library's. */
static void *stay_in_small_thread(void *argument) {
  (void)argument;
  ENTER(id);
  RUN(id, "import json; assert json.loads('[' * 100 + ']' * 100)");
  each_call();
  ENTER(second);
  each_call(); /* further out */
  RUN(second, "x = 1");
  LEAVE(second);
  LEAVE(id);
  return NULL;
}

static void test_a_small_thread(void **state) {
  (void)state;
  pthread_attr_t attributes;
  pthread_t thread;
  create_second();
  pthread_attr_init(&attributes);
  CHECK_EQUAL(pthread_attr_setstacksize(&attributes, 128 << 10), 0);
  CHECK_EQUAL(pthread_create(&thread, &attributes, stay_in_small_thread, NULL), 0);
  pthread_attr_destroy(&attributes);
  pthread_join(thread, NULL);
  each_call();
}

/* What concerns other interpreters, and what waits, is done without its GIL. */
static void *run_in_other(void *argument) {
  RUN(*(const subpy_id *)argument, "import json; x = json.dumps([1])");
  return NULL;
}

static void test_other_calls(void **state) {
  (void)state;
  subpy_queue *queue = NULL;
  subpy_value item = subpy_none();
  size_t count;
  create_second();
  ENTER(id);
  RUN_IN_NEW(NULL, "import json, re, threading");
  thread_join(thread_start(run_in_other, &second));
  EXPECT(SUBPY_OK, subpy_list_all(NULL, 0, &count, &error));
  CHECK_EQUAL(count, 3);
  EXPECT(SUBPY_OK, subpy_queue_create(NULL, &queue, &error));
  EXPECT(SUBPY_ERR_BUSY, subpy_queue_get(queue, &item, 5, &error));
  subpy_queue_free(queue);
  REFUSES(SUBPY_ERR_BUSY, "leave it first", subpy_stop_threads(id, 0, &count, &error));
  REFUSES(SUBPY_ERR_BUSY, "leave it first", subpy_thread_names(id, NULL, 0, &count, &error));
  RUN(id, "x = 1");
  LEAVE(id);
  RUN(id, "assert x == 1");
}

/* Memory of the host's that a script has is given back in the stay; so is what the host has of the script's. */
static void drop_it(void *user) { *(int *)user += 1; }

static void test_buffers(void **state) {
  (void)state;
  static unsigned char memory[8];
  int dropped = 0;
  subpy_buffer_info info = SUBPY_BUFFER_INFO_INIT;
  subpy_value value = subpy_none();
  info.data = memory;
  info.length = sizeof memory;
  info.release = drop_it;
  info.user = &dropped;
  ENTER(id);
  const subpy_value buffer = subpy_buffer(&info);
  EXPECT(SUBPY_OK, subpy_set(id, "memory", &buffer, &error));
  RUN(id, "assert len(memory) == 8; del memory");
  CHECK_EQUAL(dropped, 1);
  EXPECT(SUBPY_OK, subpy_eval(id, "bytearray(b'abc')", &value, &error));
  subpy_value_clear(&value);
  LEAVE(id);
}

/* Other threads ---------------------------------------------------------------------------------------- */

static void *is_refused(void *argument) {
  (void)argument;
  bool running = false;
  REFUSES(SUBPY_ERR_BUSY, "entered, by another thread", subpy_run_string(id, "x = 1", &error));
  REFUSES(SUBPY_ERR_BUSY, "entered, by another thread", subpy_enter(id, NULL, &error));
  REFUSES(SUBPY_ERR_BUSY, "entered, by another thread", subpy_destroy(id, &error));
  REFUSES(SUBPY_ERR_NOT_PERMITTED, "not entered", subpy_leave(id, &error));
  EXPECT(SUBPY_OK, subpy_is_running(id, &running, &error));
  CHECK(running, "nobody stays in it");
  return NULL;
}

static void test_others_are_refused(void **state) {
  (void)state;
  ENTER(id);
  thread_join(thread_start(is_refused, NULL));
  REFUSES(SUBPY_ERR_BUSY, "leave it first", subpy_destroy(id, &error));
  REFUSES(SUBPY_ERR_BUSY, "", subpy_finalize(&error));
  RUN(id, "assert 'x' not in globals()");
  LEAVE(id);
}

static void *enter_in_turn(void *argument) {
  subpy_enter_options options = SUBPY_ENTER_OPTIONS_INIT;
  options.wait_ms = SUBPY_FOREVER;
  (void)argument;
  EXPECT(SUBPY_OK, subpy_enter(id, &options, &error));
  RUN(id, "turns.append('entered')");
  LEAVE(id);
  return NULL;
}

static void test_others_wait(void **state) {
  (void)state;
  struct call call;
  RUN(id, "turns = []");
  ENTER(id);
  call_start(&call, id, "turns.append('run')");
  RUN(id, "turns.append('inside')");
  LEAVE(id);
  call_ends(&call, SUBPY_OK, "");
  RUN(id, "assert turns == ['inside', 'run'], turns");
  /* And the other way round. */
  hold_start(id);
  const pthread_t thread = thread_start(enter_in_turn, NULL);
  subpy_enter_options options = SUBPY_ENTER_OPTIONS_INIT;
  options.wait_ms = 5;
  EXPECT(SUBPY_ERR_BUSY, subpy_enter(id, &options, &error));
  hold_end(SUBPY_OK);
  thread_join(thread);
  RUN(id, "assert turns == ['inside', 'run', 'entered'], turns");
}

/* A thread of a script's calls host.tick() all the time. */
static void tick(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)call, (void)args, (void)nargs;
  __atomic_add_fetch((long *)user, 1, __ATOMIC_SEQ_CST);
}

static void until_it_ticks(long *ticks) {
  const long before = __atomic_load_n(ticks, __ATOMIC_SEQ_CST);
  while (__atomic_load_n(ticks, __ATOMIC_SEQ_CST) == before) {
    usleep(1000);
  }
}

static void test_threads_of_scripts(void **state) {
  (void)state;
  static long ticks;
  ticks = 0;
  EXPECT(SUBPY_OK, subpy_define_function(id, "host", "tick", tick, &ticks, NULL, &error));
  RUN(id, "import host, threading\n"
          "goes_on = True\n"
          "def work():\n"
          "    while goes_on: host.tick()\n"
          "thread = threading.Thread(target=work)\n"
          "thread.start()\n");
  until_it_ticks(&ticks);
  ENTER(id);
  if (in_processes()) {
    until_it_ticks(&ticks);
  } else {
    /* The GIL is this thread's. */
    const long before = __atomic_load_n(&ticks, __ATOMIC_SEQ_CST);
    usleep(20000);
    CHECK_EQUAL(__atomic_load_n(&ticks, __ATOMIC_SEQ_CST), before);
  }
  RUN(id, "import time; time.sleep(0.001)");
  LEAVE(id);
  until_it_ticks(&ticks);
  RUN(id, "goes_on = False; thread.join()");
}

/* Several interpreters --------------------------------------------------------------------------------- */

static void test_two_interpreters(void **state) {
  (void)state;
  create_second();
  ENTER(id);
  ENTER(second);
  RUN(second, "x = 2");
  RUN(id, "x = 1"); /* further out */
  RUN(second, "assert x == 2");
  ENTER(id); /* once more, from further in */
  RUN(id, "assert x == 1");
  LEAVE(id);
  if (!in_processes()) {
    REFUSES(SUBPY_ERR_BUSY, "has entered later", subpy_leave(id, &error));
  }
  LEAVE(second);
  RUN(id, "assert x == 1");
  RUN(second, "assert x == 2");
  LEAVE(id);
  RUN(second, "assert x == 2");
}

/* In a function of the host's that is called by one, or by another one, neither can be entered nor left. */
static void enter_inside(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user, (void)call, (void)args, (void)nargs;
  REFUSES(SUBPY_ERR_NOT_PERMITTED, "in a function", subpy_enter(id, NULL, &error));
  REFUSES(SUBPY_ERR_NOT_PERMITTED, "in a function", subpy_enter(second, NULL, &error));
  REFUSES(SUBPY_ERR_NOT_PERMITTED, "not entered", subpy_leave(second, &error));
}

static void leave_inside(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user, (void)call, (void)args, (void)nargs;
  enter_inside(user, call, args, nargs);
  REFUSES(SUBPY_ERR_BUSY, "can't be left here", subpy_leave(id, &error));
  RUN(id, "inner = True");
  RUN(second, "import host; host.enter()");
}

static void test_in_a_function(void **state) {
  (void)state;
  create_second();
  EXPECT(SUBPY_OK, subpy_define_function(id, "host", "enter", enter_inside, NULL, NULL, &error));
  EXPECT(SUBPY_OK, subpy_define_function(id, "host", "leave", leave_inside, NULL, NULL, &error));
  EXPECT(SUBPY_OK,
         subpy_define_function(second, "host", "enter", enter_inside, NULL, NULL, &error));
  RUN(id, "import host; host.enter()");
  ENTER(id);
  ENTER(id);
  RUN(id, "host.leave(); assert inner");
  LEAVE(id);
  RUN(id, "host.leave(); assert inner");
  LEAVE(id);
  RUN(id, "host.enter()");
}

/* What can't be entered ---------------------------------------------------------------------------------- */

static void test_wrong_arguments(void **state) {
  (void)state;
  subpy_enter_options options = SUBPY_ENTER_OPTIONS_INIT;
  options.struct_size = 8;
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "subpy_enter_options", subpy_enter(id, &options, &error));
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_enter(-1, NULL, &error));
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_leave(-1, &error));
  REFUSES(SUBPY_ERR_NOT_PERMITTED, "main", subpy_enter(0, NULL, &error));
  DESTROY(id);
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_enter(id, NULL, &error));
}

static void test_a_shared_gil(void **state) {
  (void)state;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.gil = SUBPY_GIL_SHARED;
  subpy_id shared;
  CREATE(&config, &shared);
  if (in_processes()) {
    ENTER(shared);
    LEAVE(shared);
  } else {
    REFUSES(SUBPY_ERR_UNSUPPORTED, "shares its GIL", subpy_enter(shared, NULL, &error));
  }
  DESTROY(shared);
}

/* A process ends ----------------------------------------------------------------------------------------- */

static void *destroy_killing(void *argument) {
  subpy_destroy_options options = SUBPY_DESTROY_OPTIONS_INIT;
  (void)argument;
  options.kill = 1;
  EXPECT(SUBPY_OK, subpy_destroy_with(id, &options, &error));
  return NULL;
}

static void test_a_process_that_ends(void **state) {
  (void)state;
  if (!in_processes()) {
    skip();
  }
  ENTER(id);
  EXPECT(SUBPY_ERR_LOST, subpy_run_string(id, "import os; os._exit(3)", &error));
  EXPECT(SUBPY_ERR_LOST, subpy_run_string(id, "x = 1", &error));
  LEAVE(id);
  EXPECT(SUBPY_ERR_LOST, subpy_enter(id, NULL, &error));
  DESTROY(id);
  CREATE(NULL, &id);
  ENTER(id);
  thread_join(thread_start(destroy_killing, NULL));
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_run_string(id, "x = 1", &error));
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_leave(id, &error));
}

int main(void) {
  const struct CMUnitTest of_shared_gils[] = {TEST(test_a_shared_gil)};
  const struct CMUnitTest tests[] = {
      TEST(test_each_call),
      TEST(test_it_nests),
      TEST(test_each_call_is_a_run),
      TEST(test_the_last_one_is_current),
      TEST(test_a_small_thread),
      TEST(test_other_calls),
      TEST(test_buffers),
      TEST(test_others_are_refused),
      TEST(test_others_wait),
      TEST(test_threads_of_scripts),
      TEST(test_two_interpreters),
      TEST(test_in_a_function),
      TEST(test_wrong_arguments),
      TEST(test_a_process_that_ends),
      TEST(test_a_shared_gil),
  };
  const bool all_share = !in_processes() && !python_at_least(3, 12);
  if (all_share) {
    return RUN_TESTS_INITIALIZED(of_shared_gils);
  }
  return RUN_TESTS_INITIALIZED(tests);
}
