/* A library that takes STATIC_TLS_BYTES of static TLS. */
__attribute__((tls_model("initial-exec"))) __thread char static_tls[STATIC_TLS_BYTES];

char *static_tls_place(void);
char *static_tls_place(void) { return static_tls; }
