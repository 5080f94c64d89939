/*
 * A worker's end of a channel, and of its socket, in C: as crates/core/src/process has them, and without its manners.
 */
#ifndef SUBPY_TESTS_HOSTILE_CHANNEL_H
#define SUBPY_TESTS_HOSTILE_CHANNEL_H

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

/* What host and worker share. ---------------------------------------------------------------- */

enum { AREA = 256 << 10, HEAD = 256, REPORT = 64 << 10, CHANNEL = HEAD + 2 * AREA + REPORT };

struct direction {
  uint32_t pieces, goes_on;
  uint64_t length;
  uint32_t sleeps;
  uint8_t rest[44];
};

struct shared {
  struct direction to_worker, to_host;
  uint32_t ends;
};

struct channel {
  uint8_t *memory;
  uint32_t seen, sent;
};

static struct shared *shared_of(const struct channel *channel) {
  return (struct shared *)(void *)channel->memory;
}

static uint8_t *area_to_host(const struct channel *channel) {
  return channel->memory + HEAD + AREA;
}

static struct channel map_channel(int file) {
  struct channel channel = {NULL, 0, 0};
  channel.memory = mmap(NULL, CHANNEL, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (channel.memory == MAP_FAILED) {
    _exit(90);
  }
  return channel;
}

static long futex(uint32_t *word, int what, uint32_t value, const void *time_or_count,
                  uint32_t *other, uint32_t is) {
  return syscall(SYS_futex, word, what, value, time_or_count, other, is);
}

/* Says that there is a piece, whatever there is. */
static void post(struct channel *channel, uint64_t length, uint32_t goes_on) {
  struct direction *direction = &shared_of(channel)->to_host;
  direction->length = length;
  direction->goes_on = goes_on;
  __atomic_store_n(&direction->pieces, ++channel->sent, __ATOMIC_SEQ_CST);
  futex(&direction->pieces, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* Waits for the host's next piece. */
static void await(struct channel *channel) {
  struct direction *direction = &shared_of(channel)->to_worker;
  for (;;) {
    const uint32_t pieces = __atomic_load_n(&direction->pieces, __ATOMIC_SEQ_CST);
    if (pieces != channel->seen) {
      channel->seen++;
      return;
    }
    __atomic_store_n(&direction->sleeps, 1, __ATOMIC_SEQ_CST);
    const struct timespec look = {0, 10000000};
    futex(&direction->pieces, FUTEX_WAIT, pieces, &look, NULL, 0);
  }
}

/* What is said. ------------------------------------------------------------------------------ */

enum { ASKS_END = 0, ASKS_PREPARE = 1, ASKS_RUN = 2, ASKS_EVAL = 3, ASKS_DEFINE = 8 };
enum { ASKS_STOP_THREADS = 9 };
enum { DONE = 0, FAILURE = 1, VALUE = 2, WANTS_OUTPUT = 16, WANTS_CALL = 17, WANTS_DROP = 18 };
enum { WANTS_OPERATE = 19, WANTS_QUEUE = 20, WANTS_RESULT = 21, RESULT = 3 };
enum { WANTS_INPUT = 22, ITERATOR_END = 4 };
enum { REPLIES = 32, REPLY_VALUE = 33, REPLY_NO_MEMORY = 39 };

struct message {
  uint8_t bytes[AREA];
  size_t length;
};

static void put(struct message *message, const void *bytes, size_t length) {
  if (length > sizeof message->bytes - message->length) {
    _exit(91);
  }
  memcpy(message->bytes + message->length, bytes, length);
  message->length += length;
}

static void put_byte(struct message *message, int byte) { put(message, &(uint8_t){byte}, 1); }

static void put_size(struct message *message, uint64_t size) { put(message, &size, sizeof size); }

/* A text that claims to be so long. */
static void put_text_of(struct message *message, uint64_t length, const char *text) {
  put_size(message, length);
  put(message, text, strlen(text) + 1);
}

static void put_text(struct message *message, const char *text) {
  put_text_of(message, strlen(text), text);
}

/* Zeros up to a multiple of 16. */
static void put_gap(struct message *message) {
  while (message->length % 16 != 0) {
    put_byte(message, 0);
  }
}

/* The start of an answer: its kind, and what the worker has done so far. */
static void put_answer(struct message *message, int kind) {
  message->length = 0;
  put_byte(message, kind);
  put_byte(message, 0);
  for (int i = 0; i < 7; i++) {
    put_size(message, 0);
  }
}

static void say(struct channel *channel, const struct message *message) {
  memcpy(area_to_host(channel), message->bytes, message->length);
  post(channel, message->length, 0);
}

/* Waits for a message, and keeps what fits of it. The rest goes past. */
static void hear(struct channel *channel, struct message *message) {
  message->length = 0;
  for (;;) {
    await(channel);
    const struct direction *direction = &shared_of(channel)->to_worker;
    const uint64_t length = direction->length;
    const bool goes_on = direction->goes_on != 0;
    if (message->length + length < sizeof message->bytes) {
      put(message, channel->memory + HEAD, length);
    }
    if (!goes_on) {
      return;
    }
    post(channel, 0, 0);
  }
}

/* Sockets. ----------------------------------------------------------------------------------- */

enum { DESCRIPTORS = 16 };

union control {
  struct cmsghdr aligned;
  char room[CMSG_SPACE(DESCRIPTORS * sizeof(int))];
};

static bool send_with(int socket, const void *bytes, size_t length, const int *descriptors,
                      size_t count) {
  struct iovec piece = {(void *)(uintptr_t)bytes, length};
  union control control;
  memset(&control, 0, sizeof control);
  struct msghdr message;
  memset(&message, 0, sizeof message);
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  if (count > 0) {
    message.msg_control = control.room;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(head), descriptors, count * sizeof(int));
  }
  return sendmsg(socket, &message, MSG_NOSIGNAL) >= 0;
}

/* The length of a message, and what comes with it. 0: the host is gone. */
static size_t receive_with(int socket, void *bytes, size_t room, int *descriptors, size_t *count) {
  struct iovec piece = {bytes, room};
  union control control;
  struct msghdr message;
  memset(&message, 0, sizeof message);
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.room;
  message.msg_controllen = sizeof control;
  const ssize_t length = recvmsg(socket, &message, 0);
  *count = 0;
  struct cmsghdr *head = length > 0 ? CMSG_FIRSTHDR(&message) : NULL;
  if (head != NULL && head->cmsg_type == SCM_RIGHTS) {
    *count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(descriptors, CMSG_DATA(head), *count * sizeof(int));
  }
  return length > 0 ? (size_t)length : 0;
}

#endif
