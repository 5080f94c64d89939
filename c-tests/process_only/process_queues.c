/* What queues are like where an interpreter of a process has an end: their items are in the memory of the host. */
#include "processes.h"

static subpy_queue *new_queue(void) {
  subpy_queue_config config = SUBPY_QUEUE_CONFIG_INIT;
  subpy_queue *queue = NULL;
  EXPECT(SUBPY_OK, subpy_queue_create(&config, &queue, &error));
  return queue;
}

static void give(subpy_id id, subpy_queue *queue) {
  const subpy_value value = subpy_from_queue(queue);
  EXPECT(SUBPY_OK, subpy_set(id, "q", &value, &error));
}

/* Items that nobody has got yet count for who has put them. */
static void test_items_take_memory_of_who_has_put_them(void **state) {
  (void)state;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  if (!subpy_supports(SUBPY_FEATURE_MEMORY_ACCOUNTS)) {
    skip(); /* CPython's memory can be counted from 3.12 on */
  }
  config.memory_limit = 64 << 20;
  const subpy_id id = create_process(&config);
  subpy_queue *queue = new_queue();
  give(id, queue);
  RUN(id, "piece, count = bytes(10 << 20), 0\n"
          "try:\n"
          "  while True:\n"
          "    q.put(piece)\n"
          "    count += 1\n"
          "except MemoryError as e: assert 'in queues' in str(e), e\n"
          "assert count == 6, count\n");
  subpy_value value;
  EXPECT(SUBPY_OK, subpy_queue_get(queue, &value, 0, &error));
  CHECK_EQUAL(subpy_value_length(&value), 10 << 20);
  RUN(id, "try: q.put(piece)\n"
          "except MemoryError: raise AssertionError\n"
          "try: q.put(piece)\n"
          "except MemoryError: pass\n"
          "else: raise AssertionError\n");
  subpy_value_clear(&value);
  subpy_queue_free(queue);
  RUN(id, "q.close()\ndel q");
  queue = new_queue();
  give(id, queue);
  RUN(id, "for _ in range(6): q.put(piece)");
  DESTROY(id);
  CHECK_EQUAL(subpy_queue_length(queue), 6);
  subpy_queue_free(queue);
}

static void count_release(void *user) { ++*(int *)user; }

/* A queue goes with the last that has it, on whichever side. */
static void test_a_queue_goes_with_the_last_that_has_it(void **state) {
  (void)state;
  static char memory[] = "abc";
  for (int way = 0; way < 4; way++) {
    int releases = 0;
    subpy_buffer_info info = SUBPY_BUFFER_INFO_INIT;
    info.data = memory;
    info.length = 3;
    info.release = count_release;
    info.user = &releases;
    const subpy_value item = subpy_buffer(&info);
    const subpy_id id = create_process(NULL);
    subpy_queue *queue = new_queue();
    give(id, queue);
    EXPECT(SUBPY_OK, subpy_queue_put(queue, &item, 0, &error));
    RUN(id, "same = [q]; assert q.qsize() == 1");
    subpy_value value;
    EXPECT(SUBPY_OK, subpy_get(id, "same", &value, &error));
    CHECK(subpy_value_queue(subpy_value_item(&value, 0)) == queue, "another queue");
    subpy_value_clear(&value);
    subpy_queue_free(queue);
    CHECK_EQUAL(releases, 0);
    if (way == 0) {
      RUN(id, "del q");
      CHECK_EQUAL(releases, 0);
      RUN(id, "del same");
      CHECK_EQUAL(releases, 1);
    } else if (way == 1) {
      RUN(id, "import threading\n"
              "def work():\n  global q, same\n  del q, same\n"
              "thread = threading.Thread(target=work)\nthread.start()\nthread.join()\n");
      CHECK_EQUAL(releases, 1);
    } else if (way == 2) {
      EXPECT(SUBPY_OK, subpy_eval(id, "(globals().pop('q'), same.clear())[0]", &value, &error));
      CHECK_EQUAL(value.kind, SUBPY_QUEUE);
      CHECK_EQUAL(releases, 0);
      RUN(id, "x = 1");
      CHECK_EQUAL(releases, 0);
      subpy_value_clear(&value);
      CHECK_EQUAL(releases, 1);
    } else {
      EXPECT(SUBPY_OK, subpy_kill(id, &error));
    }
    DESTROY(id);
    CHECK_EQUAL(releases, 1);
  }
}

int main(void) {
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.account_memory = subpy_supports(SUBPY_FEATURE_MEMORY_ACCOUNTS);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_items_take_memory_of_who_has_put_them),
      cmocka_unit_test(test_a_queue_goes_with_the_last_that_has_it),
  };
  INITIALIZE(&config);
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  FINALIZE();
  return failed;
}
