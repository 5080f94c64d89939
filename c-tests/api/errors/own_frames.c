/* Frames of subpy's own code are in no traceback and in no data: the innermost frames are the script's. */
#include "fixture.h"

static const char *const own[] = {"<subpy", "<frozen importlib._bootstrap_external>"};

static void check_own(const char *where, const char *text) {
  for (size_t i = 0; i < COUNT(own); i++) {
    CHECK(strstr(text, own[i]) == NULL, "%s has a frame of %s:\n%s", where, own[i], text);
  }
}

/* Of an error, and of all that come with it. */
static void check_none_is_own(const char *where, const subpy_error *error) {
  check_own(where, subpy_error_traceback(error));
  for (size_t i = 0; i < subpy_error_frame_count(error); i++) {
    check_own(where, subpy_error_frame(error, i)->file);
  }
  for (size_t i = 0; i < subpy_error_group_count(error); i++) {
    check_none_is_own(where, subpy_error_group_item(error, i));
  }
  const subpy_error *const linked[] = {subpy_error_cause(error), subpy_error_context(error)};
  for (size_t i = 0; i < COUNT(linked); i++) {
    if (linked[i] != NULL) {
      check_none_is_own(where, linked[i]);
    }
  }
}

/* Fails with this exception, and the last of so many frames is in this function; NULL: it may be any. */
static void check_error(const char *where, subpy_error *error, const char *type, size_t frames,
                        const char *function) {
  CHECK_TEXT(subpy_error_type(error), type);
  check_none_is_own(where, error);
  if (function != NULL) {
    CHECK_EQUAL(subpy_error_frame_count(error), frames);
    const subpy_frame *const last = subpy_error_frame(error, frames - 1);
    CHECK_TEXT(last->function, function);
  }
  subpy_error_free(error);
}

static void fails(const char *code, const char *type, size_t frames, const char *function) {
  check_error(code, RUN_FAILS(SUBPY_ERR_EXCEPTION, id, code), type, frames, function);
}

static void fail_in_host(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user, (void)args, (void)nargs;
  subpy_host_raise(call, "builtins.LookupError", "of the host");
}

static void test_host_functions(void **state) {
  (void)state;
  EXPECT(SUBPY_OK, subpy_define_function(id, "host", "fail", fail_in_host, NULL, NULL, &error));
  fails("import host\ndef f(): host.fail()\nf()", "LookupError", 2, "f");
  fails("import host\nhost.no_such_name", "AttributeError", 1, "<module>");
  fails("list(map(host.fail, 'x'))", "LookupError", 1, "<module>");
  fails("try: host.fail()\nexcept LookupError as e: raise KeyError from e", "KeyError", 1,
        "<module>");
}

static void test_calls_and_evals(void **state) {
  (void)state;
  subpy_value out;
  subpy_error *error = UNWRITTEN;
  RUN(id, "def f(): return 1 / 0");
  CHECK_EQUAL(subpy_eval(id, "f()", &out, &error), SUBPY_ERR_EXCEPTION);
  check_error("eval", error, "ZeroDivisionError", 2, "f");
  CHECK_EQUAL(subpy_call(id, "f", NULL, 0, &out, &error), SUBPY_ERR_EXCEPTION);
  check_error("call", error, "ZeroDivisionError", 1, "f");
  CHECK_EQUAL(subpy_call(id, "json:loads", NULL, 0, &out, &error), SUBPY_ERR_EXCEPTION);
  check_error("call without arguments", error, "TypeError", 0, NULL);
  CHECK_EQUAL(subpy_call(id, "subpy_no_module:f", NULL, 0, &out, &error), SUBPY_ERR_NOT_FOUND);
  check_none_is_own("call of nothing", error);
  subpy_error_free(error);
}

static void test_coroutines(void **state) {
  (void)state;
  subpy_value out;
  subpy_error *error = UNWRITTEN;
  RUN(id, "import asyncio\n"
          "async def inner():\n"
          "    await asyncio.sleep(0)\n"
          "    raise KeyError('late')\n"
          "async def outer():\n"
          "    try: await inner()\n"
          "    except KeyError as e: raise ValueError from e\n");
  CHECK_EQUAL(subpy_call(id, "outer", NULL, 0, &out, &error), SUBPY_ERR_EXCEPTION);
  const size_t count = subpy_error_frame_count(error);
  CHECK(count > 0, "no frames");
  CHECK_TEXT(subpy_error_frame(error, count - 1)->function, "outer");
  check_error("coroutine", error, "ValueError", 0, NULL);
}

/* What stands in the place of functions of the standard library. */
static void test_the_standard_library(void **state) {
  (void)state;
  fails("import pwd\npwd.getpwnam('no_such_user')", "KeyError", 1, "<module>");
  fails("import grp\ngrp.getgrnam('no_such_group')", "KeyError", 1, "<module>");
  fails("import os\nos.putenv('a=b', 'c')", "ValueError", 1, "<module>");
  fails("import os\nos.chdir('/no/such/folder')", "FileNotFoundError", 1, "<module>");
  fails("import locale\nlocale.setlocale(locale.LC_ALL, 'xx_XX')", "locale.Error", 0, NULL);
  fails("import time\ntime.strptime('x', '%d')", "ValueError", 0, NULL);
  fails("import socket\nsocket.getservbyname('no_such_service')", "OSError", 1, "<module>");
  fails("import threading\nthreading.Thread(daemon='x').start(5)", "TypeError", 1, "<module>");
  fails("import linecache\nlinecache.cache['no such file']", "KeyError", 1, "<module>");
}

static void test_imports(void **state) {
  (void)state;
  fails("import no_such_module", "ModuleNotFoundError", 1, "<module>");
  fails("import os.no_such_module", "ModuleNotFoundError", 1, "<module>");
  fails("import sys\n"
        "class Finder:\n"
        "    @staticmethod\n"
        "    def find_spec(*args): raise LookupError\n"
        "sys.meta_path.insert(0, Finder)\n"
        "try: import no_such_module\n"
        "finally: sys.meta_path.remove(Finder)",
        "LookupError", 0, NULL);
  fails("import builtins\n"
        "def import_(*args): raise LookupError\n"
        "builtins.__import__, before = import_, __import__\n"
        "try: import no_such_module\n"
        "finally: builtins.__import__ = before",
        "LookupError", 2, "import_");
}

static void test_the_package(void **state) {
  (void)state;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.allow_interpreters = 1;
  CREATE(&config, &second);
  const char *const codes[][2] = {
      {"from subpy import interpreters\ninterpreters.create().exec('1 / 0')",
       "subpy.interpreters.ExecutionFailed"},
      {"def f(): return 1 / 0\ninterpreters.create().call(f)",
       "subpy.interpreters.ExecutionFailed"},
      {"interpreters.create_queue().get(timeout=0)", "subpy.interpreters.QueueEmpty"},
      {"import subpy._interpreters\ni = "
       "interpreters.create()\nsubpy._interpreters.run_string(i.id, '1 / "
       "0')",
       "ZeroDivisionError"},
      {"with subpy.InterpreterPoolExecutor(1) as pool: pool.submit(f).result()",
       "ZeroDivisionError"},
      {"import subpy.no_such_module", "ModuleNotFoundError"},
  };
  for (size_t i = 0; i < COUNT(codes); i++) {
    subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, second, codes[i][0]);
    check_error(codes[i][0], error, codes[i][1], 0, NULL);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_host_functions), TEST(test_calls_and_evals),      TEST(test_coroutines),
      TEST(test_imports),        TEST(test_the_standard_library), TEST(test_the_package),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
