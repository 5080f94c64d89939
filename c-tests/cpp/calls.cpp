// Calls of Python functions, and programs with names.

#include "cpp_support.hpp"

#include <map>
#include <vector>

/// One interpreter for all, with the functions that they call.
static subpy::Interpreter &python() {
  static subpy::Interpreter interpreter = [] {
    subpy::Interpreter made;
    made.run("def f(*args, **kwargs): return [list(args), kwargs]\n"
             "def greet(name, times=1, *, end='!'): return f'hello {name}' * times + end\n"
             "def fail(kind='boom'): raise ValueError(kind)\n"
             "def nothing(): return object()\n");
    return made;
  }();
  return interpreter;
}

TEST_CASE("arguments of any types, and a result of one") {
  CHECK(python().call<std::string>("greet", "x") == "hello x!");
  CHECK(python().call<std::string>("greet", std::string("x"), 2) == "hello xhello x!");
  const subpy::Value value =
      python().call("f", 1, 2.5, true, nullptr, "text", std::vector<int>{1, 2},
                    std::map<std::string, double>{{"a", 1}}, std::optional<int>(), subpy::Value(7));
  python().set("got", value[0]);
  CHECK(python().eval<bool>("got == [1, 2.5, True, None, 'text', [1, 2], {'a': 1.0}, None, 7]"));
  CHECK(value[1].size() == 0);
  CHECK(python().call("f").as<std::pair<std::vector<int>, subpy::Value>>().first.empty());
}

TEST_CASE("keyword arguments come last") {
  using subpy::kw;
  CHECK(python().call<std::string>("greet", "x", kw("end", "?")) == "hello x?");
  CHECK(python().call<std::string>("greet", kw("name", "y"), kw("times", 2)) == "hello yhello y!");
  const subpy::Value value = python().call("f", 1, kw("a", std::vector<int>{1}), kw("b", nullptr));
  CHECK(value[0].as<std::vector<int>>() == std::vector<int>{1});
  CHECK(value[1]["a"].as<std::vector<int>>() == std::vector<int>{1});
  CHECK(value[1]["b"].is_none());
  CHECK(error_of([] { python().call("greet", "x", kw("nope", 1)); }).type() == "TypeError");
}

TEST_CASE("large arguments and results") {
  std::vector<std::vector<int>> rows(100, std::vector<int>(100, 3));
  std::map<std::string, int> names;
  for (int i = 0; i < 1000; i++) {
    names[std::to_string(i)] = i;
  }
  const auto [got, none] =
      python()
          .call<std::pair<std::pair<std::vector<std::vector<int>>, std::map<std::string, int>>,
                          subpy::Value>>("f", rows, names);
  CHECK(got.first == rows);
  CHECK(got.second == names);
}

TEST_CASE("a result that is thrown away may be anything") {
  python().call<void>("nothing");
  python().call<void>("greet", "x", subpy::kw("times", 3));
  CHECK(status_of([] { python().call("nothing"); }) == SUBPY_ERR_NOT_SHAREABLE);
}

TEST_CASE("callables: names and paths") {
  CHECK(python().call<int>("builtins:len", "abc") == 3);
  CHECK(python().call<std::string>("os.path:join", "a", "b") == "a/b");
  CHECK(python().call<std::string>(std::string("builtins:str.upper"), "abc") == "ABC");
  python().run("class Counter:\n  n = 0\n  def up(self): self.n += 1; return self.n\n"
               "counter = Counter()\n"
               "async def later(x):\n  import asyncio\n  await asyncio.sleep(0)\n  return x\n");
  CHECK(python().call<int>("__main__:counter.up") == 1);
  CHECK(python().call<int>("later", 5) == 5);
}

TEST_CASE("callables that can't be") {
  const auto status = [](const char *callable) {
    return status_of([&] { python().call(callable); });
  };
  CHECK(status("no_such_name") == SUBPY_ERR_NOT_FOUND);
  CHECK(status("no_such_module:f") == SUBPY_ERR_NOT_FOUND);
  CHECK(status("math.pi:f") == SUBPY_ERR_NOT_FOUND);
  CHECK(status("math:pi") == SUBPY_ERR_INVALID_ARGUMENT);
  CHECK(status("f()") == SUBPY_ERR_INVALID_ARGUMENT);
  CHECK(status("") == SUBPY_ERR_INVALID_ARGUMENT);
  CHECK(status(nullptr) == SUBPY_ERR_INVALID_ARGUMENT);
  CHECK(status_of([] { python().call(std::string("f\0g", 3)); }) == SUBPY_ERR_INVALID_ARGUMENT);
  CHECK(status_of([] { subpy::Interpreter::adopt(1000000).call("f"); }) == SUBPY_ERR_NOT_FOUND);
}

TEST_CASE("an exception is an error, with the traceback") {
  const subpy::Error error = error_of([] { python().call("fail", subpy::kw("kind", "bang")); });
  CHECK(error.status() == SUBPY_ERR_EXCEPTION);
  CHECK(error.type() == "ValueError");
  CHECK(error.message() == "bang");
  CHECK(contains(error.traceback(), "in fail"));
  CHECK(error_of([] { python().call("sys:exit", 3); }).exit_code() == 3);
}

TEST_CASE("a result of another type is an error that says where") {
  const subpy::Error error =
      error_of([] { python().call<std::pair<std::vector<int>, subpy::Value>>("f", 1, "two"); });
  CHECK(error.status() == SUBPY_ERR_NOT_SHAREABLE);
  CHECK(error.message() == "result[0][1] is a str, not an int of 32 bits");
}

TEST_CASE("what a callback for output throws comes out of call and eval") {
  subpy::InterpreterConfig config;
  config.on_stdout = [](std::string_view) { throw std::runtime_error("disk full"); };
  subpy::Interpreter loud(std::move(config));
  CHECK_THROWS_WITH_AS(loud.call("builtins:print", "x"), "disk full", std::runtime_error);
  CHECK_THROWS_WITH_AS(loud.eval("print()"), "disk full", std::runtime_error);
}

TEST_CASE("one thing at a time") {
  Busy busy;
  CHECK(status_of([&] { busy.interpreter.call("f"); }) == SUBPY_ERR_BUSY);
  CHECK(status_of([&] { busy.interpreter.eval("1"); }) == SUBPY_ERR_BUSY);
  CHECK(status_of([&] { busy.interpreter.set("x", 1); }) == SUBPY_ERR_BUSY);
  CHECK(status_of([&] { busy.interpreter.get("x"); }) == SUBPY_ERR_BUSY);
}

TEST_CASE("a program with names, and the names that are there then") {
  subpy::Interpreter fresh;
  using Names = std::map<std::string, int>;
  CHECK(fresh.run_unrestricted<Names>("c = a + b", Names{{"a", 1}, {"b", 2}}) ==
        Names{{"a", 1}, {"b", 2}, {"c", 3}});
  const subpy::Value names =
      fresh.run_unrestricted("import os\ndef f(): pass\nd = [c]", subpy::Value::dict({{"e", "x"}}));
  CHECK(names.size() == 5);
  CHECK(names["d"].as<std::vector<int>>() == std::vector<int>{3});
  CHECK(names["e"].as<std::string>() == "x");
  CHECK(fresh.run_unrestricted("").size() == 5);
  fresh.run_unrestricted<void>("del a", nullptr);
  CHECK_FALSE(fresh.run_unrestricted("").find("a"));
  CHECK(error_of([&] { fresh.run_unrestricted("1 / 0"); }).type() == "ZeroDivisionError");
  CHECK(status_of([&] { fresh.run_unrestricted("", 3); }) == SUBPY_ERR_INVALID_ARGUMENT);
  CHECK(error_of([&] { fresh.run_unrestricted<Names>(""); }).message() ==
        "result[\"e\"] is a str, not an int of 32 bits");
}
