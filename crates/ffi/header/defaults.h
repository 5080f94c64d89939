/** The defaults of a ::subpy_runtime_config. */
#define SUBPY_RUNTIME_CONFIG_INIT                                                                  \
  { sizeof(subpy_runtime_config), NULL, NULL, NULL, NULL, 0, 1, 0, 1, 0, 0, 0 }

/** The defaults of a ::subpy_interpreter_config. */
#define SUBPY_INTERPRETER_CONFIG_INIT                                                              \
  { sizeof(subpy_interpreter_config), SUBPY_GIL_DEFAULT, 0, 0, 1, 0, NULL, NULL, NULL, 256,       \
    4194304, 0 }

/** The defaults of a ::subpy_run_options. */
#define SUBPY_RUN_OPTIONS_INIT                                                                     \
  { sizeof(subpy_run_options), NULL, 0, NULL, NULL, 0 }

/** To be filled by subpy_stats(). */
#define SUBPY_INTERPRETER_STATS_INIT                                                               \
  { sizeof(subpy_interpreter_stats), 0, 0, 0, 0, 0, 0 }

/** The defaults of a ::subpy_call_options. */
#define SUBPY_CALL_OPTIONS_INIT                                                                    \
  { sizeof(subpy_call_options), 0, NULL, NULL }

/** The id for subpy_define_function() that stands for every interpreter created from now on. */
#define SUBPY_EVERYWHERE INT64_MIN

/** The defaults of a ::subpy_function_options. */
#define SUBPY_FUNCTION_OPTIONS_INIT                                                                \
  { sizeof(subpy_function_options), NULL, NULL, 0, 0 }

/** The defaults of a ::subpy_buffer_info: no bytes, read-only. */
#define SUBPY_BUFFER_INFO_INIT                                                                     \
  { sizeof(subpy_buffer_info), NULL, 0, 0, 0, NULL, 0, NULL, NULL, NULL, NULL }
