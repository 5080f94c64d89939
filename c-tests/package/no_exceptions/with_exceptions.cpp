// The part of no_exceptions.cpp that is compiled with exceptions: one program can have both.
#include <stdexcept>

#include <subpy.hpp>

#ifndef __cpp_exceptions
#error "this file is to be compiled with exceptions"
#endif

subpy_status run_with_exceptions(subpy_id id, const char *code);

static int fail(int) { throw std::out_of_range("far"); }

subpy_status run_with_exceptions(subpy_id id, const char *code) {
  subpy::Interpreter python = subpy::Interpreter::adopt(id);
  subpy_status status = SUBPY_OK;
  try {
    python.define("host", "fail", fail);
    python.run("import host\n"
               "try: host.fail(1)\n"
               "except IndexError as e: assert e.args == ('far',)\n"
               "else: assert False\n");
    python.run(code);
  } catch (const subpy::Error &error) {
    status = error.status();
  }
  static_cast<void>(python.release());
  return status;
}
