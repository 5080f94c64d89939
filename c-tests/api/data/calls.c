/* Calls of Python functions. */
#include "fixture.h"
#include "busy.h"

/* The int that a call returns. */
static int64_t call_int(const char *callable, const subpy_value *args, size_t nargs) {
  subpy_value out;
  int64_t integer = 0;
  EXPECT(SUBPY_OK, subpy_call(id, callable, args, nargs, &out, &error));
  CHECK(subpy_value_as_int(&out, &integer), "%s: no int", callable);
  subpy_value_clear(&out);
  return integer;
}

static void test_a_name_in_main(void **state) {
  (void)state;
  RUN(id, "def add(a, b=10): return a + b\n");
  subpy_value args[2], out;
  args[0] = subpy_int(1);
  args[1] = subpy_int(2);
  CHECK_EQUAL(call_int("add", args, 2), 3);
  CHECK_EQUAL(call_int("add", args, 1), 11);
  args[0] = subpy_str("a");
  args[1] = subpy_str("b");
  EXPECT(SUBPY_OK, subpy_call(id, "add", args, 2, &out, &error));
  CHECK_TEXT(subpy_value_text(&out), "ab");
  subpy_value_clear(&out);
  EXPECT(SUBPY_OK, subpy_call(id, "add", args, 2, NULL, &error));
  CHECK_EQUAL(subpy_call(id, "add", args, 2, NULL, NULL), SUBPY_OK);
}

static void test_it_is_looked_up_at_each_call(void **state) {
  (void)state;
  RUN(id, "def f(): return 1");
  CHECK_EQUAL(call_int("f", NULL, 0), 1);
  RUN(id, "def f(): return 2");
  CHECK_EQUAL(call_int("f", NULL, 0), 2);
  RUN(id, "del f");
  REFUSES(SUBPY_ERR_NOT_FOUND, "there is no \"f\" in __main__",
          subpy_call(id, "f", NULL, 0, NULL, &error));
}

static void test_a_path(void **state) {
  (void)state;
  subpy_value args[2], out;
  args[0] = subpy_str("abc");
  CHECK_EQUAL(call_int("builtins:len", args, 1), 3);
  EXPECT(SUBPY_OK, subpy_call(id, "builtins:str.upper", args, 1, &out, &error));
  CHECK_TEXT(subpy_value_text(&out), "ABC");
  subpy_value_clear(&out);
  args[1] = subpy_str("d");
  EXPECT(SUBPY_OK, subpy_call(id, "os.path:join", args, 2, &out, &error));
  CHECK_TEXT(subpy_value_text(&out), "abc/d");
  subpy_value_clear(&out);
  RUN(id, "class Counter:\n"
          "  n = 0\n"
          "  def up(self):\n"
          "    self.n += 1\n"
          "    return self.n\n"
          "counter = Counter()\n");
  CHECK_EQUAL(call_int("__main__:counter.up", NULL, 0), 1);
  CHECK_EQUAL(call_int("__main__:counter.up", NULL, 0), 2);
}

static void test_what_is_not_there(void **state) {
  (void)state;
  RUN(id, "x = 1");
  static const struct {
    const char *callable;
    subpy_status status;
    const char *why;
  } cases[] = {
      {"nothing", SUBPY_ERR_NOT_FOUND, "there is no \"nothing\" in __main__"},
      {"len", SUBPY_ERR_NOT_FOUND, "there is no \"len\" in __main__"},
      {"math:nothing", SUBPY_ERR_NOT_FOUND, "there is no \"nothing\" in math"},
      {"os:path.nothing", SUBPY_ERR_NOT_FOUND, "there is no \"nothing\" in os.path"},
      {"no_such_module:f", SUBPY_ERR_NOT_FOUND, "No module named 'no_such_module'"},
      {"os.path.join:f", SUBPY_ERR_NOT_FOUND, "No module named 'os.path.join'"},
      {"math.pi:f", SUBPY_ERR_NOT_FOUND, "'math' is not a package"},
      {"x", SUBPY_ERR_INVALID_ARGUMENT, "callable \"x\" is of type int, which can't be called"},
      {"math:pi", SUBPY_ERR_INVALID_ARGUMENT, "is of type float, which can't be called"},
      {"math.sqrt", SUBPY_ERR_INVALID_ARGUMENT, "needs a colon after its module"},
      {"", SUBPY_ERR_INVALID_ARGUMENT, "is neither a name nor"},
      {":f", SUBPY_ERR_INVALID_ARGUMENT, "is neither a name nor"},
      {"math:", SUBPY_ERR_INVALID_ARGUMENT, "is neither a name nor"},
      {"a:b:c", SUBPY_ERR_INVALID_ARGUMENT, "is neither a name nor"},
      {"f()", SUBPY_ERR_INVALID_ARGUMENT, "is neither a name nor"},
      {"\xff", SUBPY_ERR_INVALID_ARGUMENT, "is not UTF-8"},
      {NULL, SUBPY_ERR_INVALID_ARGUMENT, "callable is NULL"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    subpy_value out = subpy_int(1);
    REFUSES(cases[i].status, cases[i].why,
            subpy_call(id, cases[i].callable, NULL, 0, &out, &error));
    CHECK_EQUAL(out.kind, SUBPY_NONE);
  }
}

static void test_wrong_arguments(void **state) {
  (void)state;
  RUN(id, "def f(*args, **kwargs): return len(args) + len(kwargs)");
  subpy_value args[2], out;
  args[0] = subpy_int(1);
  args[1] = subpy_str("\xff");
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "args[1] is a str that is not UTF-8",
          subpy_call(id, "f", args, 2, &out, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "args is NULL, but nargs is 3",
          subpy_call(id, "f", NULL, 3, &out, &error));
  const subpy_value one = subpy_int(1);
  const size_t counts[] = {SIZE_MAX, SIZE_MAX / sizeof one, PTRDIFF_MAX};
  for (size_t i = 0; i < COUNT(counts); i++) {
    REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "past all limits",
            subpy_call(id, "f", &one, counts[i], &out, &error));
  }
  subpy_call_options options = SUBPY_CALL_OPTIONS_INIT;
  options.flags = 1 << 20;
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "is unknown",
          subpy_call_with(id, &options, "f", NULL, 0, &out, &error));
  options.flags = 0;
  options.struct_size = 1;
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "subpy_call_options.struct_size is 1",
          subpy_call_with(id, &options, "f", NULL, 0, &out, &error));
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_call(12345, "f", NULL, 0, &out, &error));
  EXPECT(SUBPY_ERR_NOT_PERMITTED, subpy_call(0, "f", NULL, 0, &out, &error));
}

static void test_keywords(void **state) {
  (void)state;
  RUN(id, "def f(*args, **kwargs): return [args, kwargs]");
  subpy_value pairs[4], arg = subpy_int(0), out;
  pairs[0] = subpy_str("x");
  pairs[1] = subpy_int(1);
  pairs[2] = subpy_str("y");
  pairs[3] = subpy_str("z");
  subpy_value keywords = subpy_dict(pairs, 2);
  subpy_call_options options = SUBPY_CALL_OPTIONS_INIT;
  options.keywords = &keywords;
  EXPECT(SUBPY_OK, subpy_call_with(id, &options, "f", &arg, 1, &out, &error));
  CHECK_EQUAL(subpy_value_length(subpy_value_item(&out, 0)), 1);
  CHECK_TEXT(subpy_value_text(subpy_value_get(subpy_value_item(&out, 1), "y")), "z");
  subpy_value_clear(&out);
  keywords = subpy_int(1);
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "keywords has to be a dict",
          subpy_call_with(id, &options, "f", &arg, 1, &out, &error));
  pairs[2] = subpy_int(1);
  keywords = subpy_dict(pairs, 2);
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "keywords has a key that is not a str",
          subpy_call_with(id, &options, "f", &arg, 1, &out, &error));
}

static void test_many_arguments(void **state) {
  (void)state;
  RUN(id, "def f(*args): return sum(args)");
  static subpy_value args[1000];
  int64_t sum = 0;
  for (int i = 0; i < 1000; i++) {
    CHECK_EQUAL(call_int("f", args, (size_t)i), sum);
    args[i] = subpy_int(i);
    sum += i;
  }
}

static void test_an_exception_is_reported_as_a_run_does(void **state) {
  (void)state;
  RUN(id, "def f(n):\n"
          "  return 1 / n\n"
          "def leave(): raise SystemExit(7)\n");
  subpy_value zero = subpy_int(0);
  subpy_error *error = NULL;
  CHECK_EQUAL(subpy_call(id, "f", &zero, 1, NULL, &error), SUBPY_ERR_EXCEPTION);
  CHECK_TEXT(subpy_error_type(error), "ZeroDivisionError");
  CHECK_TEXT(subpy_error_message(error), "division by zero");
  CHECK_CONTAINS(subpy_error_traceback(error), "return 1 / n");
  subpy_error_free(error);
  CHECK_EQUAL(subpy_call(id, "leave", NULL, 0, NULL, &error), SUBPY_ERR_EXIT);
  CHECK_EQUAL(subpy_error_exit_code(error), 7);
  subpy_error_free(error);
}

static void test_a_coroutine_is_run_to_its_end(void **state) {
  (void)state;
  RUN(id, "import asyncio\n"
          "async def twice(n):\n"
          "  await asyncio.sleep(0)\n"
          "  return 2 * n\n"
          "async def fail():\n"
          "  await asyncio.sleep(0)\n"
          "  raise KeyError('late')\n");
  subpy_value arg = subpy_int(21);
  CHECK_EQUAL(call_int("twice", &arg, 1), 42);
  REFUSES(SUBPY_ERR_EXCEPTION, "'late'", subpy_call(id, "fail", NULL, 0, NULL, &error));
  CHECK_EQUAL(call_int("twice", &arg, 1), 42);
}

/* The loop that a script has set is its own, whatever becomes of the coroutine. Threads of the loop's are ended. */
static void test_a_coroutine_leaves_the_event_loop(void **state) {
  (void)state;
  RUN(id, "import asyncio, threading\n"
          "async def twice(n):\n"
          "  await asyncio.sleep(0)\n"
          "  assert asyncio.get_event_loop() is not globals().get('loop')\n"
          "  return 2 * await asyncio.to_thread(int, n)\n"
          "async def fail(): raise KeyError('late')\n");
  subpy_value arg = subpy_int(21);
  for (int i = 0; i < 2; i++) {
    CHECK_EQUAL(call_int("twice", &arg, 1), 42);
    REFUSES(SUBPY_ERR_EXCEPTION, "'late'", subpy_call(id, "fail", NULL, 0, NULL, &error));
    RUN(id, "assert threading.active_count() == 1\n"
            "if 'loop' in globals():\n"
            "  assert asyncio.get_event_loop() is loop\n"
            "  assert loop.run_until_complete(asyncio.sleep(0, 3)) == 3\n"
            "else:\n"
            "  loop = asyncio.new_event_loop()\n"
            "  asyncio.set_event_loop(loop)\n");
  }
  RUN(id, "loop.close()\n"
          "asyncio.set_event_loop(None)\n");
}

/* A limit ends a coroutine wherever it stands: no wake-up is lost that asyncio waits for. */
static void test_a_coroutine_has_a_limit(void **state) {
  (void)state;
  RUN(id, "import asyncio\n"
          "async def spin(time):\n"
          "  while True: await asyncio.gather(asyncio.sleep(time), asyncio.sleep(0))\n");
  subpy_run_options run = SUBPY_RUN_OPTIONS_INIT;
  subpy_call_options options = SUBPY_CALL_OPTIONS_INIT;
  options.run = &run;
  for (int i = 0; i < 50; i++) {
    limit_to(&run, 2 + i % 5);
    subpy_value time = subpy_float(i % 2 ? 0 : 1e-5);
    EXPECT(SUBPY_ERR_TIMEOUT, subpy_call_with(id, &options, "spin", &time, 1, NULL, &error));
  }
}

static void test_a_call_has_a_limit(void **state) {
  (void)state;
  RUN(id, "def spin():\n"
          "  while True: pass\n");
  subpy_run_options run = SUBPY_RUN_OPTIONS_INIT;
  limit_to(&run, 50);
  subpy_call_options options = SUBPY_CALL_OPTIONS_INIT;
  options.run = &run;
  EXPECT(SUBPY_ERR_TIMEOUT, subpy_call_with(id, &options, "spin", NULL, 0, NULL, &error));
  subpy_value arg = subpy_str("x");
  CHECK_EQUAL(call_int("builtins:len", &arg, 1), 1);
}

static void test_a_busy_interpreter_is_not_called(void **state) {
  (void)state;
  struct busy busy;
  busy_start(&busy);
  subpy_value v = subpy_int(1), out;
  EXPECT(SUBPY_ERR_BUSY, subpy_call(busy.id, "builtins:len", NULL, 0, &out, &error));
  EXPECT(SUBPY_ERR_BUSY, subpy_set(busy.id, "x", &v, &error));
  EXPECT(SUBPY_ERR_BUSY, subpy_get(busy.id, "x", &out, &error));
  EXPECT(SUBPY_ERR_BUSY, subpy_eval(busy.id, "1", &out, &error));
  busy_end(&busy);
  DESTROY(busy.id);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_a_name_in_main),
      TEST(test_it_is_looked_up_at_each_call),
      TEST(test_a_path),
      TEST(test_what_is_not_there),
      TEST(test_wrong_arguments),
      TEST(test_keywords),
      TEST(test_many_arguments),
      TEST(test_an_exception_is_reported_as_a_run_does),
      TEST(test_a_coroutine_is_run_to_its_end),
      TEST(test_a_coroutine_leaves_the_event_loop),
      TEST(test_a_coroutine_has_a_limit),
      TEST(test_a_call_has_a_limit),
      TEST(test_a_busy_interpreter_is_not_called),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
