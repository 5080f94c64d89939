// Objects that stay in Python.

#include "cpp_support.hpp"

#include <functional>
#include <map>
#include <thread>
#include <vector>

static const char ACCOUNT[] = "class Account:\n"
                              "    def __init__(self): self.balance = 5\n"
                              "    def add(self, n, times=1):\n"
                              "        self.balance += n * times\n"
                              "        return self.balance\n"
                              "    def __getitem__(self, key): return key, self\n"
                              "    def __str__(self): return 'an account'\n"
                              "account = Account()\n";

TEST_CASE("calls, attributes, items and text") {
  subpy::Interpreter python;
  python.run(ACCOUNT);
  const subpy::Object account = python.object("account");
  CHECK(account);
  CHECK(account.interpreter() == python.id());
  CHECK(account.call_method<int>("add", 2) == 7);
  CHECK(account.attr<int>("balance") == 7);
  account.set_attr("balance", 1);
  CHECK(account.text() == "an account");
  const subpy::Object add = account.attr<subpy::Object>("add");
  CHECK(add.call<int>(2, subpy::kw("times", 10)) == 21);
  CHECK(add(1).as<int>() == 22);
  const subpy::Value pair = account["key"];
  CHECK(pair[0].as<std::string>() == "key");
  CHECK(pair[1].as<subpy::Object>().attr<int>("balance") == 22);
  // As an argument, it is the object itself.
  python.set("again", account);
  CHECK(python.eval<bool>("again is account"));
  CHECK(python.eval_object("[3, 4]").value<std::vector<int>>() == std::vector<int>{3, 4});
  CHECK(error_of([&] { account.value(); }).status() == SUBPY_ERR_NOT_SHAREABLE);
  CHECK(error_of([&] { account.attr("no_such"); }).status() == SUBPY_ERR_EXCEPTION);
  CHECK(error_of([&] { python.object("no_such"); }).status() == SUBPY_ERR_NOT_FOUND);
}

TEST_CASE("iteration") {
  subpy::Interpreter python;
  std::vector<int> found;
  for (const subpy::Value &item : python.eval_object("{1: 'a', 2: 'b'}")) {
    found.push_back(item.as<int>());
  }
  CHECK(found == std::vector<int>{1, 2});
  for (const subpy::Value &item : python.eval_object("()")) {
    FAIL(item.kind_name());
  }
  const subpy::Object iterator = python.eval_object("iter([None])");
  CHECK(iterator.next()->is_none());
  CHECK(!iterator.next());
  CHECK_THROWS(python.eval_object("3").begin());
  const auto raises = [&] {
    for (const subpy::Value &item : python.eval_object("(1 / x for x in (1, 0))")) {
      CHECK(item.as<double>() == 1);
    }
  };
  CHECK(error_of(raises).type() == std::string_view("ZeroDivisionError"));
}

TEST_CASE("callbacks that scripts hand over") {
  subpy::Interpreter python;
  std::map<std::string, std::vector<subpy::Object>> handlers;
  std::function<int(int, int)> sum;
  python.define("host", "on", [&](const std::string &event, const subpy::Object &handler) {
    handlers[event].push_back(handler);
  });
  python.define("host", "use", [&](std::function<int(int, int)> function) { sum = function; });
  python.run("import host\n"
             "saved = []\n"
             "host.on('save', saved.append)\n"
             "host.on('save', lambda name: 1 / 0)\n"
             "host.use(lambda a, b: a + b)");
  handlers["save"][0]("notes.txt");
  CHECK(python.get<std::vector<std::string>>("saved") == std::vector<std::string>{"notes.txt"});
  CHECK(error_of([&] { handlers["save"][1]("x"); }).status() == SUBPY_ERR_EXCEPTION);
  CHECK(sum(2, 3) == 5);
  CHECK(error_of([&] { sum(1 << 30, 1 << 30); }).status() == SUBPY_ERR_NOT_SHAREABLE);
  const subpy::Error error = error_of([&] { python.run("host.on('x', 3)"); });
  CHECK(error.type() == std::string_view("TypeError"));
  CHECK(std::string(error.what()).find("args[1]") != std::string::npos);
}

TEST_CASE("references") {
  subpy::Interpreter python;
  python.run("import weakref\nclass Thing: pass\nthing = Thing(); ref = weakref.ref(thing)");
  subpy::Value kept;
  {
    const subpy::Object thing = python.object("thing");
    subpy::Object copy = thing, moved = std::move(copy);
    CHECK(!copy);
    std::thread([other = moved] { CHECK(other); }).join();
    // A value that has it keeps it, and so does a copy of it.
    kept = subpy::Value::list({subpy::Value(thing)});
  }
  python.run("del thing; assert ref() is not None");
  CHECK(kept[0].as<subpy::Object>().interpreter() == python.id());
  kept = subpy::Value();
  python.run("assert ref() is None");
  const subpy::Object late = python.eval_object("print");
  python.destroy();
  CHECK(late.interpreter() == -1);
  CHECK(error_of([&] { late(); }).status() == SUBPY_ERR_NOT_FOUND);
  CHECK(error_of([] { subpy::Object()(); }).status() == SUBPY_ERR_NOT_FOUND);
}

TEST_CASE("programs that are compiled once, in a namespace") {
  subpy::Interpreter python;
  const subpy::Object code = python.compile("n = globals().get('n', 0) + 1");
  code.run();
  code.run();
  CHECK(python.get<int>("n") == 2);
  python.add_namespace("plugin");
  subpy::RunOptions options;
  options.in_namespace = "plugin";
  python.run("def f(): return 4", options);
  CHECK(python.object("f", options).call<int>() == 4);
  CHECK(python.eval_object("f", options).call<int>() == 4);
  CHECK(error_of([&] { python.compile("x = = 1"); }).status() == SUBPY_ERR_EXCEPTION);
}
