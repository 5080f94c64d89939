/* The users, groups, services and protocols of the system, asked for in several interpreters at once. */
#include "support.h"

static const char CORRECT[] =
    "import grp, pwd, socket\n"
    "users, groups = pwd.getpwall(), grp.getgrall()\n"
    "root = pwd.getpwuid(0)\n"
    "assert root in users and type(users[0]) is pwd.struct_passwd, users\n"
    "assert all(type(u.pw_uid) is int and type(u.pw_gid) is int for u in users)\n"
    "assert grp.getgrgid(root.pw_gid) in groups and type(groups[0]) is grp.struct_group, groups\n"
    "assert all(pwd.getpwnam(u.pw_name).pw_name == u.pw_name for u in users)\n"
    "assert all(grp.getgrnam(g.gr_name).gr_mem == g.gr_mem for g in groups)\n"
    "def fails(kind, message, call, *args):\n"
    "  try: call(*args)\n"
    "  except kind as e: assert message in str(e), e\n"
    "  else: assert False, (call, args)\n"
    "fails(OSError, 'service/proto not found', socket.getservbyname, 'no such service')\n"
    "fails(OSError, 'service/proto not found', socket.getservbyname, 'http', 'no such protocol')\n"
    "fails(OSError, 'port/proto not found', socket.getservbyport, 80, 'no such protocol')\n"
    "fails(OSError, 'protocol not found', socket.getprotobyname, 'no such protocol')\n"
    "fails(OverflowError, '0-65535', socket.getservbyport, 65536)\n"
    "fails(OverflowError, '0-65535', socket.getservbyport, -1)\n"
    "fails(TypeError, '', socket.getservbyport, '80')\n"
    "fails(TypeError, '', socket.getservbyname, 80)\n"
    "fails(TypeError, '', socket.getservbyname, b'http')\n"
    "fails(ValueError, 'null', socket.getprotobyname, 'tc\\0p')\n"
    "assert socket.getservbyname.__doc__ and pwd.getpwall.__doc__\n"
    "try: import spwd\n" /* to 3.12, and if this process may read them */
    "except ImportError: spwd = None\n"
    "if spwd:\n"
    "  for entry in spwd.getspall():\n"
    "    assert type(entry) is spwd.struct_spwd and entry == spwd.getspnam(entry.sp_namp)\n"
    "    assert entry.sp_nam == entry.sp_namp and entry.sp_pwd == entry.sp_pwdp\n"
    "    assert type(entry.sp_max) is int\n"
    "  fails((KeyError, OSError), '', spwd.getspnam, 'no such user')\n"
    "  fails(TypeError, '', spwd.getspnam, b'root')\n"
    "  fails(ValueError, '', spwd.getspnam, 'ro\\0ot')\n";

static void test_they_are_right(void **state) {
  (void)state;
  RUN_IN_NEW(NULL, CORRECT);
}

static void test_services(void **state) {
  (void)state;
  RUN_IN_NEW(NULL,
             "import socket\n"
             "try: known = socket.getservbyname('http') == 80\n"
             "except OSError: known = False\n"
             "if known:\n"
             "  assert socket.getservbyname('https', 'tcp') == 443\n"
             "  assert socket.getservbyport(80) == 'http' == socket.getservbyport(80, 'tcp')\n"
             "  assert (socket.getprotobyname('tcp'), socket.getprotobyname('udp')) == (6, 17)\n"
             "  seen = []\n"
             "  import sys\n"
             "  sys.addaudithook(lambda name, args: name.startswith('socket.getserv') and "
             "seen.append((name, args)))\n"
             "  socket.getservbyname('http', 'tcp'); socket.getservbyport(80)\n"
             "  assert seen == [('socket.getservbyname', ('http', 'tcp')),\n"
             "                  ('socket.getservbyport', (80, None))], seen\n");
}

static void *ask(void *code) {
  subpy_id id;
  CREATE(NULL, &id);
  for (int i = 0; i < 20; i++) {
    RUN(id, code);
  }
  DESTROY(id);
  return NULL;
}

static void test_at_once(void **state) {
  static char lists[] = "import grp, pwd\n"
                        "try: import spwd\n"
                        "except ImportError: passwords = lambda: None\n"
                        "else: passwords = spwd.getspall\n"
                        "def all(): return pwd.getpwall(), grp.getgrall(), passwords()\n"
                        "try: first\n"
                        "except NameError: first = all()\n"
                        "for _ in range(20): assert all() == first\n";
  static char one[] = "import socket\n"
                      "def ask(f, x):\n"
                      "  try: return f(x)\n"
                      "  except OSError: return None\n"
                      "for _ in range(100):\n"
                      "  assert ask(socket.getservbyname, 'http') in (80, None)\n"
                      "  assert ask(socket.getservbyport, 80) in ('http', None)\n"
                      "  assert ask(socket.getprotobyname, 'tcp') in (6, None)\n";
  static char other[] = "import socket\n"
                        "def ask(f, x):\n"
                        "  try: return f(x)\n"
                        "  except OSError: return None\n"
                        "for _ in range(100):\n"
                        "  assert ask(socket.getservbyname, 'https') in (443, None)\n"
                        "  assert ask(socket.getservbyport, 443) in ('https', None)\n"
                        "  assert ask(socket.getprotobyname, 'udp') in (17, None)\n";
  char *const programs[] = {lists, one, lists, other};
  pthread_t threads[COUNT(programs)];
  (void)state;
  for (size_t i = 0; i < COUNT(programs); i++) {
    threads[i] = thread_start(ask, programs[i]);
  }
  for (size_t i = 0; i < COUNT(programs); i++) {
    thread_join(threads[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_they_are_right),
      cmocka_unit_test(test_services),
      cmocka_unit_test(test_at_once),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
