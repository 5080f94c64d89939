/// What the benchmarks of data share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace data {

/// Run once in each interpreter.
inline const char *const FUNCTIONS = "def add(a, b):\n"
                                     "    return a + b\n"
                                     "\n"
                                     "floats = [n / 2 for n in range(1000)]\n"
                                     "\n"
                                     "def handle(event):\n"
                                     "    return floats\n"
                                     "\n"
                                     "def loop(n):\n"
                                     "    for i in range(n):\n"
                                     "        pass\n"
                                     "\n"
                                     "def call(f, n):\n"
                                     "    for i in range(n):\n"
                                     "        f(i, 'text')\n";

constexpr std::size_t FLOATS = 1000;

/// An event of ten entries.
inline const std::map<std::string, std::int64_t> &event() {
  static const std::map<std::string, std::int64_t> event = [] {
    std::map<std::string, std::int64_t> made;
    for (int i = 0; i < 10; i++) {
      made["entry" + std::to_string(i)] = i;
    }
    return made;
  }();
  return event;
}

/// How often a script calls a host function while the clock runs; the time is that of one call.
constexpr int CALLS = 10'000;

/// 100 MB.
inline std::vector<char> &large() {
  static std::vector<char> memory(100'000'000, 'x');
  return memory;
}

} // namespace data
