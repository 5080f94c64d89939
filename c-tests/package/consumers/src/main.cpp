// A host in C++: the versions agree, and a script runs. The header is included in two files, so
// that the linker would tell of anything in it that isn't inline.
#include <iostream>
#include <string_view>
#include <subpy.hpp>

void run_a_script(subpy::Interpreter &interpreter);

int main() {
  if (std::string_view(SUBPY_VERSION) != EXPECTED_VERSION ||
      std::string_view(subpy_version()) != EXPECTED_VERSION ||
      std::string_view(subpy_python_version()) != EXPECTED_PYTHON_VERSION) {
    std::cerr << "header " << SUBPY_VERSION << ", library " << subpy_version() << ", Python "
              << subpy_python_version() << "\n";
    return 1;
  }
  try {
    subpy::Runtime runtime;
    subpy::Interpreter interpreter;
    run_a_script(interpreter);
  } catch (const subpy::Error &error) {
    std::cerr << error.message() << "\n" << error.traceback();
    return 1;
  }
  return 0;
}
