/* Queues between the host, scripts and interpreters. */
#include "fixture.h"
#include "stop.h"

#define PUT(queue, value) EXPECT(SUBPY_OK, subpy_queue_put(queue, &(value), 0, &error))
#define GET(queue, value) EXPECT(SUBPY_OK, subpy_queue_get(queue, value, SUBPY_FOREVER, &error))

static subpy_queue *new_queue(size_t capacity) {
  subpy_queue_config config = SUBPY_QUEUE_CONFIG_INIT;
  subpy_queue *queue = NULL;
  config.capacity = capacity;
  EXPECT(SUBPY_OK, subpy_queue_create(&config, &queue, &error));
  return queue;
}

static void give(subpy_id id, const char *name, subpy_queue *queue) {
  const subpy_value value = subpy_from_queue(queue);
  EXPECT(SUBPY_OK, subpy_set(id, name, &value, &error));
}

static void put_int(subpy_queue *queue, int64_t n) {
  const subpy_value value = subpy_int(n);
  PUT(queue, value);
}

static int64_t get_int(subpy_queue *queue) {
  subpy_value value;
  int64_t n = -1;
  GET(queue, &value);
  CHECK(subpy_value_as_int(&value, &n), "it is a %s", subpy_kind_name(value.kind));
  return n;
}

/* What crosses. ------------------------------------------------------------------------------ */

static void test_values(void **state) {
  (void)state;
  subpy_queue *queue = new_queue(0);
  subpy_queue *inner = new_queue(1);
  give(id, "q", queue);
  char text[] = "text";
  subpy_value items[9] = {subpy_none(),          subpy_bool(true),        subpy_int(INT64_MIN),
                          subpy_float(1.5),      subpy_str(text),         subpy_bytes("\0\xff", 2),
                          subpy_big_int("0x1f"), subpy_from_queue(inner), subpy_str("")};
  subpy_value pairs[4] = {subpy_str("list"), subpy_list(items, 9), subpy_int(7),
                          subpy_tuple(NULL, 0)};
  const subpy_value dict = subpy_dict(pairs, 2);
  PUT(queue, dict);
  PUT(queue, dict);
  text[0] = 'n'; /* it has been copied */
  RUN(id, "d = q.get()\n"
          "assert list(d) == ['list', 7] and d[7] == ()\n"
          "assert d['list'][:7] == [None, True, -2**63, 1.5, 'text', b'\\0\\xff', 31] and "
          "d['list'][8] == ''\n"
          "d['list'][7].put('inside')\n"
          "q.put(q.get())\n"
          "q.put(2 ** 100)\n");
  subpy_value value;
  GET(inner, &value);
  CHECK_TEXT(subpy_value_text(&value), "inside");
  subpy_value_clear(&value);
  GET(queue, &value);
  const subpy_value *list = subpy_value_get(&value, "list");
  CHECK_EQUAL(subpy_value_length(list), 9);
  CHECK_TEXT(subpy_value_text(subpy_value_item(list, 4)), "text");
  CHECK(subpy_value_queue(subpy_value_item(list, 7)) == inner, "another queue");
  CHECK(subpy_value_queue(list) == NULL, "a list is no queue");
  subpy_value_clear(&value);
  GET(queue, &value);
  CHECK_EQUAL(value.kind, SUBPY_BIG_INT);
  subpy_value_clear(&value);
  DESTROY(id);
  subpy_queue_free(inner);
  subpy_queue_free(queue);
}

static void test_a_queue_comes_out(void **state) {
  (void)state;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.allow_interpreters = 1;
  subpy_id id;
  CREATE(&config, &id);
  RUN(id, "from subpy.interpreters import create_queue\nq = create_queue(3)\n"
          "q.put(1); q.put(lambda: 2); q.put(3)");
  subpy_value value;
  EXPECT(SUBPY_OK, subpy_get(id, "q", &value, &error));
  CHECK_EQUAL(value.kind, SUBPY_QUEUE);
  CHECK_TEXT(subpy_kind_name(value.kind), "Queue");
  subpy_queue *queue = subpy_queue_retain(subpy_value_queue(&value));
  subpy_value_clear(&value);
  CHECK_EQUAL(value.kind, SUBPY_NONE);
  CHECK_EQUAL(subpy_queue_length(queue), 3);
  CHECK_EQUAL(get_int(queue), 1);
  /* Nothing for a host, and it is not lost. */
  for (int i = 0; i < 2; i++) {
    REFUSES(SUBPY_ERR_NOT_SHAREABLE, "no plain data", subpy_queue_get(queue, &value, 0, &error));
    CHECK_EQUAL(value.kind, SUBPY_NONE);
  }
  RUN(id, "assert q.get()() == 2");
  /* What is gone with the interpreter that has put it. */
  DESTROY(id);
  REFUSES(SUBPY_ERR_NOT_FOUND, "has ended", subpy_queue_get(queue, &value, 0, &error));
  CHECK_EQUAL(subpy_queue_length(queue), 0);
  put_int(queue, 4);
  subpy_queue_free(queue);
}

static void test_what_a_host_gives_is_kept(void **state) {
  (void)state;
  subpy_queue *queue = new_queue(0);
  give(id, "q", queue);
  RUN(id, "q.put([1, 'x'])");
  REFUSES(SUBPY_ERR_EXCEPTION, "obj[\"a\"] is of type object",
          subpy_run_string(id, "q.put({'a': object()})", &error));
  DESTROY(id);
  subpy_value value;
  GET(queue, &value); /* it outlives its interpreter */
  CHECK_EQUAL(subpy_value_length(&value), 2);
  subpy_value_clear(&value);
  subpy_queue_free(queue);
}

static void test_wrong_values(void **state) {
  (void)state;
  subpy_queue *queue = new_queue(0);
  subpy_value value = subpy_int(1);
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "queue is NULL", subpy_queue_put(NULL, &value, 0, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "value is NULL", subpy_queue_put(queue, NULL, 0, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "queue is NULL", subpy_queue_get(NULL, &value, 0, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "value is NULL", subpy_queue_get(queue, NULL, 0, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "queue is NULL", subpy_queue_create(NULL, NULL, &error));
  subpy_queue_close(NULL);
  subpy_queue_free(NULL);
  CHECK(subpy_queue_retain(NULL) == NULL && subpy_queue_length(NULL) == 0, "not NULL");
  value = subpy_str("\xff");
  const subpy_value list = subpy_list(&value, 1);
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "value[0] is not UTF-8",
          subpy_queue_put(queue, &list, 0, &error));
  value.kind = 77;
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "kind 77", subpy_queue_put(queue, &value, 0, &error));
  value = subpy_from_queue(NULL);
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "NULL for its queue",
          subpy_queue_put(queue, &value, 0, &error));
  value = subpy_list(&value, 1);
  value.as.items.data = &value; /* in itself */
  REFUSES(SUBPY_ERR_NOT_SHAREABLE, "nested more than 256 deep",
          subpy_queue_put(queue, &list, 0, &error));
  value = subpy_from_queue(queue);
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "can't hold itself",
          subpy_queue_put(queue, &value, 0, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "can't hold itself",
          subpy_queue_put(queue, &list, 0, &error));
  CHECK_EQUAL(subpy_queue_length(queue), 0);
  subpy_queue_free(queue);
}

/* Time. -------------------------------------------------------------------------------------- */

static void test_bounded(void **state) {
  (void)state;
  subpy_queue *queue = new_queue(2);
  subpy_value value;
  REFUSES(SUBPY_ERR_BUSY, "empty", subpy_queue_get(queue, &value, 0, &error));
  REFUSES(SUBPY_ERR_BUSY, "empty", subpy_queue_get(queue, &value, 5, &error));
  put_int(queue, 1), put_int(queue, 2);
  value = subpy_int(3);
  REFUSES(SUBPY_ERR_BUSY, "full", subpy_queue_put(queue, &value, 0, &error));
  REFUSES(SUBPY_ERR_BUSY, "full", subpy_queue_put(queue, &value, 5, &error));
  subpy_queue_close(queue);
  REFUSES(SUBPY_ERR_NOT_FOUND, "closed", subpy_queue_put(queue, &value, SUBPY_FOREVER, &error));
  CHECK_EQUAL(get_int(queue), 1);
  CHECK_EQUAL(get_int(queue), 2);
  REFUSES(SUBPY_ERR_NOT_FOUND, "closed", subpy_queue_get(queue, &value, SUBPY_FOREVER, &error));
  subpy_queue_free(queue);
}

static void *close_it(void *queue) {
  subpy_queue_close(queue);
  return NULL;
}

static void test_who_waits_is_told(void **state) {
  (void)state;
  subpy_queue *queue = new_queue(0);
  give(id, "q", queue);
  const pthread_t thread = thread_start(close_it, queue);
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "while True: q.get()");
  CHECK_TEXT(subpy_error_message(error), "the queue is closed");
  subpy_error_free(error);
  thread_join(thread);
  DESTROY(id);
  subpy_queue_free(queue);
}

enum { ITEMS = 20000 };

struct end {
  subpy_queue *queue;
  subpy_id id;
};

static void *put_many(void *queue) {
  for (int64_t i = 0; i < ITEMS; i++) {
    const subpy_value value = subpy_int(i);
    EXPECT(SUBPY_OK, subpy_queue_put(queue, &value, SUBPY_FOREVER, &error));
  }
  subpy_queue_close(queue);
  return NULL;
}

static void *pass_on(void *end) {
  RUN(((struct end *)end)->id, "for item in q: p.put(item + 1)\np.close()");
  return NULL;
}

/* host -> interpreter -> interpreter -> host, each in a thread. */
static void test_a_line(void **state) {
  (void)state;
  subpy_queue *queues[3];
  struct end ends[2];
  pthread_t threads[3];
  for (int i = 0; i < 3; i++) {
    queues[i] = new_queue(10);
  }
  threads[2] = thread_start(put_many, queues[0]);
  for (int i = 0; i < 2; i++) {
    CREATE(NULL, &ends[i].id);
    give(ends[i].id, "q", queues[i]);
    give(ends[i].id, "p", queues[i + 1]);
    threads[i] = thread_start(pass_on, &ends[i]);
  }
  for (int64_t i = 0; i < ITEMS; i++) {
    CHECK_EQUAL(get_int(queues[2]), i + 2);
  }
  for (int i = 0; i < 3; i++) {
    thread_join(threads[i]);
    subpy_queue_free(queues[i]);
  }
  DESTROY(ends[0].id);
  DESTROY(ends[1].id);
}

/* Limits, and ends. -------------------------------------------------------------------------- */

static void test_limits_end_a_wait(void **state) {
  (void)state;
  subpy_queue *queue = new_queue(1);
  give(id, "q", queue);
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  limit_to(&options, 20);
  CHECK_STOPPED(SUBPY_ERR_TIMEOUT, run_for(id, &options, "def f(): q.get()\nf()"), "in f");
  put_int(queue, 1);
  CHECK_STOPPED(SUBPY_ERR_TIMEOUT, run_for(id, &options, "def f(): q.put(1)\nf()"), "in f");
  CHECK_EQUAL(get_int(queue), 1);
  CHECK_EQUAL(subpy_queue_length(queue), 0);
  RUN(id, "q.put(2); assert q.get() == 2");
  DESTROY(id);
  subpy_queue_free(queue);
}

static void get_in_host(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  subpy_value value;
  (void)call, (void)args, (void)nargs;
  EXPECT(SUBPY_ERR_INTERRUPTED, subpy_queue_get(user, &value, SUBPY_FOREVER, &error));
}

static void test_limits_end_a_wait_of_the_host(void **state) {
  (void)state;
  for (uint32_t release_gil = 0; release_gil < 2; release_gil++) {
    subpy_queue *queue = new_queue(1);
    subpy_function_options function = SUBPY_FUNCTION_OPTIONS_INIT;
    subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
    subpy_id id;
    CREATE(NULL, &id);
    function.release_gil = release_gil;
    EXPECT(SUBPY_OK, subpy_define_function_with(id, &function, "host", "wait", get_in_host, queue,
                                                NULL, &error));
    limit_to(&options, 20);
    CHECK_STOPPED(SUBPY_ERR_TIMEOUT,
                  run_for(id, &options, "import host\nhost.wait()\nwhile True: pass"), "");
    DESTROY(id);
    subpy_queue_free(queue);
  }
}

static void test_a_thread_of_a_script_that_waits(void **state) {
  (void)state;
  subpy_queue *queue = new_queue(0);
  give(id, "q", queue);
  RUN(id, "import threading\nthread = threading.Thread(target=lambda: list(q))\nthread.start()");
  REFUSES_FOR_THREADS("1 Python thread", subpy_destroy(id, &error));
  REFUSES_FOR_THREADS("1 Python thread", destroy_within(id, 20, &error));
  put_int(queue, 1);
  subpy_queue_close(queue);
  EXPECT(SUBPY_OK, destroy_within(id, SUBPY_FOREVER, &error));
  subpy_queue_free(queue);
}

/* Memory. ------------------------------------------------------------------------------------ */

static void count_release(void *user) { ++*(int *)user; }

static void test_memory_of_the_host(void **state) {
  (void)state;
  char memory[] = "abcdef";
  int releases = 0;
  subpy_buffer_info info = SUBPY_BUFFER_INFO_INIT;
  info.data = memory;
  info.length = 6;
  info.release = count_release;
  info.user = &releases;
  subpy_value value = subpy_buffer(&info);
  subpy_queue *queue = new_queue(3);
  give(id, "q", queue);
  /* To a script: until it needs it no more. */
  PUT(queue, value);
  RUN(id, "m = q.get(); assert m == b'abcdef'");
  CHECK_EQUAL(releases, buffers_are_shared() ? 0 : 1);
  RUN(id, "del m");
  CHECK_EQUAL(releases, 1);
  /* To a script and on to the host. */
  PUT(queue, value);
  RUN(id, "q.put(q.get()[2:])");
  subpy_value item;
  GET(queue, &item);
  CHECK_EQUAL(item.kind, SUBPY_BUFFER);
  CHECK_EQUAL(item.as.buffer->length, 4);
  CHECK_EQUAL(releases, buffers_are_shared() ? 1 : 2);
  subpy_value_clear(&item);
  CHECK_EQUAL(releases, 2);
  /* To the host, and to a script while the host has it. */
  PUT(queue, value);
  GET(queue, &item);
  CHECK(item.as.buffer->data == memory && item.as.buffer->dimensions == 1, "not the same memory");
  EXPECT(SUBPY_OK, subpy_set(id, "m", &item, &error));
  subpy_value_clear(&item);
  CHECK_EQUAL(releases, buffers_are_shared() ? 2 : 3);
  RUN(id, "assert m == b'abcdef'; del m");
  CHECK_EQUAL(releases, 3);
  /* One that can't be put, as a whole: given back once. */
  subpy_value items[2] = {value, subpy_str("\xff")};
  subpy_value list = subpy_list(items, 2);
  EXPECT(SUBPY_ERR_INVALID_ARGUMENT, subpy_queue_put(queue, &list, 0, &error));
  CHECK_EQUAL(releases, 4);
  EXPECT(SUBPY_ERR_INVALID_ARGUMENT, subpy_queue_put(NULL, &value, 0, &error));
  CHECK_EQUAL(releases, 5);
  /* Forgotten ones. */
  items[1] = value;
  PUT(queue, list);
  CHECK_EQUAL(releases, 5);
  DESTROY(id);
  subpy_queue_free(queue);
  CHECK_EQUAL(releases, 7);
}

static void test_memory_of_a_script(void **state) {
  (void)state;
  subpy_queue *queue = new_queue(0);
  subpy_id id, other;
  CREATE(NULL, &id);
  CREATE(NULL, &other);
  give(id, "q", queue);
  give(other, "q", queue);
  RUN(id, "m = bytearray(b'abc'); q.put(memoryview(m)); q.put(memoryview(m))");
  if (buffers_are_shared()) {
    REFUSES(SUBPY_ERR_BUSY, "2 buffers", subpy_destroy(id, &error));
  }
  RUN(other, "m = q.get(); m[0] = 65; q.put(m)");
  if (buffers_are_shared()) {
    RUN(id, "assert m == b'Abc'; assert q.get() == b'Abc'");
  } else {
    RUN(id, "assert m == b'abc'; assert q.get() == b'abc'");
  }
  subpy_value value;
  GET(queue, &value);
  CHECK(memcmp(value.as.buffer->data, "Abc", 3) == 0, "something else");
  RUN(other, "del m");
  subpy_value_clear(&value);
  DESTROY(other);
  DESTROY(id);
  subpy_queue_free(queue);
}

static void test_strides_of_the_host(void **state) {
  (void)state;
  int16_t numbers[] = {1, 2, 3, 4, 5, 6};
  const ptrdiff_t shape[] = {3, 2}, strides[] = {2, 6};
  subpy_buffer_info info = SUBPY_BUFFER_INFO_INIT;
  info.data = numbers;
  info.length = sizeof numbers;
  info.format = "h";
  info.dimensions = 2;
  info.shape = shape;
  info.strides = strides;
  const subpy_value value = subpy_buffer(&info);
  subpy_queue *queue = new_queue(0);
  give(id, "q", queue);
  PUT(queue, value);
  RUN(id, "m = q.get()\nassert m.tolist() == [[1, 4], [2, 5], [3, 6]]\n"
          "is_same = m.strides == (2, 6) and m.f_contiguous and not m.c_contiguous\ndel m");
  RUN(id, buffers_are_shared() ? "assert is_same" : "assert not is_same");
  DESTROY(id);
  subpy_queue_free(queue);
}

/* One that is never freed, and one that a script alone has, at the end. */
static void test_left_behind(void **state) {
  (void)state;
  subpy_id id;
  CREATE(NULL, &id);
  subpy_queue *queue = new_queue(0);
  give(id, "q", queue);
  RUN(id, "q.put(memoryview(b'x')); q.get()");
  subpy_queue_free(queue);
  RUN(id, "q.put(1)");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_values),
      cmocka_unit_test(test_a_queue_comes_out),
      TEST(test_what_a_host_gives_is_kept),
      cmocka_unit_test(test_wrong_values),
      cmocka_unit_test(test_bounded),
      TEST(test_who_waits_is_told),
      cmocka_unit_test(test_a_line),
      TEST(test_limits_end_a_wait),
      cmocka_unit_test(test_limits_end_a_wait_of_the_host),
      TEST(test_a_thread_of_a_script_that_waits),
      TEST(test_memory_of_the_host),
      cmocka_unit_test(test_memory_of_a_script),
      TEST(test_strides_of_the_host),
      cmocka_unit_test(test_left_behind),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
