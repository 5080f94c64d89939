/* Python computes as in any process, whatever the host's thread has set; and the host goes on with what it has set. */
#define _GNU_SOURCE /* traps */

#include "support.h"

#include <fenv.h>

#ifdef __SSE2__
#include <xmmintrin.h>
#endif

struct setting {
  const char *name;
  int rounding, traps;
  bool small_is_zero;
};

static const struct setting settings[] = {
    {"none", FE_TONEAREST, 0, false},
    {"upwards", FE_UPWARD, 0, false},
    {"downwards", FE_DOWNWARD, 0, false},
    {"towards zero", FE_TOWARDZERO, 0, false},
    {"traps", FE_TONEAREST, FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW | FE_UNDERFLOW, false},
    {"small is zero", FE_TONEAREST, 0, true},
    {"all", FE_UPWARD, FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW, true},
};

static unsigned sse(void) {
#ifdef __SSE2__
  return _mm_getcsr() & ~0x3fu; /* without the flags */
#else
  return 0;
#endif
}

static void set(const struct setting *setting) {
  feclearexcept(FE_ALL_EXCEPT);
  CHECK_EQUAL(fesetround(setting->rounding), 0);
  fedisableexcept(FE_ALL_EXCEPT);
  CHECK(feenableexcept(setting->traps) != -1, "no traps here");
#ifdef __SSE2__
  _mm_setcsr((_mm_getcsr() & ~0x8040u) | (setting->small_is_zero ? 0x8040 : 0));
#endif
}

static void check_set(const struct setting *setting, unsigned expected) {
  CHECK(fegetround() == setting->rounding, "rounding with %s", setting->name);
  CHECK(fegetexcept() == setting->traps, "traps with %s", setting->name);
  CHECK(sse() == expected, "%#x and not %#x with %s", sse(), expected, setting->name);
}

static const char COMPUTES[] =
    "import json, math\n"
    "def check():\n"
    "  inf = 1e308 * 10\n"
    "  assert inf == math.inf and inf - inf != 0 and 1e-308 * 1e-10 > 0\n"
    "  assert float('5e-324') > 0 and 2.2250738585072014e-308 / 4 > 0\n"
    "  assert repr(0.1 + 0.2) == '0.30000000000000004'\n"
    "  assert float('0.1') + float('0.7') == 0.7999999999999999\n"
    "  assert math.fsum([0.1] * 10) == 1.0 and round(2.675, 2) == 2.67\n"
    "  assert json.loads('1e400') == inf and math.sqrt(2) == 1.4142135623730951\n"
    "check()\n";

static struct {
  const struct setting *setting;
  unsigned sse;
  int calls;
  subpy_id other;
} now;

static void look(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user, (void)call, (void)args, (void)nargs;
  check_set(now.setting, now.sse);
  now.calls++;
}

static void run_other(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  look(user, call, args, nargs);
  RUN(now.other, COMPUTES);
  check_set(now.setting, now.sse);
}

static void test_settings(void **state) {
  (void)state;
  subpy_id id;
  subpy_function_options options = SUBPY_FUNCTION_OPTIONS_INIT;
  CREATE(NULL, &id);
  CREATE(NULL, &now.other);
  struct {
    const char *name;
    subpy_host_fn fn;
    uint32_t release_gil;
  } functions[] = {
      {"look", look, 0},
      {"look_without_gil", look, 1},
      {"run_other", run_other, 0},
      {"run_other_without_gil", run_other, 1},
  };
  for (size_t i = 0; i < COUNT(functions); i++) {
    options.release_gil = functions[i].release_gil;
    EXPECT(SUBPY_OK, subpy_define_function_with(id, &options, "host", functions[i].name,
                                                functions[i].fn, NULL, NULL, &error));
  }
  RUN(id, COMPUTES);
  RUN(id, "import host");
  for (size_t i = 0; i < COUNT(settings); i++) {
    set(&settings[i]);
    now.setting = &settings[i], now.sse = sse(), now.calls = 0;
    RUN(id, "check()");
    check_set(now.setting, now.sse);
    RUN(id, "for call in host.look, host.look_without_gil, host.run_other,\\\n"
            "            host.run_other_without_gil:\n"
            "  call()\n"
            "  check()\n");
    check_set(now.setting, now.sse);
    CHECK_EQUAL(now.calls, 4);
    subpy_value value;
    EXPECT(SUBPY_OK, subpy_eval(id, "repr(0.1 + 0.2)", &value, &error));
    CHECK_TEXT(value.as.text.data, "0.30000000000000004");
    subpy_value_clear(&value);
    subpy_id made;
    CREATE(NULL, &made);
    check_set(now.setting, now.sse);
    RUN(made, COMPUTES);
    DESTROY(made);
    check_set(now.setting, now.sse);
  }
  set(&settings[0]);
  DESTROY(id);
  DESTROY(now.other);
}

/* What has happened in Python's computations has not happened in the host's. */
static void test_flags(void **state) {
  (void)state;
  subpy_id id;
  CREATE(NULL, &id);
  RUN(id, COMPUTES);
  feclearexcept(FE_ALL_EXCEPT);
  RUN(id, "check()");
  CHECK_EQUAL(fetestexcept(FE_ALL_EXCEPT), 0);
  feraiseexcept(FE_OVERFLOW);
  RUN(id, "check()");
  CHECK((fetestexcept(FE_ALL_EXCEPT) & (FE_OVERFLOW | FE_INVALID)) == FE_OVERFLOW, "flags");
  feclearexcept(FE_ALL_EXCEPT);
  DESTROY(id);
}

/* A thread that a script starts computes as Python does, although the host's thread started it. */
static void test_threads_of_scripts(void **state) {
  (void)state;
  subpy_id id;
  CREATE(NULL, &id);
  RUN(id, COMPUTES);
  set(&settings[COUNT(settings) - 1]);
  RUN(id, "import threading\n"
          "wrong = []\n"
          "def work():\n"
          "  try: check()\n"
          "  except BaseException as e: wrong.append(e)\n"
          "thread = threading.Thread(target=work); thread.start(); thread.join()\n"
          "assert not wrong, wrong\n");
  set(&settings[0]);
  DESTROY(id);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_settings),
      cmocka_unit_test(test_flags),
      cmocka_unit_test(test_threads_of_scripts),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
