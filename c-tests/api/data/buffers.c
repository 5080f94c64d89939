/* Memory that the host and Python share. */
#include "fixture.h"

#include <sys/mman.h>

struct memory {
  double data[1000];
  int releases;
};

static void count_release(void *user) { ++((struct memory *)user)->releases; }

static subpy_buffer_info info_of(struct memory *memory) {
  subpy_buffer_info info = SUBPY_BUFFER_INFO_INIT;
  info.data = memory->data;
  info.length = sizeof memory->data;
  info.format = "d";
  info.release = count_release;
  info.user = memory;
  return info;
}

/* What is copied is given back at once. */
static int releases(int shared) { return buffers_are_shared() ? shared : 1; }

#define NEEDS_SHARED_BUFFERS()                                                                     \
  do {                                                                                             \
    if (!buffers_are_shared()) {                                                                   \
      skip();                                                                                      \
    }                                                                                              \
  } while (0)

static void set_buffer(subpy_id id, const char *name, const subpy_buffer_info *info) {
  const subpy_value value = subpy_buffer(info);
  EXPECT(SUBPY_OK, subpy_set(id, name, &value, &error));
}

static struct memory *new_memory(void) {
  struct memory *memory = calloc(1, sizeof *memory);
  CHECK(memory != NULL, "no memory");
  for (size_t i = 0; i < COUNT(memory->data); i++) {
    memory->data[i] = (double)i;
  }
  return memory;
}

/* From the host to Python. ------------------------------------------------------------------- */

static void test_it_is_a_memoryview(void **state) {
  (void)state;
  struct memory *memory = new_memory();
  const subpy_buffer_info info = info_of(memory);
  set_buffer(id, "m", &info);
  RUN(id, "import array\n"
          "assert type(m) is memoryview and m.readonly and m.format == 'd' and m.shape == (1000,)\n"
          "assert m.nbytes == 8000 and m.itemsize == 8 and sum(m) == 499500.0\n"
          "assert array.array('d', m)[999] == 999.0\n"
          "try: m[0] = 1.0\n"
          "except TypeError: pass\n"
          "else: assert False\n"
          "part = m[10:]\n"
          "del m\n");
  CHECK_EQUAL(memory->releases, releases(0));
  RUN(id, "assert part[0] == 10.0\ndel part");
  CHECK_EQUAL(memory->releases, 1);
  free(memory);
}

static void test_numpy_reads_it(void **state) {
  (void)state;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.gil = SUBPY_GIL_SHARED;
  subpy_id id;
  CREATE(&config, &id);
  if (subpy_run_string(id, "import numpy", NULL) == SUBPY_OK) {
    struct memory *memory = new_memory();
    const subpy_buffer_info info = info_of(memory);
    set_buffer(id, "m", &info);
    RUN(id, "array = numpy.frombuffer(m)\n"
            "assert array.dtype == float and array.sum() == 499500.0\n"
            "del array, m\n");
    CHECK_EQUAL(memory->releases, 1);
    free(memory);
  }
  DESTROY(id);
}

static void test_writing_and_shape(void **state) {
  (void)state;
  struct memory *memory = new_memory();
  subpy_buffer_info info = info_of(memory);
  const ptrdiff_t shape[] = {10, 100};
  info.writable = 1;
  info.dimensions = 2;
  info.shape = shape;
  set_buffer(id, "m", &info);
  RUN(id, "assert m.shape == (10, 100) and m.strides == (800, 8)\n"
          "m[9, 99] = -1.0\n"
          "del m\n");
  CHECK(memory->data[999] == (buffers_are_shared() ? -1.0 : 999.0), "%g", memory->data[999]);
  CHECK_EQUAL(memory->releases, 1);
  const subpy_buffer_info empty = SUBPY_BUFFER_INFO_INIT;
  set_buffer(id, "m", &empty);
  RUN(id, "assert bytes(m) == b'' and m.format == 'B'\ndel m");
  free(memory);
}

static void test_several_interpreters_share_it(void **state) {
  (void)state;
  NEEDS_SHARED_BUFFERS();
  const subpy_id b = create_second();
  struct memory *memory = new_memory();
  subpy_buffer_info info = info_of(memory);
  info.writable = 1;
  set_buffer(id, "m", &info);
  set_buffer(b, "m", &info);
  RUN(id, "m[7] = 70.0");
  RUN(b, "assert m[7] == 70.0\ndel m");
  CHECK_EQUAL(memory->releases, 1);
  RUN(id, "assert m[7] == 70.0\ndel m");
  CHECK_EQUAL(memory->releases, 2);
  free(memory);
}

static void test_it_is_given_back_when_the_interpreter_ends(void **state) {
  (void)state;
  struct memory *memory = new_memory();
  const subpy_buffer_info info = info_of(memory);
  set_buffer(id, "m", &info);
  RUN(id, "import sys\nsys.kept = m[1:], m");
  DESTROY(id);
  CHECK_EQUAL(memory->releases, 1);
  free(memory);
}

static void test_it_is_given_back_when_the_call_fails(void **state) {
  (void)state;
  struct memory *memory = new_memory();
  const subpy_buffer_info info = info_of(memory);
  subpy_value args[3], out;
  args[0] = subpy_buffer(&info);
  args[1] = subpy_big_int("?");
  args[2] = subpy_buffer(&info);
  const subpy_value list = subpy_list(args, 3);
#define GIVES_BACK(count, status, call)                                                            \
  EXPECT(status, call);                                                                            \
  CHECK_EQUAL(memory->releases, count);                                                            \
  memory->releases = 0
  RUN(id, "def f(*args): 1/0");
  GIVES_BACK(2, SUBPY_ERR_INVALID_ARGUMENT, subpy_set(id, "v", &list, &error));
  GIVES_BACK(1, SUBPY_ERR_INVALID_ARGUMENT, subpy_set(id, "no name", &args[0], &error));
  GIVES_BACK(1, SUBPY_ERR_INVALID_ARGUMENT, subpy_set(id, NULL, &args[0], &error));
  GIVES_BACK(2, SUBPY_ERR_NOT_FOUND, subpy_set(12345, "v", &list, &error));
  GIVES_BACK(2, SUBPY_ERR_INVALID_ARGUMENT, subpy_call(id, "f", args, 3, &out, &error));
  args[1] = subpy_int(1);
  GIVES_BACK(2, SUBPY_ERR_NOT_FOUND, subpy_call(id, "g", args, 3, &out, &error));
  args[1] = subpy_big_int("?");
  GIVES_BACK(1, SUBPY_ERR_EXCEPTION, subpy_call(id, "f", args, 1, &out, &error));
  GIVES_BACK(2, SUBPY_ERR_INVALID_ARGUMENT, subpy_call(id, NULL, args, 3, &out, &error));
  subpy_call_options options = SUBPY_CALL_OPTIONS_INIT;
  options.keywords = &list;
  GIVES_BACK(3, SUBPY_ERR_INVALID_ARGUMENT,
             subpy_call_with(id, &options, "f", args, 1, &out, &error));
  GIVES_BACK(2, SUBPY_ERR_INVALID_ARGUMENT,
             subpy_run_string_unrestricted(id, "", &list, &out, &error));
#undef GIVES_BACK
  free(memory);
}

static void test_wrong_descriptions(void **state) {
  (void)state;
  struct memory *memory = new_memory();
  const ptrdiff_t shape[] = {10, 101}, negative[] = {-10, -100};
#define WRONG(part, change)                                                                        \
  do {                                                                                             \
    subpy_buffer_info info = info_of(memory);                                                      \
    change;                                                                                        \
    const subpy_value value = subpy_buffer(&info);                                                 \
    REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "value is a buffer " part,                                 \
            subpy_set(id, "v", &value, &error));                                                   \
  } while (0)
  WRONG("with a wrong size: subpy_buffer_info.struct_size is 1", info.struct_size = 1);
  WRONG("of 8000 bytes at NULL", info.data = NULL);
  WRONG("of 18446744073709551615 bytes, which is past all limits", info.length = SIZE_MAX);
  WRONG("whose writable is neither 0 nor 1", info.writable = 9);
  WRONG("of format \"dd\", which needs an item_size", info.format = "dd");
  WRONG("with an item_size of 4", info.item_size = 4);
  WRONG("of 8000 bytes, which are no whole number", (info.format = "3s", info.item_size = 3));
  WRONG("of 65 dimensions", info.dimensions = 65);
  WRONG("of 2 dimensions with NULL for its shape", info.dimensions = 2);
  WRONG("of 8000 bytes, which is not what", (info.dimensions = 2, info.shape = shape));
  WRONG("of 8000 bytes, which is not what", (info.dimensions = 2, info.shape = negative));
  WRONG("with strides", info.strides = shape);
#undef WRONG
  free(memory);
}

struct released {
  subpy_id own, other;
  int calls;
};

static void call_subpy(void *user) {
  struct released *released = user;
  subpy_id current;
  released->calls++;
  if (buffers_are_shared()) {
    EXPECT(SUBPY_OK, subpy_get_current(&current, &error));
    CHECK_EQUAL(current, released->own);
  } else { /* the call that has copied it has returned from the interpreter */
    EXPECT(SUBPY_ERR_NOT_FOUND, subpy_get_current(&current, &error));
  }
  RUN(released->own, "released = 1");
  RUN(released->other, "released = 1");
}

static void test_a_release_that_calls_subpy(void **state) {
  (void)state;
  const subpy_id b = create_second();
  struct released released = {id, b, 0};
  subpy_buffer_info info = SUBPY_BUFFER_INFO_INIT;
  info.data = &released;
  info.length = sizeof released;
  info.release = call_subpy;
  info.user = &released;
  set_buffer(id, "m", &info);
  RUN(id, "del m\nassert released == 1\n");
  CHECK_EQUAL(released.calls, 1);
  RUN(b, "assert released == 1");
}

/* A gigabyte, of which but one page is ever there. */
static void test_large_memory(void **state) {
  (void)state;
  const size_t size = (size_t)1 << 30;
  void *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(data != MAP_FAILED, "no memory");
  subpy_buffer_info info = SUBPY_BUFFER_INFO_INIT;
  info.data = data;
  info.length = size;
  set_buffer(id, "m", &info);
  RUN(id, "assert m.nbytes == 1 << 30 and m[-1] == 0");
  subpy_value out;
  EXPECT(SUBPY_OK, subpy_get(id, "m", &out, &error));
  CHECK((out.as.buffer->data == data) == buffers_are_shared(), "it was copied, or was not");
  CHECK_EQUAL(subpy_value_length(&out), size);
  subpy_value_clear(&out);
  RUN(id, "del m");
  munmap(data, size);
}

/* From Python to the host. ------------------------------------------------------------------- */

static void test_a_pin(void **state) {
  (void)state;
  subpy_value out;
  RUN(id, "import array\n"
          "data = bytearray(b'abc')\n"
          "ints = array.array('i', [1, 2, 3])\n");
  EXPECT(SUBPY_OK, subpy_get(id, "data", &out, &error));
  CHECK_EQUAL(out.kind, SUBPY_BUFFER);
  const subpy_buffer_info *info = out.as.buffer;
  CHECK_EQUAL(info->struct_size, sizeof *info);
  CHECK(info->length == 3 && memcmp(info->data, "abc", 3) == 0, "%zu", info->length);
  CHECK(info->writable == 1 && info->strides == NULL, "no bytearray");
  if (buffers_are_shared()) {
    RUN(id, "try: data.append(1)\n"
            "except BufferError: data[0] = ord('x')\n"
            "else: assert False\n");
    CHECK_EQUAL(*(char *)info->data, 'x');
    *(char *)info->data = 'y';
  } else {
    RUN(id, "data[0] = ord('y')");
    CHECK_EQUAL(*(char *)info->data, 'a');
    *(char *)info->data = 'x';
  }
  subpy_value_clear(&out);
  subpy_value_clear(&out);
  RUN(id, "data.append(1)\nassert data == b'ybc\\1'");
  EXPECT(SUBPY_OK,
         subpy_eval(id, "{'deep': [ints, memoryview(b'123456').cast('B', (2, 3))]}", &out, &error));
  const subpy_value *deep = subpy_value_get(&out, "deep");
  info = subpy_value_item(deep, 0)->as.buffer;
  CHECK_TEXT(info->format, "i");
  CHECK(info->item_size == sizeof(int) && info->dimensions == 1 && info->shape[0] == 3, "no ints");
  CHECK_EQUAL(((int *)info->data)[2], 3);
  info = subpy_value_item(deep, 1)->as.buffer;
  CHECK(info->dimensions == 2 && info->shape[1] == 3 && info->writable == 0, "no matrix");
  subpy_value_clear(&out);
}

static void test_flags(void **state) {
  (void)state;
  subpy_value out;
  RUN(id, "data = b'abcdef'\nback = memoryview(data)[::-2]");
  EXPECT(SUBPY_OK, subpy_get(id, "data", &out, &error));
  CHECK_EQUAL(out.kind, SUBPY_BYTES);
  subpy_value_clear(&out);
  EXPECT(SUBPY_OK, get_by_flags(id, SUBPY_PIN_BYTES, "data", &out, &error));
  CHECK_EQUAL(out.kind, SUBPY_BUFFER);
  subpy_value_clear(&out);
  REFUSES(SUBPY_ERR_NOT_SHAREABLE, "not in C's order without gaps: ask for SUBPY_STRIDED",
          subpy_get(id, "back", &out, &error));
  EXPECT(SUBPY_OK, get_by_flags(id, SUBPY_STRIDED, "back", &out, &error));
  CHECK_EQUAL(out.as.buffer->shape[0], 3);
  if (buffers_are_shared()) {
    CHECK_EQUAL(out.as.buffer->strides[0], -2);
    CHECK_EQUAL(((const char *)out.as.buffer->data)[-2], 'd');
  } else { /* a copy has no gaps */
    CHECK(out.as.buffer->strides == NULL, "strides of a copy");
    CHECK_EQUAL(((const char *)out.as.buffer->data)[1], 'd');
  }
  subpy_value_clear(&out);
}

static void *clear_it(void *value) {
  subpy_value_clear(value);
  return NULL;
}

static void test_a_pin_keeps_the_interpreter(void **state) {
  (void)state;
  NEEDS_SHARED_BUFFERS();
  subpy_value one, two;
  EXPECT(SUBPY_OK, subpy_eval(id, "bytearray(b'1')", &one, &error));
  EXPECT(SUBPY_OK, subpy_eval(id, "[bytearray(b'2')] * 2", &two, &error));
  REFUSES(SUBPY_ERR_BUSY, "has 3 buffers that the host holds", subpy_destroy(id, &error));
  REFUSES(SUBPY_ERR_BUSY, "has 3 buffers that the host holds", subpy_finalize(&error));
  in_thread(clear_it, &two);
  REFUSES(SUBPY_ERR_BUSY, "has 1 buffer that the host holds", subpy_destroy(id, &error));
  CHECK(memcmp(one.as.buffer->data, "1", 1) == 0, "it is still there");
  subpy_value_clear(&one);
}

static void call_again(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)call, (void)args, (void)nargs;
  ++*(int *)user;
  RUN(id, "called = 1");
}

/* What owns it may call the host at its end, which calls the interpreter. */
static void test_a_pin_whose_end_calls_the_interpreter(void **state) {
  (void)state;
  NEEDS_SHARED_BUFFERS();
  int calls = 0;
  subpy_value value;
  EXPECT(SUBPY_OK, subpy_define_function(id, "host", "call", call_again, &calls, NULL, &error));
  RUN(id, "import host\n"
          "class Memory(bytearray):\n"
          "  def __del__(self): host.call()\n");
  EXPECT(SUBPY_OK, subpy_eval(id, "memoryview(Memory(100))", &value, &error));
  CHECK_EQUAL(calls, 0);
  subpy_value_clear(&value);
  CHECK_EQUAL(calls, 1);
  RUN(id, "assert called == 1");
}

static void test_memory_of_an_interpreter_in_another(void **state) {
  (void)state;
  const subpy_id b = create_second();
  subpy_value out;
  RUN(id, "data = bytearray(b'abc')");
  EXPECT(SUBPY_OK, subpy_get(id, "data", &out, &error));
  EXPECT(SUBPY_OK, subpy_set(b, "data", &out, &error));
  EXPECT(SUBPY_OK, subpy_set(id, "same", &out, &error));
  subpy_value_clear(&out);
  RUN(b, "assert bytes(data) == b'abc'\ndata[0] = ord('x')");
  if (!buffers_are_shared()) {
    RUN(id, "assert bytes(data) == bytes(same) == b'abc'");
    return;
  }
  REFUSES(SUBPY_ERR_BUSY, "or another interpreter", subpy_destroy(id, &error));
  RUN(b, "del data");
  RUN(id, "assert data == same == b'xbc' and same.obj is data\n"
          "del same\n"
          "data.append(1)\n");
}

/* Clears a value while a script runs. */
static void clear_inside(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)call, (void)args, (void)nargs;
  subpy_value_clear(user);
}

static void clear_elsewhere(void *user, subpy_host_call *call, const subpy_value *args,
                            size_t nargs) {
  (void)call, (void)args, (void)nargs;
  in_thread(clear_it, user);
}

static void test_a_pin_is_released_while_a_script_runs(void **state) {
  (void)state;
  subpy_function_options options = SUBPY_FUNCTION_OPTIONS_INIT;
  for (int i = 0; i < 3; i++) {
    subpy_value out;
    options.release_gil = i > 0;
    EXPECT(SUBPY_OK,
           subpy_define_function_with(id, &options, "host", "clear",
                                      i == 2 ? clear_elsewhere : clear_inside, &out, NULL, &error));
    RUN(id, "data = bytearray(10)");
    EXPECT(SUBPY_OK, subpy_get(id, "data", &out, &error));
    RUN(id, "import host\nhost.clear()\ndata.append(1)");
  }
}

static void sum_bytes(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user;
  int64_t sum = 0;
  for (size_t i = 0; i < nargs; i++) {
    if (args[i].kind != SUBPY_BUFFER) {
      subpy_host_raise(call, "TypeError", subpy_kind_name(args[i].kind));
      return;
    }
    for (size_t j = 0; j < subpy_value_length(&args[i]); j++) {
      sum += ((const uint8_t *)args[i].as.buffer->data)[j];
    }
  }
  const subpy_value answer = subpy_int(sum);
  subpy_host_return(call, &answer);
}

static void test_arguments_of_a_host_function(void **state) {
  (void)state;
  EXPECT(SUBPY_OK, subpy_define_function(id, "host", "sum", sum_bytes, NULL, NULL, &error));
  RUN(id, "import host\n"
          "data = bytearray([1, 2, 3])\n"
          "assert host.sum(data, memoryview(data)) == 12\n"
          "data.append(4)\n"
          "try: host.sum(b'x')\n"
          "except TypeError as e: assert str(e) == 'bytes', e\n"
          "else: assert False\n");
}

static void return_memory(void *user, subpy_host_call *call, const subpy_value *args,
                          size_t nargs) {
  (void)args, (void)nargs;
  const subpy_buffer_info info = info_of(user);
  const subpy_value answer = subpy_buffer(&info);
  subpy_host_return(call, &answer);
}

static void echo(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user, (void)nargs;
  subpy_host_return(call, &args[0]);
}

static void test_an_argument_is_the_answer(void **state) {
  (void)state;
  EXPECT(SUBPY_OK, subpy_define_function(id, "host", "echo", echo, NULL, NULL, &error));
  RUN(id, "import host\n"
          "data = bytearray(b'abc')\n"
          "kept = host.echo(data)\n"
          "assert bytes(kept) == b'abc'\n"
          "part = host.echo(memoryview(data)[1:])\n"
          "assert bytes(part) == b'bc'\n");
  if (buffers_are_shared()) {
    RUN(id, "assert kept.obj is data");
  }
}

static void test_an_answer_of_a_host_function(void **state) {
  (void)state;
  struct memory *memory = new_memory();
  EXPECT(SUBPY_OK, subpy_define_function(id, "host", "frame", return_memory, memory, NULL, &error));
  RUN(id, "import host\nassert host.frame()[999] == 999.0");
  CHECK_EQUAL(memory->releases, 1);
  free(memory);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_it_is_a_memoryview),
      TEST(test_numpy_reads_it),
      TEST(test_writing_and_shape),
      TEST(test_several_interpreters_share_it),
      TEST(test_it_is_given_back_when_the_interpreter_ends),
      TEST(test_it_is_given_back_when_the_call_fails),
      TEST(test_wrong_descriptions),
      TEST(test_a_release_that_calls_subpy),
      TEST(test_large_memory),
      TEST(test_a_pin),
      TEST(test_flags),
      TEST(test_a_pin_keeps_the_interpreter),
      TEST(test_a_pin_whose_end_calls_the_interpreter),
      TEST(test_memory_of_an_interpreter_in_another),
      TEST(test_a_pin_is_released_while_a_script_runs),
      TEST(test_arguments_of_a_host_function),
      TEST(test_an_argument_is_the_answer),
      TEST(test_an_answer_of_a_host_function),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
