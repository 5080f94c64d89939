// Loads the plugins of a folder, sends them events from several threads, and shows what became of
// each.
//
//   plugin_host [FOLDER]

#include "host.hpp"

#include <cstdio>
#include <exception>
#include <string>
#include <thread>
#include <vector>

static constexpr int THREADS = 3, EVENTS = 4;

static void print(const std::string &plugin, std::string_view text) {
  const bool ended = !text.empty() && text.back() == '\n';
  std::printf("[%s] %.*s%s", plugin.c_str(), static_cast<int>(text.size()), text.data(),
              ended ? "" : "\n");
}

static void send_events(Host &host, int thread) {
  for (int n = 0; n < EVENTS; n++) {
    host.send(subpy::Value::dict({{"kind", "tick"}, {"thread", thread}, {"n", n}}));
  }
}

int main(int argc, char **argv) {
  try {
    subpy::RuntimeConfig config;
    config.account_memory = subpy::supports(SUBPY_FEATURE_MEMORY_ACCOUNTS);
    const subpy::Runtime runtime(config);
    Host host(argc > 1 ? argv[1] : "plugins", std::vector<double>{1.5, 2.5, 3.5}, print);

    std::vector<std::thread> threads;
    for (int i = 0; i < THREADS; i++) {
      threads.emplace_back([&host, i] { send_events(host, i); });
    }
    for (std::thread &thread : threads) {
      thread.join();
    }
    host.deliver_published();

    std::printf("\n%-10s %8s %8s %8s\n", "plugin", "handled", "failed", "restarts");
    for (const auto &plugin : host.plugins()) {
      const Plugin::Counts counts = plugin->counts();
      std::printf("%-10s %8d %8d %8d\n", plugin->name().c_str(), counts.events, counts.failures,
                  counts.restarts);
    }
    std::printf("Python %s: the host is well.\n", subpy::python_version().data());
  } catch (const std::exception &error) {
    std::fprintf(stderr, "plugin_host: %s\n", error.what());
    return 1;
  }
}
