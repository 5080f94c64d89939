/*
 * Random sequences of calls, from several threads at once; each status is checked against what the
 * calling thread knows.
 *
 *   sequences [-s SECONDS | -n CALLS] [-t THREADS] [-m MOVES] [-r SEED]
 *
 * The model: each thread has interpreters of its own, which no other one destroys or runs in, so
 * the thread knows exactly what each call returns. Beside them are a few that all threads share:
 * there a call may return what some other thread's doing allows, and nothing else. After each
 * sequence the threads meet, and what all of them have done has to add up: list_all() knows those
 * that are left.
 */
#include "destroy_within.h"
#include "random.h"

#include <subpy.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <mutex>
#include <pthread.h>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

uint64_t seed = 1;
std::atomic<uint64_t> calls{0}, interrupted_runs{0}, busy{0};

[[noreturn]] void fail(const char *call, subpy_status got, const subpy_error *error) {
  fprintf(stderr, "sequences: seed %llu: %s returned %s: %s\n%s", (unsigned long long)seed, call,
          subpy_status_name(got), subpy_error_message(error), subpy_error_traceback(error));
  abort();
}

/* A set of statuses. */
constexpr uint32_t set(subpy_status status) { return 1u << status; }
template <typename... Rest> constexpr uint32_t set(subpy_status first, Rest... rest) {
  return set(first) | set(rest...);
}

subpy_error *const unwritten = reinterpret_cast<subpy_error *>(&seed);

/* Makes a call: it has to return one of `expected`, and an error that agrees. */
template <typename Call>
subpy_status checked(const char *name, uint32_t expected, bool with_error, Call call) {
  subpy_error *error = unwritten;
  const subpy_status status = call(with_error ? &error : nullptr);
  calls.fetch_add(1, std::memory_order_relaxed);
  if (!with_error) {
    error = nullptr;
  } else if (error == unwritten || (error == nullptr) != (status == SUBPY_OK) ||
             subpy_error_status(error) != status) {
    fail("(the error disagrees) a call", status, nullptr);
  }
  if ((expected & set(status)) == 0) {
    fail(name, status, error);
  }
  if (status == SUBPY_ERR_BUSY) {
    busy.fetch_add(1, std::memory_order_relaxed);
  }
  subpy_error_free(error);
  return status;
}

#define CALL(expected, ...)                                                                        \
  checked(#__VA_ARGS__, expected, !random.one_in(4),                                               \
          [&](subpy_error **error) { return __VA_ARGS__; })

/* What a script comes to in an interpreter that nobody else uses. */
struct Script {
  const char *code;
  subpy_status status;
  unsigned weight;
};

const Script scripts[] = {
    {"x = 1", SUBPY_OK, 60},
    {"x = x + 1 if 'x' in globals() else 0", SUBPY_OK, 20},
    {"", SUBPY_OK, 10},
    {"for _ in range(100): pass", SUBPY_OK, 10},
    {"print('one line')", SUBPY_OK, 10},
    {"import sys; sys.stdout.write('two\\nlines\\n')", SUBPY_OK, 5},
    {"y = [0] * 1000; del y", SUBPY_OK, 5},
    {"def f(*args): return args", SUBPY_OK, 5},
    {"import threading; threading.Thread(target=int).start()", SUBPY_OK, 1},
    {"import _thread; _thread.start_new_thread(int, ())", SUBPY_OK, 1},
    {"import json, re, datetime", SUBPY_OK, 1},
    {"1 / 0", SUBPY_ERR_EXCEPTION, 4},
    {"nothing", SUBPY_ERR_EXCEPTION, 4},
    {"raise KeyboardInterrupt", SUBPY_ERR_EXCEPTION, 2},
    {"raise MemoryError", SUBPY_ERR_EXCEPTION, 1},
    {"def broken(", SUBPY_ERR_EXCEPTION, 2},
    {"class E(Exception):\n  def __str__(self): raise self\nraise E", SUBPY_ERR_EXCEPTION, 1},
    {"raise SystemExit(3)", SUBPY_ERR_EXIT, 3},
    {"import sys; sys.exit('bye')", SUBPY_ERR_EXIT, 2},
    {"caf\xe9", SUBPY_ERR_INVALID_ARGUMENT, 2},
};

const Script &some_script(Random &random) {
  unsigned sum = 0;
  for (const Script &script : scripts) {
    sum += script.weight;
  }
  size_t n = random.below(sum);
  for (const Script &script : scripts) {
    if (n < script.weight) {
      return script;
    }
    n -= script.weight;
  }
  return scripts[0];
}

void ignore_output(void *user, const char *text, size_t length) {
  static_cast<std::atomic<size_t> *>(user)->fetch_add(text[0] != '\0' ? length : 0);
}

std::atomic<size_t> output{0};

/* A function of the host's: it calls back. */
void host_function(void *, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  subpy_id current = -1;
  if (subpy_get_current(&current, nullptr) != SUBPY_OK || current != subpy_host_interpreter(call)) {
    fail("subpy_get_current() in a host function", SUBPY_ERR_INTERNAL, nullptr);
  }
  /* It is busy for a Python thread of its own. */
  checked(
      "subpy_run_string() in a host function",
      set(SUBPY_OK, SUBPY_ERR_EXCEPTION, SUBPY_ERR_INTERRUPTED, SUBPY_ERR_TIMEOUT, SUBPY_ERR_BUSY),
      true, [&](subpy_error **error) { return subpy_run_string(current, "x", error); });
  if (nargs == 0) {
    subpy_host_raise(call, "ValueError", "no arguments");
  } else {
    subpy_host_return(call, &args[0]);
  }
}

subpy_interpreter_config some_config(Random &random) {
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.stdout_fn = config.stderr_fn = ignore_output;
  config.output_user = &output;
  if (random.one_in(3)) {
    config.gil = SUBPY_GIL_SHARED;
  }
  if (random.one_in(4)) {
    config.code_cache_entries = random.below(3);
  }
  return config;
}

/* Those that all threads share: slots with an id each, or 0. */
std::atomic<subpy_id> shared[3];
/* How many there are in all, as those know who create and destroy them. */
std::atomic<int> alive{0};

/* What may happen to others' interpreters at any time. */
constexpr uint32_t anytime = set(SUBPY_ERR_BUSY, SUBPY_ERR_NOT_FOUND);

class Player {
public:
  explicit Player(uint64_t seed) : random(seed) {}

  void play(size_t moves) {
    for (size_t i = 0; i < moves; i++) {
      const size_t dice = random.below(10000);
      if (dice < 8 || own.empty()) {
        create();
      } else if (dice < 14) {
        destroy();
      } else if (dice < 22) {
        replace_shared();
      } else if (dice < 600) {
        wrong_calls();
      } else if (dice < 2500) {
        shared_calls();
      } else if (dice < 3300) {
        lists();
      } else {
        own_calls(random.below(own.size()));
      }
    }
  }

  void destroy_all() {
    while (!own.empty()) {
      destroy();
    }
    for (const Kept &kept : objects) {
      subpy_object_release(kept.object);
    }
    objects.clear();
  }

private:
  Random random;
  std::vector<subpy_id> own;
  std::vector<subpy_id> gone;
  /* Those that it stays in; one may be there twice. */
  std::vector<subpy_id> entered;
  struct Kept {
    subpy_id id;
    subpy_object object;
  };
  std::vector<Kept> objects;

  /* A new interpreter's id, or 0. */
  subpy_id make() {
    subpy_id id = -1;
    const subpy_interpreter_config config = some_config(random);
    CALL(set(SUBPY_OK), subpy_create(random.one_in(3) ? nullptr : &config, &id, error));
    alive++;
    return id;
  }

  void create() {
    if (own.size() < 4) {
      own.push_back(make());
      CALL(set(SUBPY_OK), subpy_run_string(own.back(), "import sys\nn = 0", error));
    }
  }

  void destroy() {
    if (own.empty()) {
      return;
    }
    const size_t n = random.below(own.size());
    const subpy_id id = own[n];
    /* Its Python threads may still run. */
    if (random.one_in(2) &&
        CALL(set(SUBPY_OK, SUBPY_ERR_BUSY), subpy_destroy(id, error)) == SUBPY_ERR_BUSY) {
      return;
    }
    CALL(set(SUBPY_OK, SUBPY_ERR_NOT_FOUND), destroy_within(id, 60000, error));
    CALL(set(SUBPY_ERR_NOT_FOUND), subpy_destroy(id, error));
    alive--;
    own.erase(own.begin() + static_cast<ptrdiff_t>(n));
    gone.push_back(id);
  }

  void replace_shared() {
    std::atomic<subpy_id> &slot = shared[random.below(std::size(shared))];
    const subpy_id id = slot.load();
    if (id != 0) {
      const subpy_status status = CALL(set(SUBPY_OK) | anytime, destroy_within(id, 1, error));
      if (status == SUBPY_OK) {
        alive--;
        slot.store(0);
      }
    } else {
      const subpy_id made = make();
      subpy_id none = 0;
      if (!slot.compare_exchange_strong(none, made)) {
        own.push_back(made);
      }
    }
  }

  void shared_calls() {
    const subpy_id id = shared[random.below(std::size(shared))].load();
    if (id == 0) {
      return;
    }
    bool running = false;
    subpy_interpreter_stats stats = SUBPY_INTERPRETER_STATS_INIT;
    const uint32_t seen = set(SUBPY_OK, SUBPY_ERR_NOT_FOUND);
    switch (random.below(8)) {
    case 0:
    case 1:
      CALL(seen, subpy_interrupt(id, error));
      break;
    case 2:
      CALL(seen, subpy_is_running(id, &running, error));
      break;
    case 3:
      CALL(seen, subpy_stats(id, &stats, error));
      break;
    case 4: {
      subpy_value value = subpy_int(1);
      CALL(set(SUBPY_OK, SUBPY_ERR_INTERRUPTED) | anytime, subpy_set(id, "v", &value, error));
      break;
    }
    default: {
      const Script &script = some_script(random);
      const subpy_status status = CALL(set(script.status, SUBPY_ERR_INTERRUPTED) | anytime,
                                       subpy_run_string(id, script.code, error));
      interrupted_runs += status == SUBPY_ERR_INTERRUPTED;
    }
    }
  }

  /* Calls that return just one thing, as nobody else uses this interpreter. */
  void own_calls(size_t n) {
    const subpy_id id = own[n];
    bool running = true;
    switch (random.below(18)) {
    case 0:
      CALL(set(SUBPY_OK), subpy_interrupt(id, error));
      break;
    case 1:
      CALL(set(SUBPY_OK), subpy_is_running(id, &running, error));
      if (running != stays_in(id)) {
        fail("subpy_is_running() of an idle one, or of one that this thread stays in", SUBPY_OK,
             nullptr);
      }
      break;
    case 2:
      values(id);
      break;
    case 3:
      functions(id);
      break;
    case 4:
      limited(id);
      break;
    case 5: {
      subpy_interpreter_stats before = SUBPY_INTERPRETER_STATS_INIT, after = before;
      CALL(set(SUBPY_OK), subpy_stats(id, &before, error));
      CALL(set(SUBPY_OK), subpy_run_string(id, "n = 1", error));
      CALL(set(SUBPY_OK), subpy_stats(id, &after, error));
      if (after.code_cache_hits + after.code_cache_misses !=
          before.code_cache_hits + before.code_cache_misses + 1) {
        fail("a run that is not counted", SUBPY_OK, nullptr);
      }
      break;
    }
    case 6:
      stay(id);
      break;
    case 7:
      objects_of(id);
      break;
    default: {
      const Script &script = some_script(random);
      CALL(set(script.status), subpy_run_string(id, script.code, error));
    }
    }
  }

  bool stays_in(subpy_id id) const { return std::count(entered.begin(), entered.end(), id) > 0; }

  /* Some calls, of any of its interpreters, in a stay in one: stays nest. */
  void stay(subpy_id id) {
    const subpy_status status =
        CALL(set(SUBPY_OK, SUBPY_ERR_UNSUPPORTED), subpy_enter(id, nullptr, error));
    if (status == SUBPY_OK) {
      entered.push_back(id);
      for (size_t left = random.below(6); left > 0; left--) {
        own_calls(random.below(own.size()));
      }
      CALL(set(SUBPY_ERR_BUSY), subpy_destroy(id, error));
      CALL(set(SUBPY_OK), subpy_leave(id, error));
      entered.pop_back();
    }
    if (!stays_in(id)) {
      CALL(set(SUBPY_ERR_NOT_PERMITTED), subpy_leave(id, error));
    }
  }

  /* Handles live on when their interpreters are gone, and stand for nothing then. */
  void objects_of(subpy_id id) {
    subpy_object object = 0;
    CALL(set(SUBPY_OK), subpy_eval_object(id, "lambda *values: len(values)", &object, error));
    objects.push_back({id, object});
    const Kept kept = objects[random.below(objects.size())];
    const subpy_value values[] = {subpy_int(1), subpy_str("two")};
    subpy_value out = subpy_none();
    if (std::count(own.begin(), own.end(), kept.id) == 0) {
      CALL(set(SUBPY_ERR_NOT_FOUND), subpy_object_call(kept.object, values, 2, &out, error));
    } else {
      CALL(set(SUBPY_OK), subpy_object_call(kept.object, values, 2, &out, error));
      if (out.as.integer != 2) {
        fail("a call of an object", SUBPY_OK, nullptr);
      }
    }
    while (objects.size() > 20 || (!objects.empty() && random.one_in(2))) {
      const size_t n = random.below(objects.size());
      subpy_object_release(objects[n].object);
      objects.erase(objects.begin() + static_cast<ptrdiff_t>(n));
    }
  }

  void values(subpy_id id) {
    const subpy_value items[] = {subpy_int(static_cast<int64_t>(random.next())), subpy_none(),
                                 subpy_str("text"), subpy_bool(random.one_in(2)), subpy_float(1.5)};
    const subpy_value list = subpy_list(items, random.below(6));
    subpy_value out = subpy_none();
    CALL(set(SUBPY_OK), subpy_set(id, "value", &list, error));
    CALL(set(SUBPY_OK), subpy_get(id, "value", &out, error));
    if (subpy_value_length(&out) != list.as.items.length ||
        (subpy_value_length(&out) > 0 &&
         subpy_value_item(&out, 0)->as.integer != items[0].as.integer)) {
      fail("what came back is not what went in", SUBPY_OK, nullptr);
    }
    subpy_value_clear(&out);
    CALL(set(SUBPY_OK), subpy_call(id, "builtins:len", &list, 1, &out, error));
    if (out.as.integer != static_cast<int64_t>(list.as.items.length)) {
      fail("len", SUBPY_OK, nullptr);
    }
    subpy_value_clear(&out);
    CALL(set(SUBPY_ERR_NOT_FOUND), subpy_get(id, "no_such_name", &out, error));
    CALL(set(SUBPY_ERR_NOT_FOUND), subpy_call(id, "no_such_name", nullptr, 0, &out, error));
    CALL(set(SUBPY_ERR_NOT_SHAREABLE), subpy_eval(id, "object()", &out, error));
    CALL(set(SUBPY_ERR_EXCEPTION), subpy_eval(id, "1 / 0", &out, error));
    if (out.kind != SUBPY_NONE) {
      fail("a call that failed has left a value", SUBPY_OK, nullptr);
    }
  }

  void functions(subpy_id id) {
    CALL(set(SUBPY_OK),
         subpy_define_function(id, "host", "echo", host_function, nullptr, nullptr, error));
    CALL(set(SUBPY_OK), subpy_run_string(id, "import host\nassert host.echo(7) == 7", error));
    CALL(set(SUBPY_ERR_EXCEPTION), subpy_run_string(id, "import host\nhost.echo()", error));
  }

  void limited(subpy_id id) {
    subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
    options.measure = random.one_in(2);
    options.timeout_ms = random.one_in(200) ? 1 : 100000;
    const char *code = options.timeout_ms == 1 ? "while True: pass" : "n = 2";
    CALL(set(options.timeout_ms == 1 ? SUBPY_ERR_TIMEOUT : SUBPY_OK),
         subpy_run_string_with(id, &options, code, strlen(code), error));
  }

  void wrong_calls() {
    const subpy_id wrong[] = {-1, INT64_MIN, INT64_MAX,
                              gone.empty() ? -2 : gone[random.below(gone.size())]};
    const subpy_id id = random.of(wrong);
    const uint32_t not_found = set(SUBPY_ERR_NOT_FOUND), invalid = set(SUBPY_ERR_INVALID_ARGUMENT);
    const uint32_t not_permitted = set(SUBPY_ERR_NOT_PERMITTED);
    bool running;
    subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
    subpy_runtime_config runtime = SUBPY_RUNTIME_CONFIG_INIT;
    subpy_id place = 7;
    switch (random.below(14)) {
    case 0:
      CALL(not_found, subpy_run_string(id, "x = 1", error));
      break;
    case 1:
      CALL(not_found, subpy_destroy(id, error));
      break;
    case 2:
      CALL(not_found, destroy_within(id, 1000000, error));
      break;
    case 3:
      CALL(not_found, subpy_interrupt(id, error));
      break;
    case 4:
      CALL(not_found, subpy_is_running(id, &running, error));
      break;
    case 5:
      CALL(not_permitted, subpy_destroy(0, error));
      break;
    case 6:
      CALL(not_permitted, subpy_run_string(0, "x = 1", error));
      break;
    case 7:
      CALL(invalid, subpy_run_string(own.empty() ? 0 : own[0], nullptr, error));
      break;
    case 8:
      CALL(invalid, subpy_create(nullptr, nullptr, error));
      break;
    case 9:
      CALL(invalid, subpy_list_all(nullptr, 1, nullptr, error));
      break;
    case 10:
      config.gil = 99;
      CALL(invalid, subpy_create(&config, &place, error));
      break;
    case 11:
      config.struct_size = random.below(8);
      CALL(invalid, subpy_create(&config, &place, error));
      break;
    case 12:
      runtime.program_name = "another";
      CALL(not_permitted, subpy_initialize(&runtime, error));
      break;
    default:
      CALL(set(SUBPY_ERR_NOT_FOUND), subpy_get_current(&place, error));
    }
  }

  void lists() {
    subpy_id ids[64];
    size_t count = 0;
    const size_t capacity = random.below(65);
    CALL(set(SUBPY_OK), subpy_list_all(ids, capacity, &count, error));
    if (count < own.size() + 1) {
      fail("subpy_list_all() knows too few", SUBPY_OK, nullptr);
    }
    for (size_t i = 0; i < capacity && i < count; i++) {
      if (i == 0 ? ids[0] != 0 : ids[i] <= ids[i - 1]) {
        fail("subpy_list_all() is not in order", SUBPY_OK, nullptr);
      }
    }
    if (random.one_in(4)) {
      CALL(set(SUBPY_OK), subpy_initialize(nullptr, error));
      CALL(set(SUBPY_OK), subpy_finalize(error));
    }
  }
};

/* What a thread does. */
struct Game {
  uint64_t seed;
  size_t moves;
  pthread_t thread;
};

void *play(void *argument) {
  const Game &game = *static_cast<Game *>(argument);
  Player player(game.seed);
  player.play(game.moves);
  player.destroy_all();
  return nullptr;
}

/* Some threads have small stacks. */
void begin(Game &game) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  if (game.seed % 2 != 0) {
    pthread_attr_setstacksize(&attributes, 256 << 10);
  }
  if (pthread_create(&game.thread, &attributes, play, &game) != 0) {
    fprintf(stderr, "sequences: no thread\n");
    abort();
  }
  pthread_attr_destroy(&attributes);
}

/* Ends the process if no call returns for a minute. */
void watch(const std::atomic<bool> &over) {
  uint64_t last = 0;
  for (int same = 0; !over; same++) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    if (calls != last) {
      last = calls;
      same = 0;
    }
    if (same > 600) {
      fprintf(stderr, "sequences: seed %llu: it hangs\n", (unsigned long long)seed);
      abort();
    }
  }
}

} // namespace

int main(int argc, char **argv) {
  double seconds = 1e9;
  uint64_t wanted = UINT64_MAX;
  size_t threads = 4, moves = 3000;
  for (int option; (option = getopt(argc, argv, "s:n:t:m:r:")) != -1;) {
    switch (option) {
    case 's':
      seconds = atof(optarg);
      break;
    case 'n':
      wanted = strtoull(optarg, nullptr, 0);
      break;
    case 't':
      threads = strtoul(optarg, nullptr, 0);
      break;
    case 'm':
      moves = strtoul(optarg, nullptr, 0);
      break;
    case 'r':
      seed = strtoull(optarg, nullptr, 0);
      break;
    default:
      return 2;
    }
  }
  if (freopen("/dev/null", "w", stdout) == nullptr) { /* some interpreters write to it */
    return 2;
  }
  Random random(seed);
  CALL(set(SUBPY_ERR_NOT_INITIALIZED), subpy_interrupt(0, error));
  CALL(set(SUBPY_OK), subpy_initialize(nullptr, error));
  std::atomic<bool> over{false};
  std::thread watchdog(watch, std::cref(over));
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  const uint64_t first = seed;
  for (; calls < wanted && elapsed() < seconds; seed++) {
    std::vector<Game> games;
    for (size_t i = 0; i < threads; i++) {
      games.push_back({seed * 1000 + i, moves, {}});
    }
    for (Game &game : games) {
      begin(game);
    }
    for (const Game &game : games) {
      pthread_join(game.thread, nullptr);
    }
    size_t count = 0;
    CALL(set(SUBPY_OK), subpy_list_all(nullptr, 0, &count, error));
    if (count != static_cast<size_t>(alive) + 1) {
      fprintf(stderr, "%zu interpreters, not %d\n", count, alive + 1);
      fail("subpy_list_all()", SUBPY_OK, nullptr);
    }
  }
  for (std::atomic<subpy_id> &slot : shared) {
    if (slot != 0) {
      CALL(set(SUBPY_OK), destroy_within(slot, 60000, error));
    }
  }
  CALL(set(SUBPY_OK), subpy_finalize(error));
  over = true;
  watchdog.join();
  fprintf(stderr,
          "%llu calls, seeds %llu to %llu, %zu threads, %.0f s: %llu BUSY, %llu runs interrupted, "
          "%zu bytes of output\n",
          (unsigned long long)calls, (unsigned long long)first, (unsigned long long)seed - 1,
          threads, elapsed(), (unsigned long long)busy, (unsigned long long)interrupted_runs,
          output.load());
  return 0;
}
