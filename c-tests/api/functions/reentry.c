/* Host -> Python -> host -> Python, in one interpreter and one thread. */
#include "busy.h"
#include "support.h"

typedef void act_fn(void);

/* What `host.act()` does, in which interpreter it was called, and what it answers. */
static subpy_id id;
static act_fn *act;
static subpy_value answer;

static void call_act(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user, (void)args, (void)nargs;
  answer = subpy_none();
  act();
  subpy_host_return(call, &answer);
}

static subpy_id create_with_act(uint32_t release_gil) {
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  subpy_function_options options = SUBPY_FUNCTION_OPTIONS_INIT;
  subpy_id made;
  config.code_cache_entries = 1;
  options.release_gil = release_gil;
  CREATE(&config, &made);
  EXPECT(SUBPY_OK,
         subpy_define_function_with(made, &options, "host", "act", call_act, NULL, NULL, &error));
  RUN(made, "import host");
  return made;
}

/* Does `test` in an interpreter whose function keeps the GIL, and in one whose function releases it. */
static void in_both(void (*test)(void)) {
  for (uint32_t release_gil = 0; release_gil < 2; release_gil++) {
    id = create_with_act(release_gil);
    test();
    DESTROY(id);
  }
}

static subpy_id current(void) {
  subpy_id found = -1;
  EXPECT(SUBPY_OK, subpy_get_current(&found, &error));
  return found;
}

/* Each call. --------------------------------------------------------------------------------- */

static void use_each_call(void) {
  subpy_value value = subpy_int(7);
  RUN(id, "inside = [x]");
  EXPECT(SUBPY_OK, subpy_set(id, "y", &value, &error));
  EXPECT(SUBPY_OK, subpy_eval(id, "x + y", &value, &error));
  CHECK_EQUAL(value.as.integer, 8);
  const subpy_value minus_3 = subpy_int(-3);
  EXPECT(SUBPY_OK, subpy_call(id, "builtins:abs", &minus_3, 1, &value, &error));
  CHECK_EQUAL(value.as.integer, 3);
  EXPECT(SUBPY_OK, subpy_get(id, "y", &value, &error));
  CHECK_EQUAL(value.as.integer, 7);
  EXPECT(SUBPY_OK, subpy_define_function(id, "host", "later", call_act, NULL, NULL, &error));
  CHECK_EQUAL(current(), id);
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "raise ValueError('inner')");
  CHECK_TEXT(subpy_error_message(error), "inner");
  subpy_error_free(error);
  REFUSES(SUBPY_ERR_BUSY, "from inside it", subpy_destroy(id, &error));
  bool running = false;
  EXPECT(SUBPY_OK, subpy_is_running(id, &running, &error));
  CHECK(running, "not running");
}

static void each_call(void) {
  act = use_each_call;
  RUN(id, "x = 1\n"
          "host.act()\n"
          "assert inside == [1] and y == 7\n"
          "host.later()\n"
          "def f():\n"
          "  try: {}['missing']\n"
          "  except KeyError as e:\n"
          "    host.act()\n"
          "    return e.args\n"
          "assert f() == ('missing',)\n");
  RUN(id, "assert y == 7");
}

static void test_each_call(void **state) {
  (void)state;
  in_both(each_call);
}

/* Depth. ------------------------------------------------------------------------------------- */

static void call_f(void) {
  subpy_value value;
  subpy_error *error = NULL;
  if (subpy_call(id, "__main__:f", NULL, 0, &value, &error) == SUBPY_OK) {
    answer = subpy_int(value.as.integer + 1);
  } else {
    CHECK_EQUAL(subpy_error_status(error), SUBPY_ERR_EXCEPTION);
    CHECK_TEXT(subpy_error_type(error), "RecursionError");
    answer = subpy_str("too deep");
  }
  subpy_error_free(error);
}

static void depth(void) {
  act = call_f;
  RUN(id, "left = 100\n"
          "def f():\n"
          "  global left\n"
          "  left -= 1\n"
          "  return host.act() if left else 1\n"
          "assert f() == 100\n");
  /* Until Python says that it is too deep, which comes out at that level. */
  RUN(id, "import sys\n"
          "sys.setrecursionlimit(200)\n"
          "def f():\n"
          "  answer = host.act()\n"
          "  return 1 if answer == 'too deep' else answer\n"
          "assert f() > 50\n"
          "sys.setrecursionlimit(1000)\n");
}

static void test_depth(void **state) {
  (void)state;
  in_both(depth);
}

/* What the code cache lets go of is still run further out, and the names still looked up. */
static void run_many(void) {
  char code[32];
  for (int i = 0; i < 50; i++) {
    snprintf(code, sizeof code, "n%d = %d", i, i);
    RUN(id, code);
    subpy_value value;
    snprintf(code, sizeof code, "n%d", i);
    EXPECT(SUBPY_OK, subpy_get(id, code, &value, &error));
  }
}

static void caches(void) {
  act = run_many;
  for (int i = 0; i < 3; i++) {
    RUN(id, "host.act()\nassert n49 == 49\ndel n49\n");
  }
  subpy_value value;
  RUN(id, "import sys, types\n"
          "class Package(types.ModuleType):\n"
          "  @property\n"
          "  def value(self): host.act(); return 42\n"
          "sys.modules['package'] = Package('package')\n");
  EXPECT(SUBPY_OK, subpy_call(id, "package:value.bit_length", NULL, 0, &value, &error));
  CHECK_EQUAL(value.as.integer, 6);
}

static void test_caches(void **state) {
  (void)state;
  in_both(caches);
}

/* Through another interpreter. ---------------------------------------------------------------- */

static subpy_id first, second;

static void come_back(void) {
  CHECK_EQUAL(current(), second);
  RUN(first, "came_back += 1");
  CHECK_EQUAL(current(), second);
}

static void go_through_the_second(void) {
  CHECK_EQUAL(current(), first);
  act = come_back;
  RUN(second, "host.act()");
  act = go_through_the_second;
  CHECK_EQUAL(current(), first);
}

static void test_through_another(void **state) {
  (void)state;
  for (uint32_t release_gil = 0; release_gil < 2; release_gil++) {
    first = create_with_act(release_gil);
    second = create_with_act(!release_gil);
    act = go_through_the_second;
    RUN(first, "came_back = 0\nhost.act()\nhost.act()\nassert came_back == 2\n");
    DESTROY(first);
    DESTROY(second);
  }
}

/* Who is busy. -------------------------------------------------------------------------------- */

static void *be_refused(void *unused) {
  REFUSES(SUBPY_ERR_BUSY, "is running", subpy_run_string(id, "1", &error));
  return unused;
}

static void ask_in_another_thread(void) { in_thread(be_refused, NULL); }

static void run_and_ask(void) {
  act = ask_in_another_thread;
  RUN(id, "host.act()"); /* while it runs inside */
  in_thread(be_refused, NULL);
  act = run_and_ask;
}

static void others(void) {
  act = run_and_ask;
  RUN(id, "host.act()");
  RUN(id, "1");
}

static void test_other_threads_are_refused(void **state) {
  (void)state;
  in_both(others);
}

/* Ends. --------------------------------------------------------------------------------------- */

static struct gate in_the_loop;
static subpy_status inner_status;

static void open_gate(void) { gate_open(&in_the_loop); }

static void loop_inside(void) {
  subpy_error *error = NULL;
  act = open_gate;
  inner_status = subpy_run_string(id, "host.act()\nwhile True: pass", &error);
  subpy_error_free(error);
}

static void *interrupt_the_loop(void *unused) {
  gate_wait(&in_the_loop);
  EXPECT(SUBPY_OK, subpy_interrupt(id, &error));
  return unused;
}

static const char LOOPS[] = "host.act()\nwhile True: pass";

static void interrupted(void) {
  const struct gate closed = GATE_INIT;
  in_the_loop = closed;
  act = loop_inside;
  pthread_t thread = thread_start(interrupt_the_loop, NULL);
  subpy_error_free(RUN_FAILS(SUBPY_ERR_INTERRUPTED, id, LOOPS));
  thread_join(thread);
  CHECK_EQUAL(inner_status, SUBPY_ERR_INTERRUPTED);
  RUN(id, "x = sum(range(1000))");
}

static void test_an_interrupt_ends_all(void **state) {
  (void)state;
  in_both(interrupted);
}

static subpy_status run_limited(const char *code, uint64_t timeout_ms) {
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  limit_to(&options, timeout_ms);
  return subpy_run_string_with(id, &options, code, strlen(code), NULL);
}

static void interrupt_first(void) {
  EXPECT(SUBPY_OK, subpy_interrupt(id, &error));
  inner_status = run_limited("while True: pass", 20000);
}

static void interrupted_before(void) {
  act = interrupt_first;
  subpy_error_free(RUN_FAILS(SUBPY_ERR_INTERRUPTED, id, LOOPS));
  CHECK_EQUAL(inner_status, SUBPY_ERR_INTERRUPTED);
  RUN(id, "x = sum(range(1000))");
}

static void test_an_interrupt_before_it_begins(void **state) {
  (void)state;
  in_both(interrupted_before);
}

static void nothing(void) {}

static void loop_in_time(void) {
  act = nothing;
  inner_status = run_limited(LOOPS, 10);
}

static void loop_without_limit(void) {
  act = nothing;
  inner_status = run_limited(LOOPS, 0);
}

static void limits(void) {
  /* The inner one's ends that alone. */
  act = loop_in_time;
  CHECK_EQUAL(run_limited("host.act()\nx = sum(range(100000))", 0), SUBPY_OK);
  CHECK_EQUAL(inner_status, SUBPY_ERR_TIMEOUT);
  act = loop_in_time;
  CHECK_EQUAL(run_limited("host.act()\nx = sum(range(100000))", 100000), SUBPY_OK);
  CHECK_EQUAL(inner_status, SUBPY_ERR_TIMEOUT);
  /* The outer one's ends both. */
  act = loop_without_limit;
  CHECK_EQUAL(run_limited(LOOPS, 10), SUBPY_ERR_TIMEOUT);
  CHECK_EQUAL(inner_status, SUBPY_ERR_TIMEOUT);
  RUN(id, "x = sum(range(1000))");
}

static void test_time_limits(void **state) {
  (void)state;
  in_both(limits);
}

/* The inner one's limit does not end what is between the two, of another interpreter. */
static void loop_in_time_in_the_first(void) {
  act = nothing;
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  limit_to(&options, 10);
  inner_status = subpy_run_string_with(first, &options, LOOPS, strlen(LOOPS), NULL);
}

static void go_through_the_second_in_time(void) {
  act = loop_in_time_in_the_first;
  RUN(second, "host.act()\nx = sum(range(100000))");
}

static void test_time_limits_through_another(void **state) {
  (void)state;
  first = create_with_act(0);
  second = create_with_act(1);
  for (int i = 0; i < 5; i++) {
    act = go_through_the_second_in_time;
    RUN(first, "host.act()\nx = sum(range(100000))");
    CHECK_EQUAL(inner_status, SUBPY_ERR_TIMEOUT);
  }
  DESTROY(first);
  DESTROY(second);
}

/* While an exception is on its way. ----------------------------------------------------------- */

static void run_when_dropped(void *user) {
  ++*(int *)user;
  RUN(id, "dropped = len([n for n in range(3)])");
}

static void dropped(void) {
  int drops = 0;
  EXPECT(SUBPY_OK,
         subpy_define_function(id, "host", "last", call_act, &drops, run_when_dropped, &error));
  RUN(id, "kept = [host.last]\n"
          "del host.last\n"
          "try: [kept.pop(), 1 / 0]\n"
          "except ZeroDivisionError as e: assert str(e) == 'division by zero'\n"
          "else: assert False\n"
          "assert dropped == 3\n");
  CHECK_EQUAL(drops, 1);
}

static void test_while_an_exception_is_on_its_way(void **state) {
  (void)state;
  act = nothing;
  in_both(dropped);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_each_call),
      cmocka_unit_test(test_depth),
      cmocka_unit_test(test_caches),
      cmocka_unit_test(test_through_another),
      cmocka_unit_test(test_other_threads_are_refused),
      cmocka_unit_test(test_an_interrupt_ends_all),
      cmocka_unit_test(test_an_interrupt_before_it_begins),
      cmocka_unit_test(test_time_limits),
      cmocka_unit_test(test_time_limits_through_another),
      cmocka_unit_test(test_while_an_exception_is_on_its_way),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
