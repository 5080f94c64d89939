/* Python functions that C calls: in the thread that runs, and in threads of its own. */
#include "support.h"

typedef void *(*callback_fn)(void *argument);

/* The C function that a script has made last, or NULL. */
static callback_fn handed_over;

static void hand_over(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user, (void)call;
  CHECK_EQUAL(nargs, 1);
  handed_over = (callback_fn)(uintptr_t)args[0].as.integer;
}

/* Calls what another interpreter has handed over, from inside of a run. */
static void call_it(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user, (void)args, (void)nargs;
  const subpy_value answer = subpy_int((int64_t)(uintptr_t)handed_over((void *)7));
  subpy_host_return(call, &answer);
}

static const char MAKES[] = "import ctypes, host, json, sys, threading\n"
                            "seen, wrong = [], []\n"
                            "def function(argument):\n"
                            "  import json as again\n"
                            "  seen.append(threading.get_ident())\n"
                            "  if again is not json or sys.modules['json'] is not json:\n"
                            "    wrong.append(again)\n"
                            "  return (argument or 0) + 1\n"
                            "Function = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)\n"
                            "for_c = Function(function)\n"
                            "host.hand_over(ctypes.cast(for_c, ctypes.c_void_p).value)\n";

/* Whether it can have ctypes: 3.12 has none with a GIL of its own. */
static bool create_with_ctypes(uint32_t gil, subpy_id *id, struct capture *capture) {
  subpy_interpreter_config config = capture_config(capture);
  config.gil = gil;
  CREATE(&config, id);
  EXPECT(SUBPY_OK, subpy_define_function(*id, "host", "hand_over", hand_over, NULL, NULL, &error));
  EXPECT(SUBPY_OK, subpy_define_function(*id, "host", "call_it", call_it, NULL, NULL, &error));
  if (subpy_run_string(*id, "import ctypes", NULL) != SUBPY_OK) {
    CHECK(!python_at_least(3, 13) && gil != SUBPY_GIL_SHARED, "no ctypes");
    DESTROY(*id);
    return false;
  }
  RUN(*id, MAKES);
  return true;
}

static const uint32_t gils[] = {SUBPY_GIL_DEFAULT, SUBPY_GIL_SHARED};

#define FOR_EACH_GIL(id, capture)                                                                  \
  for (size_t gil_number = 0; gil_number < COUNT(gils); gil_number++)                              \
    if (create_with_ctypes(gils[gil_number], &(id), &(capture)))

/* C starts the threads, as event, audio and message libraries do. */
static void test_threads_that_c_starts(void **state) {
  (void)state;
  subpy_id id;
  struct capture capture = {{NULL, 0}, {NULL, 0}};
  FOR_EACH_GIL(id, capture) {
    RUN(id, "c, thread = ctypes.CDLL(None), ctypes.c_ulong()\n"
            "result = ctypes.c_void_p()\n"
            "for i in range(300):\n"
            "  assert c.pthread_create(ctypes.byref(thread), None, for_c, i) == 0\n"
            "  assert c.pthread_join(thread, ctypes.byref(result)) == 0\n"
            "  assert result.value == i + 1, result\n"
            "assert len(seen) == 300 and threading.get_ident() not in seen and not wrong\n");
    DESTROY(id);
    CHECK(capture.err.length == 0, "%s", capture.err.data);
    capture_clear(&capture);
  }
}

static void *call_many(void *argument) {
  const callback_fn call = *(callback_fn *)argument;
  for (uintptr_t i = 0; i < 300; i++) {
    const uintptr_t answer = (uintptr_t)call((void *)i);
    CHECK_EQUAL(answer, i + 1);
  }
  return NULL;
}

/* Threads of the host's, two for each of two interpreters, while one of these runs. */
static void test_threads_of_the_host(void **state) {
  (void)state;
  subpy_id id, other;
  struct capture captures[2] = {{{NULL, 0}, {NULL, 0}}, {{NULL, 0}, {NULL, 0}}};
  FOR_EACH_GIL(id, captures[0]) {
    const callback_fn first = handed_over;
    CHECK(create_with_ctypes(gils[gil_number], &other, &captures[1]), "no ctypes");
    callback_fn calls[] = {first, handed_over, first, handed_over};
    pthread_t threads[COUNT(calls)];
    for (size_t i = 0; i < COUNT(calls); i++) {
      threads[i] = thread_start(call_many, &calls[i]);
    }
    RUN(id, "while len(seen) < 600: pass");
    for (size_t i = 0; i < COUNT(calls); i++) {
      thread_join(threads[i]);
    }
    RUN(id, "assert len(seen) == 600 and not wrong");
    RUN(other, "assert len(seen) == 600 and not wrong");
    DESTROY(id);
    DESTROY(other);
    capture_clear(&captures[0]);
    capture_clear(&captures[1]);
  }
}

/* In the thread that runs it is as it always was. */
static void test_the_thread_that_runs(void **state) {
  (void)state;
  subpy_id id;
  struct capture capture = {{NULL, 0}, {NULL, 0}};
  FOR_EACH_GIL(id, capture) {
    RUN(id, "Compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int),\n"
            "                           ctypes.POINTER(ctypes.c_int))\n"
            "idents = set()\n"
            "def compare(a, b):\n"
            "  idents.add(threading.get_ident())\n"
            "  return a[0] - b[0]\n"
            "numbers = (ctypes.c_int * 5)(5, 1, 7, 33, 3)\n"
            "for lib in ctypes.CDLL(None), ctypes.PyDLL(None):\n"
            "  lib.qsort(numbers, 5, ctypes.sizeof(ctypes.c_int), Compare(compare))\n"
            "  assert list(numbers) == [1, 3, 5, 7, 33], list(numbers)\n"
            "assert idents == {threading.get_ident()}\n"
            "def work():\n"
            "  idents.clear()\n"
            "  ctypes.CDLL(None).qsort(numbers, 5, ctypes.sizeof(ctypes.c_int), Compare(compare))\n"
            "  wrong.extend(idents - {threading.get_ident()})\n"
            "thread = threading.Thread(target=work); thread.start(); thread.join()\n"
            "assert idents and not wrong\n");
    DESTROY(id);
    capture_clear(&capture);
  }
}

/* A function of one interpreter that is called while another one's script waits for the host. */
static void test_another_interpreters_run(void **state) {
  (void)state;
  subpy_id id, other;
  struct capture capture = {{NULL, 0}, {NULL, 0}};
  FOR_EACH_GIL(id, capture) {
    subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
    CREATE(&config, &other);
    EXPECT(SUBPY_OK, subpy_define_function(other, "host", "call_it", call_it, NULL, NULL, &error));
    RUN(other, "import host\nassert host.call_it() == 8");
    RUN(id, "assert len(seen) == 1 and not wrong\nassert host.call_it() == 8");
    DESTROY(other);
    DESTROY(id);
    capture_clear(&capture);
  }
}

/* C's threads may have small stacks, as those of audio libraries have. */
static void test_small_stacks(void **state) {
  (void)state;
  subpy_id id;
  struct capture capture = {{NULL, 0}, {NULL, 0}};
  FOR_EACH_GIL(id, capture) {
    RUN(id, "ended = []\n"
            "def function(argument):\n"
            "  try: eval('(' * 5000 + ')' * 5000)\n"
            "  except (SyntaxError, MemoryError): ended.append(1)\n"
            "  def deep(): deep()\n"
            "  try: deep()\n"
            "  except RecursionError: ended.append(2)\n"
            "  return 0\n"
            "for_c = Function(function)\n"
            "host.hand_over(ctypes.cast(for_c, ctypes.c_void_p).value)\n");
    in_thread_of(64 << 10, (void *(*)(void *))handed_over, NULL);
    RUN(id, "assert ended == [1, 2], ended");
    DESTROY(id);
    CHECK(capture.err.length == 0, "%s", capture.err.data);
    capture_clear(&capture);
  }
}

static void test_exceptions(void **state) {
  (void)state;
  subpy_id id;
  struct capture capture = {{NULL, 0}, {NULL, 0}};
  FOR_EACH_GIL(id, capture) {
    RUN(id, "def function(argument): raise LookupError('of the function')\n"
            "for_c = Function(function)\n"
            "host.hand_over(ctypes.cast(for_c, ctypes.c_void_p).value)\n");
    in_thread((void *(*)(void *))handed_over, NULL);
    RUN(id, "x = 1");
    CHECK_CONTAINS(capture.err.data, "LookupError: of the function");
    DESTROY(id);
    capture_clear(&capture);
  }
}

struct caller {
  callback_fn call;
  uintptr_t answer;
};

static void *call_once(void *argument) {
  struct caller *caller = argument;
  caller->answer = (uintptr_t)caller->call((void *)41);
  return NULL;
}

static struct gate inside, go_on;

static void wait_here(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user, (void)call, (void)args, (void)nargs;
  gate_open(&inside);
  gate_wait(&go_on);
}

/* An interpreter that such a thread is in is not ended; one that ends is not entered. */
static void test_the_end(void **state) {
  (void)state;
  subpy_id id;
  struct capture capture = {{NULL, 0}, {NULL, 0}};
  FOR_EACH_GIL(id, capture) {
    const struct gate closed = GATE_INIT;
    inside = go_on = closed;
    subpy_function_options options = SUBPY_FUNCTION_OPTIONS_INIT;
    options.release_gil = 1;
    EXPECT(SUBPY_OK,
           subpy_define_function_with(id, &options, "host", "wait", wait_here, NULL, NULL, &error));
    RUN(id, "def function(argument):\n"
            "  seen.append(argument)\n"
            "  host.wait()\n"
            "  return argument + 1\n"
            "for_c = Function(function)\n"
            "host.hand_over(ctypes.cast(for_c, ctypes.c_void_p).value)\n");
    struct caller caller = {handed_over, 0};
    const pthread_t thread = thread_start(call_once, &caller);
    gate_wait(&inside);
    REFUSES(SUBPY_ERR_BUSY, "1 Python thread", subpy_destroy(id, &error));
    gate_open(&go_on);
    thread_join(thread);
    CHECK_EQUAL(caller.answer, 42);
    RUN(id, "import atexit\n"
            "c = ctypes.CDLL(None)\n"
            "def at_exit():\n"
            "  thread, result = ctypes.c_ulong(), ctypes.c_void_p(5)\n"
            "  c.pthread_create(ctypes.byref(thread), None, for_c, 1)\n"
            "  c.pthread_join(thread, ctypes.byref(result))\n"
            "  print(seen, result.value)\n"
            "atexit.register(at_exit)\n");
    DESTROY(id);
    CHECK_TEXT(capture.out.data, "[41] None\n");
    capture_clear(&capture);
  }
}

/* Functions come and go; a thousand threads have called. */
static void test_many(void **state) {
  (void)state;
  subpy_id id;
  struct capture capture = {{NULL, 0}, {NULL, 0}};
  FOR_EACH_GIL(id, capture) {
    RUN(id, "c, thread = ctypes.CDLL(None), ctypes.c_ulong()\n"
            "import gc\n"
            "for i in range(1000):\n"
            "  again = Function(function)\n"
            "  c.pthread_create(ctypes.byref(thread), None, again, i)\n"
            "  c.pthread_join(thread, None)\n"
            "assert len(seen) == 1000 and not wrong\n");
    DESTROY(id);
    capture_clear(&capture);
  }
}

/* cffi looks whether libffi has kept its data, and frees its closures itself. */
static void test_cffi(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(gils); i++) {
    struct capture capture = {{NULL, 0}, {NULL, 0}};
    subpy_interpreter_config config = capture_config(&capture);
    config.gil = gils[i];
    subpy_id ids[3];
    for (size_t n = 0; n < COUNT(ids); n++) {
      CREATE(&config, &ids[n]);
      RUN(ids[n], "import sys\n"
                  "sys.path.insert(0, '" SUBPY_MODULES "')\n"
                  "import json, threading, _cffi_backend as c\n"
                  "def function(n):\n"
                  "  import json as again\n"
                  "  if again is not json or threading.get_ident() == runs: return -2\n"
                  "  return n + 1\n"
                  "closures = [c.callback(function) for _ in range(10)]\n"
                  "runs = threading.get_ident()\n");
    }
    for (size_t n = 0; n < COUNT(ids); n++) {
      RUN(ids[n], "runs = threading.get_ident()\n"
                  "for n in range(100): assert c.in_thread(closures[n % 10], n) == n + 1\n");
    }
    for (size_t n = 0; n < COUNT(ids); n++) {
      RUN(ids[n], "import atexit\n"
                  "atexit.register(lambda: print(c.in_thread(closures[0], 5)))\n");
      DESTROY(ids[n]);
    }
    CHECK_TEXT(capture.out.data, "0\n0\n0\n");
    capture_clear(&capture);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cffi),
      cmocka_unit_test(test_threads_that_c_starts),
      cmocka_unit_test(test_threads_of_the_host),
      cmocka_unit_test(test_the_thread_that_runs),
      cmocka_unit_test(test_another_interpreters_run),
      cmocka_unit_test(test_small_stacks),
      cmocka_unit_test(test_exceptions),
      cmocka_unit_test(test_the_end),
      cmocka_unit_test(test_many),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
