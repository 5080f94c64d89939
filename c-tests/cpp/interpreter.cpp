// An interpreter's life, and what there is to ask.

#include "cpp_support.hpp"

#include <algorithm>
#include <vector>

TEST_CASE("versions and names") {
  CHECK(subpy::version() == SUBPY_VERSION);
  CHECK(contains(subpy::python_version(), "3."));
  CHECK(subpy::status_name(SUBPY_ERR_BUSY) == "SUBPY_ERR_BUSY");
  CHECK_FALSE(subpy::supports(static_cast<subpy_feature>(0)));
  CHECK(subpy::Runtime::is_initialized());
}

TEST_CASE("names stay from run to run, and are the interpreter's own") {
  subpy::Interpreter a, b;
  a.run("x = 6");
  a.run("assert x * 7 == 42");
  CHECK(error_of([&] { b.run("x"); }).type() == "NameError");
}

TEST_CASE("what is made by a named function is the same") {
  const subpy::Runtime joined = subpy::Runtime::initialize();
  const subpy::Runtime same = subpy::Runtime::initialize(subpy::RuntimeConfig());
  subpy::Interpreter python = subpy::Interpreter::create();
  python.run("x = 6");
  std::string out;
  subpy::Interpreter::create(capture(out)).run("print('hello')");
  CHECK(out == "hello\n");
  subpy::InterpreterConfig config;
  config.gil = static_cast<subpy_gil>(3);
  CHECK(status_of([&] { subpy::Interpreter::create(config); }) == SUBPY_ERR_INVALID_ARGUMENT);
}

TEST_CASE("code is a view: its length counts, and it need not end in a NUL") {
  subpy::Interpreter interpreter;
  const std::string text = "x = 1; x = 2";
  interpreter.run(std::string_view(text).substr(0, 5));
  interpreter.run("assert x == 1");
  interpreter.run("");
  interpreter.run(std::string_view());
  CHECK(status_of([&] { interpreter.run(std::string_view("x\0y", 3)); }) ==
        SUBPY_ERR_INVALID_ARGUMENT);
}

TEST_CASE("the options' filename is what tracebacks say") {
  subpy::Interpreter interpreter;
  const subpy::RunOptions options{"level1.py"};
  const subpy::Error error = error_of([&] { interpreter.run("1 / 0", options); });
  CHECK(contains(error.traceback(), "File \"level1.py\", line 1"));
  interpreter.run("1 / 1", {"level2.py"});
}

TEST_CASE("list_all has every interpreter in ascending order") {
  CHECK(subpy::main_id() == 0);
  CHECK(subpy::list_all() == std::vector<subpy_id>{0});
  std::vector<subpy::Interpreter> interpreters(20); // more than fit at the first try
  std::vector<subpy_id> expected{0};
  for (const subpy::Interpreter &interpreter : interpreters) {
    expected.push_back(interpreter.id());
  }
  CHECK(std::is_sorted(expected.begin(), expected.end()));
  CHECK(subpy::list_all() == expected);
  interpreters.clear();
  CHECK(subpy::list_all() == std::vector<subpy_id>{0});
}

TEST_CASE("current and is_running, inside and outside") {
  std::optional<subpy_id> current;
  bool running = false;
  subpy::Interpreter *interpreter = nullptr;
  subpy::InterpreterConfig config;
  config.on_stdout = [&](std::string_view) {
    current = subpy::current();
    running = interpreter->is_running();
  };
  subpy::Interpreter made(config);
  interpreter = &made;
  CHECK_FALSE(subpy::current());
  CHECK_FALSE(made.is_running());
  made.run("print()");
  CHECK(current == made.id());
  CHECK(running);
  CHECK_FALSE(subpy::current());
  CHECK_FALSE(made.is_running());
}

TEST_CASE("destroy ends it, and the object holds none") {
  std::string out;
  subpy::Interpreter interpreter(capture(out));
  const subpy_id id = interpreter.id();
  interpreter.run("import atexit; atexit.register(print, 'bye')");
  CHECK(interpreter);
  interpreter.destroy();
  CHECK(out == "bye\n");
  CHECK_FALSE(interpreter);
  CHECK(interpreter.id() == -1);
  CHECK(status_of([&] { interpreter.run("1"); }) == SUBPY_ERR_NOT_FOUND);
  CHECK(status_of([&] { interpreter.destroy(); }) == SUBPY_ERR_NOT_FOUND);
  CHECK(subpy_destroy(id, nullptr) == SUBPY_ERR_NOT_FOUND);
}

TEST_CASE("the destructor ends it") {
  std::string out;
  {
    subpy::Interpreter interpreter(capture(out));
    interpreter.run("import atexit; atexit.register(print, 'bye')");
    CHECK(out == "");
  }
  CHECK(out == "bye\n");
  CHECK(subpy::list_all().size() == 1);
}

TEST_CASE("release gives it up, adopt takes it over") {
  subpy_id id;
  {
    subpy::Interpreter interpreter;
    interpreter.run("x = 1");
    id = interpreter.release();
    CHECK_FALSE(interpreter);
    CHECK(interpreter.release() == -1);
  }
  CHECK(subpy_run_string(id, "assert x == 1", nullptr) == SUBPY_OK);
  subpy::Interpreter::adopt(id).run("assert x == 1");
  CHECK(subpy_destroy(id, nullptr) == SUBPY_ERR_NOT_FOUND);
}

TEST_CASE("the callbacks of a released interpreter stay in use") {
  std::string out;
  subpy_id id = subpy::Interpreter(capture(out)).release();
  CHECK(subpy_run_string(id, "print('still')", nullptr) == SUBPY_OK);
  CHECK(out == "still\n");
  CHECK(subpy_destroy(id, nullptr) == SUBPY_OK);
}

TEST_CASE("one that C code destroyed is not found") {
  subpy::Interpreter interpreter;
  CHECK(subpy_destroy(interpreter.id(), nullptr) == SUBPY_OK);
  CHECK(status_of([&] { interpreter.run("1"); }) == SUBPY_ERR_NOT_FOUND);
  CHECK(status_of([&] { interpreter.is_running(); }) == SUBPY_ERR_NOT_FOUND);
}

TEST_CASE("the main interpreter is not permitted") {
  subpy::Interpreter interpreter = subpy::Interpreter::adopt(subpy::main_id());
  CHECK(status_of([&] { interpreter.run("1"); }) == SUBPY_ERR_NOT_PERMITTED);
  CHECK(status_of([&] { interpreter.destroy(); }) == SUBPY_ERR_NOT_PERMITTED);
  CHECK(interpreter);
}

TEST_CASE("an interpreter's config counts") {
  subpy::InterpreterConfig config;
  SUBCASE("gil = own") {
    config.gil = SUBPY_GIL_OWN;
    const bool can = in_processes() || subpy::supports(SUBPY_FEATURE_OWN_GIL);
    CHECK(status_of([&] { subpy::Interpreter{config}; }) ==
          (can ? SUBPY_OK : SUBPY_ERR_UNSUPPORTED));
  }
  SUBCASE("gil = shared") {
    config.gil = SUBPY_GIL_SHARED;
    subpy::Interpreter(config).run("x = 1");
  }
  SUBCASE("an unknown gil") {
    config.gil = static_cast<subpy_gil>(3);
    CHECK(status_of([&] { subpy::Interpreter{config}; }) == SUBPY_ERR_INVALID_ARGUMENT);
  }
  SUBCASE("no threads") {
    config.allow_threads = false;
    const auto start = [&] {
      subpy::Interpreter(config).run("import _thread; _thread.start_new_thread(int, ())");
    };
    const subpy::Error error = error_of(start);
    if (subpy::supports(SUBPY_FEATURE_RESTRICTIONS)) {
      CHECK(error.type() == "RuntimeError");
    } else {
      CHECK(error.status() == SUBPY_ERR_UNSUPPORTED);
    }
  }
  CHECK(subpy::list_all().size() == 1);
}

TEST_CASE("stats see the code cache that the config asks for") {
  subpy::Interpreter with;
  with.run("x = 1");
  with.run("x = 1");
  CHECK(with.stats().code_cache_hits == 1);
  CHECK(with.stats().code_cache_entries == 1);

  subpy::InterpreterConfig config;
  config.code_cache_entries = 0;
  subpy::Interpreter without(config);
  without.run("x = 1");
  without.run("x = 1");
  CHECK(without.stats().code_cache_hits == 0);
  CHECK(without.stats().code_cache_entries == 0);
}

TEST_CASE("what a script has created can be taken over") {
  subpy::InterpreterConfig config;
  config.allow_interpreters = true;
  config.interpreter_limit = 1;
  subpy::Interpreter creator(std::move(config));
  creator.run("from subpy import _interpreters\nid = _interpreters.create()");
  const auto id = creator.get<subpy_id>("id");
  subpy::Interpreter taken = subpy::Interpreter::take_over(id);
  CHECK(taken.id() == id);
  creator.destroy();
  taken.run("x = 1");
  CHECK(taken.get<int>("x") == 1);
  CHECK(status_of([] { subpy::Interpreter::take_over(1 << 30); }) == SUBPY_ERR_NOT_FOUND);
}

TEST_CASE("an interpreter that knows all others") {
  subpy::InterpreterConfig config;
  config.allow_interpreters = config.know_all_interpreters = true;
  subpy::Interpreter admin(std::move(config)), other;
  admin.run("from subpy import _interpreters");
  const auto known = admin.eval<std::vector<subpy_id>>("_interpreters.list_all()");
  CHECK(known == std::vector<subpy_id>{0, admin.id(), other.id()});
}
