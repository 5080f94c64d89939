/*
 * Runs that wait in C and compute there, interrupted at random times: by limits, by another thread, and by a signal
 * handler. Each interpreter that they are in has two threads: one that runs, and one that interrupts.
 *
 *   waits [-s SECONDS] [-n INTERRUPTS] [-r SEED]
 *
 * It fails on a crash, a wait that does not end, a status that should not be, and an interpreter that does not work
 * afterwards: a lock that is left taken, data that is lost.
 */
#include "random.h"

#include <subpy.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <random>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

enum { THREADS = 4, HANG_S = 60 };

const char setup[] = R"(
import asyncio, concurrent.futures, multiprocessing, os, queue, re, select, socket, threading, time
lock, rlock, condition = threading.Lock(), threading.RLock(), threading.Condition()
event, semaphore, q, simple = threading.Event(), threading.Semaphore(0), queue.Queue(1), queue.SimpleQueue()
a, b = socket.socketpair()
r, w = os.pipe()
future = concurrent.futures.Future()

def locked():
    with lock: lock.acquire()

def waits_for_two():
    with rlock, condition: condition.wait()

def full():
    while True: q.put(1)

def short():
    while True:
        with lock: time.sleep(0.00001)
        with condition: condition.wait(0.00001)
        try: q.get(timeout=0.00001)
        except queue.Empty: q.put(1)

def counted():
    # What is sent is received, or can still be.
    global sent, received
    while True:
        sent += 1
        b.send(b'x')
        received += len(a.recv(1))

sent = received = 0

def loops(n):
    global entered, exited
    entered += 1
    try:
        if n % 3 == 0:
            while not n < 0: n += 3
        elif n % 3 == 1:
            while True:
                if n < 0: break
        else:
            while True: pass
    finally:
        exited += 1

entered = exited = 0

def in_finally():
    try: event.wait()
    finally:
        with lock: time.sleep(60)

def thread():
    t = threading.Thread(target=time.sleep, args=(0.0001,))
    t.start()
    t.join()
    thread()

def check():
    assert lock.acquire(False); lock.release()
    assert rlock.acquire(False); rlock.release()
    assert condition.acquire(False); condition.release()
    assert condition._waiters == type(condition._waiters)()
    with q.mutex: pass
    while not q.empty(): q.get()
    # An interrupt may come between two lines of counted().
    a.setblocking(False)
    try: left = len(a.recv(100))
    except BlockingIOError: left = 0
    a.setblocking(True)
    global sent, received
    assert received + left in (sent - 2, sent - 1, sent), (sent, received, left)
    sent = received = 0
    assert entered == exited, (entered, exited)
)";

const char *const waits[] = {
    "time.sleep(60)",
    "event.wait()",
    "locked()",
    "waits_for_two()",
    "full()",
    "short()",
    "counted()",
    "loops(0)",
    "loops(1)",
    "loops(2)",
    "in_finally()",
    "thread()",
    "semaphore.acquire()",
    "simple.get()",
    "future.result()",
    "a.recv(1)",
    "os.read(r, 1)",
    "select.select([r], [], [])",
    "asyncio.run(asyncio.sleep(60))",
    "re.match('(a+)+b', 'a' * 40)",
    "7 ** 7 ** 9",
    "while True: pass",
};

std::atomic<long> interrupts;
std::atomic<bool> over;

struct Victim {
  subpy_id id;
  std::mutex mutex;
  bool runs = false, is_over = false;
  std::atomic<const char *> code{""};
  std::atomic<long> ended{0};
  long ended_before = 0;
  int quiet_s = 0;
};

[[noreturn]] void fail(const char *code, subpy_error *error) {
  std::printf("FAILS: %s: %s\n%s\n", code, subpy_status_name(subpy_error_status(error)),
              subpy_error_traceback(error));
  std::fflush(stdout);
  _exit(1);
}

void write_nothing(void *, const char *, size_t) {}

void run(subpy_id id, const char *code) {
  subpy_error *error = nullptr;
  if (subpy_run_string(id, code, &error) != SUBPY_OK) {
    fail(code, error);
  }
}

thread_local subpy_id by_handler;

void interrupt_in_handler(int) { subpy_interrupt(by_handler, nullptr); }

/* Interrupts the run that is under way at random times, if it has no limit, until there is none any more. */
void interrupt(Victim &victim, uint64_t seed) {
  Random random(seed);
  for (;;) {
    std::this_thread::sleep_for(std::chrono::microseconds(random.below(1500)));
    const std::lock_guard<std::mutex> guard(victim.mutex);
    if (victim.is_over) {
      return;
    }
    if (victim.runs) {
      if (random.one_in(3)) {
        by_handler = victim.id;
        std::raise(SIGUSR1);
      } else {
        subpy_error *error = nullptr;
        if (subpy_interrupt(victim.id, &error) != SUBPY_OK) {
          fail("subpy_interrupt", error);
        }
      }
    }
  }
}

void work(Victim &victim, uint64_t seed, long count) {
  Random random(seed);
  while (!over) {
    const char *const code = random.of(waits);
    victim.code = code;
    subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
    /* asyncio has a handler, which a second interrupt makes raise wherever it comes, as a second Ctrl+C does. */
    const bool is_asyncio = std::strncmp(code, "asyncio", 7) == 0;
    options.timeout_ms = is_asyncio || random.one_in(2) ? 1 + random.below(3) : 0;
    if (options.timeout_ms == 0) {
      const std::lock_guard<std::mutex> guard(victim.mutex);
      victim.runs = true;
    }
    subpy_error *error = nullptr;
    const subpy_status status =
        subpy_run_string_with(victim.id, &options, code, std::strlen(code), &error);
    {
      const std::lock_guard<std::mutex> guard(victim.mutex);
      victim.runs = false;
    }
    if (status != (options.timeout_ms > 0 ? SUBPY_ERR_TIMEOUT : SUBPY_ERR_INTERRUPTED)) {
      fail(code, error);
    }
    subpy_error_free(error);
    run(victim.id, "check()");
    victim.ended++;
    if (++interrupts >= count) {
      over = true;
    }
  }
  const std::lock_guard<std::mutex> guard(victim.mutex);
  victim.is_over = true;
}

/* Whether a victim is not over yet. To be called each second: fails if nothing has ended in it for HANG_S. */
bool is_under_way(Victim &victim) {
  const std::lock_guard<std::mutex> guard(victim.mutex);
  if (victim.is_over) {
    return false;
  }
  victim.quiet_s = victim.ended == victim.ended_before ? victim.quiet_s + 1 : 0;
  victim.ended_before = victim.ended;
  if (victim.quiet_s == HANG_S) {
    std::printf("FAILS: nothing has ended for %d s: in %s, or in check() after it\n", HANG_S,
                victim.code.load());
    std::fflush(stdout);
    std::abort();
  }
  return true;
}

} // namespace

int main(int argc, char **argv) {
  long seconds = 60, count = 1L << 62;
  uint64_t seed = static_cast<uint64_t>(std::random_device{}());
  for (int option; (option = getopt(argc, argv, "s:n:r:")) != -1;) {
    switch (option) {
    case 's':
      seconds = std::atol(optarg);
      break;
    case 'n':
      count = std::atol(optarg), seconds = 1L << 30;
      break;
    case 'r':
      seed = static_cast<uint64_t>(std::atoll(optarg));
      break;
    default:
      return 2;
    }
  }
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::signal(SIGUSR1, interrupt_in_handler);
  subpy_error *error = nullptr;
  if (subpy_initialize(nullptr, &error) != SUBPY_OK) {
    fail("subpy_initialize", error);
  }
  if (!subpy_supports(SUBPY_FEATURE_INTERRUPT_WAITS)) {
    std::puts("waits don't end with this Python");
    return 0;
  }
  std::vector<Victim> victims(THREADS);
  std::vector<std::thread> threads;
  for (Victim &victim : victims) {
    subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
    config.stderr_fn = write_nothing;
    if (subpy_create(&config, &victim.id, &error) != SUBPY_OK) {
      fail("subpy_create", error);
    }
    run(victim.id, setup);
    threads.emplace_back(work, std::ref(victim), seed++, count);
    threads.emplace_back(interrupt, std::ref(victim), seed++);
  }
  const auto start = std::chrono::steady_clock::now();
  while (std::count_if(victims.begin(), victims.end(), is_under_way) > 0) {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    if (std::chrono::steady_clock::now() - start > std::chrono::seconds(seconds)) {
      over = true;
    }
  }
  for (std::thread &thread : threads) {
    thread.join();
  }
  for (Victim &victim : victims) {
    run(victim.id, "check()");
    subpy_destroy_options options = SUBPY_DESTROY_OPTIONS_INIT;
    options.wait_ms = HANG_S * 1000;
    if (subpy_destroy_with(victim.id, &options, &error) != SUBPY_OK) {
      fail("subpy_destroy_with", error);
    }
  }
  std::printf("%ld runs were ended\n", interrupts.load());
  return subpy_finalize(nullptr) == SUBPY_OK ? 0 : 1;
}
