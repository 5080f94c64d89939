// Values: what C++ types become in Python, and what they are when they come back.

#include "cpp_support.hpp"

#include <array>
#include <cmath>
#include <deque>
#include <limits>
#include <list>
#include <map>
#include <unordered_map>
#include <variant>
#include <vector>

using namespace std::string_literals;

struct Point {
  double x, y;
};

/// It crosses as a pair.
template <> struct subpy::CrossesAs<Point> {
  using type = std::pair<double, double>;
  static type to(const Point &point) { return {point.x, point.y}; }
  static Point from(const type &pair) { return {pair.first, pair.second}; }
};

enum class Level { low, high };

/// It crosses as a name, in both directions; a wrong one is the host's to refuse.
template <> struct subpy::CrossesAs<Level> {
  using type = std::string;
  static type to(Level level) { return level == Level::low ? "low" : "high"; }
  static Level from(const type &name) {
    if (name != "low" && name != "high") {
      throw std::invalid_argument("no such level: " + name);
    }
    return name == "low" ? Level::low : Level::high;
  }
};

enum class Side { left, right };

/// It crosses as a name. No value stands for a wrong one, and the library says where it is.
template <> struct subpy::CrossesAs<Side> {
  using type = std::string;
  static std::optional<Side> from(const type &name) {
    if (name != "left" && name != "right") {
      return std::nullopt;
    }
    return name == "left" ? Side::left : Side::right;
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

TEST_CASE("numbers, text, bytes and None become what they are in Python") {
  check_set(nullptr, "x is None");
  check_set(true, "x is True");
  check_set(5, "type(x) is int and x == 5");
  check_set(-0.0, "type(x) is float and str(x) == '-0.0'");
  check_set(2.5F, "x == 2.5");
  check_set("text", "x == 'text'");
  check_set("h\xc3\xa9\0llo"s, "x == 'h\\xe9\\0llo'");
  check_set(std::string_view("text").substr(1, 2), "x == 'ex'");
  check_set(std::string_view(), "x == ''");
  const char *const pointer = "pointer";
  check_set(pointer, "x == 'pointer'");
  check_set(subpy::as_bytes("a\0b"s), "x == b'a\\0b'");
  check_set(std::vector<std::byte>{std::byte{1}, std::byte{255}}, "x == b'\\x01\\xff'");
}

TEST_CASE("numbers of all sizes come back as they were") {
  CHECK(there_and_back<std::int8_t>(-128) == -128);
  CHECK(there_and_back<std::uint8_t>(255) == 255);
  CHECK(there_and_back<std::int16_t>(-32768) == -32768);
  CHECK(there_and_back<std::uint32_t>(4294967295U) == 4294967295U);
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  CHECK(there_and_back(least) == least);
  CHECK(there_and_back(most) == most);
  CHECK(there_and_back(std::uint64_t{1} << 63) == std::uint64_t{1} << 63);
  CHECK(there_and_back(std::vector<std::uint64_t>{1, most}) == std::vector<std::uint64_t>{1, most});
  CHECK(std::signbit(there_and_back(-0.0)));
  CHECK(std::isnan(there_and_back(std::nan(""))));
  CHECK(there_and_back(-std::numeric_limits<double>::infinity()) < 0);
  CHECK(python().eval<double>("3") == 3.0);
}

TEST_CASE("what does not fit says what it is, and what was asked for") {
  check_no<int>("'x'", "result is a str, not an int of 32 bits");
  check_no<std::int8_t>("128", "result is the int 128, not an int of 8 bits");
  check_no<std::uint8_t>("-1", "result is the int -1, not an unsigned int of 8 bits");
  check_no<std::uint16_t>("65536", "result is the int 65536, not an unsigned int of 16 bits");
  check_no<std::uint64_t>("-1", "result is the int -1, not an unsigned int of 64 bits");
  check_no<std::uint64_t>("2 ** 64",
                          "result is an int past 64 bits, not an unsigned int of 64 bits");
  check_no<std::uint64_t>("-2 ** 64",
                          "result is an int past 64 bits, not an unsigned int of 64 bits");
  check_no<int>("True", "result is a bool, not an int of 32 bits");
  check_no<bool>("1", "result is the int 1, not a bool");
  check_no<double>("'1.0'", "result is a str, not a float");
  check_no<std::string>("b'x'", "result is bytes, not a str");
  check_no<std::string>("None", "result is None, not a str");
  check_no<std::nullptr_t>("0", "result is the int 0, not None");
  check_no<std::vector<std::byte>>("'x'", "result is a str, not bytes or a buffer without gaps");
}

TEST_CASE("the message says where in a value") {
  using Numbers = std::vector<int>;
  check_no<Numbers>("3", "result is the int 3, not a list or tuple");
  check_no<Numbers>("[1, 2, None]", "result[2] is None, not an int of 32 bits");
  check_no<std::map<std::string, Numbers>>("{'a': [1], 'b': [2, 3.5]}",
                                           "result[\"b\"][1] is a float, not an int of 32 bits");
  check_no<std::map<std::string, int>>("{'a': 1, 2: 3}", "a key of result is the int 2, not a str");
  check_no<std::map<int, std::string>>("{7: 8}", "result[7] is the int 8, not a str");
  check_no<std::pair<int, int>>("(1, 2, 3)",
                                "result is a tuple of 3 items, not a list or tuple of 2 items");
  check_no<std::tuple<int>>("[]", "result is a list of 0 items, not a list or tuple of 1 item");
  check_no<std::tuple<int, std::string, int>>("(1, 2, '3')", "result[1] is the int 2, not a str");
  check_no<std::array<int, 2>>("{}", "result is a dict, not a list or tuple of 2 items");
  check_no<std::variant<int, std::string>>("[1.5]", "result is a list of 1 item, not of any type "
                                                    "of the variant");
  check_no<std::map<std::string, int>>("[]", "result is a list of 0 items, not a dict");
}

TEST_CASE("sequences are lists, and come from tuples, too") {
  check_set(std::vector<double>{1, 2.5}, "x == [1.0, 2.5] and type(x) is list");
  check_set(std::vector<bool>{true, false}, "x == [True, False] and x[0] is True");
  check_set(std::vector<std::string>{}, "x == []");
  check_set(std::array<int, 3>{1, 2, 3}, "x == [1, 2, 3]");
  check_set(std::deque<std::string>{"a", "b"}, "x == ['a', 'b']");
  check_set(std::list<int>{1}, "x == [1]");
  const int numbers[] = {1, 2, 3};
  check_set(subpy::Span<const int>(numbers), "x == [1, 2, 3]");
  check_set(std::vector<std::uint8_t>{1, 2}, "x == [1, 2]");
  CHECK(python().eval<std::vector<double>>("[1, 2.5]") == std::vector<double>{1, 2.5});
  CHECK(python().eval<std::vector<bool>>("[True, False]") == std::vector<bool>{true, false});
  CHECK(python().eval<std::deque<int>>("(1, 2)") == std::deque<int>{1, 2});
  CHECK(python().eval<std::list<std::string>>("['a']") == std::list<std::string>{"a"});
  CHECK(python().eval<std::array<int, 2>>("[1, 2]") == std::array<int, 2>{1, 2});
  CHECK(python().eval<std::array<int, 0>>("()").empty());
  std::vector<int> many(100000, 7);
  CHECK(there_and_back(many) == many);
}

TEST_CASE("pairs and tuples are tuples") {
  check_set(std::pair<int, std::string>(1, "a"), "x == (1, 'a')");
  check_set(std::tuple<>(), "x == ()");
  check_set(std::tuple<int, bool, std::vector<int>>(1, true, {2}), "x == (1, True, [2])");
  CHECK(python().eval<std::tuple<>>("()") == std::tuple<>());
  CHECK(python().eval<std::pair<int, std::string>>("[1, 'a']") == std::pair(1, "a"s));
  CHECK(python().eval<std::tuple<int, double, std::string>>("(1, 2, 'a')") ==
        std::tuple(1, 2.0, "a"s));
}

TEST_CASE("maps are dicts") {
  check_set(std::map<std::string, int>{{"b", 2}, {"a", 1}},
            "list(x.items()) == [('a', 1), ('b', 2)]");
  check_set(std::unordered_map<int, std::vector<int>>{{1, {2, 3}}}, "x == {1: [2, 3]}");
  check_set(std::map<std::pair<int, int>, bool>{{{1, 2}, true}}, "x == {(1, 2): True}");
  using Ages = std::map<std::string, int>;
  CHECK(python().eval<Ages>("{'b': 2, 'a': 1}") == Ages{{"a", 1}, {"b", 2}});
  using Words = std::unordered_map<int, std::string>;
  CHECK(python().eval<Words>("{1: 'one'}") == Words{{1, "one"}});
}

TEST_CASE("optional and variant") {
  check_set(std::optional<int>(), "x is None");
  check_set(std::optional<int>(3), "x == 3");
  check_set(std::vector<std::optional<int>>{1, std::nullopt}, "x == [1, None]");
  CHECK_FALSE(python().eval<std::optional<int>>("None"));
  CHECK(python().eval<std::optional<int>>("3") == 3);
  CHECK(error_of([&] { python().eval<std::optional<int>>("'x'"); }).message() ==
        "result is a str, not an int of 32 bits");

  using Any = std::variant<std::monostate, double, int, std::string, std::vector<int>>;
  check_set(Any(), "x is None");
  check_set(Any("a"s), "x == 'a'");
  check_set(std::map<std::string, Any>{{"n", 3}, {"s", "t"s}}, "x == {'n': 3, 's': 't'}");
  CHECK(std::holds_alternative<std::monostate>(python().eval<Any>("None")));
  CHECK(std::get<int>(python().eval<Any>("3")) == 3); // not the double that comes before it
  CHECK(std::get<double>(python().eval<Any>("3.0")) == 3.0);
  CHECK(std::get<std::string>(python().eval<Any>("'a'")) == "a");
  CHECK(std::get<std::vector<int>>(python().eval<Any>("[1]")) == std::vector<int>{1});
  using Number = std::variant<std::string, double>;
  CHECK(std::get<double>(python().eval<Number>("3")) == 3.0);
  using Lists = std::variant<std::vector<int>, std::vector<std::string>>;
  CHECK(std::get<1>(python().eval<Lists>("['a']")) == std::vector<std::string>{"a"});
}

TEST_CASE("a type of the host's crosses as another") {
  check_set(Point{1, 2}, "x == (1.0, 2.0)");
  check_set(std::vector<Point>{{1, 2}, {3, 4}}, "x == [(1.0, 2.0), (3.0, 4.0)]");
  CHECK(python().eval<Point>("(3, 4)").y == 4);
  CHECK(python().eval<std::map<std::string, Point>>("{'a': (1, 2)}").at("a").x == 1);
  check_no<std::vector<Point>>("[(1, 2), (3,)]",
                               "result[1] is a tuple of 1 item, not a list or tuple of 2 items");
  check_set(std::vector<Level>{Level::low, Level::high}, "x == ['low', 'high']");
  CHECK(python().eval<Level>("'high'") == Level::high);
  CHECK_THROWS_WITH_AS(python().eval<Level>("'middle'"), "no such level: middle",
                       std::invalid_argument);
  CHECK(python().eval<std::vector<Side>>("['left', 'right']").back() == Side::right);
  check_no<std::vector<Side>>("['left', 'up']",
                              "result[1] is a str, not a value that subpy::CrossesAs accepts");
}

TEST_CASE("a Value is whatever comes") {
  const subpy::Value value =
      python().eval("{'n': 3, 'xs': [1, 2.5, 'three', None, True], 'b': b'a\\0b', 't': ('x',)}");
  CHECK(value.kind() == SUBPY_DICT);
  CHECK(value.kind_name() == "dict");
  CHECK(value.size() == 4);
  CHECK(value["n"].as<int>() == 3);
  CHECK(value["xs"][1].as<double>() == 2.5);
  CHECK(value["xs"][2].as<std::string_view>() == "three");
  CHECK(value["xs"][3].is_none());
  CHECK(value["xs"].size() == 5);
  CHECK(value["b"].as<subpy::Bytes>().size() == 3);
  CHECK(value["t"].kind_name() == "tuple");
  CHECK_FALSE(value.find("none"));
  CHECK(value.find("n")->as<int>() == 3);
  CHECK_FALSE(value["n"].get_if<std::string>());
  CHECK(value["n"].get_if<double>() == 3.0);

  std::vector<std::string> keys, kinds;
  for (const auto &[key, item] : value.pairs()) {
    keys.push_back(key.as<std::string>());
    kinds.emplace_back(item.kind_name());
  }
  CHECK(keys == std::vector<std::string>{"n", "xs", "b", "t"});
  CHECK(kinds == std::vector<std::string>{"int", "list", "bytes", "tuple"});
  std::size_t count = 0;
  for (subpy::View item : value["xs"].items()) {
    CHECK(item.kind() == value["xs"].items()[count++].kind());
  }
  CHECK(count == 5);
  CHECK(value["n"].items().size() == 0);
  CHECK(value.items().begin() == value.items().end());
  CHECK(value["xs"].pairs().size() == 0);
}

TEST_CASE("what a Value does not have is an error that says so") {
  const subpy::Value value = python().eval("{'xs': [1, 2]}");
  const auto missing = [](auto get) {
    const subpy::Error error = error_of(get);
    CHECK(error.status() == SUBPY_ERR_NOT_FOUND);
    return std::string(error.message());
  };
  CHECK(missing([&] { value["ys"]; }) == "there is no key \"ys\" in dict, which has 1");
  CHECK(missing([&] { value["xs"][2]; }) == "there is no item 2 in list, which has 2");
  CHECK(missing([&] { value["xs"]["a"]; }) == "there is no key \"a\" in list, which has 2");
  CHECK(missing([&] { value[0]; }) == "there is no item 0 in dict, which has 1");
  CHECK(missing([&] { subpy::Value()[0]; }) == "there is no item 0 in None");
  CHECK(error_of([&] { value.as<int>(); }).message() == "value is a dict, not an int of 32 bits");
}

TEST_CASE("a Value owns what it has, and its copies share it") {
  subpy::Value copy;
  CHECK(copy.is_none());
  const char *text;
  {
    subpy::Interpreter gone;
    const subpy::Value first = gone.eval("['text', [1]]");
    text = first[0].as<std::string_view>().data();
    copy = first;
  }
  CHECK(copy[0].as<std::string_view>().data() == text);
  CHECK(copy.as<std::pair<std::string, std::vector<int>>>().first == "text");
  CHECK(text[4] == '\0');
}

TEST_CASE("a Value can be made, of anything, and passed on") {
  check_set(subpy::Value(), "x is None");
  check_set(subpy::Value(3), "x == 3");
  check_set(subpy::Value("text"), "x == 'text'");
  check_set(subpy::Value(std::vector<std::string>{"a", "b"}), "x == ['a', 'b']");
  check_set(subpy::Value::list({1, "two", 3.5, nullptr, std::vector<int>{4}}),
            "x == [1, 'two', 3.5, None, [4]]");
  check_set(subpy::Value::tuple({}), "x == ()");
  check_set(subpy::Value::dict({{"kind", "key"}, {"code", 27}, {3, subpy::Value::list({true})}}),
            "x == {'kind': 'key', 'code': 27, 3: [True]} and list(x)[0] == 'kind'");
  check_set(std::vector<subpy::Value>{1, "a"}, "x == [1, 'a']");
  subpy::Value value;
  {
    std::string dies = "dies";
    value = subpy::Value(dies);
    dies = "died";
  }
  CHECK(value.as<std::string>() == "dies");
  check_set(python().eval("{'a': [1, (2, b'3')]}"), "x == {'a': [1, (2, b'3')]}");
  check_set(python().eval("{'a': [1, 'b']}")["a"], "x == [1, 'b']");
}

TEST_CASE("a value of one interpreter is data for any other") {
  subpy::Interpreter other;
  const subpy::Value value = python().eval("{'a': [1, 'b', None]}");
  other.set("x", value);
  CHECK(other.eval<bool>("x == {'a': [1, 'b', None]}"));
  CHECK(other.call<std::size_t>("builtins:len", value["a"]) == 3);
}

TEST_CASE("what is nested too deep is refused, in both directions") {
  subpy::Value deep;
  for (std::size_t i = 0; i < SUBPY_MAX_DEPTH; i++) {
    deep = subpy::Value(std::vector<subpy::Value>{deep});
  }
  python().set("x", deep);
  CHECK(python().get("x")[0].size() == 1);
  CHECK(status_of([&] { python().set("x", std::vector<subpy::Value>{deep}); }) ==
        SUBPY_ERR_NOT_SHAREABLE);
  CHECK(status_of([] { python().eval("[x]"); }) == SUBPY_ERR_NOT_SHAREABLE);
  python().run("x = []\nx.append(x)");
  CHECK(status_of([] { python().get("x"); }) == SUBPY_ERR_NOT_SHAREABLE);
}

TEST_CASE("Values inside of other types") {
  using Map = std::map<std::string, subpy::Value>;
  const auto map = python().eval<Map>("{'a': [1, 'x'], 'b': bytearray(b'bytes'), 'c': None}");
  CHECK(map.at("a")[1].as<std::string>() == "x");
  CHECK(map.at("b").kind() == SUBPY_BYTES); // memory is copied
  CHECK(map.at("c").is_none());
  const auto pair = python().eval<std::pair<int, subpy::Value>>("(1, {'k': 'v'})");
  CHECK(pair.second["k"].as<std::string>() == "v");
}

TEST_CASE("what has no plain form comes as text, if it is asked for") {
  CHECK(status_of([] { python().eval("2 ** 100"); }) == SUBPY_ERR_NOT_SHAREABLE);
  subpy::CallOptions options;
  options.flags = SUBPY_LOSSLESS_TEXT;
  const subpy::Value big = python().eval("2 ** 100", options);
  CHECK(big.kind() == SUBPY_BIG_INT);
  check_set(big, "x == 2 ** 100");
  check_set(subpy::Value(big.view()), "x == 2 ** 100");
  CHECK(python().eval("'\\ud800'", options).kind() == SUBPY_WTF8);
  options.flags = 1U << 20;
  CHECK(status_of([&] { python().eval("1", options); }) == SUBPY_ERR_INVALID_ARGUMENT);
}

TEST_CASE("get and set: names") {
  python().set("answer"s, 42);
  CHECK(python().get<int>("answer") == 42);
  CHECK(python().get("answer").as<int>() == 42);
  const auto refused = [](auto call, subpy_status status, std::string_view part) {
    const subpy::Error error = error_of(call);
    CHECK(error.status() == status);
    CHECK(contains(error.message(), part));
  };
  refused([] { python().get<int>("nothing"); }, SUBPY_ERR_NOT_FOUND, "nothing");
  refused([] { python().set("no name", 1); }, SUBPY_ERR_INVALID_ARGUMENT, "no name");
  refused([] { python().set(nullptr, 1); }, SUBPY_ERR_INVALID_ARGUMENT, "NULL");
  refused([] { python().set("a\0b"s, 1); }, SUBPY_ERR_INVALID_ARGUMENT, "NUL character");
  refused([] { python().set("x", static_cast<const char *>(nullptr)); }, SUBPY_ERR_INVALID_ARGUMENT,
          "value has NULL");
  refused([] { python().set("x", "\xff"); }, SUBPY_ERR_INVALID_ARGUMENT, "UTF-8");
  refused([] { python().set("x", std::map<std::vector<int>, int>{{{1}, 2}}); },
          SUBPY_ERR_INVALID_ARGUMENT, "key");
  refused([] { python().eval<int>("object()"); }, SUBPY_ERR_NOT_SHAREABLE, "object");
}

TEST_CASE("eval: an exception, a syntax error, nothing") {
  CHECK(error_of([] { python().eval<int>("1 / 0"); }).type() == "ZeroDivisionError");
  CHECK(error_of([] { python().eval<int>("x = 1"); }).type() == "SyntaxError");
  CHECK(error_of([] { python().eval<int>({}); }).type() == "SyntaxError");
  python().eval<void>("object()");
  const std::string text = "6 * 7 + no_name";
  CHECK(python().eval<int>(std::string_view(text).substr(0, 5)) == 42);
}
