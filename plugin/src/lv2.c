/* The LV2 face.  LV2 hosts state the frame of the timeline exactly, bar and beat coarsely: it plays by seconds. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "instance.h"
#include "lv2_abi.h"

#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

#define ATOM "http://lv2plug.in/ns/ext/atom#"
#define TIME "http://lv2plug.in/ns/ext/time#"

enum { CONTROL, OUT, LEFT, RIGHT, PART, ENABLED, FREEWHEEL, PORTS };

typedef struct {
  uint32_t object, blank, integer, number, real, fine, chunk, sequence, midi, position, frame, speed, bpm, beats, beat_unit;
  uint32_t state_changed, plan;
} names;

typedef struct {
  cb_instance *instance;
  names is;
  double rate;
  void *ports[PORTS];
  float part, enabled; /* as the ports had them last */
  cb_block block;
  cb_host said;
} face;

static void find_names(names *is, const lv2_urid_map *map) {
  const struct {
    uint32_t *name;
    const char *uri;
  } all[] = {
      {&is->object, ATOM "Object"},
      {&is->blank, ATOM "Blank"},
      {&is->integer, ATOM "Int"},
      {&is->number, ATOM "Long"},
      {&is->real, ATOM "Float"},
      {&is->fine, ATOM "Double"},
      {&is->chunk, ATOM "Chunk"},
      {&is->sequence, ATOM "Sequence"},
      {&is->midi, "http://lv2plug.in/ns/ext/midi#MidiEvent"},
      {&is->position, TIME "Position"},
      {&is->frame, TIME "frame"},
      {&is->speed, TIME "speed"},
      {&is->bpm, TIME "beatsPerMinute"},
      {&is->beats, TIME "beatsPerBar"},
      {&is->beat_unit, TIME "beatUnit"},
      {&is->state_changed, "http://lv2plug.in/ns/ext/state#StateChanged"},
      {&is->plan, CB_LV2_URI "#plan"},
  };
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) *all[i].name = map->map(map->handle, all[i].uri);
}

/* Transport ------------------------------------------------------------------------------------------------------------------ */

static double value_of(const names *is, const lv2_atom *atom) {
  const void *at = atom + 1;
  int32_t integer;
  int64_t number;
  float real;
  double fine = 0;
  if (atom->type == is->integer && atom->size == sizeof integer) {
    memcpy(&integer, at, sizeof integer);
    return integer;
  }
  if (atom->type == is->number && atom->size == sizeof number) {
    memcpy(&number, at, sizeof number);
    return (double)number;
  }
  if (atom->type == is->real && atom->size == sizeof real) {
    memcpy(&real, at, sizeof real);
    return real;
  }
  if (atom->type == is->fine && atom->size == sizeof fine) memcpy(&fine, at, sizeof fine);
  return fine;
}

static void take_position(face *me, const lv2_object *object) {
  const names *is = &me->is;
  const uint8_t *at = (const uint8_t *)(object + 1), *end = (const uint8_t *)&object->id + object->atom.size;
  while ((size_t)(end - at) >= sizeof(lv2_property) && at < end) {
    const lv2_property *property = (const lv2_property *)at;
    if (property->value.size > (size_t)(end - at) - sizeof *property) return;
    double value = value_of(is, &property->value);
    if (property->key == is->frame) {
      me->block.position[CB_SECONDS] = value / me->rate;
      me->block.has[CB_SECONDS] = true;
    } else if (property->key == is->speed) {
      me->block.rolling = value > 0;
      me->block.speed = value > 0 ? value : 0;
    } else if (property->key == is->bpm) me->block.bpm = value > 0 ? value : 0;
    else if (property->key == is->beats) me->said.numerator = value >= 1 && value < 1000 ? (uint16_t)value : 0;
    else if (property->key == is->beat_unit) me->said.denominator = value >= 1 && value < 1000 ? (uint16_t)value : 0;
    at += sizeof *property + ((property->value.size + 7u) & ~7u);
  }
}

/* Playing --------------------------------------------------------------------------------------------------------------------- */

typedef struct {
  const names *is;
  lv2_sequence *out;
  uint32_t room, first; /* bytes behind the head; frame at which the stretch begins */
} sink;

static lv2_event *next_event(sink *into, uint32_t size) {
  uint32_t used = into->out->atom.size - 8, padded = (uint32_t)sizeof(lv2_event) + ((size + 7u) & ~7u);
  if (used + padded > into->room) return NULL;
  into->out->atom.size += padded;
  return (lv2_event *)((uint8_t *)(into->out + 1) + used);
}

static bool push(void *to, uint32_t frame, uint8_t status, uint8_t data1, uint8_t data2) {
  sink *into = to;
  uint8_t message[3] = {status, data1, data2};
  lv2_event *event = next_event(into, sizeof message);
  if (event == NULL) return false;
  *event = (lv2_event){into->first + frame, {sizeof message, into->is->midi}};
  memcpy(event + 1, message, sizeof message);
  return true;
}

static void play(face *me, sink *into, uint32_t to) {
  uint32_t frames = to - into->first;
  if (frames == 0) return;
  me->block.frames = frames;
  cb_block block = me->block; /* the instance may add the range of a loop */
  cb_instance_run(me->instance, &block, &me->said, push, into);
  if (me->block.rolling) me->block.position[CB_SECONDS] += frames * me->block.speed / me->rate;
  into->first = to;
}

/* What is a control of the host is followed when it moves: a part that the state brought is not undone by it. */
static void take_controls(face *me) {
  float part = me->ports[PART] != NULL ? *(float *)me->ports[PART] : 0;
  float enabled = me->ports[ENABLED] != NULL ? *(float *)me->ports[ENABLED] : 1;
  if (part != me->part) cb_instance_set(me->instance, CB_PARAM_PART, part);
  if (enabled != me->enabled) cb_instance_set(me->instance, CB_PARAM_BYPASS, enabled > 0 ? 0 : 1);
  me->part = part;
  me->enabled = enabled;
  me->said.offline = me->ports[FREEWHEEL] != NULL && *(float *)me->ports[FREEWHEEL] > 0;
}

static void say_changed(face *me, sink *into) {
  if (!cb_instance_has_changed(me->instance)) return;
  lv2_event *event = next_event(into, sizeof(lv2_object) - sizeof(lv2_atom));
  if (event == NULL) return;
  uint32_t body[2] = {0, me->is.state_changed};
  *event = (lv2_event){into->first ? into->first - 1 : 0, {sizeof body, me->is.object}};
  memcpy(event + 1, body, sizeof body);
}

static void run(void *handle, uint32_t frames) {
  face *me = handle;
  const lv2_sequence *in = me->ports[CONTROL];
  lv2_sequence *out = me->ports[OUT];
  if (out == NULL) return;
  sink into = {&me->is, out, out->atom.size > 8 ? out->atom.size - 8 : 0, 0};
  *out = (lv2_sequence){{8, me->is.sequence}, 0, 0};
  take_controls(me);
  const uint8_t *at = in == NULL ? NULL : (const uint8_t *)(in + 1), *end = in == NULL ? NULL : (const uint8_t *)in + 8 + in->atom.size;
  while (at != NULL && at < end && (size_t)(end - at) >= sizeof(lv2_event)) {
    const lv2_event *event = (const lv2_event *)at;
    const lv2_object *object = (const lv2_object *)&event->body;
    if (event->body.size > (size_t)(end - at) - sizeof *event) break;
    bool is_object = event->body.type == me->is.object || event->body.type == me->is.blank;
    if (is_object && event->body.size >= 8 && object->otype == me->is.position) {
      if (event->frame > into.first && event->frame <= frames) play(me, &into, (uint32_t)event->frame);
      take_position(me, object);
    }
    at += sizeof *event + ((event->body.size + 7u) & ~7u);
  }
  play(me, &into, frames);
  say_changed(me, &into);
  for (int port = LEFT; port <= RIGHT; port++)
    if (me->ports[port] != NULL) memset(me->ports[port], 0, frames * sizeof(float));
}

/* State ------------------------------------------------------------------------------------------------------------------------ */

static uint32_t save(void *handle, lv2_store store, void *state, uint32_t flags, const lv2_feature *const *features) {
  face *me = handle;
  size_t size = 0;
  uint8_t *data = cb_instance_save(me->instance, &size);
  (void)flags, (void)features;
  uint32_t status = data == NULL ? LV2_STATE_UNKNOWN
                                 : store(state, me->is.plan, data, size, me->is.chunk, LV2_STATE_PORTABLE);
  free(data);
  return status;
}

static uint32_t restore(void *handle, lv2_retrieve retrieve, void *state, uint32_t flags,
                        const lv2_feature *const *features) {
  face *me = handle;
  size_t size = 0;
  uint32_t type = 0;
  (void)features;
  const uint8_t *data = retrieve(state, me->is.plan, &size, &type, &flags);
  if (data == NULL) return LV2_STATE_SUCCESS; /* a new instance */
  return cb_instance_load(me->instance, data, size) ? LV2_STATE_SUCCESS : LV2_STATE_UNKNOWN;
}

/* Life --------------------------------------------------------------------------------------------------------------------------- */

static void *instantiate(const lv2_plugin *descriptor, double rate, const char *bundle,
                         const lv2_feature *const *features) {
  const lv2_urid_map *map = NULL;
  (void)descriptor, (void)bundle;
  for (; features != NULL && *features != NULL; features++)
    if (strcmp((*features)->uri, "http://lv2plug.in/ns/ext/urid#map") == 0) map = (*features)->data;
  face *me = map == NULL ? NULL : calloc(1, sizeof *me);
  if (me == NULL) return NULL;
  find_names(&me->is, map);
  me->rate = me->block.rate = rate;
  me->enabled = 1;
  me->instance = cb_instance_new(CB_LV2, "", NULL, NULL);
  if (me->instance != NULL) return me;
  free(me);
  return NULL;
}

static void connect_port(void *handle, uint32_t port, void *data) {
  if (port < PORTS) ((face *)handle)->ports[port] = data;
}

static bool nowhere(void *to, uint32_t frame, uint8_t status, uint8_t data1, uint8_t data2) {
  (void)to, (void)frame, (void)status, (void)data1, (void)data2;
  return true;
}

/* The host forgets all that sounds. */
static void deactivate(void *handle) { cb_instance_release(((face *)handle)->instance, nowhere, NULL); }

static void activate(void *handle) {
  face *me = handle;
  me->block.rolling = false;
}

static void cleanup(void *handle) {
  face *me = handle;
  cb_instance_free(me->instance);
  free(me);
}

static const void *extension_data(const char *uri) {
  static const lv2_state state = {save, restore};
  return strcmp(uri, "http://lv2plug.in/ns/ext/state#interface") == 0 ? &state : NULL;
}

EXPORT const lv2_plugin *lv2_descriptor(uint32_t index);

const lv2_plugin *lv2_descriptor(uint32_t index) {
  static const lv2_plugin descriptor = {CB_LV2_URI, instantiate, connect_port, activate,
                                            run,        deactivate,  cleanup,      extension_data};
  return index ? NULL : &descriptor;
}
