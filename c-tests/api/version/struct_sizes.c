/* Structs that can grow: those of a host that was compiled with a later header, and what lies behind them. */
#include "support.h"

/* No padding: a field that is appended would be read from it. (The library checks the same.) */
#define HAS_SIZE(type, size) char type##_has_##size##_bytes[sizeof(type) == (size) ? 1 : -1]
struct sizes {
  HAS_SIZE(subpy_value, 24);
  HAS_SIZE(subpy_runtime_config, 136);
  HAS_SIZE(subpy_interpreter_config, 176);
  HAS_SIZE(subpy_destroy_options, 24);
  HAS_SIZE(subpy_enter_options, 16);
  HAS_SIZE(subpy_run_options, 88);
  HAS_SIZE(subpy_interpreter_stats, 56);
  HAS_SIZE(subpy_buffer_info, 80);
  HAS_SIZE(subpy_call_options, 32);
  HAS_SIZE(subpy_function_options, 32);
  HAS_SIZE(subpy_frame, 40);
};

/* A struct of a later header, with one field more. */
#define LATER(name, type, init)                                                                    \
  struct {                                                                                         \
    type now;                                                                                      \
    uint64_t later;                                                                                \
  } name = {init, 0};                                                                              \
  name.now.struct_size = sizeof name

/* The call works with a later header whose new field is 0, and refuses another value. What lies behind a struct of
 * this header is not looked at. */
#define GROWS(name, expected, call)                                                                \
  do {                                                                                             \
    EXPECT(expected, call);                                                                        \
    name.later = 1;                                                                                \
    REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "later version", call);                                    \
    name.later = (uint64_t)1 << 63;                                                                \
    REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "later version", call);                                    \
    name.now.struct_size = sizeof name.now;                                                        \
    EXPECT(expected, call);                                                                        \
  } while (0)

static subpy_id id;

static void nothing(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user, (void)call, (void)args, (void)nargs;
}

static void test_runtime_config(void **state) {
  (void)state;
  LATER(config, subpy_runtime_config, SUBPY_RUNTIME_CONFIG_INIT);
  GROWS(config, SUBPY_OK, subpy_initialize(&config.now, &error));
  FINALIZE();
  FINALIZE();
}

static void test_interpreter_config(void **state) {
  (void)state;
  subpy_id made;
  LATER(config, subpy_interpreter_config, SUBPY_INTERPRETER_CONFIG_INIT);
  GROWS(config, SUBPY_OK, subpy_create(&config.now, &made, &error));
  config.now.struct_size = 80; /* a host of the first version; what lies behind is not looked at */
  config.now.share_environment = 77;
  config.now.output_bytes = 77;
  CREATE(&config.now, &made);
}

static void test_destroy_options(void **state) {
  (void)state;
  LATER(options, subpy_destroy_options, SUBPY_DESTROY_OPTIONS_INIT);
  GROWS(options, SUBPY_ERR_NOT_FOUND, subpy_destroy_with(-1, &options.now, &error));
}

static void test_enter_options(void **state) {
  (void)state;
  LATER(options, subpy_enter_options, SUBPY_ENTER_OPTIONS_INIT);
  GROWS(options, SUBPY_ERR_NOT_FOUND, subpy_enter(-1, &options.now, &error));
}

static void test_run_options(void **state) {
  (void)state;
  LATER(options, subpy_run_options, SUBPY_RUN_OPTIONS_INIT);
  GROWS(options, SUBPY_OK, subpy_run_string_with(id, &options.now, "x = 1", 5, &error));
}

static void test_call_options(void **state) {
  (void)state;
  const subpy_value one = subpy_int(1);
  subpy_value value;
  {
    LATER(options, subpy_call_options, SUBPY_CALL_OPTIONS_INIT);
    GROWS(options, SUBPY_OK, subpy_set_with(id, &options.now, "x", &one, &error));
  }
  {
    LATER(options, subpy_call_options, SUBPY_CALL_OPTIONS_INIT);
    GROWS(options, SUBPY_OK, subpy_get_with(id, &options.now, "x", &value, &error));
  }
  {
    LATER(options, subpy_call_options, SUBPY_CALL_OPTIONS_INIT);
    GROWS(options, SUBPY_OK, subpy_eval_with(id, &options.now, "x", 1, &value, &error));
  }
  {
    LATER(options, subpy_call_options, SUBPY_CALL_OPTIONS_INIT);
    GROWS(options, SUBPY_OK,
          subpy_call_with(id, &options.now, "builtins:abs", &one, 1, &value, &error));
  }
  LATER(options, subpy_call_options, SUBPY_CALL_OPTIONS_INIT);
  GROWS(options, SUBPY_OK,
        subpy_run_string_unrestricted_with(id, &options.now, "x", 1, NULL, NULL, &error));
}

static void test_set_has_no_result(void **state) {
  (void)state;
  const subpy_value one = subpy_int(1);
  subpy_call_options options = SUBPY_CALL_OPTIONS_INIT;
  options.flags = SUBPY_STRIDED;
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "flags", subpy_set_with(id, &options, "x", &one, &error));
  options.flags = 0;
  options.keywords = &one;
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "keywords", subpy_set_with(id, &options, "x", &one, &error));
  options.keywords = NULL;
  options.reserved = 7;
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "reserved", subpy_set_with(id, &options, "x", &one, &error));
}

static void test_function_options(void **state) {
  (void)state;
  LATER(options, subpy_function_options, SUBPY_FUNCTION_OPTIONS_INIT);
  GROWS(options, SUBPY_OK,
        subpy_define_function_with(id, &options.now, "host", "f", nothing, NULL, NULL, &error));
}

static void count(void *user) { ++*(int *)user; }

static void test_buffer_info(void **state) {
  (void)state;
  int given_back = 0;
  LATER(info, subpy_buffer_info, SUBPY_BUFFER_INFO_INIT);
  info.now.release = count;
  info.now.user = &given_back;
  const subpy_value value = subpy_buffer(&info.now);
  GROWS(info, SUBPY_OK, subpy_set(id, "x", &value, &error));
  RUN(id, "del x");
  CHECK_EQUAL(given_back, 4); /* by each call that took it, whatever became of that */
}

static void test_stats(void **state) {
  (void)state;
  struct {
    subpy_interpreter_stats now;
    uint64_t later;
  } stats = {SUBPY_INTERPRETER_STATS_INIT, 77};
  for (size_t size = sizeof stats.now; size <= sizeof stats; size += 8) {
    stats.now.struct_size = size;
    stats.now.code_cache_misses = 0;
    EXPECT(SUBPY_OK, subpy_stats(id, &stats.now, &error));
    CHECK(stats.now.code_cache_misses > 0, "nothing is written");
    CHECK_EQUAL(stats.now.struct_size, size);
    CHECK_EQUAL(stats.later, 77);
  }
  stats.now.struct_size = sizeof stats.now - 1;
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "subpy_interpreter_stats.struct_size",
          subpy_stats(id, &stats.now, &error));
}

static void test_what_is_to_come(void **state) {
  (void)state;
  const uint32_t features[] = {SUBPY_FEATURE_SANDBOX, SUBPY_FEATURE_CLONES};
  for (size_t i = 0; i < COUNT(features); i++) {
    CHECK(!subpy_supports(features[i]), "feature %u", features[i]);
  }
  CHECK_TEXT(subpy_status_name(SUBPY_ERR_LOST), "SUBPY_ERR_LOST");
  CHECK_TEXT(subpy_status_name(SUBPY_ERR_LIMIT), "SUBPY_ERR_LIMIT");
}

static int initialize(void **state) {
  (void)state;
  INITIALIZE(NULL);
  CREATE(NULL, &id);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_runtime_config),    cmocka_unit_test(test_interpreter_config),
      cmocka_unit_test(test_destroy_options),   cmocka_unit_test(test_enter_options),
      cmocka_unit_test(test_run_options),       cmocka_unit_test(test_call_options),
      cmocka_unit_test(test_set_has_no_result), cmocka_unit_test(test_function_options),
      cmocka_unit_test(test_buffer_info),       cmocka_unit_test(test_stats),
      cmocka_unit_test(test_what_is_to_come),
  };
  return RUN_TESTS_BETWEEN(tests, initialize, finalize_at_last);
}
