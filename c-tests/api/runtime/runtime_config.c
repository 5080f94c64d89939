/* A config that is refused has started nothing: a good one still works afterwards. */
#include "child.h"
#include "files.h"

static void refuses(int line, const subpy_runtime_config *config, const char *part) {
  subpy_error *error = UNWRITTEN;
  subpy_status got = subpy_initialize(config, &error);
  check_call(__FILE__, line, "subpy_initialize", SUBPY_ERR_INVALID_ARGUMENT, got, part, error);
  CHECK(!subpy_is_initialized(), "refused, but initialized");
}

#define CONFIG_REFUSED(config, part) refuses(__LINE__, config, part)

static void test_a_wrong_struct_size(void **state) {
  (void)state;
  const size_t sizes[] = {0, 1, 72 - 1 /* of the first version */, SIZE_MAX};
  for (size_t i = 0; i < COUNT(sizes); i++) {
    subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
    config.struct_size = sizes[i];
    CONFIG_REFUSED(&config, "struct_size");
  }
}

static void test_flags_are_0_or_1(void **state) {
  (void)state;
  const struct {
    const char *name;
    size_t offset;
  } flags[] = {
      {"isolated", offsetof(subpy_runtime_config, isolated)},
      {"install_signal_handlers", offsetof(subpy_runtime_config, install_signal_handlers)},
      {"import_site", offsetof(subpy_runtime_config, import_site)},
      {"allow_main", offsetof(subpy_runtime_config, allow_main)},
      {"allow_interpreters", offsetof(subpy_runtime_config, allow_interpreters)},
  };
  for (size_t i = 0; i < COUNT(flags); i++) {
    subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
    ((unsigned char *)&config)[flags[i].offset] = 2;
    CONFIG_REFUSED(&config, flags[i].name);
    ((unsigned char *)&config)[flags[i].offset] = 255;
    CONFIG_REFUSED(&config, flags[i].name);
  }
}

static void test_strings_that_are_not_utf8(void **state) {
  (void)state;
  const char *const bad = "/\xff", *const paths[] = {bad};
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.program_name = bad;
  CONFIG_REFUSED(&config, "program_name");
  config.program_name = NULL;
  config.home = bad;
  CONFIG_REFUSED(&config, "home");
  config.home = NULL;
  config.executable = bad;
  CONFIG_REFUSED(&config, "executable");
  config.executable = NULL;
  config.module_search_paths = paths;
  config.module_search_paths_count = 1;
  CONFIG_REFUSED(&config, "module_search_paths[0]");
}

static void test_search_paths_that_are_wrong(void **state) {
  (void)state;
  char directory[PATH_ROOM], missing[PATH_ROOM];
  make_temporary(directory);
  join_path(missing, directory, "missing");
  const char *paths[] = {directory, NULL};
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.module_search_paths_count = 2;
  CONFIG_REFUSED(&config, "module_search_paths is NULL");
  config.module_search_paths = paths;
  CONFIG_REFUSED(&config, "module_search_paths[1] is NULL");
  paths[1] = missing;
  CONFIG_REFUSED(&config, missing);
  CONFIG_REFUSED(&config, "module_search_paths[1]");
  paths[1] = "";
  CONFIG_REFUSED(&config, "module_search_paths[1]");
  remove_temporary(directory);
}

static void test_an_executable_that_is_none(void **state) {
  (void)state;
  char directory[PATH_ROOM], missing[PATH_ROOM];
  make_temporary(directory);
  join_path(missing, directory, "python");
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.executable = directory;
  CONFIG_REFUSED(&config, directory);
  config.executable = missing;
  CONFIG_REFUSED(&config, missing);
  config.executable = "";
  CONFIG_REFUSED(&config, "executable");
  remove_temporary(directory);
}

/* The executable of a virtual environment with these settings: the message has both versions. */
static void check_environment(const char *settings, const char *executable, const char *version) {
  char directory[PATH_ROOM], path[PATH_ROOM], python[PATH_ROOM];
  make_temporary(directory);
  make_file(path, directory, "pyvenv.cfg", settings, strlen(settings));
  join_path(path, directory, "bin");
  CHECK_EQUAL(mkdir(path, 0700), 0);
  make_file(python, path, executable, "", 0);
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.executable = python;
  CONFIG_REFUSED(&config, version);
  int major = 0, minor = 0;
  char ours[32];
  sscanf(subpy_python_version(), "%d.%d", &major, &minor);
  snprintf(ours, sizeof ours, "Python %d.%d:", major, minor);
  CONFIG_REFUSED(&config, ours);
  CONFIG_REFUSED(&config, python);
  config.executable = NULL;
  config.program_name = python;
  CONFIG_REFUSED(&config, "program_name");
  remove_temporary(directory);
}

static void test_an_executable_of_another_version(void **state) {
  (void)state;
  check_environment("home = /usr/bin\nversion = 3.8.18\n", "python3", "3.8.18");
  check_environment("home=/x\nVERSION_INFO=3.9.1.final.0", "python", "3.9.1");
  char directory[PATH_ROOM], path[PATH_ROOM];
  make_temporary(directory);
  make_file(path, directory, "python3.7", "", 0);
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.executable = path;
  CONFIG_REFUSED(&config, "of Python 3.7");
  remove_temporary(directory);
}

static void test_a_home_without_a_library_names_what_was_tried(void **state) {
  (void)state;
  char directory[PATH_ROOM], tried[PATH_ROOM];
  int major = 0, minor = 0;
  make_temporary(directory);
  sscanf(subpy_python_version(), "%d.%d", &major, &minor);
  int length = snprintf(tried, sizeof tried, "%s/lib/python%d.%d/", directory, major, minor);
  CHECK(length < (int)sizeof tried, "%s is too long", directory);
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.home = directory;
  CONFIG_REFUSED(&config, tried);
  config.home = "/no/such/home";
  CONFIG_REFUSED(&config, "/no/such/home/lib/python");
  remove_temporary(directory);
}

static void test_a_home_of_the_environment_counts_if_asked(void **state) {
  (void)state;
  setenv("PYTHONHOME", "/no/such/home", 1);
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.isolated = 0;
  CONFIG_REFUSED(&config, "/no/such/home/lib/python");
  unsetenv("PYTHONHOME");
}

static void test_a_setting_of_the_environment_is_named(void **state) {
  (void)state;
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.isolated = 0;
  setenv("PYTHONPLATLIBDIR", "no-such-folder", 1);
  CONFIG_REFUSED(&config, "PYTHONPLATLIBDIR no-such-folder");
  unsetenv("PYTHONPLATLIBDIR");
}

static void use_wrong_hash_seed(void *unused) {
  (void)unused;
  setenv("PYTHONHASHSEED", "none", 1);
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.isolated = 0;
  subpy_error *error = NULL;
  CHECK_EQUAL(subpy_initialize(&config, &error), SUBPY_ERR_INVALID_ARGUMENT);
  CHECK_CONTAINS(subpy_error_message(error), "PYTHONHASHSEED");
  subpy_error_free(error);
}

static void test_a_setting_that_python_refuses(void **state) {
  (void)state;
  IN_CHILD(use_wrong_hash_seed, NULL);
}

static void use_home_with_a_broken_library(void *directory) {
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.home = directory;
  subpy_error *error = UNWRITTEN;
  subpy_status got = subpy_initialize(&config, &error);
  CHECK(got == SUBPY_ERR_INTERNAL || got == SUBPY_ERR_INVALID_ARGUMENT, "%s: %s",
        subpy_status_name(got), subpy_error_message(error));
  CHECK(*subpy_error_message(error) != '\0', "no message");
  subpy_error_free(error);
  CHECK(!subpy_is_initialized(), "failed, but initialized");
}

static void test_a_home_with_a_broken_library(void **state) {
  (void)state;
  char directory[PATH_ROOM], path[PATH_ROOM], name[64];
  int major = 0, minor = 0;
  make_temporary(directory);
  sscanf(subpy_python_version(), "%d.%d", &major, &minor);
  join_path(path, directory, "lib");
  CHECK_EQUAL(mkdir(path, 0700), 0);
  snprintf(name, sizeof name, "lib/python%d.%d", major, minor);
  join_path(path, directory, name);
  CHECK_EQUAL(mkdir(path, 0700), 0);
  snprintf(name, sizeof name, "lib/python%d.%d/os.py", major, minor);
  make_file(path, directory, name, "", 0);
  IN_CHILD(use_home_with_a_broken_library, directory);
  remove_temporary(directory);
}

static void test_the_error_may_be_ignored(void **state) {
  (void)state;
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.struct_size = 0;
  CHECK_EQUAL(subpy_initialize(&config, NULL), SUBPY_ERR_INVALID_ARGUMENT);
}

static void test_a_good_config_works_after_all_of_them(void **state) {
  (void)state;
  const subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  INITIALIZE(&config);
  CHECK(subpy_is_initialized(), "not initialized");
  RUN_IN_NEW(NULL, "import os, sys; assert sys.version_info >= (3, 10)");
  FINALIZE();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_wrong_struct_size),
      cmocka_unit_test(test_flags_are_0_or_1),
      cmocka_unit_test(test_strings_that_are_not_utf8),
      cmocka_unit_test(test_search_paths_that_are_wrong),
      cmocka_unit_test(test_an_executable_that_is_none),
      cmocka_unit_test(test_an_executable_of_another_version),
      cmocka_unit_test(test_a_home_without_a_library_names_what_was_tried),
      cmocka_unit_test(test_a_home_of_the_environment_counts_if_asked),
      cmocka_unit_test(test_a_setting_of_the_environment_is_named),
      cmocka_unit_test(test_a_setting_that_python_refuses),
      cmocka_unit_test(test_a_home_with_a_broken_library),
      cmocka_unit_test(test_the_error_may_be_ignored),
      cmocka_unit_test(test_a_good_config_works_after_all_of_them),
  };
  return RUN_TESTS(tests);
}
