/*
 * What the interpreters of a process have in common: the state of C's library, of the libraries that
 * Python uses, and of CPython itself. From Python 3.12 on no GIL guards it. Each pair of actions runs
 * at once, in two interpreters, and each action knows its right answer:
 *
 *     sweep [-s SECONDS] [-j JOBS] FILE [NAME...]
 *
 * No NAME: all pairs; one NAME: that action with each; more: the pairs among these. An action is with
 * itself, too. Each pair is a process of its own, which runs for SECONDS (1). JOBS processes run at
 * once: as many as there are cores.
 *
 * FILE has the actions as the files of hazards have their scripts: see ../hazards/script.h. Such a
 * script defines `act`, which is called again and again. An answer that is not right is an
 * AssertionError. These options are known:
 *
 *   needs=3.13 until=3.12    the Pythons that have it
 *   exec fork                how its interpreter is made
 *
 * The script of the name `common` is run before each other one. The action `create` is the host's: it
 * creates interpreters and destroys them.
 */
#include "../hazards/subject.h"

#include "../hazards/script.h"

#include <locale.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

/* How the process of a pair ends, beside FAILED. */
enum { GOOD = 42, WRONG = 44, RAISED };

enum { MOST_ACTIONS = 256 };

static const char *const CREATE = "create";

static const char *file;
static long seconds = 1;
static char actions[MOST_ACTIONS][64];
static int action_count;

/* A pair, in its process. ------------------------------------------------------------------------
 */

static struct side {
  const char *action;
  struct interpreter *interpreter; /* NULL: the host's action */
  struct failure failure;
  subpy_status status;
  unsigned long times;
} sides[2];

static pthread_barrier_t ready;
static struct timespec end;
static int over; /* by the compiler's atomic operations: a side has failed */

static subpy_status run(struct side *side, const char *code, size_t length) {
  return subject_run(side->interpreter, code, length, side->action, &side->failure);
}

static void say_and_end(const struct side *side, const char *when) {
  fprintf(stderr, "%s%s: %s: %s\n", side->action, when, side->failure.type, side->failure.message);
  _exit(strcmp(side->failure.type, "AssertionError") == 0 ? WRONG : RAISED);
}

static void prepare(struct side *side) {
  if (strcmp(side->action, CREATE) == 0) {
    return;
  }
  struct script common = script_read(file, "common"), script = script_read(file, side->action);
  char none[8];
  const struct options options = {
      .fork = script_option(&script, "fork", none, sizeof none),
      .exec = script_option(&script, "exec", none, sizeof none),
  };
  side->interpreter = subject_create(&options);
  if (run(side, common.code, common.length) != SUBPY_OK ||
      run(side, script.code, script.length) != SUBPY_OK) {
    say_and_end(side, ", at its start");
  }
}

/* What a new interpreter has to find: nothing that another one has set. */
static const char *const CREATED =
    "import locale, os, re, time\n"
    "assert 'SUBPY_SHARED_GROUND' not in os.environ, 'environment of another'\n"
    "assert locale.setlocale(locale.LC_TIME) == 'C', 'locale of another'\n"
    "assert time.localtime(0).tm_hour == 1, 'zone of another'\n";

static void act_once(struct side *side) {
  static const char CALL[] = "act()";
  if (side->interpreter != NULL) {
    side->status = run(side, CALL, sizeof CALL - 1);
  } else {
    RUN_IN_NEW(NULL, CREATED);
  }
  side->times++;
}

static bool is_over(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec > end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec >= end.tv_nsec) ||
         __atomic_load_n(&over, __ATOMIC_RELAXED);
}

static void *act(void *argument) {
  struct side *side = argument;
  pthread_barrier_wait(&ready);
  do {
    act_once(side);
  } while (side->status == SUBPY_OK && !is_over());
  __atomic_store_n(&over, 1, __ATOMIC_RELAXED);
  return NULL;
}

static void run_pair(const char *first, const char *second) {
  const struct rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  alarm((unsigned)seconds + 60);
  setlocale(LC_CTYPE, "C.UTF-8"); /* as most hosts do */
  subject_start(false, false);
  pthread_t threads[2];
  sides[0].action = first;
  sides[1].action = second;
  for (int i = 0; i < 2; i++) {
    prepare(&sides[i]);
  }
  pthread_barrier_init(&ready, NULL, 2);
  clock_gettime(CLOCK_MONOTONIC, &end);
  end.tv_sec += seconds;
  for (int i = 0; i < 2; i++) {
    pthread_create(&threads[i], NULL, act, &sides[i]);
  }
  for (int i = 0; i < 2; i++) {
    pthread_join(threads[i], NULL);
  }
  for (int i = 0; i < 2; i++) {
    if (sides[i].status != SUBPY_OK) {
      say_and_end(&sides[i], "");
    }
  }
  for (int i = 0; i < 2; i++) {
    if (sides[i].interpreter != NULL &&
        subject_destroy(sides[i].interpreter, &sides[i].failure) != SUBPY_OK) {
      say_and_end(&sides[i], ", at its end");
    }
  }
  struct failure failure;
  CHECK(subject_stop(&failure) == SUBPY_OK, "%s: %s", failure.type, failure.message);
  fprintf(stderr, "%lu and %lu times\n", sides[0].times, sides[1].times);
  exit(GOOD);
}

/* All pairs. -------------------------------------------------------------------------------------
 */

static struct job {
  pid_t pid;
  int first, second;
  FILE *said;
} *jobs;

static long job_count;
static int bad[MOST_ACTIONS], pairs, bad_pairs;

/* What a bad pair came to. */
enum kind { WRONG_ANSWER, EXCEPTION, DEATH, HANG, OTHER, KINDS };
static const char *const KIND_NAMES[KINDS] = {"wrong answer", "exception", "death", "hang",
                                              "other"};
static int kinds[KINDS];

static struct timespec began;

static void start(struct job *job, int first, int second) {
  job->first = first;
  job->second = second;
  job->said = tmpfile();
  CHECK(job->said != NULL, "no temporary file");
  fflush(NULL);
  job->pid = fork();
  CHECK(job->pid >= 0, "no process");
  if (job->pid == 0) {
    dup2(fileno(job->said), STDOUT_FILENO);
    dup2(fileno(job->said), STDERR_FILENO);
    run_pair(actions[first], actions[second]);
  }
}

/* The last line that a job has written. */
static void last_line(FILE *said, char *line, size_t room) {
  char each[1024];
  *line = '\0';
  rewind(said);
  while (fgets(each, sizeof each, said) != NULL) {
    each[strcspn(each, "\n")] = '\0';
    if (*each != '\0') {
      snprintf(line, room, "%s", each);
    }
  }
}

static enum kind kind_of(int status) {
  if (WIFSIGNALED(status)) {
    return WTERMSIG(status) == SIGALRM ? HANG : DEATH;
  }
  int code = WEXITSTATUS(status);
  return code == WRONG ? WRONG_ANSWER : code == RAISED ? EXCEPTION : OTHER;
}

static void finish(struct job *job, int status) {
  pairs++;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != GOOD) {
    enum kind kind = kind_of(status);
    int number = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    char line[512];
    last_line(job->said, line, sizeof line);
    printf("%s x %s: %s (%d): %s\n", actions[job->first], actions[job->second], KIND_NAMES[kind],
           number, line);
    kinds[kind]++;
    bad_pairs++;
    bad[job->first]++;
    bad[job->second] += job->second != job->first;
  }
  fclose(job->said);
  job->pid = 0;
}

/* Waits for one of the jobs, if any runs; returns one that does not run. */
static struct job *wait_for_one(void) {
  int status;
  pid_t pid = waitpid(-1, &status, 0);
  for (long i = 0; i < job_count; i++) {
    if (pid > 0 && jobs[i].pid == pid) {
      finish(&jobs[i], status);
      return &jobs[i];
    }
  }
  return NULL;
}

static struct job *free_job(void) {
  for (long i = 0; i < job_count; i++) {
    if (jobs[i].pid == 0) {
      return &jobs[i];
    }
  }
  return wait_for_one();
}

static bool is_chosen(int action, char **names) {
  for (char **name = names; *name != NULL; name++) {
    if (strcmp(*name, actions[action]) == 0) {
      return true;
    }
  }
  return *names == NULL;
}

static void run_all(char **names) {
  bool one = names[0] != NULL && names[1] == NULL;
  for (int first = 0; first < action_count; first++) {
    for (int second = first; second < action_count; second++) {
      bool a = is_chosen(first, names), b = is_chosen(second, names);
      /* The host's action has its own tests: with itself it says nothing of actions. */
      if ((one ? a || b : a && b) && strcmp(actions[first], CREATE) != 0) {
        start(free_job(), first, second);
      }
    }
  }
  while (wait_for_one() != NULL) {
  }
}

static void sum_up(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  for (int i = 0; i < action_count; i++) {
    if (bad[i] > 0) {
      printf("  %-24s is in %d of them\n", actions[i], bad[i]);
    }
  }
  for (int i = 0; i < KINDS; i++) {
    if (kinds[i] > 0) {
      printf("  %-24s %d\n", KIND_NAMES[i], kinds[i]);
    }
  }
  printf("Python %.7s: %d actions; of %d pairs, %ld s each, %d are bad (%ld s)\n",
         subpy_python_version(), action_count, pairs, seconds, bad_pairs,
         (long)(now.tv_sec - began.tv_sec));
}

/* The actions. -----------------------------------------------------------------------------------
 */

static bool has(const struct script *script) {
  char needs[16], until[16], range[18];
  bool good = !script_option(script, "needs", needs, sizeof needs) ||
              version_in(subpy_python_version(), needs);
  if (script_option(script, "until", until, sizeof until)) {
    snprintf(range, sizeof range, "-%s", until);
    good = good && version_in(subpy_python_version(), range);
  }
  return good;
}

static void add(const char *name) {
  CHECK(action_count < MOST_ACTIONS, "too many actions");
  snprintf(actions[action_count++], sizeof actions[0], "%s", name);
}

static void list_actions(void) {
  for (const struct script *script = scripts_read(file); script->name != NULL; script++) {
    if (strcmp(script->name, "common") != 0 && has(script)) {
      add(script->name);
    }
  }
  add(CREATE);
}

/* What each process starts with, on each machine. The zone has a summer time; it needs no file. */
static void set_environment(void) {
  unsetenv("LC_ALL");
  unsetenv("LANGUAGE");
  setenv("LANG", "C.UTF-8", 1);
  setenv("LOCPATH", SUBPY_SHARED_GROUND_PLACE "/locales", 1);
  setenv("TMPDIR", SUBPY_SHARED_GROUND_PLACE "/tmp", 1);
  setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
}

int main(int count, char **arguments) {
  int option;
  job_count = sysconf(_SC_NPROCESSORS_ONLN);
  while ((option = getopt(count, arguments, "s:j:")) != -1) {
    if (option == 's') {
      seconds = atol(optarg);
    } else if (option == 'j') {
      job_count = atol(optarg);
    } else {
      optind = count;
      break;
    }
  }
  CHECK(optind < count && seconds >= 1 && job_count >= 1,
        "usage: %s [-s SECONDS] [-j JOBS] FILE [NAME...]", arguments[0]);
  file = arguments[optind];
  char **names = arguments + optind + 1;
  for (char **name = names; *name != NULL; name++) {
    if (strcmp(*name, CREATE) != 0) {
      script_read(file, *name); /* or ends with a message */
    }
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  jobs = calloc((size_t)job_count, sizeof *jobs);
  list_actions();
  set_environment();
  clock_gettime(CLOCK_MONOTONIC, &began);
  run_all(names);
  sum_up();
  return bad_pairs > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
