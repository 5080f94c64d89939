/* The program of workers: what can't be it is told, and everything else goes on. That it is found where it is installed is
 * for c-tests/package. */
#include "files.h"
#include "processes.h"

struct wrong {
  const char *program;
  const char *part; /* of the message */
};

static void refuse(void *argument) {
  const struct wrong *wrong = argument;
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.worker = wrong->program;
  INITIALIZE(&config);
  subpy_interpreter_config in_process = SUBPY_INTERPRETER_CONFIG_INIT;
  in_process.backend = SUBPY_BACKEND_PROCESS;
  subpy_id id;
  for (int again = 0; again < 2; again++) {
    REFUSES(SUBPY_ERR_UNSUPPORTED, wrong->program, subpy_create(&in_process, &id, &error));
    REFUSES(SUBPY_ERR_UNSUPPORTED, wrong->part, subpy_create(&in_process, &id, &error));
    CHECK_EQUAL(id, -1);
  }
  EXPECT(SUBPY_OK, subpy_create(NULL, &id, &error));
  RUN(id, "x = 1");
  FINALIZE();
}

static void test_one_that_is_not_there(void **state) {
  (void)state;
  char path[PATH_ROOM];
  join_path(path, folder, "nothing");
  struct wrong wrong = {path, "No such file or directory"};
  IN_CHILD(refuse, &wrong);
}

static void test_a_folder(void **state) {
  (void)state;
  struct wrong wrong = {folder, "Permission denied"};
  IN_CHILD(refuse, &wrong);
}

static void test_one_that_may_not_be_executed(void **state) {
  (void)state;
  char path[PATH_ROOM];
  make_file(path, folder, "plain", "#!/bin/sh\n", 10);
  struct wrong wrong = {path, "Permission denied"};
  IN_CHILD(refuse, &wrong);
}

static void test_no_program(void **state) {
  (void)state;
  char path[PATH_ROOM];
  make_file(path, folder, "garbage", "?", 1);
  CHECK_EQUAL(chmod(path, 0700), 0);
  struct wrong wrong = {path, "Exec format error"};
  IN_CHILD(refuse, &wrong);
}

static void test_another_program(void **state) {
  (void)state;
  struct wrong wrong = {"/bin/true", "none of this version's"};
  IN_CHILD(refuse, &wrong);
}

/* Its own program is one: it calls subpy_worker_main() first. */
static void be_its_own(void *argument) {
  (void)argument;
  char path[PATH_ROOM];
  CHECK(realpath("/proc/self/exe", path) != NULL, "no path");
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.worker = path;
  INITIALIZE(&config);
  const subpy_id id = create_process(NULL);
  char code[PATH_ROOM + 100];
  snprintf(code, sizeof code, "import os\nassert os.readlink('/proc/self/exe') == '%s'\n", path);
  RUN(id, code);
  FINALIZE();
}

/* A relative path is meant from where the host was when it initialized. */
static void move(void *argument) {
  (void)argument;
  char path[PATH_ROOM];
  CHECK(realpath("/proc/self/exe", path) != NULL, "no path");
  char *const name = strrchr(path, '/');
  *name = '\0';
  CHECK_EQUAL(chdir(path), 0);
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.worker = name + 1;
  INITIALIZE(&config);
  CHECK_EQUAL(chdir("/"), 0);
  DESTROY(create_process(NULL));
  FINALIZE();
}

static void test_a_relative_path(void **state) {
  (void)state;
  IN_CHILD(move, NULL);
}

static void test_its_own_program(void **state) {
  (void)state;
  IN_CHILD(be_its_own, NULL);
}

/* What a process was started with that subpy has not started for that. */
static void test_no_worker(void **state) {
  (void)state;
  char name[] = "host", option[] = "--help";
  char *arguments[] = {name, option, NULL};
  subpy_worker_main(0, NULL);
  subpy_worker_main(1, arguments);
  subpy_worker_main(2, arguments);
}

int main(int argc, char **argv) {
  subpy_worker_main(argc, argv);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_one_that_is_not_there),
      cmocka_unit_test(test_a_folder),
      cmocka_unit_test(test_one_that_may_not_be_executed),
      cmocka_unit_test(test_no_program),
      cmocka_unit_test(test_another_program),
      cmocka_unit_test(test_its_own_program),
      cmocka_unit_test(test_a_relative_path),
      cmocka_unit_test(test_no_worker),
  };
  return RUN_TESTS_BETWEEN(tests, make_folder, remove_folder);
}
