#include "subject.h"

struct interpreter {
  subpy_id id;
  uint64_t timeout_ms, kill_after_ms;
  char *output;
  size_t length;
};

/* Enough to tell by; the rest is only counted. */
#define KEPT ((size_t)16 << 20)

/* Called for stdout and stderr: the scripts write to both from one thread only. */
static void keep(void *user, const char *text, size_t length) {
  struct interpreter *interpreter = user;
  if (interpreter->length + length < KEPT) {
    interpreter->output = realloc(interpreter->output, interpreter->length + length + 1);
    memcpy(interpreter->output + interpreter->length, text, length);
    interpreter->output[interpreter->length + length] = '\0';
  }
  interpreter->length += length;
}

static subpy_status take(subpy_status status, subpy_error *error, struct failure *failure) {
  CHECK(subpy_error_status(error) == status, "%s, with an error of status %s",
        subpy_status_name(status), subpy_status_name(subpy_error_status(error)));
  CHECK(status != SUBPY_ERR_EXCEPTION || *subpy_error_traceback(error) != '\0',
        "an exception without a traceback: %s", subpy_error_type(error));
  snprintf(failure->type, sizeof failure->type, "%s", subpy_error_type(error));
  snprintf(failure->message, sizeof failure->message, "%s", subpy_error_message(error));
  subpy_error_free(error);
  return status;
}

void subject_start(bool ignore_sigpipe, bool account_memory) {
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.ignore_sigpipe = ignore_sigpipe;
  config.account_memory = account_memory;
  INITIALIZE(&config);
}

struct interpreter *subject_create(const struct options *options) {
  struct interpreter *interpreter = calloc(1, sizeof *interpreter);
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.gil = options->shared_gil ? SUBPY_GIL_SHARED : SUBPY_GIL_DEFAULT;
  config.allow_fork = options->fork;
  config.allow_exec = options->exec;
  config.allow_daemon_threads = options->daemon_threads;
  config.memory_limit = options->memory_limit;
  config.output_limit = options->output_limit;
  interpreter->timeout_ms = options->timeout_ms;
  interpreter->kill_after_ms = options->kill_after_ms;
  if (!options->process_streams) {
    config.stdout_fn = config.stderr_fn = keep;
    config.output_user = interpreter;
  }
  CREATE(&config, &interpreter->id);
  return interpreter;
}

subpy_status subject_run(struct interpreter *interpreter, const char *code, size_t length,
                         const char *filename, struct failure *failure) {
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.filename = filename;
  options.timeout_ms = interpreter->timeout_ms;
  options.kill_after_ms = interpreter->kill_after_ms;
  subpy_error *error = NULL;
  subpy_status status = subpy_run_string_with(interpreter->id, &options, code, length, &error);
  return take(status, error, failure);
}

subpy_status subject_destroy(struct interpreter *interpreter, struct failure *failure) {
  subpy_error *error = NULL;
  subpy_status status = subpy_destroy(interpreter->id, &error);
  return take(status, error, failure);
}

const char *subject_output(const struct interpreter *interpreter, size_t *length) {
  *length = interpreter->length;
  return interpreter->output ? interpreter->output : "";
}

subpy_status subject_stop(struct failure *failure) {
  subpy_error *error = NULL;
  subpy_status status = subpy_finalize(&error);
  return take(status, error, failure);
}
