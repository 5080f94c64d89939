/* A host in C: the versions agree, and a script runs, in an interpreter of each backend. With an argument, this is the
 * program of workers, too: that is how a program works that has the static library in it. */
#define _XOPEN_SOURCE 700
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <subpy.h>

static int same(const char *what, const char *got, const char *expected) {
  if (strcmp(got, expected) == 0) {
    return 1;
  }
  fprintf(stderr, "%s is %s, not %s\n", what, got, expected);
  return 0;
}

static int run_a_script(uint32_t backend, subpy_error **error) {
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  subpy_id id = 0;
  config.backend = backend;
  return subpy_create(&config, &id, error) == SUBPY_OK &&
         subpy_run_string(id, "import datetime, zlib; print('a script ran')", error) == SUBPY_OK &&
         subpy_destroy(id, error) == SUBPY_OK;
}

int main(int argc, char **argv) {
  subpy_worker_main(argc, argv);
  subpy_error *error = NULL;
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  char *const itself = realpath("/proc/self/exe", NULL);
  config.worker = argc > 1 ? itself : NULL;
  int ok = same("the header's version", SUBPY_VERSION, EXPECTED_VERSION) &&
           same("the library's version", subpy_version(), EXPECTED_VERSION) &&
           same("Python's version", subpy_python_version(), EXPECTED_PYTHON_VERSION) &&
           subpy_initialize(&config, &error) == SUBPY_OK &&
           run_a_script(SUBPY_BACKEND_LOCAL, &error) &&
           run_a_script(SUBPY_BACKEND_PROCESS, &error) && subpy_finalize(&error) == SUBPY_OK;
  if (error != NULL) {
    fprintf(stderr, "%s\n%s", subpy_error_message(error), subpy_error_traceback(error));
    subpy_error_free(error);
  }
  free(itself);
  return ok ? 0 : 1;
}
