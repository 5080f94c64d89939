// Parses every source file of Python's standard library, in one interpreter and then in several at
// once, and shows what was found and how much faster that was.
//
//   stdlib_parse [--interpreters N]

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <fstream>
#include <future>
#include <limits>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

#include <subpy.hpp>

namespace {

// Prints the standard library's directory, then the path of each source file in it.
constexpr std::string_view LIST_FILES = R"py(
import os, sysconfig
stdlib = sysconfig.get_path('stdlib')
print(stdlib)
for directory, subdirectories, names in os.walk(stdlib):
    for other in {'site-packages', 'dist-packages', '__pycache__'} & set(subdirectories):
        subdirectories.remove(other)
    subdirectories.sort()
    for name in sorted(names):
        if name.endswith('.py'):
            print(os.path.join(directory, name))
)py";

// Run once in each interpreter that parses.
constexpr std::string_view DEFINE_PARSE = R"py(
import ast, warnings
warnings.simplefilter('ignore')  # tests of the standard library are full of what is warned about

def parse(path):
    with open(path, 'rb') as file:
        source = file.read()
    functions = classes = 0
    for node in ast.walk(ast.parse(source, path)):
        functions += isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        classes += isinstance(node, ast.ClassDef)
    print(len(source.splitlines()), functions, classes)
)py";

struct Library {
  std::string directory;
  std::vector<std::string> files;
};

/// What parsing one file came to.
struct Result {
  std::size_t lines = 0, functions = 0, classes = 0;
  std::string error; // empty if it was parsed

  bool operator==(const Result &other) const {
    return lines == other.lines && functions == other.functions && classes == other.classes &&
           error == other.error;
  }
};

/// What parsing all files came to.
struct Pass {
  std::vector<Result> results; // one for each file, in their order
  double wall_time = 0;        // in seconds
  double cpu_time = 0;         // of all threads together: about wall_time times the cores in use
};

/// A bar on the terminal; nothing if standard output is no terminal.
class ProgressBar {
public:
  ProgressBar(std::string title, std::size_t steps) : title_(std::move(title)), steps_(steps) {}

  ~ProgressBar() {
    if (terminal_) {
      std::printf("\r\033[K");
      std::fflush(stdout);
    }
  }

  /// One step is done. Any thread may say so.
  void advance() {
    const std::lock_guard<std::mutex> lock(mutex_);
    const std::size_t before = done_ * 100 / steps_;
    const std::size_t percent = ++done_ * 100 / steps_;
    if (terminal_ && percent != before) {
      const std::string bar(percent * WIDTH / 100, '#');
      std::printf("\r%s [%-*s] %3zu %%", title_.c_str(), int{WIDTH}, bar.c_str(), percent);
      std::fflush(stdout);
    }
  }

private:
  static constexpr int WIDTH = 40;

  const std::string title_;
  const std::size_t steps_;
  const bool terminal_ = isatty(STDOUT_FILENO);
  std::size_t done_ = 0;
  std::mutex mutex_;
};

/// An interpreter whose output is appended to `output`.
subpy::Interpreter interpreter_writing_to(std::string &output) {
  subpy::InterpreterConfig config;
  config.on_stdout = [&output](std::string_view text) { output += text; };
  return subpy::Interpreter(std::move(config));
}

Library find_library() {
  std::string output;
  interpreter_writing_to(output).run(LIST_FILES);
  std::istringstream lines(output);
  Library library;
  std::getline(lines, library.directory);
  for (std::string line; std::getline(lines, line);) {
    library.files.push_back(line);
  }
  return library;
}

/// Reads all files once, so that no pass has to wait for the disk.
void warm_up(const Library &library) {
  for (const std::string &path : library.files) {
    std::ifstream file(path, std::ios::binary);
    file.ignore(std::numeric_limits<std::streamsize>::max());
  }
}

/// A string as Python source.
std::string as_literal(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') {
      result += '\\';
    }
    result += c;
  }
  return result + "'";
}

std::string interpreters(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " interpreter" : " interpreters");
}

/// Parses one file after the other, until there is no next one.
void work(const Library &library, std::atomic<std::size_t> &next, Pass &pass, ProgressBar &bar) {
  std::string output;
  subpy::Interpreter interpreter = interpreter_writing_to(output);
  interpreter.run(DEFINE_PARSE);
  for (std::size_t i = next++; i < library.files.size(); i = next++) {
    Result &result = pass.results[i];
    output.clear();
    try {
      interpreter.run("parse(" + as_literal(library.files[i]) + ")");
      std::istringstream(output) >> result.lines >> result.functions >> result.classes;
    } catch (const subpy::Error &error) {
      if (error.status() != SUBPY_ERR_EXCEPTION) {
        throw;
      }
      result.error = error.what();
    }
    bar.advance();
  }
  interpreter.destroy();
}

/// Parses all files, in `count` interpreters at once, each in a thread of its own.
Pass parse_all(const Library &library, std::size_t count) {
  Pass pass;
  pass.results.resize(library.files.size());
  ProgressBar bar("Parsing in " + interpreters(count), library.files.size());
  std::atomic<std::size_t> next{0};
  const auto start = std::chrono::steady_clock::now();
  const std::clock_t cpu_start = std::clock();
  std::vector<std::future<void>> workers;
  for (std::size_t i = 0; i < count; ++i) {
    workers.push_back(std::async(std::launch::async, [&] { work(library, next, pass, bar); }));
  }
  for (std::future<void> &worker : workers) {
    worker.get(); // throws what the worker has thrown
  }
  const std::chrono::duration<double> wall_time = std::chrono::steady_clock::now() - start;
  pass.wall_time = wall_time.count();
  pass.cpu_time = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
  return pass;
}

std::size_t sum(const Pass &pass, std::size_t Result::*what) {
  std::size_t total = 0;
  for (const Result &result : pass.results) {
    total += result.*what;
  }
  return total;
}

std::size_t failures(const Pass &pass) {
  return static_cast<std::size_t>(
      std::count_if(pass.results.begin(), pass.results.end(),
                    [](const Result &result) { return !result.error.empty(); }));
}

void show(const Library &library, const Pass &one, const Pass &all, std::size_t count) {
  const auto row = [](const char *name, std::size_t a, std::size_t b) {
    std::printf("%-12s %16zu %16zu\n", name, a, b);
  };
  std::printf("%-12s %16s %16s\n", "", interpreters(1).c_str(), interpreters(count).c_str());
  row("files", one.results.size(), all.results.size());
  row("lines", sum(one, &Result::lines), sum(all, &Result::lines));
  row("functions", sum(one, &Result::functions), sum(all, &Result::functions));
  row("classes", sum(one, &Result::classes), sum(all, &Result::classes));
  row("failed", failures(one), failures(all));
  std::printf("%-12s %14.2f s %14.2f s\n", "CPU time", one.cpu_time, all.cpu_time);
  std::printf("%-12s %14.2f s %14.2f s\n", "wall time", one.wall_time, all.wall_time);
  std::printf("%-12s %16s %15.2fx\n", "speed-up", "", one.wall_time / all.wall_time);

  std::printf("\nWhat failed:\n");
  for (std::size_t i = 0; i < library.files.size(); ++i) {
    if (!all.results[i].error.empty()) {
      std::printf("  %s\n    %s\n", library.files[i].c_str() + library.directory.size() + 1,
                  all.results[i].error.c_str());
    }
  }
}

/// How many interpreters the command line asks for.
std::size_t parse_options(int argc, char **argv) {
  if (argc == 1) {
    return std::max(1U, std::thread::hardware_concurrency());
  }
  if (argc == 3 && std::string_view(argv[1]) == "--interpreters") {
    const int count = std::atoi(argv[2]);
    if (count > 0) {
      return static_cast<std::size_t>(count);
    }
  }
  throw std::invalid_argument("usage: stdlib_parse [--interpreters N]");
}

} // namespace

int main(int argc, char **argv) {
  try {
    const std::size_t count = parse_options(argc, argv);
    const subpy::Runtime runtime;
    const Library library = find_library();
    std::printf("Python %s, %s\n", subpy::python_version().data(), library.directory.c_str());
    if (!subpy::supports(SUBPY_FEATURE_OWN_GIL)) {
      std::printf("Before Python 3.12 all interpreters share one GIL: they take turns, and the "
                  "speed-up is about 1.\n");
    }
    std::printf("\n");
    warm_up(library);
    const Pass one = parse_all(library, 1);
    const Pass all = parse_all(library, count);
    show(library, one, all, count);
    if (!(one.results == all.results)) {
      std::fprintf(stderr, "stdlib_parse: the two passes have different results\n");
      return 1;
    }
  } catch (const std::exception &error) {
    std::fprintf(stderr, "stdlib_parse: %s\n", error.what());
    return 1;
  }
}
