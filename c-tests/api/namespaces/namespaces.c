/* Namespaces: several scripts in one interpreter, each with its own globals over the same modules. */
#include "backends.h"
#include "support.h"

static subpy_id id;

static void create(void) {
  CREATE(NULL, &id);
  EXPECT(SUBPY_OK, subpy_add_namespace(id, "a", &error));
  EXPECT(SUBPY_OK, subpy_add_namespace(id, "b", &error));
}

static subpy_run_options in(const char *name, const char *filename) {
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.in_namespace = name;
  options.filename = filename;
  return options;
}

static subpy_status run_in(const char *name, const char *filename, const char *code,
                           subpy_error **error) {
  const subpy_run_options options = in(name, filename);
  return subpy_run_string_with(id, &options, code, strlen(code), error);
}

#define RUN_IN(name, code) EXPECT(SUBPY_OK, run_in(name, NULL, code, &error))
#define RUN_FILE(name, filename, code) EXPECT(SUBPY_OK, run_in(name, filename, code, &error))

static int64_t number_in(const char *name, const char *expression) {
  const subpy_run_options run = in(name, NULL);
  subpy_call_options options = SUBPY_CALL_OPTIONS_INIT;
  options.run = &run;
  subpy_value value = {0};
  EXPECT(SUBPY_OK, subpy_eval_with(id, &options, expression, strlen(expression), &value, &error));
  CHECK_EQUAL(value.kind, SUBPY_INT);
  return value.as.integer;
}

/* What is each one's own -------------------------------------------------------------------------- */

static void test_globals_of_their_own(void **state) {
  (void)state;
  create();
  RUN(id, "x = 1; import sys; sys.shared = []");
  RUN_IN("a", "x = 2; import sys; sys.shared.append(__name__)");
  RUN_IN("b", "x = 3; import sys; sys.shared.append(__name__)");
  RUN_IN("a", "x += 10");
  CHECK_EQUAL(number_in(NULL, "x"), 1);
  CHECK_EQUAL(number_in("a", "x"), 12);
  CHECK_EQUAL(number_in("b", "x"), 3);
  RUN(id, "assert sys.shared == ['a', 'b'], sys.shared\n"
          "import a; assert a.x == 12 and a.__name__ == 'a' and not hasattr(a, '__file__')");
  DESTROY(id);
}

static void test_each_call(void **state) {
  (void)state;
  create();
  const subpy_run_options run = in("a", NULL);
  subpy_call_options options = SUBPY_CALL_OPTIONS_INIT;
  options.run = &run;
  subpy_value value = subpy_int(7);
  EXPECT(SUBPY_OK, subpy_set_with(id, &options, "x", &value, &error));
  REFUSES(SUBPY_ERR_NOT_FOUND, "\"x\" in __main__", subpy_get(id, "x", &value, &error));
  REFUSES(SUBPY_ERR_NOT_FOUND, "\"y\" in a", subpy_get_with(id, &options, "y", &value, &error));
  EXPECT(SUBPY_OK, subpy_get_with(id, &options, "x", &value, &error));
  CHECK_EQUAL(value.as.integer, 7);
  RUN_IN("a", "def f(n): return n * x");
  const subpy_value six = subpy_int(6);
  EXPECT(SUBPY_OK, subpy_call_with(id, &options, "f", &six, 1, &value, &error));
  CHECK_EQUAL(value.as.integer, 42);
  REFUSES(SUBPY_ERR_NOT_FOUND, "\"f\"", subpy_call(id, "f", &six, 1, &value, &error));
  EXPECT(SUBPY_OK, subpy_call(id, "a:f", &six, 1, &value, &error));
  CHECK_EQUAL(value.as.integer, 42);
  const char code[] = "y = x + z";
  const subpy_value pair[] = {subpy_str("z"), subpy_int(1)};
  const subpy_value names = subpy_dict(pair, 1);
  EXPECT(SUBPY_OK, subpy_run_string_unrestricted_with(id, &options, code, strlen(code), &names,
                                                      &value, &error));
  CHECK_EQUAL(subpy_value_get(&value, "y")->as.integer, 8);
  subpy_value_clear(&value);
  DESTROY(id);
}

static void test_limits(void **state) {
  (void)state;
  create();
  subpy_run_options options = in("a", NULL);
  limit_to(&options, 50);
  const char code[] = "x = 1\nwhile True: pass";
  EXPECT(SUBPY_ERR_TIMEOUT, subpy_run_string_with(id, &options, code, strlen(code), &error));
  CHECK_EQUAL(number_in("a", "x"), 1);
  DESTROY(id);
}

/* The file is each one's own, too: in tracebacks, and as `__file__`. */
static void test_files(void **state) {
  (void)state;
  create();
  RUN_FILE("a", "plugins/a.py",
           "assert __file__ == 'plugins/a.py'\n"
           "def fail(): return 1 / 0\n"
           "class C:\n"
           "  def method(self):\n"
           "    return 'of a'\n");
  RUN_FILE("b", "plugins/b.py",
           "assert __file__ == 'plugins/b.py'\n"
           "from a import fail\n"
           "def call(): fail()");
  RUN_IN("b", "assert __file__ == 'plugins/b.py'");
  subpy_error *error = NULL;
  const subpy_status status = run_in("b", "again.py", "call()", &error);
  CHECK_EQUAL(status, SUBPY_ERR_EXCEPTION);
  const char *const traceback = subpy_error_traceback(error);
  CHECK_CONTAINS(traceback, "File \"again.py\", line 1");
  CHECK_CONTAINS(traceback, "File \"plugins/b.py\", line 3, in call");
  CHECK_CONTAINS(traceback, "File \"plugins/a.py\", line 2, in fail\n    def fail(): return 1 / 0");
  subpy_error_free(error);
  RUN_IN("b", "assert __file__ == 'again.py'");
  DESTROY(id);
}

/* As in a module ------------------------------------------------------------------------------------ */

static void test_works_as_a_module(void **state) {
  (void)state;
  create();
  RUN_FILE(
      "a", "a.py",
      "import dataclasses, enum, inspect, pickle, typing\n"
      "@dataclasses.dataclass\n"
      "class Point:\n"
      "    x: 'int'\n"
      "    next: 'typing.Optional[Point]' = None\n"
      "    kind: dataclasses.InitVar['int'] = 3\n"
      "class Color(enum.Enum):\n"
      "    RED = 1\n"
      "def function(): 'doc'; return Point\n"
      "assert pickle.loads(pickle.dumps([Point(1), Color.RED, function]))[0] == Point(1)\n"
      "assert typing.get_type_hints(Point)['next'] == typing.Optional[Point]\n"
      "assert inspect.getsource(function).startswith('def function'), inspect.getsource(function)\n"
      "assert 'x: ' in inspect.getsource(Point)\n"
      "assert inspect.getmodule(function).__name__ == 'a' and inspect.getfile(Point) == 'a.py'\n");
  RUN_IN("b", "import pickle, a\n"
              "assert pickle.loads(pickle.dumps(a.Point(2))).x == 2\n"
              "class Mine: pass\n"
              "assert type(pickle.loads(pickle.dumps(Mine()))) is Mine and Mine.__module__ == 'b'");
  DESTROY(id);
}

/* Which one calls ----------------------------------------------------------------------------------- */

static char caller[64];

static void note_caller(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user, (void)args, (void)nargs;
  const char *const name = subpy_host_namespace(call);
  snprintf(caller, sizeof caller, "%s", name ? name : "(main)");
}

static void expect_caller(const char *namespace, const char *code, const char *expected) {
  strcpy(caller, "nobody");
  RUN_IN(namespace, code);
  CHECK_TEXT(caller, expected);
}

static void test_who_calls(void **state) {
  (void)state;
  CHECK(subpy_host_namespace(NULL) == NULL, "a namespace of no call");
  for (uint32_t release_gil = 0; release_gil < 2; release_gil++) {
    subpy_function_options options = SUBPY_FUNCTION_OPTIONS_INIT;
    options.release_gil = release_gil;
    CREATE(NULL, &id);
    EXPECT(SUBPY_OK, subpy_define_function_with(id, &options, "host", "note", note_caller, NULL,
                                                NULL, &error));
    expect_caller(NULL, "import host; host.note()", "(main)");
    EXPECT(SUBPY_OK, subpy_add_namespace(id, "a", &error));
    EXPECT(SUBPY_OK, subpy_add_namespace(id, "b", &error));
    expect_caller(NULL, "host.note()", "(main)");
    expect_caller("a", "import host; host.note()\ndef f(): host.note()", "a");
    /* A function is in the namespace that has defined it. */
    expect_caller("b", "import a; a.f()", "a");
    expect_caller(NULL, "import a; a.f()", "a");
    /* What is called through a module that all have. */
    expect_caller("b",
                  "import host, functools; functools.reduce(lambda *_: 0, [1, 2]); "
                  "functools.partial(host.note)()",
                  "b");
    expect_caller("b", "import contextlib\nwith contextlib.ExitStack() as s: s.callback(host.note)",
                  "b");
    expect_caller("a",
                  "import threading\n"
                  "thread = threading.Thread(target=f); thread.start(); thread.join()",
                  "a");
    /* No function of a namespace is on the stack: it is the run's. */
    const subpy_run_options run = in("b", NULL);
    subpy_call_options call = SUBPY_CALL_OPTIONS_INIT;
    call.run = &run;
    strcpy(caller, "nobody");
    EXPECT(SUBPY_OK, subpy_call_with(id, &call, "host:note", NULL, 0, NULL, &error));
    CHECK_TEXT(caller, "b");
    EXPECT(SUBPY_OK, subpy_call(id, "host:note", NULL, 0, NULL, &error));
    CHECK_TEXT(caller, "(main)");
    DESTROY(id);
  }
}

/* The end of one ------------------------------------------------------------------------------------ */

static void test_removed_with_what_it_had(void **state) {
  (void)state;
  create();
  RUN_IN("a", "import weakref, sys\n"
              "class Thing:\n"
              "  def __del__(self): sys.ended = True\n"
              "def function(): return thing\n"
              "thing = Thing()\n"
              "sys.refs = [weakref.ref(thing), weakref.ref(function)]");
  RUN_IN("b", "import a; kept = a");
  RUN(id, "import sys; assert all(ref() for ref in sys.refs)");
  EXPECT(SUBPY_OK, subpy_remove_namespace(id, "a", &error));
  RUN(id, "assert not any(ref() for ref in sys.refs) and sys.ended\n"
          "assert 'a' not in sys.modules");
  REFUSES(SUBPY_ERR_NOT_FOUND, "\"a\"", run_in("a", NULL, "x = 1", &error));
  RUN_IN("b", "assert not vars(kept)");
  /* There may be another one of that name, and none is left of the first. */
  EXPECT(SUBPY_OK, subpy_add_namespace(id, "a", &error));
  RUN_IN("a", "assert 'thing' not in globals() and __builtins__");
  /* A script has put something else into its place. */
  RUN(id, "import types; sys.modules['a'] = types.ModuleType('other')");
  EXPECT(SUBPY_OK, subpy_remove_namespace(id, "a", &error));
  RUN(id, "assert sys.modules['a'].__name__ == 'other'");
  DESTROY(id);
}

static void remove_this(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user, (void)call, (void)args, (void)nargs;
  REFUSES(SUBPY_ERR_BUSY, "\"a\" is running", subpy_remove_namespace(id, "a", &error));
  RUN_IN("b", "x = 5");
  EXPECT(SUBPY_OK, subpy_remove_namespace(id, "b", &error));
  EXPECT(SUBPY_OK, subpy_add_namespace(id, "c", &error));
}

static void test_from_inside(void **state) {
  (void)state;
  create();
  EXPECT(SUBPY_OK, subpy_define_function(id, "host", "act", remove_this, NULL, NULL, &error));
  RUN_IN("a", "import host; host.act(); x = 1");
  CHECK_EQUAL(number_in("a", "x"), 1);
  RUN_IN("c", "x = 2");
  EXPECT(SUBPY_OK, subpy_remove_namespace(id, "a", &error));
  DESTROY(id);
}

static void test_the_interpreter_ends(void **state) {
  (void)state;
  create();
  RUN_IN("a", "class Thing:\n"
              "  def __del__(self): print('ended in', __name__, flush=True)\n"
              "thing = Thing(); cycle = [thing]; cycle.append(cycle)");
  DESTROY(id);
  REFUSES(SUBPY_ERR_NOT_FOUND, "", subpy_add_namespace(id, "c", &error));
  REFUSES(SUBPY_ERR_NOT_FOUND, "", subpy_remove_namespace(id, "a", &error));
}

/* Bad use ------------------------------------------------------------------------------------------- */

static void test_refused(void **state) {
  (void)state;
  create();
  static const char *const wrong[] = {"", "a.b", "1a", "a b", "a:b", "\xff"};
  for (size_t i = 0; i < COUNT(wrong); i++) {
    REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "name", subpy_add_namespace(id, wrong[i], &error));
  }
  static const char *const taken[] = {"a", "sys", "__main__"};
  for (size_t i = 0; i < COUNT(taken); i++) {
    REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "already", subpy_add_namespace(id, taken[i], &error));
  }
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "NULL", subpy_add_namespace(id, NULL, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "NULL", subpy_remove_namespace(id, NULL, &error));
  REFUSES(SUBPY_ERR_NOT_FOUND, "\"nobody\"", subpy_remove_namespace(id, "nobody", &error));
  REFUSES(SUBPY_ERR_NOT_FOUND, "\"sys\"", subpy_remove_namespace(id, "sys", &error));
  REFUSES(SUBPY_ERR_NOT_FOUND, "\"nobody\"", run_in("nobody", NULL, "x = 1", &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "in_namespace", run_in("\xff", NULL, "x = 1", &error));
  DESTROY(id);
}

/* Many ---------------------------------------------------------------------------------------------- */

static long resident_pages(void) {
  const char code[] = "int(open('/proc/self/statm').read().split()[1])";
  return (long)number_in(NULL, code);
}

static void test_ten_thousand(void **state) {
  (void)state;
  enum { MANY = 10000 };
  create();
  const long before = resident_pages();
  char name[16];
  for (int i = 0; i < MANY; i++) {
    snprintf(name, sizeof name, "n%d", i);
    EXPECT(SUBPY_OK, subpy_add_namespace(id, name, &error));
    RUN_IN(name, "x = 1");
  }
  const long each = (resident_pages() - before) * 4096 / MANY;
  CHECK(each <= 4096, "each takes %ld bytes", each);
  CHECK_EQUAL(number_in("n7777", "x"), 1);
  for (int i = 0; i < MANY; i++) {
    snprintf(name, sizeof name, "n%d", i);
    EXPECT(SUBPY_OK, subpy_remove_namespace(id, name, &error));
  }
  DESTROY(id);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_globals_of_their_own),
      cmocka_unit_test(test_each_call),
      cmocka_unit_test(test_limits),
      cmocka_unit_test(test_files),
      cmocka_unit_test(test_works_as_a_module),
      cmocka_unit_test(test_who_calls),
      cmocka_unit_test(test_removed_with_what_it_had),
      cmocka_unit_test(test_from_inside),
      cmocka_unit_test(test_the_interpreter_ends),
      cmocka_unit_test(test_refused),
      cmocka_unit_test(test_ten_thousand),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
