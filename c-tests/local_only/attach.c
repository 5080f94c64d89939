/* Tools that attach to a process, from 3.14 on: sys.remote_exec() and pdb reach the interpreter that was created last. */
#include "child.h"
#include "files.h"

#include <sys/prctl.h>

enum { NOTHING = 3, CANNOT = 77 };

/* Has the Python of the tests do this: the number of this process and a path are its arguments, a text its input. */
static int tool(const char *code, const char *path, const char *input) {
  char number[20];
  int ends[2], status = -1;
  snprintf(number, sizeof number, "%d", (int)getpid());
  CHECK_EQUAL(pipe(ends), 0);
  const ssize_t length = (ssize_t)strlen(input);
  CHECK_EQUAL(write(ends[1], input, length), length);
#ifdef PR_SET_PTRACER
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0); /* where Yama lets none but parents */
#endif
  const pid_t pid = fork();
  CHECK(pid >= 0, "no child process");
  if (pid == 0) {
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    close(ends[1]);
    execl(SUBPY_TESTS_PYTHON, SUBPY_TESTS_PYTHON, "-c", code, number, path, (char *)NULL);
    _exit(127);
  }
  close(ends[0]);
  close(ends[1]);
  CHECK_EQUAL(waitpid(pid, &status, 0), pid);
  CHECK(WIFEXITED(status), "the tool has ended with status %#x", (unsigned)status);
  return WEXITSTATUS(status);
}

/* 0: the script is on its way; NOTHING: there is nothing to attach to; CANNOT: that is not to be had here. */
static int attach(const char *script) {
  return tool("import sys\n"
              "try: sys.remote_exec(int(sys.argv[1]), sys.argv[2])\n"
              "except Exception as e:\n"
              "  text = str(e)\n"
              "  why = e\n"
              "  while why and not isinstance(why, PermissionError):\n"
              "    why = why.__cause__ or why.__context__\n"
              "  if why or 'support' in text or 'enabled' in text: sys.exit(77)\n"
              "  if \"Can't find\" not in text: raise\n"
              "  sys.exit(3)\n",
              script, "");
}

static char directory[PATH_ROOM], script[PATH_ROOM];

/* A run that goes on until something is attached. */
struct loop {
  subpy_id id;
  struct gate running, attached;
  subpy_status ends; /* so it should */
  pthread_t thread;
};

static void loop_prints(void *user, const char *text, size_t length) {
  struct loop *loop = user;
  gate_open(length >= 8 && memcmp(text, "attached", 8) == 0 ? &loop->attached : &loop->running);
}

static void *loop_run(void *argument) {
  struct loop *loop = argument;
  EXPECT(loop->ends,
         subpy_run_string(loop->id, "attached = 0\nprint('running')\nwhile not attached: pass\n",
                          &error));
  return NULL;
}

static void loop_start(struct loop *loop) {
  const struct gate closed = GATE_INIT;
  loop->running = loop->attached = closed;
  loop->thread = thread_start(loop_run, loop);
  gate_wait(&loop->running);
}

static void loop_create(struct loop *loop, uint32_t gil) {
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.gil = gil;
  config.stdout_fn = loop_prints;
  config.output_user = loop;
  loop->ends = SUBPY_OK;
  CREATE(&config, &loop->id);
}

static void test_a_run(void **state) {
  (void)state;
  const uint32_t gils[] = {SUBPY_GIL_OWN, SUBPY_GIL_SHARED};
  for (size_t i = 0; i < COUNT(gils); i++) {
    struct loop loop;
    loop_create(&loop, gils[i]);
    for (int times = 0; times < 2; times++) {
      loop_start(&loop);
      CHECK_EQUAL(attach(script), 0);
      thread_join(loop.thread);
    }
    DESTROY(loop.id);
  }
}

static void test_the_next_run(void **state) {
  (void)state;
  subpy_id id;
  CREATE(NULL, &id);
  RUN(id, "attached = 0");
  CHECK_EQUAL(attach(script), 0);
  RUN(id, "for _ in range(10): pass\nassert attached == 1");
  CHECK_EQUAL(attach(script), 0);
  DESTROY(id); /* or never */
}

/* These tools have no way to name another one. */
static void test_the_last_one_created(void **state) {
  (void)state;
  struct loop first, last;
  loop_create(&first, SUBPY_GIL_OWN);
  loop_create(&last, SUBPY_GIL_OWN);
  loop_start(&first);
  loop_start(&last);
  CHECK_EQUAL(attach(script), 0);
  thread_join(last.thread);
  DESTROY(last.id);
  bool running = false;
  EXPECT(SUBPY_OK, subpy_is_running(first.id, &running, &error));
  CHECK(running, "it reached another one");
  CHECK_EQUAL(attach(script), 0);
  thread_join(first.thread);
  DESTROY(first.id);
}

static void ignore_output(void *user, const char *text, size_t length) {
  (void)user, (void)text, (void)length;
}

static void test_an_interrupt(void **state) {
  (void)state;
  static const char code[] = "print('attached')\nwhile True: pass\n";
  char endless[PATH_ROOM];
  struct loop loop;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.stdout_fn = loop_prints;
  config.stderr_fn = ignore_output;
  config.output_user = &loop;
  CREATE(&config, &loop.id);
  loop.ends = SUBPY_ERR_INTERRUPTED;
  loop_start(&loop);
  make_file(endless, directory, "endless.py", code, strlen(code));
  CHECK_EQUAL(attach(endless), 0);
  gate_wait(&loop.attached);
  EXPECT(SUBPY_OK, subpy_interrupt(loop.id, &error));
  thread_join(loop.thread);
  DESTROY(loop.id);
}

/* Exit functions still are. */
static void test_an_end(void **state) {
  (void)state;
  char code[3 * PATH_ROOM];
  subpy_id id;
  CREATE(NULL, &id);
  snprintf(code, sizeof code,
           "import atexit, subprocess\n"
           "attached = 0\n"
           "@atexit.register\n"
           "def wait():\n"
           "  subprocess.run(['%s', '-c', 'import sys; sys.remote_exec(%d, \"%s\")'], check=True)\n"
           "  while not attached: pass\n",
           SUBPY_TESTS_PYTHON, (int)getpid(), script);
  RUN(id, code);
  DESTROY(id);
}

static void test_pdb(void **state) {
  (void)state;
  struct loop loop;
  loop_create(&loop, SUBPY_GIL_OWN);
  loop_start(&loop);
  CHECK_EQUAL(tool("import pdb, sys; pdb.attach(int(sys.argv[1]))", "",
                   "where\nimport __main__; __main__.attached = 1\nquit\n"),
              0);
  thread_join(loop.thread);
  RUN(loop.id, "assert attached == 1");
  DESTROY(loop.id);
}

static void find_nothing(void *argument) {
  (void)argument;
  INITIALIZE(NULL);
  CHECK_EQUAL(attach(script), NOTHING);
  subpy_id id;
  CREATE(NULL, &id);
  RUN(id, "attached = 0");
  CHECK_EQUAL(attach(script), 0);
  DESTROY(id);
  CHECK_EQUAL(attach(script), NOTHING);
  FINALIZE();
}

/* The main interpreter is none to attach to, if the host does not run code there. */
static void test_no_interpreter(void **state) {
  (void)state;
  IN_CHILD(find_nothing, NULL);
}

static void test_the_main_interpreter(void **state) {
  (void)state;
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  subpy_id id;
  config.allow_main = 1;
  INITIALIZE(&config);
  EXPECT(SUBPY_OK, subpy_get_main(&id, &error));
  RUN(id, "attached = 0");
  CHECK_EQUAL(attach(script), 0);
  RUN(id, "for _ in range(10): pass\nassert attached == 1");
}

static int finalize(void **state) {
  (void)state;
  CHECK_EQUAL(attach(script), 0);
  FINALIZE();
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_no_interpreter),
      cmocka_unit_test(test_the_main_interpreter),
      cmocka_unit_test(test_a_run),
      cmocka_unit_test(test_the_next_run),
      cmocka_unit_test(test_the_last_one_created),
      cmocka_unit_test(test_an_end),
      cmocka_unit_test(test_pdb),
      cmocka_unit_test(test_an_interrupt),
  };
  static const char code[] = "import __main__; __main__.attached += 1";
  int result = CANNOT;
  make_temporary(directory);
  make_file(script, directory, "script.py", code, strlen(code));
  if (python_at_least(3, 14) && attach(script) != CANNOT) {
    result = RUN_TESTS_BETWEEN(tests, NULL, finalize);
  }
  remove_temporary(directory);
  return result;
}
