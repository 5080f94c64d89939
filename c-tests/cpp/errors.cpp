// subpy::Error: what it says, and how long it says it.

#include "cpp_support.hpp"

#include <exception>

static subpy::Error error_of_run(std::string_view code) {
  return error_of([&] { subpy::Interpreter().run(code); });
}

TEST_CASE("an exception has a status, a type, a message and a traceback") {
  const subpy::Error error = error_of_run("def f():\n  raise ValueError('boom')\nf()");
  CHECK(error.status() == SUBPY_ERR_EXCEPTION);
  CHECK(error.type() == "ValueError");
  CHECK(error.message() == "boom");
  CHECK(std::string_view(error.what()) == "ValueError: boom");
  CHECK(error.exit_code() == 0);
  CHECK(contains(error.traceback(), "in f\n    raise ValueError('boom')\n"));
  CHECK(error.traceback().back() == '\n');
}

TEST_CASE("an exception without a message, one with a cause, one that can't be compiled") {
  CHECK(std::string_view(error_of_run("raise KeyError").what()) == "KeyError");

  const subpy::Error error = error_of_run("try:\n  1 / 0\nexcept Exception as e:\n"
                                          "  raise LookupError('looked') from e");
  CHECK(error.type() == "LookupError");
  CHECK(contains(error.traceback(), "ZeroDivisionError"));
  CHECK(contains(error.traceback(), "direct cause"));

  CHECK(error_of_run("x = = 1").type() == "SyntaxError");
}

TEST_CASE("SystemExit is an error with a code") {
  CHECK(error_of_run("import sys; sys.exit()").exit_code() == 0);
  CHECK(error_of_run("import sys; sys.exit(3)").exit_code() == 3);
  const subpy::Error error = error_of_run("raise SystemExit('over')");
  CHECK(error.status() == SUBPY_ERR_EXIT);
  CHECK(error.exit_code() == 1);
}

TEST_CASE("an error that is no exception says its status") {
  const subpy::Error error = error_of([] { subpy::Interpreter::adopt(1000000).run("1"); });
  CHECK(error.status() == SUBPY_ERR_NOT_FOUND);
  CHECK(error.type().empty());
  CHECK(error.traceback().empty());
  CHECK_FALSE(error.message().empty());
  CHECK(std::string(error.what()) == "SUBPY_ERR_NOT_FOUND: " + std::string(error.message()));
}

TEST_CASE("views end in a NUL, and text is UTF-8") {
  const subpy::Error error = error_of_run("raise ValueError('\xc3\xa9\\0\xe2\x82\xac')");
  CHECK(error.message() == "\xc3\xa9\\x00\xe2\x82\xac");
  for (std::string_view view : {error.type(), error.message(), error.traceback()}) {
    CHECK(view.data()[view.size()] == '\0');
  }
}

TEST_CASE("copies share what it says, and outlive the interpreter and the first one") {
  std::optional<subpy::Error> first = error_of_run("raise ValueError('boom')");
  const subpy::Error copy = *first;
  subpy::Error assigned(SUBPY_ERR_BUSY, "");
  assigned = *first;
  const std::string_view message = first->message();
  first.reset();
  CHECK(message == "boom");
  CHECK(copy.message().data() == assigned.message().data());
  CHECK(copy.what() == assigned.what());
}

TEST_CASE("it is a std::exception, and travels to other threads") {
  std::future<void> result = std::async(
      std::launch::async, [] { subpy::Interpreter().run("raise ValueError('far away')"); });
  std::string what;
  try {
    result.get();
  } catch (const std::exception &error) {
    what = error.what();
  }
  CHECK(what == "ValueError: far away");
}

TEST_CASE("a host can make one") {
  const subpy::Error error(SUBPY_ERR_TIMEOUT, "too slow");
  CHECK(error.status() == SUBPY_ERR_TIMEOUT);
  CHECK(error.message() == "too slow");
  CHECK(error.type().empty());
  CHECK(std::string_view(error.what()) == "SUBPY_ERR_TIMEOUT: too slow");
}

TEST_CASE("one of the host's may stand for a Python exception") {
  const subpy::Error error = subpy::PythonError("package.Oops", "no");
  CHECK(error.status() == SUBPY_ERR_EXCEPTION);
  CHECK(error.type() == "package.Oops");
  CHECK(error.message() == "no");
  CHECK(std::string_view(error.what()) == "package.Oops: no");
}

TEST_CASE("a second Runtime: none, the same or another config") {
  subpy::Runtime any;
  subpy::Runtime same{subpy::RuntimeConfig()};
  const auto refused = [](const subpy::RuntimeConfig &config, subpy_status status,
                          std::string_view part) {
    const subpy::Error error = error_of([&] { subpy::Runtime{config}; });
    CHECK(error.status() == status);
    CHECK(contains(error.message(), part));
  };
  subpy::RuntimeConfig config;
  SUBCASE("program_name") {
    config.program_name = "other";
    refused(config, SUBPY_ERR_NOT_PERMITTED, "program_name");
  }
  SUBCASE("home") {
    config.home = "/nowhere";
    refused(config, SUBPY_ERR_NOT_PERMITTED, "home");
  }
  SUBCASE("executable") {
    config.executable = "/nowhere/python";
    refused(config, SUBPY_ERR_NOT_PERMITTED, "executable");
  }
  SUBCASE("module_search_paths") {
    config.module_search_paths = {"/"};
    refused(config, SUBPY_ERR_NOT_PERMITTED, "module_search_paths");
  }
  SUBCASE("isolated") {
    config.isolated = false;
    refused(config, SUBPY_ERR_NOT_PERMITTED, "isolated");
  }
  SUBCASE("install_signal_handlers") {
    config.install_signal_handlers = true;
    refused(config, SUBPY_ERR_NOT_PERMITTED, "install_signal_handlers");
  }
  SUBCASE("import_site") {
    config.import_site = false;
    refused(config, SUBPY_ERR_NOT_PERMITTED, "import_site");
  }
  SUBCASE("allow_main") {
    config.allow_main = true;
    refused(config, SUBPY_ERR_NOT_PERMITTED, "allow_main");
  }
  SUBCASE("a NUL in a string") {
    config.home = std::string("/usr\0/lib", 9);
    refused(config, SUBPY_ERR_INVALID_ARGUMENT, "home");
  }
  SUBCASE("a NUL in a path") {
    config.module_search_paths = {"/", std::string("\0", 1)};
    refused(config, SUBPY_ERR_INVALID_ARGUMENT, "module_search_paths");
  }
}
