// Time and memory: limits, interrupts, deadlines, and what was measured.

#define SUBPY_TESTS_NO_RUNTIME
#include "cpp_support.hpp"

#include <atomic>
#include <stdexcept>
#include <vector>

#include <signal.h>

using namespace std::chrono_literals;

// Memory is counted where this Python can do that.
static subpy::RuntimeConfig counting() {
  subpy::RuntimeConfig config;
  config.account_memory = subpy::supports(SUBPY_FEATURE_MEMORY_ACCOUNTS);
  config.ignore_sigpipe = true;
  return config;
}
static const subpy::Runtime runtime(counting());

static constexpr const char *ENDLESS = "while True: pass";

// A machine may leave a process no core for a second, which is no reason to kill it.
template <class Options> static Options patient() {
  Options options;
  options.kill_after = std::chrono::milliseconds::max();
  return options;
}

TEST_CASE("a run that takes too long ends, and the next one is not affected") {
  subpy::Interpreter python;
  auto options = patient<subpy::RunOptions>();
  options.filename = "slow.py";
  options.timeout = 20ms;
  const subpy::Error error = error_of([&] { python.run(ENDLESS, options); });
  CHECK(error.status() == SUBPY_ERR_TIMEOUT);
  CHECK(contains(error.traceback(), "File \"slow.py\", line 1"));
  python.run("for _ in range(10000): pass");
  options.timeout = 1h;
  python.run("x = 1", options);
  options.timeout = std::chrono::milliseconds::max();
  python.run("x = 1", options);
}

// Below 3.12 all interpreters of a process share one GIL.
static bool can_be_entered() { return in_processes() || subpy::supports(SUBPY_FEATURE_OWN_GIL); }

TEST_CASE("a thread stays in an interpreter" * doctest::skip(!can_be_entered())) {
  subpy::Interpreter python;
  const auto is_refused_elsewhere = [&] {
    subpy_status status = SUBPY_OK;
    std::thread([&] { status = status_of([&] { python.run("x = 1"); }); }).join();
    return status == SUBPY_ERR_BUSY;
  };
  {
    const subpy::Entered inside = python.enter();
    CHECK(subpy::current() == python.id());
    python.run("def add(a, b): return a + b");
    CHECK(python.call<int>("add", 1, 2) == 3);
    CHECK(is_refused_elsewhere());
  }
  CHECK_FALSE(is_refused_elsewhere());
  subpy::Entered inside = python.enter(1h);
  subpy::Entered same = python.enter();
  subpy::Entered moved(std::move(same));
  same = std::move(moved);
  same.leave();
  same.leave();
  CHECK(is_refused_elsewhere());
  inside.leave();
  CHECK_FALSE(is_refused_elsewhere());
  python.define("host", "enter", [&] { python.enter(); });
  CHECK(status_of([&] { python.run("import host; host.enter()"); }) == SUBPY_ERR_EXCEPTION);
}

TEST_CASE("a call waits for its turn, for so long") {
  subpy::Interpreter python;
  Gate inside, leave;
  python.define("host", "hold", [&] {
    inside.open();
    leave.wait();
  });
  std::thread other([&] { python.run("import host\nhost.hold()\nx = 1"); });
  inside.wait();
  subpy::CallOptions options;
  CHECK(status_of([&] { python.eval<int>("x", options); }) == SUBPY_ERR_BUSY);
  options.wait = -1ms;
  CHECK(status_of([&] { python.eval<int>("x", options); }) == SUBPY_ERR_BUSY);
  options.wait = 20ms;
  CHECK(status_of([&] { python.eval<int>("x", options); }) == SUBPY_ERR_BUSY);
  options.wait = std::chrono::milliseconds::max();
  std::thread later([&] {
    std::this_thread::sleep_for(20ms);
    leave.open();
  });
  CHECK(python.eval<int>("x", options) == 1);
  later.join();
  other.join();
}

TEST_CASE("less than no time is no time, not for ever") {
  subpy::Interpreter python;
  auto options = patient<subpy::RunOptions>();
  options.timeout = -5s;
  CHECK(status_of([&] { python.run(ENDLESS, options); }) == SUBPY_ERR_TIMEOUT);
}

TEST_CASE("eval and call have limits, too") {
  subpy::Interpreter python;
  python.run("def endless():\n  while True: pass\n");
  auto options = patient<subpy::CallOptions>();
  options.timeout = 20ms;
  CHECK(status_of([&] { python.eval("endless()", options); }) == SUBPY_ERR_TIMEOUT);
  CHECK(status_of([&] { python.call(options, "endless"); }) == SUBPY_ERR_TIMEOUT);
  CHECK(status_of([&] { python.run_unrestricted(ENDLESS, nullptr, options); }) ==
        SUBPY_ERR_TIMEOUT);
  options.timeout = 1h;
  CHECK(python.eval<int>("6 * 7", options) == 42);
}

TEST_CASE("a deadline gives more time, then no more") {
  subpy::Interpreter python;
  std::vector<std::chrono::milliseconds> asked;
  auto options = patient<subpy::RunOptions>();
  options.timeout = 10ms;
  options.deadline = [&](subpy_id id, std::chrono::milliseconds elapsed) {
    CHECK(id == python.id());
    asked.push_back(elapsed);
    return asked.size() < 3 ? 10ms : 0ms;
  };
  CHECK(status_of([&] { python.run(ENDLESS, options); }) == SUBPY_ERR_TIMEOUT);
  REQUIRE(asked.size() == 3);
  CHECK(asked[0] >= 10ms);
  CHECK(asked[2] >= asked[0] + 20ms);
}

TEST_CASE("a deadline that is less than nothing interrupts") {
  subpy::Interpreter python;
  auto options = patient<subpy::RunOptions>();
  options.timeout = 10ms;
  options.deadline = [](subpy_id, std::chrono::milliseconds) { return -1ms; };
  CHECK(status_of([&] { python.run(ENDLESS, options); }) == SUBPY_ERR_TIMEOUT);
}

TEST_CASE("a deadline lets it go on without a limit") {
  subpy::Interpreter python;
  std::atomic<int> asked{0};
  python.define("host", "asked", [&] { return asked.load(); });
  auto options = patient<subpy::RunOptions>();
  options.timeout = 10ms;
  options.deadline = [&](subpy_id, std::chrono::milliseconds) {
    ++asked;
    return std::chrono::milliseconds::max();
  };
  python.run("import host, time\n"
             "while not host.asked(): pass\n"
             "end = time.monotonic() + 0.05\n"
             "while time.monotonic() < end: pass\n",
             options);
  CHECK(asked == 1);
}

TEST_CASE("a deadline without a time is refused") {
  subpy::Interpreter python;
  auto options = patient<subpy::RunOptions>();
  options.deadline = [](subpy_id, std::chrono::milliseconds) { return 1ms; };
  const subpy::Error error = error_of([&] { python.run("x = 1", options); });
  CHECK(error.status() == SUBPY_ERR_INVALID_ARGUMENT);
  CHECK(contains(error.message(), "timeout"));
}

TEST_CASE("what a deadline throws ends the run and comes out of it, over the error") {
  subpy::Interpreter python;
  auto options = patient<subpy::RunOptions>();
  options.timeout = 10ms;
  options.deadline = [](subpy_id, std::chrono::milliseconds) -> std::chrono::milliseconds {
    throw std::runtime_error("no clock");
  };
  std::string nested;
  subpy_status status = SUBPY_OK;
  try {
    python.run(ENDLESS, options);
  } catch (const subpy::Error &error) {
    status = error.status();
    try {
      std::rethrow_if_nested(error);
    } catch (const std::runtime_error &inner) {
      nested = inner.what();
    }
  }
  CHECK(status == SUBPY_ERR_TIMEOUT);
  CHECK(nested == "no clock");

  SUBCASE("without an error, it comes out as it is") {
    const std::string caught = "try:\n"
                               "  x = 0\n"
                               "  while True: pass\n"
                               "except KeyboardInterrupt: pass\n";
    // A run that takes more than 10 ms to end, on a busy machine, is interrupted again.
    std::string thrown;
    for (int again = 0; again < 100 && thrown.empty(); again++) {
      try {
        python.run(caught, options);
      } catch (const subpy::Error &error) {
        CHECK(error.status() == SUBPY_ERR_TIMEOUT);
      } catch (const std::runtime_error &error) {
        thrown = error.what();
      }
    }
    CHECK(thrown == "no clock");
  }
}

TEST_CASE("interrupt ends a run in another thread") {
  subpy::Interpreter python;
  python.interrupt(); // nothing runs
  Gate inside;
  python.define("host", "inside", [&] { inside.open(); });
  std::future<subpy_status> run = std::async(std::launch::async, [&] {
    return status_of([&] { python.run("import host\nhost.inside()\nwhile True: pass\n"); });
  });
  inside.wait();
  python.interrupt();
  CHECK(run.get() == SUBPY_ERR_INTERRUPTED);
  python.run("x = 1");
  python.destroy();
  CHECK(status_of([&] { python.interrupt(); }) == SUBPY_ERR_NOT_FOUND);
}

TEST_CASE("a run is measured if it is asked for") {
  subpy::Interpreter python;
  python.run("x = 1");
  CHECK(python.stats().last_wall_ns == 0);
  auto options = patient<subpy::RunOptions>();
  options.measure = true;
  python.run("for _ in range(100000): pass", options);
  CHECK(python.stats().last_wall_ns > 0);
  CHECK(python.stats().last_cpu_ns > 0);
}

TEST_CASE("memory is counted and limited") {
  if (!subpy::supports(SUBPY_FEATURE_MEMORY_ACCOUNTS)) {
    subpy::Interpreter python;
    CHECK(status_of([&] { python.memory_usage(); }) == SUBPY_ERR_UNSUPPORTED);
    return;
  }
  constexpr std::uint64_t MIB = 1 << 20;
  subpy::InterpreterConfig config;
  config.memory_limit = 64 * MIB;
  subpy::Interpreter python(config);
  const subpy::MemoryUsage idle = python.memory_usage();
  CHECK(idle.peak >= idle.current);
  python.run("x = bytearray(8 << 20)");
  CHECK(python.memory_usage().current >= idle.current + 8 * MIB);
  python.run("del x");
  CHECK(python.memory_usage().current < idle.current + MIB);
  CHECK(python.memory_usage().peak >= idle.current + 8 * MIB);
  CHECK(error_of([&] { python.run("x = bytearray(100 << 20)"); }).type() == "MemoryError");
  python.run("x = 1");
}

TEST_CASE("account_memory and ignore_sigpipe are told to the library") {
  subpy::RuntimeConfig config = counting();
  subpy::Runtime{config};
  config.account_memory = !config.account_memory;
  CHECK(status_of([&] { subpy::Runtime{config}; }) != SUBPY_OK);
  struct sigaction action;
  REQUIRE(sigaction(SIGPIPE, nullptr, &action) == 0);
  CHECK((action.sa_handler == SIG_IGN));
}
