/* Output of a script's threads, and of one that runs on after the run. */
#include "backends.h"

#include <sched.h>

static void test_each_thread_is_heard(void **state) {
  (void)state;
  struct capture capture = {0};
  const subpy_interpreter_config config = capture_config(&capture);
  subpy_id id;
  CREATE(&config, &id);
  RUN(id, "import threading\n"
          "def speak(i):\n"
          "    for n in range(200):\n"
          "        print(f'<{i}.{n}>\\n', end='')\n"
          "threads = [threading.Thread(target=speak, args=(i,)) for i in range(8)]\n"
          "for t in threads: t.start()\n"
          "for t in threads: t.join()\n");
  /* Each line is whole, and each thread's lines are in order. */
  int next[8] = {0}, lines = 0;
  for (char *line = strtok(capture.out.data, "\n"); line; line = strtok(NULL, "\n"), lines++) {
    int thread = -1, number = -1;
    char rest = 'x';
    CHECK(sscanf(line, "<%d.%d>%c", &thread, &number, &rest) == 2 && thread >= 0 && thread < 8,
          "a torn line: %s", line);
    CHECK_EQUAL(number, next[thread]++);
  }
  CHECK_EQUAL(lines, 1600);
  DESTROY(id);
  capture_clear(&capture);
}

static void test_threads_in_turn_are_heard_in_turn(void **state) {
  (void)state;
  struct capture capture = {0};
  const subpy_interpreter_config config = capture_config(&capture);
  subpy_id id;
  CREATE(&config, &id);
  RUN(id, "import threading\n"
          "turns = [threading.Semaphore(0) for _ in range(5)]\n"
          "def speak(i):\n"
          "    turns[i].acquire()\n"
          "    print(i, end=' ')\n"
          "    turns[i + 1].release()\n"
          "threads = [threading.Thread(target=speak, args=(i,)) for i in reversed(range(4))]\n"
          "for t in threads: t.start()\n"
          "turns[0].release()\n"
          "turns[4].acquire()\n"
          "print('end')\n"
          "for t in threads: t.join()\n");
  CHECK_TEXT(text_of(&capture.out), "0 1 2 3 end\n");
  DESTROY(id);
  capture_clear(&capture);
}

static void test_an_exception_in_a_thread_is_printed(void **state) {
  (void)state;
  struct capture capture = {0};
  const subpy_interpreter_config config = capture_config(&capture);
  subpy_id id;
  CREATE(&config, &id);
  RUN(id, "import threading\n"
          "def fail(): raise ValueError('in a thread')\n"
          "t = threading.Thread(target=fail)\n"
          "t.start()\n"
          "t.join()\n");
  CHECK_CONTAINS(text_of(&capture.err), "ValueError: in a thread\n");
  DESTROY(id);
  capture_clear(&capture);
}

/* A line that a thread of the script writes after the run has ended. */
struct late {
  struct gate heard;
  pthread_t run_in;
  bool elsewhere;
};

static void hear(void *user, const char *text, size_t length) {
  struct late *late = user;
  if (length == 5 && memcmp(text, "late\n", 5) == 0) {
    late->elsewhere = !pthread_equal(pthread_self(), late->run_in);
    gate_open(&late->heard);
  }
}

static void test_a_thread_that_outlives_the_run(void **state) {
  (void)state;
  int ends[2];
  char code[512], end[128];
  CHECK_EQUAL(pipe(ends), 0);
  open_in_script(end, sizeof end, ends[0], "O_RDONLY");
  struct late late = {GATE_INIT, pthread_self(), false};
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.stdout_fn = hear;
  config.output_user = &late;
  subpy_id id;
  CREATE(&config, &id);
  snprintf(code, sizeof code,
           "import os, threading\n"
           "end = %s\n"
           "def speak():\n"
           "    os.read(end, 1)\n"
           "    print('late')\n"
           "t = threading.Thread(target=speak)\n"
           "t.start()\n",
           end);
  RUN(id, code);
  CHECK_EQUAL(write(ends[1], "x", 1), 1);
  gate_wait(&late.heard); /* with no run under way */
  CHECK(late.elsewhere, "written in the wrong thread");
  RUN(id, "t.join()");
  DESTROY(id);
  close(ends[0]);
  close(ends[1]);
}

/* A function of the host that is never called twice at once. */
struct once {
  pthread_mutex_t lock;
  size_t lines;
};

static void count_lines(void *user, const char *text, size_t length) {
  struct once *once = user;
  CHECK(pthread_mutex_trylock(&once->lock) == 0, "called twice at once");
  for (size_t i = 0; i < length; i++) {
    once->lines += text[i] == '\n';
  }
  sched_yield();
  pthread_mutex_unlock(&once->lock);
}

static void test_it_is_never_called_twice_at_once(void **state) {
  (void)state;
  struct once once = {PTHREAD_MUTEX_INITIALIZER, 0};
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.stdout_fn = count_lines;
  config.output_user = &once;
  subpy_id id;
  CREATE(&config, &id);
  RUN(id, "import threading\n"
          "def speak():\n"
          "    for n in range(1000): print(n)\n"
          "threads = [threading.Thread(target=speak) for _ in range(4)]\n"
          "for t in threads: t.start()\n"
          "for t in threads: t.join()\n");
  CHECK_EQUAL(once.lines, 4000);
  DESTROY(id);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_each_thread_is_heard),
      cmocka_unit_test(test_threads_in_turn_are_heard_in_turn),
      cmocka_unit_test(test_an_exception_in_a_thread_is_printed),
      cmocka_unit_test(test_a_thread_that_outlives_the_run),
      cmocka_unit_test(test_it_is_never_called_twice_at_once),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
