/* What a script writes goes to the host's functions: whole, in order, before the run returns. */
#include "fixture.h"

#define WRITES(code, expected_out, expected_err)                                                   \
  do {                                                                                             \
    RUN(id, code);                                                                                 \
    CHECK_TEXT(text_of(&capture.out), expected_out);                                               \
    CHECK_TEXT(text_of(&capture.err), expected_err);                                               \
    capture_clear(&capture);                                                                       \
  } while (0)

static void test_print(void **state) {
  (void)state;
  WRITES("print('one')\nprint('two', 3)", "one\ntwo 3\n", "");
}

static void test_both_streams(void **state) {
  (void)state;
  WRITES("import sys\nprint('out')\nprint('err', file=sys.stderr)", "out\n", "err\n");
  WRITES("sys.__stdout__.write('out')\nsys.__stderr__.write('err')", "out", "err");
}

static void test_a_line_that_is_not_full_is_flushed_at_the_end(void **state) {
  (void)state;
  WRITES("print('no newline', end='')", "no newline", "");
  WRITES("import sys; sys.stderr.write('no newline')", "", "no newline");
}

static void test_it_is_flushed_if_the_run_fails(void **state) {
  (void)state;
  subpy_error_free(RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "print('before', end='')\n1 / 0"));
  CHECK_TEXT(text_of(&capture.out), "before");
  subpy_error_free(RUN_FAILS(SUBPY_ERR_EXIT, id, "print(', after', end='')\nexit()"));
  CHECK_TEXT(text_of(&capture.out), "before, after");
}

static void test_nothing_is_not_delivered(void **state) {
  (void)state;
  WRITES("print(end='')\nimport sys\nsys.stdout.write('')\nsys.stdout.flush()", "", "");
}

static void test_a_character_byte_by_byte(void **state) {
  (void)state;
  WRITES("import sys\n"
         "for byte in '\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\\n'.encode():\n"
         "    sys.stdout.buffer.write(bytes([byte]))\n"
         "    sys.stdout.buffer.flush()\n",
         "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\n", "");
}

static void count_pieces(void *user, const char *text, size_t length) {
  (void)text;
  size_t *pieces = user;
  CHECK(length > 0, "an empty piece");
  ++*pieces;
}

static void test_a_character_is_never_split(void **state) {
  (void)state;
  size_t pieces = 0;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.stdout_fn = count_pieces;
  config.output_user = &pieces;
  subpy_id other;
  CREATE(&config, &other);
  RUN(other, "import sys\n"
             "sys.stdout.buffer.write(b'\\xf0\\x9f')\n"
             "sys.stdout.buffer.flush()\n");
  CHECK_EQUAL(pieces, 0);
  RUN(other, "sys.stdout.buffer.write(b'\\x98\\x80')");
  CHECK_EQUAL(pieces, 1);
  DESTROY(other);
}

/* Nothing is lost or changed without a word. */
static void test_bytes_that_are_not_utf8_are_refused(void **state) {
  (void)state;
  WRITES("import sys\n"
         "def refused(data):\n"
         "  try: sys.stdout.buffer.write(data)\n"
         "  except ValueError as e: assert 'output_bytes' in str(e), e\n"
         "  else: assert False, data\n"
         "sys.stdout.buffer.write(b'a\\xe2\\x82')\n"
         "for data in b'<\\xff>\\n', b'x', b'\\xe2', b'\\xac\\xff': refused(data)\n"
         "sys.stdout.buffer.write(b'\\xac\\n')\n"
         "refused(b'b' * 10000 + b'\\x80')\n",
         "a\xe2\x82\xac\n", "");
  WRITES("print('\\udc80')", "\\udc80\n", "");
}

static void test_bytes_as_they_are(void **state) {
  (void)state;
  struct capture all = {0};
  subpy_interpreter_config config = capture_config(&all);
  config.output_bytes = 1;
  subpy_id other;
  CREATE(&config, &other);
  RUN(other, "import sys\n"
             "sys.stdout.buffer.write(bytes(range(256)))\n"
             "sys.stderr.buffer.write(b'\\xe2\\x82')\n");
  CHECK_EQUAL(all.out.length, 256);
  for (int i = 0; i < 256; i++) {
    CHECK_EQUAL((unsigned char)all.out.data[i], i);
  }
  CHECK_TEXT(text_of(&all.err), "\xe2\x82");
  RUN(other, "print('caf\xc3\xa9')");
  CHECK_TEXT(all.out.data + 256, "caf\xc3\xa9\n");
  DESTROY(other);
  capture_clear(&all);
  config.output_bytes = 2;
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "output_bytes", subpy_create(&config, &other, &error));
}

static void test_half_a_character_comes_out_at_the_end(void **state) {
  (void)state;
  struct capture last = {0};
  const subpy_interpreter_config config = capture_config(&last);
  RUN_IN_NEW(&config, "import sys; sys.stdout.buffer.write(b'half: \\xe2\\x82')");
  CHECK_TEXT(text_of(&last.out), "half: \xef\xbf\xbd");
  capture_clear(&last);
}

static void test_a_nul_character_is_text_too(void **state) {
  (void)state;
  RUN(id, "print('a\\0b')");
  CHECK_EQUAL(capture.out.length, 4);
  CHECK(memcmp(capture.out.data, "a\0b\n", 4) == 0, "it is \"%s\"", text_of(&capture.out));
}

static void test_ten_megabytes(void **state) {
  (void)state;
  RUN(id, "for i in range(1024):\n"
          "    print(chr(ord('a') + i % 26) * 10240, end='\\n' if i % 3 else '')\n");
  size_t at = 0;
  for (size_t i = 0; i < 1024; i++) {
    for (size_t n = 0; n < 10240; n++, at++) {
      CHECK(at < capture.out.length && capture.out.data[at] == (char)('a' + i % 26),
            "part %zu is wrong", i);
    }
    at += i % 3 != 0;
  }
  CHECK_EQUAL(capture.out.length, at);
}

static void test_ten_megabytes_at_once(void **state) {
  (void)state;
  RUN(id, "import sys\nassert sys.stdout.write('\xe2\x82\xac' * (10 << 20)) == 10 << 20");
  CHECK_EQUAL(capture.out.length, 3 * (10 << 20));
  for (size_t at = 0; at < capture.out.length; at += 3) {
    CHECK(memcmp(capture.out.data + at, "\xe2\x82\xac", 3) == 0, "byte %zu is wrong", at);
  }
}

static void test_a_traceback_that_a_script_prints(void **state) {
  (void)state;
  RUN(id, "import traceback\n"
          "try:\n"
          "    1 / 0\n"
          "except ZeroDivisionError:\n"
          "    traceback.print_exc()\n");
  CHECK_CONTAINS(text_of(&capture.err), "Traceback (most recent call last):\n");
  CHECK_CONTAINS(text_of(&capture.err), "ZeroDivisionError: division by zero\n");
  CHECK_TEXT(text_of(&capture.out), "");
}

static void test_warnings_and_unraisable_exceptions(void **state) {
  (void)state;
  RUN(id, "import warnings; warnings.warn('beware')");
  CHECK_CONTAINS(text_of(&capture.err), "UserWarning: beware\n");
  RUN(id, "class Bad:\n"
          "    def __del__(self): raise ValueError('while it goes')\n"
          "bad = Bad()\n"
          "del bad\n");
  CHECK_CONTAINS(text_of(&capture.err), "ValueError: while it goes\n");
}

/* The host's function is there until the interpreter is gone. */
static void test_what_python_says_at_the_end(void **state) {
  (void)state;
  static const struct {
    const char *code, *said;
    bool of_module; /* it goes with a module that Python takes apart */
  } ends[] = {
      {"import atexit; atexit.register(lambda: 1 / 0)", "ZeroDivisionError", false},
      {"class Bad:\n"
       "    def __del__(self): raise ValueError('at the end')\n"
       "bad = Bad()\n",
       "ValueError: at the end", false},
      {"class Bad:\n"
       "    def __del__(self): raise ValueError('at the end')\n"
       "import builtins; builtins.bad = Bad()\n",
       "ValueError: at the end", true},
      {"async def work(): pass\nwork = work()", "coroutine 'work' was never awaited", false},
      {"import warnings; warnings.simplefilter('always'); file = open('/dev/null')",
       "ResourceWarning: unclosed file", false},
  };
  for (size_t i = 0; i < COUNT(ends); i++) {
    struct capture last = {0};
    const subpy_interpreter_config config = capture_config(&last);
    subpy_id other;
    CREATE(&config, &other);
    RUN(other, ends[i].code);
    CHECK_TEXT(text_of(&last.err), "");
    DESTROY(other);
    if (modules_go_at_the_end() || !ends[i].of_module) {
      CHECK_CONTAINS(text_of(&last.err), ends[i].said);
    }
    capture_clear(&last);
  }
}

static void test_a_captured_stream_is_no_file(void **state) {
  (void)state;
  RUN(id, "import io, sys\n"
          "for stream in sys.stdout, sys.stderr:\n"
          "    try:\n"
          "        stream.fileno()\n"
          "    except io.UnsupportedOperation:\n"
          "        pass\n"
          "    else:\n"
          "        raise AssertionError('it has a file descriptor')\n"
          "    assert not stream.isatty()\n"
          "    assert stream.writable() and not stream.readable() and not stream.seekable()\n"
          "    assert stream.encoding == 'utf-8' and stream.mode == 'w'\n"
          "assert sys.stdout.name == '<stdout>' and sys.stderr.name == '<stderr>'\n");
}

static void test_a_script_may_replace_or_close_its_streams(void **state) {
  (void)state;
  WRITES("import io, sys\n"
         "kept, sys.stdout = sys.stdout, io.StringIO()\n"
         "print('not for the host')\n"
         "sys.stdout = kept\n"
         "print('for the host')\n",
         "for the host\n", "");
  WRITES("print('last', end='')\nsys.stdout.close()", "last", "");
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "print('too late')");
  CHECK_TEXT(subpy_error_type(error), "ValueError");
  subpy_error_free(error);
  WRITES("del sys.stdout, sys.stderr", "", "");
}

static void test_each_interpreter_has_its_own(void **state) {
  (void)state;
  struct capture another = {0};
  const subpy_interpreter_config config = capture_config(&another);
  subpy_id other;
  CREATE(&config, &other);
  RUN(id, "print('here')");
  RUN(other, "print('there')");
  CHECK_TEXT(text_of(&capture.out), "here\n");
  CHECK_TEXT(text_of(&another.out), "there\n");
  DESTROY(other);
  capture_clear(&another);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_print),
      TEST(test_both_streams),
      TEST(test_a_line_that_is_not_full_is_flushed_at_the_end),
      TEST(test_it_is_flushed_if_the_run_fails),
      TEST(test_nothing_is_not_delivered),
      TEST(test_a_character_byte_by_byte),
      TEST(test_a_character_is_never_split),
      TEST(test_bytes_that_are_not_utf8_are_refused),
      TEST(test_bytes_as_they_are),
      TEST(test_half_a_character_comes_out_at_the_end),
      TEST(test_a_nul_character_is_text_too),
      TEST(test_ten_megabytes),
      TEST(test_ten_megabytes_at_once),
      TEST(test_a_traceback_that_a_script_prints),
      TEST(test_warnings_and_unraisable_exceptions),
      TEST(test_what_python_says_at_the_end),
      TEST(test_a_captured_stream_is_no_file),
      TEST(test_a_script_may_replace_or_close_its_streams),
      TEST(test_each_interpreter_has_its_own),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
