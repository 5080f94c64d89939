/*
 * What C code has of an interpreter, and hands to another one: it has to be what it was. `static`: a C static has a name
 * of an interpreter that has ended. `type`: the dict of a static type has some. `classes`: a C static has classes, and
 * those of the other interpreter have to be told from them.
 *
 *     kept MODULES static|type|classes own|shared    MODULES is the folder that has `extension`
 */
#include <Python.h>

#define SUPPORT_PLAIN
#include "check.h"

PyMODINIT_FUNC PyInit_extension(void);

static const char *modules, *module = "extension";
static subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;

static const char *program_of(const char *code) {
  static char program[2048];
  snprintf(program, sizeof program, "import sys\nsys.path.append('%s')\nimport %s as extension\n%s",
           modules, module, code);
  return program;
}

static void live(const char *code) { RUN_IN_NEW(&config, program_of(code)); }

static void run(subpy_id id, const char *code) { RUN(id, program_of(code)); }

/* The static is the host's own, as is the module. Where scripts load a module from elsewhere, no name is freed
 * at all. The others are as long as the one that is kept: they get its memory if it was freed. */
static void test_static(void) {
  module = "in_the_host";
  live("a_string_that_is_kept = 1\n"
       "extension.keep('a_string_that_is_kept')");
  for (int i = 0; i < 5; i++) {
    live("x = [f'a_string_{n:012}' for n in range(100000)]\n"
         "assert extension.get_kept() == 'a_string_' + 'that_is_kept', extension.get_kept()\n"
         "assert {'a_string_that_is_kept': 1}[extension.get_kept()] == 1");
  }
}

static void test_type(void) {
  static const char use[] =
      "x = ['a_string_like_all_others_' + str(n) for n in range(100000)]\n"
      "names = [n for n in dir(extension.Shared) if n[0] == 'a']\n"
      "assert names == ['a_method_that_a_static_type_has', 'another_method_that_it_has'], names\n"
      "assert extension.Shared().a_method_that_a_static_type_has() == 42\n";
  subpy_id first, beside;
  CREATE(&config, &first);
  CREATE(&config, &beside);
  run(first, use);
  run(beside, use);
  DESTROY(first);
  run(beside, use);
  for (int i = 0; i < 5; i++) {
    live(use);
  }
  DESTROY(beside);
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
  subpy_id first, beside;
  CREATE(&config, &first);
  CREATE(&config, &beside);
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
  DESTROY(first);
  DESTROY(beside);
}

int main(int count, char **arguments) {
  CHECK(count == 4, "usage: %s MODULES static|type|classes own|shared", arguments[0]);
  modules = arguments[1];
  config.gil = strcmp(arguments[3], "shared") == 0 ? SUBPY_GIL_SHARED : SUBPY_GIL_DEFAULT;
  PyImport_AppendInittab("in_the_host", PyInit_extension);
  INITIALIZE(NULL);
  if (strcmp(arguments[2], "classes") == 0) {
    test_classes();
  } else {
    strcmp(arguments[2], "type") == 0 ? test_type() : test_static();
  }
  FINALIZE();
  return EXIT_SUCCESS;
}
