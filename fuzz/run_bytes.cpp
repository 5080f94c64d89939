/*
 * Any bytes are a program for subpy_run_string_with(): it returns a status, in time, and the host lives.
 *
 * As a libFuzzer target where it is compiled with -fsanitize=fuzzer; else (FUZZ_PLAIN) it makes its
 * inputs itself, from pieces of Python and of noise:
 *
 *   run_bytes [-s SECONDS | -n RUNS] [-r SEED]
 *
 * Bytes may well spell `import os; os._exit(0)`, so each interpreter first loses what can end, stop
 * or fill the machine: modules can't be imported any more, nor files opened, nor built-in functions
 * had that lead there. Exceptions, threads of control, compilers and finalizers are all there
 * still.
 */
#include "destroy_within.h"
#include "random.h"

#include <subpy.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unistd.h>

namespace {

/*
 * A computation in C that takes for ever (9**9**9, sorting a list that contains itself a million
 * times) is not interrupted, and subpy says so: the pieces below don't spell any, and for libFuzzer
 * that is what its -timeout is for.
 */

/* Runs before any bytes do. What has been imported stays in sys.modules, which is emptied of names.
 */
const char tame[] =
    "import builtins, sys\n"
    "for name in list(sys.modules):\n"
    "    if name not in ('builtins', '__main__', 'sys'):\n"
    "        sys.modules[name] = None\n"
    "for name in ('open', 'input', 'breakpoint', 'help', 'exit', 'quit', '__import__',\n"
    "             '__loader__', '__spec__', 'license', 'copyright', 'credits'):\n"
    "    if hasattr(builtins, name): delattr(builtins, name)\n"
    "def tame():\n"
    "    del sys.modules['sys']\n"
    "tame()\n"
    "del builtins, sys, name, tame, __loader__, __spec__\n";

enum { TIMEOUT_MS = 100, MEMORY = 64 << 20, RUNS_PER_INTERPRETER = 500 };

subpy_id id = 0;
size_t runs_left = 0;
uint64_t statuses[SUBPY_ERR_INTERNAL + 1];

void ignore_output(void *, const char *, size_t) {}

void check(bool ok, const char *what, subpy_error *const &error) {
  if (!ok) {
    fprintf(stderr, "run_bytes: %s: %s: %s\n%s\n", what,
            subpy_status_name(subpy_error_status(error)), subpy_error_message(error),
            subpy_error_traceback(error));
    abort();
  }
}

void initialize() {
  subpy_error *error = nullptr;
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.account_memory =
      subpy_supports(SUBPY_FEATURE_MEMORY_ACCOUNTS) && getenv("PYTHONMALLOC") == nullptr;
  config.ignore_sigpipe = 1;
  check(subpy_initialize(&config, &error) == SUBPY_OK, "initialize", error);
}

void fresh_interpreter() {
  subpy_error *error = nullptr;
  if (id != 0) {
    check(destroy_within(id, 10000, &error) == SUBPY_OK, "destroy", error);
  }
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.stdout_fn = config.stderr_fn = ignore_output;
  if (subpy_memory_usage(0, nullptr, nullptr, nullptr) == SUBPY_OK) {
    config.memory_limit = MEMORY;
  }
  check(subpy_create(&config, &id, &error) == SUBPY_OK, "create", error);
  check(subpy_run_string(id, tame, &error) == SUBPY_OK, "tame", error);
  runs_left = RUNS_PER_INTERPRETER;
}

void run(const uint8_t *data, size_t size) {
  if (runs_left-- == 0) {
    fresh_interpreter();
  }
  subpy_error *error = nullptr;
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.timeout_ms = TIMEOUT_MS;
  const subpy_status status =
      subpy_run_string_with(id, &options, reinterpret_cast<const char *>(data), size, &error);
  check(status == SUBPY_OK || status == SUBPY_ERR_INVALID_ARGUMENT ||
            status == SUBPY_ERR_EXCEPTION || status == SUBPY_ERR_EXIT ||
            status == SUBPY_ERR_TIMEOUT || status == SUBPY_ERR_INTERRUPTED,
        "run", error);
  check(subpy_error_status(error) == status && (error == nullptr) == (status == SUBPY_OK),
        "the error disagrees", error);
  check(strlen(subpy_error_message(error)) + strlen(subpy_error_traceback(error)) < SIZE_MAX,
        "the texts end", error);
  subpy_error_free(error);
  statuses[status]++;
}

} // namespace

#ifndef FUZZ_PLAIN

extern "C" int LLVMFuzzerInitialize(int *, char ***) {
  initialize();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  run(data, size);
  return 0;
}

#else

namespace {

const char *const pieces[] = {
    "x",
    "y",
    "f",
    "_",
    "0",
    "1",
    "-1",
    "1000000000",
    "1e308",
    "1j",
    "'text'",
    "b'\\xff'",
    "f'{x}'",
    "'''",
    "\"",
    "'",
    "\\",
    "#",
    "# -*- coding: latin-1 -*-\n",
    "\n",
    "\n  ",
    "\n    ",
    "\n",
    " ",
    "\t",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ":",
    ";",
    ",",
    ".",
    "=",
    "==",
    "+=",
    ":=",
    "->",
    "@",
    "*",
    "+",
    "-",
    "/",
    "//",
    "%",
    "<<",
    "&",
    "|",
    "~",
    "...",
    "None",
    "True",
    "and ",
    "or ",
    "not ",
    "in ",
    "is ",
    "if ",
    "else:",
    "elif ",
    "while True:",
    "while 1: pass\n",
    "for x in ",
    "range(1000000000)",
    "break",
    "continue",
    "return ",
    "yield ",
    "yield from ",
    "await ",
    "async def f():",
    "def f(*a, **k):",
    "class X(Exception):",
    "class X:\n  def __del__(self): raise X\n",
    "lambda x: ",
    "try:",
    "except:",
    "except BaseException:",
    "except* X:",
    "finally:",
    "raise ",
    "raise X from x\n",
    "with x as y:",
    "match x:\n  case ",
    "import os\n",
    "import x",
    "from x import *",
    "global x\n",
    "nonlocal x\n",
    "del x\n",
    "assert ",
    "pass\n",
    "print(x)",
    "exec(",
    "eval(",
    "compile(x, y, 'exec')",
    "globals()",
    "locals()",
    "vars()",
    "type(x)",
    "type('X', (), {})",
    "super()",
    "object()",
    "x.__class__",
    "x.__dict__",
    "[0]*10000000000",
    "'x'*1073741824",
    "SystemExit(3)",
    "KeyboardInterrupt",
    "MemoryError",
    "RecursionError",
    "ExceptionGroup('x', [X()])",
    "f()",
    "f(f)",
    "x()",
    "[x for x in y]",
    "{x: y for x in x}",
    "(x for x in x)",
    "def f(): f()\nf()\n",
    "\xef\xbb\xbf",
    "\xc3\xa9",
    "\xe2\x82\xac",
    "\xff",
    "\xed\xa0\x80",
    "\r",
    "\r\n",
    "\f",
    "__builtins__",
    "__name__",
    "__main__",
    "\x01",
    "id(x)",
    "int('9'*5000)",
    "bytearray(9)",
    "memoryview(b'x')",
    "sorted(x)",
    "x[::2]",
    "x if x else y",
    "((((((((((",
};

/* Programs that are whole, to be cut and mixed. */
const char *const programs[] = {
    "def f(n):\n  return f(n + 1)\nf(0)\n",
    "x = []\nwhile True: x.append(0)\n",
    "class X(Exception):\n  def __str__(self): raise self\nraise X\n",
    "class X:\n  def __del__(self): raise ValueError\nx = X()\ndel x\n",
    "async def f():\n  pass\nx = f()\ntry: x.send(None)\nexcept StopIteration: pass\n",
    "try:\n  raise ValueError\nexcept ValueError as e:\n  raise KeyError from e\n",
    "x = {}\nfor y in range(1000): x[y] = str(y)\nprint(sorted(x))\n",
    "def f():\n  try:\n    yield 1\n  finally:\n    yield 2\nx = f(); next(x); del x\n",
    "raise SystemExit(['x'])\n",
    "while True:\n  try:\n    while True: pass\n  except BaseException: pass\n",
};

std::string some_bytes(Random &random) {
  std::string bytes;
  if (random.one_in(3)) {
    bytes = random.of(programs);
  }
  for (size_t n = random.below(24); n > 0; n--) {
    const size_t at = random.one_in(4) ? random.below(bytes.size() + 1) : bytes.size();
    bytes.insert(at, random.of(pieces));
  }
  if (random.one_in(4) && !bytes.empty()) {
    bytes.erase(random.below(bytes.size()), random.below(8));
  }
  for (size_t n = random.one_in(8) ? random.below(8) : 0; n > 0 && !bytes.empty(); n--) {
    bytes[random.below(bytes.size())] = static_cast<char>(random.next());
  }
  return bytes;
}

/* What was run last, should the process die of it. */
void remember(const char *file, const std::string &bytes) {
  if (file == nullptr) {
    return;
  }
  if (FILE *f = fopen(file, "w")) {
    fwrite(bytes.data(), 1, bytes.size(), f);
    fclose(f);
  }
}

} // namespace

int main(int argc, char **argv) {
  double seconds = 1e9;
  uint64_t wanted = UINT64_MAX, seed = 1;
  const char *last = nullptr;
  for (int option; (option = getopt(argc, argv, "s:n:r:l:")) != -1;) {
    switch (option) {
    case 's':
      seconds = atof(optarg);
      break;
    case 'n':
      wanted = strtoull(optarg, nullptr, 0);
      break;
    case 'r':
      seed = strtoull(optarg, nullptr, 0);
      break;
    case 'l':
      last = optarg;
      break;
    default:
      return 2;
    }
  }
  initialize();
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  Random random(seed);
  uint64_t count = 0;
  for (; count < wanted && elapsed() < seconds; count++) {
    const std::string bytes = some_bytes(random);
    remember(last, bytes);
    alarm(60); /* a run that does not return */
    run(reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size());
  }
  subpy_error *error = nullptr;
  check(subpy_finalize(&error) == SUBPY_OK, "finalize", error);
  printf("%llu runs, seed %llu, %.0f s:", (unsigned long long)count, (unsigned long long)seed,
         elapsed());
  for (int status = 0; status <= SUBPY_ERR_INTERNAL; status++) {
    if (statuses[status] != 0) {
      printf(" %llu %s", (unsigned long long)statuses[status],
             subpy_status_name(static_cast<subpy_status>(status)));
    }
  }
  puts("");
  return 0;
}

#endif
