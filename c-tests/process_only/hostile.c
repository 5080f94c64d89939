/*
 * A host believes nothing of what a worker says. The workers here, and the zygote that forks them, speak what those of
 * subpy speak, and then do what those never do: this program is started as its own worker, see hostile/.
 *
 * Whatever a worker does, the host lives, the call that waits returns, and what the worker had in the host is given back.
 */
#define _GNU_SOURCE /* what the kernel has */

#include "child.h"

#include "hostile/zygote.h"

#include <dirent.h>

/* What a test does with its worker. ---------------------------------------------------------- */

struct host {
  subpy_id id;
  size_t outputs;
  const char *again; /* what is run inside of a call of the host's */
  int depth, deepest, refused;
  struct gate *written; /* opened by output */
};

#define NEW_HOST {.id = 0}

static void do_again(struct host *host) {
  host->depth++;
  host->deepest = host->depth > host->deepest ? host->depth : host->deepest;
  if (host->again != NULL) {
    host->refused += subpy_run_string(host->id, host->again, NULL) == SUBPY_ERR_LIMIT;
  }
  host->depth--;
}

static void take_output(void *user, const char *text, size_t length) {
  struct host *host = user;
  (void)text;
  host->outputs += length;
  if (host->written != NULL) {
    gate_open(host->written);
  }
  do_again(host);
}

static void take_call(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)call, (void)args, (void)nargs;
  do_again(user);
}

static void create_with(struct host *host, uint32_t allow_interpreters) {
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.allow_interpreters = allow_interpreters;
  config.backend = SUBPY_BACKEND_PROCESS;
  config.stdout_fn = take_output;
  config.output_user = host;
  EXPECT(SUBPY_OK, subpy_create(&config, &host->id, &error));
  EXPECT(SUBPY_OK, subpy_define_function(host->id, "host", "f", take_call, host, NULL, &error));
}

static void create(struct host *host) { create_with(host, 0); }

static int64_t eval_int(subpy_id id, const char *what) {
  subpy_value out;
  EXPECT(SUBPY_OK, subpy_eval(id, what, &out, &error));
  CHECK_EQUAL(out.kind, SUBPY_INT);
  const int64_t number = out.as.integer;
  subpy_value_clear(&out);
  return number;
}

/* It is lost, and stays so; it can be destroyed, and a new one made. */
static void check_lost(struct host *host, const char *part) {
  subpy_value out;
  size_t count;
  REFUSES(SUBPY_ERR_LOST, part, subpy_run_string(host->id, "ok", &error));
  REFUSES(SUBPY_ERR_LOST, part, subpy_eval(host->id, "ok", &out, &error));
  REFUSES(SUBPY_ERR_LOST, part, subpy_thread_names(host->id, NULL, 0, &count, &error));
  DESTROY(host->id);
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_run_string(host->id, "ok", &error));
  struct host other = NEW_HOST;
  create(&other);
  CHECK_EQUAL(eval_int(other.id, "ok"), 42);
  DESTROY(other.id);
}

/* How a run is lost: what is run, and what is said of it then. */
struct broken {
  const char *code, *part;
};

static void check_broken(const struct broken *broken) {
  struct host host = NEW_HOST;
  create_with(&host, strncmp(broken->code, "creator_", 8) == 0);
  subpy_value out;
  REFUSES(SUBPY_ERR_LOST, broken->part, subpy_eval(host.id, broken->code, &out, &error));
  CHECK_EQUAL(out.kind, SUBPY_NONE);
  check_lost(&host, broken->part);
}

static void test_broken(void **state) { check_broken(*state); }

/* As above, where only a limit on the time ends it. */
static void check_endless(const char *code) {
  struct host host = NEW_HOST;
  create(&host);
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.timeout_ms = 50;
  options.kill_after_ms = 50;
  const char *const part = "it has ignored its time limit, and was killed";
  REFUSES(SUBPY_ERR_LOST, part,
          subpy_run_string_with(host.id, &options, code, strlen(code), &error));
  check_lost(&host, part);
}

static void test_endless(void **state) { check_endless(*state); }

/* What the host has. ------------------------------------------------------------------------- */

static int count_entries(const char *folder) {
  DIR *entries = opendir(folder);
  CHECK(entries != NULL, "no %s", folder);
  int count = 0;
  while (readdir(entries) != NULL) {
    count++;
  }
  closedir(entries);
  return count;
}

struct has {
  int descriptors, threads;
};

static struct has now(void) {
  const struct has has = {count_entries("/proc/self/fd"), count_entries("/proc/self/task")};
  return has;
}

/* Waits until the host has no more than it had. */
static void check_has(struct has before, const char *since) {
  const uint64_t end = now_ms() + 20000;
  struct has has = now();
  while (has.descriptors > before.descriptors || has.threads > before.threads) {
    CHECK(now_ms() < end, "%d descriptors and %d threads, not %d and %d, since %s", has.descriptors,
          has.threads, before.descriptors, before.threads, since);
    usleep(1000);
    has = now();
  }
}

static long resident_mib(void) {
  long pages = 0, resident = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  CHECK(file != NULL && fscanf(file, "%ld %ld", &pages, &resident) == 2, "no memory");
  fclose(file);
  return resident * sysconf(_SC_PAGESIZE) >> 20;
}

/* Tests. ------------------------------------------------------------------------------------- */

static const struct broken all_broken[] = {
    {"length_just_past", "a piece of a message is past all limits"},
    {"length_huge", "a piece of a message is past all limits"},
    {"length_max", "a piece of a message is past all limits"},
    {"length_zero", "it ends too early"},
    {"count_backwards", "pieces are counted wrongly"},
    {"count_far", "pieces are counted wrongly"},
    {"count_farthest", "pieces are counted wrongly"},
    {"set_highest_bit", "pieces are counted wrongly"},
    {"endless_empty", "a piece that is not full goes on"},
    {"endless_short", "a piece that is not full goes on"},
    {"exit_in_the_middle", "it has exited with code 3"},
    {"crash_in_the_middle", "signal SIGKILL"},
    {"unknown_first_byte", "what is said is nothing that there is"},
    {"reply_to_nothing", "what is said is nothing that there is"},
    {"answer_cut", "it ends too early"},
    {"answer_with_more", "there is more than a message"},
    {"status_0", "a failure has no status that there is"},
    {"status_99", "a failure has no status that there is"},
    {"exception_without_tuple", "the arguments of an exception are no tuple"},
    {"exit_code_past_limits", "an exit code is past all limits"},
    {"frames_too_many", "an exception has too many frames"},
    {"frames_fewer", "it ends too early"},
    {"frames_max", "there are fewer things than it says"},
    {"frame_not_utf8", "a text is not UTF-8"},
    {"notes_too_many", "an exception has too many notes"},
    {"others_too_many", "an exception has too many others"},
    {"others_cut", "it ends too early"},
    {"other_of_itself", "an exception comes with none that there is"},
    {"other_of_none", "an exception comes with none that there is"},
    {"other_in_no_way", "an exception comes with none that there is"},
    {"other_no_exception", "what comes with an exception is none"},
    {"text_past", "it ends too early"},
    {"text_max", "it ends too early"},
    {"text_without_nul", "a text does not end in a NUL"},
    {"text_not_utf8", "a text is not UTF-8"},
    {"text_not_wtf8", "a text is not even generalized UTF-8"},
    {"int_no_number", "an int is no number"},
    {"decimal_no_number", "a decimal is no number"},
    {"month_13", "has a month that is not 1 to 12"},
    {"date_with_hour", "is a date that has a time of the day"},
    {"offset_max", "has an offset from UTC of a day or more"},
    {"timedelta_past", "has more than 999,999,999 days"},
    {"set_count_max", "there are fewer things than it says"},
    {"uuid_cut", "it ends too early"},
    {"object_cut", "it ends too early"},
    {"end_of_nothing", "an answer is none of what was asked for"},
    {"bool_2", "a flag is neither 0 nor 1"},
    {"unknown_kind", "a value is of no kind that there is"},
    {"count_past", "there are fewer things than it says"},
    {"count_max", "there are fewer things than it says"},
    {"pairs_max", "there are fewer things than it says"},
    {"too_deep", "a value is nested too deeply"},
    {"value_with_more", "there is more than a message"},
    {"buffer_items_of_0", "a buffer"},
    {"buffer_items_too_small", "a buffer's items are not what its format says"},
    {"buffer_items_of_no_ssize", "a size of a buffer is past all limits"},
    {"buffer_shape_past", "a buffer is not as large as its items"},
    {"buffer_shape_overflows", "a buffer is not as large as its items"},
    {"buffer_shape_of_no_ssize", "a size of a buffer is past all limits"},
    {"buffer_255_dimensions", "a buffer has too many dimensions"},
    {"buffer_of_addresses", "a buffer's items are not what its format says"},
    {"buffer_of_nothing", "a buffer's items are not what its format says"},
    {"buffer_length_past", "it ends too early"},
    {"buffer_gap_not_empty", "a gap is not empty"},
    {"call_unknown", "there is no such function"},
    {"call_of_namespace_with_nul", "a namespace has a NUL in its name"},
    {"call_without_list", "a list is none"},
    {"call_without_dict", "the keywords of a call are no dict"},
    {"call_with_int_as_name", "a keyword of a call is no str"},
    {"output_of_no_stream", "a flag is neither 0 nor 1"},
    {"junk_on_other_channel", "a piece of a message is past all limits"},
    {"answer_on_other_channel", "an answer is none of what was asked for"},
    {"operate_not_allowed", "its scripts may not create interpreters"},
    {"creator_operates_unknown", "a script does what there is not"},
    {"creator_operates_cut", "it ends too early"},
    {"creator_operates_with_more", "there is more than a message"},
    {"queue_not_allowed", "its scripts may not create interpreters"},
    {"queue_unknown", "there is no such queue"},
    {"creator_queue_unknown_code", "a queue is asked for what there is not"},
    {"creator_queue_let_go_too_often", "a queue was not received so often"},
    {"creator_queue_into_itself", "a queue is put into itself"},
    {"creator_queue_pickled", "a queue of plain data gets something else"},
    {"creator_queue_item_of_no_fate", "nothing that there is becomes of an item"},
    {"queue_in_value", "there is no such queue"},
    {"result_missing", "there is no result"},
    {"result_cut", "it ends too early"},
};

static void test_answers_nobody_asked_for(void **state) {
  (void)state;
  struct host host = NEW_HOST;
  size_t left;
  create(&host);
  REFUSES(SUBPY_ERR_LOST, "an answer is none of what was asked for",
          subpy_stop_threads(host.id, 0, &left, &error));
  check_lost(&host, "an answer is none of what was asked for");
}

/* As many interpreters as it may, and queues; and all of them go with it. */
static void test_creates_what_it_can(void **state) {
  (void)state;
  const struct has before = now();
  struct host host = NEW_HOST;
  create_with(&host, 1);
  CHECK_EQUAL(eval_int(host.id, "create_many"), 16);
  CHECK_EQUAL(eval_int(host.id, "create_queues"), 1 << 16);
  size_t count;
  EXPECT(SUBPY_OK, subpy_list_all(NULL, 0, &count, &error));
  CHECK_EQUAL(count, 1 + 1 + 16);
  DESTROY(host.id);
  EXPECT(SUBPY_OK, subpy_list_all(NULL, 0, &count, &error));
  CHECK_EQUAL(count, 1);
  check_has(before, "it was created");
}

/* A failure of each status, with no exception, and with a NUL in its message. */
static void test_failures_of_any_status(void **state) {
  (void)state;
  struct host host = NEW_HOST;
  create(&host);
  for (int status = 1; status <= SUBPY_ERR_LIMIT; status++) {
    char code[32];
    snprintf(code, sizeof code, "status %d", status);
    subpy_error *error = UNWRITTEN;
    CHECK_EQUAL(subpy_run_string(host.id, code, &error), status);
    CHECK(subpy_error_message(error) != NULL && subpy_error_traceback(error) != NULL &&
              subpy_error_type(error) != NULL,
          "%s has less than others", code);
    subpy_error_free(error);
  }
  CHECK_EQUAL(eval_int(host.id, "ok"), 42);
  DESTROY(host.id);
}

/* How many errors there are in one, of which all is asked. */
static size_t count_errors(const subpy_error *error) {
  size_t count = 1;
  for (size_t i = 0; i < subpy_error_frame_count(error); i++) {
    const subpy_frame *const frame = subpy_error_frame(error, i);
    CHECK(frame->file[0] != '\0' && frame->function[0] != '\0', "a frame of nothing");
  }
  CHECK(subpy_error_args(error)->kind == SUBPY_TUPLE, "no arguments");
  for (size_t i = 0; i < subpy_error_group_count(error); i++) {
    count += count_errors(subpy_error_group_item(error, i));
  }
  const subpy_error *const linked[] = {subpy_error_cause(error), subpy_error_context(error)};
  for (size_t i = 0; i < COUNT(linked); i++) {
    count += linked[i] == NULL ? 0 : count_errors(linked[i]);
  }
  return count;
}

static void test_all_that_may_come_with_an_exception(void **state) {
  (void)state;
  struct host host = NEW_HOST;
  create(&host);
  subpy_error *error = UNWRITTEN;
  CHECK_EQUAL(subpy_run_string(host.id, "others_all", &error), SUBPY_ERR_EXCEPTION);
  CHECK_EQUAL(subpy_error_frames_left_out(error), (size_t)UINT64_MAX);
  CHECK_EQUAL(subpy_error_frame(error, 0)->line, UINT32_MAX);
  CHECK_TEXT(subpy_error_note(error, 0), "note");
  const size_t count = count_errors(error);
  CHECK(count > 1 && count <= 257, "%zu errors", count);
  subpy_error_free(error);
  DESTROY(host.id);
}

/* How often a value's memory has an odd byte: all of it is read. */
static size_t read_all(const subpy_value *value) {
  size_t odd = 0;
  switch (value->kind) {
  case SUBPY_STR:
  case SUBPY_BYTES:
  case SUBPY_BIG_INT:
  case SUBPY_WTF8:
  case SUBPY_DECIMAL:
    for (size_t i = 0; i <= value->as.text.length; i++) {
      odd += value->as.text.data[i] & 1;
    }
    break;
  case SUBPY_TUPLE:
  case SUBPY_LIST:
  case SUBPY_SET:
  case SUBPY_FROZENSET:
  case SUBPY_DICT: {
    const size_t times = value->kind == SUBPY_DICT ? 2 : 1;
    for (size_t i = 0; i < times * value->as.items.length; i++) {
      odd += read_all(&value->as.items.data[i]);
    }
    break;
  }
  case SUBPY_BUFFER: {
    const subpy_buffer_info *info = value->as.buffer;
    size_t items = 1;
    for (uint32_t i = 0; i < info->dimensions; i++) {
      CHECK(info->shape[i] >= 0, "a dimension of less than nothing");
      items *= (size_t)info->shape[i];
    }
    CHECK_EQUAL(items * info->item_size, info->length);
    for (size_t i = 0; i < info->length; i++) {
      odd += ((const char *)info->data)[i] & 1;
    }
    break;
  }
  default:
    CHECK(value->kind <= SUBPY_FLOAT || value->kind >= SUBPY_COMPLEX, "kind %u",
          (unsigned)value->kind);
    subpy_datetime_parts at;
    CHECK(!subpy_value_as_datetime(value, &at) || at.hour < 24, "hour %d", at.hour);
  }
  return odd;
}

static void test_bytes_change_while_they_are_read(void **state) {
  (void)state;
  struct host host = NEW_HOST;
  create(&host);
  size_t values = 0, losses = 0, odd = 0;
  for (int i = 0; i < 1000; i++) {
    subpy_run_options run = SUBPY_RUN_OPTIONS_INIT;
    run.timeout_ms = 1000; /* a flip can make another message of one */
    run.kill_after_ms = 1;
    subpy_call_options options = SUBPY_CALL_OPTIONS_INIT;
    options.run = &run;
    subpy_value out;
    subpy_error *error = UNWRITTEN;
    const subpy_status got = subpy_eval_with(host.id, &options, "flips", 5, &out, &error);
    CHECK(error != UNWRITTEN && subpy_error_status(error) == got, "%s", subpy_status_name(got));
    subpy_error_free(error);
    odd += read_all(&out);
    subpy_value_clear(&out);
    values += got == SUBPY_OK;
    if (got == SUBPY_ERR_LOST) {
      losses++;
      DESTROY(host.id);
      create(&host);
    }
  }
  DESTROY(host.id);
  CHECK(losses > 0, "%zu values, and no loss; %zu odd bytes", values, odd);
}

static void test_file_is_sealed(void **state) {
  (void)state;
  struct host host = NEW_HOST;
  create(&host);
  CHECK_EQUAL(eval_int(host.id, "shrink"), 1);
  DESTROY(host.id);
}

static void test_waits_for_another_word(void **state) {
  (void)state;
  struct host host = NEW_HOST;
  create(&host);
  subpy_run_options run = SUBPY_RUN_OPTIONS_INIT;
  run.timeout_ms = 10000; /* nothing would ever wake it */
  run.kill_after_ms = 1;
  subpy_call_options options = SUBPY_CALL_OPTIONS_INIT;
  options.run = &run;
  subpy_value out;
  EXPECT(SUBPY_OK, subpy_eval_with(host.id, &options, "requeue", 7, &out, &error));
  CHECK_EQUAL(out.as.integer, 1);
  subpy_value_clear(&out);
  DESTROY(host.id);
}

/* An answer that never ends takes no more memory than there is time for. */
static void test_endless_answer(void **state) {
  (void)state;
  const long before = resident_mib();
  check_endless("endless_full");
  CHECK(resident_mib() - before < 64, "%ld MiB more", resident_mib() - before);
}

/* What the host does with objects that there are not is said to the worker alone. */
static void test_objects_that_are_none(void **state) {
  (void)state;
  struct host host = NEW_HOST;
  create(&host);
  subpy_call_options options = SUBPY_CALL_OPTIONS_INIT;
  options.flags = SUBPY_KEEP_OBJECTS;
  subpy_object kept[4] = {0};
  for (int i = 0; i < 1000; i++) {
    subpy_value out, result;
    EXPECT(SUBPY_OK, subpy_eval_with(host.id, &options, "objects_of_none", 15, &out, &error));
    CHECK_EQUAL(out.as.items.length, COUNT(kept));
    for (size_t at = 0; at < COUNT(kept); at++) {
      const subpy_object object = subpy_value_object(&out.as.items.data[at]);
      CHECK_EQUAL(subpy_object_interpreter(object), host.id);
      EXPECT(SUBPY_OK, subpy_object_call(object, NULL, 0, &result, &error));
      CHECK_EQUAL(result.kind, SUBPY_NONE);
      subpy_object_release(kept[at]);
      kept[at] = subpy_object_retain(object);
    }
    subpy_value_clear(&out);
  }
  DESTROY(host.id);
  for (size_t at = 0; at < COUNT(kept); at++) {
    EXPECT(SUBPY_ERR_NOT_FOUND, subpy_object_call(kept[at], NULL, 0, NULL, &error));
    subpy_object_release(kept[at]);
  }
}

static size_t give_all(void *user, char *buffer, size_t length) {
  const size_t *const most = user;
  CHECK(length > 0 && length <= *most, "%zu bytes", length);
  memset(buffer, 'x', length);
  return length;
}

static void test_input_of_any_size(void **state) {
  (void)state;
  size_t most = 64 << 10;
  struct host host = NEW_HOST;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.backend = SUBPY_BACKEND_PROCESS;
  config.stdin_fn = give_all;
  config.stdin_user = &most;
  EXPECT(SUBPY_OK, subpy_create(&config, &host.id, &error));
  CHECK(eval_int(host.id, "input_of_any_size") > 0, "no reply");
  DESTROY(host.id);
}

static void test_output_arrives(void **state) {
  (void)state;
  struct host host = NEW_HOST;
  create(&host);
  RUN(host.id, "flood_output");
  CHECK_EQUAL(host.outputs, 100000);
  DESTROY(host.id);
}

static void test_output_inside_of_output(void **state) {
  (void)state;
  struct host host = {.again = "output"};
  create(&host);
  const char *const part = "a stream is used while it is";
  REFUSES(SUBPY_ERR_LOST, part, subpy_run_string(host.id, "output", &error));
  CHECK_EQUAL(host.deepest, 1);
  check_lost(&host, part);
}

/* The innermost call is refused, and all others end. */
static void *call_inside_of_calls(void *least) {
  struct host host = {.again = "call"};
  create(&host);
  RUN(host.id, "call");
  CHECK(host.deepest >= *(const int *)least && host.deepest <= 1000, "%d deep", host.deepest);
  CHECK_EQUAL(host.refused, 1);
  CHECK_EQUAL(eval_int(host.id, "ok"), 42);
  DESTROY(host.id);
  return NULL;
}

/* A function that runs something in the interpreter that calls it, which calls it again, and so on for ever: the host's
 * stack does not overflow. */
static void test_calls_inside_of_calls(void **state) {
  (void)state;
  int least = 500;
  call_inside_of_calls(&least);
  least = 20;
  in_thread_of(256 << 10, call_inside_of_calls, &least);
}

static void test_functions_that_are_not_there(void **state) {
  (void)state;
  struct host host = NEW_HOST;
  create(&host);
  RUN(host.id, "drop_unknown");
  CHECK_EQUAL(eval_int(host.id, "ok"), 42);
  DESTROY(host.id);
}

static void *run_flood(void *argument) {
  const struct host *host = argument;
  REFUSES(SUBPY_ERR_LOST, "the host has killed it",
          subpy_run_string(host->id, "flood_channels", &error));
  return NULL;
}

/* A worker asks for channels, and takes none. Another one gets some meanwhile. */
static void test_channels_nobody_takes(void **state) {
  (void)state;
  struct gate written = GATE_INIT;
  struct host host = {.written = &written}, other = NEW_HOST;
  create(&host);
  create(&other);
  const pthread_t thread = thread_start(run_flood, &host);
  gate_wait(&written);
  CHECK_EQUAL(eval_int(other.id, "take_channels"), 1000);
  EXPECT(SUBPY_OK, subpy_kill(host.id, &error));
  thread_join(thread);
  check_lost(&host, "the host has killed it");
  DESTROY(other.id);
}

static void test_junk_on_the_socket(void **state) {
  (void)state;
  struct host host = NEW_HOST;
  create(&host);
  CHECK_EQUAL(eval_int(host.id, "junk_on_socket"), 1);
  CHECK_EQUAL(eval_int(host.id, "ok"), 42);
  DESTROY(host.id);
}

/* Whatever workers do, the host has no more of them than before. */
static void test_nothing_is_left(void **state) {
  (void)state;
  check_broken(&all_broken[0]);
  const struct has before = now();
  for (int round = 0; round < 50; round++) {
    const struct broken *broken = &all_broken[(size_t)round % COUNT(all_broken)];
    check_broken(broken);
    check_has(before, broken->code);
  }
  struct host host = NEW_HOST;
  create(&host);
  CHECK_EQUAL(eval_int(host.id, "take_channels"), 1000);
  DESTROY(host.id);
  check_has(before, "take_channels");
}

/* Zygotes. ----------------------------------------------------------------------------------- */

static void initialize_with(const char *does_what) {
  CHECK_EQUAL(setenv("HOSTILE", does_what, 1), 0);
  char program[4096];
  const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  CHECK(length > 0, "no program");
  program[length] = '\0';
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.worker = program;
  INITIALIZE(&config);
}

static int initialize_good(void **state) {
  (void)state;
  initialize_with("");
  return 0;
}

/* What a zygote does, and what is said of it then. */
struct bad_zygote {
  const char *does;
  int times; /* what takes long is done once */
  subpy_status status;
  const char *part;
};

static const struct bad_zygote bad_zygotes[] = {
    {"dies at once", 2, SUBPY_ERR_UNSUPPORTED, "could not be started"},
    {"fails as nobody does", 2, SUBPY_ERR_UNSUPPORTED, "could not be started"},
    {"dies when it is asked", 2, SUBPY_ERR_LOST, "has ended"},
    {"never forks", 1, SUBPY_ERR_LOST, "does not answer"},
    {"tells of ends for ever", 1, SUBPY_ERR_LOST, "does not answer"},
    {"forks without a descriptor", 2, SUBPY_ERR_LOST, "does not keep to the rules"},
    {"forks with a wrong number", 2, SUBPY_ERR_LOST, "does not keep to the rules"},
    {"says that what was not asked for is forked", 2, SUBPY_ERR_LOST, "does not keep to the rules"},
    {"forks with a file for a process", 2, SUBPY_ERR_LOST, "does not keep to the rules"},
    {"forks with a socket for a process", 2, SUBPY_ERR_LOST, "does not keep to the rules"},
};

static void be_host_of_bad_zygote(void *argument) {
  const struct bad_zygote *bad = argument;
  const struct has before = now();
  initialize_with(bad->does);
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.backend = SUBPY_BACKEND_PROCESS;
  for (int i = 0; i < bad->times; i++) {
    subpy_id id = 0;
    REFUSES(bad->status, bad->part, subpy_create(&config, &id, &error));
    CHECK_EQUAL(id, -1);
  }
  CHECK_EQUAL(setenv("HOSTILE", "", 1), 0);
  struct host host = NEW_HOST;
  create(&host);
  CHECK_EQUAL(eval_int(host.id, "ok"), 42);
  DESTROY(host.id);
  FINALIZE();
  check_has(before, bad->does);
}

/* After it, a new one is started. */
static void test_bad_zygote(void **state) { IN_CHILD(be_host_of_bad_zygote, *state); }

static void be_host_of_many_warnings(void *argument) {
  (void)argument;
  initialize_with("is ready as nobody is");
  struct host host = NEW_HOST;
  create(&host);
  CHECK_EQUAL(eval_int(host.id, "ok"), 42);
  DESTROY(host.id);
  FINALIZE();
}

/* Its warnings are none: nobody is told, and it does what it is for. */
static void test_zygote_with_too_many_warnings(void **state) {
  (void)state;
  IN_CHILD(be_host_of_many_warnings, NULL);
}

static void be_host_of_zygote_as_worker(void *argument) {
  (void)argument;
  initialize_with("forks with itself for a process");
  struct host host = NEW_HOST, other = NEW_HOST;
  create(&host);
  create(&other);
  CHECK_EQUAL(eval_int(host.id, "ok"), 42);
  EXPECT(SUBPY_OK, subpy_kill(host.id, &error));
  EXPECT(SUBPY_ERR_LOST, subpy_run_string(host.id, "silence", &error));
  EXPECT(SUBPY_ERR_LOST, subpy_run_string(other.id, "silence", &error));
  DESTROY(host.id);
  DESTROY(other.id);
  FINALIZE();
}

/* The host ends another process than it thinks: here that is the zygote, which its workers end with. */
static void test_zygote_as_worker(void **state) {
  (void)state;
  IN_CHILD(be_host_of_zygote_as_worker, NULL);
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "--subpy-zygote") == 0) {
    return hostile_zygote();
  }
#define WITH(name, test, state)                                                                    \
  {                                                                                                \
    name, test, NULL, NULL, (void *)(uintptr_t)(state)                                             \
  }
  /* Python can be started once in a process: these have processes of their own, which are made before there is any. */
  enum { BAD = COUNT(bad_zygotes), BROKEN = COUNT(all_broken) };
  struct CMUnitTest zygotes[BAD + 2] = {
      [BAD] = cmocka_unit_test(test_zygote_with_too_many_warnings),
      [BAD + 1] = cmocka_unit_test(test_zygote_as_worker),
  };
  for (size_t i = 0; i < BAD; i++) {
    const struct CMUnitTest one = WITH(bad_zygotes[i].does, test_bad_zygote, &bad_zygotes[i]);
    zygotes[i] = one;
  }
  const struct CMUnitTest others[] = {
      WITH("silence", test_endless, "silence"),
      WITH("stop_itself", test_endless, "stop_itself"),
      WITH("endless_output", test_endless, "endless_output"),
      cmocka_unit_test(test_answers_nobody_asked_for),
      cmocka_unit_test(test_creates_what_it_can),
      cmocka_unit_test(test_failures_of_any_status),
      cmocka_unit_test(test_all_that_may_come_with_an_exception),
      cmocka_unit_test(test_bytes_change_while_they_are_read),
      cmocka_unit_test(test_file_is_sealed),
      cmocka_unit_test(test_waits_for_another_word),
      cmocka_unit_test(test_endless_answer),
      cmocka_unit_test(test_objects_that_are_none),
      cmocka_unit_test(test_input_of_any_size),
      cmocka_unit_test(test_output_arrives),
      cmocka_unit_test(test_output_inside_of_output),
      cmocka_unit_test(test_calls_inside_of_calls),
      cmocka_unit_test(test_functions_that_are_not_there),
      cmocka_unit_test(test_channels_nobody_takes),
      cmocka_unit_test(test_junk_on_the_socket),
      cmocka_unit_test(test_nothing_is_left),
  };
  struct CMUnitTest workers_of_all_kinds[BROKEN + COUNT(others)];
  for (size_t i = 0; i < BROKEN; i++) {
    const struct CMUnitTest one = WITH(all_broken[i].code, test_broken, &all_broken[i]);
    workers_of_all_kinds[i] = one;
  }
  memcpy(workers_of_all_kinds + BROKEN, others, sizeof others);
  const int failed = RUN_TESTS(zygotes);
  return failed + RUN_TESTS_BETWEEN(workers_of_all_kinds, initialize_good, finalize_at_last);
}
