/* What code may be, and what it may not: the bytes that subpy_run_string_with() takes. */
#include "fixture.h"

#include <sys/mman.h>

static void test_null(void **state) {
  (void)state;
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "code", subpy_run_string(id, NULL, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "code", subpy_run_string_with(id, NULL, NULL, 0, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "code", subpy_run_string_with(id, NULL, NULL, 5, &error));
}

static void test_code_that_does_nothing(void **state) {
  (void)state;
  const char *const codes[] = {"", " ", "\n\n", "\t", "# a comment", "# a comment\n", "pass", "\f"};
  for (size_t i = 0; i < COUNT(codes); i++) {
    RUN(id, codes[i]);
    EXPECT(SUBPY_OK, subpy_run_string_with(id, NULL, codes[i], strlen(codes[i]), &error));
  }
  EXPECT(SUBPY_OK, subpy_run_string_with(id, NULL, "not read", 0, &error));
}

static void test_a_byte_order_mark_is_skipped(void **state) {
  (void)state;
  RUN(id, "\xef\xbb\xbf"
          "bom = 'read'");
  RUN(id, "assert bom == 'read'");
  RUN(id, "\xef\xbb\xbf");
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "x = '\xef\xbb\xbf' + \xef\xbb\xbf");
  CHECK_TEXT(subpy_error_type(error), "SyntaxError");
  subpy_error_free(error);
}

static void test_a_nul_character_is_refused(void **state) {
  (void)state;
  RUN(id, "x = 1");
  const char code[] = "x = 2\n\0x = 3\n";
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "NUL character, at offset 6",
          subpy_run_string_with(id, NULL, code, sizeof code - 1, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "offset 0", subpy_run_string_with(id, NULL, "", 1, &error));
  RUN(id, "assert x == 1, x");
}

static void test_bytes_that_are_not_utf8_are_refused(void **state) {
  (void)state;
  const struct {
    const char *code, *where;
  } cases[] = {
      {"x = '\xff'", "offset 5"},          {"\x80", "offset 0"},
      {"x = '\xc3", "offset 5"},           {"x = '\xed\xa0\x80'", "offset 5"}, /* a surrogate */
      {"# \xc0\xaf overlong", "offset 2"}, {"\xf5\x80\x80\x80", "offset 0"},
  };
  RUN(id, "x = 1");
  for (size_t i = 0; i < COUNT(cases); i++) {
    const char *code = cases[i].code;
    REFUSES(SUBPY_ERR_INVALID_ARGUMENT, cases[i].where, subpy_run_string(id, code, &error));
    REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "UTF-8",
            subpy_run_string_with(id, NULL, code, strlen(code), &error));
  }
  RUN(id, "assert x == 1, x");
}

static void test_code_is_utf8_whatever_it_says(void **state) {
  (void)state;
  RUN(id, "# -*- coding: latin-1 -*-\n"
          "assert '\xc3\xa9' == chr(233), ascii('\xc3\xa9')\n");
  RUN(id, "# -*- coding: no-such-encoding -*-\n"
          "na\xc3\xafve = '\xf0\x9f\x98\x80'\n"
          "assert na\xc3\xafve == chr(0x1f600)\n");
}

static void test_line_ends_of_other_systems(void **state) {
  (void)state;
  RUN(id, "if True:\r\n    x = 'dos'\r\nassert x == 'dos'\r\n");
  RUN(id, "if True:\r    x = 'mac'\rassert x == 'mac'");
}

static void test_no_byte_past_the_length_is_read(void **state) {
  (void)state;
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(pages != MAP_FAILED, "no memory");
  CHECK_EQUAL(mprotect(pages + page, page, PROT_NONE), 0);
  const char code[] = {'y', ' ', '=', ' ', '4', '2'};
  char *last = pages + page - sizeof code;
  memcpy(last, code, sizeof code);
  EXPECT(SUBPY_OK, subpy_run_string_with(id, NULL, last, sizeof code, &error));
  EXPECT(SUBPY_OK, subpy_run_string_with(id, NULL, pages + page, 0, &error));
  munmap(pages, 2 * page);
  RUN(id, "assert y == 42, y");
}

static void test_a_string_of_50_megabytes(void **state) {
  (void)state;
  const size_t size = 50u << 20;
  const char start[] = "big = '", end[] = "'\n";
  char *code = malloc(size + 1);
  CHECK(code != NULL, "no memory");
  memset(code, 'x', size);
  code[size] = '\0';
  memcpy(code, start, strlen(start));
  memcpy(code + size - strlen(end), end, strlen(end));
  RUN(id, code);
  RUN(id, "assert len(big) == (50 << 20) - 9 and big == len(big) * 'x'\ndel big");

  memset(code, '\n', size); /* as many lines */
  memcpy(code + size - 5, "n = 1", 5);
  EXPECT(SUBPY_OK, subpy_run_string_with(id, NULL, code, size, &error));
  RUN(id, "assert n == 1");
  free(code);
}

static void test_code_that_nests_too_deep_is_an_exception(void **state) {
  (void)state;
  char code[20001];
  memset(code, '(', 20000);
  code[20000] = '\0';
  subpy_error_free(RUN_FAILS(SUBPY_ERR_EXCEPTION, id, code));
  RUN(id, "assert True");
}

static void test_a_length_past_all_limits(void **state) {
  (void)state;
  const size_t lengths[] = {SIZE_MAX, (size_t)PTRDIFF_MAX + 1};
  for (size_t i = 0; i < COUNT(lengths); i++) {
    REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "past all limits",
            subpy_run_string_with(id, NULL, "x", lengths[i], &error));
    REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "past all limits",
            subpy_eval_with(id, NULL, "x", lengths[i], NULL, &error));
    REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "past all limits",
            subpy_run_string_unrestricted_with(id, NULL, "x", lengths[i], NULL, NULL, &error));
  }
}

static void test_wrong_options(void **state) {
  (void)state;
  const size_t sizes[] = {0, 1, 47, SIZE_MAX}; /* the first version had 48 */
  for (size_t i = 0; i < COUNT(sizes); i++) {
    subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
    options.struct_size = sizes[i];
    REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "struct_size",
            subpy_run_string_with(id, &options, "x", 1, &error));
  }
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.reserved = 1;
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "reserved is 1",
          subpy_run_string_with(id, &options, "x", 1, &error));
  options.reserved = 0;
  options.filename = "\xff.py";
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "filename",
          subpy_run_string_with(id, &options, "x", 1, &error));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_null),
      TEST(test_a_length_past_all_limits),
      TEST(test_code_that_does_nothing),
      TEST(test_a_byte_order_mark_is_skipped),
      TEST(test_a_nul_character_is_refused),
      TEST(test_bytes_that_are_not_utf8_are_refused),
      TEST(test_code_is_utf8_whatever_it_says),
      TEST(test_line_ends_of_other_systems),
      TEST(test_no_byte_past_the_length_is_read),
      TEST(test_a_string_of_50_megabytes),
      TEST(test_code_that_nests_too_deep_is_an_exception),
      TEST(test_wrong_options),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
