// Interpreters and host threads.

#include "cpp_support.hpp"

#include <atomic>
#include <ostream> // doctest prints a std::thread::id
#include <vector>

#include <unistd.h>

template <typename Work> void in_threads(int count, Work work) {
  std::vector<std::future<void>> threads;
  for (int i = 0; i < count; ++i) {
    threads.push_back(std::async(std::launch::async, work, i));
  }
  for (std::future<void> &thread : threads) {
    thread.get();
  }
}

template <typename Work> void in_thread(Work work) { std::async(std::launch::async, work).get(); }

TEST_CASE("created, run and destroyed in three threads") {
  std::optional<subpy::Interpreter> interpreter;
  in_thread([&] { interpreter.emplace(); });
  in_thread([&] { interpreter->run("import threading; x = 1"); });
  interpreter->run("assert x == 1");
  in_thread([&] { interpreter->destroy(); });
}

TEST_CASE("each thread its own") {
  in_threads(8, [](int i) {
    std::string out;
    subpy::Interpreter interpreter(capture(out));
    for (int n = 0; n < 50; ++n) {
      interpreter.run("x = " + std::to_string(i * n));
      interpreter.run("print(x)");
      CHECK(std::exchange(out, "") == std::to_string(i * n) + "\n");
    }
  });
  CHECK(subpy::list_all().size() == 1);
}

TEST_CASE("one for all: a run or BUSY") {
  std::string out;
  subpy::Interpreter interpreter(capture(out));
  interpreter.run("n = 0");
  std::atomic<int> runs{0};
  in_threads(4, [&](int) {
    for (int n = 0; n < 500; ++n) {
      const subpy_status status = status_of([&] { interpreter.run("n += 1"); });
      runs += status == SUBPY_OK;
      CHECK((status == SUBPY_OK || status == SUBPY_ERR_BUSY));
    }
  });
  CHECK(runs > 0);
  interpreter.run("print(n)");
  CHECK(out == std::to_string(runs) + "\n");
}

TEST_CASE("one that runs in another thread") {
  Busy busy;
  CHECK(busy.interpreter.is_running());
  CHECK(status_of([&] { busy.interpreter.run("1"); }) == SUBPY_ERR_BUSY);
  CHECK(status_of([&] { busy.interpreter.destroy(); }) == SUBPY_ERR_BUSY);
  CHECK(busy.interpreter);
  subpy::Interpreter().run("1"); // others don't wait for it
  busy.leave();
  CHECK_FALSE(busy.interpreter.is_running());
  busy.interpreter.destroy();
}

TEST_CASE("destroy waits for Python threads if it is told to" * doctest::skip(in_processes())) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  subpy::Interpreter interpreter;
  interpreter.run("import os, threading\n"
                  "threading.Thread(target=os.read, args=(" +
                  std::to_string(ends[0]) + ", 1)).start()");
  CHECK(status_of([&] { interpreter.destroy(); }) == SUBPY_ERR_BUSY);
  CHECK(status_of([&] { interpreter.destroy(std::chrono::milliseconds(-1)); }) == SUBPY_ERR_BUSY);
  CHECK(status_of([&] { interpreter.destroy(std::chrono::milliseconds(1)); }) == SUBPY_ERR_BUSY);
  CHECK(interpreter);
  CHECK(write(ends[1], "!", 1) == 1);
  interpreter.destroy(std::chrono::hours(10000)); // more than 32 bits of milliseconds
  CHECK_FALSE(interpreter);
  close(ends[0]);
  close(ends[1]);
}

TEST_CASE("callbacks are called in the thread that wrote") {
  std::thread::id writer;
  subpy::InterpreterConfig config;
  config.on_stdout = [&](std::string_view) { writer = std::this_thread::get_id(); };
  subpy::Interpreter interpreter(std::move(config));
  interpreter.run("print()");
  CHECK(writer == std::this_thread::get_id());
  in_thread([&] {
    interpreter.run("print()");
    CHECK(writer == std::this_thread::get_id());
  });
  interpreter.run("import threading\n"
                  "thread = threading.Thread(target=print)\n"
                  "thread.start()\n"
                  "thread.join()");
  CHECK(writer != std::this_thread::get_id());
}

TEST_CASE("both callbacks throw, in two threads at once: one exception is kept") {
  // Each waits until the other is in its callback, too.
  Gate out, err;
  subpy::InterpreterConfig config;
  config.on_stdout = [&](std::string_view) {
    out.open();
    err.wait();
    throw 1;
  };
  config.on_stderr = [&](std::string_view) {
    err.open();
    out.wait();
    throw 2;
  };
  subpy::Interpreter interpreter(std::move(config));
  CHECK_THROWS_AS(interpreter.run("import sys, threading\n"
                                  "thread = threading.Thread(target=print)\n"
                                  "thread.start()\n"
                                  "print(file=sys.stderr)\n"
                                  "thread.join()"),
                  int);
  interpreter.run("1");
}

TEST_CASE("host threads come and go") {
  subpy::Interpreter interpreter;
  interpreter.run("n = 0");
  for (int i = 0; i < 1000; ++i) {
    std::thread([&] { interpreter.run("n += 1"); }).join();
  }
  interpreter.run("assert n == 1000");
}
