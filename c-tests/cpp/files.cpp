// Programs in files, imports, modules from memory, arguments and stdin.

#include "cpp_support.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include <unistd.h>

/// A file with a program, which is removed at the end.
class ProgramFile {
public:
  explicit ProgramFile(const char *code) {
    const int file = mkstemp(path_);
    REQUIRE(file >= 0);
    REQUIRE(write(file, code, std::strlen(code)) == static_cast<ssize_t>(std::strlen(code)));
    close(file);
  }
  ~ProgramFile() { unlink(path_); }

  const char *path() const { return path_; }

private:
  char path_[32] = "/tmp/subpy-program-XXXXXX";
};

TEST_CASE("a file, with arguments, in a namespace, with a limit") {
  subpy::InterpreterConfig config;
  config.argv = {"app", "-v"};
  subpy::Interpreter python(std::move(config));
  const ProgramFile file("import sys\narguments = sys.argv[1:]\nname = __name__");
  python.run_file(file.path());
  CHECK(python.get<std::vector<std::string>>("arguments") == std::vector<std::string>{"-v"});
  subpy::FileOptions options;
  options.argv = std::vector<std::string>{};
  python.run_file(file.path(), options);
  CHECK(python.get<std::vector<std::string>>("arguments").empty());
  options.argv = {"one", ""};
  python.run_file(file.path(), options);
  CHECK(python.get<std::vector<std::string>>("arguments") == std::vector<std::string>{"one", ""});
  python.add_namespace("plugin");
  options.in_namespace = "plugin";
  python.run_file(file.path(), options);
  CHECK(python.eval<std::string>("__import__('plugin').name") == "plugin");

  const ProgramFile endless("while True: pass");
  subpy::FileOptions limited;
  limited.timeout = std::chrono::milliseconds(50);
  limited.kill_after = std::chrono::milliseconds::max(); // a slow machine is no reason to kill it
  CHECK(error_of([&] { python.run_file(endless.path(), limited); }).status() == SUBPY_ERR_TIMEOUT);
  CHECK(error_of([&] { python.run_file("/no/such/file"); }).status() == SUBPY_ERR_NOT_FOUND);
}

TEST_CASE("modules") {
  subpy::Interpreter python;
  python.import_module("email.message");
  CHECK(error_of([&] { python.import_module("no_such"); }).status() == SUBPY_ERR_NOT_FOUND);
  python.add_module("app.settings", "debug = True", "settings.py");
  python.run("from app.settings import debug, __file__ as file");
  CHECK(python.get<bool>("debug"));
  CHECK(python.get<std::string>("file") == "settings.py");
  CHECK(error_of([&] { python.add_module("a b", ""); }).status() == SUBPY_ERR_INVALID_ARGUMENT);
  subpy::Runtime().add_module("of_all", "n = 3");
  CHECK(subpy::Interpreter().eval<int>("__import__('of_all').n") == 3);
  CHECK(python.eval<bool>("__import__('importlib.util').util.find_spec('of_all') is None"));
}

TEST_CASE("stdin") {
  std::string text = "one\ntwo";
  subpy::InterpreterConfig config;
  config.on_stdin = [&](char *buffer, std::size_t length) {
    const std::size_t n = text.copy(buffer, length);
    text.erase(0, n);
    return n;
  };
  subpy::Interpreter python(std::move(config));
  CHECK(python.eval<std::vector<std::string>>("[input(), input()]") ==
        std::vector<std::string>{"one", "two"});

  subpy::InterpreterConfig throwing;
  throwing.on_stdin = [](char *, std::size_t) -> std::size_t { throw std::runtime_error("no"); };
  subpy::Interpreter other(std::move(throwing));
  CHECK_THROWS(other.run("import sys; assert sys.stdin.read() == ''"));
  CHECK_NOTHROW(other.run("x = 1"));
}

TEST_CASE("search paths") {
  subpy::InterpreterConfig config;
  config.search_paths = {"/tmp"};
  CHECK(subpy::Interpreter(std::move(config)).eval<std::string>("__import__('sys').path[0]") ==
        "/tmp");
  config.search_paths = {"/no/such/folder"};
  CHECK(error_of([&] { subpy::Interpreter{std::move(config)}; }).status() ==
        SUBPY_ERR_INVALID_ARGUMENT);
}
