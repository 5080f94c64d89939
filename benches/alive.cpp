#include "alive.hpp"
#include "figures.hpp"
#include "ways.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <unistd.h>
#include <vector>

namespace {

void start_subpy(bool import_site) {
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.import_site = import_site;
  check(subpy_initialize(&config, nullptr));
}

/// The process's resident memory in KiB.
double resident() {
  long size = 0, pages = 0;
  if (std::FILE *const file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%ld %ld", &size, &pages) != 2) {
      pages = 0;
    }
    std::fclose(file);
  }
  return static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1024;
}

/// `create` and `destroy` count the first ones and the last ones in, a tenth of all.
template <class Create, class Destroy>
void measure(const char *way, std::size_t count, Create create, Destroy destroy) {
  using Handle = decltype(create());
  const std::size_t tenth = std::max<std::size_t>(count / 10, 1);
  std::vector<Handle> all;
  std::vector<double> creating, destroying;
  double before = 0;
  for (std::size_t i = 0; i < count; i++) {
    if (i == tenth) {
      before = resident();
    }
    creating.push_back(time_of([&] { all.push_back(create()); }));
  }
  const double memory = (resident() - before) / static_cast<double>(count - tenth);
  for (Handle &one : all) {
    destroying.push_back(time_of([&] { destroy(one); }));
  }
  const auto print = [&](const char *work, double value, const char *unit, const char *end) {
    std::printf("{\"name\": \"%s/%s\", \"real_time\": %.1f, \"time_unit\": \"%s\"}%s\n", work, way,
                value, unit, end);
  };
  std::puts("{\"benchmarks\": [");
  print("create_few", median({creating.begin(), creating.begin() + tenth}), "ns", ",");
  print("create_many", median({creating.end() - tenth, creating.end()}), "ns", ",");
  print("destroy_many", median({destroying.begin(), destroying.begin() + tenth}), "ns", ",");
  print("idle_memory", memory, "KiB", "]}");
}

/// Uses as much memory as `count` interpreters take, and gives it back. What a virtual machine has
/// not used lately comes from its host first, page by page, which takes as long as creating an
/// interpreter.
void fetch_memory(std::size_t count) {
  constexpr std::size_t each = std::size_t{3} << 20;
  std::vector<char>(count * each, 1);
}

} // namespace

int alive(int count, char **arguments) {
  if (count < 2) {
    std::fputs("alive raw|subpy COUNT [no-site]\n", stderr);
    return 2;
  }
  const bool import_site = count < 3;
  const auto interpreters = static_cast<std::size_t>(std::atol(arguments[1]));
  fetch_memory(interpreters);
  if (!std::strcmp(arguments[0], "raw")) {
    raw::start(import_site);
    measure("raw", interpreters, raw::create, raw::destroy);
  } else {
    start_subpy(import_site);
    measure("subpy", interpreters, create, [](subpy_id id) { check(subpy_destroy(id, nullptr)); });
  }
  return 0;
}
