/* A script writes to syslog with a name of its own, and leaves the host's as it is. */
#include "files.h"

#include <dlfcn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>

static struct sockaddr_un place; /* what stands for /dev/log in this program */

/* Hides the C library's from Python. syslog() of the C library calls its own. */
int connect(int descriptor, const struct sockaddr *address, socklen_t length) {
  int (*real)(int, const struct sockaddr *, socklen_t);
  *(void **)&real = dlsym(RTLD_NEXT, "connect");
  const struct sockaddr_un *local = (const void *)address;
  if (address->sa_family == AF_UNIX && strcmp(local->sun_path, "/dev/log") == 0) {
    return real(descriptor, (const void *)&place, sizeof place);
  }
  return real(descriptor, address, length);
}

/* What has arrived: its priority, and what follows the time. */
static void check_arrives(int line, int log, const char *priority, const char *expected) {
  char packet[512];
  const ssize_t length = recv(log, packet, sizeof packet - 1, MSG_DONTWAIT);
  CHECK(length > 0, "line %d: nothing has come", line);
  packet[length] = '\0';
  CHECK(strncmp(packet, priority, strlen(priority)) == 0, "line %d: %s", line, packet);
  const size_t before = strlen(priority) + strlen("Jan  1 00:00:00 ");
  CHECK((size_t)length >= before, "line %d: %s", line, packet);
  CHECK_TEXT(packet + before, expected);
}

#define ARRIVES(priority, text) check_arrives(__LINE__, log, priority, text)

static int listen_to(const char *directory, int kind) {
  place.sun_family = AF_UNIX;
  snprintf(place.sun_path, sizeof place.sun_path, "%.90s/log", directory);
  const int log = socket(AF_UNIX, kind, 0);
  CHECK(bind(log, (const void *)&place, sizeof place) == 0, "no socket");
  return log;
}

/* What the C library writes for the host. */
static void check_host(void) {
  char line[64];
  int ends[2];
  const int was = dup(STDERR_FILENO);
  CHECK_EQUAL(pipe(ends), 0);
  dup2(ends[1], STDERR_FILENO);
  syslog(LOG_INFO, "%s", "from the host");
  dup2(was, STDERR_FILENO);
  closelog();
  const ssize_t length = read(ends[0], line, sizeof line - 1);
  line[length < 0 ? 0 : length] = '\0';
  CHECK_TEXT(line, "the_host: from the host\n");
  CHECK_EQUAL(setlogmask(0), 0xff);
  close(ends[0]), close(ends[1]), close(was);
}

static void test_each_has_its_own_name(void **state) {
  (void)state;
  char directory[PATH_ROOM];
  make_temporary(directory);
  const int log = listen_to(directory, SOCK_DGRAM);
  subpy_id one, other;
  CREATE(NULL, &one);
  CREATE(NULL, &other);
  openlog("the_host", LOG_PERROR, LOG_USER);
  RUN(one, "import syslog; syslog.syslog('hello')");
  ARRIVES("<14>", "c_syslog: hello"); /* the program's name */
  RUN(one, "import os, sys; sys.argv = ['/opt/script.py']; syslog.syslog('by argv')");
  ARRIVES("<14>", "script.py: by argv");
  RUN(one, "syslog.openlog('one', facility=syslog.LOG_MAIL)\n"
           "syslog.syslog(syslog.LOG_ERR, 'caf\\xe9 %s')");
  ARRIVES("<19>", "one: caf\xc3\xa9 %s");
  RUN(other, "import syslog\nsyslog.openlog('other', syslog.LOG_PID)\n"
             "syslog.syslog(syslog.LOG_CRIT | syslog.LOG_DAEMON, 'x')");
  char expected[64];
  snprintf(expected, sizeof expected, "other[%d]: x", (int)getpid());
  ARRIVES("<26>", expected);
  RUN(one, "assert syslog.setlogmask(syslog.LOG_UPTO(syslog.LOG_ERR)) == 0xff\n"
           "syslog.syslog(syslog.LOG_INFO, 'not this'); syslog.syslog(syslog.LOG_ERR, 'this')");
  ARRIVES("<19>", "one: this");
  RUN(one, "syslog.closelog(); syslog.syslog(syslog.LOG_ALERT, 'closed')");
  ARRIVES("<9>", "script.py: closed");
  RUN(other, "for wrong in (), (1,), (1, 2), ('a', 'b'), (1, 'a', 2), ('\\0',):\n"
             "  try: syslog.syslog(*wrong)\n"
             "  except (TypeError, ValueError): pass\n"
             "  else: assert False, wrong\n");
  DESTROY(one);
  DESTROY(other);
  check_host();
  close(log);
  remove_temporary(directory);
}

static void test_a_log_that_is_a_stream(void **state) {
  (void)state;
  char directory[PATH_ROOM], packet[64];
  subpy_id id;
  make_temporary(directory);
  const int log = listen_to(directory, SOCK_STREAM);
  CHECK_EQUAL(listen(log, 1), 0);
  CREATE(NULL, &id);
  RUN(id, "import syslog; syslog.openlog('stream'); syslog.syslog('x')");
  const int connection = accept(log, NULL, NULL);
  const ssize_t length = recv(connection, packet, sizeof packet, 0);
  CHECK(length > 10 && memcmp(packet + length - 10, "stream: x", 10) == 0, "%zd", length);
  close(connection);
  close(log);
  DESTROY(id);
  remove_temporary(directory);
}

static void test_no_log(void **state) {
  (void)state;
  struct capture capture = {0};
  subpy_interpreter_config config = capture_config(&capture);
  subpy_id id;
  snprintf(place.sun_path, sizeof place.sun_path, "/no/such/log");
  CREATE(&config, &id);
  RUN(id, "import syslog; syslog.openlog('x', syslog.LOG_PERROR); syslog.syslog('said')");
  CHECK_TEXT(text_of(&capture.err), "x: said\n");
  DESTROY(id);
  capture_clear(&capture);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_each_has_its_own_name),
      cmocka_unit_test(test_a_log_that_is_a_stream),
      cmocka_unit_test(test_no_log),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
