/* The VST3 face: an instrument of one object that is processor and controller.  Notes go out as note events, controllers as
 * "legacy MIDI CC out" events; the stereo output is silent.  Hosts state the timeline in frames and in quarter notes, the loop in
 * quarter notes only. */
#include <math.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "instance.h"
#include "main_thread.h"
#include "quarters.h"
#include "vst3_abi.h"

#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

static const uint8_t CLASS_ID[16] = V3_ID(0x2A29F2E1u, 0x43AC4E47u, 0x911B95F3u, 0x795B8B5Eu);
static const double SAME_FRAMES = 1.5; /* a loop that comes out as this much other is the same, rounded otherwise */

/* The loop in seconds, found from where the host is. */
typedef struct {
  double start, end, tempo; /* in quarter notes, and a minute's: for which it holds */
  double seconds[2];
  bool start_known; /* the start was passed, so that tempos on the way to it do not matter */
} loop;

typedef struct {
  const v3_component *component; /* the object as the host holds it: by the place of one of these */
  const v3_processor *processor;
  const v3_controller *controller;
  const v3_needs *needs;
  atomic_uint references;
  cb_instance *instance;
  cb_main *main;
  v3_handler **handler;
  v3_handler2 **handler2;
  double shown[CB_PARAMS]; /* what the host's view of the parameters has; the audio thread gets them by v3_process */
  double rate;
  bool active;
  cb_quarters quarters;
  loop loop;
  cb_block block;
  cb_host said;
} face;

#define FACE(self, member) ((face *)((char *)(self) - offsetof(face, member)))

static bool same(const uint8_t *a, const uint8_t *b) { return memcmp(a, b, 16) == 0; }

static void put_text(uint16_t *to, size_t room, const char *from) {
  size_t i = 0;
  for (; i + 1 < room && from[i]; i++) to[i] = (uint8_t)from[i];
  to[i] = 0;
}

static void get_text(char *to, size_t room, const uint16_t *from) {
  size_t i = 0;
  for (; i + 1 < room && from[i]; i++) to[i] = from[i] < 127 ? (char)from[i] : '?';
  to[i] = 0;
}

/* The object ------------------------------------------------------------------------------------------------------------------- */

static void terminate(face *me) {
  cb_instance_free(me->instance); /* its thread asks the main thread no more */
  cb_main_free(me->main);
  if (me->handler2 != NULL) (*me->handler2)->unref(me->handler2);
  if (me->handler != NULL) (*me->handler)->unref(me->handler);
  me->instance = NULL;
  me->main = NULL;
  me->handler = NULL;
  me->handler2 = NULL;
}

static uint32_t ref(face *me) { return atomic_fetch_add(&me->references, 1) + 1; }

static uint32_t unref(face *me) {
  uint32_t left = atomic_fetch_sub(&me->references, 1) - 1;
  if (left) return left;
  terminate(me);
  free(me);
  return 0;
}

static int32_t query(face *me, const uint8_t *id, void **object) {
  *object = NULL;
  if (same(id, V3_UNKNOWN_ID) || same(id, V3_BASE_ID) || same(id, V3_COMPONENT_ID)) *object = &me->component;
  else if (same(id, V3_PROCESSOR_ID)) *object = &me->processor;
  else if (same(id, V3_CONTROLLER_ID)) *object = &me->controller;
  else if (same(id, V3_NEEDS_ID)) *object = &me->needs;
  if (*object == NULL) return V3_NO_INTERFACE;
  ref(me);
  return V3_OK;
}

#define UNKNOWN_BY(member)                                                                                                         \
  static int32_t V3_CALL member##_query(void *self, const uint8_t id[16], void **object) {                                         \
    return query(FACE(self, member), id, object);                                                                                  \
  }                                                                                                                                \
  static uint32_t V3_CALL member##_ref(void *self) { return ref(FACE(self, member)); }                                             \
  static uint32_t V3_CALL member##_unref(void *self) { return unref(FACE(self, member)); }
UNKNOWN_BY(component)
UNKNOWN_BY(processor)
UNKNOWN_BY(controller)
UNKNOWN_BY(needs)

/* In the main thread, some time after the plan has changed. */
static void say_changed(void *with) {
  face *me = with;
  if (me->handler2 != NULL && cb_instance_has_changed(me->instance)) (*me->handler2)->set_dirty(me->handler2, 1);
}

/* In our thread. */
static void changed(void *with) { cb_main_ask(((face *)with)->main); }

static void show(face *me) {
  me->shown[CB_PARAM_PART] = cb_instance_get(me->instance, CB_PARAM_PART) / CB_PART_CHOICES;
  me->shown[CB_PARAM_BYPASS] = cb_instance_get(me->instance, CB_PARAM_BYPASS);
}

static void name_host(v3_unknown **context, char *name, size_t room) {
  void *host = NULL;
  v3_text text = {0};
  if (context == NULL || (*context)->query(context, V3_HOST_ID, &host) != V3_OK || host == NULL) return;
  if ((*(v3_host **)host)->get_name(host, text) == V3_OK) get_text(name, room, text);
  (*(v3_host **)host)->unref(host);
}

static int32_t initialize(face *me, v3_unknown **context) {
  char name[64] = "";
  if (me->instance != NULL) return V3_FALSE;
  name_host(context, name, sizeof name);
  me->main = cb_main_new(context, say_changed, me);
  if (me->main != NULL) me->instance = cb_instance_new(CB_VST3, name, changed, me);
  if (me->instance == NULL) {
    terminate(me);
    return V3_NO_MEMORY;
  }
  show(me);
  return V3_OK;
}

static int32_t V3_CALL component_initialize(void *self, v3_unknown **context) {
  return initialize(FACE(self, component), context);
}

static int32_t V3_CALL component_terminate(void *self) {
  terminate(FACE(self, component));
  return V3_OK;
}

/* A host that takes it for two objects initializes and terminates it by both: only the component's counts. */
static int32_t V3_CALL controller_initialize(void *self, v3_unknown **context) {
  face *me = FACE(self, controller);
  return me->instance == NULL ? initialize(me, context) : V3_OK;
}

static int32_t V3_CALL controller_terminate(void *self) {
  (void)self;
  return V3_OK;
}

/* Transport -------------------------------------------------------------------------------------------------------------------- */

static void take_loop(face *me, const v3_context *from, uint32_t frames) {
  cb_block *block = &me->block;
  loop *is = &me->loop;
  block->looping = (from->state & V3_LOOPING) && (from->state & V3_HAS_LOOP) && block->has[CB_BEATS] &&
                   from->loop_end > from->loop_start;
  if (!block->looping) return;
  double at_s = block->position[CB_SECONDS], at = block->position[CB_BEATS], quarter_s = 60 / block->bpm;
  double start_s = at_s + (from->loop_start - at) * quarter_s, end_s = at_s + (from->loop_end - at) * quarter_s;
  double near_s = SAME_FRAMES / me->rate, length_s = frames / me->rate;
  bool other = from->loop_start != is->start || from->loop_end != is->end;
  if (other) is->start_known = false;
  if (block->rolling && start_s > at_s - near_s && start_s < at_s + length_s) {
    other = other || !is->start_known;
    is->start_known = true;
    if (other || fabs(start_s - is->seconds[0]) > near_s) is->seconds[0] = start_s;
  } else if (!is->start_known && (other || block->bpm != is->tempo)) is->seconds[0] = start_s;
  bool turns = block->rolling && end_s < at_s + length_s && fabs(end_s - is->seconds[1]) > near_s;
  if (other || turns || block->bpm != is->tempo) is->seconds[1] = end_s;
  is->start = from->loop_start;
  is->end = from->loop_end;
  is->tempo = block->bpm;
  block->loop[CB_BEATS][0] = is->start;
  block->loop[CB_BEATS][1] = is->end;
  memcpy(block->loop[CB_SECONDS], is->seconds, sizeof is->seconds);
}

static void take_context(face *me, const v3_context *from, uint32_t frames) {
  cb_block *block = &me->block;
  *block = (cb_block){.frames = frames, .rate = me->rate};
  me->said.recording = false;
  me->said.numerator = me->said.denominator = 0;
  if (from == NULL) return;
  block->rolling = from->state & V3_PLAYING;
  block->bpm = (from->state & V3_HAS_TEMPO) && from->tempo > 0 && isfinite(from->tempo) ? from->tempo : 0;
  block->has[CB_SECONDS] = true;
  block->has[CB_BEATS] = (from->state & V3_HAS_QUARTERS) && block->bpm > 0;
  block->position[CB_SECONDS] = (double)from->frame / me->rate;
  if (block->has[CB_BEATS])
    block->position[CB_BEATS] = cb_quarters_at(&me->quarters, from->frame, from->quarter, block->bpm, me->rate);
  me->said.recording = from->state & V3_RECORDING;
  if ((from->state & V3_HAS_METER) && from->numerator > 0 && from->numerator < 1000 && from->denominator > 0 &&
      from->denominator < 1000) {
    me->said.numerator = (uint16_t)from->numerator;
    me->said.denominator = (uint16_t)from->denominator;
  }
  take_loop(me, from, frames);
}

/* Playing ---------------------------------------------------------------------------------------------------------------------- */

/* A host that cuts off instead of rounding gets the same velocity out of it. */
static float velocity_of(uint8_t value) {
  float velocity = value / 127.0f;
  return velocity * 127.0f < value ? nextafterf(velocity, 2) : velocity;
}

static bool push(void *to, uint32_t frame, uint8_t status, uint8_t data1, uint8_t data2) {
  v3_events **out = to;
  v3_event event = {.frame = (int32_t)frame};
  int16_t channel = status & 15;
  if (out == NULL) return false;
  if ((status & 0xF0) == 0x90) {
    event.type = V3_NOTE_ON;
    event.on.channel = channel;
    event.on.pitch = data1;
    event.on.velocity = velocity_of(data2);
    event.on.note_id = -1;
  } else if ((status & 0xF0) == 0x80) {
    event.type = V3_NOTE_OFF;
    event.off.channel = channel;
    event.off.pitch = data1;
    event.off.velocity = velocity_of(data2);
    event.off.note_id = -1;
  } else {
    event.type = V3_MIDI_CC_OUT;
    event.control.number = data1;
    event.control.channel = (int8_t)channel;
    event.control.value = (int8_t)data2;
  }
  return (*out)->add(out, &event) == V3_OK;
}

static double plain_of(uint32_t id, double value) {
  if (!(value > 0)) return 0;
  if (value > 1) value = 1;
  return id == CB_PARAM_PART ? round(value * CB_PART_CHOICES) : value >= 0.5;
}

static void take_parameters(face *me, v3_changes **changes) {
  int32_t count = changes == NULL ? 0 : (*changes)->count(changes);
  for (int32_t i = 0; i < count; i++) {
    v3_queue **queue = (*changes)->get(changes, i);
    int32_t points = queue == NULL ? 0 : (*queue)->count_points(queue), frame;
    double value;
    if (points <= 0 || (*queue)->get_point(queue, points - 1, &frame, &value) != V3_OK) continue;
    uint32_t id = (*queue)->get_id(queue);
    if (id < CB_PARAMS) cb_instance_set(me->instance, id, plain_of(id, value));
  }
}

static void be_silent(v3_process *data) {
  size_t size = (size_t)data->frames * (data->sample_size == V3_DOUBLE ? sizeof(double) : sizeof(float));
  for (int32_t i = 0; data->outputs != NULL && i < data->output_count; i++) {
    v3_audio *bus = &data->outputs[i];
    for (int32_t channel = 0; bus->buffers != NULL && channel < bus->channels; channel++)
      if (bus->buffers[channel] != NULL) memset(bus->buffers[channel], 0, size);
    bus->silent = bus->channels < 64 ? ((uint64_t)1 << bus->channels) - 1 : ~(uint64_t)0;
  }
}

static int32_t V3_CALL process(void *self, v3_process *data) {
  face *me = FACE(self, processor);
  if (me->instance == NULL || !(me->rate > 0)) return V3_NOT_INITIALIZED;
  take_parameters(me, data->input_changes);
  if (data->frames <= 0) return V3_OK; /* a host hands over parameters so */
  take_context(me, data->context, (uint32_t)data->frames);
  me->said.offline = data->mode == V3_OFFLINE;
  cb_block block = me->block; /* the instance may add the range of a loop */
  cb_instance_run(me->instance, &block, &me->said, push, data->output_events);
  be_silent(data);
  return V3_OK;
}

static bool nowhere(void *to, uint32_t frame, uint8_t status, uint8_t data1, uint8_t data2) {
  (void)to, (void)frame, (void)status, (void)data1, (void)data2;
  return true;
}

/* The host forgets all that sounds. */
static int32_t rest(face *me) {
  if (me->instance == NULL) return V3_NOT_INITIALIZED;
  cb_instance_release(me->instance, nowhere, NULL);
  return V3_OK;
}

static int32_t V3_CALL set_processing(void *self, uint8_t on) { return on ? V3_OK : rest(FACE(self, processor)); }

static int32_t V3_CALL set_up(void *self, v3_setup *setup) {
  if (!(setup->rate > 0) || !isfinite(setup->rate)) return V3_BAD_ARGUMENT;
  FACE(self, processor)->rate = setup->rate;
  return V3_OK;
}

static int32_t V3_CALL can_process(void *self, int32_t sample_size) {
  (void)self;
  return sample_size == V3_FLOAT || sample_size == V3_DOUBLE ? V3_OK : V3_FALSE;
}

static int32_t V3_CALL set_arrangements(void *self, uint64_t *in, int32_t in_count, uint64_t *out, int32_t out_count) {
  (void)self, (void)in;
  return in_count == 0 && out_count == 1 && out[0] == V3_STEREO ? V3_OK : V3_FALSE;
}

static int32_t V3_CALL get_arrangement(void *self, int32_t direction, int32_t index, uint64_t *speakers) {
  (void)self;
  if (direction != V3_OUTPUT || index != 0) return V3_BAD_ARGUMENT;
  *speakers = V3_STEREO;
  return V3_OK;
}

static uint32_t V3_CALL get_latency(void *self) {
  (void)self;
  return 0;
}

/* Hosts that let instruments sleep while they are silent would stop the notes. */
static uint32_t V3_CALL get_tail(void *self) {
  (void)self;
  return (uint32_t)V3_INFINITE_TAIL;
}

static uint32_t V3_CALL get_needs(void *self) {
  (void)self;
  return V3_NEEDS_QUARTERS | V3_NEEDS_LOOP | V3_NEEDS_TEMPO | V3_NEEDS_METER | V3_NEEDS_STATE;
}

/* Buses and state -------------------------------------------------------------------------------------------------------------- */

static int32_t V3_CALL get_controller_class(void *self, uint8_t class_id[16]) {
  (void)self, (void)class_id;
  return V3_NOT_IMPLEMENTED; /* it is the controller */
}

static int32_t V3_CALL set_io_mode(void *self, int32_t mode) {
  (void)self, (void)mode;
  return V3_NOT_IMPLEMENTED;
}

/* An event input that is not listened to: hosts want one in an instrument. */
static int32_t V3_CALL count_buses(void *self, int32_t media, int32_t direction) {
  (void)self;
  if (media == V3_EVENT) return direction == V3_INPUT || direction == V3_OUTPUT ? 1 : 0;
  return media == V3_AUDIO && direction == V3_OUTPUT ? 1 : 0;
}

static int32_t V3_CALL get_bus(void *self, int32_t media, int32_t direction, int32_t index, v3_bus *bus) {
  if (index != 0 || count_buses(self, media, direction) == 0) return V3_BAD_ARGUMENT;
  *bus = (v3_bus){media, direction, media == V3_AUDIO ? 2 : 16, {0}, V3_MAIN, V3_DEFAULT_ACTIVE};
  put_text(bus->name, 128, media == V3_AUDIO ? "Silent" : direction == V3_INPUT ? "MIDI in (not used)" : "MIDI out");
  return V3_OK;
}

static int32_t V3_CALL get_routing(void *self, v3_routing *in, v3_routing *out) {
  (void)self, (void)in, (void)out;
  return V3_NOT_IMPLEMENTED;
}

static int32_t V3_CALL activate_bus(void *self, int32_t media, int32_t direction, int32_t index, uint8_t active) {
  (void)active;
  return index == 0 && count_buses(self, media, direction) ? V3_OK : V3_BAD_ARGUMENT;
}

static int32_t V3_CALL set_active(void *self, uint8_t active) {
  FACE(self, component)->active = active;
  return active ? V3_OK : rest(FACE(self, component));
}

static int32_t V3_CALL set_state(void *self, v3_stream **stream) {
  face *me = FACE(self, component);
  size_t size = 0, room = 65536;
  uint8_t *data = malloc(room);
  int32_t count = 0;
  if (me->instance == NULL || stream == NULL) {
    free(data);
    return stream == NULL ? V3_BAD_ARGUMENT : V3_NOT_INITIALIZED;
  }
  while (data != NULL) {
    count = 0;
    int32_t want = (int32_t)(room - size), status = (*stream)->read(stream, data + size, want, &count);
    if (count <= 0 || count > want) break; /* at the end hosts say OK, or FALSE */
    size += (size_t)count;
    if (status != V3_OK) break;
    if (size < room) continue;
    uint8_t *more = room < 64u * 1024 * 1024 ? realloc(data, 2 * room) : NULL;
    if (more == NULL) free(data);
    data = more;
    room *= 2;
  }
  bool fine = data != NULL && cb_instance_load(me->instance, data, size);
  free(data);
  if (fine) show(me);
  return fine ? V3_OK : V3_FALSE;
}

static int32_t V3_CALL get_state(void *self, v3_stream **stream) {
  face *me = FACE(self, component);
  size_t size = 0, done = 0;
  if (me->instance == NULL) return V3_NOT_INITIALIZED;
  if (stream == NULL) return V3_BAD_ARGUMENT;
  uint8_t *data = cb_instance_save(me->instance, &size);
  while (data != NULL && done < size) {
    int32_t count = 0, want = (int32_t)(size - done);
    if ((*stream)->write(stream, data + done, want, &count) != V3_OK || count <= 0 || count > want) break;
    done += (size_t)count;
  }
  bool fine = data != NULL && done == size;
  free(data);
  return fine ? V3_OK : V3_INTERNAL_ERROR;
}

/* Controller ------------------------------------------------------------------------------------------------------------------- */

/* The component has read it already. */
static int32_t V3_CALL set_component_state(void *self, v3_stream **stream) {
  face *me = FACE(self, controller);
  (void)stream;
  if (me->instance != NULL) show(me);
  return V3_OK;
}

static int32_t V3_CALL no_state(void *self, v3_stream **stream) {
  (void)self, (void)stream;
  return V3_NOT_IMPLEMENTED; /* the component's holds all */
}

static int32_t V3_CALL count_parameters(void *self) {
  (void)self;
  return CB_PARAMS;
}

static int32_t V3_CALL get_parameter(void *self, int32_t index, v3_parameter *info) {
  (void)self;
  if (index < 0 || index >= CB_PARAMS) return V3_BAD_ARGUMENT;
  bool is_part = index == CB_PARAM_PART;
  memset(info, 0, sizeof *info);
  info->id = (uint32_t)index;
  put_text(info->title, 128, is_part ? "Part" : "Bypass");
  put_text(info->short_title, 128, is_part ? "Part" : "Bypass");
  info->steps = is_part ? CB_PART_CHOICES : 1;
  info->flags = V3_CAN_AUTOMATE | (is_part ? V3_IS_LIST : V3_IS_BYPASS); /* some hosts show no others without a window */
  return V3_OK;
}

static double V3_CALL to_plain(void *self, uint32_t id, double value) {
  (void)self;
  return plain_of(id, value);
}

static double V3_CALL to_normal(void *self, uint32_t id, double plain) {
  (void)self;
  return id == CB_PARAM_PART ? fmin(fmax(plain / CB_PART_CHOICES, 0), 1) : plain >= 0.5;
}

static const char *text_for(uint32_t id, double plain) {
  return id == CB_PARAM_PART ? cb_part_name((unsigned)plain) : plain > 0 ? "On" : "Off";
}

static int32_t V3_CALL text_of(void *self, uint32_t id, double value, v3_text text) {
  (void)self;
  if (id >= CB_PARAMS) return V3_BAD_ARGUMENT;
  put_text(text, 128, text_for(id, plain_of(id, value)));
  return V3_OK;
}

static int32_t V3_CALL value_of(void *self, uint32_t id, const uint16_t *text, double *value) {
  char wanted[128];
  if (id >= CB_PARAMS) return V3_BAD_ARGUMENT;
  get_text(wanted, sizeof wanted, text);
  for (unsigned plain = 0; plain <= (id == CB_PARAM_PART ? CB_PART_CHOICES : 1u); plain++)
    if (strcmp(wanted, text_for(id, plain)) == 0) {
      *value = to_normal(self, id, plain);
      return V3_OK;
    }
  return V3_FALSE;
}

static double V3_CALL get_shown(void *self, uint32_t id) { return id < CB_PARAMS ? FACE(self, controller)->shown[id] : 0; }

static int32_t V3_CALL set_shown(void *self, uint32_t id, double value) {
  face *me = FACE(self, controller);
  if (id >= CB_PARAMS) return V3_BAD_ARGUMENT;
  me->shown[id] = fmin(fmax(value, 0), 1);
  if (me->instance != NULL && !me->active) cb_instance_set(me->instance, id, plain_of(id, value)); /* no block would bring it */
  return V3_OK;
}

static int32_t V3_CALL set_handler(void *self, v3_handler **handler) {
  face *me = FACE(self, controller);
  void *handler2 = NULL;
  if (handler != NULL) {
    (*handler)->ref(handler);
    if ((*handler)->query(handler, V3_HANDLER2_ID, &handler2) != V3_OK) handler2 = NULL;
  }
  if (me->handler2 != NULL) (*me->handler2)->unref(me->handler2);
  if (me->handler != NULL) (*me->handler)->unref(me->handler);
  me->handler = handler;
  me->handler2 = handler2;
  return V3_OK;
}

static void *V3_CALL create_view(void *self, const char *name) {
  (void)self, (void)name;
  return NULL; /* it has no window */
}

/* Factory ---------------------------------------------------------------------------------------------------------------------- */

static face *new_face(void) {
  static const v3_component component = {
      component_query, component_ref, component_unref, component_initialize, component_terminate, get_controller_class,
      set_io_mode,     count_buses,   get_bus,         get_routing,          activate_bus,        set_active,
      set_state,       get_state};
  static const v3_processor processor = {processor_query, processor_ref, processor_unref, set_arrangements,
                                         get_arrangement, can_process,   get_latency,     set_up,
                                         set_processing,  process,       get_tail};
  static const v3_controller controller = {
      controller_query,    controller_ref, controller_unref, controller_initialize, controller_terminate,
      set_component_state, no_state,       no_state,         count_parameters,      get_parameter,
      text_of,             value_of,       to_plain,         to_normal,             get_shown,
      set_shown,           set_handler,    create_view};
  static const v3_needs needs = {needs_query, needs_ref, needs_unref, get_needs};
  face *me = calloc(1, sizeof *me);
  if (me == NULL) return NULL;
  me->component = &component;
  me->processor = &processor;
  me->controller = &controller;
  me->needs = &needs;
  atomic_init(&me->references, 1);
  return me;
}

static int32_t V3_CALL factory_query(void *self, const uint8_t id[16], void **object) {
  bool known = same(id, V3_UNKNOWN_ID) || same(id, V3_FACTORY_ID) || same(id, V3_FACTORY2_ID) || same(id, V3_FACTORY3_ID);
  *object = known ? self : NULL;
  return known ? V3_OK : V3_NO_INTERFACE;
}

static uint32_t V3_CALL factory_count(void *self) { /* it is there as long as the library */
  (void)self;
  return 1;
}

static int32_t V3_CALL get_factory_info(void *self, v3_factory_info *info) {
  (void)self;
  *info = (v3_factory_info){.vendor = CB_VENDOR, .flags = V3_FACTORY_UNICODE};
  return V3_OK;
}

static int32_t V3_CALL count_classes(void *self) {
  (void)self;
  return 1;
}

static int32_t V3_CALL get_class2(void *self, int32_t index, v3_class2 *info) {
  (void)self;
  if (index != 0) return V3_BAD_ARGUMENT;
  memset(info, 0, sizeof *info);
  memcpy(info->id, CLASS_ID, 16);
  info->cardinality = V3_MANY_INSTANCES;
  snprintf(info->category, sizeof info->category, "Audio Module Class");
  snprintf(info->name, sizeof info->name, "%s", CB_PLUGIN_NAME);
  snprintf(info->subcategories, sizeof info->subcategories, "Instrument");
  snprintf(info->vendor, sizeof info->vendor, "%s", CB_VENDOR);
  snprintf(info->version, sizeof info->version, "%s", CB_VERSION_TEXT);
  snprintf(info->sdk, sizeof info->sdk, "VST 3.7");
  return V3_OK;
}

static int32_t V3_CALL get_class(void *self, int32_t index, v3_class *info) {
  v3_class2 full;
  int32_t status = get_class2(self, index, &full);
  if (status != V3_OK) return status;
  *info = (v3_class){.cardinality = full.cardinality};
  memcpy(info->id, full.id, 16);
  memcpy(info->category, full.category, sizeof info->category);
  memcpy(info->name, full.name, sizeof info->name);
  return V3_OK;
}

static int32_t V3_CALL get_class3(void *self, int32_t index, v3_class3 *info) {
  v3_class2 full;
  int32_t status = get_class2(self, index, &full);
  if (status != V3_OK) return status;
  *info = (v3_class3){.cardinality = full.cardinality, .flags = full.flags};
  memcpy(info->id, full.id, 16);
  memcpy(info->category, full.category, sizeof info->category);
  memcpy(info->subcategories, full.subcategories, sizeof info->subcategories);
  put_text(info->name, 64, full.name);
  put_text(info->vendor, 64, full.vendor);
  put_text(info->version, 64, full.version);
  put_text(info->sdk, 64, full.sdk);
  return V3_OK;
}

static int32_t V3_CALL create_instance(void *self, const uint8_t class_id[16], const uint8_t id[16], void **object) {
  (void)self;
  *object = NULL;
  if (!same(class_id, CLASS_ID)) return V3_NO_INTERFACE;
  face *me = new_face();
  if (me == NULL) return V3_NO_MEMORY;
  int32_t status = query(me, id, object);
  unref(me); /* what was asked for holds it, or nothing does */
  return status;
}

static int32_t V3_CALL set_host_context(void *self, v3_unknown **context) {
  (void)self, (void)context;
  return V3_OK; /* `initialize` brings it too */
}

/* The module ------------------------------------------------------------------------------------------------------------------- */

EXPORT const void *V3_CALL GetPluginFactory(void);

const void *V3_CALL GetPluginFactory(void) {
  static const v3_factory table = {factory_query,   factory_count, factory_count, get_factory_info, count_classes,
                                   get_class,       create_instance, get_class2,  get_class3,       set_host_context};
  static const struct {
    const v3_factory *table;
    const char *uri; /* by which the library can be known as ours without being loaded */
  } factory = {&table, CB_LV2_URI};
  return &factory;
}

/* By which a host enters and leaves the library, by system. */
#if defined(_WIN32)
EXPORT bool V3_CALL InitDll(void);
EXPORT bool V3_CALL ExitDll(void);
bool V3_CALL InitDll(void) { return true; }
bool V3_CALL ExitDll(void) { return true; }
#elif defined(__APPLE__)
EXPORT bool bundleEntry(void *bundle);
EXPORT bool bundleExit(void);
bool bundleEntry(void *bundle) {
  (void)bundle;
  return true;
}
bool bundleExit(void) { return true; }
#else
EXPORT bool ModuleEntry(void *library);
EXPORT bool ModuleExit(void);
bool ModuleEntry(void *library) {
  (void)library;
  return true;
}
bool ModuleExit(void) { return true; }
#endif
