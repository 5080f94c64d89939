/* module_search_paths are searched first, in their order, by every interpreter. */
#include "files.h"

/* A zip file with a module `zipped`: where = 'zip' */
static const char ZIP[] =
    "PK\x03\x04\x14\0\0\0\0\0\0\0!\0\xbe\xed\x18\xf9\x0e\0\0\0\x0e\0\0\0\x09\0\0\0zipped.py"
    "where = 'zip'\n"
    "PK\x01\x02\x14\x03\x14\0\0\0\0\0\0\0!\0\xbe\xed\x18\xf9\x0e\0\0\0\x0e\0\0\0\x09\0\0\0\0\0\0\0"
    "\0\0\0\0\x80\x01\0\0\0\0zipped.py"
    "PK\x05\x06\0\0\0\0\x01\0\x01\0\x37\0\0\0\x35\0\0\0\0\0";

static char first[PATH_ROOM], second[PATH_ROOM], zip[PATH_ROOM];

static void make_module(const char *directory, const char *name, const char *code) {
  char path[PATH_ROOM];
  make_file(path, directory, name, code, strlen(code));
}

static int initialize(void **state) {
  (void)state;
  make_temporary(first);
  make_temporary(second);
  make_module(first, "twice.py", "where = 'first'\n");
  make_module(second, "twice.py", "where = 'second'\n");
  make_module(second, "once.py", "where = 'second'\n");
  make_module(second, "colorsys.py", "where = 'second'\n");
  make_module(second, "raises.py", "1 / 0\n");
  make_file(zip, second, "modules.zip", ZIP, sizeof ZIP - 1);

  /* The strings and the array are the caller's again when the call returns. */
  char *one = strdup(first), *two = strdup(second), *three = strdup(zip);
  const char *paths[] = {one, two, three};
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.module_search_paths = paths;
  config.module_search_paths_count = COUNT(paths);
  INITIALIZE(&config);
  memset(paths, 0, sizeof paths);
  free(one), free(two), free(three);
  return 0;
}

static int finalize(void **state) {
  remove_temporary(first);
  remove_temporary(second);
  return finalize_at_last(state);
}

static subpy_id id;

static int create(void **state) {
  (void)state;
  CREATE(NULL, &id);
  return 0;
}

static int destroy(void **state) {
  (void)state;
  DESTROY(id);
  return 0;
}

static void test_the_order_is_kept(void **state) {
  (void)state;
  RUN(id, "import twice; assert twice.where == 'first', twice.where");
  RUN(id, "import once; assert once.where == 'second', once.where");
}

static void test_a_zip_file_is_searched(void **state) {
  (void)state;
  RUN(id, "import zipped; assert zipped.where == 'zip', zipped.where");
}

static void test_the_standard_library_comes_later(void **state) {
  (void)state;
  RUN(id, "import colorsys; assert colorsys.where == 'second', colorsys");
  RUN(id, "import bisect; assert bisect.bisect([1, 2], 1) == 1");
}

static void test_they_lead_the_path(void **state) {
  (void)state;
  char code[4 * PATH_ROOM];
  snprintf(code, sizeof code, "import sys\nassert sys.path[:3] == ['%s', '%s', '%s'], sys.path",
           first, second, zip);
  RUN(id, code);
}

static void test_the_same_paths_join(void **state) {
  (void)state;
  const char *paths[] = {first, second, zip};
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.module_search_paths = paths;
  config.module_search_paths_count = COUNT(paths);
  INITIALIZE(&config);
  FINALIZE();
  config.module_search_paths_count--;
  REFUSES(SUBPY_ERR_NOT_PERMITTED, "module_search_paths", subpy_initialize(&config, &error));
  paths[0] = second;
  paths[1] = first;
  config.module_search_paths_count++;
  REFUSES(SUBPY_ERR_NOT_PERMITTED, "module_search_paths", subpy_initialize(&config, &error));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, create, destroy)

static void nothing(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user, (void)call, (void)args, (void)nargs;
}

/* The last test: no interpreter can be created afterwards. */
static void test_a_function_everywhere_in_a_module_that_raises(void **state) {
  (void)state;
  EXPECT(SUBPY_OK,
         subpy_define_function(SUBPY_EVERYWHERE, "raises", "f", nothing, NULL, NULL, &error));
  for (int i = 0; i < 3; i++) {
    subpy_id id = 7;
    size_t count = 0;
    subpy_error *error = NULL;
    CHECK_EQUAL(subpy_create(NULL, &id, &error), SUBPY_ERR_EXCEPTION);
    CHECK_EQUAL(id, -1);
    CHECK_TEXT(subpy_error_type(error), "ZeroDivisionError");
    CHECK_CONTAINS(subpy_error_traceback(error), "raises.py");
    subpy_error_free(error);
    EXPECT(SUBPY_OK, subpy_list_all(NULL, 0, &count, &error));
    CHECK_EQUAL(count, 1);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_the_order_is_kept),
      TEST(test_a_zip_file_is_searched),
      TEST(test_the_standard_library_comes_later),
      TEST(test_they_lead_the_path),
      TEST(test_the_same_paths_join),
      cmocka_unit_test(test_a_function_everywhere_in_a_module_that_raises),
  };
  return RUN_TESTS_BETWEEN(tests, initialize, finalize);
}
