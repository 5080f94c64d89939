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

TEST_CASE("frames, in the order in which they were entered") {
  const subpy::Error error = error_of_run("def f(x):\n  return x / 0\nf(\n  1)");
  const std::vector<subpy::Frame> frames = error.frames();
  REQUIRE(frames.size() == 2);
  CHECK(error.frames_left_out() == 0);
  CHECK(frames[0].function == "<module>");
  CHECK(frames[0].line == 3);
  CHECK(frames[0].file == "<string>");
  CHECK(frames[1].function == "f");
  CHECK(frames[1].line == 2);
  CHECK(frames[1].source == "  return x / 0");
  if (frames[1].column != 0) { // 3.11 and later
    CHECK(frames[1].column == 10);
    CHECK(frames[1].end_line == 2);
    CHECK(frames[1].end_column == 15);
    CHECK(frames[0].end_line == 4);
  }
  CHECK(error_of_run("def f(n): f(n + 1)\nf(0)").frames_left_out() > 0);

  const subpy::Error broken = error_of_run("x = = 1");
  const std::vector<subpy::Frame> place = broken.frames();
  REQUIRE(place.size() == 1);
  CHECK(place[0].function.empty());
  CHECK(place[0].line == 1);
  CHECK(place[0].column == 5);
  CHECK(place[0].source == "x = = 1");
}

TEST_CASE("causes and contexts are errors of their own") {
  std::optional<subpy::Error> inner;
  {
    const subpy::Error error =
        error_of_run("try:\n  try: {}['k']\n"
                     "  except KeyError: 1 / 0\n"
                     "except Exception as e:\n  raise LookupError('looked') from e");
    CHECK_FALSE(error.context());
    const std::optional<subpy::Error> cause = error.cause();
    REQUIRE(cause);
    CHECK(std::string_view(cause->what()) == "ZeroDivisionError: division by zero");
    CHECK(cause->traceback().empty());
    CHECK_FALSE(cause->cause());
    inner = cause->context();
  }
  REQUIRE(inner); // and what it says is there as long as it
  CHECK(inner->status() == SUBPY_ERR_EXCEPTION);
  CHECK(inner->type() == "KeyError");
  CHECK(inner->frames().size() == 1);
  CHECK(inner->args()[0].as<std::string>() == "k");
}

TEST_CASE("groups and notes") {
  const subpy::Error error =
      error_of_run("e = ValueError('one')\ne.__notes__ = ['first', 'second']\n"
                   "try: ExceptionGroup\n"
                   "except NameError: raise ImportError from None\n"
                   "raise ExceptionGroup('both', [e, KeyError('k')])");
  if (error.type() == "ImportError") {
    CHECK(error.group().empty());
    return; // 3.10
  }
  CHECK(error.notes().empty());
  const std::vector<subpy::Error> group = error.group();
  REQUIRE(group.size() == 2);
  CHECK(std::string_view(group[0].what()) == "ValueError: one");
  CHECK(group[0].notes() == std::vector<std::string_view>{"first", "second"});
  CHECK(group[1].type() == "KeyError");
}

TEST_CASE("arguments") {
  const subpy::Error error = error_of_run("raise ValueError(1, 'two', object)");
  const subpy::View args = error.args();
  REQUIRE(args.size() == 3);
  CHECK(args[0].as<int>() == 1);
  CHECK(args[1].as<std::string_view>() == "two");
  CHECK(args[2].as<std::string_view>() == "<class 'object'>");
}

TEST_CASE("what is no exception has none of it") {
  for (const subpy::Error &error :
       {subpy::Error(SUBPY_ERR_BUSY, "busy"), subpy::Error(subpy::PythonError("KeyError", "k")),
        error_of([] { subpy::Interpreter::adopt(1000000).run("1"); })}) {
    CHECK(error.frames().empty());
    CHECK(error.frames_left_out() == 0);
    CHECK_FALSE(error.cause());
    CHECK_FALSE(error.context());
    CHECK(error.group().empty());
    CHECK(error.notes().empty());
    CHECK(error.args().is_none());
    CHECK(error.exit_code() == 0);
    CHECK(error.signal() == 0);
  }
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
