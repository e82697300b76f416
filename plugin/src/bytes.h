/* Little-endian bytes in and out; a reader that runs out, or a writer without memory, says so once at its end. */
#ifndef CUEBRIDGE_BYTES_H
#define CUEBRIDGE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const uint8_t *data;
  size_t size, at;
  bool failed;
} cb_reader;

typedef struct {
  uint8_t *data;
  size_t size, room;
  bool failed;
} cb_writer;

static inline size_t cb_left(const cb_reader *in) { return in->at < in->size ? in->size - in->at : 0; }

static inline void cb_get_bytes(cb_reader *in, void *to, size_t count) {
  if (cb_left(in) < count) {
    in->failed = true;
    return;
  }
  memcpy(to, in->data + in->at, count);
  in->at += count;
}

static inline uint64_t cb_get_number(cb_reader *in, unsigned count) {
  uint8_t bytes[8] = {0};
  uint64_t value = 0;
  cb_get_bytes(in, bytes, count);
  for (unsigned i = count; i--;) value = value << 8 | bytes[i];
  return value;
}

static inline uint8_t cb_get_u8(cb_reader *in) { return (uint8_t)cb_get_number(in, 1); }
static inline uint16_t cb_get_u16(cb_reader *in) { return (uint16_t)cb_get_number(in, 2); }
static inline uint32_t cb_get_u32(cb_reader *in) { return (uint32_t)cb_get_number(in, 4); }
static inline uint64_t cb_get_u64(cb_reader *in) { return cb_get_number(in, 8); }

static inline double cb_get_f64(cb_reader *in) {
  uint64_t bits = cb_get_u64(in);
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static inline void cb_store_u32(uint8_t *at, uint32_t value) {
  for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> 8 * i);
}

static inline void cb_put_bytes(cb_writer *out, const void *from, size_t count) {
  if (out->failed) return;
  if (out->room - out->size < count) {
    size_t room = out->room ? out->room : 256;
    while (room - out->size < count) room *= 2;
    uint8_t *more = realloc(out->data, room);
    if (more == NULL) {
      out->failed = true;
      return;
    }
    out->data = more;
    out->room = room;
  }
  if (count) memcpy(out->data + out->size, from, count);
  out->size += count;
}

static inline void cb_put_number(cb_writer *out, uint64_t value, unsigned count) {
  uint8_t bytes[8];
  for (unsigned i = 0; i < count; i++) bytes[i] = (uint8_t)(value >> 8 * i);
  cb_put_bytes(out, bytes, count);
}

static inline void cb_put_u8(cb_writer *out, uint8_t value) { cb_put_number(out, value, 1); }
static inline void cb_put_u16(cb_writer *out, uint16_t value) { cb_put_number(out, value, 2); }
static inline void cb_put_u32(cb_writer *out, uint32_t value) { cb_put_number(out, value, 4); }
static inline void cb_put_u64(cb_writer *out, uint64_t value) { cb_put_number(out, value, 8); }

static inline void cb_put_f64(cb_writer *out, double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  cb_put_u64(out, bits);
}

/* The check sum of zip and PNG (ISO 3309). */
static inline uint32_t cb_crc32(const uint8_t *data, size_t size) {
  uint32_t crc = 0xFFFFFFFFu;
  for (size_t i = 0; i < size; i++) {
    crc ^= data[i];
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
  }
  return ~crc;
}

#endif
