/*
 * A string of an interpreter that has ended, which a C static still has: it has to be what it was,
 * though the interpreter's other strings are freed.
 *
 *     kept_string MODULES    MODULES is the folder that has `extension`
 */
#include "subject.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(EXIT_FAILURE);
}

static void live(const char *modules, const char *code) {
  const struct options options = {.process_streams = true};
  struct failure failure = {"", ""};
  char program[2048];
  snprintf(program, sizeof program, "import sys\nsys.path.append('%s')\nimport extension\n%s",
           modules, code);
  struct interpreter *interpreter = subject_create(&options);
  if (subject_run(interpreter, program, strlen(program), NULL, &failure) != SUBPY_OK) {
    fail("%s: %s", failure.type, failure.message);
  }
  subject_destroy(interpreter, &failure);
  subject_forget(interpreter);
}

int main(int count, char **arguments) {
  if (count != 2) {
    fail("usage: %s MODULES", arguments[0]);
  }
  subject_start(false, false);
  live(arguments[1], "extension.keep('a_string_that_is_kept')");
  for (int i = 0; i < 5; i++) {
    live(arguments[1], "x = ['a_string_like_all_others_' + str(n) for n in range(100000)]\n"
                       "assert extension.get_kept() == 'a_string_' + 'that_is_kept'\n"
                       "assert {'a_string_that_is_kept': 1}[extension.get_kept()] == 1");
  }
  struct failure failure = {"", ""};
  if (subject_stop(&failure) != SUBPY_OK) {
    fail("%s", failure.message);
  }
  return EXIT_SUCCESS;
}
