// That the host does what its README says, whatever its plugins do. Nothing in here waits for time
// to pass, but for the time limit of one plugin.
//
//   test_plugin_host FOLDER      a folder of its own, which is emptied

#include "host.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <thread>

namespace fs = std::filesystem;

#define CHECK(condition)                                                                           \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                 \
      std::exit(1);                                                                                \
    }                                                                                              \
  } while (0)

static fs::path folder;

/// Writes a plugin. Its file is newer then than it ever was, however fast the clock of the disk is.
static void write(const std::string &name, const std::string &source) {
  static fs::file_time_type last = fs::file_time_type::clock::now();
  const fs::path file = folder / (name + ".py");
  std::ofstream(file) << source;
  last += std::chrono::seconds(1);
  fs::last_write_time(file, last);
}

static void empty_folder() {
  fs::remove_all(folder);
  fs::create_directories(folder);
}

/// What each plugin has said.
using Said = std::map<std::string, std::string>;

static Host::Log into(Said &said) {
  return [&said](const std::string &plugin, std::string_view text) { said[plugin] += text; };
}

static bool contains(const std::string &text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

static subpy::Value event(int n) { return subpy::Value::dict({{"kind", "tick"}, {"n", n}}); }

/// Time enough for what ends, on a machine that is busy.
static Limits patient() {
  Limits limits;
  limits.time = std::chrono::minutes(10);
  limits.load_time = std::chrono::minutes(10);
  return limits;
}

static void test_events_from_several_threads() {
  empty_folder();
  write("a", "seen = []\n"
             "def on_event(event):\n"
             "  seen.append(event['n'])\n"
             "  if len(seen) == 400: print(sorted(seen) == list(range(400)))\n");
  write("b", "import host\n"
             "def on_event(event): host.log('!')\n");
  Said said;
  Host host(folder, {}, into(said), patient());
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++) {
    threads.emplace_back([&host, i] {
      for (int n = 0; n < 100; n++) {
        host.send(event(100 * i + n));
      }
    });
  }
  for (std::thread &thread : threads) {
    thread.join();
  }
  CHECK(said["a"] == "True\n");
  CHECK(said["b"] == std::string(400, '!'));
  CHECK(host.plugin("a").counts().events == 400);
}

static void test_published_events_go_to_the_others() {
  empty_folder();
  write("a", "import host\n"
             "def on_event(event):\n"
             "  if event['kind'] == 'tick': host.publish('news', [event['n'], {'k': None}])\n"
             "  else: host.log('own')\n");
  write("b", "def on_event(event):\n"
             "  if event['kind'] == 'news': print(event)\n");
  Said said;
  Host host(folder, {}, into(said), patient());
  host.send(event(7));
  host.deliver_published();
  CHECK(said["a"].empty());
  CHECK(said["b"] == "{'kind': 'news', 'from': 'a', 'data': [7, {'k': None}]}\n");
}

static void test_the_table_is_shared_and_read_only() {
  empty_folder();
  write("a", "import host\ntable = host.table()\n"
             "assert table.readonly and table.tolist() == [1.0, 2.0]\n"
             "def on_event(event): table[0] = 5.0\n");
  write("b", "import host\nassert sum(host.table()) == 3.0\ndef on_event(event): pass\n");
  Said said;
  Host host(folder, {1, 2}, into(said), patient());
  host.send(event(0));
  CHECK(contains(said["a"], "TypeError: cannot modify read-only memory"));
  CHECK(said["b"].empty());
}

static void test_one_that_raises() {
  empty_folder();
  write("a", "def on_event(event):\n"
             "  if event['n'] % 2: raise ValueError('odd')\n");
  write("b", "import sys\ndef on_event(event): sys.exit(3)\n");
  Said said;
  Host host(folder, {}, into(said), patient());
  for (int n = 0; n < 4; n++) {
    host.send(event(n));
  }
  CHECK(host.plugin("a").counts().events == 2);
  CHECK(host.plugin("a").counts().failures == 2);
  CHECK(host.plugin("a").counts().restarts == 0);
  CHECK(contains(said["a"], "a.py\", line 2, in on_event\n"));
  CHECK(contains(said["a"], "ValueError: odd\n"));
  CHECK(host.plugin("b").counts().failures == 4);
}

static void test_one_that_loops_for_ever() {
  empty_folder();
  write("a", "state = []\n"
             "def on_event(event):\n"
             "  state.append(event['n'])\n"
             "  print(state)\n"
             "  while event['n'] == 2:\n"
             "    try: sum(state)\n"
             "    except Exception: pass\n");
  write("b", "def on_event(event): print(event['n'])\n");
  Said said;
  Limits limits = patient();
  limits.time = std::chrono::seconds(1);
  Host host(folder, {}, into(said), limits);
  for (int n = 1; n <= 3; n++) {
    host.send(event(n));
  }
  CHECK(host.plugin("a").counts().failures == 1);
  CHECK(host.plugin("a").counts().restarts == 1);
  CHECK(contains(said["a"], "[1]\n[1, 2]\n"));
  CHECK(contains(said["a"], "KeyboardInterrupt"));
  CHECK(contains(said["a"], "\n[3]\n")); // in a new interpreter
  CHECK(said["b"] == "1\n2\n3\n");
}

static void test_one_that_leaks() {
  empty_folder();
  write("a", "kept = []\n"
             "def on_event(event):\n"
             "  kept.append(bytearray(8 << 20))\n");
  Said said;
  Limits limits = patient();
  limits.memory = 32 << 20;
  Host host(folder, {}, into(said), limits);
  for (int n = 0; n < 12; n++) {
    host.send(event(n));
  }
  const Plugin::Counts counts = host.plugin("a").counts();
  CHECK(counts.events + counts.failures == 12);
  if (subpy::supports(SUBPY_FEATURE_MEMORY_ACCOUNTS)) {
    CHECK(counts.restarts >= 2);
    CHECK(counts.restarts == counts.failures);
    CHECK(contains(said["a"], "MemoryError"));
  }
}

static void test_a_file_that_changes() {
  empty_folder();
  write("a", "def on_event(event): print('first')\n");
  Said said;
  Host host(folder, {}, into(said), patient());
  const auto says = [&] {
    said["a"].clear();
    host.send(event(0));
    return said["a"];
  };
  CHECK(says() == "first\n");
  CHECK(says() == "first\n");
  CHECK(host.plugin("a").counts().reloads == 0);
  write("a", "def on_event(event): print('after')\n");
  CHECK(says() == "after\n");
  CHECK(host.plugin("a").counts().reloads == 1);

  // One that can't be loaded: the last one that could stays.
  write("a", "def on_event(event) print('broken')\n");
  const std::string broken = says();
  CHECK(contains(broken, "SyntaxError"));
  CHECK(contains(broken, "after\n"));
  CHECK(says() == "after\n"); // it is not tried again
  fs::remove(folder / "a.py");
  CHECK(contains(says(), "after\n"));
  write("a", "def on_event(event): print('again')\n");
  CHECK(says() == "again\n");
}

static void test_one_that_can_not_be_loaded_at_first() {
  empty_folder();
  write("a", "1 / 0");
  Said said;
  Host host(folder, {}, into(said), patient());
  CHECK(contains(said["a"], "ZeroDivisionError"));
  host.send(event(0));
  CHECK(host.plugin("a").counts().events == 0);
  write("a", "def on_event(event): pass");
  host.send(event(0));
  CHECK(host.plugin("a").counts().events == 1);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  folder = argv[1];
  subpy::RuntimeConfig config;
  config.account_memory = subpy::supports(SUBPY_FEATURE_MEMORY_ACCOUNTS);
  subpy::Runtime runtime(config);
  test_events_from_several_threads();
  test_published_events_go_to_the_others();
  test_the_table_is_shared_and_read_only();
  test_one_that_raises();
  test_one_that_loops_for_ever();
  test_one_that_leaks();
  test_a_file_that_changes();
  test_one_that_can_not_be_loaded_at_first();
  runtime.finalize();
}
