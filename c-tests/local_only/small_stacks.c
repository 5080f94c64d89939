/* Threads of the host's with small stacks: calls go by a stack of the library's. */
#define _GNU_SOURCE
#include "child.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum { SMALLEST = 16 << 10, LARGE = 8 << 20 };

/* What takes more than those stacks, or ends in an error in any. */
static const char *const deep[] = {
    "eval('(' * 5000 + ')' * 5000)",
    "exec('[' * 90 + ']' * 90)",
    "import ast; ast.literal_eval('-' * 50000 + '1')",
    "s = 'x'\nfor i in range(200): s = '(' + s + ')'\nexec('y = ' + s.replace('x', 'lambda: 0'))",
    "import asyncio, datetime, sqlite3, decimal, typing, dataclasses, email.message, http.client",
    "import functools\na = b = 0\nfor i in range(5000): a, b = [a], [b]\n"
    "sorted([a, b], key=functools.cmp_to_key(lambda x, y: (x > y) - (x < y)))",
    "import re, json\nre.compile('(' * 90 + ')' * 90)\njson.loads('[' * 5000 + ']' * 5000)",
};

/* Where a function is called. */
static uintptr_t here(void) {
  char place;
  volatile uintptr_t address = (uintptr_t)&place;
  return address;
}

static bool is_on_own_stack(uintptr_t address) {
  pthread_attr_t attributes;
  void *lowest;
  size_t size;
  CHECK_EQUAL(pthread_getattr_np(pthread_self(), &attributes), 0);
  pthread_attr_getstack(&attributes, &lowest, &size);
  pthread_attr_destroy(&attributes);
  return address - (uintptr_t)lowest < size;
}

/* A life, each call of it in a small stack. ------------------------------------------------------ */

static subpy_id shared_id;

static void answer(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user;
  CHECK_EQUAL(nargs, 1);
  subpy_host_return(call, &args[0]);
}

static void *live(void *unused) {
  (void)unused;
  subpy_id id;
  CREATE(NULL, &id);
  EXPECT(SUBPY_OK, subpy_define_function(id, "host", "answer", answer, NULL, NULL, &error));
  for (size_t i = 0; i < COUNT(deep); i++) {
    const subpy_status status = subpy_run_string(id, deep[i], NULL);
    CHECK(status == SUBPY_OK || status == SUBPY_ERR_EXCEPTION, "%s: %s", deep[i],
          subpy_status_name(status));
  }
  RUN(id, "import host\nassert host.answer([1, 'two']) == [1, 'two']");
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.timeout_ms = 30;
  EXPECT(SUBPY_ERR_TIMEOUT, subpy_run_string_with(id, &options, "while True: pass", 16, &error));
  subpy_value sum = subpy_none();
  EXPECT(SUBPY_OK, subpy_eval(id, "sum(range(10))", &sum, &error));
  CHECK_EQUAL(sum.as.integer, 45);
  DESTROY(id);
  return NULL;
}

static void test_life(void **state) {
  (void)state;
  for (size_t size = SMALLEST; size <= LARGE; size *= 2) {
    in_thread_of(size, live, NULL);
  }
}

static void *run_deep(void *code) {
  const subpy_status status = subpy_run_string(shared_id, code, NULL);
  CHECK(status == SUBPY_OK || status == SUBPY_ERR_EXCEPTION, "%s", subpy_status_name(status));
  return NULL;
}

/* The thread state is told of each stack: in any order. */
static void test_one_interpreter_in_all_stacks(void **state) {
  (void)state;
  CREATE(NULL, &shared_id);
  for (int round = 0; round < 3; round++) {
    for (size_t i = 0; i < COUNT(deep); i++) {
      for (size_t size = LARGE; size >= SMALLEST; size /= 8) {
        in_thread_of(size, run_deep, (void *)(uintptr_t)deep[i]);
      }
    }
  }
  DESTROY(shared_id);
}

/* Where host functions are called. --------------------------------------------------------------- */

static uintptr_t outer, inner, inner_elsewhere;
static subpy_id other_id;

static void note(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)call, (void)args, (void)nargs;
  *(uintptr_t *)user = here();
}

static void nest(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)args, (void)nargs;
  note(user, call, args, nargs);
  RUN(subpy_host_interpreter(call), "import host\nhost.inner()");
  RUN(other_id, "import host\nhost.inner_elsewhere()");
}

static void *run_nested(void *unused) {
  (void)unused;
  CHECK(is_on_own_stack(here()), "a thread is not on its stack");
  RUN(shared_id, "import host\nhost.outer()");
  return NULL;
}

static void test_nested_calls_go_on_below(void **state) {
  (void)state;
  CREATE(NULL, &shared_id);
  CREATE(NULL, &other_id);
  EXPECT(SUBPY_OK, subpy_define_function(shared_id, "host", "outer", nest, &outer, NULL, &error));
  EXPECT(SUBPY_OK, subpy_define_function(shared_id, "host", "inner", note, &inner, NULL, &error));
  EXPECT(SUBPY_OK, subpy_define_function(other_id, "host", "inner_elsewhere", note,
                                         &inner_elsewhere, NULL, &error));
  uintptr_t first = 0;
  for (int thread = 0; thread < 3; thread++) {
    in_thread_of(SMALLEST, run_nested, NULL);
    CHECK(inner < outer && outer - inner < 1 << 20, "the inner run is elsewhere");
    CHECK(inner_elsewhere < outer && outer - inner_elsewhere < 1 << 20,
          "another's run is elsewhere");
    CHECK(first == 0 || first - outer + (1 << 16) < 1 << 17,
          "an interpreter has changed its stack");
    first = outer;
  }
  run_nested(NULL);
  CHECK(is_on_own_stack(outer) && is_on_own_stack(inner) && is_on_own_stack(inner_elsewhere),
        "a large stack was left");
  DESTROY(shared_id);
  DESTROY(other_id);
}

/* A run is asked to end before it has begun: its stack is made first. ---------------------------- */

static void *run_for_ever(void *status) {
  *(subpy_status *)status = subpy_run_string(shared_id, "while True: pass", NULL);
  return NULL;
}

static void test_interrupts_before_the_start(void **state) {
  (void)state;
  for (int round = 0; round < 20; round++) {
    CREATE(NULL, &shared_id);
    for (int run = 0; run < 3; run++) {
      subpy_status status = SUBPY_OK;
      pthread_t thread = thread_start_in(SMALLEST, run_for_ever, &status);
      while (pthread_tryjoin_np(thread, NULL) != 0) {
        EXPECT(SUBPY_OK, subpy_interrupt(shared_id, &error));
      }
      CHECK_EQUAL(status, SUBPY_ERR_INTERRUPTED);
    }
    DESTROY(shared_id);
  }
}

/* Memory. ---------------------------------------------------------------------------------------- */

/* How much is committed of the 8 MiB below an address. */
static size_t committed_below(uintptr_t address) {
  enum { PAGES = (8 << 20) / 4096 };
  static unsigned char pages[PAGES];
  const uintptr_t end = (address | 4095) + 1;
  CHECK_EQUAL(mincore((void *)(end - sizeof pages * 4096), sizeof pages * 4096, pages), 0);
  size_t count = 0;
  for (size_t i = 0; i < COUNT(pages); i++) {
    count += pages[i] & 1;
  }
  return count * 4096;
}

static size_t inside;

static void note_committed(void *user, subpy_host_call *call, const subpy_value *args,
                           size_t nargs) {
  note(user, call, args, nargs);
  inside = committed_below(outer);
}

static void *run_deep_and_note(void *unused) {
  (void)unused;
  RUN(shared_id, "import host\nimport ast\n"
                 "try: ast.literal_eval('-' * 50000 + '1')\n"
                 "except (MemoryError, RecursionError): pass\n"
                 "x = []\nfor _ in range(100_000): x = [x]\n"
                 "try: repr(x)\nexcept RecursionError: pass\n"
                 "host.note()\n");
  return NULL;
}

static void test_memory_is_given_back(void **state) {
  (void)state;
  CREATE(NULL, &shared_id);
  EXPECT(SUBPY_OK,
         subpy_define_function(shared_id, "host", "note", note_committed, &outer, NULL, &error));
  for (int round = 0; round < 3; round++) {
    in_thread_of(SMALLEST, run_deep_and_note, NULL);
    CHECK(inside > 256 << 10, "%zu bytes: the script is not deep", inside);
    const size_t left = committed_below(outer);
    CHECK(left > 0 && left <= 256 << 10, "%zu bytes stay committed", left);
  }
  DESTROY(shared_id);
}

static int count_mappings(void) {
  int count = 0;
  FILE *file = fopen("/proc/self/maps", "r");
  CHECK(file != NULL, "no /proc");
  for (int c; (c = getc(file)) != EOF;) {
    count += c == '\n';
  }
  fclose(file);
  return count;
}

static void *come_and_go(void *unused) {
  (void)unused;
  subpy_id id;
  CREATE(NULL, &id);
  RUN(id, "x = 1");
  DESTROY(id);
  return NULL;
}

static void test_stacks_go_with_their_interpreters(void **state) {
  (void)state;
  in_thread_of(SMALLEST, come_and_go, NULL);
  const int before = count_mappings();
  for (int i = 0; i < 100; i++) {
    in_thread_of(SMALLEST, come_and_go, NULL);
  }
  const int after = count_mappings();
  CHECK(after - before < 50, "%d mappings, and then %d", before, after);
}

/* Threads of scripts. ---------------------------------------------------------------------------- */

static void test_threads_of_scripts(void **state) {
  (void)state;
  CREATE(NULL, &shared_id);
  subpy_value codes[COUNT(deep)];
  for (size_t i = 0; i < COUNT(deep); i++) {
    codes[i] = subpy_str(deep[i]);
  }
  const subpy_value all = subpy_list(codes, COUNT(deep));
  EXPECT(SUBPY_OK, subpy_set(shared_id, "codes", &all, &error));
  RUN(shared_id, "import threading\n"
                 "ended = []\n"
                 "def run(code):\n"
                 "  try: exec(code, {})\n"
                 "  except (SyntaxError, MemoryError, RecursionError) as e: ended.append(type(e))\n"
                 "  else: ended.append(None)\n"
                 "for size in 1 << 17, 1 << 18, 1 << 23, 0:\n"
                 "  threading.stack_size(size)\n"
                 "  for code in codes:\n"
                 "    thread = threading.Thread(target=run, args=(code,))\n"
                 "    thread.start()\n"
                 "    thread.join()\n"
                 "assert len(ended) == 4 * len(codes), ended\n");
  DESTROY(shared_id);
}

/* From start to end; none left; none wanted. ----------------------------------------------------- */

static void *whole_life(void *unused) {
  (void)unused;
  INITIALIZE(NULL);
  live(NULL);
  FINALIZE();
  return NULL;
}

static void start_and_end(void *unused) {
  (void)unused;
  in_thread_of(SMALLEST, whole_life, NULL);
}

static void test_start_and_end(void **state) {
  (void)state;
  IN_CHILD(start_and_end, NULL);
}

static void *refused_run(void *unused) {
  (void)unused;
  REFUSES(SUBPY_ERR_NO_MEMORY, "this thread's stack is small",
          subpy_run_string(shared_id, "x = 1", &error));
  subpy_id id;
  REFUSES(SUBPY_ERR_NO_MEMORY, "this thread's stack is small", subpy_create(NULL, &id, &error));
  REFUSES(SUBPY_ERR_NO_MEMORY, "this thread's stack is small", subpy_destroy(shared_id, &error));
  return NULL;
}

static void *accepted_run(void *unused) {
  (void)unused;
  RUN(shared_id, "x += 1\nassert x == 2");
  return NULL;
}

/* How much address space the process has, in bytes. */
static rlim_t address_space(void) {
  unsigned long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  CHECK(file != NULL && fscanf(file, "%lu", &pages) == 1, "no /proc");
  fclose(file);
  return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static void without_address_space(void *unused) {
  (void)unused;
  INITIALIZE(NULL);
  CREATE(NULL, &shared_id);
  RUN(shared_id, "x = 1");
  in_thread_of(SMALLEST, run_deep, "x = 1"); /* a first small thread of the C library's */
  DESTROY(shared_id);
  CREATE(NULL, &shared_id);
  RUN(shared_id, "x = 1");
  struct rlimit before;
  CHECK_EQUAL(getrlimit(RLIMIT_AS, &before), 0);
  const struct rlimit low = {address_space() + (8 << 20), before.rlim_max};
  CHECK_EQUAL(setrlimit(RLIMIT_AS, &low), 0);
  in_thread_of(SMALLEST, refused_run, NULL);
  CHECK_EQUAL(setrlimit(RLIMIT_AS, &before), 0);
  in_thread_of(SMALLEST, accepted_run, NULL);
  DESTROY(shared_id);
  FINALIZE();
}

static void test_without_address_space(void **state) {
  (void)state;
  IN_CHILD(without_address_space, NULL);
}

static void *run_here(void *unused) {
  (void)unused;
  RUN(shared_id, "import host\nhost.note()");
  CHECK(is_on_own_stack(outer), "the thread's stack was left");
  return NULL;
}

static void with_switches_forbidden(void *unused) {
  (void)unused;
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.forbid_stack_switches = 1;
  INITIALIZE(&config);
  CREATE(NULL, &shared_id);
  EXPECT(SUBPY_OK, subpy_define_function(shared_id, "host", "note", note, &outer, NULL, &error));
  in_thread_of(1 << 20, run_here, NULL);
  run_here(NULL);
  DESTROY(shared_id);
  FINALIZE();
}

static void test_with_switches_forbidden(void **state) {
  (void)state;
  IN_CHILD(with_switches_forbidden, NULL);
}

int main(void) {
  const struct CMUnitTest before[] = {
      cmocka_unit_test(test_start_and_end),
      cmocka_unit_test(test_without_address_space),
      cmocka_unit_test(test_with_switches_forbidden),
  };
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_life),
      cmocka_unit_test(test_one_interpreter_in_all_stacks),
      cmocka_unit_test(test_nested_calls_go_on_below),
      cmocka_unit_test(test_interrupts_before_the_start),
      cmocka_unit_test(test_memory_is_given_back),
      cmocka_unit_test(test_stacks_go_with_their_interpreters),
      cmocka_unit_test(test_threads_of_scripts),
  };
  const int failed = RUN_TESTS(before);
  return failed + RUN_TESTS_INITIALIZED(tests);
}
