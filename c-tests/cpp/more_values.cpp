// Values of more types: sets, times, complex numbers, paths, enums, and structs of the host's.

#include "cpp_support.hpp"

#include <chrono>
#include <complex>
#include <filesystem>
#include <limits>
#include <map>
#include <set>
#include <unordered_set>
#include <variant>
#include <vector>

using namespace std::string_literals;
using namespace std::chrono_literals;
using std::chrono::system_clock;

enum class Color { red = 1, blue = 2 };
enum Small : std::int8_t { low = -128, high = 127 };
enum class Large : std::uint64_t { most = std::numeric_limits<std::uint64_t>::max() };

/// It crosses by names: the host's declaration counts.
enum class Level { low, high };
template <> struct subpy::CrossesAs<Level> {
  using type = std::string;
  static type to(Level level) { return level == Level::low ? "low" : "high"; }
  static std::optional<Level> from(const type &name) {
    return name == "low"    ? std::optional(Level::low)
           : name == "high" ? std::optional(Level::high)
                            : std::nullopt;
  }
};

struct Point {
  double x = 0, y = 0;
};
SUBPY_STRUCT(Point, x, y);

struct Shape {
  std::string name;
  std::vector<Point> points;
  std::optional<Color> color;
  std::map<std::string, std::chrono::seconds> ages;
};
SUBPY_STRUCT(Shape, name, points, color, ages);

struct Wide {
  int a1 = 1, a2 = 2, a3 = 3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18,
      a19, a20, a21, a22, a23, a24, a25, a26, a27, a28, a29, a30, a31, a32 = 32;
};
SUBPY_STRUCT(Wide, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18,
             a19, a20, a21, a22, a23, a24, a25, a26, a27, a28, a29, a30, a31, a32);

template <typename T> struct Pair {
  T one, two;
};
template <typename T> struct subpy::Fields<Pair<T>> {
  static constexpr const char *name = "Pair";
  static constexpr auto all() {
    return std::make_tuple(field("first", &Pair<T>::one), field("second", &Pair<T>::two));
  }
};

/// One interpreter for all.
static subpy::Interpreter &python() {
  static subpy::Interpreter interpreter;
  return interpreter;
}

/// Sets a value; Python has to find that `expression`, of it as `x`, is true.
template <typename T> static void check_set(const T &value, const std::string &expression) {
  CAPTURE(expression);
  python().set("x", value);
  CHECK(python().eval<bool>(expression));
}

/// Sets a value, and gets it back.
template <typename T> static T there_and_back(const T &value) {
  python().set("x", value);
  return python().get<T>("x");
}

/// That an expression's value is no T, and what the message says.
template <typename T>
static void check_no(std::string_view expression, const std::string &message) {
  CAPTURE(expression);
  const subpy::Error error = error_of([&] { python().eval<T>(expression); });
  CHECK(error.status() == SUBPY_ERR_NOT_SHAREABLE);
  CHECK(error.message() == message);
}

TEST_CASE("sets and complex numbers") {
  using Ints = std::set<int>;
  check_set(Ints{3, 1, 2}, "x == {1, 2, 3} and type(x) is set");
  check_set(std::unordered_set<std::string>{"a"}, "x == {'a'}");
  check_set(std::set<std::pair<int, int>>{{1, 2}}, "x == {(1, 2)}");
  CHECK(python().eval<Ints>("{1, 2}") == Ints{1, 2});
  CHECK(python().eval<Ints>("frozenset()").empty());
  check_no<Ints>("[1]", "result is a list of 1 item, not a set");
  check_no<Ints>("{'a'}", "an item of result is a str, not an int of 32 bits");
  check_no<std::vector<int>>("{1}", "result is a set, not a list or tuple");
  CHECK(error_of([] { python().set("x", std::set<std::vector<int>>{{1}}); }).status() ==
        SUBPY_ERR_INVALID_ARGUMENT);

  using Complex = std::complex<double>;
  check_set(Complex(1, -2), "x == 1-2j");
  CHECK(python().eval<Complex>("1+2j") == Complex(1, 2));
  CHECK(python().eval<std::complex<float>>("7") == std::complex<float>(7));
  check_no<Complex>("'1j'", "result is a str, not a complex");
  using Number = std::variant<Complex, double, int>;
  CHECK(python().eval<Number>("3").index() == 2);
  CHECK(python().eval<Number>("3j").index() == 0);
  using Setting = std::variant<std::set<int>, std::vector<int>, std::chrono::seconds>;
  CHECK(python().eval<Setting>("{3}").index() == 0);
  CHECK(python().eval<Setting>("[3]").index() == 1);
}

TEST_CASE("durations are timedeltas") {
  python().run("from datetime import *");
  check_set(90min, "x == timedelta(minutes=90)");
  check_set(-1ns, "x == timedelta(microseconds=-1)"); // rounded down
  check_set(1999ns, "x == timedelta(microseconds=1)");
  check_set(std::chrono::duration<double>(0.3), "x == timedelta(seconds=0.3)");
  check_set(std::chrono::duration<float, std::ratio<3600>>(0.5F), "x == timedelta(minutes=30)");
  check_set(std::chrono::duration<unsigned char>(255), "x.total_seconds() == 255");
  CHECK(there_and_back(-1500ms) == -1500ms);
  CHECK(there_and_back(std::chrono::nanoseconds::min() + 1us) <
        std::chrono::nanoseconds::min() + 2us);
  CHECK(python().eval<std::chrono::hours>("timedelta(days=1)") == 24h);
  CHECK(python().eval<std::chrono::duration<double>>("timedelta.max").count() > 8.6e13);
  CHECK(python()
            .eval<std::chrono::duration<std::int64_t, std::ratio<1, 60>>>("timedelta(1)")
            .count() == 86400 * 60);
  const std::string exact = "result is a timedelta, not one that the std::chrono::duration can "
                            "hold exactly";
  check_no<std::chrono::seconds>("timedelta(seconds=1.5)", exact);
  check_no<std::chrono::duration<std::int8_t>>("timedelta(seconds=128)", exact);
  check_no<std::chrono::duration<unsigned>>("timedelta(seconds=-1)", exact);
  check_no<std::chrono::nanoseconds>("timedelta(days=106752)", exact);
  check_no<std::chrono::seconds>("timedelta.max", exact);
  check_no<std::chrono::seconds>("3", "result is the int 3, not a timedelta");
  for (const auto past : {std::chrono::hours::max(), std::chrono::hours::min()}) {
    CHECK(status_of([&] { python().set("x", past); }) == SUBPY_ERR_INVALID_ARGUMENT);
  }
  const std::chrono::duration<double> nan(std::numeric_limits<double>::quiet_NaN());
  CHECK(status_of([&] { python().set("x", nan); }) == SUBPY_ERR_INVALID_ARGUMENT);
}

TEST_CASE("points in time are aware datetimes") {
  python().run("from datetime import *");
  const system_clock::time_point epoch;
  check_set(epoch, "x == datetime(1970, 1, 1, tzinfo=timezone.utc) and x.tzinfo is timezone.utc");
  check_set(epoch - 1us, "x.year == 1969 and x.microsecond == 999999");
  const auto now = std::chrono::floor<std::chrono::microseconds>(system_clock::now());
  CHECK(there_and_back(now) == now);
  CHECK(python().eval<system_clock::time_point>(
            "datetime(1970, 1, 1, 2, tzinfo=timezone(timedelta(hours=1)))") == epoch + 1h);
  using Seconds = std::chrono::time_point<system_clock, std::chrono::seconds>;
  CHECK(python()
            .eval<Seconds>("datetime.max.replace(microsecond=0, tzinfo=timezone.utc)")
            .time_since_epoch() == 253402300799s);
  CHECK(python().eval<Seconds>("datetime.min.replace(tzinfo=timezone.utc)").time_since_epoch() ==
        -62135596800s);
  check_no<Seconds>("datetime(2024, 1, 1)", "result is a naive datetime, not an aware datetime");
  check_no<Seconds>("date(2024, 1, 1)", "result is a date, not an aware datetime");
  check_no<Seconds>("datetime.max.replace(tzinfo=timezone.utc)",
                    "result is an aware datetime, not one that the std::chrono::time_point can "
                    "hold exactly");
  check_no<std::chrono::time_point<system_clock, std::chrono::nanoseconds>>(
      "[datetime.max.replace(tzinfo=timezone.utc)][0]",
      "result is an aware datetime, not one that the std::chrono::time_point can hold exactly");
  CHECK(status_of([] { python().set("x", Seconds::max()); }) == SUBPY_ERR_INVALID_ARGUMENT);
}

TEST_CASE("decimals, UUIDs and dates") {
  check_set(subpy::Decimal{"1.50"}, "repr(x) == \"Decimal('1.50')\"");
  CHECK(python().eval<subpy::Decimal>("__import__('decimal').Decimal('1E+3')").text == "1E+3");
  CHECK(status_of([] { python().set("x", subpy::Decimal{"one"}); }) == SUBPY_ERR_INVALID_ARGUMENT);
  check_no<subpy::Decimal>("1.5", "result is a float, not a Decimal");
  const subpy::Uuid uuid{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
  check_set(uuid, "x.hex == '0102030405060708090a0b0c0d0e0f10'");
  CHECK(there_and_back(uuid).bytes == uuid.bytes);
  check_no<subpy::Uuid>("'x'", "result is a str, not a UUID");
  check_set(subpy::Date{2024, 2, 29}, "str(x) == '2024-02-29'");
  CHECK(there_and_back(subpy::Date{2024, 2, 29}).day == 29);
  CHECK(status_of([] { python().set("x", subpy::Date{2023, 2, 29}); }) ==
        SUBPY_ERR_INVALID_ARGUMENT);
  check_no<subpy::Date>("'x'", "result is a str, not a date");
}

TEST_CASE("paths are what os.fsdecode() makes of them") {
  namespace fs = std::filesystem;
  python().run("import os, pathlib");
  for (const std::string &name :
       {"/a/b"s, ""s, "gr\xc3\xb6\xc3\x9f"s, "\xf0\x9f\x98\x80"s, "a\xff\xc0z"s, "\xed\xa0\x80"s,
        "\xe2\x82"s, "\xf4\x90\x80\x80"s, "\xc3"s}) {
    CAPTURE(name);
    python().set("bytes_of_it", subpy::as_bytes(name));
    check_set(fs::path(name), "type(x) is str and os.fsencode(x) == bytes_of_it and x == "
                              "os.fsdecode(bytes_of_it)");
    CHECK(python().get<fs::path>("x").native() == name);
    CHECK(python().eval<fs::path>("pathlib.PurePosixPath(x)").native() ==
          (name.empty() ? "." : name));
    CHECK(python().eval<fs::path>("bytes_of_it").native() == name);
  }
  check_no<fs::path>("3", "result is the int 3, not a path");
  check_no<fs::path>("'\\ud800'", "result is a str with lone surrogates, not a path");
}

TEST_CASE("enums are ints, unless the host says otherwise") {
  python().run("import enum\n"
               "class Color(enum.Enum): blue = 2\n"
               "class Number(enum.IntEnum): one = 1\n");
  check_set(Color::red, "x == 1 and type(x) is int");
  CHECK(python().eval<Color>("2") == Color::blue);
  CHECK(python().eval<Color>("Color.blue") == Color::blue);
  CHECK(python().eval<std::vector<Color>>("[Number.one]").front() == Color::red);
  CHECK(there_and_back(low) == low);
  CHECK(there_and_back(Large::most) == Large::most);
  check_no<Small>("128", "result is the int 128, not a number of the enum");
  check_no<Color>("2 ** 31", "result is the int 2147483648, not a number of the enum");
  check_no<Color>("['red'][0]", "result is a str, not a number of the enum");
  check_set(Level::high, "x == 'high'");
  CHECK(python().eval<Level>("'low'") == Level::low);
  check_no<Level>("'middle'", "result is a str, not a value that subpy::CrossesAs accepts");
}

TEST_CASE("structs of the host's are dicts") {
  python().run("import dataclasses, enum\n"
               "from datetime import timedelta\n"
               "class Color(enum.Enum): red = 1\n"
               "@dataclasses.dataclass\n"
               "class Point:\n"
               "  x: float\n"
               "  y: float\n"
               "  extra: object = 'left out'\n");
  check_set(Point{1, 2}, "x == {'x': 1.0, 'y': 2.0} and list(x) == ['x', 'y']");
  check_set(Shape{"line", {{1, 2}}, std::nullopt, {{"a", 3s}}},
            "x == {'name': 'line', 'points': [{'x': 1.0, 'y': 2.0}], 'color': None, "
            "'ages': {'a': timedelta(seconds=3)}}");
  CHECK(python().eval<Point>("{'x': 1, 'y': 2, 'z': object.__name__}").y == 2);
  CHECK(python().eval<Point>("Point(3, 4)").y == 4);
  const auto shape = python().eval<Shape>(
      "{'name': 'line', 'points': [Point(1, 2)], 'color': Color.red, 'ages': {}}");
  CHECK(shape.points.at(0).y == 2);
  CHECK(shape.color == Color::red);
  CHECK_FALSE(python().eval<Shape>("{'name': '', 'points': [], 'ages': {}}").color);
  check_no<Shape>("{'name': '', 'points': [{'x': 1, 'y': 2}, {'x': 1}], 'ages': {}}",
                  "result[\"points\"][1] is a dict without the key \"y\", which Point has");
  check_no<Shape>("{'name': '', 'points': [{'x': 1, 'y': 'two'}], 'ages': {}}",
                  "result[\"points\"][0][\"y\"] is a str, not a float");
  check_no<std::vector<Point>>("[(1, 2)]", "result[0] is a tuple of 2 items, not Point");
  check_set(Wide(), "len(x) == 32 and x['a1'] == 1 and x['a32'] == 32");
  check_set(Pair<int>{1, 2}, "x == {'first': 1, 'second': 2}");
  CHECK(python().eval<Pair<std::string>>("{'first': '1', 'second': '2'}").two == "2");

  const auto area = [](const std::vector<Point> &points) { return points.at(0).x * points[0].y; };
  python().define("host", "area", area);
  CHECK(python().eval<double>("__import__('host').area([Point(3, 4)])") == 12);
}

TEST_CASE("a Value of the new kinds owns them, and is passed on") {
  subpy::Value value;
  {
    const std::string text = "1.5";
    value = subpy::Value::list({subpy::Value::set({1, "two"}), subpy::Decimal{text}, 5s,
                                std::complex<double>(1, 2), subpy::Uuid{}});
  }
  check_set(value, "[type(each).__name__ for each in x] == ['set', 'Decimal', 'timedelta', "
                   "'complex', 'UUID'] and x[0] == {1, 'two'} and str(x[1]) == '1.5'");
  const subpy::Value back = python().get("x");
  CHECK(back[0].kind() == SUBPY_SET);
  CHECK(back[0].size() == 2);
  CHECK(back[0].items().size() == 2);
  CHECK(back[1].as<subpy::Decimal>().text == "1.5");
  CHECK(back[2].as<std::chrono::milliseconds>() == 5s);
  CHECK(subpy::Value(back.view())[1].as<subpy::Decimal>().text == "1.5");
  const subpy::Value naive(subpy::View(subpy_datetime(2024, 1, 2, 3, 4, 5, 6)));
  check_set(naive, "x.isoformat() == '2024-01-02T03:04:05.000006'");

  const subpy::Queue queue;
  queue.put(system_clock::time_point());
  queue.put(Point{1, 2});
  CHECK(queue.get<system_clock::time_point>() == system_clock::time_point());
  CHECK(queue.get<Point>().y == 2);
}
