/* What is in an error, as data: frames, causes, contexts, groups, notes, arguments. */
#include "fixture.h"
#include "files.h"

/* The error of code that is run under a file name. */
static subpy_error *fails_in(const char *filename, const char *code) {
  subpy_error *error = UNWRITTEN;
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.filename = filename;
  const subpy_status got = subpy_run_string_with(id, &options, code, strlen(code), &error);
  CHECK(got == SUBPY_ERR_EXCEPTION || got == SUBPY_ERR_EXIT, "%s: %s", subpy_status_name(got),
        subpy_error_message(error));
  return error;
}

/* A frame in a line: "file:line:column-end_line:end_column function|source". Before 3.11 there are no columns, and they are
 * left out of both. */
static void check_frame(int line, const subpy_error *error, size_t index, const char *file,
                        uint32_t at, const uint32_t place[3], const char *function,
                        const char *source) {
  const subpy_frame *const frame = subpy_error_frame(error, index);
  if (frame == NULL) {
    check_failed(__FILE__, line, "frame", "there is no frame %zu", index);
  }
  const bool has_columns = python_at_least(3, 11) || *function == '\0';
  char found[512], expected[512];
  snprintf(found, sizeof found, "%s:%u:%u-%u:%u %s|%s", frame->file, (unsigned)frame->line,
           (unsigned)frame->column, (unsigned)frame->end_line, (unsigned)frame->end_column,
           frame->function, frame->source);
  snprintf(expected, sizeof expected, "%s:%u:%u-%u:%u %s|%s", file, (unsigned)at,
           has_columns ? (unsigned)place[0] : 0, has_columns ? (unsigned)place[1] : 0,
           has_columns ? (unsigned)place[2] : 0, function, source);
  if (strcmp(found, expected) != 0) {
    check_failed(__FILE__, line, "frame", "it is \"%s\", not \"%s\"", found, expected);
  }
}

#define FRAME(error, index, file, line, column, end_line, end_column, function, source)            \
  check_frame(__LINE__, error, index, file, line,                                                  \
              (const uint32_t[3]){column, end_line, end_column}, function, source)

/* Frames. ------------------------------------------------------------------------------------ */

static void test_frames(void **state) {
  (void)state;
  subpy_error *error = fails_in("plugin.py", "def f(x):\n"
                                             "    return '\xc3\xa9\xe2\x82\xac' + x / 0\n"
                                             "\n"
                                             "class C:\n"
                                             "    def m(self): return f(\n"
                                             "        1,\n"
                                             "    )\n"
                                             "C().m()\n");
  CHECK_EQUAL(subpy_error_frame_count(error), 3);
  CHECK_EQUAL(subpy_error_frames_left_out(error), 0);
  FRAME(error, 0, "plugin.py", 8, 1, 8, 8, "<module>", "C().m()");
  FRAME(error, 1, "plugin.py", 5, 25, 7, 6, "m", "    def m(self): return f(");
  FRAME(error, 2, "plugin.py", 2, 19, 2, 24, "f", "    return '\xc3\xa9\xe2\x82\xac' + x / 0");
  CHECK(subpy_error_frame(error, 3) == NULL, "a frame more");
  subpy_error_free(error);
}

static void test_frames_of_strings_without_a_name(void **state) {
  (void)state;
  RUN(id, "def first(): return 1 / 0");
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "\r\n\rfirst()  # \xe2\x82\xac");
  CHECK_EQUAL(subpy_error_frame_count(error), 2);
  FRAME(error, 0, "<string-2>", 3, 1, 3, 8, "<module>", "first()  # \xe2\x82\xac");
  FRAME(error, 1, "<string>", 1, 21, 1, 26, "first", "def first(): return 1 / 0");
  subpy_error_free(error);
}

static void test_frames_of_a_module(void **state) {
  (void)state;
  RUN(id, "import os, sys, tempfile\n"
          "folder = tempfile.mkdtemp()\n"
          "with open(os.path.join(folder, 'errors_module.py'), 'w', encoding='utf-8') as file:\n"
          "    file.write('def f():\\n  \\u00e9 = {}; return \\u00e9[\"key\"]\\n')\n"
          "with open(os.path.join(folder, 'errors_broken.py'), 'w', encoding='utf-8') as file:\n"
          "    file.write('x = 1\\nwrong wrong\\n')\n"
          "sys.path.insert(0, folder)\n"
          "sys.dont_write_bytecode = True\n"
          "import errors_module\n");
  subpy_error *error = fails_in("main.py", "errors_module.f()");
  CHECK_EQUAL(subpy_error_frame_count(error), 2);
  FRAME(error, 0, "main.py", 1, 1, 1, 18, "<module>", "errors_module.f()");
  const subpy_frame *const frame = subpy_error_frame(error, 1);
  CHECK_CONTAINS(frame->file, "/errors_module.py");
  CHECK_TEXT(frame->source, "  \xc3\xa9 = {}; return \xc3\xa9[\"key\"]");
  if (python_at_least(3, 11)) {
    CHECK_EQUAL(frame->column, 18);
    CHECK_EQUAL(frame->end_column, 26);
  }
  subpy_error_free(error);

  error = fails_in("main.py", "import errors_broken");
  CHECK_TEXT(subpy_error_type(error), "SyntaxError");
  CHECK_EQUAL(subpy_error_frame_count(error), 2);
  FRAME(error, 0, "main.py", 1, 1, 1, 21, "<module>", "import errors_broken");
  CHECK_CONTAINS(subpy_error_frame(error, 1)->file, "/errors_broken.py");
  CHECK_TEXT(subpy_error_frame(error, 1)->function, "");
  CHECK_TEXT(subpy_error_frame(error, 1)->source, "wrong wrong");
  CHECK_EQUAL(subpy_error_frame(error, 1)->line, 2);
  subpy_error_free(error);
  RUN(id, "import shutil; shutil.rmtree(folder)");
}

/* One of the host's, which is in no file, and a program that is in one. */
static void test_frames_of_files_and_of_modules_from_memory(void **state) {
  (void)state;
  const char *const source = "def f(x):\n    return '\xe2\x82\xac' + x\n";
  EXPECT(SUBPY_OK,
         subpy_add_module(id, "given", source, strlen(source), "given/by host.py", &error));
  const char *const wrong = "x = 1\nwrong wrong\n";
  EXPECT(SUBPY_OK, subpy_add_module(id, "broken", wrong, strlen(wrong), "broken.py", &error));
  subpy_error *error = fails_in("main.py", "import given\ngiven.f(1)");
  CHECK_EQUAL(subpy_error_frame_count(error), 2);
  FRAME(error, 0, "main.py", 2, 1, 2, 11, "<module>", "given.f(1)");
  FRAME(error, 1, "given/by host.py", 2, 12, 2, 19, "f", "    return '\xe2\x82\xac' + x");
  subpy_error_free(error);
  error = fails_in("main.py", "import broken");
  CHECK_EQUAL(subpy_error_frame_count(error), 2);
  CHECK_TEXT(subpy_error_frame(error, 1)->file, "broken.py");
  CHECK_TEXT(subpy_error_frame(error, 1)->source, "wrong wrong");
  subpy_error_free(error);

  char path[PATH_ROOM];
  const char *const program = "import given\ndef g(): given.f(2)\ng()\n";
  make_file(path, folder, "program.py", program, strlen(program));
  error = UNWRITTEN;
  CHECK_EQUAL(subpy_run_file(id, path, &error), SUBPY_ERR_EXCEPTION);
  CHECK_EQUAL(subpy_error_frame_count(error), 3);
  FRAME(error, 0, path, 3, 1, 3, 4, "<module>", "g()");
  FRAME(error, 1, path, 2, 10, 2, 20, "g", "def g(): given.f(2)");
  CHECK_TEXT(subpy_error_frame(error, 2)->file, "given/by host.py");
  subpy_error_free(error);
  error = UNWRITTEN;
  make_file(path, folder, "broken.py", wrong, strlen(wrong));
  CHECK_EQUAL(subpy_run_file(id, path, &error), SUBPY_ERR_EXCEPTION);
  CHECK_EQUAL(subpy_error_frame_count(error), 1);
  CHECK_TEXT(subpy_error_frame(error, 0)->file, path);
  subpy_error_free(error);
}

static void test_the_place_of_a_syntax_error(void **state) {
  (void)state;
  subpy_error *error = fails_in("level.py", "x = 1\ny = '\xc3\xa9' +* 3\n");
  CHECK_EQUAL(subpy_error_frame_count(error), 1);
  FRAME(error, 0, "level.py", 2, 10, 2, 11, "", "y = '\xc3\xa9' +* 3");
  subpy_error_free(error);
  error = fails_in("level.py", "raise SyntaxError('by hand')");
  CHECK_EQUAL(subpy_error_frame_count(error), 1);
  CHECK_TEXT(subpy_error_frame(error, 0)->function, "<module>");
  subpy_error_free(error);
  /* What is set by hand is not believed. */
  error = fails_in("level.py", "e = SyntaxError('by hand', ('a.py', 7, 1 << 70, 5))\n"
                               "e.end_lineno = 'x'\n"
                               "e.text = 5\n"
                               "raise e");
  FRAME(error, 1, "a.py", 7, 0, 0, 0, "", "");
  subpy_error_free(error);
}

/* Nothing is done to a name, even where it looks like one of subpy's or of Python's own. */
static void test_file_names_as_given(void **state) {
  (void)state;
  const char *const names[] = {
      "plugin.py",
      "",
      " dir with spaces/\xe2\x82\xac\xf0\x9f\x98\x80.py ",
      "./a/../b//c.py",
      "new\nline\ttab",
      "\"quoted\" '%s' \\x41 {}",
      "<subpy>",
      "<subpy.interpreters>",
      "<frozen importlib._bootstrap_external>",
      "C:\\scripts\\a.py",
  };
  for (size_t i = 0; i < COUNT(names); i++) {
    subpy_error *error = fails_in(names[i], "def f():\n  raise ValueError\nf()");
    CHECK_EQUAL(subpy_error_frame_count(error), 2);
    CHECK_TEXT(subpy_error_frame(error, 0)->file, names[i]);
    CHECK_TEXT(subpy_error_frame(error, 1)->file, names[i]);
    char line[256];
    snprintf(line, sizeof line, "  File \"%s\", line 2, in f\n", names[i]);
    CHECK_CONTAINS(subpy_error_traceback(error), line);
    subpy_error_free(error);
    error = fails_in(names[i], "x = (");
    CHECK_TEXT(subpy_error_frame(error, 0)->file, names[i]);
    subpy_error_free(error);
  }
}

/* The outermost half of the most that there may be, and the innermost half. */
static void test_ten_thousand_frames(void **state) {
  (void)state;
  subpy_error *error = fails_in("deep.py", "import sys\n"
                                           "sys.setrecursionlimit(11000)\n"
                                           "def down(n):\n"
                                           "    if n: down(n - 1)\n"
                                           "    else: raise ValueError('deep')\n"
                                           "down(9998)\n");
  CHECK_EQUAL(subpy_error_frame_count(error), 256);
  CHECK_EQUAL(subpy_error_frames_left_out(error), 10000 - 256);
  CHECK_TEXT(subpy_error_frame(error, 0)->function, "<module>");
  for (size_t i = 1; i < 255; i++) {
    CHECK_EQUAL(subpy_error_frame(error, i)->line, 4);
  }
  CHECK_EQUAL(subpy_error_frame(error, 255)->line, 5);
  subpy_error_free(error);
  error = fails_in("deep.py", "def f(): f()\nf()");
  CHECK_TEXT(subpy_error_type(error), "RecursionError");
  CHECK_EQUAL(subpy_error_frame_count(error), 256);
  CHECK(subpy_error_frames_left_out(error) > 0, "none is left out");
  subpy_error_free(error);
}

static void test_a_line_is_cut_between_characters(void **state) {
  (void)state;
  static char code[20000];
  strcpy(code, "x = '");
  while (strlen(code) < 12000) {
    strcat(code, "\xe2\x82\xac");
  }
  strcat(code, "'; 1 / 0");
  subpy_error *error = fails_in("long.py", code);
  const subpy_frame *const frame = subpy_error_frame(error, 0);
  const size_t length = strlen(frame->source);
  CHECK_EQUAL(length, 5 + 3 * ((4096 - 5) / 3));
  CHECK(strncmp(frame->source, code, length) == 0, "it is another line");
  if (python_at_least(3, 11)) {
    CHECK_EQUAL(frame->column, (strlen(code) - 13) / 3 + 5 + 3 + 1);
  }
  subpy_error_free(error);
}

/* Code without a source, and places that are wrong. */
static void test_what_is_not_known(void **state) {
  (void)state;
  subpy_error *error = fails_in("main.py", "exec(compile('\\n1 / 0', 'nowhere.py', 'exec'))");
  CHECK_EQUAL(subpy_error_frame_count(error), 2);
  CHECK_TEXT(subpy_error_frame(error, 1)->file, "nowhere.py");
  CHECK_TEXT(subpy_error_frame(error, 1)->source, "");
  CHECK_EQUAL(subpy_error_frame(error, 1)->line, 2);
  CHECK_EQUAL(subpy_error_frame(error, 1)->column, 0);
  subpy_error_free(error);
  error = fails_in("main.py", "import types\n"
                              "def f(): pass\n"
                              "try: 1 / 0\n"
                              "except Exception as e: frame = e.__traceback__.tb_frame\n"
                              "raise ValueError().with_traceback(\n"
                              "    types.TracebackType(None, frame, -5, 1 << 30))\n");
  CHECK_EQUAL(subpy_error_frame_count(error), 2);
  FRAME(error, 1, "main.py", 1 << 30, 0, 0, 0, "<module>", "");
  subpy_error_free(error);
}

/* Other exceptions. -------------------------------------------------------------------------- */

static void test_causes_and_contexts(void **state) {
  (void)state;
  subpy_error *error = fails_in("chain.py", "def at(): {}['key']\n"
                                            "try:\n"
                                            "    try: at()\n"
                                            "    except KeyError: exit(3)\n"
                                            "except SystemExit as e:\n"
                                            "    raise ValueError('at last') from e\n");
  CHECK(subpy_error_context(error) == NULL, "a context beside a cause");
  const subpy_error *const cause = subpy_error_cause(error);
  CHECK(cause != NULL, "no cause");
  CHECK_EQUAL(subpy_error_status(cause), SUBPY_ERR_EXIT);
  CHECK_EQUAL(subpy_error_exit_code(cause), 3);
  CHECK_TEXT(subpy_error_type(cause), "SystemExit");
  CHECK_TEXT(subpy_error_message(cause), "3");
  CHECK_TEXT(subpy_error_traceback(cause), "");
  CHECK(subpy_error_cause(cause) == NULL, "a cause more");
  const subpy_error *const context = subpy_error_context(cause);
  CHECK(context != NULL, "no context");
  CHECK_EQUAL(subpy_error_status(context), SUBPY_ERR_EXCEPTION);
  CHECK_TEXT(subpy_error_type(context), "KeyError");
  CHECK_EQUAL(subpy_error_frame_count(context), 2);
  FRAME(context, 1, "chain.py", 1, 11, 1, 20, "at", "def at(): {}['key']");
  CHECK_TEXT(subpy_value_text(subpy_value_item(subpy_error_args(context), 0)), "key");
  CHECK(subpy_error_context(context) == NULL, "a context more");
  subpy_error_free(error);
  error = fails_in("chain.py", "try: {}['key']\n"
                               "except KeyError: raise ValueError('alone') from None\n");
  CHECK(subpy_error_context(error) == NULL && subpy_error_cause(error) == NULL, "not alone");
  subpy_error_free(error);
}

static size_t chain_length(const subpy_error *error) {
  size_t length = 0;
  for (; error != NULL; length++) {
    const subpy_error *const cause = subpy_error_cause(error);
    error = cause != NULL ? cause : subpy_error_context(error);
  }
  return length;
}

static void test_circles(void **state) {
  (void)state;
  subpy_error *error =
      fails_in("circle.py", "a, b, c = ValueError('a'), ValueError('b'), KeyError('c')\n"
                            "a.__cause__, b.__cause__, c.__cause__ = b, c, a\n"
                            "raise a\n");
  CHECK_EQUAL(chain_length(error), 3);
  CHECK_TEXT(subpy_error_message(subpy_error_cause(subpy_error_cause(error))), "'c'");
  subpy_error_free(error);
  error = fails_in("circle.py", "a = ValueError('a')\na.__cause__ = a\nraise a\n");
  CHECK_EQUAL(chain_length(error), 1);
  subpy_error_free(error);
}

static void *free_error(void *error) {
  subpy_error_free(error);
  return NULL;
}

static void test_a_chain_of_ten_thousand(void **state) {
  (void)state;
  subpy_error *error = fails_in("chain.py", "e = None\n"
                                            "for i in range(10000):\n"
                                            "    new = ValueError(i)\n"
                                            "    new.__cause__ = e\n"
                                            "    e = new\n"
                                            "raise e\n");
  CHECK_EQUAL(chain_length(error), 257);
  CHECK_TEXT(subpy_error_message(error), "9999");
  CHECK_TEXT(subpy_error_message(subpy_error_cause(error)), "9998");
  in_thread_of(16384, free_error, error);
}

static void test_groups(void **state) {
  (void)state;
  if (!python_at_least(3, 11)) {
    skip();
  }
  subpy_error *error = fails_in(
      "groups.py", "def fail(n): return n / 0\n"
                   "def caught(*args):\n"
                   "    try: fail(*args)\n"
                   "    except Exception as e: return e\n"
                   "inner = ExceptionGroup('inner', [caught(1), caught('x')])\n"
                   "raise ExceptionGroup('outer', [inner, KeyError('k')]) from caught(2)\n");
  CHECK_TEXT(subpy_error_type(error), "ExceptionGroup");
  CHECK_TEXT(subpy_error_message(error), "outer (2 sub-exceptions)");
  CHECK_EQUAL(subpy_error_group_count(error), 2);
  CHECK_TEXT(subpy_error_type(subpy_error_cause(error)), "ZeroDivisionError");
  const subpy_error *const inner = subpy_error_group_item(error, 0);
  CHECK_TEXT(subpy_error_message(inner), "inner (2 sub-exceptions)");
  CHECK_EQUAL(subpy_error_frame_count(inner), 0);
  CHECK_EQUAL(subpy_error_group_count(inner), 2);
  CHECK_TEXT(subpy_error_type(subpy_error_group_item(inner, 0)), "ZeroDivisionError");
  CHECK_EQUAL(subpy_error_frame_count(subpy_error_group_item(inner, 0)), 2);
  CHECK_TEXT(subpy_error_type(subpy_error_group_item(inner, 1)), "TypeError");
  CHECK_TEXT(subpy_error_type(subpy_error_group_item(error, 1)), "KeyError");
  CHECK(subpy_error_group_item(error, 2) == NULL, "an exception more");
  CHECK_EQUAL(subpy_error_group_count(subpy_error_group_item(error, 1)), 0);
  subpy_error_free(error);

  error =
      fails_in("groups.py", "raise BaseExceptionGroup('many', [KeyError(i) for i in range(1000)])");
  CHECK_EQUAL(subpy_error_group_count(error), 256);
  CHECK_TEXT(subpy_error_message(subpy_error_group_item(error, 255)), "255");
  subpy_error_free(error);

  /* Each level doubles: the nearest are there. */
  error = fails_in("groups.py", "e = KeyError('k')\n"
                                "for i in range(40): e = ExceptionGroup(str(i), [e, e])\n"
                                "raise e");
  CHECK_EQUAL(subpy_error_group_count(error), 2);
  CHECK_TEXT(subpy_error_message(subpy_error_group_item(error, 1)), "38 (2 sub-exceptions)");
  subpy_error_free(error);

  /* A class of the script's that says something else. */
  error = fails_in("groups.py", "class Odd(ExceptionGroup):\n"
                                "    exceptions = (1, KeyError('real'), None, 'x')\n"
                                "raise Odd('odd', [ValueError()])");
  CHECK_EQUAL(subpy_error_group_count(error), 1);
  CHECK_TEXT(subpy_error_type(subpy_error_group_item(error, 0)), "KeyError");
  subpy_error_free(error);
}

/* Notes and arguments. ----------------------------------------------------------------------- */

static void test_notes(void **state) {
  (void)state;
  subpy_error *error;
  if (python_at_least(3, 11)) {
    error = fails_in("notes.py", "e = ValueError('noted')\n"
                                 "e.add_note('first\\nnote')\n"
                                 "e.add_note('\\u20ac')\n"
                                 "raise e");
    CHECK_EQUAL(subpy_error_note_count(error), 2);
    CHECK_TEXT(subpy_error_note(error, 0), "first\nnote");
    CHECK_TEXT(subpy_error_note(error, 1), "\xe2\x82\xac");
    CHECK(subpy_error_note(error, 2) == NULL, "a note more");
    subpy_error_free(error);
  }
  error = fails_in("notes.py", "class Mute:\n"
                               "    def __str__(self): raise KeyboardInterrupt\n"
                               "    __repr__ = __str__\n"
                               "e = ValueError('noted')\n"
                               "e.__notes__ = [1, Mute(), None] + ['note'] * 1000\n"
                               "raise e");
  CHECK_EQUAL(subpy_error_note_count(error), 256);
  CHECK_TEXT(subpy_error_note(error, 0), "1");
  CHECK_TEXT(subpy_error_note(error, 1), "<note str() failed>");
  CHECK_TEXT(subpy_error_note(error, 2), "None");
  CHECK_TEXT(subpy_error_note(error, 255), "note");
  subpy_error_free(error);
  error = fails_in("notes.py", "e.__notes__ = 5\nraise e");
  CHECK_EQUAL(subpy_error_note_count(error), 1);
  CHECK_TEXT(subpy_error_note(error, 0), "5");
  subpy_error_free(error);
  error = fails_in("notes.py", "e.__notes__ = Mute()\nraise e");
  CHECK_EQUAL(subpy_error_note_count(error), 1);
  subpy_error_free(error);
  error = fails_in("notes.py", "class Hidden(Exception):\n"
                               "    @property\n"
                               "    def __notes__(self): raise SystemExit(4)\n"
                               "raise Hidden");
  CHECK_EQUAL(subpy_error_note_count(error), 0);
  CHECK_TEXT(subpy_error_type(error), "Hidden");
  subpy_error_free(error);
}

static void test_arguments(void **state) {
  (void)state;
  subpy_error *error = fails_in("args.py", "raise ValueError(1, 'two', [3, {'k': (None, 2.5)}])");
  const subpy_value *args = subpy_error_args(error);
  CHECK_EQUAL(args->kind, SUBPY_TUPLE);
  CHECK_EQUAL(subpy_value_length(args), 3);
  int64_t number = 0;
  CHECK(subpy_value_as_int(subpy_value_item(args, 0), &number), "no int");
  CHECK_EQUAL(number, 1);
  CHECK_TEXT(subpy_value_text(subpy_value_item(args, 1)), "two");
  CHECK_EQUAL(subpy_value_length(subpy_value_item(args, 2)), 2);
  /* To clear a copy of it frees nothing. */
  subpy_value copy = *args;
  subpy_value_clear(&copy);
  CHECK_TEXT(subpy_value_text(subpy_value_item(args, 1)), "two");
  subpy_error_free(error);

  error = fails_in("args.py", "class Plain:\n"
                              "    def __repr__(self): return '<plain>'\n"
                              "class Mute:\n"
                              "    def __repr__(self): raise KeyError\n"
                              "raise LookupError(Plain(), Mute(), int, [Plain()])");
  args = subpy_error_args(error);
  CHECK_EQUAL(subpy_value_length(args), 4);
  CHECK_TEXT(subpy_value_text(subpy_value_item(args, 0)), "<plain>");
  CHECK_TEXT(subpy_value_text(subpy_value_item(args, 1)), "<Mute repr() failed>");
  CHECK_TEXT(subpy_value_text(subpy_value_item(args, 2)), "<class 'int'>");
  CHECK_TEXT(subpy_value_text(subpy_value_item(args, 3)), "[<plain>]");
  subpy_error_free(error);

  error = fails_in("args.py", "open('/nowhere/at/all')");
  args = subpy_error_args(error);
  CHECK_EQUAL(subpy_value_length(args), 3);
  CHECK_TEXT(subpy_value_text(subpy_value_item(args, 2)), "/nowhere/at/all");
  subpy_error_free(error);

  error = fails_in("args.py", "class Odd(Exception): args = 5\nraise Odd(1)");
  args = subpy_error_args(error);
  CHECK_EQUAL(args->kind, SUBPY_TUPLE);
  CHECK_EQUAL(subpy_value_length(args), 0);
  subpy_error_free(error);
}

static void test_a_queue_as_an_argument(void **state) {
  (void)state;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.allow_interpreters = 1;
  CREATE(&config, &second);
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, second,
                                 "from subpy import interpreters\n"
                                 "queue = interpreters.create_queue()\n"
                                 "raise ValueError(queue, [queue], 'text')");
  const subpy_value *const args = subpy_error_args(error);
  CHECK_EQUAL(subpy_value_length(args), 3);
  CHECK_CONTAINS(subpy_value_text(subpy_value_item(args, 0)), "Queue(");
  CHECK_CONTAINS(subpy_value_text(subpy_value_item(args, 1)), "[Queue(");
  CHECK_TEXT(subpy_value_text(subpy_value_item(args, 2)), "text");
  subpy_error_free(error);
}

/* Before 3.12 None takes the place of a traceback. */
static void test_no_traceback(void **state) {
  (void)state;
  subpy_error *error = fails_in("none.py", "e = ValueError()\n"
                                           "e.__cause__ = KeyError().with_traceback(None)\n"
                                           "raise e.with_traceback(None)");
  CHECK_EQUAL(subpy_error_frame_count(error), 1);
  CHECK_EQUAL(subpy_error_frame_count(subpy_error_cause(error)), 0);
  subpy_error_free(error);
}

/* The rest. ---------------------------------------------------------------------------------- */

static void test_no_exception(void **state) {
  (void)state;
  subpy_error *busy = UNWRITTEN;
  CHECK_EQUAL(subpy_run_string(1000000, "1", &busy), SUBPY_ERR_NOT_FOUND);
  const subpy_error *const errors[] = {busy, NULL};
  for (size_t i = 0; i < COUNT(errors); i++) {
    CHECK_EQUAL(subpy_error_frame_count(errors[i]), 0);
    CHECK(subpy_error_frame(errors[i], 0) == NULL, "a frame");
    CHECK_EQUAL(subpy_error_frames_left_out(errors[i]), 0);
    CHECK(subpy_error_cause(errors[i]) == NULL, "a cause");
    CHECK(subpy_error_context(errors[i]) == NULL, "a context");
    CHECK_EQUAL(subpy_error_group_count(errors[i]), 0);
    CHECK(subpy_error_group_item(errors[i], 0) == NULL, "a group");
    CHECK_EQUAL(subpy_error_note_count(errors[i]), 0);
    CHECK(subpy_error_note(errors[i], 0) == NULL, "a note");
    CHECK(subpy_error_args(errors[i]) == NULL, "arguments");
  }
  subpy_error_free(busy);
}

static void test_a_run_that_was_ended(void **state) {
  (void)state;
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  limit_to(&options, 50);
  options.filename = "endless.py";
  const char *const code = "def turn():\n    while True: pass\nturn()";
  subpy_error *error = UNWRITTEN;
  CHECK_EQUAL(subpy_run_string_with(id, &options, code, strlen(code), &error), SUBPY_ERR_TIMEOUT);
  CHECK_EQUAL(subpy_error_frame_count(error), 2);
  CHECK_TEXT(subpy_error_frame(error, 1)->function, "turn");
  CHECK_EQUAL(subpy_error_frame(error, 1)->line, 2);
  subpy_error_free(error);
}

/* What a script has put into the place of Python's own does not matter to the data. */
static void test_a_script_that_breaks_the_tools(void **state) {
  (void)state;
  RUN(id, "import builtins, linecache, sys, traceback\n"
          "sys.modules['traceback'] = sys.modules['linecache'] = None\n"
          "del builtins.set, builtins.getattr\n");
  subpy_error *error =
      fails_in("broken.py", "try: 1 / 0\nexcept Exception as e: raise KeyError from e");
  FRAME(error, 0, "broken.py", 2, 24, 2, 45, "<module>",
        "except Exception as e: raise KeyError from e");
  CHECK_TEXT(subpy_error_type(subpy_error_cause(error)), "ZeroDivisionError");
  FRAME(subpy_error_cause(error), 0, "broken.py", 1, 6, 1, 11, "<module>", "try: 1 / 0");
  subpy_error_free(error);
}

static int setup(void **state) {
  INITIALIZE(NULL);
  return make_folder(state);
}

static int teardown(void **state) {
  FINALIZE();
  return remove_folder(state);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_frames),
      TEST(test_frames_of_strings_without_a_name),
      TEST(test_frames_of_a_module),
      TEST(test_frames_of_files_and_of_modules_from_memory),
      TEST(test_the_place_of_a_syntax_error),
      TEST(test_file_names_as_given),
      TEST(test_ten_thousand_frames),
      TEST(test_a_line_is_cut_between_characters),
      TEST(test_what_is_not_known),
      TEST(test_causes_and_contexts),
      TEST(test_circles),
      TEST(test_a_chain_of_ten_thousand),
      TEST(test_groups),
      TEST(test_notes),
      TEST(test_arguments),
      TEST(test_a_queue_as_an_argument),
      TEST(test_no_traceback),
      TEST(test_no_exception),
      TEST(test_a_run_that_was_ended),
      TEST(test_a_script_that_breaks_the_tools),
  };
  return RUN_TESTS_BETWEEN(tests, setup, teardown);
}
