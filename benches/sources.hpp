/// The programs that all ways run.
#pragma once

#include <array>
#include <string>

namespace sources {

inline const char *const SHORT = "x=1";

/// How many short strings a host runs in turn.
constexpr int TURNS = 16;

inline std::string short_number(int i) { return "x" + std::to_string(i) + "=1"; }

/// A script of 100 KB: 25 functions of 4 KB, so that running it is quick and compiling it is not.
inline std::string large(int number = 0) {
  std::string text = "# script " + std::to_string(number) + "\n";
  for (int function = 0; text.size() < 100'000; function++) {
    text += "def function_" + std::to_string(function) + "(a, b):\n";
    for (int line = 0; line < 100; line++) {
      text += "    a = (a * 31 + b) % 1000003  # " + std::to_string(line) + "\n";
    }
    text += "    return a\n";
  }
  return text;
}

/// Some 10 ms of pure Python.
inline const char *const BUSY = "s = 0\n"
                                "for i in range(200000):\n"
                                "    s = (s * 31 + i) % 1000003\n";

/// Some 150,000 blocks of memory, each of which is freed soon.
inline const char *const ALLOCATES = "x = [(i, str(i), [i]) for i in range(10000)]\n"
                                     "d = {str(i): {} for i in range(5000)}\n";

/// Programs that nobody has run before, each the same work.
class Fresh {
public:
  /// The next one; valid until the next call.
  const std::string &next() {
    text_ = "x=" + std::to_string(++number());
    return text_;
  }

private:
  static long &number() {
    static long last = 1'000'000'000; // one width for all
    return last;
  }

  std::string text_;
};

} // namespace sources
