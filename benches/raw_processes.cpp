// Processes by the raw C API, as a host would make them that does nothing else: the floor. A zygote starts Python, imports
// modules and freezes the collector; it forks a worker for each interpreter. Host and worker talk by memory that both
// have, and by two words in it, on which they sleep. Nobody looks whether the other one keeps to the rules.
//
//     subpy_bench_raw_processes life|memory|calls|ends|numpy|alive|cycles COUNT [MODULE...]
#include "processes.hpp"
#include "raw.hpp"

#include <atomic>

#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace {

enum class Kind { RUN, ADD, ECHO, DONE, ANSWER };

/// Counts messages in one direction.
struct Word {
  std::atomic<std::uint32_t> count;
  std::atomic<bool> sleeps; // who waits for the next one
};

/// What a host and its worker share.
struct Box {
  Word to_worker, to_host;
  std::atomic<bool> looks;
  Kind kind;
  pid_t process;
  std::int64_t numbers[2];
  std::size_t length;
  char text[128 << 10]; // a program, with a NUL, or a str
};

void must(bool is) {
  if (!is) {
    std::perror("raw processes");
    std::exit(1);
  }
}

void post(Word &word) {
  word.count++;
  if (word.sleeps) {
    syscall(SYS_futex, &word.count, FUTEX_WAKE, 1, nullptr, nullptr, 0);
  }
}

void wait_for(const Box &box, Word &word, std::uint32_t value) {
  for (int i = 0; box.looks && i < 1000; i++) {
    if (word.count == value) {
      return;
    }
    __builtin_ia32_pause();
  }
  word.sleeps = true;
  for (std::uint32_t is = word.count; is != value; is = word.count) {
    syscall(SYS_futex, &word.count, FUTEX_WAIT, is, nullptr, nullptr, 0);
  }
  word.sleeps = false;
}

/// One number, and a descriptor if it is none of -1.
bool give(int socket, int number, int descriptor) {
  alignas(cmsghdr) char room[CMSG_SPACE(sizeof descriptor)] = {};
  iovec part = {&number, sizeof number};
  msghdr message{};
  message.msg_iov = &part, message.msg_iovlen = 1;
  if (descriptor >= 0) {
    message.msg_control = room, message.msg_controllen = sizeof room;
    cmsghdr *const head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET, head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof descriptor);
    std::memcpy(CMSG_DATA(head), &descriptor, sizeof descriptor);
  }
  return sendmsg(socket, &message, MSG_NOSIGNAL) > 0;
}

bool take(int socket, int &number, int &descriptor) {
  alignas(cmsghdr) char room[CMSG_SPACE(sizeof descriptor)];
  iovec part = {&number, sizeof number};
  msghdr message{};
  message.msg_iov = &part, message.msg_iovlen = 1;
  message.msg_control = room, message.msg_controllen = sizeof room;
  descriptor = -1;
  const bool taken = recvmsg(socket, &message, MSG_CMSG_CLOEXEC) > 0;
  if (const cmsghdr *const head = taken ? CMSG_FIRSTHDR(&message) : nullptr) {
    std::memcpy(&descriptor, CMSG_DATA(head), sizeof descriptor);
  }
  return taken;
}

Box *map(int file) {
  void *const memory = mmap(nullptr, sizeof(Box), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  must(memory != MAP_FAILED);
  close(file);
  return static_cast<Box *>(memory);
}

// A worker's side. --------------------------------------------------------------------------------

Box *box;
std::uint32_t requests = 0;

/// Calls the host.
PyObject *answer(PyObject *, PyObject *arguments) {
  long long number = 0;
  const char *text = nullptr;
  if (!PyArg_ParseTuple(arguments, "Ls", &number, &text)) {
    return nullptr;
  }
  box->kind = Kind::ANSWER;
  box->numbers[0] = number;
  box->length = std::strlen(text);
  std::memcpy(box->text, text, box->length);
  post(box->to_host);
  wait_for(*box, box->to_worker, ++requests);
  return PyLong_FromLongLong(box->numbers[0]);
}

/// Does what is asked for. A program is compiled where it is not the last one.
PyObject *serve(PyObject *globals) {
  static std::string source;
  static PyObject *code = nullptr;
  if (box->kind == Kind::ADD) {
    return PyObject_CallFunction(PyDict_GetItemString(globals, "add"), "LL",
                                 static_cast<long long>(box->numbers[0]),
                                 static_cast<long long>(box->numbers[1]));
  }
  if (box->kind == Kind::ECHO) {
    return PyObject_CallFunction(PyDict_GetItemString(globals, "echo"), "s#", box->text,
                                 static_cast<Py_ssize_t>(box->length));
  }
  if (source != box->text) {
    source = box->text;
    Py_XDECREF(code);
    code = raw::Program::compile(source.c_str());
  }
  return PyEval_EvalCode(code, globals, globals);
}

[[noreturn]] void work(int file) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  box = map(file);
  PyObject *const globals = raw::Program::globals();
  static PyMethodDef definition = {"answer", answer, METH_VARARGS, nullptr};
  PyDict_SetItemString(globals, "answer", PyCFunction_New(&definition, nullptr));
  box->process = getpid();
  post(box->to_host);
  for (;;) {
    wait_for(*box, box->to_worker, ++requests);
    const Kind asked = box->kind;
    PyObject *const done = static_cast<PyObject *>(raw::check(serve(globals)));
    if (asked == Kind::ADD) {
      box->numbers[0] = PyLong_AsLongLong(done);
    } else if (asked == Kind::ECHO) {
      Py_ssize_t length = 0;
      const char *const text = PyUnicode_AsUTF8AndSize(done, &length);
      std::memcpy(box->text, text, static_cast<std::size_t>(length));
      box->length = static_cast<std::size_t>(length);
    }
    Py_DECREF(done);
    box->kind = Kind::DONE;
    post(box->to_host);
  }
}

// The zygote. -------------------------------------------------------------------------------------

[[noreturn]] void fork_workers(int socket, const std::vector<const char *> &modules) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGCHLD, SIG_IGN); // the kernel reaps them
  raw::start();
  PyGILState_Ensure();
  std::string code = "import sys\n";
  for (const std::string &path : processes::search_paths()) {
    code += "sys.path.insert(0, '" + path + "')\n";
  }
  for (const char *const module : modules) {
    code += std::string("import ") + module + "\n";
  }
  code += "import gc; gc.collect(); gc.freeze()\n";
  must(PyRun_SimpleString(code.c_str()) == 0);
  give(socket, getpid(), -1);
  for (int number = 0, file = -1; take(socket, number, file); close(file)) {
    PyOS_BeforeFork();
    const pid_t child = fork();
    if (child == 0) {
      PyOS_AfterFork_Child();
      close(socket);
      work(file);
    }
    PyOS_AfterFork_Parent();
    const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
    give(socket, child, pidfd);
    close(pidfd);
  }
  _exit(0);
}

// The host. ---------------------------------------------------------------------------------------

class Raw {
public:
  struct Child {
    Box *box;
    int pidfd;
    std::uint32_t replies;
  };
  using Worker = Child *;

  explicit Raw(const std::vector<const char *> &modules) {
    int pair[2], none = -1;
    must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
    if (fork() == 0) {
      close(pair[0]);
      fork_workers(pair[1], modules);
    }
    close(pair[1]);
    socket_ = pair[0];
    must(take(socket_, zygote_, none));
  }

  Worker create() const {
    const int file = memfd_create("box", MFD_CLOEXEC);
    must(ftruncate(file, sizeof(Box)) == 0);
    auto *const child = new Child{};
    int number = 0;
    give(socket_, 0, file);
    child->box = map(file);
    take(socket_, number, child->pidfd);
    wait_for(*child->box, child->box->to_host, ++child->replies);
    return child;
  }

  static void run(Worker worker, const char *code) {
    write(worker, code);
    ask(worker);
  }

  static void prepare(Worker worker) {
    run(worker, (std::string(data::FUNCTIONS) + processes::ECHO).c_str());
  }

  static std::int64_t add(Worker worker, std::int64_t a, std::int64_t b) {
    worker->box->kind = Kind::ADD;
    worker->box->numbers[0] = a;
    worker->box->numbers[1] = b;
    ask(worker);
    return worker->box->numbers[0];
  }

  static std::size_t echo(Worker worker, const std::string &text) {
    worker->box->kind = Kind::ECHO;
    worker->box->length = text.size();
    std::memcpy(worker->box->text, text.data(), text.size());
    ask(worker);
    return std::string(worker->box->text, worker->box->length).size();
  }

  static void destroy(Worker worker) {
    syscall(SYS_pidfd_send_signal, worker->pidfd, SIGKILL, nullptr, 0);
    until_gone(worker);
  }

  static double kill(Worker worker) {
    write(worker, processes::ENDLESS);
    post(worker->box->to_worker);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return time_of([&] { destroy(worker); });
  }

  static double crash(Worker worker) {
    write(worker, processes::CRASH);
    return time_of([&] {
      post(worker->box->to_worker);
      until_gone(worker);
    });
  }

  static void look(Worker worker, bool looks) { worker->box->looks = looks; }

  pid_t zygote() const { return zygote_; }

private:
  static void write(Worker worker, const char *code) {
    worker->box->kind = Kind::RUN;
    std::strcpy(worker->box->text, code);
  }

  /// Asks, and answers what is asked meanwhile.
  static void ask(Worker worker) {
    Box &shared = *worker->box;
    for (;;) {
      post(shared.to_worker);
      wait_for(shared, shared.to_host, ++worker->replies);
      if (shared.kind == Kind::DONE) {
        return;
      }
      shared.numbers[0] += static_cast<std::int64_t>(shared.length);
    }
  }

  static void until_gone(Worker worker) {
    pollfd end = {worker->pidfd, POLLIN, 0};
    poll(&end, 1, -1);
    close(worker->pidfd);
    munmap(worker->box, sizeof(Box));
    delete worker;
  }

  int socket_ = -1;
  pid_t zygote_ = 0;
};

} // namespace

int main(int count, char **arguments) {
  if (count < 3) {
    std::fputs("subpy_bench_raw_processes WHAT COUNT [MODULE...]\n", stderr);
    return 2;
  }
  processes::open_as_many_as_can_be();
  Raw way({arguments + 3, arguments + count});
  processes::Measuring<Raw> measuring(way, "raw");
  return measuring.measure(arguments[1], std::strtoul(arguments[2], nullptr, 10)) ? 0 : 2;
}
