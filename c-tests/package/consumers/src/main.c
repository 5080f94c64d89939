/* A host in C: the versions agree, and a script runs. */
#include <stdio.h>
#include <string.h>
#include <subpy.h>

static int same(const char *what, const char *got, const char *expected) {
  if (strcmp(got, expected) == 0) {
    return 1;
  }
  fprintf(stderr, "%s is %s, not %s\n", what, got, expected);
  return 0;
}

int main(void) {
  subpy_error *error = NULL;
  subpy_id id = 0;
  int ok =
      same("the header's version", SUBPY_VERSION, EXPECTED_VERSION) &&
      same("the library's version", subpy_version(), EXPECTED_VERSION) &&
      same("Python's version", subpy_python_version(), EXPECTED_PYTHON_VERSION) &&
      subpy_initialize(NULL, &error) == SUBPY_OK && subpy_create(NULL, &id, &error) == SUBPY_OK &&
      subpy_run_string(id, "import datetime, zlib; print('a script ran')", &error) == SUBPY_OK &&
      subpy_destroy(id, &error) == SUBPY_OK && subpy_finalize(&error) == SUBPY_OK;
  if (error != NULL) {
    fprintf(stderr, "%s\n%s", subpy_error_message(error), subpy_error_traceback(error));
    subpy_error_free(error);
  }
  return ok ? 0 : 1;
}
