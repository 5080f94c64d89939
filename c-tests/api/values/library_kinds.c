/* Sets, complex numbers, and what Python's library has: dates and times, decimals, UUIDs. */
#include "fixture.h"

#include <math.h>

static subpy_value eval(subpy_id id, const char *expression) {
  subpy_value value;
  EXPECT(SUBPY_OK, subpy_eval(id, expression, &value, &error));
  return value;
}

static void check_true(const char *expression) {
  subpy_value value = eval(id, expression);
  CHECK(value.kind == SUBPY_BOOL && value.as.boolean, "%s", expression);
  subpy_value_clear(&value);
}

/* Sets `v`; Python has to find the expression true. */
static void check_set(subpy_value value, const char *expression) {
  EXPECT(SUBPY_OK, subpy_set(id, "v", &value, &error));
  check_true(expression);
}

static void refuses_in(subpy_value value, subpy_value where, const char *part) {
  subpy_value items[2];
  items[0] = where;
  items[1] = value;
  const subpy_value list = subpy_list(items, 2);
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, part, subpy_set(id, "v", &list, &error));
  subpy_queue *queue = NULL;
  EXPECT(SUBPY_OK, subpy_queue_create(NULL, &queue, &error));
  CHECK_EQUAL(subpy_queue_put(queue, &value, 0, NULL) == SUBPY_OK,
              value.kind == SUBPY_SET || value.kind == SUBPY_FROZENSET);
  subpy_queue_free(queue);
}

static void refuses(subpy_value value, const char *part) { refuses_in(value, subpy_none(), part); }

/* What the expression makes comes out as this kind. Set again, it is the same for Python. */
static void check_there_and_back(const char *expression, uint32_t kind) {
  char code[512];
  snprintf(code, sizeof code, "was = %s", expression);
  RUN(id, code);
  subpy_value value, copies[2];
  EXPECT(SUBPY_OK, subpy_get(id, "was", &value, &error));
  CHECK(value.kind == kind, "%s is of kind %s", expression, subpy_kind_name(value.kind));
  copies[0] = copies[1] = value;
  const subpy_value list = subpy_list(copies, 2);
  EXPECT(SUBPY_OK, subpy_set(id, "v", &list, &error));
  const char *same = "[type(each) for each in v] == 2 * [type(was)] and repr(v) == repr([was] * 2)";
  subpy_value found = eval(id, same);
  CHECK(found.as.boolean, "%s is another one", expression);
  subpy_value_clear(&value);
}

/* Tests. ------------------------------------------------------------------------------------- */

static void test_they_go_in(void **state) {
  (void)state;
  const uint8_t bytes[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 255};
  subpy_value items[3];
  items[0] = subpy_int(1);
  items[1] = subpy_str("x");
  items[2] = subpy_int(1);
  check_set(subpy_complex(1.5, -0.0), "str(v) == '(1.5-0j)' and type(v) is complex");
  check_set(subpy_set_of(items, 3), "v == {1, 'x'} and type(v) is set");
  check_set(subpy_frozenset_of(items, 2), "v == {1, 'x'} and type(v) is frozenset");
  check_set(subpy_set_of(NULL, 0), "v == set()");
  RUN(id, "import sys\nassert not {'decimal', 'uuid', '_decimal'} & set(sys.modules)");
  check_set(subpy_datetime(2024, 2, 29, 23, 59, 58, 999999),
            "repr(v) == 'datetime.datetime(2024, 2, 29, 23, 59, 58, 999999)'");
  check_set(subpy_date(1, 1, 1), "v == __import__('datetime').date.min");
  check_set(subpy_time(1, 2, 3, 4), "repr(v) == 'datetime.time(1, 2, 3, 4)'");
  check_set(subpy_with_fold(subpy_time(1, 2, 3, 0)), "v.fold == 1 and v.tzinfo is None");
  check_set(subpy_with_fold(subpy_at_utc_offset(subpy_datetime(1, 1, 1, 0, 0, 0, 7), -1)),
            "v.fold == 1 and v.microsecond == 7 and v.utcoffset() == "
            "__import__('datetime').timedelta(microseconds=-1)");
  check_set(subpy_at_utc_offset(subpy_time(1, 2, 0, 0), INT64_C(5400000000)),
            "str(v) == '01:02:00+01:30'");
  check_set(subpy_timestamp(INT64_C(1709251199999999)),
            "repr(v) == 'datetime.datetime(2024, 2, 29, 23, 59, 59, 999999, "
            "tzinfo=datetime.timezone.utc)'");
  check_set(subpy_timestamp(-1), "str(v) == '1969-12-31 23:59:59.999999+00:00'");
  check_set(subpy_timedelta(1, -86401, 0), "v == -__import__('datetime').timedelta(seconds=1)");
  check_set(subpy_timedelta(999999999, 86399, 999999), "v == __import__('datetime').timedelta.max");
  check_set(subpy_timedelta(-999999999, 0, 0), "v == __import__('datetime').timedelta.min");
  check_set(subpy_decimal("-1.50"), "repr(v) == \"Decimal('-1.50')\"");
  check_set(subpy_decimal("sNaN"), "v.is_snan()");
  check_set(subpy_decimal("-Infinity"), "v < 0 and v.is_infinite()");
  check_set(subpy_uuid(bytes), "str(v) == '01020304-0506-0708-090a-0b0c0d0e0fff'");
}

static void test_they_come_out(void **state) {
  (void)state;
  RUN(id, "import datetime, decimal, uuid\n"
          "utc = datetime.timezone.utc\n"
          "at = datetime.datetime(2024, 2, 29, 1, 2, 3, 4, "
          "tzinfo=datetime.timezone(-datetime.timedelta(hours=2, microseconds=1)), fold=1)\n");
  double real = 0, imag = 0;
  subpy_value v = eval(id, "1-2j");
  CHECK(v.kind == SUBPY_COMPLEX && subpy_value_as_complex(&v, &real, &imag), "%u", v.kind);
  CHECK(real == 1 && imag == -2, "%g %g", real, imag);
  v = eval(id, "7");
  CHECK(subpy_value_as_complex(&v, &real, &imag) && real == 7 && imag == 0, "%g", real);

  subpy_datetime_parts at;
  int64_t us = 0;
  v = eval(id, "at");
  CHECK(v.kind == SUBPY_DATETIME && v.owned == 0, "%u", v.kind);
  CHECK(subpy_value_as_datetime(&v, &at), "it has no parts");
  CHECK(at.year == 2024 && at.month == 2 && at.day == 29 && at.hour == 1 && at.minute == 2 &&
            at.second == 3 && at.microsecond == 4 && at.fold && at.aware,
        "it is another one");
  CHECK_EQUAL(at.offset_us, INT64_C(-7200000001));
  CHECK(subpy_value_as_timestamp(&v, &us), "it is aware");
  CHECK_EQUAL(us, INT64_C(1709175723000005));
  v = eval(id, "at.replace(tzinfo=None)");
  CHECK(!subpy_value_as_timestamp(&v, &us), "it is naive");
  CHECK(subpy_value_as_datetime(&v, &at) && !at.aware && at.offset_us == 0, "it has an offset");
  v = eval(id, "at.date()");
  CHECK(v.kind == SUBPY_DATE && subpy_value_as_datetime(&v, &at), "%u", v.kind);
  CHECK(at.year == 2024 && at.hour == 0 && !at.fold, "%d", at.year);
  v = eval(id, "at.timetz()");
  CHECK(v.kind == SUBPY_TIME && subpy_value_as_datetime(&v, &at), "%u", v.kind);
  CHECK(at.year == 0 && at.second == 3 && at.aware, "%d", at.second);
  v = eval(id, "datetime.timedelta(microseconds=-1)");
  CHECK(v.kind == SUBPY_TIMEDELTA && subpy_value_as_timedelta(&v, &us) && us == -1, "%lld",
        (long long)us);
  CHECK(v.as.timedelta.days == -1 && v.as.timedelta.microseconds == 999999, "%d",
        v.as.timedelta.days);
  v = eval(id, "datetime.timedelta.max");
  CHECK(!subpy_value_as_timedelta(&v, &us) && v.as.timedelta.days == 999999999, "%d",
        v.as.timedelta.days);
  v = eval(id, "uuid.UUID(int=258)");
  CHECK(subpy_value_uuid(&v) != NULL && v.as.uuid[14] == 1 && v.as.uuid[15] == 2, "%u", v.kind);

  v = eval(id, "decimal.Decimal('1.50')");
  CHECK_TEXT(subpy_value_text(&v), "1.50");
  CHECK_EQUAL(subpy_value_length(&v), 4);
  subpy_value_clear(&v);
  v = eval(id, "frozenset({5})");
  CHECK_EQUAL(v.kind, SUBPY_FROZENSET);
  CHECK_EQUAL(subpy_value_length(&v), 1);
  CHECK_EQUAL(subpy_value_item(&v, 0)->as.integer, 5);
  CHECK(subpy_value_item(&v, 1) == NULL, "it has one item");
  subpy_value_clear(&v);
  v = eval(id, "{'a': [{1, 2}, {at}], at: 'key', (1j, frozenset()): uuid.UUID(int=7)}");
  CHECK_EQUAL(subpy_value_item(subpy_value_get(&v, "a"), 0)->kind, SUBPY_SET);
  CHECK_EQUAL(subpy_value_length(subpy_value_item(subpy_value_get(&v, "a"), 0)), 2);
  CHECK_EQUAL(subpy_value_key(&v, 1)->kind, SUBPY_DATETIME);
  CHECK_EQUAL(subpy_value_at(&v, 2)->kind, SUBPY_UUID);
  EXPECT(SUBPY_OK, subpy_set(id, "again", &v, &error));
  check_true("again == {'a': [{1, 2}, {at}], at: 'key', (1j, frozenset()): uuid.UUID(int=7)}");
  subpy_value_clear(&v);
}

/* Whether `decimal` is CPython's module in C. On 3.12 an interpreter with a GIL of its own has it in Python alone. */
static bool decimals_are_in_c(void) {
  subpy_value found = eval(id, "bool(__import__('sys').modules.get('_decimal'))");
  return found.as.boolean;
}

static void test_there_and_back(void **state) {
  (void)state;
  /* Decimals in Python are made of ints, which have a limit of their own. */
  RUN(id, "import sys\nif hasattr(sys, 'set_int_max_str_digits'): sys.set_int_max_str_digits(0)");
  RUN(id, "from uuid import *\nfrom datetime import *\nfrom decimal import Decimal\n"
          "inf, nan = float('inf'), float('nan')\n");
  check_there_and_back("1e308-inf*1j", SUBPY_COMPLEX);
  check_there_and_back("{1, (2, 3)}", SUBPY_SET);
  check_there_and_back("frozenset([frozenset(), None])", SUBPY_FROZENSET);
  check_there_and_back("datetime.min", SUBPY_DATETIME);
  check_there_and_back("datetime.max", SUBPY_DATETIME);
  check_there_and_back("datetime.max.replace(tzinfo=timezone.utc, fold=1)", SUBPY_DATETIME);
  check_there_and_back("datetime.min.replace(tzinfo=timezone(timedelta(days=1) - "
                       "timedelta.resolution))",
                       SUBPY_DATETIME);
  check_there_and_back("datetime.min.replace(tzinfo=timezone(-timedelta(days=1) + "
                       "timedelta.resolution))",
                       SUBPY_DATETIME);
  check_there_and_back("date.min", SUBPY_DATE);
  check_there_and_back("date.max", SUBPY_DATE);
  check_there_and_back("time.min", SUBPY_TIME);
  check_there_and_back("time.max.replace(tzinfo=timezone(timedelta(seconds=-1)), fold=1)",
                       SUBPY_TIME);
  check_there_and_back("timedelta.min", SUBPY_TIMEDELTA);
  check_there_and_back("timedelta.max", SUBPY_TIMEDELTA);
  check_there_and_back("timedelta(microseconds=-1)", SUBPY_TIMEDELTA);
  check_there_and_back("Decimal('sNaN')", SUBPY_DECIMAL);
  check_there_and_back("Decimal('-NaN123')", SUBPY_DECIMAL);
  check_there_and_back("Decimal('-Infinity')", SUBPY_DECIMAL);
  check_there_and_back("Decimal('-0E-1000')", SUBPY_DECIMAL);
  check_there_and_back("Decimal('1E+999999999999999999')", SUBPY_DECIMAL);
  check_there_and_back("Decimal('3' * 10000)", SUBPY_DECIMAL);
  check_there_and_back("Decimal('.' + '3' * 10000)", SUBPY_DECIMAL);
  check_there_and_back("UUID(int=2**128-1)", SUBPY_UUID);
  check_there_and_back("uuid4()", SUBPY_UUID);
}

/* Of what is more than its base class or an offset, that comes out. */
static void test_subclasses_and_zones(void **state) {
  (void)state;
  RUN(id, "import collections, datetime, decimal, uuid\n"
          "class Day(datetime.datetime): pass\n"
          "class Money(decimal.Decimal): pass\n"
          "class Set(set):\n"
          "  def __iter__(self): raise ValueError('nobody calls it')\n"
          "class Zone(datetime.tzinfo):\n"
          "  def utcoffset(self, at): return at and datetime.timedelta(hours=at.month)\n"
          "class Broken(datetime.tzinfo):\n"
          "  def utcoffset(self, at): raise ValueError('of the script')\n"
          "class Never(datetime.datetime):\n"
          "  year = float('nan')\n"
          "class Never2(datetime.timedelta):\n"
          "  days = 10 ** 30\n"
          "class Past(datetime.date):\n"
          "  month = 13\n"
          "class Wordy(decimal.Decimal):\n"
          "  def __str__(self): return 'one'\n"
          "class Short(uuid.UUID):\n"
          "  bytes = b'short'\n"
          "Point = collections.namedtuple('Point', 'x y')\n"
          "zoned = datetime.datetime(2024, 6, 1, tzinfo=Zone())\n");
  subpy_value v = eval(id, "Point(1, 2)");
  CHECK_EQUAL(v.kind, SUBPY_TUPLE);
  subpy_value_clear(&v);
  v = eval(id, "Day(2024, 1, 2)");
  CHECK_EQUAL(v.kind, SUBPY_DATETIME);
  v = eval(id, "Money('1.0')");
  CHECK_EQUAL(v.kind, SUBPY_DECIMAL);
  subpy_value_clear(&v);
  v = eval(id, "Set([1])");
  CHECK_EQUAL(subpy_value_item(&v, 0)->as.integer, 1);
  subpy_value_clear(&v);
  subpy_datetime_parts at;
  v = eval(id, "zoned");
  CHECK(subpy_value_as_datetime(&v, &at) && at.offset_us == INT64_C(6 * 3600 * 1000000), "%lld",
        (long long)at.offset_us);
  v = eval(id, "zoned.timetz()");
  CHECK(subpy_value_as_datetime(&v, &at) && !at.aware, "it has an offset");
  subpy_value out;
  REFUSES(SUBPY_ERR_EXCEPTION, "of the script",
          subpy_eval(id, "zoned.replace(tzinfo=Broken())", &out, &error));
  REFUSES(SUBPY_ERR_NOT_SHAREABLE,
          "result[\"at\"] is of type Never, whose year is not what its base class has",
          subpy_eval(id, "{'at': Never(2024, 1, 1)}", &out, &error));
  REFUSES(SUBPY_ERR_NOT_SHAREABLE, "whose days is not what",
          subpy_eval(id, "Never2(1)", &out, &error));
  REFUSES(SUBPY_ERR_NOT_SHAREABLE, "result has a month that is not 1 to 12",
          subpy_eval(id, "Past(2024, 1, 1)", &out, &error));
  REFUSES(SUBPY_ERR_NOT_SHAREABLE, "whose __str__ is not what",
          subpy_eval(id, "Wordy('1')", &out, &error));
  REFUSES(SUBPY_ERR_NOT_SHAREABLE, "whose bytes is not what",
          subpy_eval(id, "Short(int=1)", &out, &error));
  REFUSES(SUBPY_ERR_NOT_SHAREABLE, "result[0][an item] is of type builtin_function_or_method",
          subpy_eval(id, "[{len}]", &out, &error));
  REFUSES(SUBPY_ERR_NOT_SHAREABLE, "ask for SUBPY_LOSSLESS_TEXT",
          subpy_eval(id, "{2 ** 64}", &out, &error));
}

static void test_what_there_is_not(void **state) {
  (void)state;
  subpy_value items[2], wrong;
  refuses(subpy_date(2024, 13, 1), "value[1] has a month that is not 1 to 12");
  refuses(subpy_date(2024, 257, 1), "month");
  refuses(subpy_date(2024, -255, 1), "month");
  refuses(subpy_date(2023, 2, 29), "value[1] has a day that its month does not have");
  refuses(subpy_date(10000, 1, 1), "year that is not 1 to 9999");
  refuses(subpy_date(0, 1, 1), "year");
  refuses(subpy_date(65537, 1, 1), "year");
  refuses(subpy_time(24, 0, 0, 0), "hour");
  refuses(subpy_time(0, 60, 0, 0), "minute");
  refuses(subpy_time(0, 0, 60, 0), "second");
  refuses(subpy_time(0, 0, 0, 1000000), "microsecond");
  refuses(subpy_at_utc_offset(subpy_time(0, 0, 0, 0), INT64_C(86400000000)),
          "an offset from UTC of a day or more");
  refuses(subpy_at_utc_offset(subpy_datetime(1, 1, 1, 0, 0, 0, 0), INT64_MIN), "offset");
  refuses(subpy_timestamp(INT64_MIN), "year");
  refuses(subpy_timestamp(INT64_MAX), "year");
  refuses(subpy_timedelta(1000000000, 0, 0), "more than 999,999,999 days");
  refuses(subpy_timedelta(INT64_MAX, INT64_MAX, INT64_MAX), "days");
  wrong = subpy_timedelta(0, 0, 0);
  wrong.as.timedelta.seconds = -1;
  refuses(wrong, "seconds that are not 0 to 86,399");
  wrong = subpy_date(2024, 1, 1);
  wrong.as.datetime.hour = 1;
  refuses(wrong, "a date that has a time of the day");
  wrong = subpy_time(1, 1, 1, 1);
  wrong.as.datetime.day = 1;
  refuses(wrong, "a time that has a date");
  wrong = subpy_datetime(2024, 1, 1, 0, 0, 0, 0);
  wrong.as.datetime.flags = 4;
  refuses(wrong, "flags that there are not");
  refuses(subpy_decimal("one"), "value[1] is no decimal: \"one\"");
  refuses(subpy_decimal(""), "is no decimal");
  refuses(subpy_decimal(" 1"), "is no decimal");
  refuses(subpy_decimal("1\xff"), "is no decimal");
  refuses(subpy_decimal(NULL), "has NULL for its data");
  refuses(subpy_uuid(NULL), "has NULL for its data");
  items[0] = subpy_int(1);
  items[1] = subpy_list(NULL, 0);
  refuses(subpy_set_of(items, 2), "value[1][1] can't be in a set: ");
  refuses(subpy_frozenset_of(items, 2), "can't be in a set");
  wrong = subpy_set_of(items, 2);
  items[1] = subpy_set_of(NULL, 0);
  refuses(wrong, "can't be in a set");
  wrong = subpy_set_of(NULL, 1);
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "has NULL for its items", subpy_set(id, "v", &wrong, &error));

  /* The context of a script does not decide what a decimal is. */
  RUN(id, "import decimal\ndecimal.getcontext().prec = 2\n");
  check_set(subpy_decimal("1.2345"), "str(v) == '1.2345'");
  if (!decimals_are_in_c()) {
    return; /* those in Python have no limits */
  }
  wrong = subpy_decimal("1E+9999999999999999999");
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "value is past the limits of Python's decimals",
          subpy_set(id, "v", &wrong, &error));
  RUN(id, "decimal.getcontext().traps[decimal.InvalidOperation] = False");
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "value is past the limits of Python's decimals",
          subpy_set(id, "v", &wrong, &error));
}

static void test_depth(void **state) {
  (void)state;
  subpy_value nested[SUBPY_MAX_DEPTH + 2];
  nested[0] = subpy_none();
  for (size_t i = 1; i < COUNT(nested); i++) {
    nested[i] = subpy_frozenset_of(&nested[i - 1], 1);
  }
  EXPECT(SUBPY_OK, subpy_set(id, "v", &nested[SUBPY_MAX_DEPTH], &error));
  subpy_value out;
  EXPECT(SUBPY_OK, subpy_get(id, "v", &out, &error));
  subpy_value_clear(&out);
  REFUSES(SUBPY_ERR_NOT_SHAREABLE, "is nested more than 256 deep",
          subpy_set(id, "v", &nested[SUBPY_MAX_DEPTH + 1], &error));
  REFUSES(SUBPY_ERR_NOT_SHAREABLE, "is nested more than 256 deep",
          subpy_eval(id, "frozenset([v])", &out, &error));
}

/* An interpreter that never uses a module does not import it. */
static void test_modules_are_imported_when_needed(void **state) {
  (void)state;
  subpy_value out;
  RUN(id, "import sys\nhad = {'datetime', 'decimal', 'uuid', 'numpy', 'dataclasses'} - "
          "set(sys.modules)\n"
          "class Any: pass\n");
  REFUSES(SUBPY_ERR_NOT_SHAREABLE, "Any", subpy_eval(id, "Any()", &out, &error));
  out = eval(id, "[1, {2}, 3j, frozenset()]");
  subpy_value_clear(&out);
  check_true("not had & set(sys.modules)");
  RUN(id, "class Fake: datetime = date = time = timedelta = timezone = Decimal = UUID = 3\n"
          "for name in 'datetime', 'decimal', 'uuid': sys.modules[name] = Fake\n");
  REFUSES(SUBPY_ERR_NOT_SHAREABLE, "Any", subpy_eval(id, "Any()", &out, &error));
  const subpy_value date = subpy_date(2024, 1, 1);
  REFUSES(SUBPY_ERR_EXCEPTION, "is no class in this interpreter",
          subpy_set(id, "v", &date, &error));
}

static void echo(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user;
  const subpy_value answer = subpy_tuple(args, nargs);
  subpy_host_return(call, &answer);
}

static void test_host_functions(void **state) {
  (void)state;
  EXPECT(SUBPY_OK, subpy_define_function(id, "host", "echo", echo, NULL, NULL, &error));
  RUN(id, "import host, uuid\nfrom datetime import *\nfrom decimal import Decimal\n"
          "all = (1j, {1}, frozenset('a'), datetime.max, date.max, time.max, timedelta.max,\n"
          "       Decimal('1.50'), uuid.UUID(int=1))\n"
          "found = host.echo(*all)\n"
          "assert found == all and repr(found) == repr(all)\n"
          "assert all == tuple(host.echo(each)[0] for each in all)\n"
          "assert host.echo(list(all)) == (list(all),)\n");
  subpy_value out = eval(id, "all"), result;
  EXPECT(SUBPY_OK, subpy_call(id, "builtins:list", &out, 1, &result, &error));
  EXPECT(SUBPY_OK, subpy_set(id, "result", &result, &error));
  check_true("result == list(all)");
  subpy_value_clear(&result);
  subpy_value_clear(&out);
}

static void test_namespaces(void **state) {
  (void)state;
  subpy_value pairs[4], out;
  pairs[0] = subpy_str("day");
  pairs[1] = subpy_date(2024, 2, 28);
  pairs[2] = subpy_str("price");
  pairs[3] = subpy_decimal("1.10");
  const subpy_value names = subpy_dict(pairs, 2);
  EXPECT(SUBPY_OK, subpy_run_string_unrestricted(
                       id,
                       "import datetime, decimal\n"
                       "left_out = object()\n"
                       "bad = [datetime.time(1), decimal.Decimal(7), left_out]\n"
                       "next_day, double = day + datetime.timedelta(1), price * 2\n",
                       &names, &out, &error));
  CHECK_EQUAL(subpy_value_get(&out, "next_day")->as.datetime.day, 29);
  CHECK_TEXT(subpy_value_text(subpy_value_get(&out, "double")), "2.20");
  CHECK(subpy_value_get(&out, "bad") == NULL, "it has an object");
  subpy_value_clear(&out);
}

/* Host to script, script to script, script to host; each has the same types. */
static void test_queues(void **state) {
  (void)state;
  subpy_queue *queue = NULL;
  EXPECT(SUBPY_OK, subpy_queue_create(NULL, &queue, &error));
  const subpy_value value = subpy_from_queue(queue);
  const subpy_id other = create_second();
  EXPECT(SUBPY_OK, subpy_set(id, "queue", &value, &error));
  EXPECT(SUBPY_OK, subpy_set(other, "queue", &value, &error));
  const subpy_value at = subpy_timestamp(7), price = subpy_decimal("1.0");
  subpy_value both[2];
  both[0] = at;
  both[1] = price;
  const subpy_value set = subpy_set_of(both, 2);
  EXPECT(SUBPY_OK, subpy_queue_put(queue, &at, 0, &error));
  EXPECT(SUBPY_OK, subpy_queue_put(queue, &price, 0, &error));
  EXPECT(SUBPY_OK, subpy_queue_put(queue, &set, 0, &error));
  RUN(id, "import datetime, decimal, uuid\n"
          "at, price, both = queue.get(), queue.get(), queue.get()\n"
          "assert at.microsecond == 7 and at.tzinfo is datetime.timezone.utc\n"
          "assert str(price) == '1.0' and both == {at, price}\n"
          "all = [at, price, both, 1j, frozenset(), at.date(), at.time(), at - at, "
          "uuid.UUID(int=1)]\n"
          "for each in all: queue.put(each)\n"
          "queue.put(all)\n");
  RUN(other, "all = [queue.get() for each in range(9)]\n"
             "assert [type(each).__name__ for each in all] == ['datetime', 'Decimal', 'set', "
             "'complex', 'frozenset', 'date', 'time', 'timedelta', 'UUID'], all\n"
             "assert queue.get() == all\n"
             "for each in all: queue.put(each)\n");
  static const uint32_t kinds[] = {
      SUBPY_DATETIME, SUBPY_DECIMAL, SUBPY_SET,       SUBPY_COMPLEX, SUBPY_FROZENSET,
      SUBPY_DATE,     SUBPY_TIME,    SUBPY_TIMEDELTA, SUBPY_UUID,
  };
  for (size_t i = 0; i < COUNT(kinds); i++) {
    subpy_value item;
    EXPECT(SUBPY_OK, subpy_queue_get(queue, &item, 0, &error));
    CHECK_EQUAL(item.kind, kinds[i]);
    subpy_value_clear(&item);
  }
  subpy_queue_free(queue);
}

static void test_accessors_take_anything(void **state) {
  (void)state;
  subpy_datetime_parts at;
  int64_t us;
  double real, imag;
  subpy_value others[3];
  others[0] = subpy_none();
  others[1] = subpy_str("x");
  others[2] = subpy_list(NULL, 0);
  for (size_t i = 0; i <= COUNT(others); i++) {
    const subpy_value *const value = i < COUNT(others) ? &others[i] : NULL;
    CHECK(!subpy_value_as_datetime(value, &at) && !subpy_value_as_timestamp(value, &us) &&
              !subpy_value_as_timedelta(value, &us) &&
              !subpy_value_as_complex(value, &real, &imag) && subpy_value_uuid(value) == NULL,
          "%zu", i);
  }
  static const char *const names[] = {"complex", "set",       "frozenset", "datetime", "date",
                                      "time",    "timedelta", "Decimal",   "UUID"};
  for (uint32_t i = 0; i < COUNT(names); i++) {
    CHECK_TEXT(subpy_kind_name(SUBPY_COMPLEX + i), names[i]);
  }
  subpy_value uuid = subpy_uuid((const uint8_t *)"0123456789abcdef");
  CHECK(subpy_value_uuid(&uuid)[15] == 'f', "%d", subpy_value_uuid(&uuid)[15]);
  subpy_value_clear(&uuid);
  CHECK_EQUAL(uuid.kind, SUBPY_NONE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_they_go_in),
      TEST(test_they_come_out),
      TEST(test_there_and_back),
      TEST(test_subclasses_and_zones),
      TEST(test_what_there_is_not),
      TEST(test_depth),
      TEST(test_modules_are_imported_when_needed),
      TEST(test_host_functions),
      TEST(test_namespaces),
      TEST(test_queues),
      TEST(test_accessors_take_anything),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
