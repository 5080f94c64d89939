/* SUBPY_CONVERT: objects that stand for plain data. */
#include "fixture.h"

static const subpy_call_options *converting(uint32_t more) {
  static subpy_call_options options;
  options = (subpy_call_options)SUBPY_CALL_OPTIONS_INIT;
  options.flags = SUBPY_CONVERT | more;
  return &options;
}

static subpy_status convert(const char *expression, subpy_value *out, subpy_error **error) {
  return subpy_eval_with(id, converting(0), expression, strlen(expression), out, error);
}

/* What an expression makes is what Python finds equal to `is`, and of the same type. */
static void check_becomes(const char *expression, const char *is) {
  subpy_value value;
  EXPECT(SUBPY_OK, convert(expression, &value, &error));
  EXPECT(SUBPY_OK, subpy_set(id, "found", &value, &error));
  subpy_value_clear(&value);
  char check[256];
  snprintf(check, sizeof check, "repr(found) == repr(%s)", is);
  EXPECT(SUBPY_OK, subpy_eval(id, check, &value, &error));
  CHECK(value.kind == SUBPY_BOOL && value.as.boolean, "%s is not %s", expression, is);
}

static void run_classes(void) {
  RUN(id, "import collections, dataclasses, enum, fractions, pathlib, typing\n"
          "class Color(enum.Enum):\n"
          "  RED = 1\n"
          "  BLUE = ('b', 2)\n"
          "class Level(enum.IntEnum): LOW = 5\n"
          "class Name(str, enum.Enum): A = 'a'\n"
          "class Way(enum.Flag):\n"
          "  UP = 1\n"
          "  LEFT = 2\n"
          "@dataclasses.dataclass\n"
          "class Point:\n"
          "  x: int\n"
          "  y: object = None\n"
          "  ORIGIN: typing.ClassVar[int] = 0\n"
          "@dataclasses.dataclass(frozen=True, eq=True)\n"
          "class Key: name: str\n"
          "class Path:\n"
          "  def __init__(self, path): self.path = path\n"
          "  def __fspath__(self): return self.path\n"
          "class Index:\n"
          "  def __init__(self, value): self.value = value\n"
          "  def __index__(self): return self.value\n"
          "  def __float__(self): raise ValueError('an index comes first')\n"
          "class Real:\n"
          "  def __float__(self): return 2.5\n"
          "Pair = collections.namedtuple('Pair', 'a b')\n");
}

/* Tests. ------------------------------------------------------------------------------------- */

static void test_each(void **state) {
  (void)state;
  run_classes();
  check_becomes("Color.RED", "1");
  check_becomes("Color.BLUE", "('b', 2)");
  check_becomes("Level.LOW", "5");
  check_becomes("Name.A", "'a'");
  check_becomes("Way.UP | Way.LEFT", "3");
  check_becomes("Point(1)", "{'x': 1, 'y': None}");
  check_becomes("Point(Color.RED, Point(Path('/a'), [Index(7)]))",
                "{'x': 1, 'y': {'x': '/a', 'y': [7]}}");
  check_becomes("pathlib.PurePosixPath('/a/b')", "'/a/b'");
  check_becomes("Path(b'/\\xff')", "b'/\\xff'");
  check_becomes("Index(-7)", "-7");
  check_becomes("Real()", "2.5");
  check_becomes("fractions.Fraction(1, 4)", "0.25");
  check_becomes("Pair(Index(1), Real())", "(1, 2.5)");
  check_becomes("{Key('k'): {Index(3)}}.popitem()", "({'name': 'k'}, {3})");
  check_becomes("{Color.RED: Color.BLUE, Index(2): {Way.UP}}", "{1: ('b', 2), 2: {1}}");
  check_becomes("[Index(1), Index(1), 'x', Index(2)]", "[1, 1, 'x', 2]");
  check_becomes("[[p, p] for p in [Point(1)]]", "[[{'x': 1, 'y': None}] * 2]");
  check_becomes("(1, 'x', {2: 3.5})", "(1, 'x', {2: 3.5})");
  check_becomes("True", "True");
}

/* What asks for no flag is refused, by path, and the message names the flag. */
static void test_without_the_flag(void **state) {
  (void)state;
  run_classes();
  static const char *const expressions[] = {"Color.RED", "Point(1)", "Path('/a')", "Index(1)",
                                            "Real()",    "Way.UP",   "Key('k')"};
  for (size_t i = 0; i < COUNT(expressions); i++) {
    subpy_value out;
    char code[64];
    snprintf(code, sizeof code, "{'a': [1, %s]}", expressions[i]);
    REFUSES(SUBPY_ERR_NOT_SHAREABLE, "result[\"a\"][1] is of type ",
            subpy_eval(id, code, &out, &error));
    REFUSES(SUBPY_ERR_NOT_SHAREABLE, "SUBPY_CONVERT asks for its plain data",
            subpy_eval(id, code, &out, &error));
    EXPECT(SUBPY_OK, convert(code, &out, &error));
    subpy_value_clear(&out);
  }
  /* Nothing helps here, and nothing says so. */
  subpy_value out;
  REFUSES(SUBPY_ERR_NOT_SHAREABLE, "str() or repr() makes a str of it",
          convert("[1, len]", &out, &error));
  REFUSES(SUBPY_ERR_NOT_SHAREABLE, "result[0] is of type type", convert("[Point]", &out, &error));
  REFUSES(SUBPY_ERR_NOT_SHAREABLE, "SUBPY_LOSSLESS_TEXT", convert("Index(2**64)", &out, &error));
  const char *large = "Index(2**64)";
  EXPECT(SUBPY_OK,
         subpy_eval_with(id, converting(SUBPY_LOSSLESS_TEXT), large, strlen(large), &out, &error));
  CHECK_TEXT(subpy_value_text(&out), "0x10000000000000000");
  subpy_value_clear(&out);
}

/* A type of numpy's has the buffer protocol as well; this one stands for them. */
static void test_scalars_of_numpy(void **state) {
  (void)state;
  RUN(id, "import sys, types\n"
          "numpy = sys.modules['numpy'] = types.ModuleType('numpy')\n"
          "class generic(bytearray):\n"
          "  def __init__(self, value): self.value = value\n"
          "  def item(self): return self.value\n"
          "numpy.generic = generic\n"
          "class longdouble(generic):\n"
          "  def item(self): return self\n"
          "  def __float__(self): return 1.25\n");
  check_becomes("generic(5)", "5");
  check_becomes("generic(True)", "True");
  check_becomes("generic(1j)", "1j");
  check_becomes("[generic('s'), generic(b's'), generic((1,))]", "['s', b's', (1,)]");
  check_becomes("longdouble(0)", "1.25");
  subpy_value out;
  if (python_at_least(3, 12)) {
    /* Without the flag, it is no memory of one item. */
    RUN(id, "class int64(generic):\n"
            "  def __buffer__(self, flags): return memoryview(b'x').cast('B', shape=[])\n");
    REFUSES(SUBPY_ERR_NOT_SHAREABLE,
            "result[0] is of type int64, which has no form outside of its interpreter",
            subpy_eval(id, "[int64(1)]", &out, &error));
    REFUSES(SUBPY_ERR_NOT_SHAREABLE, "SUBPY_CONVERT asks for its plain data",
            subpy_eval(id, "int64(1)", &out, &error));
    check_becomes("int64(1)", "1");
  }
  EXPECT(SUBPY_OK, convert("[bytearray(b'x'), generic(1)]", &out, &error));
  CHECK_EQUAL(subpy_value_item(&out, 0)->kind, SUBPY_BUFFER);
  subpy_value_clear(&out);
}

static void test_errors_of_scripts(void **state) {
  (void)state;
  RUN(id, "import dataclasses, enum\n"
          "class Raises:\n"
          "  def __index__(self): raise KeyError('of the script')\n"
          "class Text:\n"
          "  def __index__(self): return 'x'\n"
          "class Nothing:\n"
          "  def __fspath__(self): return None\n"
          "class Exits:\n"
          "  def __float__(self): raise SystemExit(3)\n"
          "@dataclasses.dataclass\n"
          "class Node:\n"
          "  next: object = None\n"
          "node = Node()\n"
          "node.next = [node]\n"
          "@dataclasses.dataclass\n"
          "class Endless:\n"
          "  x: object = None\n"
          "  def __getattribute__(self, name):\n"
          "    return Endless() if name == 'x' else object.__getattribute__(self, name)\n"
          "class Member(enum.Enum):\n"
          "  A = 1\n"
          "  @property\n"
          "  def value(self): return self\n"
          "class Other:\n"
          "  pass\n"
          "class Chain:\n"
          "  def __fspath__(self): return chr(0xd800)\n"
          "class Clears:\n"
          "  def __index__(self):\n"
          "    d.clear(), l.clear(), s.clear()\n"
          "    return 1\n"
          "  def __hash__(self): return 1\n"
          "class Grows:\n"
          "  def __index__(self):\n"
          "    l.append(1)\n"
          "    return 1\n"
          "d, l, s = {}, [], set()\n"
          "class Missing:\n"
          "  __dataclass_fields__ = 3\n"
          "deep = leaf = []\n"
          "for i in range(200): leaf.append(Node()); leaf[0].next = []; leaf = leaf[0].next\n");
  subpy_value out;
  REFUSES(SUBPY_ERR_EXCEPTION, "of the script", convert("[Raises()]", &out, &error));
  REFUSES(SUBPY_ERR_EXCEPTION, "", convert("[Text()]", &out, &error));
  REFUSES(SUBPY_ERR_EXCEPTION, "", convert("[Nothing()]", &out, &error));
  REFUSES(SUBPY_ERR_EXCEPTION, "", convert("[Missing()]", &out, &error));
  REFUSES(SUBPY_ERR_EXIT, "", convert("[Exits()]", &out, &error));
  REFUSES(SUBPY_ERR_NOT_SHAREABLE, "contains itself", convert("node", &out, &error));
  REFUSES(SUBPY_ERR_NOT_SHAREABLE, "contains itself", convert("Member.A", &out, &error));
  REFUSES(SUBPY_ERR_NOT_SHAREABLE, "is nested more than 256 deep",
          convert("Endless()", &out, &error));
  REFUSES(SUBPY_ERR_NOT_SHAREABLE, "is nested more than 256 deep", convert("deep", &out, &error));
  REFUSES(SUBPY_ERR_NOT_SHAREABLE, "result is a str with lone surrogates",
          convert("Chain()", &out, &error));
  /* What its own items change is read as it is then, or not at all. */
  static const char *const changed[] = {
      "l.extend([Clears(), [2] * 9]) or l",  "d.update({'a': Clears(), 'b': [3] * 9}) or d",
      "d.update({Clears(): [3] * 9}) or d",  "d.update({'a': {Clears(): object()}}) or d",
      "s.update([Clears(), 2, 3]) or s",     "l.extend([Grows(), 2]) or l",
      "[[d.update(b=[Clears()])] and d, d]",
  };
  for (size_t i = 0; i < COUNT(changed); i++) {
    RUN(id, "d.clear(), l.clear(), s.clear()");
    subpy_error *error = NULL;
    if (convert(changed[i], &out, &error) != SUBPY_OK) {
      CHECK_EQUAL(subpy_error_status(error), SUBPY_ERR_NOT_SHAREABLE);
      subpy_error_free(error);
    }
    subpy_value_clear(&out);
  }
}

static void test_a_time_limit_ends_it(void **state) {
  (void)state;
  RUN(id, "class Slow:\n"
          "  def __index__(self):\n"
          "    while True: pass\n");
  subpy_run_options run = SUBPY_RUN_OPTIONS_INIT;
  limit_to(&run, 50);
  subpy_call_options options = *converting(0);
  options.run = &run;
  subpy_value out;
  REFUSES(SUBPY_ERR_TIMEOUT, "", subpy_eval_with(id, &options, "[Slow()]", 8, &out, &error));
}

static void sum(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user;
  int64_t all = 0, one = 0;
  for (size_t i = 0; i < nargs; i++) {
    if (!subpy_value_as_int(&args[i], &one)) {
      subpy_host_raise(call, "TypeError", subpy_kind_name(args[i].kind));
      return;
    }
    all += one;
  }
  const subpy_value answer = subpy_int(all);
  subpy_host_return(call, &answer);
}

static void test_each_call_takes_the_flag(void **state) {
  (void)state;
  run_classes();
  RUN(id, "color = Color.RED\ndef f(*args, **keywords): return [*args, color]\n");
  subpy_value out;
  EXPECT(SUBPY_OK, subpy_get_with(id, converting(0), "color", &out, &error));
  CHECK_EQUAL(out.as.integer, 1);
  const subpy_value seven = subpy_int(7);
  EXPECT(SUBPY_OK, subpy_call_with(id, converting(0), "f", &seven, 1, &out, &error));
  CHECK_EQUAL(subpy_value_item(&out, 1)->as.integer, 1);
  subpy_value_clear(&out);
  EXPECT(SUBPY_OK, subpy_run_string_unrestricted_with(
                       id, converting(0), "level = [Level.LOW, color]", 26, NULL, &out, &error));
  CHECK_EQUAL(subpy_value_item(subpy_value_get(&out, "level"), 1)->as.integer, 1);
  CHECK(subpy_value_get(&out, "Color") == NULL, "a class stands for nothing");
  subpy_value_clear(&out);
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "flags are for results",
          subpy_set_with(id, converting(0), "v", &seven, &error));
  subpy_call_options unknown = SUBPY_CALL_OPTIONS_INIT;
  unknown.flags = SUBPY_CONVERT | 0x80000000;
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "0x80000000 is unknown",
          subpy_get_with(id, &unknown, "color", &out, &error));

  subpy_function_options options = SUBPY_FUNCTION_OPTIONS_INIT;
  EXPECT(SUBPY_OK, subpy_define_function(id, "host", "plain", sum, NULL, NULL, &error));
  options.flags = SUBPY_CONVERT;
  EXPECT(SUBPY_OK,
         subpy_define_function_with(id, &options, "host", "sum", sum, NULL, NULL, &error));
  RUN(id, "import host\n"
          "assert host.sum(color, Level.LOW, Index(3)) == 9\n"
          "try: host.plain(1, color)\n"
          "except TypeError as e: assert 'SUBPY_CONVERT' in str(e) and 'args[1]' in str(e), e\n"
          "else: assert False\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_each),
      TEST(test_without_the_flag),
      TEST(test_scalars_of_numpy),
      TEST(test_errors_of_scripts),
      TEST(test_a_time_limit_ends_it),
      TEST(test_each_call_takes_the_flag),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
