/* The test host's side of VST3.  It does what the interface lets a host do, and looks closely at what comes back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/vst3_abi.h"
#include "host.h"

#ifdef _WIN32
#include <windows.h>
#endif

static v3_factory **factory;
static v3_component **component;
static v3_processor **processor;
static v3_controller **controller;
static double rate;
static uint32_t dirty;

static void must(int32_t status, const char *what) {
  if (status == V3_OK) return;
  fprintf(stderr, "%s: %d\n", what, status);
  exit(1);
}

static bool same(const uint8_t *a, const uint8_t *b) { return memcmp(a, b, 16) == 0; }

static uint32_t V3_CALL one(void *self) {
  (void)self;
  return 1;
}

#define IS_NOT_IMPLEMENTED(...)                                                                                                    \
  {                                                                                                                                \
    (void)self, __VA_ARGS__;                                                                                                       \
    return V3_NOT_IMPLEMENTED;                                                                                                     \
  }

/* The host's main thread: on Linux the plugin's timers, on Windows its messages. */
enum { TIMERS = 8 };
static v3_timer **timers[TIMERS];

static int32_t V3_CALL register_file(void *self, void *handler, int file) IS_NOT_IMPLEMENTED((void)handler, (void)file)
static int32_t V3_CALL unregister_file(void *self, void *handler) IS_NOT_IMPLEMENTED((void)handler)

static int32_t V3_CALL register_timer(void *self, const v3_timer **timer, uint64_t ms) {
  (void)self;
  if (ms == 0 || ms > 1000) quit("a timer of an odd time");
  for (int i = 0; i < TIMERS; i++)
    if (timers[i] == NULL) {
      timers[i] = (v3_timer **)timer;
      return V3_OK;
    }
  return V3_FALSE;
}

static int32_t V3_CALL unregister_timer(void *self, const v3_timer **timer) {
  (void)self;
  for (int i = 0; i < TIMERS; i++)
    if (timers[i] == (v3_timer **)timer) {
      timers[i] = NULL;
      return V3_OK;
    }
  return V3_FALSE;
}

static void serve_main_thread(void) {
#ifdef _WIN32
  MSG message;
  while (PeekMessageW(&message, NULL, 0, 0, PM_REMOVE)) DispatchMessageW(&message);
#endif
  for (int i = 0; i < TIMERS; i++)
    if (timers[i] != NULL) (*timers[i])->on_timer(timers[i]);
}

static int32_t V3_CALL host_query(void *self, const uint8_t id[16], void **object);
static const v3_run_loop RUN_LOOP = {host_query, one, one, register_file, unregister_file, register_timer, unregister_timer};
static const v3_run_loop *run_loop = &RUN_LOOP;

static int32_t V3_CALL get_name(void *self, v3_text name) {
  (void)self;
  const char *from = "vst3-host";
  for (int i = 0; i <= 9; i++) name[i] = (uint8_t)from[i];
  return V3_OK;
}
static int32_t V3_CALL create(void *self, const uint8_t class_id[16], const uint8_t id[16], void **object)
    IS_NOT_IMPLEMENTED((void)class_id, (void)id, (void)object)
static const v3_host HOST = {host_query, one, one, get_name, create};
static const v3_host *host = &HOST;

static int32_t V3_CALL host_query(void *self, const uint8_t id[16], void **object) {
  (void)self;
  *object = same(id, V3_HOST_ID) || same(id, V3_UNKNOWN_ID) ? (void *)&host : NULL;
#if !defined(_WIN32) && !defined(__APPLE__)
  if (same(id, V3_RUN_LOOP_ID)) *object = (void *)&run_loop;
#endif
  return *object != NULL ? V3_OK : V3_NO_INTERFACE;
}

static int32_t V3_CALL handler_query(void *self, const uint8_t id[16], void **object);
static int32_t V3_CALL edit(void *self, uint32_t id) IS_NOT_IMPLEMENTED((void)id)
static int32_t V3_CALL perform(void *self, uint32_t id, double value) IS_NOT_IMPLEMENTED((void)id, (void)value)
static int32_t V3_CALL restart(void *self, int32_t flags) IS_NOT_IMPLEMENTED((void)flags)
static const v3_handler HANDLER = {handler_query, one, one, edit, perform, edit, restart};
static const v3_handler *handler = &HANDLER;

static int32_t V3_CALL set_dirty(void *self, uint8_t is_dirty) {
  (void)self;
  dirty += is_dirty;
  return V3_OK;
}
static int32_t V3_CALL request_editor(void *self, const char *name) IS_NOT_IMPLEMENTED((void)name)
static int32_t V3_CALL group(void *self) IS_NOT_IMPLEMENTED((void)0)
static const v3_handler2 HANDLER2 = {handler_query, one, one, set_dirty, request_editor, group, group};
static const v3_handler2 *handler2 = &HANDLER2;

static int32_t V3_CALL handler_query(void *self, const uint8_t id[16], void **object) {
  (void)self;
  *object = same(id, V3_HANDLER2_ID) ? (void *)&handler2 : same(id, V3_HANDLER_ID) ? (void *)&handler : NULL;
  return *object != NULL ? V3_OK : V3_NO_INTERFACE;
}

static int32_t V3_CALL no_query(void *self, const uint8_t id[16], void **object) {
  (void)self, (void)id;
  *object = NULL;
  return V3_NO_INTERFACE;
}

/* Parameters of the next block: two points each, of which the last counts. */
typedef struct {
  const v3_queue *table;
  uint32_t id;
  double before, value;
} queue;
static queue queues[MOST_EVENTS];
static int32_t queue_count;

static uint32_t V3_CALL queue_id(void *self) { return ((queue *)self)->id; }
static int32_t V3_CALL queue_points(void *self) {
  (void)self;
  return 2;
}
static int32_t V3_CALL queue_point(void *self, int32_t index, int32_t *frame, double *value) {
  const queue *me = self;
  if (index < 0 || index > 1) return V3_BAD_ARGUMENT;
  *frame = index;
  *value = index ? me->value : me->before;
  return V3_OK;
}
static int32_t V3_CALL queue_add(void *self, int32_t frame, double value, int32_t *index)
    IS_NOT_IMPLEMENTED((void)frame, (void)value, (void)index)
static const v3_queue QUEUE = {no_query, one, one, queue_id, queue_points, queue_point, queue_add};

static int32_t V3_CALL changes_count(void *self) {
  (void)self;
  return queue_count;
}
static v3_queue **V3_CALL changes_get(void *self, int32_t index) {
  (void)self;
  return index >= 0 && index < queue_count ? (v3_queue **)&queues[index] : NULL;
}
static v3_queue **V3_CALL changes_add(void *self, const uint32_t *id, int32_t *index) {
  (void)self, (void)id, (void)index;
  return NULL;
}
static const v3_changes CHANGES = {no_query, one, one, changes_count, changes_get, changes_add};

void plugin_set(uint32_t parameter, double value) {
  if (queue_count == MOST_EVENTS) quit("too many parameters for one block");
  double normal = (*controller)->to_normal(controller, parameter, value), before = (*controller)->get(controller, parameter);
  must((*controller)->set(controller, parameter, normal), "set a parameter");
  if ((*controller)->get(controller, parameter) != normal) quit("a parameter is not what it was set to");
  if ((*controller)->to_plain(controller, parameter, normal) != value) quit("a value is not the same there and back");
  v3_text text;
  double again;
  must((*controller)->text_of(controller, parameter, normal, text), "text of a value");
  must((*controller)->value_of(controller, parameter, text, &again), "value of a text");
  if (again != normal) quit("a text is not the same there and back");
  queues[queue_count++] = (queue){&QUEUE, parameter, before, normal};
}

/* Events out */
static int32_t V3_CALL events_count(void *self) {
  (void)self;
  return 0;
}
static int32_t V3_CALL events_get(void *self, int32_t index, v3_event *event) IS_NOT_IMPLEMENTED((void)index, (void)event)
static uint32_t block_frames, last_frame;

/* Velocities as a host computes them that cuts off; those that a host computes that rounds have to be the same. */
static uint8_t velocity(float value) {
  int cut = (int)(value * 127.0f);
  if (!(value >= 0 && value <= 1) || (int)(value * 127.0f + 0.5f) != cut) quit("a velocity that is rounded differently");
  return (uint8_t)cut;
}

static int32_t V3_CALL events_add(void *self, v3_event *event) {
  (void)self;
  uint32_t frame = (uint32_t)event->frame;
  if (event->bus != 0 || frame >= block_frames || frame < last_frame) quit("an event at a place where none can be");
  last_frame = frame;
  bool room;
  if (event->type == V3_NOTE_ON && event->on.channel >= 0 && event->on.channel < 16)
    room = heard(frame, (uint8_t)(0x90 | event->on.channel), (uint8_t)event->on.pitch, velocity(event->on.velocity));
  else if (event->type == V3_NOTE_OFF && event->off.channel >= 0 && event->off.channel < 16)
    room = heard(frame, (uint8_t)(0x80 | event->off.channel), (uint8_t)event->off.pitch, velocity(event->off.velocity));
  else if (event->type == V3_MIDI_CC_OUT && event->control.channel >= 0 && event->control.channel < 16)
    room = heard(frame, (uint8_t)(0xB0 | event->control.channel), event->control.number, (uint8_t)event->control.value);
  else {
    quit("an event of another kind");
    return V3_FALSE;
  }
  return room ? V3_OK : V3_FALSE;
}
static const v3_events EVENTS = {no_query, one, one, events_count, events_get, events_add};

void plugin_transport(uint32_t frame, const transport *at) {
  (void)frame, (void)at;
  quit("VST3 has no transport within a block");
}

/* A loop is stated in quarter notes only, the position in whole frames. */
static v3_context context_of(const transport *at) {
  v3_context is = {.rate = rate, .numerator = 4, .denominator = 4};
  double frame = at->seconds * rate;
  is.frame = (int64_t)(frame < 0 ? frame - 0.5 : frame + 0.5);
  if (at->flags & IS_PLAYING) is.state |= V3_PLAYING;
  if (at->flags & IS_RECORDING) is.state |= V3_RECORDING;
  if (at->flags & HAS_METER) is.state |= V3_HAS_METER;
  if (at->flags & HAS_TEMPO) is.state |= V3_HAS_TEMPO;
  if (at->flags & HAS_BEATS) is.state |= V3_HAS_QUARTERS;
  if (at->flags & IS_LOOPING) is.state |= V3_LOOPING | V3_HAS_LOOP;
  is.quarter = at->beats;
  is.tempo = at->bpm;
  is.loop_start = at->loop_beats[0];
  is.loop_end = at->loop_beats[1];
  return is;
}

void plugin_process(const transport *at, uint32_t frames, float **channels) {
  static uint32_t number;
  double *fine[2] = {NULL, NULL};
  const v3_changes *changes = &CHANGES;
  const v3_events *events = &EVENTS;
  v3_context context = context_of(at);
  v3_audio out = {2, 0, (void **)channels};
  bool is_fine = number++ % 3 == 2; /* every third block in doubles */
  for (int i = 0; is_fine && i < 2; i++) {
    fine[i] = malloc((frames + 1) * sizeof *fine[i]);
    if (fine[i] == NULL) quit("no memory");
    for (uint32_t j = 0; j < frames; j++) fine[i][j] = 1;
    out.buffers = (void **)fine;
  }
  v3_process data = {.mode = V3_REALTIME, .sample_size = is_fine ? V3_DOUBLE : V3_FLOAT, .frames = (int32_t)frames};
  data.output_count = 1;
  data.outputs = &out;
  data.input_changes = queue_count ? (v3_changes **)&changes : NULL;
  data.output_events = (v3_events **)&events;
  data.context = &context;
  block_frames = frames;
  last_frame = 0;
  must((*processor)->process(processor, &data), "process");
  if (frames && out.silent != 3) quit("the output is not said to be silent");
  for (int i = 0; is_fine && i < 2; i++) {
    for (uint32_t j = 0; j < frames; j++) channels[i][j] = (float)fine[i][j];
    free(fine[i]);
  }
  queue_count = 0;
}

/* State: hosts may take and give a part at a time. */
typedef struct {
  const v3_stream *table;
  uint8_t *bytes;
  int64_t size, at;
} memory;

static int32_t V3_CALL stream_read(void *self, void *bytes, int32_t count, int32_t *done) {
  memory *me = self;
  int64_t left = me->size - me->at, take = count < left ? count : left;
  if (take > 777) take = 777;
  memcpy(bytes, me->bytes + me->at, (size_t)take);
  me->at += take;
  if (done != NULL) *done = (int32_t)take;
  return V3_OK;
}
static int32_t V3_CALL stream_write(void *self, void *bytes, int32_t count, int32_t *done) {
  memory *me = self;
  int32_t take = count > 1000 ? 1000 : count;
  me->bytes = realloc(me->bytes, (size_t)(me->size + take + 1));
  if (me->bytes == NULL) quit("no memory");
  memcpy(me->bytes + me->size, bytes, (size_t)take);
  me->size += take;
  if (done != NULL) *done = take;
  return V3_OK;
}
static int32_t V3_CALL stream_seek(void *self, int64_t place, int32_t from, int64_t *result)
    IS_NOT_IMPLEMENTED((void)place, (void)from, (void)result)
static int32_t V3_CALL stream_tell(void *self, int64_t *place) IS_NOT_IMPLEMENTED((void)place)
static const v3_stream STREAM = {no_query, one, one, stream_read, stream_write, stream_seek, stream_tell};

uint8_t *plugin_save(uint32_t *size) {
  memory into = {.table = &STREAM, .bytes = malloc(1)};
  must((*component)->get_state(component, (v3_stream **)&into), "save");
  *size = (uint32_t)into.size;
  return into.bytes;
}

bool plugin_load(const uint8_t *bytes, uint32_t size) {
  memory from = {.table = &STREAM, .bytes = (uint8_t *)bytes, .size = size};
  bool loaded = (*component)->set_state(component, (v3_stream **)&from) == V3_OK;
  from.at = 0;
  must((*controller)->set_component_state(controller, (v3_stream **)&from), "the component's state for the controller");
  return loaded;
}

uint32_t plugin_dirty(void) {
  serve_main_thread();
  return dirty;
}

void plugin_activate(double wanted) {
  v3_setup setup = {V3_REALTIME, V3_FLOAT, MOST_FRAMES, wanted};
  rate = wanted;
  must((*processor)->can_process(processor, V3_FLOAT), "floats");
  must((*processor)->set_up(processor, &setup), "set up");
  must((*component)->activate_bus(component, V3_AUDIO, V3_OUTPUT, 0, 1), "activate the audio output");
  must((*component)->activate_bus(component, V3_EVENT, V3_OUTPUT, 0, 1), "activate the event output");
  must((*component)->set_active(component, 1), "activate");
  must((*processor)->set_processing(processor, 1), "begin");
}

void plugin_deactivate(void) {
  must((*processor)->set_processing(processor, 0), "end");
  must((*component)->set_active(component, 0), "deactivate");
}

void plugin_reset(void) {
  plugin_deactivate();
  plugin_activate(rate);
}

static void look_at_class(v3_class2 *found) {
  v3_factory_info info;
  v3_class old;
  v3_class3 wide;
  must((*factory)->get_factory_info(factory, &info), "the factory");
  must((*factory)->get_class(factory, 0, &old), "class");
  must((*factory)->get_class2(factory, 0, found), "class 2");
  must((*factory)->get_class3(factory, 0, &wide), "class 3");
  if (strcmp(info.vendor, "CueBridge") != 0 || strcmp(found->vendor, info.vendor) != 0) quit("a vendor is not ours");
  if (strcmp(old.category, "Audio Module Class") != 0 || strcmp(found->subcategories, "Instrument") != 0) quit("no instrument");
  if (!same(old.id, found->id) || !same(wide.id, found->id) || wide.name[0] != (uint16_t)found->name[0]) quit("several classes");
  if ((*factory)->get_class(factory, 1, &old) == V3_OK) quit("a class that is not there");
}

static void look_at_buses(void) {
  uint64_t speakers = 0, mono = 1, stereo = V3_STEREO;
  v3_bus bus;
  for (int media = V3_AUDIO; media <= V3_EVENT; media++)
    for (int direction = V3_INPUT; direction <= V3_OUTPUT; direction++) {
      int32_t count = (*component)->count_buses(component, media, direction);
      if (count != (media == V3_AUDIO && direction == V3_INPUT ? 0 : 1)) quit("a bus too many or too few");
      if (count) must((*component)->get_bus(component, media, direction, 0, &bus), "a bus");
      if (count && bus.channels != (media == V3_AUDIO ? 2 : 16)) quit("a bus of other channels");
    }
  must((*processor)->get_arrangement(processor, V3_OUTPUT, 0, &speakers), "speakers");
  must((*processor)->set_arrangements(processor, NULL, 0, &stereo, 1), "stereo");
  if (speakers != V3_STEREO || (*processor)->set_arrangements(processor, NULL, 0, &mono, 1) == V3_OK) quit("not stereo");
  if ((*processor)->get_latency(processor) != 0) quit("a latency");
}

static void look_at_parameters(void) {
  v3_parameter info;
  if ((*controller)->count_parameters(controller) != 2) quit("not two parameters");
  for (int32_t i = 0; i < 2; i++) {
    must((*controller)->get_parameter(controller, i, &info), "a parameter");
    if (info.id != (uint32_t)i || info.steps != (i ? 1 : 16) || info.title[0] == 0) quit("another parameter");
  }
  if (!(info.flags & V3_IS_BYPASS)) quit("no bypass");
  if ((*controller)->create_view(controller, "editor") != NULL) quit("a window");
}

void plugin_open(void *(*symbol)(const char *name), const char *path) {
#if defined(_WIN32)
  bool (*enter)(void) = (bool (*)(void))symbol("InitDll");
  if (enter == NULL || !enter()) quit("no way in");
#elif defined(__APPLE__)
  bool (*enter)(void *) = (bool (*)(void *))symbol("bundleEntry");
  if (enter == NULL || !enter((void *)path)) quit("no way in");
#else
  bool (*enter)(void *) = (bool (*)(void *))symbol("ModuleEntry");
  if (enter == NULL || !enter((void *)path)) quit("no way in");
#endif
  (void)path;
  void *(*get_factory)(void) = (void *(*)(void))symbol("GetPluginFactory");
  void *found = NULL;
  factory = get_factory == NULL ? NULL : get_factory();
  if (factory == NULL || (*factory)->count_classes(factory) != 1) quit("no factory of one plugin");
  must((*factory)->query(factory, V3_FACTORY3_ID, &found), "factory 3");
  v3_class2 class;
  look_at_class(&class);
  must((*factory)->create_instance(factory, class.id, V3_COMPONENT_ID, &found), "create");
  component = found;
  must((*component)->query(component, V3_PROCESSOR_ID, &found), "processor");
  processor = found;
  must((*component)->query(component, V3_CONTROLLER_ID, &found), "controller");
  controller = found;
  if ((*component)->query(component, V3_HOST_ID, &found) == V3_OK || found != NULL) quit("an interface that it has not");
  must((*component)->initialize(component, (v3_unknown **)&host), "initialize");
  must((*controller)->set_handler(controller, (v3_handler **)&handler), "handler");
  look_at_buses();
  look_at_parameters();
}

void plugin_close(void) {
  must((*controller)->set_handler(controller, NULL), "no handler");
  must((*component)->terminate(component), "terminate");
  (*controller)->unref(controller);
  (*processor)->unref(processor);
  if ((*component)->unref(component) != 0) quit("it is still held");
  for (int i = 0; i < TIMERS; i++)
    if (timers[i] != NULL) quit("a timer is left");
}
