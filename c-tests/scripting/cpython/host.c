/*
 * Runs a Python file in the main interpreter, whose scripts may create interpreters: host FILE.py
 *
 * The module `host` stands for what CPython's tests do by its C API: it creates interpreters, runs in them, ends them.
 */
#define SUPPORT_PLAIN
#include "support.h"

static void refuse(subpy_host_call *call, subpy_error *error) {
  subpy_host_raise(call, "RuntimeError", subpy_error_message(error));
  subpy_error_free(error);
}

/* host.create(gil, allow_fork, allow_exec, allow_threads, allow_daemon_threads) -> id */
static void create(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  subpy_error *error = NULL;
  subpy_id id;
  (void)user;
  CHECK_EQUAL(nargs, 5);
  config.allow_interpreters = 2;
  config.gil = (uint32_t)args[0].as.integer;
  config.allow_fork = args[1].as.boolean;
  config.allow_exec = args[2].as.boolean;
  config.allow_threads = args[3].as.boolean;
  config.allow_daemon_threads = args[4].as.boolean;
  if (subpy_create(&config, &id, &error) != SUBPY_OK) {
    refuse(call, error);
    return;
  }
  const subpy_value answer = subpy_int(id);
  subpy_host_return(call, &answer);
}

/* host.destroy(id) */
static void destroy(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  subpy_error *error = NULL;
  (void)user;
  CHECK_EQUAL(nargs, 1);
  /* A thread that has told its end may still be at it. */
  if (destroy_within(args[0].as.integer, 10000, &error) != SUBPY_OK) {
    refuse(call, error);
  }
}

/* host.run(id, code) -> None, or what it has raised: (type, message, traceback) */
static void run(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  subpy_error *error = NULL;
  (void)user;
  CHECK_EQUAL(nargs, 2);
  switch (subpy_run_string(args[0].as.integer, args[1].as.text.data, &error)) {
  case SUBPY_OK:
    return;
  case SUBPY_ERR_EXCEPTION:
  case SUBPY_ERR_EXIT: {
    const subpy_value items[3] = {subpy_str(subpy_error_type(error)),
                                  subpy_str(subpy_error_message(error)),
                                  subpy_str(subpy_error_traceback(error))};
    const subpy_value answer = subpy_tuple(items, 3);
    subpy_host_return(call, &answer);
    subpy_error_free(error);
    return;
  }
  default:
    refuse(call, error);
  }
}

static const struct {
  const char *name;
  subpy_host_fn fn;
} functions[] = {{"create", create}, {"destroy", destroy}, {"run", run}};

int main(int argc, char **argv) {
  CHECK(argc == 2, "usage: host FILE.py");
  subpy_runtime_config runtime = SUBPY_RUNTIME_CONFIG_INIT;
  runtime.isolated = 0;
  runtime.allow_main = runtime.allow_interpreters = 1;
  runtime.interpreter_limit = 10000;
  INITIALIZE(&runtime);
  for (size_t i = 0; i < COUNT(functions); i++) {
    subpy_function_options options = SUBPY_FUNCTION_OPTIONS_INIT;
    options.release_gil = 1;
    for (int everywhere = 0; everywhere < 2; everywhere++) {
      EXPECT(SUBPY_OK,
             subpy_define_function_with(everywhere ? SUBPY_EVERYWHERE : 0, &options, "host",
                                        functions[i].name, functions[i].fn, NULL, NULL, &error));
    }
  }
  char code[4200];
  snprintf(code, sizeof code, "import runpy; runpy.run_path('%s', run_name='__main__')", argv[1]);
  EXPECT(SUBPY_OK, subpy_run_string(0, code, &error));
  FINALIZE();
}
