/* With a virtual environment's python as the executable, its site-packages are importable. */
#include "child.h"
#include "files.h"

static void run_command(const char *command) { CHECK_EQUAL(system(command), 0); }

struct place {
  char python[PATH_ROOM], environment[PATH_ROOM];
};

static void import_from_environment(void *argument) {
  const struct place *place = argument;
  char code[2 * PATH_ROOM];
  subpy_id id;
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.executable = place->python;
  INITIALIZE(&config);
  CREATE(NULL, &id);
  RUN(id, "import subpy_test_package.module as module\nassert module.where == 'venv'\n");
  snprintf(code, sizeof code,
           "import os, sys\n"
           "assert os.path.realpath(sys.prefix) == os.path.realpath('%s'), sys.prefix\n"
           "assert sys.prefix != sys.base_prefix\n"
           "import json, math\n",
           place->environment);
  RUN(id, code);
  DESTROY(id);
  FINALIZE();
}

static void import_without(void *argument) {
  (void)argument;
  subpy_id id;
  INITIALIZE(NULL);
  CREATE(NULL, &id);
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "import subpy_test_package");
  CHECK_TEXT(subpy_error_type(error), "ModuleNotFoundError");
  subpy_error_free(error);
}

static void test_its_packages_are_importable(void **state) {
  (void)state;
  char python[PATH_ROOM], directory[PATH_ROOM], command[3 * PATH_ROOM];
  struct place place;
  ask_python("sys.executable", python, sizeof python);
  make_temporary(directory);
  join_path(place.environment, directory, "venv");
  join_path(place.python, place.environment, "bin/python");
  snprintf(command, sizeof command, "'%s' -I -m venv --without-pip '%s'", python,
           place.environment);
  run_command(command);
  snprintf(command, sizeof command,
           "package=$('%s' -I -c 'import sysconfig; print(sysconfig.get_path(\"purelib\"))')"
           "/subpy_test_package && mkdir \"$package\" && touch \"$package/__init__.py\" && "
           "echo \"where = 'venv'\" > \"$package/module.py\"",
           place.python);
  run_command(command);
  IN_CHILD(import_from_environment, &place);
  IN_CHILD(import_without, NULL);
  remove_temporary(directory);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_its_packages_are_importable),
  };
  return RUN_TESTS(tests);
}
