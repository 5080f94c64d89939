/* A process that exits without subpy_finalize() exits cleanly, with its own exit code. */
#define SUPPORT_PLAIN
#include "support.h"

#include <sys/wait.h>

static void start(void) {
  subpy_id id;
  INITIALIZE(NULL);
  for (int i = 0; i < 3; i++) {
    CREATE(NULL, &id);
    RUN(id, "import atexit, json, threading\nx = [print]");
  }
}

static void return_from_main(void) {}

static void call_exit(void) { exit(7); }

static void call_quick_exit(void) { _exit(7); }

static void *exit_here(void *unused) {
  (void)unused;
  exit(7);
}

static void exit_in_another_thread(void) { in_thread(exit_here, NULL); }

static void on_output(void *user, const char *text, size_t length) {
  (void)user, (void)text, (void)length;
  exit(7);
}

static void exit_in_a_callback(void) {
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  subpy_id id;
  config.stdout_fn = on_output;
  CREATE(&config, &id);
  RUN(id, "print()");
}

static void exit_with_a_thread_of_a_script(void) {
  subpy_id id;
  CREATE(NULL, &id);
  RUN(id, "import os, threading\n"
          "reader, writer = os.pipe()\n"
          "threading.Thread(target=os.read, args=(reader, 1)).start()\n");
  exit(7);
}

static struct gate inside = GATE_INIT;

static void run_for_ever(void *user, const char *text, size_t length) {
  (void)user, (void)text, (void)length;
  gate_open(&inside);
}

static void *run_here(void *unused) {
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  subpy_id id;
  config.stdout_fn = run_for_ever;
  CREATE(&config, &id);
  RUN(id, "print()\nwhile True: pass");
  return unused;
}

static void exit_while_a_script_runs(void) {
  thread_start(run_here, NULL);
  gate_wait(&inside);
  exit(7);
}

int main(void) {
  const struct {
    const char *name;
    void (*leave)(void);
    int code;
  } ways[] = {
      {"return from main()", return_from_main, 0},
      {"exit()", call_exit, 7},
      {"_exit()", call_quick_exit, 7},
      {"exit() in another thread", exit_in_another_thread, 7},
      {"exit() in a callback", exit_in_a_callback, 7},
      {"exit() with a thread of a script", exit_with_a_thread_of_a_script, 7},
      {"exit() while a script runs", exit_while_a_script_runs, 7},
  };
  for (size_t i = 0; i < COUNT(ways); i++) {
    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
      start();
      ways[i].leave();
      return 0;
    }
    int status = -1;
    CHECK_EQUAL(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == ways[i].code, "%s: wait status %#x",
          ways[i].name, (unsigned)status);
  }
  return 0;
}
