// Callbacks for output: what they get, and what becomes of their exceptions.

#include "cpp_support.hpp"

#include <memory>
#include <stdexcept>
#include <vector>

#include <unistd.h>

TEST_CASE("stdout and stderr each have their callback") {
  std::string out, err;
  subpy::InterpreterConfig config;
  config.on_stdout = [&](std::string_view text) { out += text; };
  config.on_stderr = [&](std::string_view text) { err += text; };
  subpy::Interpreter interpreter(std::move(config));
  interpreter.run("import sys\n"
                  "print('h\xc3\xa9llo', end='')\n"
                  "print('oops', file=sys.stderr)");
  CHECK(out == "h\xc3\xa9llo");
  CHECK(err == "oops\n");
}

TEST_CASE("a callback may own what it needs, and is destroyed with the interpreter") {
  const auto lines = std::make_shared<std::vector<std::string>>();
  {
    subpy::InterpreterConfig config;
    config.on_stdout = [lines](std::string_view text) { lines->emplace_back(text); };
    subpy::Interpreter interpreter(std::move(config));
    CHECK(lines.use_count() == 2);
    interpreter.run("print(1)");
    interpreter.destroy();
    CHECK(lines.use_count() == 1);
  }
  CHECK(*lines == std::vector<std::string>{"1\n"});
}

TEST_CASE("a callback of an interpreter that can't be created is destroyed") {
  const auto owned = std::make_shared<int>(0);
  subpy::InterpreterConfig config;
  config.gil = static_cast<subpy_gil>(3);
  config.on_stdout = [owned](std::string_view) {};
  CHECK(status_of([&] { subpy::Interpreter{std::move(config)}; }) == SUBPY_ERR_INVALID_ARGUMENT);
  CHECK(owned.use_count() == 1 + (config.on_stdout ? 1 : 0));
}

TEST_CASE("a callback may use another interpreter") {
  std::string out;
  subpy::Interpreter inner(capture(out));
  subpy::InterpreterConfig config;
  config.on_stdout = [&](std::string_view) { inner.run("print('from inside')"); };
  subpy::Interpreter outer(std::move(config));
  outer.run("print()");
  CHECK(out == "from inside\n");
}

TEST_CASE("and its own") {
  subpy::Interpreter *interpreter = nullptr;
  subpy::InterpreterConfig config;
  config.on_stdout = [&](std::string_view) { interpreter->run("x = 2"); };
  subpy::Interpreter made(std::move(config));
  interpreter = &made;
  made.run("x = 1\nprint()\nassert x == 2");
  CHECK(status_of([&] { made.run("print()"); }) == SUBPY_OK);
}

TEST_CASE("a callback's exception is thrown when the run has ended, once") {
  int calls = 0;
  subpy::InterpreterConfig config;
  config.on_stdout = [&](std::string_view text) {
    ++calls;
    throw std::runtime_error("call " + std::to_string(calls) + ": " + std::string(text));
  };
  subpy::Interpreter interpreter(std::move(config));
  CHECK_THROWS_WITH_AS(interpreter.run("print('one')\nprint('two')\nx = 3"), "call 1: one\n",
                       std::runtime_error);
  CHECK(calls == 2);
  interpreter.run("assert x == 3");
}

TEST_CASE("what is no std::exception comes through, too") {
  subpy::InterpreterConfig config;
  config.on_stderr = [](std::string_view) { throw 42; };
  subpy::Interpreter interpreter(std::move(config));
  CHECK_THROWS_AS(interpreter.run("import sys; print('x', file=sys.stderr)"), int);
  interpreter.run("1");
}

TEST_CASE("if the run fails, too, the callback's exception is nested in the error") {
  subpy::InterpreterConfig config;
  config.on_stdout = [](std::string_view) { throw std::runtime_error("disk full"); };
  subpy::Interpreter interpreter(std::move(config));
  std::string type, nested;
  try {
    interpreter.run("print()\n1 / 0");
  } catch (const subpy::Error &error) {
    type = error.type();
    try {
      std::rethrow_if_nested(error);
    } catch (const std::runtime_error &inner) {
      nested = inner.what();
    }
  }
  CHECK(type == "ZeroDivisionError");
  CHECK(nested == "disk full");
}

TEST_CASE("output while the interpreter is destroyed") {
  subpy::InterpreterConfig config;
  config.on_stdout = [](std::string_view) { throw std::runtime_error("late"); };
  subpy::Interpreter interpreter(std::move(config));
  interpreter.run("import atexit; atexit.register(print)");
  SUBCASE("destroy throws, after the interpreter is gone") {
    CHECK_THROWS_WITH_AS(interpreter.destroy(), "late", std::runtime_error);
    CHECK_FALSE(interpreter);
  }
  SUBCASE("the destructor doesn't") {}
}

TEST_CASE("an object that is destroyed inside of its own run leaves the interpreter running") {
  std::string out;
  std::optional<subpy::Interpreter> interpreter;
  subpy::InterpreterConfig config;
  config.on_stdout = [&](std::string_view text) {
    out += text;
    interpreter.reset();
  };
  interpreter.emplace(std::move(config));
  const subpy_id id = interpreter->id();
  interpreter->run("print('heard')\nprint('unheard')");
  CHECK_FALSE(interpreter);
  CHECK(out == "heard\n");
  CHECK(subpy_destroy(id, nullptr) == SUBPY_OK);
}

TEST_CASE("what a thread writes after the object is gone is thrown away" *
          doctest::skip(in_processes())) {
  int go[2], done[2];
  REQUIRE(pipe(go) == 0);
  REQUIRE(pipe(done) == 0);
  char byte = '!';
  subpy_id id;
  {
    std::string out; // dies with the object
    subpy::Interpreter interpreter(capture(out));
    id = interpreter.id();
    interpreter.run("import _thread, os\n"
                    "def work(go, done):\n"
                    "  os.read(go, 1)\n"
                    "  print('into the void')\n"
                    "  os.write(done, b'!')\n"
                    "_thread.start_new_thread(work, (" +
                    std::to_string(go[0]) + ", " + std::to_string(done[1]) + "))");
    CHECK(status_of([&] { interpreter.destroy(); }) == SUBPY_ERR_BUSY);
    CHECK(interpreter);
  }
  CHECK(write(go[1], &byte, 1) == 1);
  CHECK(read(done[0], &byte, 1) == 1);
  subpy::Interpreter::adopt(id).destroy(std::chrono::minutes(1));
  for (int end : {go[0], go[1], done[0], done[1]}) {
    close(end);
  }
}
