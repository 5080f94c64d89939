/* What interpreters leave behind: nothing that grows with their number. */
#include "support.h"

#include <unistd.h>

static void ignore_output(void *user, const char *text, size_t length) {
  (void)user, (void)text, (void)length;
}

static long resident_kib(void) {
  long pages[2] = {0, 0};
  FILE *file = fopen("/proc/self/statm", "r");
  CHECK(file != NULL && fscanf(file, "%ld %ld", &pages[0], &pages[1]) == 2, "no /proc/self/statm");
  fclose(file);
  return pages[1] * (sysconf(_SC_PAGESIZE) / 1024);
}

static void come_and_go(int times, const char *code) {
  for (int i = 0; i < times; i++) {
    subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
    config.stdout_fn = config.stderr_fn = ignore_output;
    RUN_IN_NEW(&config, code);
  }
}

/* Each of these led from a C module to all that its interpreter had. */
static const struct use {
  const char *name, *code;
} uses[] = {
    {"nothing", "pass"},
    {"templates", "import re; assert re.sub('(a)', r'\\1b', 'aa') == 'abab'"},
    {"futures", "import asyncio\n"
                "async def main():\n"
                "  loop = asyncio.get_running_loop()\n"
                "  futures = [loop.create_future() for _ in range(300)]\n"
                "  for future in futures: loop.call_soon(future.set_result, 1)\n"
                "  async def wait(future): return await future\n"
                "  assert sum(await asyncio.gather(*map(wait, futures))) == 300\n"
                "asyncio.run(main())\n"},
    {"other futures", "import asyncio.futures\n"
                      "try: import _asyncio\n"
                      "except ImportError: _asyncio = asyncio.futures  # to 3.11\n"
                      "_asyncio.Future = type('Future', (), {'__init__': lambda s, loop: None,\n"
                      "                                      '__await__': lambda s: iter([])})\n"},
    {"a task that waits", "import asyncio\n"
                          "loop = asyncio.new_event_loop()\n"
                          "async def wait(): await loop.create_future()\n"
                          "task = loop.create_task(wait())\n"
                          "loop.call_soon(loop.stop)\n"
                          "loop.run_forever()\n"},
    {"frozen objects", "import gc; gc.freeze()"},
    {"saved garbage", "import gc; gc.set_debug(gc.DEBUG_SAVEALL)"},
    {"functions that C keeps", "import sqlite3\n"
                               "connection = sqlite3.connect(':memory:')\n"
                               "connection.create_function('f', 0, lambda: connection)\n"},
    {"types of C",
     "try: import ctypes\n"
     "except ImportError: pass  # 3.12 with a GIL of its own\n"
     "else:\n"
     "  class Pair(ctypes.Structure): _fields_ = [('a', ctypes.c_int), ('b', ctypes.c_int)]\n"
     "  pair = ctypes.pointer(Pair(1, 2))\n"
     "  call = ctypes.CFUNCTYPE(ctypes.c_int)(lambda: pair.contents.b)\n"
     "  assert call() == 2\n"},
    {"adapters", "import sqlite3\n"
                 "sqlite3.register_converter('mine', bytes.hex)\n"
                 "sqlite3.connect(':memory:').execute('select 1').fetchall()\n"},
};

static void test_use(void **state) {
  const struct use *use = *state;
  /* It was 130 and more. What the allocator keeps varies by some 20. */
  enum { TIMES = 30, MOST_KIB = 64 };
  come_and_go(TIMES / 2, use->code);
  long before = resident_kib();
  come_and_go(TIMES, use->code);
  const double left = (resident_kib() - before) / (double)TIMES;
  CHECK(left <= MOST_KIB, "%s: each interpreter leaves %.1f KiB", use->name, left);
}

int main(void) {
  struct CMUnitTest tests[COUNT(uses)];
  for (size_t i = 0; i < COUNT(uses); i++) {
    const struct CMUnitTest test = {uses[i].name, test_use, NULL, NULL, (void *)&uses[i]};
    tests[i] = test;
  }
  return RUN_TESTS_INITIALIZED(tests);
}
