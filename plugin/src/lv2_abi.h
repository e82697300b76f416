/* The parts of the LV2 interface that are used here, declared from its specification (lv2plug.in/ns): core, urid, atom, state. */
#ifndef CUEBRIDGE_LV2_ABI_H
#define CUEBRIDGE_LV2_ABI_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
  const char *uri;
  void *data;
} lv2_feature;

typedef struct lv2_plugin {
  const char *uri;
  void *(*instantiate)(const struct lv2_plugin *, double rate, const char *bundle, const lv2_feature *const *features);
  void (*connect_port)(void *handle, uint32_t port, void *data);
  void (*activate)(void *handle);
  void (*run)(void *handle, uint32_t frames);
  void (*deactivate)(void *handle);
  void (*cleanup)(void *handle);
  const void *(*extension_data)(const char *uri);
} lv2_plugin;

typedef struct {
  void *handle;
  uint32_t (*map)(void *handle, const char *uri);
} lv2_urid_map;

typedef struct {
  uint32_t size, type;
} lv2_atom;

typedef struct {
  lv2_atom atom;
  uint32_t unit, pad;
} lv2_sequence; /* events follow, each padded to 8 bytes */

typedef struct {
  int64_t frame;
  lv2_atom body; /* its content follows */
} lv2_event;

typedef struct {
  lv2_atom atom;
  uint32_t id, otype;
} lv2_object; /* properties follow */

typedef struct {
  uint32_t key, context;
  lv2_atom value; /* its content follows, padded to 8 bytes */
} lv2_property;

typedef uint32_t (*lv2_store)(void *state, uint32_t key, const void *value, size_t size, uint32_t type, uint32_t flags);
typedef const void *(*lv2_retrieve)(void *state, uint32_t key, size_t *size, uint32_t *type, uint32_t *flags);

typedef struct {
  uint32_t (*save)(void *handle, lv2_store, void *state, uint32_t flags, const lv2_feature *const *features);
  uint32_t (*restore)(void *handle, lv2_retrieve, void *state, uint32_t flags, const lv2_feature *const *features);
} lv2_state;

enum { LV2_STATE_SUCCESS = 0, LV2_STATE_UNKNOWN = 1, LV2_STATE_PORTABLE = 3 }; /* plain data, of any machine */

#endif
