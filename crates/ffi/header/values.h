/* Values, built and read. What is built points to what it is given, and lives no longer. ----------
 */

/** @cond */
#ifdef __cplusplus
#define SUBPY_CAST(type, value) static_cast<type>(value)
#else
#define SUBPY_CAST(type, value) ((type)(value))
#endif
/** @endcond */

/** None. */
static inline subpy_value subpy_none(void) {
  subpy_value value;
  value.kind = SUBPY_NONE;
  value.owned = 0;
  value.as.text.data = NULL;
  value.as.text.length = 0;
  return value;
}

/** A bool. */
static inline subpy_value subpy_bool(bool boolean) {
  subpy_value value = subpy_none();
  value.kind = SUBPY_BOOL;
  value.as.boolean = boolean;
  return value;
}

/** An int of 64 bits. For larger ones, see subpy_big_int(). */
static inline subpy_value subpy_int(int64_t integer) {
  subpy_value value = subpy_none();
  value.kind = SUBPY_INT;
  value.as.integer = integer;
  return value;
}

/** A float. */
static inline subpy_value subpy_float(double real) {
  subpy_value value = subpy_none();
  value.kind = SUBPY_FLOAT;
  value.as.real = real;
  return value;
}

/** What the next ones are made of. */
static inline subpy_value subpy_text_of_kind(uint32_t kind, const char *data, size_t length) {
  subpy_value value = subpy_none();
  value.kind = kind;
  value.as.text.data = data;
  value.as.text.length = length;
  return value;
}

/** A str of UTF-8 that ends in a NUL. NULL makes a value that every call refuses. */
static inline subpy_value subpy_str(const char *text) {
  return subpy_text_of_kind(SUBPY_STR, text, text != NULL ? strlen(text) : 1);
}

/** A str of `length` bytes of UTF-8, which may have NULs. */
static inline subpy_value subpy_str_n(const char *text, size_t length) {
  return subpy_text_of_kind(SUBPY_STR, text, length);
}

/** Bytes. */
static inline subpy_value subpy_bytes(const void *data, size_t length) {
  return subpy_text_of_kind(SUBPY_BYTES, SUBPY_CAST(const char *, data), length);
}

/** An int of any size: "18446744073709551615", "-0xff". NULL makes a value that every call refuses.
 */
static inline subpy_value subpy_big_int(const char *digits) {
  return subpy_text_of_kind(SUBPY_BIG_INT, digits, digits != NULL ? strlen(digits) : 1);
}

/** What the next ones are made of. */
static inline subpy_value subpy_items_of_kind(uint32_t kind, const subpy_value *items,
                                              size_t length) {
  subpy_value value = subpy_none();
  value.kind = kind;
  value.as.items.data = items;
  value.as.items.length = length;
  return value;
}

/** A tuple of `length` items. */
static inline subpy_value subpy_tuple(const subpy_value *items, size_t length) {
  return subpy_items_of_kind(SUBPY_TUPLE, items, length);
}

/** A list of `length` items. */
static inline subpy_value subpy_list(const subpy_value *items, size_t length) {
  return subpy_items_of_kind(SUBPY_LIST, items, length);
}

/** A dict of `length` pairs: 2 * `length` values, keys and values in turn. */
static inline subpy_value subpy_dict(const subpy_value *pairs, size_t length) {
  return subpy_items_of_kind(SUBPY_DICT, pairs, length);
}

/** Memory of the host's: see ::subpy_buffer_info, which has to live as long as the value does. */
static inline subpy_value subpy_buffer(const subpy_buffer_info *buffer) {
  subpy_value value = subpy_none();
  value.kind = SUBPY_BUFFER;
  value.as.buffer = buffer;
  return value;
}

/**
 * How many items a tuple or list has, pairs a dict, bytes a str, bytes or a buffer. 0 for anything
 * else, and for NULL.
 */
static inline size_t subpy_length(const subpy_value *value) {
  if (value == NULL) {
    return 0;
  }
  switch (value->kind) {
  case SUBPY_STR:
  case SUBPY_BYTES:
  case SUBPY_BIG_INT:
  case SUBPY_WTF8:
    return value->as.text.length;
  case SUBPY_TUPLE:
  case SUBPY_LIST:
  case SUBPY_DICT:
    return value->as.items.length;
  case SUBPY_BUFFER:
    return value->as.buffer != NULL ? value->as.buffer->length : 0;
  default:
    return 0;
  }
}

/** An item of a tuple or list. NULL for anything else, and past the end. */
static inline const subpy_value *subpy_item(const subpy_value *value, size_t index) {
  if (value == NULL || (value->kind != SUBPY_TUPLE && value->kind != SUBPY_LIST) ||
      index >= value->as.items.length) {
    return NULL;
  }
  return value->as.items.data + index;
}

/** A key of a dict, in its order. NULL for anything else, and past the end. */
static inline const subpy_value *subpy_dict_key(const subpy_value *value, size_t index) {
  if (value == NULL || value->kind != SUBPY_DICT || index >= value->as.items.length) {
    return NULL;
  }
  return value->as.items.data + 2 * index;
}

/** The value of the same key. */
static inline const subpy_value *subpy_dict_value(const subpy_value *value, size_t index) {
  const subpy_value *key = subpy_dict_key(value, index);
  return key != NULL ? key + 1 : NULL;
}

/** The value of a dict's key that is a str. NULL if there is none, and for anything but a dict. */
static inline const subpy_value *subpy_dict_get(const subpy_value *value, const char *key) {
  size_t length = key != NULL ? strlen(key) : 0;
  for (size_t i = 0; key != NULL; i++) {
    const subpy_value *found = subpy_dict_key(value, i);
    if (found == NULL) {
      break;
    }
    if (found->kind == SUBPY_STR && found->as.text.length == length &&
        (length == 0 || memcmp(found->as.text.data, key, length) == 0)) {
      return found + 1;
    }
  }
  return NULL;
}

/** The text of a str or bytes that the library has handed out: it ends in a NUL. NULL for others.
 */
static inline const char *subpy_text(const subpy_value *value) {
  if (value == NULL || (value->kind != SUBPY_STR && value->kind != SUBPY_BYTES &&
                        value->kind != SUBPY_BIG_INT && value->kind != SUBPY_WTF8)) {
    return NULL;
  }
  return value->as.text.data;
}

/** Whether it is an int of 64 bits, which is written to `integer` then. */
static inline bool subpy_get_int(const subpy_value *value, int64_t *integer) {
  if (value == NULL || value->kind != SUBPY_INT) {
    return false;
  }
  *integer = value->as.integer;
  return true;
}

/** Whether it is a float, or an int of 64 bits, which is written to `real` then. */
static inline bool subpy_get_float(const subpy_value *value, double *real) {
  if (value != NULL && value->kind == SUBPY_INT) {
    *real = SUBPY_CAST(double, value->as.integer);
    return true;
  }
  if (value == NULL || value->kind != SUBPY_FLOAT) {
    return false;
  }
  *real = value->as.real;
  return true;
}

/** Whether it is a bool, which is written to `boolean` then. */
static inline bool subpy_get_bool(const subpy_value *value, bool *boolean) {
  if (value == NULL || value->kind != SUBPY_BOOL) {
    return false;
  }
  *boolean = value->as.boolean;
  return true;
}

#undef SUBPY_CAST
