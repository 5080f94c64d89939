// A host in C++: as main.c. The header is included in two files, so that the linker would tell of
// anything in it that isn't inline.
#include <filesystem>
#include <iostream>
#include <string_view>
#include <subpy.hpp>

void run_a_script(subpy::Interpreter &interpreter);

int main(int argc, char **argv) {
  subpy::worker_main(argc, argv);
  if (std::string_view(SUBPY_VERSION) != EXPECTED_VERSION ||
      std::string_view(subpy_version()) != EXPECTED_VERSION ||
      std::string_view(subpy_python_version()) != EXPECTED_PYTHON_VERSION) {
    std::cerr << "header " << SUBPY_VERSION << ", library " << subpy_version() << ", Python "
              << subpy_python_version() << "\n";
    return 1;
  }
  try {
    subpy::RuntimeConfig config;
    if (argc > 1) {
      config.worker = std::filesystem::canonical("/proc/self/exe").string();
    }
    subpy::Runtime runtime(config);
    for (const subpy::Backend backend : {subpy::Backend::local, subpy::Backend::process}) {
      subpy::InterpreterConfig in_backend;
      in_backend.backend = backend;
      subpy::Interpreter interpreter(in_backend);
      run_a_script(interpreter);
    }
  } catch (const subpy::Error &error) {
    std::cerr << error.message() << "\n" << error.traceback();
    return 1;
  }
  return 0;
}
