/*
 * Plays one case by subpy: a script in one or two interpreters.
 *
 *     host own|shared|process SCRIPT STEP...
 *
 * The first says what its interpreters are: of a GIL of their own, of the shared one, or processes, whose zygote imports
 * the modules that PRELOAD in the environment names.
 *
 *   +A     creates the interpreter A
 *   A      runs the script in it
 *   A|B    runs the script in both at once, in a thread each
 *   -A     destroys it
 *
 * The script writes a line into the file `outcomes`. So does this program, for each call that fails.
 * peer.py does the same by CPython's own module of interpreters.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <subpy.h>

/* For the threads that a script leaves behind. CPython's module waits for them for ever. */
enum { WAIT_MS = 10000 };

static char script[16384];
static subpy_id interpreters['Z' + 1];
static subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;

static void note(const char *call, subpy_status status, subpy_error **error) {
  if (status != SUBPY_OK) {
    FILE *outcomes = fopen("outcomes", "a");
    fprintf(outcomes, "call\t%s\t%s: %s: %s ", status == SUBPY_ERR_LOST ? "crash" : "error", call,
            subpy_status_name(status), subpy_error_type(*error));
    for (const char *text = subpy_error_message(*error); *text != '\0'; text++) {
      fputc(*text == '\n' ? ' ' : *text, outcomes);
    }
    fputc('\n', outcomes);
    fclose(outcomes);
  }
  subpy_error_free(*error);
}

/* What CPython's configurations "isolated" and "legacy" allow. A process may do all. */
static void configure(const char *kind) {
  const bool is_own = strcmp(kind, "own") == 0;
  config.gil = strcmp(kind, "shared") == 0 ? SUBPY_GIL_SHARED : SUBPY_GIL_OWN;
  config.backend = strcmp(kind, "process") == 0 ? SUBPY_BACKEND_PROCESS : SUBPY_BACKEND_LOCAL;
  config.allow_fork = config.allow_exec = config.allow_daemon_threads = !is_own;
}

static void create(char name) {
  subpy_error *error = NULL;
  note("create", subpy_create(&config, &interpreters[(int)name], &error), &error);
}

static void *run(void *name) {
  subpy_error *error = NULL;
  note("run", subpy_run_string(interpreters[(int)*(const char *)name], script, &error), &error);
  return NULL;
}

static void run_both(char *names) {
  pthread_t threads[2];
  pthread_create(&threads[0], NULL, run, &names[0]);
  pthread_create(&threads[1], NULL, run, &names[2]);
  pthread_join(threads[0], NULL);
  pthread_join(threads[1], NULL);
}

static void destroy(char name) {
  subpy_destroy_options options = SUBPY_DESTROY_OPTIONS_INIT;
  options.wait_ms = WAIT_MS;
  subpy_error *error = NULL;
  note("destroy", subpy_destroy_with(interpreters[(int)name], &options, &error), &error);
}

static void play(char *step) {
  switch (step[0]) {
  case '+':
    create(step[1]);
    break;
  case '-':
    destroy(step[1]);
    break;
  default:
    if (step[1] == '|') {
      run_both(step);
    } else {
      run(step);
    }
  }
}

/* The names that PRELOAD has, with a space between two. */
static void preload(subpy_runtime_config *config) {
  enum { MOST = 64 };
  static const char *names[MOST];
  static char text[4096];
  const char *const list = getenv("PRELOAD");
  snprintf(text, sizeof text, "%s", list != NULL ? list : "");
  for (char *name = strtok(text, " "); name != NULL && config->preload_count < MOST;
       name = strtok(NULL, " ")) {
    names[config->preload_count++] = name;
  }
  config->preload = names;
}

int main(int argc, char **argv) {
  FILE *file = argc > 2 ? fopen(argv[2], "r") : NULL;
  if (file == NULL || fread(script, 1, sizeof script - 1, file) == 0) {
    fprintf(stderr, "usage: host own|shared|process SCRIPT STEP...\n");
    return 2;
  }
  fclose(file);
  configure(argv[1]);
  /* A script may set the title of the process, and that is written over the arguments. */
  for (int i = 3; i < argc; i++) {
    argv[i] = strdup(argv[i]);
  }

  subpy_runtime_config runtime = SUBPY_RUNTIME_CONFIG_INIT;
  runtime.isolated = 0; /* PYTHONPATH has the package */
  preload(&runtime);
  subpy_error *error = NULL;
  note("initialize", subpy_initialize(&runtime, &error), &error);
  for (int i = 3; i < argc; i++) {
    play(argv[i]);
  }
  note("finalize", subpy_finalize(&error), &error);
  return 0;
}
