/* How large a value may be that goes into a process, and out of it. */
#include "processes.h"

#define GIBIBYTE ((size_t)1 << 30)

static void test_a_gibibyte(void **state) {
  (void)state;
  const subpy_id id = create_process(NULL);
  char *text = malloc(GIBIBYTE);
  CHECK(text != NULL, "no memory");
  memset(text, 'a', GIBIBYTE);
  const subpy_value in = subpy_str_n(text, GIBIBYTE);
  EXPECT(SUBPY_OK, subpy_set(id, "x", &in, &error));
  RUN(id, "assert len(x) == 1 << 30 and x.count('a') == 1 << 30");

  subpy_value out;
  EXPECT(SUBPY_OK, subpy_get(id, "x", &out, &error));
  CHECK_EQUAL(subpy_value_length(&out), GIBIBYTE);
  CHECK(memcmp(out.as.text.data, text, GIBIBYTE) == 0, "it is another");
  subpy_value_clear(&out);
  free(text);

  RUN(id, "x += 'a' * (2 << 20)");
  REFUSES(SUBPY_ERR_NOT_SHAREABLE, "1 GiB", subpy_get(id, "x", &out, &error));
  RUN(id, "del x");
  DESTROY(id);
}

/* Small values, of which each is the same memory many times: it is what they are written as that counts. */
static void test_too_much_of_a_few(void **state) {
  (void)state;
  const subpy_id id = create_process(NULL);
  static char text[1 << 20];
  static subpy_value texts[1 << 11], nones[1 << 14], lists[1 << 14];
  memset(text, 'a', sizeof text);
  for (size_t i = 0; i < 1 << 11; i++) {
    texts[i] = subpy_str_n(text, sizeof text);
  }
  const subpy_value list = subpy_list(texts, 1 << 11);
  REFUSES(SUBPY_ERR_NOT_SHAREABLE, "1 GiB", subpy_set(id, "x", &list, &error));
  for (size_t i = 0; i < 1 << 14; i++) {
    nones[i] = subpy_none();
    lists[i] = subpy_list(nones, 1 << 14);
  }
  const subpy_value parts = subpy_list(lists, 1 << 14);
  REFUSES(SUBPY_ERR_NOT_SHAREABLE, "parts", subpy_set(id, "x", &parts, &error));
  RUN(id, "assert 'x' not in globals()");
  DESTROY(id);
}

/* A host gives what it has of a process to an interpreter of its own, and clears it: that has the memory then. */
static void test_memory_goes_on_to_an_interpreter_here(void **state) {
  (void)state;
  const subpy_id id = create_process(NULL);
  subpy_id here;
  EXPECT(SUBPY_OK, subpy_create(NULL, &here, &error));
  RUN(id, "m = memoryview(b'0123456789' * (1 << 20))");
  subpy_value out;
  EXPECT(SUBPY_OK, subpy_get(id, "m", &out, &error));
  EXPECT(SUBPY_OK, subpy_set(here, "m", &out, &error));
  EXPECT(SUBPY_OK, subpy_set(here, "n", &out, &error));
  subpy_value_clear(&out);
  DESTROY(id);
  RUN(here, "other = [bytes(m.nbytes) for _ in range(5)]; del other, m\n"
            "assert n.tobytes() == b'0123456789' * (1 << 20)");
  DESTROY(here);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_gibibyte),
      cmocka_unit_test(test_too_much_of_a_few),
      cmocka_unit_test(test_memory_goes_on_to_an_interpreter_here),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
