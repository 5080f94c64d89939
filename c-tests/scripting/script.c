/*
 * Runs the tests of a Python file in an interpreter whose scripts may create interpreters: script FILE.py [NAME...]
 *
 * Each function whose name starts with "test_" is a test, or those that are named. `host` is a module of the host's.
 */
#define SUPPORT_PLAIN
#include "support.h"

/* host.current(): the interpreter that calls, as the host sees it. */
static void current(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  subpy_id id = -1;
  (void)user, (void)args, (void)nargs;
  EXPECT(SUBPY_OK, subpy_get_current(&id, &error));
  const subpy_value answer = subpy_int(id);
  subpy_host_return(call, &answer);
}

/* host.take_over(id) */
static void take_over(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user, (void)call;
  CHECK_EQUAL(nargs, 1);
  EXPECT(SUBPY_OK, subpy_take_over(args[0].as.integer, &error));
}

/* Answers with what a call of the host's has said of it. */
static void answer_with(subpy_host_call *call, subpy_status status, subpy_error *error) {
  subpy_value answer = subpy_str(subpy_status_name(status));
  subpy_host_return(call, &answer);
  subpy_error_free(error);
}

/* host.destroy(id) -> the status */
static void destroy(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  subpy_error *error = NULL;
  (void)user;
  CHECK_EQUAL(nargs, 1);
  answer_with(call, subpy_destroy(args[0].as.integer, &error), error);
}

/* host.run(id, code) -> the status */
static void run(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  subpy_error *error = NULL;
  (void)user;
  CHECK_EQUAL(nargs, 2);
  answer_with(call, subpy_run_string(args[0].as.integer, args[1].as.text.data, &error), error);
}

static const struct {
  const char *name;
  subpy_host_fn fn;
} functions[] = {
    {"current", current}, {"take_over", take_over}, {"destroy", destroy}, {"run", run}};

static char *read_file(const char *name) {
  FILE *file = fopen(name, "r");
  CHECK(file != NULL, "no file %s", name);
  char *text = NULL;
  size_t length = 0, got;
  do {
    text = realloc(text, length + 4097);
    CHECK(text != NULL, "no memory");
    got = fread(text + length, 1, 4096, file);
    length += got;
  } while (got > 0);
  text[length] = '\0';
  fclose(file);
  return text;
}

int main(int argc, char **argv) {
  CHECK(argc >= 2, "a file is missing");
  const char *const support = SUBPY_SCRIPTS_SUPPORT;
  subpy_runtime_config runtime = SUBPY_RUNTIME_CONFIG_INIT;
  runtime.module_search_paths = &support;
  runtime.module_search_paths_count = 1;
  INITIALIZE(&runtime);
  for (size_t i = 0; i < COUNT(functions); i++) {
    subpy_function_options options = SUBPY_FUNCTION_OPTIONS_INIT;
    options.release_gil = 1;
    EXPECT(SUBPY_OK,
           subpy_define_function_with(SUBPY_EVERYWHERE, &options, "host", functions[i].name,
                                      functions[i].fn, NULL, NULL, &error));
  }
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.allow_interpreters = 1;
  subpy_id id;
  CREATE(&config, &id);
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.filename = argv[1];
  char *code = read_file(argv[1]);
  EXPECT(SUBPY_OK, subpy_run_string_with(id, &options, code, strlen(code), &error));
  free(code);
  subpy_value names[16];
  for (int i = 2; i < argc; i++) {
    names[i - 2] = subpy_str(argv[i]);
  }
  const subpy_value wanted = subpy_list(names, (size_t)argc - 2);
  EXPECT(SUBPY_OK, subpy_set(id, "wanted", &wanted, &error));
  RUN(id, "tests = [n for n in list(globals()) if n.startswith('test_') and (n in wanted or not "
          "wanted)]\n"
          "assert tests, 'there are no such tests'\n"
          "for test in tests:\n"
          "  print(test, flush=True)\n"
          "  globals()[test]()\n");
  /* A test has ended its threads; what it has created may still be there. */
  DESTROY(id);
  FINALIZE();
}
