#include <subpy.hpp>

void run_a_script(subpy::Interpreter &interpreter);

void run_a_script(subpy::Interpreter &interpreter) {
  interpreter.run("import datetime, zlib; print('a script ran')");
}
