/* Objects that stay in Python, and what a host does with its handles of them. */
#include "backends.h"
#include "support.h"

#include <pthread.h>

static subpy_id id;

static void create(void) { CREATE(NULL, &id); }

static subpy_object eval_object(const char *expression) {
  subpy_object object = 7;
  EXPECT(SUBPY_OK, subpy_eval_object(id, expression, &object, &error));
  CHECK(object != 0, "no handle");
  return object;
}

static int64_t int_of(subpy_value *value) {
  CHECK_EQUAL(value->kind, SUBPY_INT);
  const int64_t result = value->as.integer;
  subpy_value_clear(value);
  return result;
}

/* Each call ----------------------------------------------------------------------------------------- */

static void test_each_call(void **state) {
  (void)state;
  create();
  RUN(id, "class Account:\n"
          "    def __init__(self): self.balance = 5; self.owner = None\n"
          "    def add(self, n, times=1): self.balance += n * times; return self.balance\n"
          "    def __getitem__(self, key): return [key, self]\n"
          "    def __str__(self): return 'account of \\xe4'\n"
          "account = Account()\n"
          "async def later(x): return x + 1\n");
  subpy_object account, function;
  subpy_value value = subpy_none();
  EXPECT(SUBPY_OK, subpy_get_object(id, "account", &account, &error));
  CHECK_EQUAL(subpy_object_interpreter(account), id);
  const subpy_value two = subpy_int(2);
  EXPECT(SUBPY_OK, subpy_object_call_method(account, "add", &two, 1, &value, &error));
  CHECK_EQUAL(int_of(&value), 7);
  EXPECT(SUBPY_OK, subpy_object_get(account, "balance", &value, &error));
  CHECK_EQUAL(int_of(&value), 7);
  EXPECT(SUBPY_OK, subpy_object_set(account, "balance", &two, &error));
  RUN(id, "assert account.balance == 2");
  /* What is no plain data comes back as an object, also inside of what is. */
  EXPECT(SUBPY_OK, subpy_object_get(account, "add", &value, &error));
  CHECK_EQUAL(value.kind, SUBPY_OBJECT);
  function = subpy_object_retain(subpy_value_object(&value));
  subpy_value_clear(&value);
  subpy_call_options options = SUBPY_CALL_OPTIONS_INIT;
  const subpy_value keywords[] = {subpy_str("times"), subpy_int(10)};
  const subpy_value dict = subpy_dict(keywords, 1);
  options.keywords = &dict;
  EXPECT(SUBPY_OK, subpy_object_call_with(function, &options, &two, 1, &value, &error));
  CHECK_EQUAL(int_of(&value), 22);
  EXPECT(SUBPY_OK, subpy_object_item(account, &two, &value, &error));
  CHECK_EQUAL(value.kind, SUBPY_LIST);
  CHECK_EQUAL(subpy_value_item(&value, 0)->as.integer, 2);
  CHECK_EQUAL(subpy_value_item(&value, 1)->kind, SUBPY_OBJECT);
  const subpy_object same = subpy_object_retain(subpy_value_object(subpy_value_item(&value, 1)));
  subpy_value_clear(&value);
  EXPECT(SUBPY_OK, subpy_object_text(same, &value, &error));
  CHECK_TEXT(subpy_value_text(&value), "account of \xc3\xa4");
  subpy_value_clear(&value);
  REFUSES(SUBPY_ERR_NOT_SHAREABLE, "Account", subpy_object_value(same, 0, &value, &error));
  /* As an argument. */
  const subpy_value argument = subpy_from_object(same);
  EXPECT(SUBPY_OK, subpy_call(id, "builtins:id", &argument, 1, &value, &error));
  const int64_t address = int_of(&value);
  EXPECT(SUBPY_OK, subpy_eval(id, "id(account)", &value, &error));
  CHECK_EQUAL(int_of(&value), address);
  EXPECT(SUBPY_OK, subpy_set(id, "again", &argument, &error));
  RUN(id, "assert again is account");
  subpy_object later;
  EXPECT(SUBPY_OK, subpy_get_object(id, "later", &later, &error));
  EXPECT(SUBPY_OK, subpy_object_call(later, &two, 1, &value, &error));
  CHECK_EQUAL(int_of(&value), 3);
  subpy_object_release(account), subpy_object_release(function), subpy_object_release(same);
  subpy_object_release(later);
  DESTROY(id);
}

static void test_iteration(void **state) {
  (void)state;
  create();
  subpy_object list = eval_object("[1, None, print]"), iterator;
  subpy_value value;
  bool done = true;
  EXPECT(SUBPY_OK, subpy_object_call_method(list, "__iter__", NULL, 0, &value, &error));
  iterator = subpy_object_retain(subpy_value_object(&value));
  subpy_value_clear(&value);
  static const uint32_t kinds[] = {SUBPY_INT, SUBPY_NONE, SUBPY_OBJECT};
  for (size_t i = 0; i < COUNT(kinds); i++) {
    EXPECT(SUBPY_OK, subpy_object_next(iterator, &value, &done, &error));
    CHECK_EQUAL(value.kind, kinds[i]);
    CHECK(!done, "it ends too early");
    subpy_value_clear(&value);
  }
  for (int i = 0; i < 2; i++) {
    EXPECT(SUBPY_OK, subpy_object_next(iterator, &value, &done, &error));
    CHECK(done && value.kind == SUBPY_NONE, "it does not end");
  }
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "iterator", subpy_object_next(list, &value, &done, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "done", subpy_object_next(iterator, &value, NULL, &error));
  subpy_object_release(list), subpy_object_release(iterator);
  iterator = eval_object("(1 / x for x in (1, 0))");
  EXPECT(SUBPY_OK, subpy_object_next(iterator, &value, &done, &error));
  REFUSES(SUBPY_ERR_EXCEPTION, "division", subpy_object_next(iterator, &value, &done, &error));
  subpy_object_release(iterator);
  DESTROY(id);
}

/* The first item of a list, or the first value of a dict; what has no items is its own first one. */
static const subpy_value *first_of(const subpy_value *value) {
  switch (value->kind) {
  case SUBPY_LIST:
    return subpy_value_item(value, 0);
  case SUBPY_DICT:
    return subpy_value_at(value, 0);
  default:
    return value;
  }
}

/* An iterator loses none of its items. */
static void test_what_has_no_form_stays_in_python(void **state) {
  (void)state;
  create();
  RUN(id, "cycle = []\n"
          "cycle.append(cycle)\n"
          "deep = []\n"
          "for _ in range(2000): deep = [deep]\n"
          "items = [2 ** 70, '\\ud800', memoryview(b'abcd')[::2], cycle, deep, [2 ** 70, 1], {'a': "
          "'\\ud800', 'b': 2}]\n");
  static const uint32_t kinds[] = {SUBPY_OBJECT, SUBPY_OBJECT, SUBPY_OBJECT, SUBPY_OBJECT,
                                   SUBPY_OBJECT, SUBPY_LIST,   SUBPY_DICT};
  static const char *const checks[] = {
      "x == 2 ** 70", "x == '\\ud800'", "bytes(x) == b'ac'", "x is cycle",
      "x is deep",    "x == 2 ** 70",   "x == '\\ud800'",
  };
  subpy_object iterator = eval_object("iter(items)"), check;
  for (size_t i = 0; i < COUNT(kinds); i++) {
    subpy_value value;
    bool done;
    EXPECT(SUBPY_OK, subpy_object_next(iterator, &value, &done, &error));
    CHECK_EQUAL(value.kind, kinds[i]);
    CHECK_EQUAL(first_of(&value)->kind, SUBPY_OBJECT);
    char code[100];
    snprintf(code, sizeof code, "lambda x: %s", checks[i]);
    check = eval_object(code);
    subpy_value is;
    EXPECT(SUBPY_OK, subpy_object_call(check, first_of(&value), 1, &is, &error));
    CHECK(is.kind == SUBPY_BOOL && is.as.boolean, "item %zu is another one", i);
    subpy_value_clear(&value);
    subpy_object_release(check);
  }
  subpy_object_release(iterator);
  DESTROY(id);
}

static void test_compiled_programs(void **state) {
  (void)state;
  create();
  subpy_object code;
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.filename = "rule.py";
  const char source[] = "n = globals().get('n', 0) + 1\nif n == 3: 1 / 0\n";
  EXPECT(SUBPY_OK, subpy_compile(id, &options, source, strlen(source), &code, &error));
  EXPECT(SUBPY_OK, subpy_object_run(code, &error));
  EXPECT(SUBPY_OK, subpy_object_run(code, &error));
  RUN(id, "assert n == 2");
  subpy_error *error = NULL;
  CHECK_EQUAL(subpy_object_run(code, &error), SUBPY_ERR_EXCEPTION);
  CHECK_CONTAINS(subpy_error_traceback(error), "File \"rule.py\", line 2");
  CHECK_CONTAINS(subpy_error_traceback(error), "if n == 3: 1 / 0");
  subpy_error_free(error);
  subpy_object_release(code);
  REFUSES(SUBPY_ERR_EXCEPTION, "", subpy_compile(id, NULL, "x = = 1", 7, &code, &error));
  CHECK_EQUAL(code, 0);
  const subpy_object three = eval_object("3");
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "int", subpy_object_run(three, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "int", subpy_object_call(three, NULL, 0, NULL, &error));
  subpy_object_release(three);
  DESTROY(id);
}

static void test_in_a_namespace(void **state) {
  (void)state;
  create();
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  subpy_object object;
  subpy_value value;
  EXPECT(SUBPY_OK, subpy_add_namespace(id, "plugin", &error));
  options.in_namespace = "plugin";
  const char code[] = "def f(): return n\nn = 4";
  EXPECT(SUBPY_OK, subpy_run_string_with(id, &options, code, strlen(code), &error));
  EXPECT(SUBPY_OK, subpy_get_object_with(id, &options, "f", &object, &error));
  EXPECT(SUBPY_OK, subpy_object_call(object, NULL, 0, &value, &error));
  CHECK_EQUAL(int_of(&value), 4);
  subpy_object_release(object);
  EXPECT(SUBPY_OK, subpy_eval_object_with(id, &options, "f", 1, &object, &error));
  subpy_object_release(object);
  REFUSES(SUBPY_ERR_NOT_FOUND, "\"f\"", subpy_get_object(id, "f", &object, &error));
  DESTROY(id);
}

/* What a script hands over -------------------------------------------------------------------------- */

static subpy_object kept;

static void keep(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user;
  CHECK_EQUAL(nargs, 2);
  kept = subpy_object_retain(subpy_value_object(&args[1]));
  const subpy_value same = subpy_from_object(kept);
  subpy_host_return(call, &same);
}

static void test_callbacks(void **state) {
  (void)state;
  create();
  subpy_function_options options = SUBPY_FUNCTION_OPTIONS_INIT;
  options.flags = SUBPY_KEEP_OBJECTS;
  EXPECT(SUBPY_OK,
         subpy_define_function_with(id, &options, "host", "on", keep, NULL, NULL, &error));
  RUN(id, "import host\n"
          "saved = []\n"
          "def save(what): saved.append(what)\n"
          "assert host.on('save', save) is save\n"
          "del save");
  const subpy_value text = subpy_str("file");
  EXPECT(SUBPY_OK, subpy_object_call(kept, &text, 1, NULL, &error));
  RUN(id, "assert saved == ['file']");
  subpy_object_release(kept);
  /* Without the flag it is an exception in the script, as ever. */
  options.flags = 0;
  EXPECT(SUBPY_OK,
         subpy_define_function_with(id, &options, "host", "off", keep, NULL, NULL, &error));
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "host.off('save', print)");
  CHECK_CONTAINS(subpy_error_message(error), "args[1]");
  CHECK_CONTAINS(subpy_error_message(error), "SUBPY_KEEP_OBJECTS");
  subpy_error_free(error);
  /* Results, too. */
  subpy_call_options call = SUBPY_CALL_OPTIONS_INIT;
  subpy_value value;
  call.flags = SUBPY_KEEP_OBJECTS;
  EXPECT(SUBPY_OK, subpy_eval_with(id, &call, "{'f': print, 'n': [1, len]}", 27, &value, &error));
  CHECK_EQUAL(subpy_value_get(&value, "f")->kind, SUBPY_OBJECT);
  CHECK_EQUAL(subpy_value_item(subpy_value_get(&value, "n"), 1)->kind, SUBPY_OBJECT);
  const subpy_value argument = subpy_str("four");
  subpy_value length;
  EXPECT(SUBPY_OK,
         subpy_object_call(subpy_value_object(subpy_value_item(subpy_value_get(&value, "n"), 1)),
                           &argument, 1, &length, &error));
  CHECK_EQUAL(int_of(&length), 4);
  const subpy_object gone = subpy_value_object(subpy_value_get(&value, "f"));
  subpy_value_clear(&value);
  CHECK_EQUAL(subpy_object_interpreter(gone), -1);
  DESTROY(id);
}

/* References ---------------------------------------------------------------------------------------- */

static void test_an_object_lives_as_long_as_its_references(void **state) {
  (void)state;
  create();
  RUN(id, "import weakref\nclass Thing: pass\nthing = Thing(); ref = weakref.ref(thing)");
  subpy_object object;
  EXPECT(SUBPY_OK, subpy_get_object(id, "thing", &object, &error));
  RUN(id, "del thing; assert ref() is not None");
  CHECK_EQUAL(subpy_object_retain(object), object);
  subpy_object_release(object);
  RUN(id, "assert ref() is not None");
  subpy_object_release(object);
  RUN(id, "assert ref() is None");
  CHECK_EQUAL(subpy_object_interpreter(object), -1);
  DESTROY(id);
}

static void test_stale_handles(void **state) {
  (void)state;
  create();
  const subpy_object released = eval_object("print"), destroyed = eval_object("print");
  subpy_value value = subpy_none();
  const subpy_value one = subpy_int(1);
  bool done = false;
  subpy_object_release(released);
  subpy_object_release(released); /* once too often */
  DESTROY(id);
  const subpy_object stale[] = {0, released, destroyed, UINT64_MAX, 12345};
  for (size_t i = 0; i < COUNT(stale); i++) {
    const subpy_object object = stale[i];
    CHECK_EQUAL(subpy_object_interpreter(object), -1);
    subpy_object_retain(object);
    REFUSES(SUBPY_ERR_NOT_FOUND, "gone", subpy_object_call(object, NULL, 0, &value, &error));
    REFUSES(SUBPY_ERR_NOT_FOUND, "gone",
            subpy_object_call_with(object, NULL, NULL, 0, &value, &error));
    REFUSES(SUBPY_ERR_NOT_FOUND, "gone",
            subpy_object_call_method(object, "x", NULL, 0, &value, &error));
    REFUSES(SUBPY_ERR_NOT_FOUND, "gone", subpy_object_get(object, "x", &value, &error));
    REFUSES(SUBPY_ERR_NOT_FOUND, "gone", subpy_object_set(object, "x", &one, &error));
    REFUSES(SUBPY_ERR_NOT_FOUND, "gone", subpy_object_item(object, &one, &value, &error));
    REFUSES(SUBPY_ERR_NOT_FOUND, "gone", subpy_object_next(object, &value, &done, &error));
    REFUSES(SUBPY_ERR_NOT_FOUND, "gone", subpy_object_value(object, 0, &value, &error));
    REFUSES(SUBPY_ERR_NOT_FOUND, "gone", subpy_object_text(object, &value, &error));
    REFUSES(SUBPY_ERR_NOT_FOUND, "gone", subpy_object_run(object, &error));
    subpy_object_release(object);
  }
}

static void test_objects_of_another_interpreter(void **state) {
  (void)state;
  create();
  const subpy_object object = eval_object("print");
  subpy_id other;
  CREATE(NULL, &other);
  const subpy_value value = subpy_from_object(object), list = subpy_list(&value, 1);
  const subpy_value nothing = subpy_from_object(0);
  char part[64];
  snprintf(part, sizeof part, "is an object of interpreter %d", (int)id);
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, part, subpy_set(other, "x", &value, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "value[0] is an object",
          subpy_set(other, "x", &list, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "args[0]",
          subpy_call(other, "builtins:print", &value, 1, NULL, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "gone", subpy_set(id, "x", &nothing, &error));
  /* A queue has no interpreter. */
  subpy_queue *queue;
  EXPECT(SUBPY_OK, subpy_queue_create(NULL, &queue, &error));
  REFUSES(SUBPY_ERR_NOT_SHAREABLE, "object", subpy_queue_put(queue, &list, 0, &error));
  subpy_queue_free(queue);
  subpy_object_release(object);
  DESTROY(other);
  DESTROY(id);
}

static void test_wrong_arguments(void **state) {
  (void)state;
  create();
  subpy_object object = eval_object("print");
  subpy_value value;
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "object is NULL",
          subpy_get_object(id, "print", NULL, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "NULL", subpy_get_object(id, NULL, &object, &error));
  CHECK_EQUAL(object, 0);
  object = eval_object("print");
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "NULL", subpy_object_get(object, NULL, &value, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "NULL", subpy_object_set(object, "x", NULL, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "key is NULL",
          subpy_object_item(object, NULL, &value, &error));
  value = subpy_int(1);
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "done is NULL",
          subpy_object_next(object, &value, NULL, &error));
  CHECK_EQUAL(value.kind, SUBPY_NONE);
  REFUSES(SUBPY_ERR_EXCEPTION, "no_such", subpy_object_get(object, "no_such", &value, &error));
  CHECK_EQUAL(value.kind, SUBPY_NONE);
  subpy_object_release(object);
  DESTROY(id);
}

/* An object that a handle stands for may go while it is called. */
static void release_kept(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user, (void)call, (void)args, (void)nargs;
  subpy_object_release(kept);
  RUN(id, "gone = 1");
}

static void test_released_while_it_runs(void **state) {
  (void)state;
  create();
  EXPECT(SUBPY_OK, subpy_define_function(id, "host", "release", release_kept, NULL, NULL, &error));
  RUN(id, "import host");
  kept = eval_object("lambda: (host.release(), 'alive')[1]");
  subpy_value value;
  EXPECT(SUBPY_OK, subpy_object_call(kept, NULL, 0, &value, &error));
  CHECK_TEXT(subpy_value_text(&value), "alive");
  subpy_value_clear(&value);
  DESTROY(id);
}

static void test_a_limit_ends_what_is_called(void **state) {
  (void)state;
  create();
  const subpy_object object = eval_object("lambda: [1 for _ in iter(int, 1)]");
  subpy_run_options run = SUBPY_RUN_OPTIONS_INIT;
  subpy_call_options options = SUBPY_CALL_OPTIONS_INIT;
  options.run = &run;
  limit_to(&run, 50);
  REFUSES(SUBPY_ERR_TIMEOUT, "", subpy_object_call_with(object, &options, NULL, 0, NULL, &error));
  subpy_object_release(object);
  DESTROY(id);
}

/* The limit is that of what drops them, and not of the run that comes next. */
static void test_an_end_that_never_ends(void **state) {
  (void)state;
  create();
  RUN(id, "class Thing:\n"
          "    def __del__(self):\n"
          "        while True: pass\n");
  subpy_object_release(eval_object("Thing()"));
  RUN(id, "x = 1");
  DESTROY(id);
}

static void has_begun(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)call, (void)args, (void)nargs;
  gate_open(user);
}

/* So is that of those which a thread of the library drops, where nothing runs. */
static void test_many_ends_that_never_end(void **state) {
  (void)state;
  static subpy_object objects[1000];
  struct gate begun = GATE_INIT;
  create();
  EXPECT(SUBPY_OK, subpy_define_function(id, "host", "begun", has_begun, &begun, NULL, &error));
  RUN(id, "import host\n"
          "class Thing:\n"
          "    def __del__(self):\n"
          "        host.begun()\n"
          "        while True: pass\n");
  for (size_t i = 0; i < COUNT(objects); i++) {
    objects[i] = eval_object("Thing()");
  }
  for (size_t i = 0; i < COUNT(objects); i++) {
    subpy_object_release(objects[i]);
  }
  gate_wait(&begun); /* nobody else drops them */
  RUN(id, "x = 1");
  DESTROY(id);
}

struct asking {
  struct gate answered;
  subpy_status status;
};

static void ask_again(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)call, (void)args, (void)nargs;
  struct asking *asking = user;
  asking->status = subpy_eval(id, "1 + 1", NULL, NULL);
  gate_open(&asking->answered);
}

/* What an object's end calls of the host's may use the interpreter: in a call of the host's, and in the thread that drops many. */
static void test_an_end_that_calls_its_interpreter(void **state) {
  (void)state;
  static subpy_object objects[1000];
  for (size_t count = 1; count <= COUNT(objects); count += COUNT(objects) - 1) {
    struct asking asking = {GATE_INIT, SUBPY_ERR_INTERNAL};
    create();
    EXPECT(SUBPY_OK, subpy_define_function(id, "host", "ask", ask_again, &asking, NULL, &error));
    RUN(id, "import host\n"
            "class Thing:\n"
            "    def __del__(self): host.ask()\n");
    for (size_t i = 0; i < count; i++) {
      objects[i] = eval_object(i == 0 ? "Thing()" : "object()");
    }
    for (size_t i = 0; i < count; i++) {
      subpy_object_release(objects[i]);
    }
    if (count == 1) {
      RUN(id, "x = 1");
    }
    gate_wait(&asking.answered);
    CHECK_EQUAL(asking.status, SUBPY_OK);
    RUN(id, "x = 1");
    DESTROY(id);
  }
}

/* Such a function may wait for a thread that calls meanwhile. That one does not wait for it. */
struct waiting {
  struct gate begun, refused;
};

static void wait_for_refusal(void *user, subpy_host_call *call, const subpy_value *args,
                             size_t nargs) {
  (void)call, (void)args, (void)nargs;
  struct waiting *waiting = user;
  gate_open(&waiting->begun);
  gate_wait(&waiting->refused);
}

static void test_an_end_that_waits_for_a_caller(void **state) {
  (void)state;
  static subpy_object objects[1000];
  struct waiting waiting = {GATE_INIT, GATE_INIT};
  create();
  EXPECT(SUBPY_OK,
         subpy_define_function(id, "host", "wait", wait_for_refusal, &waiting, NULL, &error));
  RUN(id, "import host\n"
          "class Thing:\n"
          "    def __del__(self): host.wait()\n");
  for (size_t i = 0; i < COUNT(objects); i++) {
    objects[i] = eval_object(i == 0 ? "Thing()" : "object()");
  }
  for (size_t i = 0; i < COUNT(objects); i++) {
    subpy_object_release(objects[i]);
  }
  gate_wait(&waiting.begun);
  REFUSES(SUBPY_ERR_BUSY, "is running", subpy_run_string(id, "x = 1", &error));
  REFUSES(SUBPY_ERR_BUSY, "is running", subpy_destroy(id, &error));
  gate_open(&waiting.refused);
  RUN(id, "x = 1");
  DESTROY(id);
}

static void count_end(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)call, (void)args, (void)nargs;
  ++*(int *)user;
}

/* Those that are released when the interpreter ends, and those that are not. */
static void test_ends_with_the_interpreter(void **state) {
  (void)state;
  int count = 0;
  create();
  EXPECT(SUBPY_OK, subpy_define_function(id, "host", "ends", count_end, &count, NULL, &error));
  RUN(id, "import host\n"
          "class Thing:\n"
          "    def __del__(self): host.ends()\n");
  const subpy_object stays = eval_object("Thing()");
  subpy_object_release(eval_object("Thing()"));
  DESTROY(id);
  CHECK_EQUAL(count, 2);
  subpy_object_release(stays);
}

/* Many ---------------------------------------------------------------------------------------------- */

enum { MANY = 1000000, AT_ONCE = 100000 };

static void *release_all(void *argument) {
  const subpy_object *objects = argument;
  for (int i = 0; i < AT_ONCE; i++) {
    subpy_object_release(objects[i]);
  }
  return NULL;
}

/* Each is released in another thread. None of them stays, though nothing runs any more. */
static void test_a_million(void **state) {
  (void)state;
  create();
  RUN(id, "class Thing:\n"
          "    count = 0\n"
          "    def __init__(self): Thing.count += 1\n"
          "    def __del__(self): Thing.count -= 1\n");
  subpy_object make;
  EXPECT(SUBPY_OK, subpy_get_object(id, "Thing", &make, &error));
  subpy_object *objects = malloc(AT_ONCE * sizeof *objects);
  subpy_call_options options = SUBPY_CALL_OPTIONS_INIT;
  options.flags = SUBPY_KEEP_OBJECTS;
  const int many = in_processes() ? MANY / 20 : MANY;
  for (int made = 0; made < many;) {
    const int now = many - made < AT_ONCE ? many - made : AT_ONCE;
    for (int i = 0; i < AT_ONCE; i++) {
      objects[i] = 0;
    }
    for (int i = 0; i < now; i++, made++) {
      subpy_value value;
      EXPECT(SUBPY_OK, subpy_object_call_with(make, &options, NULL, 0, &value, &error));
      objects[i] = subpy_object_retain(subpy_value_object(&value));
      subpy_value_clear(&value);
    }
    pthread_t thread;
    CHECK_EQUAL(pthread_create(&thread, NULL, release_all, objects), 0);
    pthread_join(thread, NULL);
  }
  free(objects);
  RUN(id, "assert Thing.count == 0, Thing.count");
  subpy_object_release(make);
  DESTROY(id);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_each_call),
      cmocka_unit_test(test_iteration),
      cmocka_unit_test(test_what_has_no_form_stays_in_python),
      cmocka_unit_test(test_compiled_programs),
      cmocka_unit_test(test_in_a_namespace),
      cmocka_unit_test(test_callbacks),
      cmocka_unit_test(test_an_object_lives_as_long_as_its_references),
      cmocka_unit_test(test_stale_handles),
      cmocka_unit_test(test_objects_of_another_interpreter),
      cmocka_unit_test(test_wrong_arguments),
      cmocka_unit_test(test_released_while_it_runs),
      cmocka_unit_test(test_a_limit_ends_what_is_called),
      cmocka_unit_test(test_an_end_that_never_ends),
      cmocka_unit_test(test_many_ends_that_never_end),
      cmocka_unit_test(test_an_end_that_calls_its_interpreter),
      cmocka_unit_test(test_an_end_that_waits_for_a_caller),
      cmocka_unit_test(test_ends_with_the_interpreter),
      cmocka_unit_test(test_a_million),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
