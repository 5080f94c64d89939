/* A zygote that forks such workers. It does what the environment variable HOSTILE says when it is started. */
#ifndef SUBPY_TESTS_HOSTILE_ZYGOTE_H
#define SUBPY_TESTS_HOSTILE_ZYGOTE_H

#include "worker.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

enum { SOCKET = 3, HOST = 4, WORKERS = 64 };
enum { READY = 0, NOT_STARTED = 1, FORKED = 2, NOT_FORKED = 3, ENDED = 4 };

static struct {
  uint64_t number;
  pid_t process;
  int pidfd;
} workers[WORKERS];
static size_t worker_count;

static const char *zygote_does;

static bool does(const char *what) { return strcmp(zygote_does, what) == 0; }

static void tell_ends(const struct pollfd *entries) {
  for (size_t i = worker_count; i-- > 0;) {
    if (entries[i].revents == 0) {
      continue;
    }
    int status = 0;
    waitpid(workers[i].process, &status, 0);
    struct message said = {{0}, 0};
    put_byte(&said, ENDED);
    put_size(&said, workers[i].number);
    put(&said, &status, sizeof status);
    send_with(SOCKET, said.bytes, said.length, NULL, 0);
    close(workers[i].pidfd);
    workers[i] = workers[--worker_count];
  }
}

static void begin_worker(pid_t zygote, const int *descriptors, size_t count) {
  static struct worker worker;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != zygote) {
    _exit(1); /* it has ended before */
  }
  close(SOCKET);
  close(HOST);
  for (size_t i = 0; i < worker_count; i++) {
    close(workers[i].pidfd);
  }
  for (size_t i = 2; i < count; i++) {
    close(descriptors[i]);
  }
  worker.file = descriptors[0];
  worker.socket = descriptors[1];
  worker.channel = map_channel(worker.file);
  serve(&worker);
}

/* Says that a worker was forked, or something else. */
static void tell_fork(uint64_t number, int pidfd) {
  struct message said = {{0}, 0};
  put_byte(&said, does("says that what was not asked for is forked") ? 77 : FORKED);
  put_size(&said, does("forks with a wrong number") ? number + 1 : number);
  int descriptors[] = {pidfd, pidfd};
  size_t count = 1;
  if (does("forks without a descriptor")) {
    count = 0;
  } else if (does("forks with a file for a process")) {
    descriptors[0] = open("/dev/null", O_RDONLY);
  } else if (does("forks with a socket for a process")) {
    descriptors[0] = SOCKET;
  } else if (does("forks with its host for a process")) {
    descriptors[0] = HOST;
  } else if (does("forks with itself for a process")) {
    descriptors[0] = (int)syscall(SYS_pidfd_open, getpid(), 0);
  }
  send_with(SOCKET, said.bytes, said.length, descriptors, count);
  if (descriptors[0] > HOST && descriptors[0] != pidfd) {
    close(descriptors[0]);
  }
}

static void fork_worker(const uint8_t *asked, const int *descriptors, size_t count) {
  uint64_t number;
  memcpy(&number, asked, sizeof number);
  if (does("never forks")) {
    /* It does not say so. */
  } else if (does("dies when it is asked")) {
    _exit(1);
  } else if (does("tells of ends for ever")) {
    while (send_with(SOCKET, "\4\0\0\0\0\0\0\0\0\0\0\0\0", 13, NULL, 0)) {
      usleep(10000);
    }
  } else {
    const pid_t zygote = getpid(), process = fork();
    if (process == 0) {
      begin_worker(zygote, descriptors, count);
    }
    const int pidfd = (int)syscall(SYS_pidfd_open, process, 0);
    tell_fork(number, pidfd);
    workers[worker_count].number = number;
    workers[worker_count].process = process;
    workers[worker_count++].pidfd = pidfd;
  }
  for (size_t i = 0; i < count; i++) {
    close(descriptors[i]);
  }
}

/* The value of main(). It ends when its host does. */
static int hostile_zygote(void) {
  static uint8_t message[256 << 10];
  int descriptors[DESCRIPTORS];
  size_t count = 0;
  zygote_does = getenv("HOSTILE") != NULL ? getenv("HOSTILE") : "";
  receive_with(SOCKET, message, sizeof message, descriptors, &count);
  if (does("dies at once")) {
    return 1;
  }
  if (does("is ready as nobody is")) {
    send_with(SOCKET, "\0\377\377\377\377\377\377\377\377", 9, NULL, 0);
  } else if (does("fails as nobody does")) {
    send_with(SOCKET, "\1\0", 2, NULL, 0);
  } else {
    send_with(SOCKET, "\0\0\0\0\0\0\0\0\0", 9, NULL, 0);
  }
  for (;;) {
    struct pollfd entries[WORKERS + 2] = {{SOCKET, POLLIN, 0}, {HOST, POLLIN, 0}};
    for (size_t i = 0; i < worker_count; i++) {
      const struct pollfd entry = {workers[i].pidfd, POLLIN, 0};
      entries[i + 2] = entry;
    }
    poll(entries, 2 + worker_count, -1);
    tell_ends(entries + 2);
    if (entries[1].revents != 0) {
      return 0;
    }
    if (entries[0].revents != 0) {
      if (receive_with(SOCKET, message, sizeof message, descriptors, &count) < 8 || count < 2) {
        return 0;
      }
      fork_worker(message, descriptors, count);
    }
  }
}

#endif
