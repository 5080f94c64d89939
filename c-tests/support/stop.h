/*
 * Runs that something ends: the host, a limit on the time.
 */
#ifndef SUBPY_TESTS_STOP_H
#define SUBPY_TESTS_STOP_H

#include "support.h"

/* From 3.12 on, what is to end gets the exception at each safe point in the end, whatever it
 * catches. */
static inline bool stops_everything(void) { return python_at_least(3, 12); }

/* What an error of such a run has to be: `part` is in its traceback. Frees it. (On a slow machine the message says how
 * late it came.) */
static inline void check_stopped(const char *file, int line, subpy_status expected,
                                 subpy_error *error, const char *part) {
  const char *message = expected == SUBPY_ERR_TIMEOUT ? "the run has taken longer than it was given"
                                                      : "the run was interrupted by the host";
  if (subpy_error_status(error) != expected ||
      strncmp(subpy_error_message(error), message, strlen(message)) != 0 ||
      strstr(subpy_error_traceback(error), part) == NULL) {
    check_failed(file, line, subpy_status_name(expected), "%s: %s: %s\n%s",
                 subpy_status_name(subpy_error_status(error)), subpy_error_type(error),
                 subpy_error_message(error), subpy_error_traceback(error));
  }
  subpy_error_free(error);
}

#define CHECK_STOPPED(expected, error, part)                                                       \
  check_stopped(__FILE__, __LINE__, expected, error, part)

/* A run, with what it needs and what came of it. */
static inline subpy_error *run_for(subpy_id id, const subpy_run_options *options,
                                   const char *code) {
  subpy_error *error = UNWRITTEN;
  subpy_run_string_with(id, options, code, strlen(code), &error);
  CHECK(error != UNWRITTEN, "the error was not written");
  return error;
}

/* Whether scripts that are to end do: each as a whole, and what may be found in its traceback. All
 * of them print a line first. */
struct endless {
  const char *name, *code, *part;
  int since; /* 3.what: before, it is never ended */
};

static const struct endless endless[] = {
    {"loop", "print()\nwhile True:\n  pass\n", "line ", 0},
    {"function", "def inner():\n  while True: pass\nprint()\ninner()\n", "line ", 0},
    {"generator", "import itertools\nprint()\nfor _ in itertools.count(): pass\n", "line ", 0},
    {"calls", "def f(): pass\nprint()\nwhile True: f()\n", "line ", 0},
    {"except Exception",
     "while True:\n"
     "  try:\n"
     "    print()\n"
     "    while True: pass\n"
     "  except Exception: pass\n",
     "line ", 0},
    {"except BaseException",
     "print()\n"
     "while True:\n"
     "  try:\n"
     "    while True: pass\n"
     "  except BaseException: pass\n",
     "line ", 12},
    {"a bare except, deep down",
     "def f(n):\n"
     "  while True:\n"
     "    try:\n"
     "      if n: f(n - 1)\n"
     "    except: pass\n"
     "print()\n"
     "f(50)\n",
     "line ", 12},
    {"return in finally",
     "def f():\n"
     "  try:\n"
     "    while True: pass\n"
     "  finally:\n"
     "    return\n"
     "print()\n"
     "while True: f()\n",
     "line ", 12},
    {"a loop in finally",
     "try:\n"
     "  print()\n"
     "  while True: pass\n"
     "finally:\n"
     "  while True: pass\n",
     "line 5", 0},
    {"contextlib.suppress",
     "import contextlib\n"
     "print()\n"
     "while True:\n"
     "  with contextlib.suppress(BaseException):\n"
     "    while True: pass\n",
     "line ", 12},
    {"a coroutine",
     "import asyncio\n"
     "async def busy():\n"
     "  print()\n"
     "  while True: pass\n"
     "asyncio.run(busy())\n",
     "line ", 0},
    {"__del__",
     "class Endless:\n"
     "  def __del__(self):\n"
     "    while True: pass\n"
     "print()\n"
     "while True:\n"
     "  x = Endless(); del x\n",
     "line ", 12},
    {"a comparison in C",
     "class K:\n"
     "  def __lt__(self, other):\n"
     "    return True\n"
     "print()\n"
     "while True: sorted(K() for _ in range(1000))\n",
     "line ", 0},
    {"beside another thread",
     "import threading\n"
     "end = False\n"
     "def spin():\n"
     "  while not end: pass\n"
     "t = threading.Thread(target=spin)\n"
     "t.start()\n"
     "try:\n"
     "  print()\n"
     "  while True: pass\n"
     "finally:\n"
     "  end = True\n",
     "line ", 0},
};

#define SUM                                                                                        \
  "      if x: x = x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x\n"

/* Loops without an end, and without a call: what ends them comes at the jump back to their start. To be indented by 4
 * columns, where `done` is None and `x` is 0. CPython does not see the `try` around each: see
 * crates/core/src/local/cures/backward_jumps.rs. */
static const char *const loops[] = {
    "while True: pass",
    "while not done: pass",
    "while done is None: x = 0",
    "while True:\n      if done: break",
    "for x in iter(int, 1):\n      if x: break",
    "while not done:\n" SUM SUM SUM SUM SUM SUM SUM SUM, /* a long way to jump */
};

#endif
