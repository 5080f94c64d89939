/* Calls that wait for their turn in an interpreter that runs: subpy_run_options::wait_ms. */
#include "child.h"
#include "fixture.h"
#include "waiting_calls.h"

#include <signal.h>

/* What a wait is. ---------------------------------------------------------------------------- */

enum { MANY = 16 };

static void test_calls_are_served_in_the_order_in_which_they_came(void **state) {
  (void)state;
  struct call calls[MANY];
  RUN(id, "order = []");
  for (int round = 0; round < 3; round++) {
    hold_start(id);
    for (int i = 0; i < MANY; i++) {
      char code[64];
      snprintf(code, sizeof code, "order.append(%d)", i);
      call_start(&calls[i], id, code);
    }
    REFUSES(SUBPY_ERR_BUSY, "is running", subpy_run_string(id, "order.append(-1)", &error));
    hold_end(SUBPY_OK);
    for (int i = 0; i < MANY; i++) {
      call_ends(&calls[i], SUBPY_OK, "");
    }
    RUN(id, "assert order == list(range(16)), order\norder.clear()");
  }
}

/* The thread that gives the interpreter back calls again at once. */
static void *hold_and_call_again(void *argument) {
  const bool *const waits = argument;
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  const char *const code = "order.append('again')";
  options.wait_ms = *waits ? SUBPY_FOREVER : 0;
  RUN(id, "import host; host.hold_open()");
  subpy_error *error = UNWRITTEN;
  const subpy_status got = subpy_run_string_with(id, &options, code, strlen(code), &error);
  check_call(__FILE__, __LINE__, code, got == SUBPY_OK || *waits ? SUBPY_OK : SUBPY_ERR_BUSY, got,
             "", error);
  return NULL;
}

static void test_who_gives_it_back_does_not_overtake(void **state) {
  (void)state;
  for (int round = 0; round < 100; round++) {
    bool waits = round % 2;
    struct call call;
    RUN(id, "order = []");
    hold_define(id);
    const pthread_t thread = thread_start(hold_and_call_again, &waits);
    gate_wait(&hold.inside);
    call_start(&call, id, "order.append('waited')");
    gate_open(&hold.leave);
    call_ends(&call, SUBPY_OK, "");
    thread_join(thread);
    RUN(id, "assert order[0] == 'waited', order");
  }
}

static void *call_by_each_function(void *which) {
  subpy_run_options run = SUBPY_RUN_OPTIONS_INIT;
  subpy_call_options options = SUBPY_CALL_OPTIONS_INIT;
  subpy_value out = subpy_none();
  const subpy_value minus_3 = subpy_int(-3), names = subpy_dict(NULL, 0);
  run.wait_ms = SUBPY_FOREVER;
  options.run = &run;
  switch (*(int *)which) {
  case 0:
    EXPECT(SUBPY_OK, subpy_run_string_with(id, &run, "x = 3", 5, &error));
    return NULL;
  case 1:
    EXPECT(SUBPY_OK, subpy_set_with(id, &options, "x", &minus_3, &error));
    return NULL;
  case 2:
    EXPECT(SUBPY_OK,
           subpy_run_string_unrestricted_with(id, &options, "x = 3", 5, &names, &out, &error));
    subpy_value_clear(&out);
    return NULL;
  case 3:
    EXPECT(SUBPY_OK, subpy_get_with(id, &options, "three", &out, &error));
    break;
  case 4:
    EXPECT(SUBPY_OK, subpy_eval_with(id, &options, "1 + 2", 5, &out, &error));
    break;
  default:
    EXPECT(SUBPY_OK, subpy_call_with(id, &options, "builtins:abs", &minus_3, 1, &out, &error));
  }
  CHECK_EQUAL(out.as.integer, 3);
  return NULL;
}

static void test_each_call_waits(void **state) {
  (void)state;
  RUN(id, "three = 3");
  for (int which = 0; which < 6; which++) {
    hold_start(id);
    const pthread_t thread = thread_start(call_by_each_function, &which);
    usleep(2000); /* most of the time it waits by then; it has to work otherwise, too */
    hold_end(SUBPY_OK);
    thread_join(thread);
  }
}

static void test_a_wait_that_runs_out_is_busy(void **state) {
  (void)state;
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  struct call later;
  hold_start(id);
  for (options.wait_ms = 1; options.wait_ms <= 64; options.wait_ms *= 8) {
    const uint64_t start = now_ms();
    REFUSES(SUBPY_ERR_BUSY, "the time to wait for it is over",
            subpy_run_string_with(id, &options, "x", 1, &error));
    CHECK(now_ms() - start + 1 >= options.wait_ms, "it has waited for %d of %d ms",
          (int)(now_ms() - start), (int)options.wait_ms);
  }
  call_start(&later, id, "x = 1");
  hold_end(SUBPY_OK);
  call_ends(&later, SUBPY_OK, "");
  EXPECT(SUBPY_OK, subpy_run_string_with(id, &options, "x", 1, &error));
}

static void test_a_time_limit_starts_when_the_run_does(void **state) {
  (void)state;
  struct call call;
  const uint64_t limit = 1000;
  hold_start(id);
  const uint64_t start = now_ms();
  call_prepare(&call, id, "x = 1");
  limit_to(&call.options, limit);
  call.thread = thread_start(call_now, &call);
  until_it_waits(&call);
  while (now_ms() < start + limit + 200) {
    usleep(10000);
  }
  hold_end(SUBPY_OK);
  call_ends(&call, SUBPY_OK, "");

  hold_start(id);
  call_prepare(&call, id, "while True: pass");
  limit_to(&call.options, 20);
  call.thread = thread_start(call_now, &call);
  until_it_waits(&call);
  hold_end(SUBPY_OK);
  call_ends(&call, SUBPY_ERR_TIMEOUT, "");
}

static void test_a_struct_of_before_does_not_wait(void **state) {
  (void)state;
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.wait_ms = SUBPY_FOREVER;
  options.struct_size = offsetof(subpy_run_options, wait_ms);
  hold_start(id);
  EXPECT(SUBPY_ERR_BUSY, subpy_run_string_with(id, &options, "x", 1, &error));
  hold_end(SUBPY_OK);
}

/* What ends a wait. -------------------------------------------------------------------------- */

static void interrupt(void) { EXPECT(SUBPY_OK, subpy_interrupt(id, &error)); }

static void interrupt_without_error(void) { CHECK_EQUAL(subpy_interrupt(id, NULL), SUBPY_OK); }

static void on_signal(int signal) {
  (void)signal;
  (void)subpy_interrupt(id, NULL);
}

static void interrupt_in_signal_handler(void) {
  struct sigaction action, before;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  CHECK_EQUAL(sigaction(SIGUSR1, &action, &before), 0);
  CHECK_EQUAL(raise(SIGUSR1), 0);
  CHECK_EQUAL(sigaction(SIGUSR1, &before, NULL), 0);
}

static void test_an_interrupt_ends_the_run_and_the_waits(void **state) {
  (void)state;
  void (*const ways[])(void) = {interrupt, interrupt_without_error, interrupt_in_signal_handler};
  struct call calls[3];
  for (size_t way = 0; way < COUNT(ways); way++) {
    hold_start_by(id, "import host; host.hold_open()\nwhile True: pass");
    for (size_t i = 0; i < COUNT(calls); i++) {
      call_start(&calls[i], id, "happened = True");
    }
    ways[way]();
    for (size_t i = 0; i < COUNT(calls); i++) {
      call_ends(&calls[i], SUBPY_ERR_INTERRUPTED, "interrupted by the host");
    }
    hold_end(SUBPY_ERR_INTERRUPTED);
    RUN(id, "assert 'happened' not in globals()");
  }
}

static void *destroy_now(void *argument) {
  (void)argument;
  DESTROY(id);
  return NULL;
}

static const char *const hold_at_exit = "import atexit, host; atexit.register(host.hold_open)";

static void define_hold(subpy_id one) {
  hold_define(one);
  RUN(one, hold_at_exit);
}

static void test_a_destroy_ends_the_waits(void **state) {
  (void)state;
  struct call calls[3];
  define_hold(id);
  const pthread_t thread = thread_start(destroy_now, NULL);
  gate_wait(&hold.inside);
  for (size_t i = 0; i < COUNT(calls); i++) {
    call_start(&calls[i], id, "x = 1");
  }
  REFUSES(SUBPY_ERR_BUSY, "destroyed", subpy_run_string(id, "x = 1", &error));
  gate_open(&hold.leave);
  thread_join(thread);
  for (size_t i = 0; i < COUNT(calls); i++) {
    call_ends(&calls[i], SUBPY_ERR_NOT_FOUND, "there is no interpreter");
  }
}

static void test_a_destroy_is_busy_while_calls_wait(void **state) {
  (void)state;
  struct call call;
  hold_start(id);
  call_start(&call, id, "x = 1");
  REFUSES(SUBPY_ERR_BUSY, "is running", destroy_within(id, SUBPY_FOREVER, &error));
  EXPECT(SUBPY_ERR_BUSY, subpy_finalize(&error));
  hold_end(SUBPY_OK);
  call_ends(&call, SUBPY_OK, "");
}

static void *destroy_is_busy(void *argument) {
  (void)argument;
  REFUSES(SUBPY_ERR_BUSY, "thread", subpy_destroy(id, &error));
  return NULL;
}

static void test_a_destroy_that_fails_gives_them_their_turn(void **state) {
  (void)state;
  struct call call;
  if (!threads_hold_up_destroy()) {
    skip();
  }
  define_hold(id);
  /* An exit function starts a thread that stays. */
  RUN(id, "import threading\n"
          "event = threading.Event()\n"
          "atexit.register(lambda: threading.Thread(target=event.wait).start())");
  const pthread_t thread = thread_start(destroy_is_busy, NULL);
  gate_wait(&hold.inside);
  call_start(&call, id, "event.set()");
  gate_open(&hold.leave);
  thread_join(thread);
  call_ends(&call, SUBPY_OK, "");
  EXPECT(SUBPY_OK, destroy_within(id, SUBPY_FOREVER, &error));
}

static void *finalize_now(void *argument) {
  (void)argument;
  FINALIZE();
  return NULL;
}

static void wait_at_the_end(void *unused) {
  struct call call;
  (void)unused;
  INITIALIZE(NULL);
  CREATE(NULL, &id);
  define_hold(id);
  const pthread_t thread = thread_start(finalize_now, NULL);
  gate_wait(&hold.inside);
  call_start(&call, id, "x = 1");
  gate_open(&hold.leave);
  thread_join(thread);
  call_ends(&call, SUBPY_ERR_NOT_FOUND, "there is no interpreter");
}

static void test_the_end_of_the_runtime_ends_the_waits(void **state) {
  (void)state;
  IN_CHILD(wait_at_the_end, NULL);
}

/* Waits inside of runs. ---------------------------------------------------------------------- */

/* What `host.act()` does in the interpreter `id`, and what came of it. */
static subpy_status acted;
static int acting; /* the kernel's number of the thread; 0: it has not begun */
static char acted_message[512];

static void act_in(subpy_id other, uint64_t wait_ms, const char *code) {
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  subpy_error *error = UNWRITTEN;
  options.wait_ms = wait_ms;
  __atomic_store_n(&acting, (int)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
  acted = subpy_run_string_with(other, &options, code, strlen(code), &error);
  snprintf(acted_message, sizeof acted_message, "%s", subpy_error_message(error));
  subpy_error_free(error);
}

static void act_in_the_second(void *user, subpy_host_call *call, const subpy_value *args,
                              size_t nargs) {
  (void)user, (void)call, (void)args, (void)nargs;
  act_in(second, SUBPY_FOREVER, "x = 1");
}

static void act_in_itself(void *user, subpy_host_call *call, const subpy_value *args,
                          size_t nargs) {
  (void)user, (void)call, (void)args, (void)nargs;
  act_in(id, SUBPY_FOREVER, "inner = True");
}

static void open_gate(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)call, (void)args, (void)nargs;
  gate_open(user);
}

static void define(subpy_id one, const char *name, subpy_host_fn fn, void *user) {
  EXPECT(SUBPY_OK, subpy_define_function(one, "host", name, fn, user, NULL, &error));
}

static void define_releasing(subpy_id one, const char *name, subpy_host_fn fn) {
  subpy_function_options options = SUBPY_FUNCTION_OPTIONS_INIT;
  options.release_gil = 1;
  EXPECT(SUBPY_OK, subpy_define_function_with(one, &options, "host", name, fn, NULL, NULL, &error));
}

/* The two interpreters of a test: of the backend under test both, or the second one of the other backend. */
static void with_seconds(void (*test)(void)) {
  create_second();
  test();
  DESTROY(second);
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.backend = in_processes() ? SUBPY_BACKEND_LOCAL : SUBPY_BACKEND_PROCESS;
  EXPECT(SUBPY_OK, subpy_create(&config, &second, &error));
  test();
  DESTROY(second);
  second = 0;
}

static void a_run_waits_for_another_without_its_gil(void) {
  /* A Python thread of the first one, whose GIL the function keeps otherwise, lets the second one go on. */
  struct call call;
  subpy_function_options options = SUBPY_FUNCTION_OPTIONS_INIT;
  options.release_gil =
      in_processes(); /* the GIL there is held in that process: see subpy_host_fn */
  hold_start(second);
  EXPECT(SUBPY_OK, subpy_define_function_with(id, &options, "host", "act", act_in_the_second, NULL,
                                              NULL, &error));
  define(id, "let_go", open_gate, &hold.leave);
  call_prepare(&call, id,
               "import host, threading\n"
               "timer = threading.Timer(0.05, host.let_go)\n"
               "timer.start()\n"
               "host.act()");
  call.thread = thread_start(call_now, &call);
  call_ends(&call, SUBPY_OK, "");
  CHECK(acted == SUBPY_OK, "%s", acted_message);
  hold_end(SUBPY_OK);
  RUN(id, "timer.join()");
}

static void test_a_run_waits_for_another_without_its_gil(void **state) {
  (void)state;
  with_seconds(a_run_waits_for_another_without_its_gil);
}

/* Starts a call whose run waits for the second one, in a function of the host's. */
static void call_start_acting(struct call *call, const char *code) {
  __atomic_store_n(&acting, 0, __ATOMIC_SEQ_CST);
  acted = SUBPY_ERR_INTERNAL;
  call_prepare(call, id, code);
  call->thread = thread_start(call_now, call);
  until_thread_waits(&acting, call);
}

static void a_run_that_is_to_end_does_not_wait(void) {
  struct call call;
  define(id, "act", act_in_the_second, NULL);
  hold_start(second);
  acted = SUBPY_ERR_INTERNAL;
  for (uint64_t limit = 100; acted == SUBPY_ERR_INTERNAL; limit *= 2) {
    call_prepare(&call, id, "import host; host.act()\nwhile True: pass");
    limit_to(&call.options,
             limit); /* on a slow machine it may be over before the function is called */
    call.thread = thread_start(call_now, &call);
    call_ends(&call, SUBPY_ERR_TIMEOUT, "longer than it was given");
  }
  CHECK(acted == SUBPY_ERR_TIMEOUT, "%s: %s", subpy_status_name(acted), acted_message);
  CHECK_CONTAINS(acted_message, "waits for interpreter");

  call_start_acting(&call, "import host; host.act()\nwhile True: pass");
  EXPECT(SUBPY_OK, subpy_interrupt(id, &error));
  call_ends(&call, SUBPY_ERR_INTERRUPTED, "");
  CHECK(acted == SUBPY_ERR_INTERRUPTED, "%s: %s", subpy_status_name(acted), acted_message);
  hold_end(SUBPY_OK);
  RUN(second, "assert 'x' not in globals()");
}

static void test_a_run_that_is_to_end_does_not_wait(void **state) {
  (void)state;
  with_seconds(a_run_that_is_to_end_does_not_wait);
}

static void test_a_run_inside_of_its_own_does_not_wait(void **state) {
  (void)state;
  struct call call;
  define(id, "act", act_in_itself, NULL);
  hold_start_by(id, "import host; host.hold_open(); host.act()");
  call_start(&call, id, "assert inner");
  hold_end(SUBPY_OK);
  CHECK(acted == SUBPY_OK, "%s", acted_message);
  call_ends(&call, SUBPY_OK, "");
}

/* The first one's run waits for the second one, whose run would wait for the first one. */
static void refused_to_wait_for_itself(void *user, subpy_host_call *call, const subpy_value *args,
                                       size_t nargs) {
  hold_open(&hold, call, args, nargs);
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.wait_ms = SUBPY_FOREVER;
  REFUSES(SUBPY_ERR_BUSY, "waits for the calling thread",
          subpy_run_string_with(*(subpy_id *)user, &options, "x = 1", 5, &error));
}

static void two_runs_do_not_wait_for_each_other(void) {
  struct call call;
  subpy_function_options options = SUBPY_FUNCTION_OPTIONS_INIT;
  const struct hold closed = {GATE_INIT, GATE_INIT};
  hold = closed;
  options.release_gil = 1; /* they may share it */
  EXPECT(SUBPY_OK, subpy_define_function_with(second, &options, "host", "act",
                                              refused_to_wait_for_itself, &id, NULL, &error));
  define(id, "act", act_in_the_second, NULL);
  call_prepare(&holder, second, "import host; host.act()");
  holder.thread = thread_start(call_now, &holder);
  gate_wait(&hold.inside);
  call_start_acting(&call, "import host; host.act()");
  gate_open(&hold.leave);
  call_ends(&holder, SUBPY_OK, "");
  call_ends(&call, SUBPY_OK, "");
  CHECK(acted == SUBPY_OK, "%s", acted_message);
}

static void test_two_runs_do_not_wait_for_each_other(void **state) {
  (void)state;
  with_seconds(two_runs_do_not_wait_for_each_other);
}

/* What an exit function does while its interpreter is destroyed. */
static void test_what_runs_at_the_end_does_not_wait_for_that(void **state) {
  (void)state;
  acted = SUBPY_OK;
  define(id, "act", act_in_itself, NULL);
  RUN(id, "import atexit, host; atexit.register(host.act)");
  DESTROY(id);
  CHECK(acted == SUBPY_ERR_BUSY, "%s: %s", subpy_status_name(acted), acted_message);
}

static void act_in_a_thread_of_the_script(void) {
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.wait_ms = SUBPY_FOREVER;
  acted = SUBPY_ERR_INTERNAL;
  RUN(id, "import host, threading, time\n"
          "thread = threading.Thread(target=host.act)\n"
          "thread.start()\n"
          "time.sleep(0.02)");
  EXPECT(SUBPY_OK, subpy_run_string_with(id, &options, "thread.join()", 13, &error));
}

static void test_a_thread_of_the_script_waits_for_its_run(void **state) {
  (void)state;
  define_releasing(id, "act", act_in_itself);
  act_in_a_thread_of_the_script();
  CHECK(acted == SUBPY_OK, "%s: %s", subpy_status_name(acted), acted_message);
  RUN(id, "assert inner");
}

/* With the GIL kept: the library releases it while the call waits, if it is this process's. */
static void test_a_thread_of_the_script_that_has_the_gil(void **state) {
  (void)state;
  define(id, "act", act_in_itself, NULL);
  act_in_a_thread_of_the_script();
  CHECK(acted == (waits_without_gil() ? SUBPY_OK : SUBPY_ERR_BUSY), "%s: %s",
        subpy_status_name(acted), acted_message);
}

/* Many threads. ------------------------------------------------------------------------------ */

enum { THREADS = 64, CALLS = 100000 };

struct crowd {
  int left;
  int done[THREADS];
  int numbers[THREADS]; /* the kernel's */
};

struct member {
  struct crowd *crowd;
  int number;
};

static void *call_in_a_loop(void *argument) {
  const struct member *member = argument;
  struct crowd *crowd = member->crowd;
  subpy_run_options run = SUBPY_RUN_OPTIONS_INIT;
  subpy_call_options options = SUBPY_CALL_OPTIONS_INIT;
  const subpy_value seven = subpy_int(7);
  run.wait_ms = SUBPY_FOREVER;
  options.run = &run;
  __atomic_store_n(&crowd->numbers[member->number], (int)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
  while (__atomic_sub_fetch(&crowd->left, 1, __ATOMIC_RELAXED) >= 0) {
    subpy_value out = subpy_none();
    EXPECT(SUBPY_OK, subpy_call_with(id, &options, "work", &seven, 1, &out, &error));
    crowd->done[member->number]++;
  }
  return NULL;
}

/* Spins for 50 ms, and says for how many of them it has had a core. */
static void *spin_for_50_ms(void *had_ms) {
  struct timespec had;
  for (const uint64_t start = now_ms(); now_ms() - start < 50;) {
  }
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &had);
  *(int *)had_ms = (int)(had.tv_nsec / 1000000);
  return NULL;
}

/* Whether nobody else uses the cores. */
static bool cores_are_free(void) {
  enum { MOST = 64 };
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  const int cores = online < MOST ? (int)online : MOST;
  pthread_t threads[MOST];
  int had_ms[MOST];
  bool are_free = true;
  for (int i = 0; i < cores; i++) {
    pthread_create(&threads[i], NULL, spin_for_50_ms, &had_ms[i]);
  }
  for (int i = 0; i < cores; i++) {
    pthread_join(threads[i], NULL);
    are_free = are_free && had_ms[i] >= 45;
  }
  return are_free;
}

/* How many of the fastest one's calls the slowest one has made, in per cent. */
static int serve_crowd(void) {
  struct crowd crowd = {CALLS, {0}, {0}};
  struct member members[THREADS];
  pthread_t threads[THREADS];
  RUN(id, "served = 0");
  hold_start(id);
  for (int i = 0; i < THREADS; i++) {
    members[i] = (struct member){&crowd, i};
    threads[i] = thread_start(call_in_a_loop, &members[i]);
    while (!sleeps(__atomic_load_n(&crowd.numbers[i], __ATOMIC_SEQ_CST))) {
      usleep(100);
    }
  }
  const uint64_t start = now_ms();
  hold_end(SUBPY_OK);
  int slowest = CALLS, fastest = 0;
  for (int i = 0; i < THREADS; i++) {
    thread_join(threads[i]);
    slowest = crowd.done[i] < slowest ? crowd.done[i] : slowest;
    fastest = crowd.done[i] > fastest ? crowd.done[i] : fastest;
  }
  print_message("%d threads, %d calls in %d ms: each has made %d to %d\n", THREADS, CALLS,
                (int)(now_ms() - start), slowest, fastest);
  RUN(id, "assert served == 100000, served");
  return 100 * slowest / fastest;
}

/* A thread that a busy machine does not run between two of its calls does not wait then, and misses turns. Less is asked
 * for there. */
static void test_64_threads_are_served_alike(void **state) {
  (void)state;
  bool quiet = true;
  int best = 0;
  RUN(id, "def work(n):\n"
          "  global served\n"
          "  served += 1\n"
          "  return n");
  for (int times = 0; times < 5 && best < 90; times++) {
    const int percent = serve_crowd();
    best = percent > best ? percent : best;
    quiet = quiet && cores_are_free();
  }
  const int least = quiet ? 90 : 50;
  CHECK(best >= least, "the slowest has made %d %% of the calls of the fastest, not %d", best,
        least);
}

/* At random: calls that wait and that do not, and interrupts. -------------------------------- */

struct chaos {
  struct gate start;
  int ready;
  bool over;
};

static void *call_at_random(void *argument) {
  struct chaos *chaos = argument;
  unsigned seed = (unsigned)__atomic_add_fetch(&chaos->ready, 1, __ATOMIC_RELAXED);
  gate_wait(&chaos->start);
  for (int i = 0; i < 2000; i++) {
    subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
    const uint64_t waits[] = {0, 1, SUBPY_FOREVER, SUBPY_FOREVER};
    subpy_error *error = UNWRITTEN;
    options.wait_ms = waits[rand_r(&seed) % 4];
    const subpy_status got = subpy_run_string_with(id, &options, "n += 1", 6, &error);
    const bool is_fine = got == SUBPY_OK || got == SUBPY_ERR_INTERRUPTED ||
                         (got == SUBPY_ERR_BUSY && options.wait_ms != SUBPY_FOREVER);
    check_call(__FILE__, __LINE__, "a call", is_fine ? got : SUBPY_OK, got, "", error);
  }
  return NULL;
}

static void *interrupt_at_random(void *argument) {
  struct chaos *chaos = argument;
  unsigned seed = 1;
  while (!__atomic_load_n(&chaos->over, __ATOMIC_RELAXED)) {
    subpy_error *error = UNWRITTEN;
    if (rand_r(&seed) % 2) {
      const subpy_status got = subpy_interrupt(id, &error);
      check_call(__FILE__, __LINE__, "subpy_interrupt", SUBPY_OK, got, "", error);
    } else {
      CHECK_EQUAL(subpy_interrupt(id, NULL), SUBPY_OK);
    }
    usleep(rand_r(&seed) % 500);
  }
  return NULL;
}

static void test_no_call_is_forgotten_among_interrupts(void **state) {
  (void)state;
  struct chaos chaos = {GATE_INIT, 0, false};
  pthread_t threads[8];
  RUN(id, "n = 0");
  for (size_t i = 0; i < COUNT(threads); i++) {
    threads[i] = thread_start(call_at_random, &chaos);
  }
  const pthread_t interrupts = thread_start(interrupt_at_random, &chaos);
  gate_open(&chaos.start);
  for (size_t i = 0; i < COUNT(threads); i++) {
    thread_join(threads[i]);
  }
  __atomic_store_n(&chaos.over, true, __ATOMIC_RELAXED);
  thread_join(interrupts);
  RUN(id, "assert n > 0");
}

int main(void) {
  const struct CMUnitTest first[] = {
      cmocka_unit_test(test_the_end_of_the_runtime_ends_the_waits),
  };
  const struct CMUnitTest tests[] = {
      TEST(test_calls_are_served_in_the_order_in_which_they_came),
      TEST(test_who_gives_it_back_does_not_overtake),
      TEST(test_each_call_waits),
      TEST(test_a_wait_that_runs_out_is_busy),
      TEST(test_a_time_limit_starts_when_the_run_does),
      TEST(test_a_struct_of_before_does_not_wait),
      TEST(test_an_interrupt_ends_the_run_and_the_waits),
      TEST(test_a_destroy_ends_the_waits),
      TEST(test_a_destroy_is_busy_while_calls_wait),
      TEST(test_a_destroy_that_fails_gives_them_their_turn),
      TEST(test_a_run_waits_for_another_without_its_gil),
      TEST(test_a_run_that_is_to_end_does_not_wait),
      TEST(test_a_run_inside_of_its_own_does_not_wait),
      TEST(test_two_runs_do_not_wait_for_each_other),
      TEST(test_what_runs_at_the_end_does_not_wait_for_that),
      TEST(test_a_thread_of_the_script_waits_for_its_run),
      TEST(test_a_thread_of_the_script_that_has_the_gil),
      TEST(test_64_threads_are_served_alike),
      TEST(test_no_call_is_forgotten_among_interrupts),
  };
  return RUN_TESTS(first) + RUN_TESTS_INITIALIZED(tests);
}
