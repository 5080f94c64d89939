/* What subpy_create() refuses, and that nothing is left of it. */
#include "support.h"

static void refuses(int line, const subpy_interpreter_config *config, subpy_status expected,
                    const char *part) {
  subpy_id id = 7;
  subpy_error *error = UNWRITTEN;
  subpy_status got = subpy_create(config, &id, &error);
  check_call(__FILE__, line, "subpy_create", expected, got, part, error);
  CHECK_EQUAL(id, -1);
  size_t count = 0;
  EXPECT(SUBPY_OK, subpy_list_all(NULL, 0, &count, &error));
  CHECK_EQUAL(count, 1);
}

#define CONFIG_REFUSED(config, part) refuses(__LINE__, config, SUBPY_ERR_INVALID_ARGUMENT, part)
#define CONFIG_UNSUPPORTED(config, part) refuses(__LINE__, config, SUBPY_ERR_UNSUPPORTED, part)

static void test_a_wrong_struct_size(void **state) {
  (void)state;
  const size_t first = 80; /* of this struct in the first version of the ABI */
  const size_t sizes[] = {0, 1, first - 1, SIZE_MAX};
  for (size_t i = 0; i < COUNT(sizes); i++) {
    subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
    config.struct_size = sizes[i];
    CONFIG_REFUSED(&config, "struct_size");
  }
}

static void test_backends(void **state) {
  (void)state;
  subpy_id id;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  CHECK_EQUAL(config.backend, SUBPY_BACKEND_LOCAL);
  for (config.backend = 0; config.backend < 2; config.backend++) {
    EXPECT(SUBPY_OK, subpy_create(&config, &id, &error));
    DESTROY(id);
  }
  CHECK_EQUAL(config.backend, 2);
  CONFIG_REFUSED(&config, "backend is 2");
}

static void test_an_unknown_gil(void **state) {
  (void)state;
  const uint32_t unknown[] = {3, 100, UINT32_MAX};
  for (size_t i = 0; i < COUNT(unknown); i++) {
    subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
    config.gil = unknown[i];
    CONFIG_REFUSED(&config, "gil");
  }
}

static void test_flags_are_0_or_1(void **state) {
  (void)state;
  const struct {
    const char *name;
    size_t offset;
  } flags[] = {
      {"allow_fork", offsetof(subpy_interpreter_config, allow_fork)},
      {"allow_exec", offsetof(subpy_interpreter_config, allow_exec)},
      {"allow_threads", offsetof(subpy_interpreter_config, allow_threads)},
      {"allow_daemon_threads", offsetof(subpy_interpreter_config, allow_daemon_threads)},
      {"share_environment", offsetof(subpy_interpreter_config, share_environment)},
      {"output_bytes", offsetof(subpy_interpreter_config, output_bytes)},
  };
  for (size_t i = 0; i < COUNT(flags); i++) {
    subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
    ((unsigned char *)&config)[flags[i].offset] = 2;
    CONFIG_REFUSED(&config, flags[i].name);
    ((unsigned char *)&config)[flags[i].offset] = 255;
    CONFIG_REFUSED(&config, flags[i].name);
  }
}

static void test_what_an_older_python_cannot_do(void **state) {
  (void)state;
  subpy_interpreter_config own = SUBPY_INTERPRETER_CONFIG_INIT;
  own.gil = SUBPY_GIL_OWN;
  subpy_interpreter_config no_threads = SUBPY_INTERPRETER_CONFIG_INIT;
  no_threads.allow_threads = 0;
  if (!subpy_supports(SUBPY_FEATURE_OWN_GIL)) {
    CONFIG_UNSUPPORTED(&own, "3.12");
    CONFIG_UNSUPPORTED(&own, subpy_python_version());
  }
  if (!subpy_supports(SUBPY_FEATURE_RESTRICTIONS)) {
    CONFIG_UNSUPPORTED(&no_threads, "allow_threads");
  }
  if (subpy_supports(SUBPY_FEATURE_OWN_GIL) && subpy_supports(SUBPY_FEATURE_RESTRICTIONS)) {
    subpy_id a, b;
    CREATE(&own, &a);
    CREATE(&no_threads, &b);
    DESTROY(a);
    DESTROY(b);
  }
}

static void test_every_other_combination_works(void **state) {
  (void)state;
  for (unsigned bits = 0; bits < 48; bits++) {
    subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
    config.gil = bits / 16;
    config.allow_fork = bits & 1;
    config.allow_exec = bits >> 1 & 1;
    config.allow_threads = bits >> 2 & 1;
    config.allow_daemon_threads = bits >> 3 & 1;
    if ((config.gil == SUBPY_GIL_OWN && !subpy_supports(SUBPY_FEATURE_OWN_GIL)) ||
        (!config.allow_threads && !subpy_supports(SUBPY_FEATURE_RESTRICTIONS))) {
      continue;
    }
    RUN_IN_NEW(&config, "import json, math; assert json.dumps(math.floor(2.5)) == '2'");
  }
}

static void test_no_config_is_the_default_one(void **state) {
  (void)state;
  const subpy_interpreter_config defaults = SUBPY_INTERPRETER_CONFIG_INIT;
  subpy_id a, b;
  CREATE(NULL, &a);
  CREATE(&defaults, &b);
  RUN(a, "x = 1");
  RUN(b, "x = 1");
  DESTROY(a);
  DESTROY(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_wrong_struct_size),
      cmocka_unit_test(test_backends),
      cmocka_unit_test(test_an_unknown_gil),
      cmocka_unit_test(test_flags_are_0_or_1),
      cmocka_unit_test(test_what_an_older_python_cannot_do),
      cmocka_unit_test(test_every_other_combination_works),
      cmocka_unit_test(test_no_config_is_the_default_one),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
