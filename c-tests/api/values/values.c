/* Values: built, set, got, evaluated, read and cleared. */
#include "fixture.h"

#include <math.h>

/* A value of a kind that the helpers don't make. */
static subpy_value wrong(uint32_t kind, const void *data, size_t length) {
  subpy_value value = subpy_str_n((const char *)data, length);
  value.kind = kind;
  return value;
}

static subpy_value eval(subpy_id id, const char *expression) {
  subpy_value value;
  EXPECT(SUBPY_OK, subpy_eval(id, expression, &value, &error));
  return value;
}

static void check_true(subpy_id id, const char *expression) {
  subpy_value value = eval(id, expression);
  CHECK(value.kind == SUBPY_BOOL && value.as.boolean, "%s", expression);
  subpy_value_clear(&value);
}

static void set(subpy_id id, const char *name, subpy_value value) {
  EXPECT(SUBPY_OK, subpy_set(id, name, &value, &error));
}

/* Tests. ------------------------------------------------------------------------------------- */

static void test_each_kind_goes_in(void **state) {
  (void)state;
  set(id, "v", subpy_none());
  check_true(id, "v is None");
  set(id, "v", subpy_bool(true));
  check_true(id, "v is True");
  set(id, "v", subpy_int(INT64_MIN));
  check_true(id, "v == -2 ** 63 and type(v) is int");
  set(id, "v", subpy_float(-0.0));
  check_true(id, "str(v) == '-0.0'");
  set(id, "v", subpy_float(INFINITY));
  check_true(id, "v == float('inf')");
  set(id, "v", subpy_float(NAN));
  check_true(id, "v != v");
  set(id, "v",
      subpy_str("gr\xc3\xb6\xc3\x9f"
                "e"));
  check_true(id, "v == 'gr\\xf6\\xdfe'");
  set(id, "v", subpy_str_n("a\0b", 3));
  check_true(id, "v == 'a\\0b'");
  set(id, "v", subpy_bytes("\xff\0", 2));
  check_true(id, "v == b'\\xff\\0'");
  set(id, "v", subpy_big_int("-0x10000000000000000"));
  check_true(id, "v == -2 ** 64");
  set(id, "v", wrong(SUBPY_WTF8, "\xed\xa0\x80", 3));
  check_true(id, "v == '\\ud800'");
  subpy_value items[3];
  items[0] = subpy_int(1);
  items[1] = subpy_str("x");
  items[2] = subpy_none();
  set(id, "v", subpy_tuple(items, 3));
  check_true(id, "v == (1, 'x', None)");
  set(id, "v", subpy_list(items, 3));
  check_true(id, "v == [1, 'x', None]");
  subpy_value pairs[4];
  pairs[0] = subpy_str("z");
  pairs[1] = subpy_list(items, 3);
  pairs[2] = subpy_str("a");
  pairs[3] = subpy_bool(false);
  set(id, "v", subpy_dict(pairs, 2));
  check_true(id, "list(v.items()) == [('z', [1, 'x', None]), ('a', False)]");
  set(id, "v", subpy_list(NULL, 0));
  check_true(id, "v == []");
}

static void test_each_kind_comes_out(void **state) {
  (void)state;
  subpy_value v = eval(id, "{'none': None, 'yes': True, 'int': -5, 'float': 1.5, 'str': 'a\\0b', "
                           "'bytes': b'\\xff', 'tuple': (1, 2), 'list': ['x'], 'dict': {7: 8}}");
  CHECK_EQUAL(v.kind, SUBPY_DICT);
  CHECK_EQUAL(subpy_value_length(&v), 9);
  CHECK_EQUAL(subpy_value_get(&v, "none")->kind, SUBPY_NONE);
  bool boolean = false;
  CHECK(subpy_value_as_bool(subpy_value_get(&v, "yes"), &boolean) && boolean, "no bool");
  int64_t integer = 0;
  CHECK(subpy_value_as_int(subpy_value_get(&v, "int"), &integer) && integer == -5, "no int");
  double real = 0;
  CHECK(subpy_value_as_float(subpy_value_get(&v, "float"), &real) && real == 1.5, "no float");
  CHECK(subpy_value_as_float(subpy_value_get(&v, "int"), &real) && real == -5, "no int");
  CHECK(!subpy_value_as_int(subpy_value_get(&v, "yes"), &integer), "a bool is no int");
  CHECK(!subpy_value_as_bool(subpy_value_get(&v, "int"), &boolean), "an int is no bool");
  const subpy_value *text = subpy_value_get(&v, "str");
  CHECK_EQUAL(subpy_value_length(text), 3);
  CHECK(memcmp(subpy_value_text(text), "a\0b", 4) == 0, "it ends in a NUL");
  CHECK(memcmp(subpy_value_text(subpy_value_get(&v, "bytes")), "\xff", 2) == 0, "it ends in a NUL");
  const subpy_value *tuple = subpy_value_get(&v, "tuple");
  CHECK_EQUAL(tuple->kind, SUBPY_TUPLE);
  CHECK(subpy_value_as_int(subpy_value_item(tuple, 1), &integer) && integer == 2, "no item");
  CHECK(subpy_value_item(tuple, 2) == NULL, "past the end");
  CHECK_TEXT(subpy_value_text(subpy_value_item(subpy_value_get(&v, "list"), 0)), "x");
  const subpy_value *dict = subpy_value_get(&v, "dict");
  CHECK(subpy_value_as_int(subpy_value_key(dict, 0), &integer) && integer == 7, "no key");
  CHECK(subpy_value_as_int(subpy_value_at(dict, 0), &integer) && integer == 8, "no value");
  CHECK(subpy_value_key(dict, 1) == NULL && subpy_value_at(dict, 1) == NULL, "past the end");
  CHECK(subpy_value_get(&v, "nothing") == NULL, "there is none");
  CHECK_TEXT(subpy_value_text(subpy_value_key(&v, 8)), "dict");
  CHECK_TEXT(subpy_kind_name(dict->kind), "dict");
  CHECK_TEXT(subpy_kind_name(99), "unknown");
  subpy_value_clear(&v);
}

static void test_accessors_take_anything(void **state) {
  (void)state;
  const subpy_value five = subpy_int(5);
  int64_t integer;
  double real;
  bool boolean;
  CHECK_EQUAL(subpy_value_length(NULL) + subpy_value_length(&five), 0);
  CHECK(subpy_value_item(NULL, 0) == NULL && subpy_value_item(&five, 0) == NULL, "no item");
  CHECK(subpy_value_get(NULL, "x") == NULL && subpy_value_get(&five, "x") == NULL, "no key");
  CHECK(subpy_value_get(&five, NULL) == NULL && subpy_value_key(&five, 0) == NULL, "no key");
  CHECK(subpy_value_text(NULL) == NULL && subpy_value_text(&five) == NULL, "no text");
  CHECK(!subpy_value_as_int(NULL, &integer) && !subpy_value_as_float(NULL, &real), "no number");
  CHECK(!subpy_value_as_bool(NULL, &boolean), "no bool");
}

static void test_a_value_is_cleared_twice(void **state) {
  (void)state;
  subpy_value v = eval(id, "['text', 'more'] * 100");
  subpy_value_clear(&v);
  CHECK_EQUAL(v.kind, SUBPY_NONE);
  subpy_value_clear(&v);
  CHECK_EQUAL(v.kind, SUBPY_NONE);
  subpy_value_clear(NULL);
  subpy_value own = subpy_str("a value of the host's");
  subpy_value_clear(&own);
  CHECK_EQUAL(own.kind, SUBPY_NONE);
  for (size_t i = 0; i < 9; i++) {
    static const char *const small[] = {"None", "1", "1.5", "''", "b''", "()", "[]", "{}", "'x'"};
    v = eval(id, small[i]);
    subpy_value_clear(&v);
    subpy_value_clear(&v);
  }
}

static void *clear_it(void *value) {
  CHECK_TEXT(subpy_value_text(subpy_value_item(value, 0)), "text");
  subpy_value_clear(value);
  return NULL;
}

static void test_a_value_outlives_its_interpreter(void **state) {
  (void)state;
  subpy_value v = eval(id, "['text']");
  DESTROY(id);
  in_thread(clear_it, &v);
}

static void test_a_value_of_one_is_set_in_another(void **state) {
  (void)state;
  const subpy_id b = create_second();
  subpy_value v = eval(id, "{'list': [1, 'two', 3.0, b'4', (5,), None, True]}");
  EXPECT(SUBPY_OK, subpy_set(b, "v", &v, &error));
  check_true(b, "v == {'list': [1, 'two', 3.0, b'4', (5,), None, True]}");
  subpy_value_clear(&v);
  check_true(b, "v['list'][1] == 'two'");
}

static void test_wrong_values(void **state) {
  (void)state;
  subpy_value unknown = wrong(99, NULL, 0);
  struct {
    subpy_value value;
    const char *why;
  } cases[] = {
      {unknown, "is of kind 99"},
      {wrong(UINT32_MAX, NULL, 0), "is of kind 4294967295"},
      {wrong(SUBPY_STR, NULL, 3), "has NULL for its data"},
      {wrong(SUBPY_BYTES, NULL, 3), "has NULL for its data"},
      {wrong(SUBPY_LIST, NULL, 3), "has NULL for its items"},
      {wrong(SUBPY_TUPLE, NULL, 3), "has NULL for its items"},
      {wrong(SUBPY_DICT, NULL, 3), "has NULL for its items"},
      {wrong(SUBPY_BUFFER, NULL, 0), "has NULL for its buffer"},
      {wrong(SUBPY_STR, "x", SIZE_MAX), "past all limits"},
      {wrong(SUBPY_BYTES, "x", SIZE_MAX / 2 + 1), "past all limits"},
      {wrong(SUBPY_LIST, &unknown, SIZE_MAX), "past all limits"},
      {wrong(SUBPY_DICT, &unknown, SIZE_MAX / 4), "past all limits"},
      {subpy_str_n("a\xff", 2), "is a str that is not UTF-8"},
      {subpy_str(NULL), "has NULL for its data"},
      {subpy_big_int("12x"), "is no int"},
      {subpy_big_int(NULL), "has NULL for its data"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    REFUSES(SUBPY_ERR_INVALID_ARGUMENT, cases[i].why, subpy_set(id, "v", &cases[i].value, &error));
    subpy_value items[2];
    items[0] = subpy_str("k");
    items[1] = cases[i].value;
    subpy_value inner = subpy_dict(items, 1);
    subpy_value outer = subpy_list(&inner, 1);
    REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "value[0][\"k\"] ", subpy_set(id, "v", &outer, &error));
    REFUSES(SUBPY_ERR_INVALID_ARGUMENT, cases[i].why, subpy_set(id, "v", &outer, &error));
  }
}

static void test_what_has_no_form_outside(void **state) {
  (void)state;
  const subpy_id b = create_second();
  RUN(id, "class Thing: pass\n"
          "cycle = []\n"
          "cycle.append(cycle)\n"
          "deep = 1\n"
          "for i in range(257): deep = [deep]\n");
  static const char *const cases[][2] = {
      {"{'a': [1, 2, 3, Thing()]}", "result[\"a\"][3] is of type Thing"},
      {"2 ** 64", "result is an int past 64 bits"},
      {"['\\ud800']", "result[0] is a str with lone surrogates"},
      {"cycle", "result[0] is a container that contains itself"},
      {"deep", "is nested more than 256 deep"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    subpy_value v = subpy_int(1);
    REFUSES(SUBPY_ERR_NOT_SHAREABLE, cases[i][1], subpy_eval(id, cases[i][0], &v, &error));
    CHECK_EQUAL(v.kind, SUBPY_NONE);
  }
  subpy_value v;
  EXPECT(SUBPY_OK, subpy_eval(id, "deep[0]", &v, &error));
  EXPECT(SUBPY_OK, subpy_set(b, "deep", &v, &error));
  subpy_value deeper = subpy_list(&v, 1);
  REFUSES(SUBPY_ERR_NOT_SHAREABLE, "is nested more than 256 deep",
          subpy_set(b, "deep", &deeper, &error));
  subpy_value_clear(&v);
}

static void test_lossless_text(void **state) {
  (void)state;
  const subpy_id b = create_second();
  subpy_value v;
  RUN(id, "big = [2 ** 64, -2 ** 70, '\\ud800', 'plain', 1]");
  EXPECT(SUBPY_OK, get_by_flags(id, SUBPY_LOSSLESS_TEXT, "big", &v, &error));
  CHECK_EQUAL(subpy_value_item(&v, 0)->kind, SUBPY_BIG_INT);
  CHECK_TEXT(subpy_value_text(subpy_value_item(&v, 0)), "0x10000000000000000");
  CHECK_TEXT(subpy_value_text(subpy_value_item(&v, 1)), "-0x400000000000000000");
  CHECK_EQUAL(subpy_value_item(&v, 2)->kind, SUBPY_WTF8);
  CHECK_EQUAL(subpy_value_item(&v, 3)->kind, SUBPY_STR);
  CHECK_EQUAL(subpy_value_item(&v, 4)->kind, SUBPY_INT);
  EXPECT(SUBPY_OK, subpy_set(b, "big", &v, &error));
  subpy_value_clear(&v);
  check_true(b, "big == [2 ** 64, -2 ** 70, '\\ud800', 'plain', 1]");
  subpy_call_options options = SUBPY_CALL_OPTIONS_INIT;
  options.flags = SUBPY_LOSSLESS_TEXT;
  EXPECT(SUBPY_OK, subpy_eval_with(id, &options, "2 ** 64", 7, &v, &error));
  CHECK_EQUAL(v.kind, SUBPY_BIG_INT);
  subpy_value_clear(&v);
}

static void test_names(void **state) {
  (void)state;
  subpy_value v, one = subpy_int(1);
  RUN(id, "x = 1");
  EXPECT(SUBPY_OK, subpy_get(id, "x", &v, &error));
  CHECK_EQUAL(v.as.integer, 1);
  REFUSES(SUBPY_ERR_NOT_FOUND, "there is no \"nothing\" in __main__",
          subpy_get(id, "nothing", &v, &error));
  static const char *const bad[] = {"", "1x", "a b", "a.b", "a:b", "\xff"};
  for (size_t i = 0; i < COUNT(bad); i++) {
    EXPECT(SUBPY_ERR_INVALID_ARGUMENT, subpy_get(id, bad[i], &v, &error));
    EXPECT(SUBPY_ERR_INVALID_ARGUMENT, subpy_set(id, bad[i], &one, &error));
  }
}

static void test_null_and_wrong_options(void **state) {
  (void)state;
  subpy_value v = subpy_none(), one = subpy_int(1);
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "name is NULL", subpy_set(id, NULL, &one, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "value is NULL", subpy_set(id, "x", NULL, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "name is NULL", subpy_get(id, NULL, &v, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "out is NULL", subpy_get(id, "x", NULL, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "expression is NULL", subpy_eval(id, NULL, &v, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "0x100 is unknown", get_by_flags(id, 0x101, "x", &v, &error));
  subpy_call_options options = SUBPY_CALL_OPTIONS_INIT;
  options.struct_size = 8;
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "subpy_call_options.struct_size is 8",
          subpy_eval_with(id, &options, "1", 1, &v, &error));
  const subpy_call_options defaults = SUBPY_CALL_OPTIONS_INIT;
  options = defaults;
  options.keywords = &one;
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "keywords are for subpy_call_with() alone",
          subpy_eval_with(id, &options, "1", 1, &v, &error));
  EXPECT(SUBPY_OK, subpy_eval(id, "object()", NULL, &error));
  CHECK_EQUAL(subpy_set(id, "x", &one, NULL), SUBPY_OK);
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_get(12345, "x", &v, &error));
  EXPECT(SUBPY_ERR_NOT_PERMITTED, subpy_get(0, "x", &v, &error));
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_set(-7, "x", &one, &error));
}

static void test_eval(void **state) {
  (void)state;
  subpy_value v;
  RUN(id, "n = 0\n"
          "def count():\n"
          "  global n\n"
          "  n += 1\n"
          "  return n\n");
  for (int i = 1; i < 100; i++) {
    v = eval(id, "count()");
    CHECK_EQUAL(v.as.integer, i);
  }
  v = eval(id, "  6 * 7  ");
  CHECK_EQUAL(v.as.integer, 42);
  EXPECT(SUBPY_ERR_EXCEPTION, subpy_eval(id, "x = 1", &v, &error));
  EXPECT(SUBPY_ERR_EXCEPTION, subpy_eval(id, "1 / 0", &v, &error));
  EXPECT(SUBPY_ERR_EXIT, subpy_eval(id, "exit(3)", &v, &error));
  subpy_run_options run = SUBPY_RUN_OPTIONS_INIT;
  run.filename = "rule.py";
  subpy_call_options options = SUBPY_CALL_OPTIONS_INIT;
  options.run = &run;
  subpy_error *error = NULL;
  CHECK_EQUAL(subpy_eval_with(id, &options, "1 / 0 + 2", 9, &v, &error), SUBPY_ERR_EXCEPTION);
  CHECK_CONTAINS(subpy_error_traceback(error), "File \"rule.py\", line 1");
  CHECK_CONTAINS(subpy_error_traceback(error), "1 / 0 + 2");
  subpy_error_free(error);
  limit_to(&run, 50);
  EXPECT(SUBPY_ERR_TIMEOUT,
         subpy_eval_with(id, &options, "[0 for _ in iter(int, 1)]", 25, &v, &error));
}

static void test_run_string_unrestricted(void **state) {
  (void)state;
  subpy_value pairs[4], out;
  pairs[0] = subpy_str("x");
  pairs[1] = subpy_int(20);
  pairs[2] = subpy_str("__name__");
  pairs[3] = subpy_str("changed");
  subpy_value ns = subpy_dict(pairs, 2);
  EXPECT(SUBPY_OK, subpy_run_string_unrestricted(id,
                                                 "import sys\n"
                                                 "y = x + 1\n"
                                                 "def f(): pass\n"
                                                 "bad = [f]\n"
                                                 "name = __name__\n",
                                                 &ns, &out, &error));
  CHECK_EQUAL(subpy_value_length(&out), 3);
  CHECK_EQUAL(subpy_value_get(&out, "x")->as.integer, 20);
  CHECK_EQUAL(subpy_value_get(&out, "y")->as.integer, 21);
  CHECK_TEXT(subpy_value_text(subpy_value_get(&out, "name")), "__main__");
  subpy_value_clear(&out);
  EXPECT(SUBPY_OK, subpy_run_string_unrestricted(id, "y += 1", NULL, NULL, &error));
  EXPECT(SUBPY_OK, subpy_run_string_unrestricted_with(id, NULL, "z = y, and more that is not code",
                                                      5, NULL, &out, &error));
  CHECK_EQUAL(subpy_value_get(&out, "z")->as.integer, 22);
  subpy_value_clear(&out);
  REFUSES(SUBPY_ERR_EXCEPTION, "division",
          subpy_run_string_unrestricted(id, "1 / 0", NULL, &out, &error));
  CHECK_EQUAL(out.kind, SUBPY_NONE);
  ns = subpy_int(1);
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "ns has to be a dict",
          subpy_run_string_unrestricted(id, "", &ns, &out, &error));
  pairs[0] = subpy_int(1);
  ns = subpy_dict(pairs, 1);
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "ns has a key that is not a str",
          subpy_run_string_unrestricted(id, "", &ns, &out, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "code is NULL",
          subpy_run_string_unrestricted(id, NULL, NULL, &out, &error));
}

/* An error says which value can't cross, and what the script can do. */
static void test_an_error_says_what_helps(void **state) {
  (void)state;
  static const struct {
    const char *expression, *says;
  } cases[] = {
      {"{'a': [1, memoryview(array.array('d', range(9)))[::3]]}",
       "result[\"a\"][1] is of type memoryview, whose items are not in C's order without gaps: "
       "ask for SUBPY_STRIDED"},
      {"released", "can't be shared as a buffer (ValueError: operation forbidden on released"},
      {"pathlib.PurePath('/a')",
       "os.fspath() makes a str of it, and SUBPY_CONVERT asks for its plain data"},
      {"fractions.Fraction(1, 2)",
       "str() makes a str of it, and float() a float, and SUBPY_CONVERT asks for its plain data"},
      {"types.MappingProxyType({})", "dict() makes a dict of it"},
      {"Color.RED", "its value may cross, and SUBPY_CONVERT asks for its plain data"},
      {"Point(1)", "dataclasses.asdict() makes a dict of it, and SUBPY_CONVERT asks"},
      {"Frame()", "its to_dict() is a dict"},
      {"Scalar()", "its tolist() makes plain data of it"},
      {"len", "str() or repr() makes a str of it"},
  };
  subpy_value out;
  RUN(id, "import array, dataclasses, enum, fractions, pathlib, sys, types\n"
          "released = memoryview(b'')\n"
          "released.release()\n"
          "class Color(enum.Enum): RED = 1\n"
          "@dataclasses.dataclass\n"
          "class Point: x: int\n"
          "class Frame:\n"
          "  def to_dict(self): return {}\n"
          "class Scalar:\n"
          "  def tolist(self): return 1\n"
          "class Refuses:\n"
          "  def __buffer__(self, flags): raise ValueError('of the script')\n");
  for (size_t i = 0; i < COUNT(cases); i++) {
    REFUSES(SUBPY_ERR_NOT_SHAREABLE, cases[i].says,
            subpy_eval(id, cases[i].expression, &out, &error));
  }
  if (python_at_least(3, 12)) {
    REFUSES(SUBPY_ERR_EXCEPTION, "of the script", subpy_eval(id, "Refuses()", &out, &error));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_each_kind_goes_in),
      TEST(test_each_kind_comes_out),
      TEST(test_accessors_take_anything),
      TEST(test_a_value_is_cleared_twice),
      TEST(test_a_value_outlives_its_interpreter),
      TEST(test_a_value_of_one_is_set_in_another),
      TEST(test_wrong_values),
      TEST(test_what_has_no_form_outside),
      TEST(test_an_error_says_what_helps),
      TEST(test_lossless_text),
      TEST(test_names),
      TEST(test_null_and_wrong_options),
      TEST(test_eval),
      TEST(test_run_string_unrestricted),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
