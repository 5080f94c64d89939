/*
 * What C code has of an interpreter, and hands to another one: it has to be what it was. `static`: a C static has a name
 * of an interpreter that has ended. `type`: the dict of a static type has some. `classes`: a C static has classes, and
 * those of the other interpreter have to be told from them.
 *
 *     kept MODULES static|type|classes own|shared    MODULES is the folder that has `extension`
 */
#include "subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *modules;
static bool shared_gil;

static struct options options(void) {
  const struct options options = {.process_streams = true, .shared_gil = shared_gil};
  return options;
}

static const char *program_of(const char *code) {
  static char program[2048];
  snprintf(program, sizeof program, "import sys\nsys.path.append('%s')\nimport extension\n%s",
           modules, code);
  return program;
}

static void live(const char *code) {
  const struct options plain = options();
  subject_live(&plain, program_of(code));
}

static void run(struct interpreter *interpreter, const char *code) {
  struct failure failure = {"", ""};
  const char *program = program_of(code);
  if (subject_run(interpreter, program, strlen(program), NULL, &failure) != SUBPY_OK) {
    fail("%s: %s", failure.type, failure.message);
  }
}

static void end(struct interpreter *interpreter) {
  struct failure failure = {"", ""};
  if (subject_destroy(interpreter, &failure) != SUBPY_OK) {
    fail("%s", failure.message);
  }
  subject_forget(interpreter);
}

static void test_static(void) {
  live("extension.keep('a_string_that_is_kept')");
  for (int i = 0; i < 5; i++) {
    live("x = ['a_string_like_all_others_' + str(n) for n in range(100000)]\n"
         "assert extension.get_kept() == 'a_string_' + 'that_is_kept'\n"
         "assert {'a_string_that_is_kept': 1}[extension.get_kept()] == 1");
  }
}

static void test_type(void) {
  static const char use[] =
      "x = ['a_string_like_all_others_' + str(n) for n in range(100000)]\n"
      "names = [n for n in dir(extension.Shared) if n[0] == 'a']\n"
      "assert names == ['a_method_that_a_static_type_has', 'another_method_that_it_has'], names\n"
      "assert extension.Shared().a_method_that_a_static_type_has() == 42\n";
  const struct options plain = options();
  struct interpreter *first = subject_create(&plain), *beside = subject_create(&plain);
  run(first, use);
  run(beside, use);
  end(first);
  run(beside, use);
  for (int i = 0; i < 5; i++) {
    live(use);
  }
  end(beside);
}

/* Both make classes one after the other, so that CPython knows some of one as it knows some of the other. A string that
 * is Python's own, as "name" is, is the same one in each interpreter. */
static void test_classes(void) {
  static const char make[] = "def make(text):\n"
                             "  class Kind:\n"
                             "    name = text\n"
                             "    def get(self): return text\n"
                             "  assert getattr(Kind, 'name') == Kind().get() == text\n"
                             "  return Kind\n";
  const struct options plain = options();
  struct interpreter *first = subject_create(&plain), *beside = subject_create(&plain);
  char code[1024];
  snprintf(code, sizeof code, "%sextension.keep([make('of the first') for _ in range(100)])", make);
  run(first, code);
  snprintf(code, sizeof code,
           "%swrong = 0\n"
           "for kept in extension.get_kept():\n"
           "  make('of the other')\n"
           "  wrong += getattr(kept, 'name') != 'of the first' or kept().get() != 'of the first'\n"
           "assert wrong == 0, f'{wrong} classes answer for others'\n",
           make);
  run(beside, code);
  end(first);
  end(beside);
}

int main(int count, char **arguments) {
  if (count != 4) {
    fail("usage: %s MODULES static|type|classes own|shared", arguments[0]);
  }
  modules = arguments[1];
  shared_gil = strcmp(arguments[3], "shared") == 0;
  subject_start(false, false);
  if (strcmp(arguments[2], "classes") == 0) {
    test_classes();
  } else {
    strcmp(arguments[2], "type") == 0 ? test_type() : test_static();
  }
  struct failure failure = {"", ""};
  if (subject_stop(&failure) != SUBPY_OK) {
    fail("%s", failure.message);
  }
  return EXIT_SUCCESS;
}
