/* What scripts of both backends create: interpreters that have processes of their own. */
#include "processes.h"
#include "stop.h"

static subpy_backend local = SUBPY_BACKEND_LOCAL, process = SUBPY_BACKEND_PROCESS;

/* One of the backend that is the state of a test. */
static subpy_id create_creator(void **state, const subpy_interpreter_config *config) {
  subpy_interpreter_config used = SUBPY_INTERPRETER_CONFIG_INIT;
  if (config != NULL) {
    used = *config;
  }
  used.backend = *(const subpy_backend *)*state;
  used.allow_interpreters = 1;
  subpy_id creator;
  EXPECT(SUBPY_OK, subpy_create(&used, &creator, &error));
  RUN(creator, "from subpy import _dummy_interpreters, interpreters\n"
               "id = _dummy_interpreters.create()\n"
               "process = _dummy_interpreters.run_string_unrestricted(id, 'import os; n = "
               "os.getpid()')['n']\n");
  return creator;
}

static subpy_id created_by(subpy_id creator) { return number_in(creator, "id"); }

static void test_they_end_with_their_creator(void **state) {
  const subpy_id creator = create_creator(state, NULL), id = created_by(creator);
  const pid_t its = (pid_t)number_in(creator, "process");
  CHECK(its != getpid() && process_of(id) == its, "it has no process of its own");
  DESTROY(creator);
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_run_string(id, "", &error));
  wait_until_gone(its);
}

static void test_the_host_takes_one_over(void **state) {
  const subpy_id creator = create_creator(state, NULL), id = created_by(creator);
  EXPECT(SUBPY_OK, subpy_take_over(id, &error));
  RUN(creator, "assert id not in _dummy_interpreters.list_all()");
  DESTROY(creator);
  RUN(id, "x = 1");
  DESTROY(id);
}

static void test_they_write_where_their_creator_does(void **state) {
  struct capture capture = {0};
  const subpy_interpreter_config config = capture_config(&capture);
  const subpy_id creator = create_creator(state, &config);
  RUN(creator, "_dummy_interpreters.run_string(id, 'import sys; print(1, end=\"\"); print(2, "
               "file=sys.stderr)')\n"
               "print(3)\n");
  CHECK_TEXT(text_of(&capture.out), "13\n");
  CHECK_TEXT(text_of(&capture.err), "2\n");
  DESTROY(creator);
}

static void test_limits_of_the_creator_end_them(void **state) {
  const subpy_id creator = create_creator(state, NULL);
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  limit_to(&options, 50);
  CHECK_STOPPED(
      SUBPY_ERR_TIMEOUT,
      run_for(creator, &options, "_dummy_interpreters.run_string(id, 'while True: pass')"), "");
  CHECK_STOPPED(SUBPY_ERR_TIMEOUT,
                run_for(creator, &options,
                        "_dummy_interpreters.run_string(id, 'import time; time.sleep(1000)')"),
                "");
  RUN(creator, "_dummy_interpreters.run_string(id, 'x = 1')");
  /* One that ignores that is killed. */
  CHECK_STOPPED(
      SUBPY_ERR_TIMEOUT,
      run_for(creator, &options, "_dummy_interpreters.run_string(id, 'sum(range(10 ** 15))')"), "");
  RUN(creator, "try: _dummy_interpreters.run_string(id, '')\n"
               "except _dummy_interpreters.InterpreterLostError as e: assert 'ignored' in str(e)\n"
               "else: raise AssertionError\n"
               "_dummy_interpreters.destroy(id)\n");
  DESTROY(creator);
}

/* What a thread of its scripts runs is in no run of its own. */
static void test_a_limit_does_not_end_what_a_thread_runs(void **state) {
  const subpy_id creator = create_creator(state, NULL);
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  limit_to(&options, 100);
  RUN(creator,
      "import threading\n"
      "queue, results = interpreters.create_queue(), []\n"
      "def work():\n"
      "  results.append(_dummy_interpreters.run_string_unrestricted(id, 'x = q.get()', {'q': "
      "queue})['x'])\n"
      "thread = threading.Thread(target=work)\n");
  CHECK_STOPPED(SUBPY_ERR_TIMEOUT,
                run_for(creator, &options,
                        "thread.start()\nwhile not _dummy_interpreters.is_running(id): pass\n"
                        "while True: pass"),
                "");
  RUN(creator, "while not _dummy_interpreters.is_running(id): pass\n"
               "queue.put(5)\nthread.join()\nassert results == [5], results\n");
  DESTROY(creator);
}

static void *kill_it(void *id) {
  usleep(1000);
  EXPECT(SUBPY_OK, subpy_kill(*(const subpy_id *)id, &error));
  return NULL;
}

static void test_the_host_kills_one_that_its_creator_waits_for(void **state) {
  const subpy_id creator = create_creator(state, NULL);
  subpy_id id = created_by(creator);
  const pthread_t thread = thread_start(kill_it, &id);
  RUN(creator, "while True:\n"
               "  try: _dummy_interpreters.run_string(id, 'import time; time.sleep(1000)')\n"
               "  except _dummy_interpreters.InterpreterLostError as e: break\n"
               "else: raise AssertionError\n"
               "try: _dummy_interpreters.run_string(id, '')\n"
               "except _dummy_interpreters.InterpreterLostError as e: assert 'the host has killed "
               "it' in str(e)\n"
               "else: raise AssertionError\n");
  thread_join(thread);
  DESTROY(creator);
}

struct run {
  subpy_id id;
  subpy_status expected;
};

static void *run(void *user) {
  const struct run *run = user;
  EXPECT(run->expected, subpy_run_string(run->id, "import os; os.read(r, 1)", &error));
  return NULL;
}

static void test_a_creator_whose_children_run(void **state) {
  const subpy_id creator = create_creator(state, NULL), id = created_by(creator);
  const bool is_process = *state == &process;
  RUN(id, "import os\nr, w = os.pipe()");
  struct run waits = {id, is_process ? SUBPY_ERR_LOST : SUBPY_OK};
  const int64_t w = number_in(id, "w");
  const pthread_t thread = thread_start(run, &waits);
  bool running = false;
  while (!running) {
    EXPECT(SUBPY_OK, subpy_is_running(id, &running, &error));
  }
  if (is_process) {
    DESTROY(creator); /* a process takes with it what it has created */
    thread_join(thread);
    EXPECT(SUBPY_ERR_NOT_FOUND, subpy_run_string(id, "", &error));
    return;
  }
  REFUSES(SUBPY_ERR_BUSY, "has created it", subpy_destroy(creator, &error));
  char end[96];
  snprintf(end, sizeof end, "/proc/%d/fd/%d", (int)number_in(creator, "process"), (int)w);
  FILE *pipe = fopen(end, "w");
  CHECK(pipe != NULL, "no %s", end);
  fputc('x', pipe);
  fclose(pipe);
  thread_join(thread);
  DESTROY(creator);
}

/* However a process ends, what it has created is gone a moment later. */
static void test_a_creator_that_is_lost(void **state) {
  if (*state == &local) {
    return; /* it ends with the host */
  }
  static const char *const ways[] = {"import os; os._exit(3)", "import os; os.abort()", NULL};
  size_t before, count;
  EXPECT(SUBPY_OK, subpy_list_all(NULL, 0, &before, &error));
  for (size_t i = 0; i < COUNT(ways); i++) {
    const subpy_id creator = create_creator(state, NULL), id = created_by(creator);
    RUN(creator, "for _ in range(15): _dummy_interpreters.create()");
    const pid_t its = process_of(id);
    if (ways[i] != NULL) {
      EXPECT(SUBPY_ERR_LOST, subpy_run_string(creator, ways[i], &error));
    } else {
      EXPECT(SUBPY_OK, subpy_kill(creator, &error));
    }
    const uint64_t start = now_ms();
    do {
      EXPECT(SUBPY_OK, subpy_list_all(NULL, 0, &count, &error));
    } while (count > before + 1); /* the creator */
    wait_until_gone(its);
    CHECK(now_ms() - start < 3000, "it took %d ms", (int)(now_ms() - start));
    EXPECT(SUBPY_ERR_NOT_FOUND, subpy_run_string(id, "", &error));
    EXPECT(SUBPY_ERR_LOST, subpy_run_string(creator, "", &error));
    DESTROY(creator);
  }
}

static void test_a_child_that_a_script_forks(void **state) {
  if (*state == &local) {
    return; /* CPython lets its main interpreter fork, and that of a process is one */
  }
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.allow_fork = 1;
  const subpy_id creator = create_creator(state, &config);
  RUN(creator, "import os\n"
               "queue = interpreters.create_queue()\n"
               "child = os.fork()\n"
               "if child == 0:\n"
               "  for call in _dummy_interpreters.create, _dummy_interpreters.list_all, "
               "interpreters.create_queue, queue.get:\n"
               "    try: call()\n"
               "    except (RuntimeError, MemoryError, interpreters.QueueError): pass\n"
               "    else: os._exit(4)\n"
               "  del queue\n"
               "  os._exit(3)\n"
               "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3\n"
               "queue.put(1); assert queue.get() == 1\n");
  DESTROY(creator);
}

enum { ROUNDS = 5, THREADS = 4, CHILDREN = 3 };

/* Ends something of a family in one of these ways. */
static void end_one(int way, subpy_id creator, const subpy_id *ids) {
  switch (way) {
  case 0:
    subpy_kill(ids[0], NULL);
    break;
  case 1:
    subpy_destroy(ids[0], NULL);
    break;
  case 2:
    subpy_kill(creator, NULL); /* which does nothing to one of this process */
    break;
  case 3:
    subpy_run_string(ids[0], "os._exit(1)", NULL);
    break;
  default:
    subpy_take_over(ids[1], NULL);
  }
}

/* Families that end in many ways at once: when a creator is destroyed, so is what it has created. */
static void *make_families(void *state) {
  for (int round = 0; round < ROUNDS; round++) {
    subpy_id ids[CHILDREN];
    const subpy_id creator = create_creator(&state, NULL);
    RUN(creator, "q = interpreters.create_queue()\n"
                 "ids = [_dummy_interpreters.create() for _ in range(3)]\n"
                 "_dummy_interpreters.run_string(ids[0], 'from subpy import _interpreters as i; "
                 "below = i.create(); import os')\n"
                 "for one in ids[1:]:\n"
                 "  _dummy_interpreters.run_string_unrestricted(one, 'import threading; "
                 "threading.Thread(target=q.get).start()', {'q': q})\n");
    for (int i = 0; i < CHILDREN; i++) {
      char name[16];
      snprintf(name, sizeof name, "ids[%d]", i);
      ids[i] = number_in(creator, name);
    }
    end_one(round % 5, creator, ids);
    subpy_destroy_options options = SUBPY_DESTROY_OPTIONS_INIT;
    options.stop_threads = 1;
    EXPECT(SUBPY_OK, subpy_destroy_with(creator, &options, &error));
    subpy_destroy(ids[1], NULL); /* the host may have taken it over */
    for (int i = 0; i < CHILDREN; i++) {
      EXPECT(SUBPY_ERR_NOT_FOUND, subpy_run_string(ids[i], "", &error));
    }
  }
  return NULL;
}

static void test_families_that_end_at_once(void **state) {
  pthread_t threads[THREADS];
  size_t before, after;
  EXPECT(SUBPY_OK, subpy_list_all(NULL, 0, &before, &error));
  for (int i = 0; i < THREADS; i++) {
    threads[i] = thread_start(make_families, *state);
  }
  for (int i = 0; i < THREADS; i++) {
    thread_join(threads[i]);
  }
  EXPECT(SUBPY_OK, subpy_list_all(NULL, 0, &after, &error));
  CHECK_EQUAL(after, before);
}

static void test_they_are_left_to_the_end(void **state) { create_creator(state, NULL); }

#define OF_BOTH(test)                                                                              \
  {#test, test, NULL, NULL, &local}, { #test "_of_a_process", test, NULL, NULL, &process }

int main(void) {
  const struct CMUnitTest tests[] = {
      OF_BOTH(test_they_end_with_their_creator),
      OF_BOTH(test_the_host_takes_one_over),
      OF_BOTH(test_they_write_where_their_creator_does),
      OF_BOTH(test_limits_of_the_creator_end_them),
      OF_BOTH(test_a_limit_does_not_end_what_a_thread_runs),
      OF_BOTH(test_the_host_kills_one_that_its_creator_waits_for),
      OF_BOTH(test_a_creator_whose_children_run),
      OF_BOTH(test_a_creator_that_is_lost),
      OF_BOTH(test_a_child_that_a_script_forks),
      OF_BOTH(test_families_that_end_at_once),
      OF_BOTH(test_they_are_left_to_the_end),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
