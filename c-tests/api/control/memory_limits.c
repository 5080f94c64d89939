/* account_memory: how much memory each interpreter has, and no more than its limit. */
#include "fixture.h"
#include "child.h"
#include "stop.h"

enum { MIB = 1 << 20 };

static subpy_id create_limited(uint64_t bytes) {
  subpy_id id;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.memory_limit = bytes;
  CREATE(&config, &id);
  return id;
}

struct usage {
  uint64_t current, peak;
};

static struct usage usage_of(subpy_id id) {
  struct usage usage = {0, 0};
  EXPECT(SUBPY_OK, subpy_memory_usage(id, &usage.current, &usage.peak, &error));
  CHECK(usage.current <= usage.peak, "current is past peak");
  return usage;
}

/* Usage. -------------------------------------------------------------------------------------- */

static void test_usage_follows_allocations(void **state) {
  (void)state;
  const struct usage idle = usage_of(id);
  CHECK(idle.current > 100000 || !memory_counts_from_the_start(), "an interpreter takes %llu bytes",
        (unsigned long long)idle.current);
  RUN(id, "x = bytearray(8 << 20)");
  const struct usage full = usage_of(id);
  CHECK(full.current >= idle.current + 8 * MIB, "8 MiB more are not seen");
  RUN(id, "del x");
  const struct usage empty = usage_of(id);
  CHECK(empty.current < idle.current + MIB, "8 MiB less are not seen");
  CHECK(empty.peak >= full.current, "the peak is gone");
}

static void test_places_may_be_null(void **state) {
  (void)state;
  const uint64_t unwritten = UINT64_MAX;
  uint64_t current = unwritten, peak = unwritten;
  EXPECT(SUBPY_OK, subpy_memory_usage(id, &current, NULL, &error));
  EXPECT(SUBPY_OK, subpy_memory_usage(id, NULL, &peak, &error));
  EXPECT(SUBPY_OK, subpy_memory_usage(id, NULL, NULL, &error));
  CHECK(current < unwritten && peak < unwritten && peak >= current, "they are not written");
  DESTROY(id);
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_memory_usage(id, &current, &peak, &error));
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_memory_usage(-1, NULL, NULL, &error));
  EXPECT(SUBPY_OK, subpy_memory_usage(0, &current, &peak, &error));
}

static void test_each_has_its_own(void **state) {
  (void)state;
  subpy_id one, other;
  CREATE(NULL, &one);
  CREATE(NULL, &other);
  const struct usage before = usage_of(other);
  RUN(one, "x = [str(n) for n in range(100000)]");
  CHECK_EQUAL(usage_of(other).current, before.current);
  DESTROY(one);
  CHECK_EQUAL(usage_of(other).current, before.current);
  DESTROY(other);
}

/* Names that a host makes up, each asked for once: nothing is left of them. */
static void test_names_leave_nothing(void **state) {
  (void)state;
  struct usage before = {0, 0};
  for (int i = 0; i < 40000; i++) {
    if (i == 10000) {
      before = usage_of(id);
    }
    char name[40], path[100];
    snprintf(name, sizeof name, "row_%d", i);
    snprintf(path, sizeof path, "math:%s.%s", name, name);
    subpy_value value = subpy_int(i);
    const subpy_value key = subpy_str(name);
    CHECK_EQUAL(subpy_get(id, name, &value, NULL), SUBPY_ERR_NOT_FOUND);
    CHECK_EQUAL(subpy_call(id, path, NULL, 0, NULL, NULL), SUBPY_ERR_NOT_FOUND);
    EXPECT(SUBPY_OK, subpy_set(id, name, &key, &error));
    EXPECT(SUBPY_OK, subpy_call(id, "__main__:__dict__.pop", &key, 1, NULL, &error));
  }
  CHECK(usage_of(id).current < before.current + MIB, "30,000 names take %llu bytes",
        (unsigned long long)(usage_of(id).current - before.current));
}

static void test_python_threads_count(void **state) {
  (void)state;
  RUN(id, "import threading");
  const struct usage before = usage_of(id);
  RUN(id, "def fill():\n  global x\n  x = bytearray(4 << 20)\n"
          "t = threading.Thread(target=fill)\nt.start()\nt.join()\n");
  CHECK(usage_of(id).current >= before.current + 4 * MIB, "what a thread allocates is not seen");
  EXPECT(SUBPY_OK, destroy_within(id, 60000, &error));
}

static void test_while_it_runs(void **state) {
  (void)state;
  uint64_t first = usage_of(id).current, last = 0;
  for (int i = 0; i < 50; i++) {
    RUN(id, "x = [0] * 1000; del x");
  }
  last = usage_of(id).current;
  CHECK(last < first + MIB, "it grows");
}

/* Limits. ------------------------------------------------------------------------------------- */

/* Programs that want more than there is, and what they get. */
static const struct greedy {
  const char *name, *code;
} greedy[] = {
    {"a large list", "x = [0] * 10 ** 10"},
    {"a growing list", "x = []\nwhile True: x.append(0)"},
    {"a growing list of strings", "x = []\nwhile True: x.append('%d' % len(x))"},
    {"a linked list", "x = None\nwhile True: x = (x,)"},
    {"a linked list of objects",
     "class Node: pass\nx = None\nwhile True:\n  y = Node(); y.next = x; x = y\n"},
    {"a large string", "x = 'x' * 2 ** 30"},
    {"a growing string", "x = 'x'\nwhile True: x += x"},
    {"large bytes", "x = bytes(1 << 30)"},
    {"a growing bytearray", "x = bytearray()\nwhile True: x += bytes(1000)"},
    {"a growing dict", "x = {}\nwhile True: x[len(x)] = None"},
    {"a growing set", "x = set()\nwhile True: x.add(len(x))"},
    {"a comprehension", "x = [n * n for n in range(10 ** 9)]"},
    {"a tuple of a generator", "x = tuple(n for n in range(10 ** 9))"},
    {"a large int", "x = 1 << 10 ** 10"},
    {"a growing int", "x = 1\nwhile True: x <<= 1 << 20"},
    {"a product of large ints", "x = 1 << 10 ** 8\nx *= x"},
    {"a format", "x = '%2000000000d' % 1"},
    {"a join", "x = ','.join(['x' * 1000000] * 10000)"},
    {"a file in memory", "import io\nx = io.BytesIO()\nwhile True: x.write(bytes(1000))"},
    {"lists in lists", "x = []\nwhile True: x = [x, list(range(100))]"},
    {"an endless recursion", "import sys\nsys.setrecursionlimit(10 ** 9)\ndef f(): f()\nf()"},
    {"a recursion with large frames",
     "import sys\nsys.setrecursionlimit(10 ** 9)\ndef f(n): return [n, f(n + 1)]\nf(0)"},
    {"a recursion through C", "import sys\nsys.setrecursionlimit(10 ** 9)\n"
                              "class C:\n  def __repr__(self): return repr(self)\nrepr(C())"},
    {"a recursion of generators",
     "import sys\nsys.setrecursionlimit(10 ** 9)\ndef f(): yield from f()\nlist(f())"},
};

static bool wants_memory(const char *type) {
  return strcmp(type, "MemoryError") == 0 || strcmp(type, "RecursionError") == 0;
}

static void test_greedy(void **state) {
  const struct greedy *script = *state;
  subpy_id other;
  CREATE(NULL, &other);
  const uint64_t others = usage_of(other).current;
  const subpy_id id = create_limited(24 * MIB);
  for (int i = 0; i < 3; i++) {
    subpy_error *error = run_for(id, NULL, script->code);
    CHECK_EQUAL(subpy_error_status(error), SUBPY_ERR_EXCEPTION);
    CHECK(wants_memory(subpy_error_type(error)), "%s: %s", subpy_error_type(error),
          subpy_error_traceback(error));
    subpy_error_free(error);
    /* Small blocks may take 16 MiB on top of the limit, and reading the exception some. */
    CHECK(usage_of(id).peak <= 42 * MIB, "%llu bytes", (unsigned long long)usage_of(id).peak);
    RUN(id, "x = y = None");
    RUN(id, "assert sum(range(1000)) == 499500");
  }
  CHECK_EQUAL(usage_of(other).current, others);
  DESTROY(id);
  DESTROY(other);
}

static void test_it_can_be_caught(void **state) {
  (void)state;
  const subpy_id id = create_limited(24 * MIB);
  RUN(id, "caught = 0\n"
          "for n in range(20):\n"
          "  x = []\n"
          "  try:\n"
          "    while True: x.append(bytes(1000))\n"
          "  except MemoryError:\n"
          "    caught += 1\n"
          "  x = None\n"
          "assert caught == 20\n"
          "y = [0] * 100000\n");
  RUN(id, "try:\n  'x' * 2 ** 30\nexcept MemoryError: caught += 1\nassert caught == 21");
  DESTROY(id);
}

static void test_in_a_python_thread(void **state) {
  (void)state;
  const subpy_id id = create_limited(24 * MIB);
  RUN(id, "import threading\n"
          "found = []\n"
          "def fill():\n"
          "  x = []\n"
          "  try:\n"
          "    while True: x.append(bytes(10000))\n"
          "  except MemoryError: found.append(len(x))\n"
          "threads = [threading.Thread(target=fill) for _ in range(2)]\n"
          "for t in threads: t.start()\n"
          "for t in threads: t.join()\n"
          "assert len(found) == 2, found\n");
  EXPECT(SUBPY_OK, destroy_within(id, 60000, &error));
}

static void test_a_run_that_will_not_stop_filling(void **state) {
  (void)state;
  const subpy_id id = create_limited(24 * MIB);
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  limit_to(&options, 100);
  CHECK_STOPPED(SUBPY_ERR_TIMEOUT,
                run_for(id, &options,
                        "while True:\n"
                        "  x = []\n"
                        "  try:\n"
                        "    while True: x.append(bytes(10000))\n"
                        "  except MemoryError: pass\n"),
                "line ");
  RUN(id, "x = None");
  DESTROY(id);
}

/* Several at once: each is at its own limit. */
static void *fill(void *argument) {
  const subpy_id id = create_limited(24 * MIB);
  (void)argument;
  for (int i = 0; i < 10; i++) {
    REFUSES(SUBPY_ERR_EXCEPTION, "",
            subpy_run_string(id, "x = []\nwhile True: x.append(bytes(1000))", &error));
    RUN(id, "x = None");
  }
  DESTROY(id);
  return NULL;
}

static void test_many_at_once(void **state) {
  (void)state;
  subpy_id other;
  pthread_t threads[4];
  CREATE(NULL, &other);
  const uint64_t before = usage_of(other).current;
  for (size_t i = 0; i < COUNT(threads); i++) {
    threads[i] = thread_start(fill, NULL);
  }
  for (size_t i = 0; i < COUNT(threads); i++) {
    thread_join(threads[i]);
  }
  CHECK_EQUAL(usage_of(other).current, before);
  RUN(other, "x = [0] * (8 << 20)"); /* 64 MiB: it has no limit */
  DESTROY(other);
}

static void test_too_low(void **state) {
  (void)state;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  subpy_id id = 77;
  const uint64_t too_low[] = {MIB, MIB + 1};
  for (size_t i = 0; i < COUNT(too_low); i++) {
    config.memory_limit = too_low[i];
    REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "which is too low", subpy_create(&config, &id, &error));
    CHECK_EQUAL(id, -1);
  }
}

static void test_no_limit(void **state) {
  (void)state;
  const subpy_id none = create_limited(0), huge = create_limited(UINT64_MAX);
  RUN(none, "x = bytearray(64 << 20)");
  RUN(huge, "x = bytearray(64 << 20)");
  DESTROY(none);
  DESTROY(huge);
}

/* Where it is not counted. --------------------------------------------------------------------- */

static void not_counted(void *argument) {
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  subpy_id id;
  (void)argument;
  INITIALIZE(NULL);
  config.memory_limit = 64 * MIB;
  REFUSES(SUBPY_ERR_UNSUPPORTED, "account_memory", subpy_create(&config, &id, &error));
  CHECK_EQUAL(id, -1);
  CREATE(NULL, &id);
  EXPECT(SUBPY_ERR_UNSUPPORTED, subpy_memory_usage(id, NULL, NULL, &error));
  DESTROY(id);
  FINALIZE();
}

static void another_allocator(void *argument) {
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  (void)argument;
  setenv("PYTHONMALLOC", "malloc", 1);
  config.account_memory = 1;
  REFUSES(SUBPY_ERR_UNSUPPORTED, "PYTHONMALLOC", subpy_initialize(&config, &error));
  CHECK(!subpy_is_initialized(), "it is initialized");
  INITIALIZE(NULL);
  FINALIZE();
}

static void unsupported(void *argument) {
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  (void)argument;
  config.account_memory = 1;
  EXPECT(SUBPY_ERR_UNSUPPORTED, subpy_initialize(&config, &error));
}

static void test_not_counted(void **state) {
  (void)state;
  EXPECT(SUBPY_ERR_NOT_INITIALIZED, subpy_memory_usage(0, NULL, NULL, &error));
  IN_CHILD(not_counted, NULL);
}

static void test_another_allocator(void **state) {
  (void)state;
  IN_CHILD(another_allocator, NULL);
}

static void test_unsupported(void **state) {
  (void)state;
  CHECK_EQUAL(subpy_supports(SUBPY_FEATURE_MEMORY_ACCOUNTS), python_at_least(3, 12));
  if (!subpy_supports(SUBPY_FEATURE_MEMORY_ACCOUNTS)) {
    IN_CHILD(unsupported, NULL);
  }
}

static int initialize(void **state) {
  (void)state;
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.account_memory = 1;
  INITIALIZE(&config);
  return 0;
}

int main(void) {
  const struct CMUnitTest first[] = {
      cmocka_unit_test(test_not_counted),
      cmocka_unit_test(test_another_allocator),
      cmocka_unit_test(test_unsupported),
  };
  const struct CMUnitTest others[] = {
      TEST(test_usage_follows_allocations),
      TEST(test_places_may_be_null),
      cmocka_unit_test(test_each_has_its_own),
      TEST(test_names_leave_nothing),
      TEST(test_python_threads_count),
      TEST(test_while_it_runs),
      cmocka_unit_test(test_it_can_be_caught),
      cmocka_unit_test(test_in_a_python_thread),
      cmocka_unit_test(test_a_run_that_will_not_stop_filling),
      cmocka_unit_test(test_many_at_once),
      cmocka_unit_test(test_too_low),
      cmocka_unit_test(test_no_limit),
  };
  struct CMUnitTest scripts[COUNT(greedy)];
  for (size_t i = 0; i < COUNT(greedy); i++) {
    const struct CMUnitTest test = {greedy[i].name, test_greedy, NULL, NULL, (void *)&greedy[i]};
    scripts[i] = test;
  }
  if (RUN_TESTS(first) || !python_at_least(3, 12)) {
    return subpy_supports(SUBPY_FEATURE_MEMORY_ACCOUNTS);
  }
  return RUN_TESTS_BETWEEN(scripts, initialize, NULL) ||
         RUN_TESTS_BETWEEN(others, NULL, finalize_at_last);
}
