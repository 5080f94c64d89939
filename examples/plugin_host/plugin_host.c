/* The same in C, shorter: loads the plugins of a folder, each into an interpreter of its own, sends
 * them events from two threads, and shows what became of each. (Events that plugins publish are
 * only printed.)
 *
 *   plugin_host_c FOLDER
 */
#define _XOPEN_SOURCE 700
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <subpy.h>

enum { PLUGINS = 16, THREADS = 2, EVENTS = 4, TIME_MS = 200, MEMORY = 64 << 20 };

struct plugin {
  char path[4096], name[256];
  pthread_mutex_t mutex; /* for the rest */
  subpy_id id;           /* 0 or less: it could not be loaded */
  struct stat loaded;    /* the file as it was then */
  int handled, failed, restarts;
};

static struct plugin plugins[PLUGINS];
static size_t plugin_count;
static double table[] = {1.5, 2.5, 3.5};

/* What the host does for its plugins. ---------------------------------------------------------- */

static void print(const struct plugin *plugin, const char *text, size_t length) {
  const int ended = length > 0 && text[length - 1] == '\n';
  printf("[%s] %.*s%s", plugin->name, (int)length, text, ended ? "" : "\n");
}

static void on_output(void *user, const char *text, size_t length) { print(user, text, length); }

/* host.log(text) */
static void host_log(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  if (nargs != 1 || args[0].kind != SUBPY_STR) {
    subpy_host_raise(call, "TypeError", "log() takes a str");
    return;
  }
  print(user, args[0].as.text.data, args[0].as.text.length);
}

/* host.publish(topic, data) */
static void host_publish(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  if (nargs != 2 || args[0].kind != SUBPY_STR) {
    subpy_host_raise(call, "TypeError", "publish() takes a str and data");
    return;
  }
  const struct plugin *plugin = user;
  printf("[%s] published %s: a %s\n", plugin->name, subpy_value_text(&args[0]),
         subpy_kind_name(args[1].kind));
}

/* host.table(): memory that all plugins read. */
static void host_table(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user, (void)args, (void)nargs;
  subpy_buffer_info info = SUBPY_BUFFER_INFO_INIT;
  info.data = table;
  info.length = sizeof table;
  info.format = "d";
  const subpy_value value = subpy_buffer(&info);
  subpy_host_return(call, &value);
}

/* Plugins. ------------------------------------------------------------------------------------- */

/* Gives the plugin's threads a second to end. */
static void destroy(subpy_id id) {
  subpy_destroy_options options = SUBPY_DESTROY_OPTIONS_INIT;
  options.wait_ms = 1000;
  subpy_destroy_with(id, &options, NULL);
}

/* Says what went wrong, frees it, and returns whether it was all right. */
static int is_ok(const struct plugin *plugin, subpy_status status, subpy_error *error) {
  if (status != SUBPY_OK) {
    const char *traceback = subpy_error_traceback(error);
    const char *text = *traceback ? traceback : subpy_error_message(error);
    print(plugin, text, strlen(text));
    subpy_error_free(error);
  }
  return status == SUBPY_OK;
}

/* Loads a plugin in the place of the interpreter that there is; if it can't be loaded, that stays.
 */
static int load(struct plugin *plugin) {
  subpy_error *error = NULL;
  subpy_id id;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.stdout_fn = config.stderr_fn = on_output;
  config.output_user = plugin;
  config.memory_limit = subpy_supports(SUBPY_FEATURE_MEMORY_ACCOUNTS) ? MEMORY : 0;

  subpy_status status = subpy_create(&config, &id, &error);
  if (status == SUBPY_OK) {
    status = subpy_define_function(id, "host", "log", host_log, plugin, NULL, &error);
  }
  if (status == SUBPY_OK) {
    status = subpy_define_function(id, "host", "publish", host_publish, plugin, NULL, &error);
  }
  if (status == SUBPY_OK) {
    status = subpy_define_function(id, "host", "table", host_table, plugin, NULL, &error);
  }
  if (status == SUBPY_OK) {
    status = subpy_run_file(id, plugin->path, &error);
  }
  const int ok = is_ok(plugin, status, error);
  const subpy_id old = ok ? plugin->id : id;
  if (ok) {
    plugin->id = id;
  }
  if (old > 0) {
    destroy(old);
  }
  return ok;
}

static void reload_if_changed(struct plugin *plugin) {
  struct stat now;
  if (stat(plugin->path, &now) == 0 && (now.st_mtim.tv_sec != plugin->loaded.st_mtim.tv_sec ||
                                        now.st_mtim.tv_nsec != plugin->loaded.st_mtim.tv_nsec ||
                                        now.st_size != plugin->loaded.st_size)) {
    plugin->loaded = now;
    load(plugin);
  }
}

static void on_event(struct plugin *plugin, const subpy_value *event) {
  pthread_mutex_lock(&plugin->mutex);
  reload_if_changed(plugin); /* the first event loads it */
  if (plugin->id > 0) {
    subpy_error *error = NULL;
    subpy_run_options run = SUBPY_RUN_OPTIONS_INIT;
    run.timeout_ms = TIME_MS;
    subpy_call_options options = SUBPY_CALL_OPTIONS_INIT;
    options.run = &run;
    const subpy_status status =
        subpy_call_with(plugin->id, &options, "on_event", event, 1, NULL, &error);
    const int worn_out =
        status == SUBPY_ERR_TIMEOUT || strcmp(subpy_error_type(error), "MemoryError") == 0;
    const int ok = is_ok(plugin, status, error);
    plugin->handled += ok;
    plugin->failed += !ok;
    plugin->restarts += worn_out && load(plugin);
  }
  pthread_mutex_unlock(&plugin->mutex);
}

/* The host. ------------------------------------------------------------------------------------ */

static void *send_events(void *argument) {
  for (int n = 0; n < EVENTS; n++) {
    subpy_value pairs[6];
    pairs[0] = subpy_str("kind");
    pairs[1] = subpy_str("tick");
    pairs[2] = subpy_str("thread");
    pairs[3] = subpy_int(*(const int *)argument);
    pairs[4] = subpy_str("n");
    pairs[5] = subpy_int(n);
    const subpy_value event = subpy_dict(pairs, 3);
    for (size_t i = 0; i < plugin_count; i++) {
      on_event(&plugins[i], &event);
    }
  }
  return NULL;
}

static int find_plugins(const char *folder) {
  DIR *directory = opendir(folder);
  struct dirent *entry;
  if (directory == NULL) {
    perror(folder);
    return 0;
  }
  while ((entry = readdir(directory)) != NULL && plugin_count < PLUGINS) {
    const size_t length = strlen(entry->d_name);
    if (length > 3 && strcmp(entry->d_name + length - 3, ".py") == 0) {
      struct plugin *plugin = &plugins[plugin_count++];
      snprintf(plugin->path, sizeof plugin->path, "%s/%s", folder, entry->d_name);
      snprintf(plugin->name, sizeof plugin->name, "%.*s", (int)(length - 3), entry->d_name);
      pthread_mutex_init(&plugin->mutex, NULL);
    }
  }
  closedir(directory);
  return 1;
}

int main(int argc, char **argv) {
  subpy_error *error = NULL;
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.account_memory = subpy_supports(SUBPY_FEATURE_MEMORY_ACCOUNTS);
  if (!find_plugins(argc > 1 ? argv[1] : "plugins")) {
    return 1;
  }
  if (subpy_initialize(&config, &error) != SUBPY_OK) {
    fprintf(stderr, "%s\n", subpy_error_message(error));
    subpy_error_free(error);
    return 1;
  }
  pthread_t threads[THREADS];
  int numbers[THREADS];
  for (int i = 0; i < THREADS; i++) {
    numbers[i] = i;
    if (pthread_create(&threads[i], NULL, send_events, &numbers[i]) != 0) {
      return 1;
    }
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
  }
  printf("\n%-10s %8s %8s %8s\n", "plugin", "handled", "failed", "restarts");
  for (size_t i = 0; i < plugin_count; i++) {
    const struct plugin *plugin = &plugins[i];
    printf("%-10s %8d %8d %8d\n", plugin->name, plugin->handled, plugin->failed, plugin->restarts);
    if (plugin->id > 0) {
      destroy(plugin->id);
    }
  }
  if (subpy_finalize(&error) != SUBPY_OK) {
    fprintf(stderr, "%s\n", subpy_error_message(error));
    subpy_error_free(error);
    return 1;
  }
  printf("Python %s: the host is well.\n", subpy_python_version());
  return 0;
}
