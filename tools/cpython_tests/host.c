/*
 * Runs one script in one interpreter of subpy.
 *
 *     host own|shared SECONDS SCRIPT OUTCOMES
 *
 * The script is run for so many seconds at most. For each call this program writes the status into the file
 * OUTCOMES, a line each, and so the last line tells which call ended the process.
 */
#define _XOPEN_SOURCE 700
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <subpy.h>

/* For the threads that a test leaves behind. */
enum { WAIT_MS = 30000 };

static char script[65536];
static const char *outcomes;

static void note(const char *call, subpy_status status, subpy_error **error) {
  FILE *file = fopen(outcomes, "a");
  if (file == NULL) {
    exit(2);
  }
  fprintf(file, "%s %s", call, subpy_status_name(status));
  if (status != SUBPY_OK) {
    fprintf(file, ": %s: ", subpy_error_type(*error));
    for (const char *text = subpy_error_message(*error); *text != '\0'; text++) {
      fputc(*text == '\n' ? ' ' : *text, file);
    }
    fprintf(stderr, "%s", subpy_error_traceback(*error));
  }
  fputc('\n', file);
  fclose(file);
  subpy_error_free(*error);
}

int main(int argc, char **argv) {
  FILE *file = argc > 4 ? fopen(argv[3], "r") : NULL;
  const size_t length = file != NULL ? fread(script, 1, sizeof script - 1, file) : 0;
  if (length == 0) {
    fprintf(stderr, "usage: host own|shared SECONDS SCRIPT OUTCOMES\n");
    return 2;
  }
  fclose(file);
  outcomes = argv[4];

  subpy_error *error = NULL;
  subpy_runtime_config runtime = SUBPY_RUNTIME_CONFIG_INIT;
  runtime.isolated = 0;
  note("initialize", subpy_initialize(&runtime, &error), &error);

  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.gil = strcmp(argv[1], "shared") == 0 ? SUBPY_GIL_SHARED : SUBPY_GIL_OWN;
  config.allow_exec = config.allow_threads = config.allow_daemon_threads = 1;
  subpy_id id = -1;
  note("create", subpy_create(&config, &id, &error), &error);

  subpy_run_options run = SUBPY_RUN_OPTIONS_INIT;
  run.filename = argv[3];
  run.timeout_ms = strtoull(argv[2], NULL, 10) * 1000;
  note("run", subpy_run_string_with(id, &run, script, length, &error), &error);

  subpy_destroy_options destroy = SUBPY_DESTROY_OPTIONS_INIT;
  destroy.wait_ms = WAIT_MS;
  note("destroy", subpy_destroy_with(id, &destroy, &error), &error);
  note("finalize", subpy_finalize(&error), &error);
  return 0;
}
