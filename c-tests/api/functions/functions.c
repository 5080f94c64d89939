/* Functions of the host's, called by scripts. */
#include "fixture.h"
#include "busy.h"

static void count_drop(void *user) { ++*(int *)user; }

#define DEFINE(id, name, function, user)                                                           \
  EXPECT(SUBPY_OK, subpy_define_function(id, "host", name, function, user, NULL, &error))

/* Answers with its arguments: positional ones as a tuple, then the keywords. */
static void echo(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user;
  subpy_value both[2];
  both[0] = subpy_tuple(args, nargs);
  both[1] = *subpy_host_keywords(call);
  const subpy_value answer = subpy_list(both, 2);
  subpy_host_return(call, &answer);
}

static void nothing(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user, (void)call, (void)args, (void)nargs;
}

static void add(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  int64_t sum = *(const int64_t *)user, each;
  for (size_t i = 0; i < nargs; i++) {
    if (!subpy_value_as_int(&args[i], &each)) {
      subpy_host_raise(call, "builtins.TypeError", "not an int");
      return;
    }
    sum += each;
  }
  const subpy_value answer = subpy_int(sum);
  subpy_host_return(call, &answer);
}

/* Tests. ------------------------------------------------------------------------------------- */

static void test_arguments_and_answers(void **state) {
  (void)state;
  DEFINE(id, "echo", echo, NULL);
  DEFINE(id, "nothing", nothing, NULL);
  RUN(id, "import host\n"
          "assert host.echo() == [(), {}]\n"
          "assert host.echo(1, 'x', None, b'b', 2.5) == [(1, 'x', None, b'b', 2.5), {}]\n"
          "assert host.echo([1, {'k': (2,)}], x='y', z=[3]) == [([1, {'k': (2,)}],), "
          "{'x': 'y', 'z': [3]}]\n"
          "assert host.echo(*range(100))[0] == tuple(range(100))\n"
          "assert host.nothing(1, x=2) is None\n");
}

static void test_user(void **state) {
  (void)state;
  int64_t start = 100;
  DEFINE(id, "add", add, &start);
  RUN(id, "import host\n"
          "assert host.add(1, 2) == 103\n"
          "try: host.add('x')\n"
          "except TypeError as e: assert str(e) == 'not an int'\n"
          "else: assert False\n");
}

/* Raises what its arguments say. */
static void raise_it(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user, (void)nargs;
  subpy_host_raise(call, subpy_value_text(&args[0]), subpy_value_text(&args[1]));
}

static void test_exceptions(void **state) {
  (void)state;
  DEFINE(id, "fail", raise_it, NULL);
  RUN(id, "import host, json\n"
          "class Oops(Exception):\n"
          "  class Inner(Exception): pass\n"
          "def check(name, kind):\n"
          "  try: host.fail(name, 'why')\n"
          "  except BaseException as e:\n"
          "    assert type(e) is kind and e.args == ('why',), (name, type(e), e)\n"
          "  else: assert False\n"
          "check('builtins.ValueError', ValueError)\n"
          "check('ValueError', ValueError)\n"
          "check('__main__.Oops', Oops)\n"
          "check('__main__.Oops.Inner', Oops.Inner)\n"
          "check('json.JSONDecodeError.__base__', ValueError)\n"
          "check('SystemExit', SystemExit)\n"
          "check('queue.Empty', __import__('queue').Empty)\n"
          "class Two(Exception):\n"
          "  def __init__(self, one, two): pass\n"
          "for name in ('Nope', 'no.such.Thing', 'builtins.int', 'json.loads', '', '..',\n"
          "             'UnicodeDecodeError', '__main__.Two'):\n"
          "  try: host.fail(name, 'why')\n"
          "  except RuntimeError as e: assert str(e).startswith('why (the host asked for'), e\n"
          "  else: assert False\n"
          "try: host.fail(None, None)\n"
          "except RuntimeError as e: assert e.args == ('',), e\n"
          "else: assert False\n");
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "host.fail('__main__.Oops', 'why')");
  CHECK_TEXT(subpy_error_type(error), "Oops");
  CHECK_CONTAINS(subpy_error_traceback(error), "host.fail('__main__.Oops', 'why')");
  subpy_error_free(error);
}

static void return_wrong(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user, (void)args, (void)nargs;
  subpy_value wrong = subpy_none();
  wrong.kind = 77;
  const subpy_value list = subpy_list(&wrong, 1);
  subpy_host_return(call, &list);
}

static void test_what_can_not_cross(void **state) {
  (void)state;
  DEFINE(id, "nothing", nothing, NULL);
  DEFINE(id, "wrong", return_wrong, NULL);
  RUN(id,
      "import host\n"
      "def check(kind, text, *args, **kwargs):\n"
      "  try: host.nothing(*args, **kwargs)\n"
      "  except kind as e: assert text in str(e), e\n"
      "  else: assert False\n"
      "check(TypeError, 'nothing(): args[1] is of type object', 1, object())\n"
      "check(TypeError, 'nothing(): args[0][\"a\"] is an int past 64 bits', {'a': 2 ** 64})\n"
      "check(TypeError, 'nothing(): kwargs[\"x\"] is of type type', x=int)\n"
      "check(TypeError, 'args[0] is a str with lone surrogates', '\\ud800')\n"
      "loop = []\n"
      "loop.append(loop)\n"
      "check(TypeError, 'contains itself', loop)\n"
      "try: host.wrong()\n"
      "except ValueError as e: assert str(e).startswith('wrong(): result[0] is of kind 77'), e\n"
      "else: assert False\n");
}

static void answer_often(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user, (void)args, (void)nargs;
  const subpy_value text = subpy_str("text"), number = subpy_int(3);
  subpy_host_raise(call, "ValueError", "not this");
  subpy_host_return(call, &text);
  subpy_host_return(call, &text);
  subpy_host_return(call, &number);
  subpy_host_return(NULL, &text);
  subpy_host_raise(NULL, "ValueError", "no call");
}

static void test_the_last_answer_counts(void **state) {
  (void)state;
  DEFINE(id, "often", answer_often, NULL);
  RUN(id, "import host\nassert host.often() == 3");
  CHECK(subpy_host_keywords(NULL) == NULL, "no call");
  CHECK_EQUAL(subpy_host_interpreter(NULL), -1);
}

static void test_doc_and_signature(void **state) {
  (void)state;
  subpy_function_options options = SUBPY_FUNCTION_OPTIONS_INIT;
  options.doc = "Writes a message.";
  options.signature = "(text, /, level=2, *, end='\\n')";
  EXPECT(SUBPY_OK,
         subpy_define_function_with(id, &options, "host", "log", nothing, NULL, NULL, &error));
  RUN(id, "import host, inspect, pydoc\n"
          "assert host.log.__doc__ == 'Writes a message.'\n"
          "assert str(inspect.signature(host.log)) == \"(text, /, level=2, *, end='\\\\n')\"\n"
          "text = pydoc.plain(pydoc.render_doc(host))\n"
          "assert \"log(text, /, level=2, *, end='\\\\n')\" in text, text\n"
          "assert 'Writes a message.' in text and ' instance' not in text, text\n");
}

static void test_modules(void **state) {
  (void)state;
  EXPECT(SUBPY_OK, subpy_define_function(id, "app.host", "f", nothing, NULL, NULL, &error));
  EXPECT(SUBPY_OK, subpy_define_function(id, "json", "f", nothing, NULL, NULL, &error));
  EXPECT(SUBPY_OK, subpy_define_function(id, "__main__", "f", nothing, NULL, NULL, &error));
  RUN(id, "import app.host, json\n"
          "from app.host import f as g\n"
          "assert g() is app.host.f() is json.f() is f() is None\n"
          "assert json.loads('[1]') == [1]\n");
}

static void test_wrong_definitions(void **state) {
  (void)state;
  int drops = 0, expected = 0;
  subpy_function_options options = SUBPY_FUNCTION_OPTIONS_INIT;
#define REFUSED(status, part, id, options, module, name, function)                                 \
  REFUSES(status, part,                                                                            \
          subpy_define_function_with(id, options, module, name, function, &drops, count_drop,      \
                                     &error));                                                     \
  CHECK_EQUAL(drops, ++expected)
  REFUSED(SUBPY_ERR_INVALID_ARGUMENT, "fn is NULL", id, NULL, "host", "f", NULL);
  REFUSED(SUBPY_ERR_INVALID_ARGUMENT, "module is NULL", id, NULL, NULL, "f", nothing);
  REFUSED(SUBPY_ERR_INVALID_ARGUMENT, "name is NULL", id, NULL, "host", NULL, nothing);
  REFUSED(SUBPY_ERR_INVALID_ARGUMENT, "module is not UTF-8", id, NULL, "\xff", "f", nothing);
  REFUSED(SUBPY_ERR_INVALID_ARGUMENT, "can't be a module's name", id, NULL, "a..b", "f", nothing);
  REFUSED(SUBPY_ERR_INVALID_ARGUMENT, "can't be a function's name", id, NULL, "host", "a.b",
          nothing);
  REFUSED(SUBPY_ERR_NOT_FOUND, "there is no interpreter 12345", 12345, NULL, "host", "f", nothing);
  REFUSED(SUBPY_ERR_NOT_PERMITTED, "main interpreter", 0, NULL, "host", "f", nothing);
  options.signature = "a, b";
  REFUSED(SUBPY_ERR_INVALID_ARGUMENT, "has to be in parentheses", id, &options, "host", "f",
          nothing);
  options.signature = NULL;
  options.release_gil = 2;
  REFUSED(SUBPY_ERR_INVALID_ARGUMENT, "release_gil is 2", id, &options, "host", "f", nothing);
  options.release_gil = 0;
  options.flags = 64;
  REFUSED(SUBPY_ERR_INVALID_ARGUMENT, "0x40 is unknown", id, &options, "host", "f", nothing);
  options.struct_size = 0;
  REFUSED(SUBPY_ERR_INVALID_ARGUMENT, "subpy_function_options.struct_size is 0", id, &options,
          "host", "f", nothing);
  struct busy busy;
  busy_start(&busy);
  REFUSED(SUBPY_ERR_BUSY, "is running", busy.id, NULL, "host", "f", nothing);
  busy_end(&busy);
  DESTROY(busy.id);
#undef REFUSED
}

static void test_drop(void **state) {
  (void)state;
  int first = 0, second = 0, third = 0;
  EXPECT(SUBPY_OK, subpy_define_function(id, "host", "f", nothing, &first, count_drop, &error));
  RUN(id, "import host\nhost.f()");
  CHECK_EQUAL(first, 0);
  EXPECT(SUBPY_OK, subpy_define_function(id, "host", "f", nothing, &second, count_drop, &error));
  CHECK_EQUAL(first, 1);
  RUN(id, "kept = host.f");
  EXPECT(SUBPY_OK, subpy_define_function(id, "host", "f", nothing, &third, count_drop, &error));
  CHECK_EQUAL(second, 0);
  RUN(id, "kept()\ndel kept");
  CHECK_EQUAL(second, 1);
  DESTROY(id);
  CHECK(first == 1 && second == 1 && third == 1, "%d, %d, %d", first, second, third);
}

struct dropped {
  subpy_id id, other;
  int calls;
};

static void call_subpy(void *user) {
  struct dropped *dropped = user;
  subpy_id current;
  dropped->calls++;
  EXPECT(SUBPY_ERR_BUSY, subpy_run_string(dropped->id, "1", &error));
  EXPECT(SUBPY_ERR_BUSY, subpy_destroy(dropped->id, &error));
  EXPECT(SUBPY_OK, subpy_get_current(&current, &error));
  CHECK_EQUAL(current, dropped->id);
  RUN(dropped->other, "dropped = 1");
  subpy_id id;
  CREATE(NULL, &id);
  DESTROY(id);
}

static void test_a_drop_that_calls_subpy(void **state) {
  (void)state;
  struct dropped dropped = {0, id, 0};
  CREATE(NULL, &dropped.id);
  EXPECT(SUBPY_OK,
         subpy_define_function(dropped.id, "host", "f", nothing, &dropped, call_subpy, &error));
  DESTROY(dropped.id);
  CHECK_EQUAL(dropped.calls, 1);
  RUN(id, "assert dropped == 1");
}

/* Uses subpy for every interpreter; its own is busy for a Python thread. */
static void inside(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)args;
  const subpy_id other = *(const subpy_id *)user, own = subpy_host_interpreter(call);
  const bool in_python_thread = nargs > 0;
  subpy_id id;
  subpy_value out;
  EXPECT(SUBPY_OK, subpy_get_current(&id, &error));
  CHECK_EQUAL(id, own);
  const subpy_status expected = in_python_thread ? SUBPY_ERR_BUSY : SUBPY_OK;
  EXPECT(expected, subpy_run_string(own, "1", &error));
  EXPECT(expected, subpy_eval(own, "1", &out, &error));
  REFUSES(SUBPY_ERR_BUSY, "from inside it", subpy_destroy(own, &error));
  EXPECT(SUBPY_ERR_BUSY, subpy_finalize(&error));
  RUN(other, "x = 1");
  EXPECT(SUBPY_OK, subpy_eval(other, "x + 1", &out, &error));
  CHECK_EQUAL(out.as.integer, 2);
  RUN_IN_NEW(NULL, "y = 1");
  EXPECT(SUBPY_OK, subpy_get_current(&id, &error));
  CHECK_EQUAL(id, own);
  out = subpy_str("done");
  subpy_host_return(call, &out);
}

static void test_from_inside(void **state) {
  (void)state;
  subpy_id other;
  CREATE(NULL, &other);
  for (uint8_t release_gil = 0; release_gil < 2; release_gil++) {
    subpy_function_options options = SUBPY_FUNCTION_OPTIONS_INIT;
    options.release_gil = release_gil;
    EXPECT(SUBPY_OK, subpy_define_function_with(other, &options, "host", "inside", inside, &id,
                                                NULL, &error));
    RUN(other, "import host\nassert host.inside() == 'done'");
    RUN(other, "import threading\n"
               "answers = []\n"
               "def work(): answers.append(host.inside('in a Python thread'))\n");
    /* In a Python thread, nothing runs in `other` meanwhile. */
    RUN(other, "t = threading.Thread(target=work)\n"
               "t.start()\n"
               "t.join()\n"
               "assert answers == ['done'], answers\n");
  }
  DESTROY(other);
}

/* A function that does not return until it is told to. */
struct stay {
  subpy_id id;
  struct gate inside, leave;
};

static void stay(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  struct stay *gates = user;
  (void)call, (void)args, (void)nargs;
  gate_open(&gates->inside);
  gate_wait(&gates->leave);
}

static void *run_stay(void *argument) {
  struct stay *gates = argument;
  EXPECT(SUBPY_ERR_INTERRUPTED, subpy_run_string(gates->id,
                                                 "import host\n"
                                                 "host.stay()\n"
                                                 "while True: pass\n",
                                                 &error));
  return NULL;
}

static void test_one_that_never_returns_while_another_thread_interrupts(void **state) {
  (void)state;
  for (uint8_t release_gil = 0; release_gil < 2; release_gil++) {
    struct stay gates = {0, GATE_INIT, GATE_INIT};
    CREATE(NULL, &gates.id);
    subpy_function_options options = SUBPY_FUNCTION_OPTIONS_INIT;
    /* Before 3.12 the GIL is everybody's, also that of the interpreter that runs meanwhile. */
    options.release_gil = release_gil || !python_at_least(3, 12);
    EXPECT(SUBPY_OK, subpy_define_function_with(gates.id, &options, "host", "stay", stay, &gates,
                                                NULL, &error));
    pthread_t thread = thread_start(run_stay, &gates);
    gate_wait(&gates.inside);
    EXPECT(SUBPY_OK, subpy_interrupt(gates.id, &error));
    REFUSES(SUBPY_ERR_BUSY, "is running", subpy_run_string(gates.id, "1", &error));
    REFUSES(SUBPY_ERR_BUSY, "is running", subpy_destroy(gates.id, &error));
    RUN(id, "x = 1");
    gate_open(&gates.leave);
    thread_join(thread);
    RUN(gates.id, "x = 1");
    DESTROY(gates.id);
  }
}

static void test_everywhere(void **state) {
  (void)state;
  int first = 0, second = 0;
  subpy_id b, c;
  EXPECT(SUBPY_ERR_NOT_FOUND,
         subpy_define_function(-1, "everywhere", "f", echo, NULL, NULL, &error));
  EXPECT(SUBPY_OK, subpy_define_function(SUBPY_EVERYWHERE, "everywhere", "f", echo, &first,
                                         count_drop, &error));
  CREATE(NULL, &b);
  RUN(b, "import everywhere\nassert everywhere.f(1) == [(1,), {}]");
  subpy_error_free(RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "import everywhere"));
  EXPECT(SUBPY_OK, subpy_define_function(SUBPY_EVERYWHERE, "everywhere", "f", nothing, &second,
                                         count_drop, &error));
  CREATE(NULL, &c);
  RUN(c, "import everywhere\nassert everywhere.f(1) is None");
  CHECK_EQUAL(first, 0);
  DESTROY(b);
  CHECK_EQUAL(first, 1);
  DESTROY(c);
  CHECK_EQUAL(second, 0);
  /* For the other tests: the definition stays, but not its user. */
  EXPECT(SUBPY_OK,
         subpy_define_function(SUBPY_EVERYWHERE, "everywhere", "f", nothing, NULL, NULL, &error));
  CHECK_EQUAL(second, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_arguments_and_answers),
      TEST(test_user),
      TEST(test_exceptions),
      TEST(test_what_can_not_cross),
      TEST(test_the_last_answer_counts),
      TEST(test_doc_and_signature),
      TEST(test_modules),
      TEST(test_wrong_definitions),
      TEST(test_drop),
      TEST(test_a_drop_that_calls_subpy),
      TEST(test_from_inside),
      TEST(test_one_that_never_returns_while_another_thread_interrupts),
      TEST(test_everywhere),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
