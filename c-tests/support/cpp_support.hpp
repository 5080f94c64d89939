// What the C++ tests share. Each test program initializes Python before main() and finalizes it
// after main(), unless it defines SUBPY_TESTS_NO_RUNTIME.
#ifndef SUBPY_TESTS_CPP_SUPPORT_HPP
#define SUBPY_TESTS_CPP_SUPPORT_HPP

#include <cstdlib>
#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <subpy.hpp>

#include <doctest/doctest.h>

#ifndef SUBPY_TESTS_NO_RUNTIME
inline const subpy::Runtime runtime;
#endif

/// Whether interpreters are in processes of their own: SUBPY_TESTS_BACKEND in the environment names the backend under
/// test, as for the tests in C. A case of what is otherwise there is left out, by `doctest::skip(in_processes())`:
/// support/backends.h has the reasons.
inline bool in_processes() {
  const char *const backend = std::getenv("SUBPY_TESTS_BACKEND");
  return backend && backend == std::string_view("process");
}

/// The error that a call throws; fails the test if it throws none.
template <typename Call> subpy::Error error_of(Call call) {
  try {
    call();
  } catch (const subpy::Error &error) {
    return error;
  }
  FAIL("no subpy::Error was thrown");
  return subpy::Error(SUBPY_OK, "");
}

/// The status of a call: SUBPY_OK if it throws nothing.
template <typename Call> subpy_status status_of(Call call) {
  try {
    call();
  } catch (const subpy::Error &error) {
    return error.status();
  }
  return SUBPY_OK;
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// A config whose on_stdout appends to `out`.
inline subpy::InterpreterConfig capture(std::string &out) {
  subpy::InterpreterConfig config;
  config.on_stdout = [&out](std::string_view text) { out += text; };
  return config;
}

/// Closed until somebody opens it.
class Gate {
public:
  void open() { promise_.set_value(); }
  void wait() const { future_.wait(); }

private:
  std::promise<void> promise_;
  std::shared_future<void> future_ = promise_.get_future().share();
};

/// An interpreter that another thread runs in until it is told to leave.
class Busy {
public:
  Busy() {
    thread_ = std::thread([this] { interpreter.run("print('inside')"); });
    inside_.wait();
  }

  ~Busy() { leave(); }

  /// Lets the run end, and waits for that.
  void leave() {
    if (thread_.joinable()) {
      leave_.open();
      thread_.join();
    }
  }

private:
  subpy::InterpreterConfig config() {
    subpy::InterpreterConfig config;
    config.on_stdout = [this](std::string_view) {
      inside_.open();
      leave_.wait();
    };
    return config;
  }

  Gate inside_, leave_;
  std::thread thread_;

public:
  subpy::Interpreter interpreter{config()};
};

#endif
