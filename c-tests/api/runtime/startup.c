/* How each field of a runtime config changes the Python that starts: one child process each. */
#include "child.h"
#include "files.h"

struct start {
  subpy_runtime_config config;
  const char *code; /* has to succeed in a new interpreter */
};

static void start_and_run(void *argument) {
  const struct start *start = argument;
  INITIALIZE(&start->config);
  RUN_IN_NEW(NULL, start->code);
  FINALIZE();
}

#define STARTS(start) IN_CHILD(start_and_run, &(start))

static void test_the_environment_is_ignored(void **state) {
  (void)state;
  setenv("PYTHONPATH", "/from/PYTHONPATH", 1);
  setenv("PYTHONHOME", "/no/such/home", 1);
  setenv("PYTHONUTF8", "0", 1);
  setenv("PYTHONDONTWRITEBYTECODE", "1", 1);
  struct start start = {SUBPY_RUNTIME_CONFIG_INIT,
                        "import sys\n"
                        "assert '/from/PYTHONPATH' not in sys.path, sys.path\n"
                        "assert sys.prefix != '/no/such/home'\n"
                        "assert sys.flags.isolated == 1\n"
                        "assert not sys.dont_write_bytecode\n"
                        "assert '' not in sys.path, sys.path\n"};
  STARTS(start);
  unsetenv("PYTHONPATH");
  unsetenv("PYTHONHOME");
  unsetenv("PYTHONUTF8");
  unsetenv("PYTHONDONTWRITEBYTECODE");
}

static void test_the_environment_counts_if_asked(void **state) {
  (void)state;
  setenv("PYTHONPATH", "/from/PYTHONPATH", 1);
  setenv("PYTHONDONTWRITEBYTECODE", "1", 1);
  struct start start = {SUBPY_RUNTIME_CONFIG_INIT,
                        "import sys\n"
                        "assert '/from/PYTHONPATH' in sys.path, sys.path\n"
                        "assert sys.flags.isolated == 0\n"
                        "assert sys.dont_write_bytecode\n"};
  start.config.isolated = 0;
  STARTS(start);
  unsetenv("PYTHONPATH");
  unsetenv("PYTHONDONTWRITEBYTECODE");
}

/* To 3.11 it looks at each allocation whether the thread has the GIL. (On 3.12, what asyncio imports needs an allocator that
 * interpreters share, which is the default.) */
static void test_the_allocator_may_be_one_that_checks(void **state) {
  (void)state;
  setenv("PYTHONMALLOC", "debug", 1);
  struct start start = {SUBPY_RUNTIME_CONFIG_INIT,
                        "import json, threading\n"
                        "thread = threading.Thread(target=json.dumps, args=[1])\n"
                        "thread.start(); thread.join()\n"};
  start.config.account_memory = 0;
  STARTS(start);
  unsetenv("PYTHONMALLOC");
}

static void test_site_is_imported(void **state) {
  (void)state;
  struct start start = {SUBPY_RUNTIME_CONFIG_INIT, "import sys; assert 'site' in sys.modules"};
  STARTS(start);
}

static void test_site_is_not_imported_if_asked(void **state) {
  (void)state;
  struct start start = {SUBPY_RUNTIME_CONFIG_INIT,
                        "import sys\n"
                        "assert 'site' not in sys.modules\n"
                        "assert not any('site-packages' in p for p in sys.path), sys.path\n"
                        "import json\n"};
  start.config.import_site = 0;
  STARTS(start);
}

static void test_text_is_utf8_everywhere(void **state) {
  (void)state;
  struct start start = {SUBPY_RUNTIME_CONFIG_INIT,
                        "import locale, sys\n"
                        "assert sys.flags.utf8_mode == 1\n"
                        "assert sys.getfilesystemencoding() == 'utf-8'\n"
                        "assert sys.stdout.encoding == sys.stderr.encoding == 'utf-8'\n"
                        "assert locale.getpreferredencoding(False).lower() == 'utf-8'\n"};
  setenv("LC_ALL", "C", 1);
  STARTS(start);
  unsetenv("LC_ALL");
}

static void test_a_home(void **state) {
  (void)state;
  char home[PATH_ROOM], code[2 * PATH_ROOM];
  ask_python("sys.base_prefix", home, sizeof home);
  snprintf(code, sizeof code, "import json, math, sys\nassert sys.prefix == '%s', sys.prefix",
           home);
  struct start start = {SUBPY_RUNTIME_CONFIG_INIT, code};
  start.config.home = home;
  STARTS(start);
}

static void test_a_home_wins_over_an_unrelated_path(void **state) {
  (void)state;
  char home[PATH_ROOM], empty[PATH_ROOM];
  ask_python("sys.base_prefix", home, sizeof home);
  make_temporary(empty);
  setenv("PATH", empty, 1);
  struct start start = {SUBPY_RUNTIME_CONFIG_INIT, "import json, math"};
  STARTS(start);
  start.config.home = home;
  STARTS(start);
  remove_temporary(empty);
}

static void test_a_program_name(void **state) {
  (void)state;
  char executable[PATH_ROOM], code[2 * PATH_ROOM];
  ask_python("sys.executable", executable, sizeof executable);
  snprintf(code, sizeof code, "import json, sys\nassert sys.executable == '%s', sys.executable",
           executable);
  struct start start = {SUBPY_RUNTIME_CONFIG_INIT, code};
  start.config.program_name = executable;
  STARTS(start);
}

static void test_an_executable(void **state) {
  (void)state;
  char executable[PATH_ROOM], code[2 * PATH_ROOM];
  ask_python("sys.executable", executable, sizeof executable);
  CHECK(access(executable, X_OK) == 0, "\"%s\" can't be executed", executable);
  snprintf(code, sizeof code, "import json, sys\nassert sys.executable == '%s', sys.executable",
           executable);
  struct start start = {SUBPY_RUNTIME_CONFIG_INIT, code};
  start.config.executable = executable;
  STARTS(start);
}

static void test_the_library_is_the_one_that_is_loaded(void **state) {
  (void)state;
  char code[512];
  snprintf(code, sizeof code,
           "import os, platform, sys\n"
           "assert platform.python_version() == '%s'\n"
           "assert 'python%%d.%%d' %% sys.version_info[:2] in os.__file__, os.__file__\n",
           subpy_python_version());
  struct start start = {SUBPY_RUNTIME_CONFIG_INIT, code};
  STARTS(start);
}

static void test_scripts_get_no_arguments(void **state) {
  (void)state;
  struct start start = {SUBPY_RUNTIME_CONFIG_INIT, "import sys; assert sys.argv == ['']"};
  STARTS(start);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_environment_is_ignored),
      cmocka_unit_test(test_the_environment_counts_if_asked),
      cmocka_unit_test(test_the_allocator_may_be_one_that_checks),
      cmocka_unit_test(test_site_is_imported),
      cmocka_unit_test(test_site_is_not_imported_if_asked),
      cmocka_unit_test(test_text_is_utf8_everywhere),
      cmocka_unit_test(test_a_home),
      cmocka_unit_test(test_a_home_wins_over_an_unrelated_path),
      cmocka_unit_test(test_a_program_name),
      cmocka_unit_test(test_an_executable),
      cmocka_unit_test(test_the_library_is_the_one_that_is_loaded),
      cmocka_unit_test(test_scripts_get_no_arguments),
  };
  return RUN_TESTS(tests);
}
