/* A traceback is what plain Python prints of the same program, without colours, whatever the environment asks for. */
#include "fixture.h"
#include "files.h"

/* What `python path` writes to stderr. */
static void run_plain(const char *path, char *text, size_t room) {
  char command[2 * PATH_ROOM];
  snprintf(command, sizeof command,
           "env -u FORCE_COLOR -u PYTHON_COLORS NO_COLOR=1 '%s' '%s' 2>&1 >/dev/null",
           SUBPY_TESTS_PYTHON, path);
  FILE *const pipe = popen(command, "r");
  CHECK(pipe != NULL, "no %s", command);
  const size_t length = fread(text, 1, room - 1, pipe);
  CHECK(length < room - 1, "the text is too long");
  text[length] = '\0';
  CHECK(pclose(pipe) != 0, "it has not failed: %s", command);
}

static void check_same(const char *code) {
  char path[PATH_ROOM];
  static char plain[200000];
  make_file(path, folder, "program.py", code, strlen(code));
  run_plain(path, plain, sizeof plain);
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.filename = path;
  subpy_error *error = UNWRITTEN;
  const subpy_status got = subpy_run_string_with(id, &options, code, strlen(code), &error);
  CHECK(got == SUBPY_ERR_EXCEPTION, "%s", subpy_status_name(got));
  CHECK_TEXT(subpy_error_traceback(error), plain);
  subpy_error_free(error);
  remove(path);
}

/* A program. Before 3.13 plain Python prints with code in C, which is not always of one mind with its module `traceback`: so
 * the version of Python from which on they are is there, too. */
struct program {
  int since; /* 3.this */
  const char *code;
};

static void check_all(const struct program *programs, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (python_at_least(3, programs[i].since)) {
      check_same(programs[i].code);
    }
  }
}

static void test_tracebacks(void **state) {
  (void)state;
  const struct program programs[] = {
      {10, "1 / 0"},
      {10, "raise ValueError"},
      {10, "raise ValueError('two\\nlines')"},
      {10, "raise KeyError('\\u20ac\\udc80')"},
      {10, "raise KeyboardInterrupt"},
      {11, "class Outer:\n  class Inner(Exception): pass\nraise Outer.Inner('i')"},
      {11, "class Mute(Exception):\n  def __str__(self): raise KeyError\nraise Mute"},
      {10, "import json\njson.loads('[')"},
      {10, "def f(n):\n  if n: f(n - 1)\n  else: raise ValueError('deep')\nf(50)"},
      {10, "def f(n): return g(n - 1) if n else 1 / 0\ndef g(n): return f(n)\nf(20)"},
      {10, "exec('1 / 0')"},
      {10, "import importlib\nimportlib.import_module('no_such_module')"},
      {10, "from collections import nothing_like_it"},
      {10, "def f(x):\n"
           "    return (x +\n"
           "            1 /\n"
           "            0)\n"
           "f(\n"
           "    1\n"
           ")\n"},
      {10, "d = {'a': {'b': None}}\nx = d['a']['b']['c']['d']"},
      {10, "try:\n"
           "    try: {}['key']\n"
           "    except KeyError: [].pop()\n"
           "except IndexError as e:\n"
           "    raise ValueError('at last') from e\n"},
      {10, "try: {}['key']\nexcept KeyError: raise ValueError from None"},
      {10, "a, b = ValueError('a'), KeyError('b')\na.__cause__, b.__cause__ = b, a\nraise a"},
  };
  check_all(programs, COUNT(programs));
}

static void test_syntax_errors(void **state) {
  (void)state;
  const struct program programs[] = {
      {10, "x = 1\ny = 2 +* 3\n"},
      {10, "x = (1,\n"},
      {13, "if True:\npass"},
      {10, "if True:\n    x = 1\n  y = 2"},
      {13, "\tx = '\xe2\x82\xac' 5"},
      {10, "print 'x'"},
      {10, "s = 'not closed"},
      {10, "def f():\n    return yield\n"},
      {10, "for i in range(3): x = x =! 3"},
      {10, "return 1"},
      {10, "raise SyntaxError('by hand')"},
      {10, "raise SyntaxError('by hand', ('a.py', 7, 3, 'x = = 1', 7, 4))"},
      {10, "exec('x = = 1')"},
  };
  check_all(programs, COUNT(programs));
}

/* Before 3.12 the C part of asyncio has one CancelledError for the whole process: that of the interpreter that has imported it
 * first. A TaskGroup of another one does not know it. */
static int asyncio_since(void) { return in_processes() ? 11 : 12; }

static void test_notes_and_groups(void **state) {
  (void)state;
  if (!python_at_least(3, 11)) {
    skip();
  }
  const struct program programs[] = {
      {10, "e = ValueError('noted')\ne.add_note('first')\ne.add_note('second\\nnote')\nraise e"},
      {10, "e = ValueError('noted')\ne.__notes__ = 5\nraise e"},
      {10, "e = ValueError('noted')\ne.__notes__ = [1, None]\nraise e"},
      {10, "def fail(): return 1 / 0\n"
           "try: fail()\n"
           "except ZeroDivisionError as e:\n"
           "    raise ExceptionGroup('two', [e, ExceptionGroup('in', [KeyError('k'), e])])\n"},
      {10, "raise ExceptionGroup('many', [KeyError(i) for i in range(100)])"},
      {10, "e = KeyError('k')\nfor i in range(30): e = ExceptionGroup(str(i), [e])\nraise e"},
      {asyncio_since(), "import asyncio\n"
                        "async def fail(n):\n"
                        "    await asyncio.sleep(0)\n"
                        "    raise ValueError(n)\n"
                        "async def main():\n"
                        "    async with asyncio.TaskGroup() as group:\n"
                        "        group.create_task(fail(1))\n"
                        "        group.create_task(fail(2))\n"
                        "asyncio.run(main())\n"},
  };
  check_all(programs, COUNT(programs));
}

/* Before 3.12 only Python's own printer has them, which does not know the lines of strings. */
static void test_suggestions(void **state) {
  (void)state;
  if (!python_at_least(3, 12)) {
    skip();
  }
  const struct program programs[] = {
      {10, "number = 1\nnumbr"},
      {10, "pritn('x')"},
      {10, "def f():\n    local = 1\n    return locl\nf()"},
      {10,
       "class C:\n    def __init__(self): self.blech = 1\n    def f(self): return blech\nC().f()"},
      {10, "class C:\n    attribute = 1\nC().atribute"},
      {10, "from collections import namedtoplo"},
      {13, "sys.path"},
      {10, "import collections.abcd"},
      {10, "def f(first): pass\nf(frist=1)"},
      {10, "''.startwith('x')"},
      {10, "import math\nmath.sqr(4)"},
      {10, "[].length"},
      {10, "import os\nos.pth.join('a')"},
  };
  check_all(programs, COUNT(programs));
}

static int setup(void **state) {
  setenv("FORCE_COLOR", "1", 1);
  setenv("PYTHON_COLORS", "1", 1);
  setenv("TERM", "xterm-256color", 1);
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.isolated = 0;
  INITIALIZE(&config);
  return make_folder(state);
}

static int teardown(void **state) {
  FINALIZE();
  return remove_folder(state);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_tracebacks),
      TEST(test_syntax_errors),
      TEST(test_notes_and_groups),
      TEST(test_suggestions),
  };
  return RUN_TESTS_BETWEEN(tests, setup, teardown);
}
