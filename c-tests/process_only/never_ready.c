/* A module that is imported before the fork may hang after it: who creates is told, a minute later. */
#include "files.h"
#include "processes.h"

static void test_one_that_hangs(void **state) {
  (void)state;
  const char code[] = "import os, threading\n"
                      "os.register_at_fork(after_in_child=threading.Event().wait)\n";
  char path[PATH_ROOM];
  make_file(path, folder, "hangs.py", code, sizeof code - 1);
  const char *const paths[] = {folder}, *const modules[] = {"hangs"};
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.module_search_paths = paths;
  config.module_search_paths_count = 1;
  config.preload = modules;
  config.preload_count = 1;
  INITIALIZE(&config);
  subpy_interpreter_config made = SUBPY_INTERPRETER_CONFIG_INIT;
  made.backend = SUBPY_BACKEND_PROCESS;
  subpy_id id;
  REFUSES(SUBPY_ERR_LOST, "was not ready", subpy_create(&made, &id, &error));
  CHECK_EQUAL(id, -1);
  FINALIZE();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_one_that_hangs),
  };
  return RUN_TESTS_BETWEEN(tests, make_folder, remove_folder);
}
