// subpy.hpp without exceptions and RTTI: each call that can fail returns a subpy::Result.
//
// The program has a second source file, with_exceptions.cpp, which is compiled with exceptions.

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <subpy.hpp>

#if defined(__cpp_exceptions) || defined(__cpp_rtti)
#error "this program is to be compiled with -fno-exceptions -fno-rtti"
#endif

using namespace std::chrono_literals;

static_assert(!std::is_default_constructible_v<subpy::Runtime>);
static_assert(!std::is_default_constructible_v<subpy::Interpreter>);
static_assert(!std::is_constructible_v<subpy::Interpreter, subpy::InterpreterConfig>);
static_assert(std::is_nothrow_move_constructible_v<subpy::Interpreter>);
static_assert(!std::is_convertible_v<subpy::Result<int>, bool>);
static_assert(!std::is_convertible_v<std::string, subpy::Result<int>>);

/// Runs code in an interpreter that this file knows by its id: in with_exceptions.cpp.
/// Returns the status of the error that was caught there.
subpy_status run_with_exceptions(subpy_id id, const char *code);

static int failures = 0;

static void check(bool holds, const char *what, int line) {
  if (!holds) {
    std::fprintf(stderr, "no_exceptions.cpp:%d: not so: %s\n", line, what);
    failures++;
  }
}
#define CHECK(condition) check(static_cast<bool>(condition), #condition, __LINE__)

/// Checks that a call succeeded.
template <typename T> static bool succeeded(const subpy::Result<T> &result) {
  if (!result) {
    std::fprintf(stderr, "%s\n%s", result.error().what(), result.error().traceback().data());
  }
  return result.has_value();
}

/// The status of a call.
template <typename T> static subpy_status status_of(const subpy::Result<T> &result) {
  return result ? SUBPY_OK : result.error().status();
}

/// What the error of a call says; empty if there is none.
template <typename T> static std::string what_of(const subpy::Result<T> &result) {
  return result ? "" : result.error().what();
}

enum class Level { low, high };

/// It crosses as a name. A wrong name is refused.
template <> struct subpy::CrossesAs<Level> {
  using type = std::string;
  static type to(Level level) { return level == Level::low ? "low" : "high"; }
  static std::optional<Level> from(const type &name) {
    if (name == "low" || name == "high") {
      return name == "low" ? Level::low : Level::high;
    }
    return std::nullopt;
  }
};

static void test_results() {
  subpy::Result<std::string> text = "text";
  CHECK(text && text.has_value() && *text == "text" && text->size() == 4);
  text = subpy::Error(SUBPY_ERR_BUSY, "why");
  CHECK(!text && text.error().status() == SUBPY_ERR_BUSY);
  subpy::Result<std::unique_ptr<int>> moved = std::make_unique<int>(7);
  const std::unique_ptr<int> owner = *std::move(moved);
  CHECK(*owner == 7);
  const subpy::Result<double> number = 5;
  CHECK(number.value() == 5.0);
  const subpy::Result<bool> no = false;
  CHECK(no.has_value() && !*no);
  subpy::Result<void> done;
  CHECK(done);
  done.value();
  done = subpy::PythonError("builtins.KeyError", "why");
  CHECK(status_of(done) == SUBPY_ERR_EXCEPTION && done.error().type() == "builtins.KeyError");
  CHECK(what_of(done) == "builtins.KeyError: why");
  const subpy::Result<std::optional<int>> none = std::nullopt;
  CHECK(none && !*none);
}

static void test_before_initialize() {
  CHECK(status_of(subpy::Interpreter::create()) == SUBPY_ERR_NOT_INITIALIZED);
  CHECK(status_of(subpy::list_all()) == SUBPY_ERR_NOT_INITIALIZED);
  subpy::RuntimeConfig config;
  config.home = std::string("/usr\0/lib", 9);
  CHECK(what_of(subpy::Runtime::initialize(config)) ==
        "SUBPY_ERR_INVALID_ARGUMENT: home has a NUL character");
  CHECK(!subpy::Runtime::is_initialized());
}

static void test_runs(subpy::Interpreter &python) {
  CHECK(succeeded(python.run("def greet(name, times=1): return f'hello {name}' * times")));
  const subpy::Result<void> failed = python.run("raise ValueError('boom')");
  CHECK(status_of(failed) == SUBPY_ERR_EXCEPTION);
  CHECK(failed.error().type() == "ValueError" && failed.error().message() == "boom");
  CHECK(failed.error().traceback().find("line 1") != std::string_view::npos);
  const subpy::Result<void> exited = python.run("raise SystemExit(3)");
  CHECK(status_of(exited) == SUBPY_ERR_EXIT && exited.error().exit_code() == 3);
  subpy::RunOptions options;
  options.filename = "level1.py";
  CHECK(succeeded(python.run("x = 1", options)));
}

static void test_values(subpy::Interpreter &python) {
  const subpy::Result<int> answer = python.eval<int>("6 * 7");
  CHECK(succeeded(answer) && *answer == 42);
  CHECK(what_of(python.eval<int>("'x'")) ==
        "SUBPY_ERR_NOT_SHAREABLE: result is a str, not an int of 32 bits");
  CHECK(status_of(python.eval("object()")) == SUBPY_ERR_NOT_SHAREABLE);

  CHECK(succeeded(python.set("xs", std::vector<double>{1, 2.5})));
  const auto sum = python.call<double>("builtins:sum", std::vector<double>{1, 2.5});
  CHECK(succeeded(sum) && *sum == 3.5);
  CHECK(*python.call<std::string>("greet", "you", subpy::kw("times", 2)) == "hello youhello you");
  CHECK(succeeded(python.call<void>("greet", "you")));
  CHECK(python.call("greet").error().type() == "TypeError");
  CHECK(*python.get<std::vector<double>>("xs") == (std::vector<double>{1, 2.5}));
  CHECK(status_of(python.get("nothing")) == SUBPY_ERR_NOT_FOUND);
  CHECK(status_of(python.set("no name", 1)) == SUBPY_ERR_INVALID_ARGUMENT);
  using Names = std::map<std::string, int>;
  CHECK((*python.run_unrestricted<Names>("del xs, x, greet\nc = a", Names{{"a", 1}}) ==
         Names{{"a", 1}, {"c", 1}}));

  const std::string nul("a\0b", 3);
  const char *const has_nul = "SUBPY_ERR_INVALID_ARGUMENT: \"a...\" has a NUL character";
  CHECK(what_of(python.call(nul)) == has_nul);
  CHECK(what_of(python.call(subpy::CallOptions(), nul)) == has_nul);
  CHECK(what_of(python.set(nul, 1)) == has_nul);
  CHECK(what_of(python.get(nul)) == has_nul);
  CHECK(what_of(python.define(nul, "f", [] {})) == has_nul);
  CHECK(what_of(python.define("host", nul, [] {})) == has_nul);

  const subpy::Result<subpy::Value> value = python.eval("{'xs': [1, 'two'], 'n': None}");
  CHECK(succeeded(value) && value->size() == 2);
  const subpy::Result<subpy::View> xs = (*value)["xs"];
  CHECK(succeeded(xs) && *(*xs)[1]->as<std::string_view>() == "two");
  CHECK(status_of((*value)["ys"]) == SUBPY_ERR_NOT_FOUND);
  CHECK(status_of((*xs)[2]) == SUBPY_ERR_NOT_FOUND);
  CHECK(what_of(xs->as<int>()) ==
        "SUBPY_ERR_NOT_SHAREABLE: value is a list of 2 items, not an int of 32 bits");
  CHECK(xs->get_if<int>() == std::nullopt);
  int sizes = 0;
  for (const auto &[key, item] : value->pairs()) {
    sizes += static_cast<int>(key.size() + item.size());
  }
  CHECK(sizes == 5);

  CHECK(*python.eval<Level>("'high'") == Level::high);
  CHECK(what_of(python.eval<std::vector<Level>>("['low', 'middle']")) ==
        "SUBPY_ERR_NOT_SHAREABLE: result[1] is a str, not a value that subpy::CrossesAs accepts");
}

static void test_host_functions(subpy::Runtime &runtime, subpy::Interpreter &python) {
  subpy::Interpreter other = *subpy::Interpreter::create();
  std::vector<std::string> lines;
  CHECK(succeeded(python.define("host", "log", [&](std::string_view text) -> subpy::Result<void> {
    if (text.empty()) {
      return subpy::PythonError("builtins.KeyError", "nothing to log");
    }
    lines.emplace_back(text);
    return {};
  })));
  CHECK(succeeded(python.define("host", "half", [](double x) -> subpy::Result<double> {
    if (x < 0) {
      return subpy::Error(SUBPY_ERR_EXCEPTION, "less than 0", "ValueError");
    }
    return x / 2;
  })));
  CHECK(succeeded(
      python.define("host", "run", [&](std::string_view code) { return other.run(code); })));
  CHECK(succeeded(
      python.define("host", "eval", [&](std::string_view code) { return other.eval(code); })));
  CHECK(succeeded(python.define("host", "plain", [](int a, int b) { return a + b; })));
  CHECK(succeeded(python.run("import host\n"
                             "host.log('line')\n"
                             "assert host.half(3) == 1.5\n"
                             "assert host.plain(1, 2) == 3\n"
                             "assert host.run('x = 1') is None\n"
                             "assert host.eval('[x]') == [1]\n"
                             "def raises(function, *args):\n"
                             "  try: function(*args)\n"
                             "  except Exception as e: return type(e).__name__, e.args[0]\n")));
  CHECK(lines == std::vector<std::string>{"line"});
  using Raised = std::pair<std::string, std::string>;
  const auto raises = [&](const char *arguments) {
    return *python.eval<Raised>("raises(" + std::string(arguments) + ")");
  };
  CHECK(raises("host.log, ''") == Raised("KeyError", "nothing to log"));
  CHECK(raises("host.half, -1") == Raised("ValueError", "less than 0"));
  CHECK(raises("host.half, 'x'").first == "TypeError");
  CHECK(raises("host.run, '1 / 0'") == Raised("ZeroDivisionError", "division by zero"));
  CHECK(raises("host.eval, 'object()'").first == "RuntimeError");
  int (*const null)(int) = nullptr;
  CHECK(status_of(python.define("host", "null", null)) == SUBPY_ERR_INVALID_ARGUMENT);

  CHECK(succeeded(runtime.define("everywhere", "five", [] { return 5; })));
  CHECK(*subpy::Interpreter::create()->call<int>("everywhere:five") == 5);
}

static void test_buffers(subpy::Interpreter &python) {
  const auto pixels = std::make_shared<std::vector<std::uint8_t>>(6);
  CHECK(succeeded(python.set("pixels", subpy::HostBuffer(pixels).shape({2, 3}))));
  CHECK(succeeded(python.run("pixels[1, 2] = 7")));
  CHECK(pixels->back() == 7);
  CHECK(succeeded(python.run("del pixels\ndata = bytearray(b'abc')")));
  CHECK(pixels.use_count() == 1);

  subpy::Result<subpy::PinnedBuffer> data = python.get<subpy::PinnedBuffer>("data");
  CHECK(succeeded(data) && data->bytes()->size() == 3);
  (*data->as<std::uint8_t>())[0] = 'x';
  CHECK(*python.eval<std::string>("data.decode()") == "xbc");
  CHECK(status_of(data->as<double>()) == SUBPY_ERR_NOT_SHAREABLE);
  CHECK(status_of(python.eval<subpy::PinnedBuffer>("[1]")) == SUBPY_ERR_NOT_SHAREABLE);
  data->reset();
}

static void test_limits(subpy::Interpreter &python) {
  int asked = 0;
  subpy::RunOptions options;
  options.timeout = 10ms;
  options.deadline = [&](subpy_id, std::chrono::milliseconds) { return ++asked < 3 ? 10ms : 0ms; };
  CHECK(status_of(python.run("while True: pass", options)) == SUBPY_ERR_TIMEOUT);
  CHECK(asked == 3);
  CHECK(succeeded(python.interrupt()));
  CHECK(status_of(python.kill()) == SUBPY_ERR_UNSUPPORTED);
  CHECK(!*python.is_running());
  CHECK(python.stats()->last_wall_ns > 0);
  CHECK(status_of(python.memory_usage()) == SUBPY_ERR_UNSUPPORTED);
  CHECK(!*subpy::current());
  CHECK(*subpy::main_id() == 0);
}

static void test_output_and_destroy() {
  std::string out;
  subpy::InterpreterConfig config;
  config.on_stdout = [&](std::string_view text) { out += text; };
  subpy::Result<subpy::Interpreter> made = subpy::Interpreter::create(std::move(config));
  CHECK(succeeded(made));
  CHECK(succeeded(made->run("import atexit\natexit.register(print, 'bye')\nprint('hello')")));
  CHECK(out == "hello\n");
  CHECK(succeeded(made->destroy(1s)));
  CHECK(out == "hello\nbye\n");
  CHECK(status_of(made->destroy()) == SUBPY_ERR_NOT_FOUND);
  CHECK(status_of(made->run("1")) == SUBPY_ERR_NOT_FOUND);

  subpy::InterpreterConfig wrong;
  wrong.gil = static_cast<subpy_gil>(3);
  wrong.on_stdout = [](std::string_view) {};
  CHECK(status_of(subpy::Interpreter::create(std::move(wrong))) == SUBPY_ERR_INVALID_ARGUMENT);
}

static void test_processes() {
  subpy::InterpreterConfig config;
  config.backend = subpy::Backend::process;
  subpy::Result<subpy::Interpreter> made = subpy::Interpreter::create(std::move(config));
  CHECK(succeeded(made));
  CHECK(*made->eval<bool>("'json' in __import__('sys').modules"));
  const subpy::Result<void> exit = made->run("import os; os._exit(3)");
  CHECK(status_of(exit) == SUBPY_ERR_LOST);
  CHECK(exit.error().exit_code() == 3 && exit.error().signal() == 0);
  CHECK(succeeded(made->kill()));
  subpy::DestroyOptions options;
  options.kill = true;
  CHECK(succeeded(made->destroy(options)));
}

static void test_both_kinds_of_source_files(subpy::Interpreter &python) {
  CHECK(run_with_exceptions(python.id(), "x = 1") == SUBPY_OK);
  CHECK(run_with_exceptions(python.id(), "1 / 0") == SUBPY_ERR_EXCEPTION);
}

int main() {
  test_results();
  test_before_initialize();
  subpy::RuntimeConfig config;
  config.preload = {"json"};
  config.log = [](std::string_view) {};
  subpy::Result<subpy::Runtime> runtime = subpy::Runtime::initialize(config);
  if (!succeeded(runtime)) {
    return 1;
  }
  {
    subpy::Interpreter python = *subpy::Interpreter::create();
    test_runs(python);
    test_values(python);
    test_host_functions(*runtime, python);
    test_buffers(python);
    test_limits(python);
    test_both_kinds_of_source_files(python);
    CHECK(succeeded(python.destroy()));
  }
  test_output_and_destroy();
  test_processes();
  CHECK(subpy::list_all()->size() == 1);
  CHECK(succeeded(runtime->finalize()));
  CHECK(succeeded(runtime->finalize())); // there is nothing to give back, and that is no error
  return failures == 0 ? 0 : 1;
}
