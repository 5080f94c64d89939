/// Measures interpreters that have processes of their own, whoever makes them: subpy, or raw_processes.cpp. For subpy's
/// interpreters in its own process, too, as far as that makes sense.
///
/// A `Way` has a type `Worker`, which is copied, and:
///
///     Worker create();               ready to run, with the modules that there are to be
///     void run(Worker, const char *code);
///     void prepare(Worker);          it has the functions of data.hpp, `echo(text)` and `answer(int, str)`
///     std::int64_t add(Worker, std::int64_t, std::int64_t);
///     std::size_t echo(Worker, const std::string &text);    the length of what comes back
///     void destroy(Worker);
///     double kill(Worker);           ends an endless loop: how long until its caller knows, in nanoseconds
///     double crash(Worker);          of `os._exit(3)`, likewise
///     void look(Worker, bool);       whether both sides look for a message before they sleep, if that can be told
///     pid_t zygote();                whose children the workers are
#pragma once

#include "data.hpp"
#include "figures.hpp"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

namespace processes {

/// What is added to data::FUNCTIONS.
inline const char *const ECHO = "\ndef echo(text):\n    return text\n";
inline const char *const CRASH = "import os; os._exit(3)";
inline const char *const ENDLESS = "while True: pass";
/// Elements that the caches of a core have room for: no two workers wait for the same memory.
inline const char *const NUMPY = "import numpy\n"
                                 "a = numpy.linspace(0, 1, 10_000)\n"
                                 "for _ in range(1000):\n"
                                 "    b = numpy.sin(a) * a\n";

/// Folders that workers search for modules, too.
inline std::vector<std::string> search_paths() {
  std::vector<std::string> paths;
  const char *const all = std::getenv("PYTHONPATH");
  for (const char *rest = all ? all : ""; *rest;) {
    const std::size_t length = std::strcspn(rest, ":");
    paths.emplace_back(rest, length);
    rest += length + (rest[length] == ':');
  }
  return paths;
}

/// A number of KiB that a file of a process has, by the start of its line; the sum, if there are several lines.
inline double kib_of(pid_t process, const char *file, const char *name) {
  const std::string path = "/proc/" + std::to_string(process) + "/" + file;
  double sum = 0;
  char line[256];
  if (std::FILE *const opened = std::fopen(path.c_str(), "r")) {
    while (std::fgets(line, sizeof line, opened)) {
      if (!std::strncmp(line, name, std::strlen(name))) {
        sum += std::atof(std::strchr(line, ':') + 1);
      }
    }
    std::fclose(opened);
  }
  return sum;
}

inline double private_memory(pid_t process) { return kib_of(process, "smaps_rollup", "Private_"); }
inline double resident(pid_t process) { return kib_of(process, "status", "VmRSS"); }

/// Names in a folder that are numbers.
inline std::vector<pid_t> numbers_in(const char *folder) {
  std::vector<pid_t> numbers;
  DIR *const opened = opendir(folder);
  while (const dirent *const entry = opened ? readdir(opened) : nullptr) {
    if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9') {
      numbers.push_back(std::atoi(entry->d_name));
    }
  }
  if (opened) {
    closedir(opened);
  }
  return numbers;
}

inline std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  for (const pid_t process : numbers_in("/proc")) {
    if (kib_of(process, "status", "PPid") == parent) {
      children.push_back(process);
    }
  }
  return children;
}

inline double private_memory_of_children(pid_t parent) {
  double sum = 0;
  for (const pid_t child : children_of(parent)) {
    sum += private_memory(child);
  }
  return sum;
}

/// Both sides have gone to sleep after that.
inline void pause() { std::this_thread::sleep_for(std::chrono::microseconds(300)); }
/// What has ended is gone after that, and what was begun has settled.
inline void long_pause() { std::this_thread::sleep_for(std::chrono::milliseconds(5)); }

template <class Way> class Measuring {
public:
  Measuring(Way &way, const char *name) : way_(way), name_(name) {}

  /// Creating and destroying, few at once.
  void life(std::size_t repetitions) {
    constexpr std::size_t FEW = 5;
    for (std::size_t i = 0; i < repetitions; i++) {
      std::vector<Worker> all;
      std::vector<double> creating, destroying;
      while (all.size() < FEW) {
        creating.push_back(time_of([&] { all.push_back(way_.create()); }));
      }
      for (const Worker worker : all) {
        way_.run(worker, "x=1");
      }
      for (const Worker worker : all) {
        destroying.push_back(time_of([&] { way_.destroy(worker); }));
      }
      print("create", median(creating));
      print("destroy", median(destroying));
      long_pause();
    }
  }

  /// The memory of one, before it has run anything and after it.
  void memory(std::size_t repetitions) {
    for (std::size_t i = 0; i < repetitions; i++) {
      const Worker worker = way_.create();
      long_pause();
      print("memory", private_memory_of_children(way_.zygote()));
      way_.run(worker, "x=1");
      long_pause();
      print("memory_used", private_memory_of_children(way_.zygote()));
      way_.destroy(worker);
      long_pause();
    }
  }

  /// What one is asked to do. Each side learns whether it is of use to look for a message before it sleeps: so who is
  /// asked now and then is another one than who is asked without a pause, and that one was asked often before.
  void calls(std::size_t repetitions) {
    constexpr int MANY = 1000, FEW = 20;
    const Worker calm = way_.create(), busy = way_.create();
    for (const Worker worker : {calm, busy}) {
      way_.prepare(worker);
      way_.look(worker, worker == busy);
    }
    const std::string calls = "call(answer, " + std::to_string(MANY) + ")", text(100'000, 'x');
    for (std::size_t i = 0; i < repetitions; i++) {
      print("run_asleep", asleep([&] { way_.run(calm, "x=1"); }, FEW));
      print("call_asleep", asleep([&] { way_.add(calm, 1, 2); }, FEW));
      print("run_again", again([&] { way_.run(busy, "x=1"); }, MANY));
      print("call_again", again([&] { way_.add(busy, 1, 2); }, MANY));
      way_.run(busy, calls.c_str());
      print("host_call", time_of([&] { way_.run(busy, calls.c_str()); }) / MANY);
      print("text", again([&] { check(way_.echo(busy, text) == text.size()); }, FEW));
    }
    way_.destroy(calm);
    way_.destroy(busy);
  }

  /// Ways to end that nobody has asked the worker for.
  void ends(std::size_t repetitions) {
    for (std::size_t i = 0; i < repetitions; i++) {
      print("kill", way_.kill(way_.create()));
      const Worker worker = way_.create();
      way_.run(worker, "import os");
      print("crash", way_.crash(worker));
      long_pause();
    }
  }

  /// The same work in one worker, and in each of two at once: the time of one's share.
  void numpy(std::size_t repetitions) {
    const Worker both[] = {way_.create(), way_.create()};
    for (const Worker worker : both) {
      way_.run(worker, NUMPY);
    }
    for (std::size_t i = 0; i < repetitions; i++) {
      print("numpy", time_of([&] { way_.run(both[0], NUMPY); }), "/1");
      const double two = time_of([&] {
        std::thread other([&] { way_.run(both[1], NUMPY); });
        way_.run(both[0], NUMPY);
        other.join();
      });
      print("numpy", two / 2, "/2");
    }
  }

  /// Many that are alive at once.
  void alive(std::size_t count) {
    const std::size_t tenth = std::max<std::size_t>(count / 10, 1);
    std::vector<Worker> all;
    std::vector<double> creating, destroying;
    while (all.size() < count) {
      creating.push_back(time_of([&] { all.push_back(way_.create()); }));
    }
    long_pause();
    print("create_first", median({creating.begin(), creating.begin() + tenth}));
    print("create_many", median({creating.end() - tenth, creating.end()}));
    print("memory_many", private_memory_of_children(way_.zygote()));
    for (const Worker worker : all) {
      destroying.push_back(time_of([&] { way_.destroy(worker); }));
    }
    print("destroy_many", median({destroying.begin(), destroying.begin() + tenth}));
  }

  /// What many of them leave behind, one after another.
  void cycles(std::size_t count) {
    const auto cycle = [&] {
      const Worker worker = way_.create();
      way_.run(worker, "x=1");
      way_.destroy(worker);
    };
    const pid_t host = getpid(), zygote = way_.zygote();
    for (std::size_t i = 0; i < count / 10; i++) {
      cycle();
    }
    const double memory = resident(host), of_zygote = resident(zygote);
    const auto files = static_cast<double>(numbers_in("/proc/self/fd").size());
    const double time = time_of([&] {
      for (std::size_t i = count / 10; i < count; i++) {
        cycle();
      }
    });
    long_pause();
    print("cycle", time / static_cast<double>(count - count / 10));
    print("cycles_memory", resident(host) - memory);
    print("cycles_zygote", resident(zygote) - of_zygote);
    print("cycles_files", static_cast<double>(numbers_in("/proc/self/fd").size()) - files);
  }

  /// Measures what has this name. False: nothing has.
  bool measure(const char *what, std::size_t count) {
    const std::pair<const char *, void (Measuring::*)(std::size_t)> all[] = {
        {"life", &Measuring::life},    {"memory", &Measuring::memory}, {"calls", &Measuring::calls},
        {"ends", &Measuring::ends},    {"numpy", &Measuring::numpy},   {"alive", &Measuring::alive},
        {"cycles", &Measuring::cycles}};
    for (const auto &[name, measuring] : all) {
      if (!std::strcmp(name, what)) {
        std::fputs("{\"benchmarks\": [", stdout);
        (this->*measuring)(count);
        std::puts("\n]}");
        return true;
      }
    }
    return false;
  }

private:
  using Worker = typename Way::Worker;

  static void check(bool is) {
    if (!is) {
      std::fputs("a worker does not do what it is to do\n", stderr);
      std::exit(1);
    }
  }

  template <class Call> static double asleep(Call call, int times) {
    std::vector<double> found;
    for (int i = 0; i < times; i++) {
      pause();
      found.push_back(time_of(call));
    }
    return median(found);
  }

  /// The time of one call of many, after as many.
  template <class Call> static double again(Call call, int times) {
    const auto calls = [&] {
      for (int i = 0; i < times; i++) {
        call();
      }
    };
    calls();
    return time_of(calls) / times;
  }

  void print(const char *work, double value, const char *size = "") {
    std::printf("%s\n{\"name\": \"%s/%s%s\", \"real_time\": %.1f}", has_printed_ ? "," : "", work,
                name_, size, value);
    has_printed_ = true;
  }

  Way &way_;
  const char *name_;
  bool has_printed_ = false;
};

/// Some descriptors for each of a thousand.
inline void open_as_many_as_can_be() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

} // namespace processes
