/* A host that runs each script on a stack of its own, and changes stacks inside of its functions. */
#include "support.h"

#include <ucontext.h>

#define FIBERS 3

struct fiber {
  ucontext_t context;
  char *stack;
  subpy_id id;
  const char *code;
  bool done;
  subpy_status status;
};

static ucontext_t loop;
static struct fiber fibers[FIBERS];
static int current;

enum { STACK = 8 << 20 };

/* To the host's loop, and back. */
static void pause_here(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  const int this = current;
  (void)user, (void)args, (void)nargs;
  subpy_value answer = subpy_int(this);
  swapcontext(&fibers[this].context, &loop);
  current = this;
  subpy_host_return(call, &answer);
}

static void body(int this) {
  subpy_error *error = NULL;
  fibers[this].status = subpy_run_string(fibers[this].id, fibers[this].code, &error);
  if (error != NULL) {
    fprintf(stderr, "%s\n", subpy_error_traceback(error));
  }
  subpy_error_free(error);
  fibers[this].done = true;
}

static void start(int this) {
  struct fiber *fiber = &fibers[this];
  fiber->done = false;
  CHECK_EQUAL(getcontext(&fiber->context), 0);
  fiber->context.uc_stack.ss_sp = fiber->stack;
  fiber->context.uc_stack.ss_size = STACK;
  fiber->context.uc_link = &loop;
  makecontext(&fiber->context, (void (*)(void))body, 1, this);
}

static void go_on(int this) {
  current = this;
  swapcontext(&loop, &fibers[this].context);
}

static const char COUNTS[] = "import host\n"
                             "total, answers = 0, set()\n"
                             "for i in range(50):\n"
                             "  total += i\n"
                             "  answers.add(host.pause())\n"
                             "  try: {}['x']\n"
                             "  except KeyError: pass\n"
                             "assert total == 1225 and len(answers) == 1, (total, answers)\n";

/* Another order each time, so that calls return in any order. */
static void run_all(void) {
  unsigned random = 1;
  for (int left = FIBERS; left > 0;) {
    random = random * 1103515245 + 12345;
    const int next = (int)(random >> 16) % FIBERS;
    if (!fibers[next].done) {
      go_on(next);
      left -= fibers[next].done;
    }
  }
}

static void fibers_with(uint32_t gil, uint32_t release_gil) {
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  subpy_function_options options = SUBPY_FUNCTION_OPTIONS_INIT;
  config.gil = gil;
  options.release_gil = release_gil;
  for (int i = 0; i < FIBERS; i++) {
    fibers[i].stack = malloc(STACK);
    fibers[i].code = COUNTS;
    CREATE(&config, &fibers[i].id);
    EXPECT(SUBPY_OK, subpy_define_function_with(fibers[i].id, &options, "host", "pause", pause_here,
                                                NULL, NULL, &error));
    start(i);
  }
  for (int round = 0; round < 3; round++) {
    run_all();
    for (int i = 0; i < FIBERS; i++) {
      CHECK_EQUAL(fibers[i].status, SUBPY_OK);
      start(i);
    }
    subpy_id id;
    EXPECT(SUBPY_ERR_NOT_FOUND, subpy_get_current(&id, &error));
  }
  for (int i = 0; i < FIBERS; i++) {
    RUN(fibers[i].id, "assert total == 1225");
    DESTROY(fibers[i].id);
    free(fibers[i].stack);
  }
}

static void test_any_order(void **state) {
  (void)state;
  for (uint32_t release_gil = 0; release_gil < 2; release_gil++) {
    fibers_with(SUBPY_GIL_DEFAULT, release_gil);
    fibers_with(SUBPY_GIL_SHARED, release_gil);
  }
}

/* One is destroyed while another one's run, which began inside of its own, still waits. */
static void test_destroy_what_a_run_began_in(void **state) {
  (void)state;
  for (int i = 0; i < 2; i++) {
    fibers[i].stack = malloc(STACK);
    fibers[i].code = i == 0 ? "import host\nhost.pause()" : COUNTS;
    CREATE(NULL, &fibers[i].id);
    EXPECT(SUBPY_OK,
           subpy_define_function(fibers[i].id, "host", "pause", pause_here, NULL, NULL, &error));
    start(i);
  }
  go_on(0);
  go_on(1);
  go_on(0);
  CHECK(fibers[0].done, "it waits for another one");
  DESTROY(fibers[0].id);
  subpy_id made;
  CREATE(NULL, &made);
  RUN(made, "x = 1");
  while (!fibers[1].done) {
    go_on(1);
    RUN(made, "x += 1");
  }
  CHECK_EQUAL(fibers[1].status, SUBPY_OK);
  DESTROY(fibers[1].id);
  RUN(made, "assert x > 10");
  DESTROY(made);
  free(fibers[0].stack);
  free(fibers[1].stack);
}

static void call_again(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  const subpy_id own = subpy_host_interpreter(call);
  (void)user, (void)args, (void)nargs;
  RUN(own, "inner = True\nhost.pause()\ninner = False");
}

/* Runs of one interpreter nest in one fiber: the inner one is over before the outer one goes on. In others they could
 * end in any order. */
static void test_runs_nest_in_one_fiber(void **state) {
  (void)state;
  fibers[0].stack = malloc(STACK);
  fibers[0].code = "import host\nhost.again()\nassert not inner\nhost.pause()";
  CREATE(NULL, &fibers[0].id);
  EXPECT(SUBPY_OK,
         subpy_define_function(fibers[0].id, "host", "again", call_again, NULL, NULL, &error));
  EXPECT(SUBPY_OK,
         subpy_define_function(fibers[0].id, "host", "pause", pause_here, NULL, NULL, &error));
  start(0);
  for (int pauses = 0; pauses < 2; pauses++) {
    go_on(0);
    CHECK(!fibers[0].done, "it has not paused");
    REFUSES(SUBPY_ERR_BUSY, "not on another one of the host's",
            subpy_run_string(fibers[0].id, "1", &error));
    subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
    options.wait_ms = SUBPY_FOREVER; /* it would wait for this thread */
    REFUSES(SUBPY_ERR_BUSY, "not on another one of the host's",
            subpy_run_string_with(fibers[0].id, &options, "1", 1, &error));
  }
  go_on(0);
  CHECK_EQUAL(fibers[0].status, SUBPY_OK);
  RUN(fibers[0].id, "1");
  DESTROY(fibers[0].id);
  free(fibers[0].stack);
}

static void *go_on_elsewhere(void *argument) {
  go_on(*(int *)argument);
  return NULL;
}

static void body_of_two_calls(int this) {
  struct fiber *fiber = &fibers[this];
  CREATE(NULL, &fiber->id);
  EXPECT(SUBPY_OK,
         subpy_define_function(fiber->id, "host", "pause", pause_here, NULL, NULL, &error));
  for (int round = 0; round < 20; round++) {
    body(this);
    CHECK_EQUAL(fiber->status, SUBPY_OK);
    fiber->done = false;
    swapcontext(&fiber->context, &loop);
  }
  DESTROY(fiber->id);
  fiber->done = true;
}

/* Each call is made in another thread than the one before, on a stack that has room for little more than the call. */
static void test_threads_change_between_calls(void **state) {
  (void)state;
  struct fiber *fiber = &fibers[0];
  const size_t small = 16 << 10;
  fiber->stack = malloc(small);
  fiber->code =
      "import json\nx = [json.loads('[' * 100 + ']' * 100)]\n"
      "try: eval('(' * 5000 + ')' * 5000)\nexcept (SyntaxError, MemoryError, RecursionError): pass";
  CHECK_EQUAL(getcontext(&fiber->context), 0);
  fiber->context.uc_stack.ss_sp = fiber->stack;
  fiber->context.uc_stack.ss_size = small;
  fiber->context.uc_link = &loop;
  makecontext(&fiber->context, (void (*)(void))body_of_two_calls, 1, 0);
  int number = 0;
  while (!fiber->done) {
    in_thread(go_on_elsewhere, &number);
  }
  free(fiber->stack);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_any_order),
      cmocka_unit_test(test_runs_nest_in_one_fiber),
      cmocka_unit_test(test_threads_change_between_calls),
      cmocka_unit_test(test_destroy_what_a_run_began_in),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
