/* Interpreters that scripts have created, as their host sees them. */
#include "fixture.h"
#include "stop.h"

static subpy_id create_creator(void) {
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  subpy_id id;
  config.allow_interpreters = 1;
  CREATE(&config, &id);
  RUN(id, "from subpy import _interpreters\nfrom subpy import interpreters");
  return id;
}

static int64_t int_of(subpy_id id, const char *name) {
  subpy_value value;
  int64_t n = -1;
  EXPECT(SUBPY_OK, subpy_eval(id, name, &value, &error));
  CHECK(subpy_value_as_int(&value, &n), "%s is a %s", name, subpy_kind_name(value.kind));
  return n;
}

static size_t count_all(void) {
  size_t count = 0;
  EXPECT(SUBPY_OK, subpy_list_all(NULL, 0, &count, &error));
  return count;
}

static void test_only_where_it_is_allowed(void **state) {
  (void)state;
  REFUSES(SUBPY_ERR_EXCEPTION, "subpy", subpy_run_string(id, "import subpy", &error));
}

static void test_they_end_with_their_creator(void **state) {
  (void)state;
  const subpy_id creator = create_creator();
  RUN(creator, "id = _interpreters.create()\n"
               "_interpreters.run_string(id, 'from subpy import _interpreters; "
               "_interpreters.create(); x = 7')");
  const subpy_id id = int_of(creator, "id");
  CHECK_EQUAL(count_all(), 4);
  CHECK_EQUAL(int_of(id, "x"), 7); /* the host may use it */
  DESTROY(creator);
  CHECK_EQUAL(count_all(), 1);
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_run_string(id, "", &error));
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_take_over(id, &error));
}

static void test_the_host_destroys_one(void **state) {
  (void)state;
  const subpy_id creator = create_creator();
  RUN(creator, "i = interpreters.create(); id = i.id");
  DESTROY(int_of(creator, "id"));
  RUN(creator, "try: i.exec('')\n"
               "except interpreters.InterpreterNotFoundError: pass\n"
               "else: raise AssertionError\n");
  DESTROY(creator);
}

static void test_one_that_can_not_end(void **state) {
  (void)state;
  const subpy_id creator = create_creator();
  RUN(creator, "id = _interpreters.create()\n"
               "_interpreters.run_string(id, '''\nimport threading\nevent = threading.Event()\n"
               "thread = threading.Thread(target=event.wait)\nthread.start()\n''')\n");
  if (!threads_hold_up_destroy()) {
    DESTROY(creator);
    return;
  }
  REFUSES(SUBPY_ERR_BUSY, "has created it", subpy_destroy(creator, &error));
  REFUSES(SUBPY_ERR_BUSY, "1 Python thread", destroy_within(creator, 20, &error));
  const subpy_id id = int_of(creator, "id");
  RUN(id, "event.set()");
  EXPECT(SUBPY_OK, destroy_within(creator, SUBPY_FOREVER, &error));
}

static void test_who_knows_whom(void **state) {
  (void)state;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  const subpy_id creator = create_creator();
  subpy_id other;
  config.allow_interpreters = 2;
  CREATE(&config, &other);
  RUN(creator, "id = _interpreters.create(); here = _interpreters.get_current()\n"
               "assert _interpreters.list_all() == [0, here, id]");
  const subpy_value ids[] = {subpy_int(creator), subpy_int(int_of(creator, "id"))};
  const subpy_value list = subpy_list(ids, 2);
  EXPECT(SUBPY_OK, subpy_set(other, "others", &list, &error));
  RUN(other, "from subpy import _interpreters\n"
             "assert set(others) <= set(_interpreters.list_all())\n"
             "for id in others:\n"
             "  assert not _interpreters.is_running(id)\n"
             "  try: _interpreters.run_string(id, '')\n"
             "  except RuntimeError as e: assert 'unrecognized' in str(e), e\n"
             "  else: raise AssertionError\n");
  config.allow_interpreters = 3;
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "allow_interpreters", subpy_create(&config, &other, &error));
}

/* Output. ------------------------------------------------------------------------------------ */

static void test_they_write_where_their_creator_does(void **state) {
  (void)state;
  struct capture capture = {0};
  subpy_interpreter_config config = capture_config(&capture);
  subpy_id creator;
  config.allow_interpreters = 1;
  CREATE(&config, &creator);
  RUN(creator,
      "import sys, threading\n"
      "from subpy import _interpreters\n"
      "id = _interpreters.create()\n"
      "_interpreters.run_string(id, 'import sys; print(1, end=\"\"); print(2, file=sys.stderr)')\n"
      "print(3)\n");
  CHECK_TEXT(text_of(&capture.out), "13\n");
  CHECK_TEXT(text_of(&capture.err), "2\n");
  /* From several at once, never at once: the callback is not made for that. */
  RUN(creator,
      "ids = [_interpreters.create() for _ in range(4)]\n"
      "code = 'for i in range(500): print(\"line\")'\n"
      "threads = [threading.Thread(target=_interpreters.run_string, args=(i, code)) for i in ids]\n"
      "for thread in threads: thread.start()\n"
      "exec(code)\n"
      "for thread in threads: thread.join()\n");
  CHECK_EQUAL(capture.out.length, 3 + 5 * 500 * strlen("line\n"));
  /* What the host has taken over writes nowhere, once its creator is gone. */
  const subpy_id id = int_of(creator, "id");
  EXPECT(SUBPY_OK, subpy_take_over(id, &error));
  RUN(id, "print('still')");
  CHECK_CONTAINS(text_of(&capture.out), "still\n");
  DESTROY(creator);
  capture_clear(&capture);
  RUN(id, "print('nowhere')");
  CHECK_TEXT(text_of(&capture.out), "");
  DESTROY(id);
}

/* Limits. ------------------------------------------------------------------------------------ */

/* A process that the machine leaves no core for a second is killed. That is no fault of the limit, which ends the run then. */
static void check_limit_ends(subpy_id creator, const char *call) {
  char code[256];
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  limit_to(&options, 50);
  snprintf(code, sizeof code,
           "try: %s\nexcept _interpreters.InterpreterLostError:\n  while True: pass", call);
  RUN(creator, "i = interpreters.create()");
  CHECK_STOPPED(SUBPY_ERR_TIMEOUT, run_for(creator, &options, code), "");
  RUN(creator, "try: i.exec('x = 1')\n"
               "except _interpreters.InterpreterLostError as e: assert 'its time limit' in str(e)");
}

static void test_limits_of_the_creator_end_them(void **state) {
  (void)state;
  const subpy_id creator = create_creator();
  check_limit_ends(creator, "_interpreters.run_string(i.id, 'while True: pass')");
  check_limit_ends(creator, "i.exec('while True: pass')");
  check_limit_ends(creator, "i.call(lambda: [0 for _ in iter(int, 1)])");
  DESTROY(creator);
}

static void interrupt(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user, (void)call;
  CHECK_EQUAL(nargs, 1);
  EXPECT(SUBPY_OK, subpy_interrupt(args[0].as.integer, &error));
}

static void test_an_interrupt_of_one_is_an_exception_of_its_creator(void **state) {
  (void)state;
  EXPECT(SUBPY_OK, subpy_define_function(SUBPY_EVERYWHERE, "host", "interrupt", interrupt, NULL,
                                         NULL, &error));
  const subpy_id creator = create_creator();
  RUN(creator,
      "id = _interpreters.create()\n"
      "try: _interpreters.run_string(id, f'import host; host.interrupt({id})\\nwhile True: pass')\n"
      "except KeyboardInterrupt as e: assert 'interrupted by the host' in str(e)\n"
      "else: raise AssertionError\n");
  DESTROY(creator);
}

/* creator -> created -> host -> creator */
static void run_in(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user, (void)call;
  CHECK_EQUAL(nargs, 2);
  RUN(args[0].as.integer, args[1].as.text.data);
}

static void test_back_into_the_creator(void **state) {
  (void)state;
  EXPECT(SUBPY_OK,
         subpy_define_function(SUBPY_EVERYWHERE, "host", "run_in", run_in, NULL, NULL, &error));
  const subpy_id creator = create_creator();
  RUN(creator, "id = _interpreters.create(); here = _interpreters.get_current(); x = 1\n"
               "_interpreters.run_string(id, f'import host; host.run_in({here}, \"x += "
               "_interpreters.get_current()\"); y = 1')\n"
               "assert x == 1 + here\n"
               "assert _interpreters.run_string_unrestricted(id, '')['y'] == 1\n");
  DESTROY(creator);
}

/* What they may do. -------------------------------------------------------------------------- */

static void test_the_gil_is_as_their_creators(void **state) {
  (void)state;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.allow_interpreters = 1;
  config.gil = SUBPY_GIL_SHARED;
  RUN_IN_NEW(&config, "from subpy import _interpreters\ni = _interpreters.create()\n"
                      "_interpreters.run_string(i, 'x = sum(range(1000))')\n"
                      "assert _interpreters.run_string_unrestricted(i, '')['x'] == 499500\n");
}

static void test_what_the_host_allows_they_have(void **state) {
  (void)state;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  subpy_id id;
  config.allow_interpreters = 1;
  config.interpreter_limit = 1;
  config.share_environment = environment_is_of_the_process();
  CREATE(&config, &id);
  RUN(id, "import os\nfrom subpy import _interpreters\n"
          "i = _interpreters.create()\n"
          "_interpreters.run_string(i, 'import os; os.environ[\"SUBPY_SHARED\"] = \"1\"')\n"
          "try: _interpreters.create()\n"
          "except RuntimeError as e: assert 'have created 1 interpreters' in str(e), e\n"
          "else: raise AssertionError\n"
          "_interpreters.destroy(i)\n"
          "i = _interpreters.create(share_environment=False)\n"
          "_interpreters.run_string(i, 'import os; os.environ[\"SUBPY_OWN\"] = \"1\"')\n");
  CHECK((getenv("SUBPY_SHARED") != NULL) == environment_is_of_the_process(),
        "the environment is shared by mistake");
  CHECK(getenv("SUBPY_OWN") == NULL, "the environment is shared");
  DESTROY(id);
}

/* Some are left at the end, with queues between them, and in each other. */
static void test_left_behind(void **state) {
  (void)state;
  const subpy_id creator = create_creator();
  RUN(creator, "q = interpreters.create_queue()\n"
               "p = interpreters.create_queue(); p.put(q); q.put(p); del p\n"
               "i = interpreters.create(); i.prepare_main(q=q); i.exec('"
               "q.put(memoryview(b\"x\"))')\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_only_where_it_is_allowed),
      cmocka_unit_test(test_they_end_with_their_creator),
      cmocka_unit_test(test_the_host_destroys_one),
      cmocka_unit_test(test_one_that_can_not_end),
      cmocka_unit_test(test_who_knows_whom),
      cmocka_unit_test(test_they_write_where_their_creator_does),
      cmocka_unit_test(test_limits_of_the_creator_end_them),
      cmocka_unit_test(test_an_interrupt_of_one_is_an_exception_of_its_creator),
      cmocka_unit_test(test_back_into_the_creator),
      cmocka_unit_test(test_the_gil_is_as_their_creators),
      cmocka_unit_test(test_what_the_host_allows_they_have),
      cmocka_unit_test(test_left_behind),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
