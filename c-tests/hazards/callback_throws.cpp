// A callback of the host's that throws: through subpy.hpp, the exception comes out of run().
#include <subpy.hpp>

#include <cstdio>
#include <stdexcept>
#include <string>

static bool throws_out_of(subpy::Interpreter &interpreter, const char *code) {
  try {
    interpreter.run(code);
  } catch (const std::runtime_error &error) {
    return std::string(error.what()) == "from the host";
  }
  return false;
}

int main() {
  subpy::Runtime runtime;
  subpy::InterpreterConfig config;
  config.on_stdout = [](std::string_view) { throw std::runtime_error("from the host"); };
  config.on_stderr = [](std::string_view) { throw 42; };
  subpy::Interpreter interpreter(config);
  if (!throws_out_of(interpreter, "print('text')") ||
      !throws_out_of(interpreter, "for _ in range(1000): print('text')") ||
      !throws_out_of(interpreter, "import threading\n"
                                  "t = threading.Thread(target=print, args=('text',))\n"
                                  "t.start()\n"
                                  "t.join()\n")) {
    std::puts("the exception did not come out of run()");
    return 1;
  }
  try {
    interpreter.run("import sys; print('text', file=sys.stderr)");
    return 1;
  } catch (int number) {
    return number == 42 ? 0 : 1;
  }
}
