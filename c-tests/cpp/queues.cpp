// Queues in C++.
#include "cpp_support.hpp"

#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

TEST_CASE("values go in and come out in order") {
  subpy::Queue queue;
  queue.put(1);
  queue.put("two");
  queue.put(std::vector<double>{3, 4});
  queue.put(subpy::Value::dict({{"five", 6}}));
  CHECK(queue.size() == 4);
  CHECK(queue.get<int>() == 1);
  CHECK(queue.get<std::string>() == "two");
  CHECK(queue.get<std::vector<double>>(0ms) == std::vector<double>{3, 4});
  CHECK(queue.get()["five"].as<int>() == 6);
}

TEST_CASE("what goes wrong is an error") {
  subpy::Queue queue(1);
  CHECK(status_of([&] { queue.get(0ms); }) == SUBPY_ERR_BUSY);
  CHECK(status_of([&] { queue.get(1ms); }) == SUBPY_ERR_BUSY);
  queue.put("text");
  CHECK(status_of([&] { queue.put(2, -5ms); }) == SUBPY_ERR_BUSY);
  CHECK(status_of([&] { queue.get<int>(); }) == SUBPY_ERR_NOT_SHAREABLE);
  queue.close();
  CHECK(status_of([&] { queue.put(2); }) == SUBPY_ERR_NOT_FOUND);
  CHECK(status_of([&] { queue.get(); }) == SUBPY_ERR_NOT_FOUND);
}

TEST_CASE("copies stand for the same queue") {
  subpy::Queue queue;
  subpy::Queue copy(queue);
  const subpy::Queue *same = &copy;
  copy = *same;
  copy.put(1);
  CHECK(copy == queue);
  CHECK(queue.size() == 1);
  subpy::Queue taken(std::move(copy));
  CHECK(taken.get<int>() == 1);
  CHECK(taken != subpy::Queue());
  // As a part of a value, which keeps it.
  subpy::Value list;
  {
    subpy::Queue inner;
    inner.put("kept");
    list = subpy::Value(std::vector<subpy::Queue>{inner});
  }
  CHECK(list[0].as<subpy::Queue>().get<std::string>() == "kept");
  CHECK(status_of([&] { subpy::Value(1).as<subpy::Queue>(); }) == SUBPY_ERR_NOT_SHAREABLE);
}

TEST_CASE("a script at the other end") {
  subpy::Interpreter python;
  subpy::Queue jobs(10), results;
  python.set("jobs", jobs);
  python.set("results", results);
  std::thread worker([&] { python.run("for job in jobs: results.put(job * 2)"); });
  for (int i = 0; i < 100; i++) {
    jobs.put(i);
  }
  jobs.close();
  for (int i = 0; i < 100; i++) {
    CHECK(results.get<int>() == 2 * i);
  }
  worker.join();
  CHECK(python.get<subpy::Queue>("jobs") == jobs);
}
