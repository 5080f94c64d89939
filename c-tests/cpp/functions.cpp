// Functions of the host's, called by scripts.

#include "cpp_support.hpp"

#include <map>
#include <memory>
#include <new>
#include <stdexcept>
#include <system_error>
#include <vector>

static_assert(subpy::detail::Signature<int, std::optional<int>, std::optional<int>>::least() == 1);
static_assert(subpy::detail::Signature<std::optional<int>, int>::least() == 2);
static_assert(!subpy::detail::Signature<subpy::Args, int>::in_order());
static_assert(!subpy::detail::Signature<subpy::Kwargs, subpy::Args>::in_order());
static_assert(subpy::detail::Signature<subpy::Caller, int, subpy::Args>::in_order());
static_assert(!subpy::detail::Signature<int, subpy::Caller>::in_order());
static_assert(!subpy::detail::Signature<subpy::Caller, subpy::Caller>::in_order());
static_assert(subpy::detail::Signature<subpy::Caller, int, std::optional<int>>::least() == 1);

/// Runs `code` after `import host`.
static void run(subpy::Interpreter &python, const std::string &code) {
  python.run("import host\n" + code);
}

/// The exception that `host.f(...)` raises, as "Type: message".
static std::string raised(subpy::Interpreter &python, const std::string &call) {
  return error_of([&] { run(python, "host." + call); }).what();
}

static int add(int a, int b) { return a + b; }

TEST_CASE("functions, lambdas and objects, of any types that cross") {
  subpy::Interpreter python;
  python.define("host", "add", add);
  python.define("host", "pointer", &add);
  python.define("host", "half", [](double x) { return x / 2; });
  python.define("host", "stored", std::function<int(int)>([](int x) { return x + 1; }));
  python.define("host", "nothing", [] {});
  python.define("host", "noexcept_", []() noexcept { return "text"; });
  python.define("host", "join", [](const std::vector<std::string> &parts, std::string_view by) {
    std::string all;
    for (const std::string &part : parts) {
      all += (all.empty() ? "" : std::string(by)) + part;
    }
    return all;
  });
  python.define("host", "count", [](std::map<std::string, int> &&words) {
    words["all"] = static_cast<int>(words.size());
    return words;
  });
  python.define("host", "echo", [](subpy::View any) { return any; });
  python.define("host", "keep", [](subpy::Value any) { return any; });
  run(python, "assert host.add(1, 2) == host.pointer(2, 1) == 3\n"
              "assert host.half(3) == 1.5\n"
              "assert host.stored(1) == 2\n"
              "assert host.nothing() is None\n"
              "assert host.noexcept_() == 'text'\n"
              "assert host.join(['a', 'b'], ', ') == 'a, b'\n"
              "assert host.count({'x': 1, 'y': 2}) == {'x': 1, 'y': 2, 'all': 2}\n"
              "assert host.echo([1, {'k': (2.5, None)}]) == [1, {'k': (2.5, None)}]\n"
              "assert host.keep({'k': b'v'}) == {'k': b'v'}\n");
}

TEST_CASE("an object with a state changes it") {
  subpy::Interpreter python;
  python.define("host", "next", [n = 0]() mutable { return ++n; });
  run(python, "assert [host.next() for _ in range(3)] == [1, 2, 3]");
}

TEST_CASE("an object that can only be moved") {
  subpy::Interpreter python;
  python.define("host", "f", [owned = std::make_unique<int>(7)] { return *owned; });
  run(python, "assert host.f() == 7");
}

TEST_CASE("parameters at the end may be optional") {
  subpy::Interpreter python;
  python.define("host", "f", [](int a, std::optional<int> b, std::optional<std::string> c) {
    return a + b.value_or(10) + (c ? static_cast<int>(c->size()) : 100);
  });
  run(python, "assert host.f(1) == 111\n"
              "assert host.f(1, 2) == 103\n"
              "assert host.f(1, None, 'abc') == 14\n");
  CHECK(raised(python, "f()") == "TypeError: f() takes 1 to 3 positional arguments");
}

TEST_CASE("all arguments, and keyword arguments") {
  subpy::Interpreter python;
  python.define("host", "sum", [](int first, subpy::Args rest) {
    for (subpy::View one : rest) {
      first += one.as<int>();
    }
    return first;
  });
  python.define("host", "log", [](std::string_view text, subpy::Kwargs named) {
    const std::optional<subpy::View> level = named.find("level");
    return std::string(text) + ":" + std::to_string(level ? level->as<int>() : 0) + ":" +
           std::to_string(named.size());
  });
  python.define("host", "all", [](const subpy::Args &args, const subpy::Kwargs &kwargs) {
    return args.size() + 10 * kwargs.pairs().size();
  });
  python.define("host", "some", [](std::optional<int> first, subpy::Args rest) {
    return first.value_or(0) + static_cast<int>(10 * rest.size());
  });
  run(python, "assert host.sum(1) == 1 and host.sum(1, 2, 3) == 6\n"
              "assert host.some() == 0 and host.some(1) == 1 and host.some(1, 2, 3) == 21\n"
              "assert host.log('x') == 'x:0:0'\n"
              "assert host.log('x', level=2, other=None) == 'x:2:2'\n"
              "assert host.all() == 0 and host.all(1, 2, a=3) == 12\n");
  CHECK(raised(python, "sum()") == "TypeError: sum() takes at least 1 positional arguments");
  CHECK(raised(python, "log('x', 'y')") == "TypeError: log() takes 1 positional argument");
}

TEST_CASE("wrong arguments are a TypeError that says where; the function is not called") {
  subpy::Interpreter python;
  int calls = 0;
  python.define("host", "f", [&](const std::string &, const std::vector<int> &) { ++calls; });
  CHECK(raised(python, "f('x')") == "TypeError: f() takes 2 positional arguments");
  CHECK(raised(python, "f('x', [], 3)") == "TypeError: f() takes 2 positional arguments");
  CHECK(raised(python, "f(1, [])") ==
        "TypeError: f() got wrong arguments: args[0] is the int 1, not a str");
  CHECK(raised(python, "f('x', [1, 'y'])") ==
        "TypeError: f() got wrong arguments: args[1][1] is a str, not an int of 32 bits");
  CHECK(raised(python, "f('x', y=[])") == "TypeError: f() takes 2 positional arguments");
  CHECK(raised(python, "f('x', [], y=1)") == "TypeError: f() takes no keyword arguments");
  CHECK(contains(raised(python, "f('x', object())"), "TypeError: f(): args[1] is of type object"));
  CHECK(calls == 0);
}

template <typename Exception> static auto throws(const Exception &exception) {
  return [exception] { throw exception; };
}

TEST_CASE("what a function throws is an exception in Python") {
  subpy::Interpreter python;
  python.run("class Oops(Exception): pass");
  const auto check = [&](const char *type, auto function) {
    python.define("host", "f", function);
    CAPTURE(type);
    CHECK(python
              .run_unrestricted(
                  "import host\n"
                  "try: host.f()\n"
                  "except BaseException as e: got = type(e).__name__, e.args[0]\n")["got"]
              .template as<std::pair<std::string, std::string>>() ==
          std::pair<std::string, std::string>(type, "why"));
  };
  check("ValueError", throws(std::invalid_argument("why")));
  check("ValueError", throws(std::domain_error("why")));
  check("ValueError", throws(std::length_error("why")));
  check("ValueError", throws(std::range_error("why")));
  check("IndexError", throws(std::out_of_range("why")));
  check("OverflowError", throws(std::overflow_error("why")));
  check("RuntimeError", throws(std::runtime_error("why")));
  check("RuntimeError", throws(std::logic_error("why")));
  check("KeyError", throws(subpy::PythonError("builtins.KeyError", "why")));
  check("Oops", throws(subpy::PythonError("__main__.Oops", "why")));
  check("TimeoutError", throws(subpy::Error(SUBPY_ERR_TIMEOUT, "why")));
  check("MemoryError", throws(subpy::Error(SUBPY_ERR_NO_MEMORY, "why")));
}

TEST_CASE("so is the error of a Result that a function returns") {
  subpy::Interpreter python, other;
  python.define("host", "half", [](int n) -> subpy::Result<int> {
    if (n % 2 != 0) {
      return subpy::PythonError("builtins.KeyError", "odd");
    }
    return n / 2;
  });
  python.define("host", "check", [](bool good) -> subpy::Result<void> {
    if (!good) {
      return subpy::Error(SUBPY_ERR_EXCEPTION, "bad", "ArithmeticError");
    }
    return {};
  });
  python.define("host", "busy",
                []() -> subpy::Result<int> { return subpy::Error(SUBPY_ERR_BUSY, "why"); });
  python.define("host", "text", []() -> subpy::Result<std::string_view> { return "text"; });
  run(python, "assert host.half(4) == 2\n"
              "assert host.check(True) is None\n"
              "assert host.text() == 'text'\n");
  CHECK(raised(python, "half(3)") == "KeyError: 'odd'");
  CHECK(raised(python, "check(False)") == "ArithmeticError: bad");
  CHECK(raised(python, "busy()") == "RuntimeError: SUBPY_ERR_BUSY: why");
}

TEST_CASE("and what has a message of its own") {
  subpy::Interpreter python;
  python.define("host", "memory", throws(std::bad_alloc()));
  python.define("host", "file",
                throws(std::system_error(std::make_error_code(std::errc::no_such_file_or_directory),
                                         "settings")));
  python.define("host", "number", throws(42));
  python.define("host", "busy", throws(subpy::Error(SUBPY_ERR_BUSY, "why")));
  python.define("host", "nope", throws(subpy::PythonError("no.such.Type", "why")));
  CHECK(contains(raised(python, "memory()"), "MemoryError: "));
  CHECK(raised(python, "file()") == "OSError: settings: No such file or directory");
  CHECK(raised(python, "number()") ==
        "RuntimeError: the host function threw what is no std::exception");
  CHECK(raised(python, "busy()") == "RuntimeError: SUBPY_ERR_BUSY: why");
  CHECK(contains(raised(python, "nope()"), "RuntimeError: why (the host asked for"));
}

TEST_CASE("an exception of another interpreter goes on as the same; its exit does not") {
  subpy::Interpreter outer, inner;
  outer.define("host", "run", [&](std::string_view code) { inner.run(code); });
  CHECK(raised(outer, "run('1 / 0')") == "ZeroDivisionError: division by zero");
  const subpy::Error exit = error_of([&] { run(outer, "host.run('raise SystemExit(3)')"); });
  CHECK(exit.status() == SUBPY_ERR_EXCEPTION);
  CHECK(exit.type() == "RuntimeError");
}

TEST_CASE("a script may catch it, and a result that can't cross is an exception, too") {
  subpy::Interpreter python;
  python.define("host", "f", throws(std::out_of_range("far")));
  python.define("host", "g", [] { return "\xff"; });
  run(python, "try: host.f()\n"
              "except IndexError as e: assert e.args == ('far',)\n"
              "else: assert False\n"
              "try: host.g()\n"
              "except ValueError as e: assert 'UTF-8' in str(e)\n"
              "else: assert False\n");
}

TEST_CASE("it is destroyed as soon as no script can call it") {
  const auto owned = std::make_shared<int>(0);
  const auto function = [owned] { return *owned; };
  CHECK(owned.use_count() == 2);
  {
    subpy::Interpreter python;
    python.define("host", "f", function);
    CHECK(owned.use_count() == 3);
    run(python, "kept = host.f");
    python.define("host", "f", [] {});
    CHECK(owned.use_count() == 3);
    python.run("del kept");
    CHECK(owned.use_count() == 2);
    python.define("host", "f", function);
    CHECK(owned.use_count() == 3);
  }
  CHECK(owned.use_count() == 2);
}

TEST_CASE("what can't be defined is destroyed at once, and says why") {
  subpy::Interpreter python;
  const auto owned = std::make_shared<int>(0);
  const auto refused = [&](subpy::CString module, subpy::CString name, subpy_status status) {
    CHECK(status_of([&] { python.define(module, name, [owned] {}); }) == status);
    CHECK(owned.use_count() == 1);
  };
  refused("a..b", "f", SUBPY_ERR_INVALID_ARGUMENT);
  refused("host", "a.b", SUBPY_ERR_INVALID_ARGUMENT);
  refused("host", nullptr, SUBPY_ERR_INVALID_ARGUMENT);
  refused(nullptr, "f", SUBPY_ERR_INVALID_ARGUMENT);
  int (*null)(int) = nullptr;
  CHECK(status_of([&] { python.define("host", "f", null); }) == SUBPY_ERR_INVALID_ARGUMENT);
  subpy::FunctionOptions options;
  options.signature = "a, b";
  CHECK(status_of([&] { python.define("host", "f", [] {}, options); }) ==
        SUBPY_ERR_INVALID_ARGUMENT);
  python.destroy();
  refused("host", "f", SUBPY_ERR_NOT_FOUND);
}

TEST_CASE("what it owns may use subpy when it is destroyed, but not destroy its own interpreter") {
  subpy::Interpreter python, other;
  std::vector<subpy_status> statuses;
  std::shared_ptr<void> owned(nullptr, [&](void *) {
    statuses.push_back(status_of([&] { other.run("destroyed = 1"); }));
    statuses.push_back(status_of([&] { python.run("1"); }));
    statuses.push_back(status_of([&] { python.destroy(); }));
  });
  python.define("host", "f", [owned = std::move(owned)] {});
  python.define("host", "f", [] {});
  CHECK(statuses == std::vector<subpy_status>{SUBPY_OK, SUBPY_OK, SUBPY_ERR_BUSY});
  CHECK(other.get<int>("destroyed") == 1);
}

TEST_CASE("one that does not return while another thread interrupts") {
  subpy::Interpreter python;
  Gate inside, leave;
  subpy::FunctionOptions options;
  options.release_gil = true; // below 3.12, interrupting waits for the GIL
  python.define(
      "host", "stay",
      [&] {
        inside.open();
        leave.wait();
      },
      options);
  std::future<subpy_status> status = std::async(std::launch::async, [&] {
    return status_of([&] { run(python, "host.stay()\nwhile True: pass"); });
  });
  inside.wait();
  python.interrupt();
  CHECK(status_of([&] { python.run("1"); }) == SUBPY_ERR_BUSY);
  CHECK(status_of([&] { python.destroy(); }) == SUBPY_ERR_BUSY);
  leave.open();
  CHECK(status.get() == SUBPY_ERR_INTERRUPTED);
  python.run("1");
}

TEST_CASE("doc, signature and flags") {
  subpy::Interpreter python;
  subpy::FunctionOptions options;
  options.doc = "Writes a message.";
  options.signature = "(text, level=2)";
  options.flags = SUBPY_LOSSLESS_TEXT;
  python.define(
      "app.host", "log", [](subpy::View any) { return std::string(any.kind_name()); }, options);
  python.run("import app.host, inspect\n"
             "assert app.host.log.__doc__ == 'Writes a message.'\n"
             "assert str(inspect.signature(app.host.log)) == '(text, level=2)'\n"
             "assert app.host.log(2 ** 100) == 'int'\n");
}

TEST_CASE("unsigned numbers of 64 bits cross in both directions") {
  subpy::Interpreter python;
  python.define("host", "more", [](std::uint64_t n) { return n + 1; });
  run(python, "assert host.more(2 ** 64 - 2) == 2 ** 64 - 1");
  CHECK(contains(raised(python, "more(2 ** 64)"), "not an unsigned int of 64 bits"));
}

TEST_CASE("it knows who calls, and may use that interpreter and others") {
  subpy::Interpreter python, other;
  python.define("host", "f", [&](int n) {
    CHECK(subpy::current() == python.id());
    CHECK(python.call<int>("builtins:abs", n - 1) == 4);
    CHECK(status_of([&] { python.destroy(); }) == SUBPY_ERR_BUSY);
    return other.call<int>("builtins:abs", n);
  });
  run(python, "assert host.f(-3) == 3");
}

TEST_CASE("with release_gil, other Python threads run meanwhile") {
  subpy::Interpreter python;
  subpy::FunctionOptions options;
  options.release_gil = true;
  Gate gate;
  python.define("host", "wait", [&] { gate.wait(); }, options);
  python.define("host", "open", [&] { gate.open(); });
  run(python, "import threading\n"
              "thread = threading.Thread(target=host.open)\n"
              "thread.start()\n"
              "host.wait()\n"
              "thread.join()\n");
}

TEST_CASE("definitions of the runtime are in every interpreter that is created later") {
  const auto owned = std::make_shared<int>(5);
  subpy::Interpreter before;
  runtime.define("everywhere", "f", [owned] { return *owned; });
  subpy::Interpreter after, another;
  for (subpy::Interpreter *python : {&after, &another}) {
    CHECK(python->call<int>("everywhere:f") == 5);
  }
  CHECK(status_of([&] { before.call("everywhere:f"); }) == SUBPY_ERR_NOT_FOUND);
  runtime.define("everywhere", "f", [] {}); // replaced, but still in use
  CHECK(owned.use_count() == 2);
  after.destroy();
  another.destroy();
  CHECK(owned.use_count() == 1);
}

TEST_CASE("who calls") {
  subpy::Interpreter python;
  std::vector<std::string> callers;
  python.define("host", "log",
                [&](subpy::Caller caller, std::string_view text, std::optional<int> n) {
                  CHECK(caller.interpreter() == python.id());
                  callers.push_back(std::string(caller.name_space().value_or("(main)")) + ": " +
                                    std::string(text) + std::to_string(n.value_or(0)));
                });
  python.add_namespace("plugin");
  subpy::CallOptions options;
  options.in_namespace = "plugin";
  python.run("import host; host.log('one')");
  python.run("import host; host.log('two', 2); x = 1", options);
  CHECK(callers == std::vector<std::string>{"(main): one0", "plugin: two2"});
  CHECK(raised(python, "log()") == "TypeError: log() takes 1 to 2 positional arguments");
  python.set("y", 5, options);
  CHECK(python.get<int>("y", options) + python.eval<int>("x", options) == 6);
  CHECK(error_of([&] { python.get("y"); }).status() == SUBPY_ERR_NOT_FOUND);
  python.remove_namespace("plugin");
  CHECK(error_of([&] { python.remove_namespace("plugin"); }).status() == SUBPY_ERR_NOT_FOUND);
}
