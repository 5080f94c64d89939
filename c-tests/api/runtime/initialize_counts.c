/* subpy_initialize() counts, and holds later callers to the first one's config. */
#include "files.h"

#include <signal.h>

static char directory[PATH_ROOM];

static void test_each_initialize_needs_a_finalize(void **state) {
  (void)state;
  const subpy_runtime_config same = SUBPY_RUNTIME_CONFIG_INIT;
  INITIALIZE(NULL);
  INITIALIZE(NULL);
  INITIALIZE(&same);
  CHECK_EQUAL(subpy_initialize(NULL, NULL), SUBPY_OK);
  for (int i = 0; i < 3; i++) {
    FINALIZE();
    CHECK(subpy_is_initialized(), "finalized %d times, initialized 5 times", i + 1);
  }
  subpy_id id;
  CREATE(NULL, &id);
  FINALIZE();
  CHECK(subpy_is_initialized(), "finalized before the last count");
  RUN(id, "x = 1");
  DESTROY(id);
}

static void differs(int line, const subpy_runtime_config *config, const char *field) {
  subpy_error *error = UNWRITTEN;
  subpy_status got = subpy_initialize(config, &error);
  check_call(__FILE__, line, field, SUBPY_ERR_NOT_PERMITTED, got, field, error);
}

static void no_log(void *user, const char *message) { (void)user, (void)message; }

#define DIFFERS(config, field) differs(__LINE__, config, field)

static void test_another_config_is_refused_and_says_what_differs(void **state) {
  (void)state;
  const subpy_runtime_config first = SUBPY_RUNTIME_CONFIG_INIT;
  subpy_runtime_config config = first;
  config.program_name = "another";
  DIFFERS(&config, "program_name");
  config = first;
  config.home = "/";
  DIFFERS(&config, "home = NULL, where this asks for /");
  config = first;
  config.executable = "/";
  DIFFERS(&config, "executable");
  config = first;
  config.isolated = 0;
  DIFFERS(&config, "isolated");
  config = first;
  config.install_signal_handlers = 1;
  DIFFERS(&config, "install_signal_handlers");
  config = first;
  config.import_site = 0;
  DIFFERS(&config, "import_site");
  config = first;
  config.allow_main = 1;
  DIFFERS(&config, "allow_main");
  config.import_site = 0;
  DIFFERS(&config, "import_site = 1, where this asks for 0; allow_main = 0, where this asks for 1");
  config = first;
  config.ignore_sigpipe = 0;
  DIFFERS(&config, "ignore_sigpipe");
  config = first;
  config.allow_interpreters = 1;
  DIFFERS(&config, "allow_interpreters");
  config = first;
  config.interpreter_limit = 3;
  DIFFERS(&config, "interpreter_limit");
  config = first;
  config.forbid_patches = 1;
  DIFFERS(&config, "forbid_patches");
  config = first;
  config.wait_signal = SIGUSR1;
  DIFFERS(&config, "wait_signal");
  config = first;
  config.forbid_stack_switches = 1;
  DIFFERS(&config, "forbid_stack_switches");
  const char *const paths[] = {directory}, *const modules[] = {"json"};
  config = first;
  config.preload = modules;
  config.preload_count = 1;
  DIFFERS(&config, "preload = []");
  config = first;
  config.worker = "/a/worker";
  DIFFERS(&config, "worker = NULL, where this asks for /a/worker");
  config = first;
  config.log_fn = no_log;
  DIFFERS(&config, "log_fn");
  config = first;
  config.module_search_paths = paths;
  config.module_search_paths_count = 1;
  DIFFERS(&config, "module_search_paths");
}

static void test_a_wrong_config_is_refused_as_ever(void **state) {
  (void)state;
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.struct_size = 8;
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "struct_size", subpy_initialize(&config, &error));
}

static void test_what_was_refused_does_not_count(void **state) {
  (void)state;
  INITIALIZE(NULL);
  FINALIZE();
  CHECK(subpy_is_initialized(), "the group's own count is gone");
}

static int initialize(void **state) {
  make_temporary(directory);
  return initialize_defaults(state);
}

static int finalize(void **state) {
  remove_temporary(directory);
  return finalize_at_last(state);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_each_initialize_needs_a_finalize),
      cmocka_unit_test(test_another_config_is_refused_and_says_what_differs),
      cmocka_unit_test(test_a_wrong_config_is_refused_as_ever),
      cmocka_unit_test(test_what_was_refused_does_not_count),
  };
  return RUN_TESTS_BETWEEN(tests, initialize, finalize);
}
