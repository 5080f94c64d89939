// Interpreters in processes of their own: what they do as all others, and what becomes of one that is lost.

#define SUBPY_TESTS_NO_RUNTIME
#include "cpp_support.hpp"

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <vector>

#include <signal.h>
#include <unistd.h>

using namespace std::chrono_literals;

// What the log was told, in any thread.
static std::mutex logged;
static std::vector<std::string> messages;

static subpy::RuntimeConfig config_with_log() {
  subpy::RuntimeConfig config;
  config.preload = {"json"};
  config.log = [](std::string_view message) {
    const std::lock_guard lock(logged);
    messages.emplace_back(message);
    throw std::runtime_error("nobody is told");
  };
  return config;
}
static subpy::Runtime runtime(config_with_log());

static subpy::InterpreterConfig in_process(subpy::InterpreterConfig config = {}) {
  config.backend = subpy::Backend::process;
  return config;
}

/// Whether this message comes to the log, in time.
static bool is_logged(std::string_view part) {
  for (int again = 0; again < 1000; again++) {
    {
      const std::lock_guard lock(logged);
      if (std::any_of(messages.begin(), messages.end(),
                      [&](const std::string &message) { return contains(message, part); })) {
        return true;
      }
    }
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

static constexpr const char *HAS_JSON = "'json' in __import__('sys').modules";

TEST_CASE("what is preloaded is there before anything has run, and not in this process") {
  subpy::Interpreter python(in_process());
  CHECK(python.eval<bool>(HAS_JSON));
  subpy::Interpreter local;
  CHECK_FALSE(local.eval<bool>(HAS_JSON));
}

TEST_CASE("values cross, and output comes") {
  std::string out;
  subpy::Interpreter python(in_process(capture(out)));
  CHECK(python.eval<int>("__import__('os').getpid()") != getpid());
  python.run("def greet(name, times=1): print(name); return f'hello {name}' * times");
  CHECK(python.call<std::string>("greet", "you", subpy::kw("times", 2)) == "hello youhello you");
  CHECK(out == "you\n");
  python.set("xs", std::vector<double>{1, 2.5});
  CHECK(python.call<double>("builtins:sum", std::vector<double>{1, 2.5}) == 3.5);
  CHECK(python.get<std::vector<double>>("xs") == std::vector<double>{1, 2.5});
  CHECK(error_of([&] { python.run("1 / 0"); }).type() == "ZeroDivisionError");
  python.destroy();
  CHECK_FALSE(python);
}

TEST_CASE("exceptions cross, both ways") {
  subpy::Interpreter python(in_process());
  python.define("host", "fail", [](int) -> int { throw std::out_of_range("far"); });
  python.run("import host\n"
             "try: host.fail(1)\n"
             "except IndexError as e: caught = e.args[0]\n");
  CHECK(python.get<std::string>("caught") == "far");
  const subpy::Error error = error_of([&] { python.run("host.fail(1)"); });
  CHECK(error.type() == "IndexError");
  CHECK(error.message() == "far");
}

TEST_CASE("what a callback for output throws comes out of the run") {
  subpy::InterpreterConfig config = in_process();
  config.on_stdout = [](std::string_view) { throw std::runtime_error("no room"); };
  subpy::Interpreter python(std::move(config));
  CHECK_THROWS_WITH_AS(python.run("print(1)"), "no room", std::runtime_error);
}

TEST_CASE("a process that exits is lost, with its exit code") {
  subpy::Interpreter python(in_process());
  const subpy::Error error = error_of([&] { python.run("import os; os._exit(3)"); });
  CHECK(error.status() == SUBPY_ERR_LOST);
  CHECK(error.exit_code() == 3);
  CHECK(error.signal() == 0);
  CHECK(status_of([&] { python.run("x = 1"); }) == SUBPY_ERR_LOST);
  python.destroy();
}

TEST_CASE("a process that crashes is lost, with its signal and where its script was") {
  subpy::Interpreter python(in_process());
  const subpy::Error error = error_of([&] { python.run("import os; os.abort()"); });
  CHECK(error.status() == SUBPY_ERR_LOST);
  CHECK(error.exit_code() == 0);
  CHECK(error.signal() == SIGABRT);
  CHECK(contains(error.traceback(), "line 1"));
}

TEST_CASE("the log is told of a process that ends while nobody waits for it") {
  subpy::Interpreter python(in_process());
  const int pid = python.eval<int>("__import__('os').getpid()");
  REQUIRE(kill(pid, SIGTERM) == 0);
  CHECK(is_logged("signal"));
  CHECK(error_of([&] { python.run("x = 1"); }).signal() == SIGTERM);
}

TEST_CASE("a thread kills what another one waits for") {
  subpy::Interpreter python(in_process());
  Gate inside;
  python.define("host", "inside", [&] { inside.open(); });
  std::future<subpy_status> run = std::async(std::launch::async, [&] {
    return status_of([&] { python.run("import host\nhost.inside()\nwhile True: pass\n"); });
  });
  inside.wait();
  python.kill();
  CHECK(run.get() == SUBPY_ERR_LOST);
  python.kill(); // it is gone
  python.destroy();
  CHECK(status_of([&] { python.kill(); }) == SUBPY_ERR_NOT_FOUND);
}

TEST_CASE("a script that ignores its time limit is killed") {
  subpy::Interpreter python(in_process());
  subpy::RunOptions options;
  options.timeout = 50ms;
  options.kill_after = 50ms;
  SUBCASE("in time") {}
  SUBCASE("at once") { options.kill_after = -1ms; }
  const subpy::Error error = error_of(
      [&] { python.run("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", options); });
  CHECK(error.status() == SUBPY_ERR_LOST);
  CHECK(error.signal() == SIGKILL);
}

TEST_CASE("or is not killed") {
  subpy::Interpreter python(in_process());
  const int pid = python.eval<int>("__import__('os').getpid()");
  subpy::RunOptions options;
  options.timeout = 20ms;
  options.kill_after = std::chrono::milliseconds::max();
  std::thread later([pid] {
    std::this_thread::sleep_for(1500ms); // longer than the default
    kill(pid, SIGCONT);
  });
  const subpy_status status = status_of([&] {
    python.run("import os, signal\n"
               "os.kill(os.getpid(), signal.SIGSTOP)\n"
               "while True: pass\n",
               options);
  });
  later.join();
  CHECK(status == SUBPY_ERR_TIMEOUT);
  python.run("x = 1");
}

TEST_CASE("one that runs is destroyed, if it is to be killed") {
  subpy::Interpreter python(in_process());
  Gate inside;
  python.define("host", "inside", [&] { inside.open(); });
  std::future<subpy_status> run = std::async(std::launch::async, [id = python.id()] {
    return subpy_run_string(id, "import host\nhost.inside()\nwhile True: pass\n", nullptr);
  });
  inside.wait();
  CHECK(status_of([&] { python.destroy(); }) == SUBPY_ERR_BUSY);
  subpy::DestroyOptions options;
  options.kill = true;
  python.destroy(options);
  CHECK_FALSE(python);
  CHECK(run.get() == SUBPY_ERR_LOST);
}

TEST_CASE("what is in this process can't be killed") {
  subpy::Interpreter local;
  CHECK(status_of([&] { local.kill(); }) == SUBPY_ERR_UNSUPPORTED);
  subpy::DestroyOptions options;
  options.kill = true;
  CHECK(status_of([&] { local.destroy(options); }) == SUBPY_ERR_UNSUPPORTED);
  local.run("x = 1");
}

TEST_CASE("core_dumps is told to the library") {
  const char *const dumpable = "__import__('ctypes').CDLL(None).prctl(3)"; // PR_GET_DUMPABLE
  CHECK(subpy::Interpreter(in_process()).eval<int>(dumpable) == 0);
  subpy::InterpreterConfig config = in_process();
  config.core_dumps = true;
  CHECK(subpy::Interpreter(std::move(config)).eval<int>(dumpable) == 1);
}

TEST_CASE("no two logs are the same, and a runtime may be moved with its own") {
  CHECK(status_of([] { subpy::Runtime second(config_with_log()); }) == SUBPY_ERR_NOT_PERMITTED);
  subpy::Runtime moved(std::move(runtime));
  runtime = std::move(moved);
  CHECK(subpy::Runtime::is_initialized());
}

TEST_CASE("strings with a NUL character are refused") {
  subpy::RuntimeConfig config;
  config.preload = {std::string("a\0b", 3)};
  CHECK(contains(error_of([&] { subpy::Runtime{config}; }).message(), "preload"));
  config = {};
  config.worker = std::string("a\0b", 3);
  CHECK(contains(error_of([&] { subpy::Runtime{config}; }).message(), "worker"));
}

TEST_CASE("a process that was not started by subpy is no worker") {
  char name[] = "host";
  char *arguments[] = {name, nullptr};
  subpy::worker_main(1, arguments);
}
