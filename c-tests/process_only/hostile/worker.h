/* A worker that does what a program's text says: it answers "ok" as workers do, and all else as none does. */
#ifndef SUBPY_TESTS_HOSTILE_WORKER_H
#define SUBPY_TESTS_HOSTILE_WORKER_H

#include "channel.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>

struct worker {
  struct channel channel;
  int file, socket;
  uint64_t function; /* the number of the one that was defined last */
  struct message message;
};

/* Answers. ----------------------------------------------------------------------------------- */

static void answer_done(struct worker *worker) {
  put_answer(&worker->message, DONE);
  say(&worker->channel, &worker->message);
}

static void answer_int(struct worker *worker, int64_t number) {
  put_answer(&worker->message, VALUE);
  put_byte(&worker->message, SUBPY_INT);
  put(&worker->message, &number, sizeof number);
  say(&worker->channel, &worker->message);
}

/* Says what is wanted, and waits for the reply. */
static void want(struct worker *worker) {
  say(&worker->channel, &worker->message);
  hear(&worker->channel, &worker->message);
}

static struct message *begin_value(struct worker *worker, int kind) {
  put_answer(&worker->message, VALUE);
  put_byte(&worker->message, kind);
  return &worker->message;
}

static struct message *begin(struct worker *worker, int first) {
  worker->message.length = 0;
  put_byte(&worker->message, first);
  return &worker->message;
}

static void say_now(struct worker *worker) { say(&worker->channel, &worker->message); }

static void wait_for_the_end(void) {
  for (;;) {
    pause();
  }
}

/* Pieces. ------------------------------------------------------------------------------------ */

static void length_just_past(struct worker *worker) { post(&worker->channel, AREA + 1, 0); }
static void length_huge(struct worker *worker) { post(&worker->channel, (uint64_t)1 << 40, 0); }
static void length_max(struct worker *worker) { post(&worker->channel, UINT64_MAX, 0); }
static void length_zero(struct worker *worker) { post(&worker->channel, 0, 0); }

static void count_backwards(struct worker *worker) {
  worker->channel.sent -= 2;
  answer_done(worker);
}

static void count_far(struct worker *worker) {
  worker->channel.sent += 1000;
  answer_done(worker);
}

/* Half of all counts are ahead, and each piece goes on. */
static void count_farthest(struct worker *worker) {
  worker->channel.sent += 0x7ffffffe;
  post(&worker->channel, 0, 1);
  wait_for_the_end();
}

static void set_highest_bit(struct worker *worker) {
  struct direction *direction = &shared_of(&worker->channel)->to_host;
  __atomic_fetch_or(&direction->pieces, 1U << 31, __ATOMIC_SEQ_CST);
  futex(&direction->pieces, FUTEX_WAKE, 1, NULL, NULL, 0);
  wait_for_the_end();
}

static void endless(struct worker *worker, uint64_t length) {
  for (;;) {
    post(&worker->channel, length, 1);
    await(&worker->channel);
    usleep(1000);
  }
}

static void endless_full(struct worker *worker) { endless(worker, AREA); }
static void endless_empty(struct worker *worker) { endless(worker, 0); }
static void endless_short(struct worker *worker) { endless(worker, AREA - 1); }

static void exit_in_the_middle(struct worker *worker) {
  post(&worker->channel, AREA, 1);
  await(&worker->channel);
  _exit(3);
}

static void crash_in_the_middle(struct worker *worker) {
  post(&worker->channel, AREA, 1);
  raise(SIGKILL);
}

/* Messages. ---------------------------------------------------------------------------------- */

static void unknown_first_byte(struct worker *worker) {
  begin(worker, 99);
  say_now(worker);
}

static void reply_to_nothing(struct worker *worker) {
  begin(worker, REPLIES);
  say_now(worker);
}

static void answer_cut(struct worker *worker) {
  put_answer(&worker->message, DONE);
  worker->message.length--;
  say_now(worker);
}

static void answer_with_more(struct worker *worker) {
  put_answer(&worker->message, DONE);
  put_byte(&worker->message, 0);
  say_now(worker);
}

static void status_0(struct worker *worker) {
  put_answer(&worker->message, FAILURE);
  put_byte(&worker->message, 0);
  put_text(&worker->message, "");
  put_byte(&worker->message, 0);
  say_now(worker);
}

static void status_99(struct worker *worker) {
  put_answer(&worker->message, FAILURE);
  put_byte(&worker->message, 99);
  put_text(&worker->message, "");
  put_byte(&worker->message, 0);
  say_now(worker);
}

static void put_exception(struct message *message, int status, int32_t exit_code) {
  put_answer(message, FAILURE);
  put_byte(message, status);
  put_text(message, "message");
  put_byte(message, 0); /* no process is lost */
  put_byte(message, 1);
  for (int i = 0; i < 4; i++) {
    put_text(message, "text");
  }
  put(message, &exit_code, sizeof exit_code);
}

/* What comes next of it, if it has that. */
static void put_no_frames_and_notes(struct message *message) {
  put_size(message, 0);
  put_size(message, 0);
  put_size(message, 0);
}

static void put_no_arguments(struct message *message) {
  put_byte(message, SUBPY_TUPLE);
  put_size(message, 0);
}

static void put_padding(struct message *message) {
  for (int i = 0; i < 300; i++) {
    put_byte(message, 0);
  }
}

static void put_frame(struct message *message, const char *file) {
  put_text(message, file);
  put_text(message, "f");
  put_text(message, "");
  put(message, (const uint32_t[4]){UINT32_MAX, 0, 0, UINT32_MAX}, 16);
}

static void frames_too_many(struct worker *worker) {
  put_exception(&worker->message, SUBPY_ERR_EXCEPTION, 0);
  put_size(&worker->message, 258);
  put_padding(&worker->message);
  say_now(worker);
}

static void frames_fewer(struct worker *worker) {
  put_exception(&worker->message, SUBPY_ERR_EXCEPTION, 0);
  put_size(&worker->message, 2);
  put_frame(&worker->message, "a.py");
  say_now(worker);
}

static void frames_max(struct worker *worker) {
  put_exception(&worker->message, SUBPY_ERR_EXCEPTION, 0);
  put_size(&worker->message, UINT64_MAX);
  say_now(worker);
}

static void frame_not_utf8(struct worker *worker) {
  put_exception(&worker->message, SUBPY_ERR_EXCEPTION, 0);
  put_size(&worker->message, 1);
  put_frame(&worker->message, "\xff");
  say_now(worker);
}

static void notes_too_many(struct worker *worker) {
  put_exception(&worker->message, SUBPY_ERR_EXCEPTION, 0);
  put_size(&worker->message, 0);
  put_size(&worker->message, 0);
  put_size(&worker->message, 257);
  put_padding(&worker->message);
  say_now(worker);
}

/* An exception, as far as how many others come with it. */
static void put_exception_with(struct message *message, uint64_t others) {
  put_exception(message, SUBPY_ERR_EXCEPTION, 0);
  put_size(message, 1);
  put_frame(message, "a.py");
  put_size(message, UINT64_MAX);
  put_size(message, 1);
  put_text(message, "note");
  put_no_arguments(message);
  put_size(message, others);
}

static void put_other(struct message *message, int link, uint64_t of) {
  put_byte(message, link);
  put_size(message, of);
  put_byte(message, SUBPY_ERR_EXCEPTION);
  put_text(message, "other");
  put_byte(message, 0); /* no process is lost */
  put_byte(message, 1);
  for (int i = 0; i < 4; i++) {
    put_text(message, "text");
  }
  put(message, (const int32_t[1]){0}, 4);
  put_no_frames_and_notes(message);
  put_no_arguments(message);
}

static void others_too_many(struct worker *worker) {
  put_exception_with(&worker->message, 257);
  put_padding(&worker->message);
  say_now(worker);
}

static void others_cut(struct worker *worker) {
  put_exception_with(&worker->message, 2);
  put_other(&worker->message, 0, 0);
  put_byte(&worker->message, 0);
  say_now(worker);
}

static void other_of_itself(struct worker *worker) {
  put_exception_with(&worker->message, 2);
  put_other(&worker->message, 0, 0);
  put_other(&worker->message, 0, 2);
  say_now(worker);
}

static void other_of_none(struct worker *worker) {
  put_exception_with(&worker->message, 1);
  put_other(&worker->message, 1, UINT64_MAX);
  say_now(worker);
}

static void other_in_no_way(struct worker *worker) {
  put_exception_with(&worker->message, 1);
  put_other(&worker->message, 3, 0);
  say_now(worker);
}

static void other_no_exception(struct worker *worker) {
  put_exception_with(&worker->message, 1);
  put_byte(&worker->message, 0);
  put_size(&worker->message, 0);
  put_byte(&worker->message, SUBPY_ERR_BUSY);
  put_text(&worker->message, "busy");
  put_byte(&worker->message, 0);
  put_byte(&worker->message, 0);
  say_now(worker);
}

/* As many as there may be, linked in each way, several of one in the same one. */
static void others_all(struct worker *worker) {
  put_exception_with(&worker->message, 256);
  for (int i = 0; i < 256; i++) {
    put_other(&worker->message, i % 3, (uint64_t)(i - i % 2));
  }
  say_now(worker);
}

static void exception_without_tuple(struct worker *worker) {
  put_exception(&worker->message, SUBPY_ERR_EXCEPTION, 0);
  put_no_frames_and_notes(&worker->message);
  put_byte(&worker->message, SUBPY_INT);
  put_size(&worker->message, 1);
  say_now(worker);
}

static void exit_code_past_limits(struct worker *worker) {
  put_exception(&worker->message, SUBPY_ERR_EXIT, -5);
  put_no_frames_and_notes(&worker->message);
  put_no_arguments(&worker->message);
  say_now(worker);
}

/* A failure of any status, with nothing of what such ones have. */
static void bare_failure(struct worker *worker, int status) {
  put_answer(&worker->message, FAILURE);
  put_byte(&worker->message, status);
  put_size(&worker->message, 3);
  put(&worker->message, "a\0b", 4);
  put_byte(&worker->message, 0);
  put_byte(&worker->message, 0);
  say_now(worker);
}

/* Values. ------------------------------------------------------------------------------------ */

static void text_past(struct worker *worker) {
  put_text_of(begin_value(worker, SUBPY_STR), 1000, "x");
  say_now(worker);
}

static void text_max(struct worker *worker) {
  put_text_of(begin_value(worker, SUBPY_STR), UINT64_MAX, "x");
  say_now(worker);
}

static void text_without_nul(struct worker *worker) {
  put_text_of(begin_value(worker, SUBPY_STR), 1, "xx");
  worker->message.length--;
  say_now(worker);
}

static void text_not_utf8(struct worker *worker) {
  put_text(begin_value(worker, SUBPY_STR), "\xff");
  say_now(worker);
}

static void text_not_wtf8(struct worker *worker) {
  put_text(begin_value(worker, SUBPY_WTF8), "\xff");
  say_now(worker);
}

static void int_no_number(struct worker *worker) {
  put_text(begin_value(worker, SUBPY_BIG_INT), "1;");
  say_now(worker);
}

static void decimal_no_number(struct worker *worker) {
  put_text(begin_value(worker, SUBPY_DECIMAL), "1_000");
  say_now(worker);
}

/* Begins a datetime, or its like, whose day and clock are these bytes. */
static struct message *begin_datetime(struct worker *worker, int kind, const uint8_t fields[8]) {
  struct message *message = begin_value(worker, kind);
  put(message, fields, 8);
  return message;
}

static void month_13(struct worker *worker) {
  static const uint8_t fields[8] = {0xe8, 7, 13, 1, 0, 0, 0, 0};
  put_size(begin_datetime(worker, SUBPY_DATETIME, fields), 0);
  say_now(worker);
}

static void date_with_hour(struct worker *worker) {
  static const uint8_t fields[8] = {0xe8, 7, 12, 1, 1, 0, 0, 0};
  put_size(begin_datetime(worker, SUBPY_DATE, fields), 0);
  say_now(worker);
}

static void offset_max(struct worker *worker) {
  static const uint8_t fields[8] = {0, 0, 0, 0, 1, 0, 0, 2};
  put_size(begin_datetime(worker, SUBPY_TIME, fields), (uint64_t)86400000000 << 20);
  say_now(worker);
}

static void timedelta_past(struct worker *worker) {
  static const int32_t parts[3] = {1000000000, 0, 0};
  put(begin_value(worker, SUBPY_TIMEDELTA), parts, sizeof parts);
  say_now(worker);
}

static void set_count_max(struct worker *worker) {
  put_size(begin_value(worker, SUBPY_SET), UINT64_MAX);
  say_now(worker);
}

static void uuid_cut(struct worker *worker) {
  put(begin_value(worker, SUBPY_UUID), "too short", 9);
  say_now(worker);
}

static void object_cut(struct worker *worker) {
  put(begin_value(worker, SUBPY_OBJECT), "cut", 3);
  say_now(worker);
}

/* Objects that it has not. */
static void objects_of_none(struct worker *worker) {
  const uint64_t addresses[] = {0, 1, UINT64_MAX, UINT64_MAX};
  struct message *const message = begin_value(worker, SUBPY_LIST);
  put_size(message, COUNT(addresses));
  for (size_t i = 0; i < COUNT(addresses); i++) {
    put_byte(message, SUBPY_OBJECT);
    put(message, &addresses[i], sizeof addresses[i]);
  }
  say_now(worker);
}

/* Nothing that was asked for has an end. */
static void end_of_nothing(struct worker *worker) {
  put_answer(&worker->message, ITERATOR_END);
  say_now(worker);
}

static void input_of(struct worker *worker, uint64_t length) {
  put_size(begin(worker, WANTS_INPUT), length);
  want(worker);
}

/* As much as can't be, and nothing. */
static void input_of_any_size(struct worker *worker) {
  input_of(worker, UINT64_MAX);
  input_of(worker, 0);
  answer_int(worker, worker->message.bytes[0]);
}

static void bool_2(struct worker *worker) {
  put_byte(begin_value(worker, SUBPY_BOOL), 2);
  say_now(worker);
}

static void unknown_kind(struct worker *worker) {
  begin_value(worker, 200);
  say_now(worker);
}

static void count_past(struct worker *worker) {
  put_size(begin_value(worker, SUBPY_LIST), 1000000);
  say_now(worker);
}

static void count_max(struct worker *worker) {
  put_size(begin_value(worker, SUBPY_TUPLE), UINT64_MAX);
  say_now(worker);
}

static void pairs_max(struct worker *worker) {
  put_size(begin_value(worker, SUBPY_DICT), UINT64_MAX / 2 + 2);
  say_now(worker);
}

static void too_deep(struct worker *worker) {
  put_answer(&worker->message, VALUE);
  for (int i = 0; i < 300; i++) {
    put_byte(&worker->message, SUBPY_LIST);
    put_size(&worker->message, 1);
  }
  put_byte(&worker->message, SUBPY_NONE);
  say_now(worker);
}

static void value_with_more(struct worker *worker) {
  begin_value(worker, SUBPY_NONE);
  put_byte(&worker->message, SUBPY_NONE);
  say_now(worker);
}

struct buffer {
  uint64_t item_size;
  const char *format;
  int dimensions;
  uint64_t shape[4], length;
};

static void answer_buffer(struct worker *worker, const struct buffer *buffer, int gap) {
  struct message *message = begin_value(worker, SUBPY_BUFFER);
  put_size(message, buffer->item_size);
  put_byte(message, 1);
  put_text(message, buffer->format);
  put_byte(message, buffer->dimensions);
  for (int i = 0; i < buffer->dimensions; i++) {
    put_size(message, i < 4 ? buffer->shape[i] : 1);
  }
  put_size(message, buffer->length);
  put_gap(message);
  if (gap != 0) {
    message->bytes[message->length - 1] = (uint8_t)gap;
  }
  for (uint64_t i = 0; i < buffer->length && i < 64; i++) {
    put_byte(message, 'x');
  }
  say_now(worker);
}

#define BUFFER(name, ...)                                                                          \
  static void name(struct worker *worker) {                                                        \
    const struct buffer buffer = __VA_ARGS__;                                                      \
    answer_buffer(worker, &buffer, 0);                                                             \
  }

BUFFER(buffer_items_of_0, {0, "B", 1, {8}, 0})
BUFFER(buffer_items_too_small, {4, "d", 1, {8}, 32})
BUFFER(buffer_shape_past, {8, "d", 1, {9}, 64})
BUFFER(buffer_shape_overflows, {8, "d", 2, {(uint64_t)1 << 33, (uint64_t)1 << 31}, 0})
BUFFER(buffer_shape_of_no_ssize, {8, "d", 2, {UINT64_MAX, 0}, 0})
BUFFER(buffer_items_of_no_ssize, {UINT64_MAX, "d", 1, {0}, 0})
BUFFER(buffer_255_dimensions, {8, "d", 255, {1, 1, 1, 1}, 8})
BUFFER(buffer_of_addresses, {8, "P", 1, {8}, 64})
BUFFER(buffer_of_nothing, {8, "", 1, {8}, 64})
BUFFER(buffer_length_past, {8, "d", 1, {1 << 20}, 8 << 20})

static void buffer_gap_not_empty(struct worker *worker) {
  const struct buffer buffer = {8, "d", 1, {1}, 8};
  answer_buffer(worker, &buffer, 1);
}

/* Wants. ------------------------------------------------------------------------------------- */

static void begin_output(struct worker *worker) {
  begin(worker, WANTS_OUTPUT);
  put_byte(&worker->message, 0);
  put_text(&worker->message, "x");
}

static void output(struct worker *worker) {
  begin_output(worker);
  say_now(worker);
}

static void output_of_no_stream(struct worker *worker) {
  begin(worker, WANTS_OUTPUT);
  put_byte(&worker->message, 7);
  put_text(&worker->message, "x");
  say_now(worker);
}

static void flood_output(struct worker *worker) {
  for (int i = 0; i < 100000; i++) {
    begin_output(worker);
    want(worker);
  }
  answer_done(worker);
}

static void endless_output(struct worker *worker) {
  for (;;) {
    begin_output(worker);
    want(worker);
  }
}

/* What begins a list or a dict of so many items, or pairs. */
static void put_items(struct worker *worker, uint8_t kind, uint64_t count) {
  put_byte(&worker->message, kind);
  put_size(&worker->message, count);
}

static void begin_call(struct worker *worker, uint64_t function) {
  put_size(begin(worker, WANTS_CALL), function);
  put_byte(&worker->message, 0); /* of __main__ */
}

static void call_of_namespace_with_nul(struct worker *worker) {
  put_size(begin(worker, WANTS_CALL), 0);
  put_byte(&worker->message, 1);
  put_size(&worker->message, 3);
  put(&worker->message, "a\0b", 4);
  put_items(worker, SUBPY_LIST, 0);
  put_items(worker, SUBPY_DICT, 0);
  say_now(worker);
}

static void call_number(struct worker *worker, uint64_t function) {
  begin_call(worker, function);
  put_items(worker, SUBPY_LIST, 0);
  put_items(worker, SUBPY_DICT, 0);
  say_now(worker);
}

static void call_unknown(struct worker *worker) { call_number(worker, 12345); }

static void call(struct worker *worker) { call_number(worker, worker->function); }

static void call_without_list(struct worker *worker) {
  begin_call(worker, worker->function);
  put_byte(&worker->message, SUBPY_NONE);
  put_items(worker, SUBPY_DICT, 0);
  say_now(worker);
}

static void call_without_dict(struct worker *worker) {
  begin_call(worker, worker->function);
  put_items(worker, SUBPY_LIST, 0);
  put_byte(&worker->message, SUBPY_NONE);
  say_now(worker);
}

static void call_with_int_as_name(struct worker *worker) {
  begin_call(worker, worker->function);
  put_items(worker, SUBPY_LIST, 0);
  put_items(worker, SUBPY_DICT, 1);
  put_byte(&worker->message, SUBPY_INT);
  put_size(&worker->message, 1);
  put_byte(&worker->message, SUBPY_NONE);
  say_now(worker);
}

static void drop_unknown(struct worker *worker) {
  for (int i = 0; i < 100; i++) {
    put_size(begin(worker, WANTS_DROP), 1000 + (uint64_t)i);
    want(worker);
  }
  answer_done(worker);
}

/* What scripts do with interpreters, and with queues. ------------------------------------------ */

enum { LIST_ALL = 0, CREATE_ONE = 3 };
enum { CREATE_QUEUE = 0, PUT_ITEM = 2, GET_ITEM = 4, LET_GO = 7 };

static void operate(struct worker *worker, int code) {
  put_byte(begin(worker, WANTS_OPERATE), code);
}

static void operate_not_allowed(struct worker *worker) {
  operate(worker, LIST_ALL);
  say_now(worker);
}

static void creator_operates_unknown(struct worker *worker) {
  operate(worker, 99);
  say_now(worker);
}

static void creator_operates_cut(struct worker *worker) {
  operate(worker, CREATE_ONE);
  say_now(worker);
}

static void creator_operates_with_more(struct worker *worker) {
  operate(worker, LIST_ALL);
  put_byte(&worker->message, 0);
  say_now(worker);
}

/* Creates as many as it may: with no wish, from where it imports. */
static void create_many(struct worker *worker) {
  int created = -1;
  do {
    created++;
    operate(worker, CREATE_ONE);
    for (int i = 0; i < 10; i++) {
      put_byte(&worker->message, 0);
    }
    want(worker);
  } while (worker->message.bytes[0] == REPLY_VALUE);
  answer_int(worker, created);
}

static void begin_queue(struct worker *worker, int code) {
  put_byte(begin(worker, WANTS_QUEUE), code);
}

/* Of a new queue, the number; 0: there is none. */
static uint64_t create_queue(struct worker *worker) {
  uint64_t number = 0;
  begin_queue(worker, CREATE_QUEUE);
  put_size(&worker->message, 0);
  put_byte(&worker->message, 1);
  put_byte(&worker->message, 0);
  want(worker);
  if (worker->message.bytes[0] == REPLIES) {
    memcpy(&number, worker->message.bytes + 1, sizeof number);
  }
  return number;
}

static void queue_not_allowed(struct worker *worker) {
  create_queue(worker);
  wait_for_the_end();
}

static void queue_unknown(struct worker *worker) {
  begin_queue(worker, GET_ITEM);
  put_size(&worker->message, 1234567);
  put_size(&worker->message, 0);
  say_now(worker);
}

static void creator_queue_unknown_code(struct worker *worker) {
  const uint64_t number = create_queue(worker);
  begin_queue(worker, 99);
  put_size(&worker->message, number);
  say_now(worker);
}

static void creator_queue_let_go_too_often(struct worker *worker) {
  const uint64_t number = create_queue(worker);
  begin_queue(worker, LET_GO);
  put_size(&worker->message, number);
  put_size(&worker->message, 5);
  say_now(worker);
}

static void put_queue(struct message *message, uint64_t number) {
  put_byte(message, SUBPY_QUEUE);
  put_size(message, number);
  put_size(message, 0);
  put_byte(message, 1);
  put_byte(message, 0);
}

/* The queue takes plain data alone. */
static void creator_queue_pickled(struct worker *worker) {
  begin_queue(worker, CREATE_QUEUE);
  put_size(&worker->message, 0);
  put_byte(&worker->message, 0);
  put_byte(&worker->message, 0);
  want(worker);
  uint64_t number;
  memcpy(&number, worker->message.bytes + 1, sizeof number);
  begin_queue(worker, PUT_ITEM);
  put_size(&worker->message, number);
  put_byte(&worker->message, 1);
  put_byte(&worker->message, 0);
  put_byte(&worker->message, SUBPY_NONE);
  say_now(worker);
}

static void put_itself(struct worker *worker, int if_gone) {
  const uint64_t number = create_queue(worker);
  begin_queue(worker, PUT_ITEM);
  put_size(&worker->message, number);
  put_byte(&worker->message, 0);
  put_byte(&worker->message, if_gone);
  put_queue(&worker->message, number);
  say_now(worker);
}

static void creator_queue_into_itself(struct worker *worker) { put_itself(worker, 0); }

static void creator_queue_item_of_no_fate(struct worker *worker) { put_itself(worker, 9); }

static void queue_in_value(struct worker *worker) {
  put_answer(&worker->message, VALUE);
  put_queue(&worker->message, 1234567);
  say_now(worker);
}

static void result_missing(struct worker *worker) {
  put_answer(&worker->message, RESULT);
  say_now(worker);
}

static void result_cut(struct worker *worker) {
  begin(worker, WANTS_RESULT);
  say_now(worker);
}

/* As many as it may have. */
static void create_queues(struct worker *worker) {
  int created = 0;
  while (create_queue(worker) != 0) {
    created++;
  }
  answer_int(worker, worker->message.bytes[0] == REPLY_NO_MEMORY ? created : -1);
}

/* A number of threads that is less than none. */
static void no_threads(struct worker *worker) { answer_int(worker, -1); }

/* What the kernel can do to who waits. ------------------------------------------------------- */

static unsigned flip_count;

/* What is in the area changes while the host reads it. */
static void *flip(void *argument) {
  const struct worker *worker = argument;
  uint32_t state = (uint32_t)getpid();
  for (;;) {
    state = state * 1664525 + 1013904223;
    const uint32_t at = (state >> 8) % 512;
    area_to_host(&worker->channel)[at] ^= (uint8_t)(1 << (state >> 29));
    __atomic_fetch_add(&flip_count, 1, __ATOMIC_SEQ_CST);
    sched_yield();
  }
  return NULL;
}

static void put_much(struct worker *worker) {
  struct message *message = begin_value(worker, SUBPY_LIST);
  put_size(message, 21);
  for (int i = 0; i < 3; i++) {
    put_byte(message, SUBPY_STR);
    put_text(message, "some text");
    put_byte(message, SUBPY_DICT);
    put_size(message, 1);
    put_byte(message, SUBPY_INT);
    put_size(message, 1);
    put_byte(message, SUBPY_TUPLE);
    put_size(message, 2);
    put_byte(message, SUBPY_NONE);
    put_byte(message, SUBPY_BYTES);
    put_text(message, "some bytes");
    put_byte(message, SUBPY_BIG_INT);
    put_text(message, "123456789012345678901234567890");
    put_byte(message, SUBPY_BUFFER);
    put_size(message, 2);
    put_byte(message, 0);
    put_text(message, "h");
    put_byte(message, 2);
    put_size(message, 2);
    put_size(message, 2);
    put_size(message, 8);
    put_gap(message);
    put(message, "12345678", 8);
    put_byte(message, SUBPY_DECIMAL);
    put_text(message, "-1.50");
    put_byte(message, SUBPY_DATETIME);
    put(message, (const uint8_t[8]){0xe8, 7, 2, 29, 23, 59, 59, 2}, 8);
    put_size(message, 7);
    put_byte(message, SUBPY_SET);
    put_size(message, 1);
    put_byte(message, SUBPY_UUID);
    put(message, "1234567890123456", 16);
  }
}

static void flips(struct worker *worker) {
  static bool is_flipping;
  if (!is_flipping) {
    pthread_t thread;
    is_flipping = pthread_create(&thread, NULL, flip, worker) == 0;
  }
  put_much(worker);
  const struct message *message = &worker->message;
  memcpy(area_to_host(&worker->channel), message->bytes, message->length);
  const unsigned before = __atomic_load_n(&flip_count, __ATOMIC_SEQ_CST);
  while (__atomic_load_n(&flip_count, __ATOMIC_SEQ_CST) == before) {
    sched_yield();
  }
  post(&worker->channel, message->length, 0);
}

/* Answers whether its file stays as it is. */
static void shrink(struct worker *worker) {
  const bool is_refused = ftruncate(worker->file, 0) == -1 && errno == EPERM &&
                          ftruncate(worker->file, 1 << 30) == -1 && errno == EPERM;
  answer_int(worker, is_refused);
}

/* The host waits for another word than it thinks, which nobody wakes. */
static void requeue(struct worker *worker) {
  struct shared *shared = shared_of(&worker->channel);
  uint32_t *word = &shared->to_host.pieces;
  uint32_t *other = &shared->ends;
  while (futex(word, FUTEX_REQUEUE, 0, (const void *)(uintptr_t)1, other, 0) <= 0) {
  }
  answer_int(worker, 1);
}

/* Asks for channels until the host gives none any more, or waits until this worker takes them: then there are more than
 * it can have waiting. Says something, and does so again. */
static void flood_channels(struct worker *worker) {
  for (int i = 0; i < 400; i++) {
    send_with(worker->socket, "x", 1, NULL, 0);
  }
  begin_output(worker);
  want(worker);
  while (send_with(worker->socket, "x", 1, NULL, 0)) {
  }
  wait_for_the_end();
}

/* As many as there are. */
static void take_channels(struct worker *worker) {
  int given = 0;
  for (int i = 0; i < 1100; i++) {
    char byte;
    int descriptors[DESCRIPTORS];
    size_t count = 0;
    if (!send_with(worker->socket, "x", 1, NULL, 0) ||
        receive_with(worker->socket, &byte, 1, descriptors, &count) == 0) {
      break;
    }
    given += count > 0;
    for (size_t at = 0; at < count; at++) {
      close(descriptors[at]);
    }
  }
  answer_int(worker, given);
}

static void junk_on_socket(struct worker *worker) {
  static const char junk[100000] = {99};
  const int descriptors[] = {0, 1, 2, 0, 1, 2, 0, 1, 2, 0};
  send_with(worker->socket, junk, sizeof junk, descriptors, 3);
  send_with(worker->socket, junk, 10, descriptors, COUNT(descriptors));
  send_with(worker->socket, junk, 10, descriptors, COUNT(descriptors));
  answer_int(worker, 1);
}

static void junk_on_other_channel(struct worker *worker) {
  char byte;
  int descriptors[DESCRIPTORS];
  size_t count = 0;
  send_with(worker->socket, "x", 1, NULL, 0);
  receive_with(worker->socket, &byte, 1, descriptors, &count);
  struct channel other = map_channel(descriptors[0]);
  post(&other, UINT64_MAX, 0);
  wait_for_the_end();
}

/* An answer where none was asked for. */
static void answer_on_other_channel(struct worker *worker) {
  char byte;
  int descriptors[DESCRIPTORS];
  size_t count = 0;
  send_with(worker->socket, "x", 1, NULL, 0);
  receive_with(worker->socket, &byte, 1, descriptors, &count);
  struct channel other = map_channel(descriptors[0]);
  put_answer(&worker->message, DONE);
  say(&other, &worker->message);
  wait_for_the_end();
}

static void silence(struct worker *worker) {
  (void)worker;
  wait_for_the_end();
}

static void stop_itself(struct worker *worker) {
  (void)worker;
  raise(SIGSTOP);
}

/* All of them. ------------------------------------------------------------------------------- */

static const struct {
  const char *name;
  void (*behave)(struct worker *worker);
} misbehaviours[] = {
#define BEHAVES(name) {#name, name}
    BEHAVES(answer_cut),
    BEHAVES(answer_on_other_channel),
    BEHAVES(answer_with_more),
    BEHAVES(bool_2),
    BEHAVES(buffer_255_dimensions),
    BEHAVES(buffer_gap_not_empty),
    BEHAVES(buffer_items_of_0),
    BEHAVES(buffer_items_of_no_ssize),
    BEHAVES(buffer_items_too_small),
    BEHAVES(buffer_length_past),
    BEHAVES(buffer_of_addresses),
    BEHAVES(buffer_of_nothing),
    BEHAVES(buffer_shape_of_no_ssize),
    BEHAVES(buffer_shape_overflows),
    BEHAVES(buffer_shape_past),
    BEHAVES(call),
    BEHAVES(call_of_namespace_with_nul),
    BEHAVES(call_unknown),
    BEHAVES(call_with_int_as_name),
    BEHAVES(call_without_dict),
    BEHAVES(call_without_list),
    BEHAVES(count_backwards),
    BEHAVES(count_far),
    BEHAVES(count_farthest),
    BEHAVES(count_max),
    BEHAVES(count_past),
    BEHAVES(crash_in_the_middle),
    BEHAVES(create_many),
    BEHAVES(create_queues),
    BEHAVES(creator_operates_cut),
    BEHAVES(creator_operates_unknown),
    BEHAVES(creator_operates_with_more),
    BEHAVES(creator_queue_into_itself),
    BEHAVES(creator_queue_item_of_no_fate),
    BEHAVES(creator_queue_let_go_too_often),
    BEHAVES(creator_queue_pickled),
    BEHAVES(creator_queue_unknown_code),
    BEHAVES(date_with_hour),
    BEHAVES(decimal_no_number),
    BEHAVES(drop_unknown),
    BEHAVES(end_of_nothing),
    BEHAVES(endless_empty),
    BEHAVES(endless_full),
    BEHAVES(endless_output),
    BEHAVES(endless_short),
    BEHAVES(exception_without_tuple),
    BEHAVES(exit_code_past_limits),
    BEHAVES(exit_in_the_middle),
    BEHAVES(flips),
    BEHAVES(flood_channels),
    BEHAVES(flood_output),
    BEHAVES(frame_not_utf8),
    BEHAVES(frames_fewer),
    BEHAVES(frames_max),
    BEHAVES(frames_too_many),
    BEHAVES(input_of_any_size),
    BEHAVES(int_no_number),
    BEHAVES(junk_on_other_channel),
    BEHAVES(junk_on_socket),
    BEHAVES(length_huge),
    BEHAVES(length_just_past),
    BEHAVES(length_max),
    BEHAVES(length_zero),
    BEHAVES(month_13),
    BEHAVES(notes_too_many),
    BEHAVES(object_cut),
    BEHAVES(objects_of_none),
    BEHAVES(offset_max),
    BEHAVES(operate_not_allowed),
    BEHAVES(other_in_no_way),
    BEHAVES(other_no_exception),
    BEHAVES(other_of_itself),
    BEHAVES(other_of_none),
    BEHAVES(others_all),
    BEHAVES(others_cut),
    BEHAVES(others_too_many),
    BEHAVES(output),
    BEHAVES(output_of_no_stream),
    BEHAVES(pairs_max),
    BEHAVES(queue_in_value),
    BEHAVES(queue_not_allowed),
    BEHAVES(queue_unknown),
    BEHAVES(reply_to_nothing),
    BEHAVES(requeue),
    BEHAVES(result_cut),
    BEHAVES(result_missing),
    BEHAVES(set_count_max),
    BEHAVES(set_highest_bit),
    BEHAVES(shrink),
    BEHAVES(silence),
    BEHAVES(status_0),
    BEHAVES(status_99),
    BEHAVES(stop_itself),
    BEHAVES(take_channels),
    BEHAVES(text_max),
    BEHAVES(text_not_utf8),
    BEHAVES(text_not_wtf8),
    BEHAVES(text_past),
    BEHAVES(text_without_nul),
    BEHAVES(timedelta_past),
    BEHAVES(too_deep),
    BEHAVES(unknown_first_byte),
    BEHAVES(unknown_kind),
    BEHAVES(uuid_cut),
    BEHAVES(value_with_more),
};

/* Does what the text of a program says, which comes last in the message. */
static void misbehave(struct worker *worker) {
  struct message *message = &worker->message;
  const char *end = (const char *)message->bytes + message->length - 1;
  const char *text = end;
  while (text[-1] != '\0') {
    text--;
  }
  for (size_t i = 0; i < COUNT(misbehaviours); i++) {
    if (strcmp(text, misbehaviours[i].name) == 0) {
      misbehaviours[i].behave(worker);
      return;
    }
  }
  int status;
  if (sscanf(text, "status %d", &status) == 1) {
    bare_failure(worker, status);
  } else {
    answer_int(worker, 42);
  }
}

/* Serves the host until it asks it to end. */
static void serve(struct worker *worker) {
  for (;;) {
    hear(&worker->channel, &worker->message);
    switch (worker->message.bytes[0]) {
    case ASKS_END:
      answer_done(worker);
      _exit(0);
    case ASKS_DEFINE:
      memcpy(&worker->function, worker->message.bytes + 9, sizeof worker->function);
      answer_done(worker);
      break;
    case ASKS_RUN:
    case ASKS_EVAL:
      misbehave(worker);
      break;
    case ASKS_STOP_THREADS:
      no_threads(worker);
      break;
    default:
      answer_done(worker);
    }
  }
}

#endif
