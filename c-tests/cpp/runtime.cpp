// The end of the runtime. One test: a process has one Python.

#define SUBPY_TESTS_NO_RUNTIME
#include "cpp_support.hpp"

TEST_CASE("a runtime's life") {
  CHECK_FALSE(subpy::Runtime::is_initialized());
  CHECK(status_of([] { subpy::Interpreter(); }) == SUBPY_ERR_NOT_INITIALIZED);
  CHECK(status_of([] { subpy::list_all(); }) == SUBPY_ERR_NOT_INITIALIZED);
  CHECK(status_of([] { subpy::current(); }) == SUBPY_ERR_NOT_INITIALIZED);
  CHECK(status_of([] { subpy::main_id(); }) == SUBPY_ERR_NOT_INITIALIZED);

  subpy::RuntimeConfig config;
  config.module_search_paths = {"/no/such/directory"};
  const subpy::Error refused = error_of([&] { subpy::Runtime{config}; });
  CHECK(refused.status() == SUBPY_ERR_INVALID_ARGUMENT);
  CHECK(contains(refused.message(), "/no/such/directory"));
  CHECK_FALSE(subpy::Runtime::is_initialized());

  config.module_search_paths = {"/"};
  config.allow_main = true;
  config.import_site = false;
  config.program_name = "host";
  subpy::Runtime runtime(config);
  CHECK(subpy::Runtime::is_initialized());
  std::string out;
  {
    subpy::Interpreter interpreter(capture(out));
    interpreter.run("import sys; print(sys.path[0], sys.flags.no_site, sys.flags.isolated)");
    CHECK(out == "/ 1 1\n");
  }

  // With allow_main, code runs in the main interpreter, too.
  {
    auto main = subpy::Interpreter::main(capture(out));
    main.run("x = 1");
    out.clear();
    main.run("print('in main')");
    CHECK(out == "in main\n");
  }
  subpy::Interpreter main = subpy::Interpreter::adopt(subpy::main_id());
  main.run("assert x == 1; print('nobody takes it')");
  CHECK(out == "in main\n");
  CHECK(main.release() == 0);

  {
    const subpy::Runtime second;
  }
  CHECK(subpy::Runtime::is_initialized());

  // It is not finalized while an interpreter runs, and can be asked again.
  {
    Busy busy;
    CHECK(status_of([&] { runtime.finalize(); }) == SUBPY_ERR_BUSY);
    CHECK(subpy::Runtime::is_initialized());
  }

  // One that is left is destroyed with it.
  subpy::Interpreter left(capture(out));
  left.run("import atexit; atexit.register(print, 'bye')");
  out.clear();
  runtime.finalize();
  CHECK(out == "bye\n");
  CHECK_FALSE(subpy::Runtime::is_initialized());
  CHECK(status_of([&] { left.run("1"); }) == SUBPY_ERR_NOT_INITIALIZED);
  CHECK(status_of([] { subpy::Runtime(); }) == SUBPY_ERR_UNSUPPORTED);
  CHECK(refused.status() == SUBPY_ERR_INVALID_ARGUMENT);
}
