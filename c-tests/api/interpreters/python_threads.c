/* Threads that scripts start: an interpreter with one that lives can't be destroyed. */
#include "backends.h"
#include "files.h"

#include <sched.h>

/* Threads of a script that wait to be told to end. */
struct waiting {
  subpy_id id;
  int ends[2]; /* a pipe */
};

/* Runs code in a new interpreter, where `wait()` returns once end_threads() is called. */
static void start_threads(struct waiting *waiting, const subpy_interpreter_config *config,
                          const char *code) {
  char end[128], wait[256];
  CHECK_EQUAL(pipe(waiting->ends), 0);
  CREATE(config, &waiting->id);
  open_in_script(end, sizeof end, waiting->ends[0], "O_RDONLY");
  snprintf(wait, sizeof wait, "import os\nend = %s\ndef wait(): os.read(end, 1)", end);
  RUN(waiting->id, wait);
  RUN(waiting->id, code);
}

static void end_threads(struct waiting *waiting) { close(waiting->ends[1]); }

/* A thread that was told to end is gone when Python says so. */
static void destroy_when_idle(struct waiting *waiting) {
  while (subpy_destroy(waiting->id, NULL) == SUBPY_ERR_BUSY) {
    sched_yield();
  }
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_destroy(waiting->id, &error));
  close(waiting->ends[0]);
}

static void test_one_is_counted(void **state) {
  (void)state;
  struct waiting waiting;
  start_threads(&waiting, NULL, "import _thread; _thread.start_new_thread(wait, ())");
  REFUSES_FOR_THREADS("1 Python thread ", subpy_destroy(waiting.id, &error));
  end_threads(&waiting);
  destroy_when_idle(&waiting);
}

static void test_three_are_counted(void **state) {
  (void)state;
  struct waiting waiting;
  start_threads(&waiting, NULL,
                "import _thread\nfor _ in range(3): _thread.start_new_thread(wait, ())");
  REFUSES_FOR_THREADS("3 Python threads ", subpy_destroy(waiting.id, &error));
  end_threads(&waiting);
  destroy_when_idle(&waiting);
}

static void test_it_goes_on_as_before(void **state) {
  (void)state;
  struct waiting waiting;
  bool running = true;
  start_threads(&waiting, NULL, "import _thread; _thread.start_new_thread(wait, ())\nx = 1");
  EXPECT(SUBPY_OK, subpy_is_running(waiting.id, &running, &error));
  CHECK(!running, "no run is under way, but it is running");
  REFUSES_FOR_THREADS("", subpy_destroy(waiting.id, &error));
  EXPECT(SUBPY_OK, subpy_is_running(waiting.id, &running, &error));
  CHECK(!running, "still being destroyed");
  RUN(waiting.id, "assert x == 1");
  end_threads(&waiting);
  destroy_when_idle(&waiting);
}

static void test_a_threading_thread(void **state) {
  (void)state;
  struct waiting waiting;
  start_threads(&waiting, NULL,
                "import threading\nt = threading.Thread(target=wait, name='agent')\nt.start()");
  REFUSES_FOR_THREADS("1 Python thread that still runs: end it first (\"agent\" in ",
                      subpy_destroy(waiting.id, &error));
  end_threads(&waiting);
  RUN(waiting.id, "t.join()");
  destroy_when_idle(&waiting);
}

static void test_a_daemon_thread(void **state) {
  (void)state;
  struct waiting waiting;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.gil = SUBPY_GIL_SHARED;
  start_threads(
      &waiting, &config,
      "import threading\nthreading.Thread(target=wait, daemon=True, name='agent').start()");
  REFUSES_FOR_THREADS("end it first (\"agent\", a daemon thread in ",
                      subpy_destroy(waiting.id, &error));
  end_threads(&waiting);
  destroy_when_idle(&waiting);
}

/* Only what threading has started has a name. */
static void test_those_without_a_name(void **state) {
  (void)state;
  struct waiting waiting;
  start_threads(&waiting, NULL,
                "import _thread, threading\n"
                "threading.current_thread()\n"
                "_thread.start_new_thread(wait, ())\n"
                "class Other(threading.Thread):\n"
                "  def __getattribute__(self, name): looks.append(name); return "
                "super().__getattribute__(name)\n"
                "looks = []\n"
                "other = Other(target=wait); other.start()\n"
                "other._name = 42\n" /* from 3.14 on no thread starts with a name that is no text */
                "long = threading.Thread(target=wait, name='x' * 100000); long.start()\n"
                "looks.clear()\n");
  char expected[100] = "end them first (\"";
  memset(expected + strlen(expected), 'x', 64);
  strcat(expected, "\" in ");
  REFUSES_FOR_THREADS(expected, subpy_destroy(waiting.id, &error));
  RUN(waiting.id, "assert looks == [], looks"); /* no code of the script has run */
  end_threads(&waiting);
  destroy_when_idle(&waiting);
}

/* A package's .pth file has each interpreter start a thread. */
static void test_an_agent_of_site_packages(void **state) {
  (void)state;
  static const char pth[] = "import agent\n";
  static const char agent[] =
      "import os, threading\n"
      "ends = os.pipe()\n"
      "thread = threading.Thread(target=os.read, args=(ends[0], 1), name='agent')\n"
      "thread.start()\n";
  char directory[PATH_ROOM], file[PATH_ROOM], code[2 * PATH_ROOM];
  subpy_id id;
  make_temporary(directory);
  make_file(file, directory, "agent.pth", pth, strlen(pth));
  make_file(file, directory, "agent.py", agent, strlen(agent));
  snprintf(code, sizeof code, "import site; site.addsitedir('%s')", directory);
  CREATE(NULL, &id);
  RUN(id, code);
  REFUSES_FOR_THREADS("(\"agent\" in ", subpy_destroy(id, &error));
  RUN(id, "import agent, os; os.write(agent.ends[1], b'x'); agent.thread.join()\n"
          "for end in agent.ends: os.close(end)\n");
  EXPECT(SUBPY_OK, destroy_within(id, SUBPY_FOREVER, &error));
  remove_temporary(directory);
}

static void test_finalizing_is_refused_too(void **state) {
  (void)state;
  struct waiting waiting;
  start_threads(&waiting, NULL, "import _thread; _thread.start_new_thread(wait, ())");
  REFUSES_FOR_THREADS("1 Python thread ", subpy_finalize(&error));
  CHECK(subpy_is_initialized(), "refused, but finalized");
  RUN(waiting.id, "x = 1");
  end_threads(&waiting);
  destroy_when_idle(&waiting);
}

static void test_threads_that_have_ended_are_not_counted(void **state) {
  (void)state;
  subpy_id id;
  for (int i = 0; i < 10; i++) {
    CREATE(NULL, &id);
    RUN(id, "import threading\n"
            "threads = [threading.Thread(target=print, args=('', ), kwargs={'end': ''})"
            " for _ in range(10)]\n"
            "for t in threads: t.start()\n"
            "for t in threads: t.join()\n");
    while (subpy_destroy(id, NULL) == SUBPY_ERR_BUSY) {
      sched_yield(); /* joined, but its state is still there */
    }
    EXPECT(SUBPY_ERR_NOT_FOUND, subpy_destroy(id, &error));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_one_is_counted),
      cmocka_unit_test(test_three_are_counted),
      cmocka_unit_test(test_it_goes_on_as_before),
      cmocka_unit_test(test_a_threading_thread),
      cmocka_unit_test(test_a_daemon_thread),
      cmocka_unit_test(test_those_without_a_name),
      cmocka_unit_test(test_an_agent_of_site_packages),
      cmocka_unit_test(test_finalizing_is_refused_too),
      cmocka_unit_test(test_threads_that_have_ended_are_not_counted),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
