#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/vst3_abi.h"
#include "threads.h"

extern const void *GetPluginFactory(void); /* the VST3 is linked in */

static v3_component **component;
static v3_processor **processor;
static v3_controller **controller;
static unsigned dirty;
static atomic_uint wanted[2]; /* parameters: from the main thread to the audio thread, as hosts hand them on */

static uint32_t one(void *self) {
  (void)self;
  return 1;
}

static int32_t no_query(void *self, const uint8_t id[16], void **object) {
  (void)self, (void)id;
  *object = NULL;
  return V3_NO_INTERFACE;
}

/* The host's main thread: a timer, and whether the project has changed. */
static const v3_timer **timer;

static int32_t with_file(void *self, void *to, int file) {
  (void)self, (void)to, (void)file;
  return V3_FALSE;
}
static int32_t without_file(void *self, void *to) {
  (void)self, (void)to;
  return V3_FALSE;
}
static int32_t with_timer(void *self, const v3_timer **said, uint64_t ms) {
  (void)self, (void)ms;
  timer = said;
  return V3_OK;
}
static int32_t without_timer(void *self, const v3_timer **said) {
  (void)self, (void)said;
  timer = NULL;
  return V3_OK;
}
static const v3_run_loop RUN_LOOP = {no_query, one, one, with_file, without_file, with_timer, without_timer};
static const v3_run_loop *run_loop = &RUN_LOOP;

static int32_t get_name(void *self, v3_text name) {
  (void)self;
  name[0] = 't';
  name[1] = 0;
  return V3_OK;
}
static int32_t host_query(void *self, const uint8_t id[16], void **object);
static const v3_host HOST = {host_query, one, one, get_name, NULL};
static const v3_host *host = &HOST;

static int32_t set_dirty(void *self, uint8_t is_dirty) {
  (void)self;
  dirty += is_dirty;
  return V3_OK;
}
static const v3_handler HANDLER = {host_query, one, one, NULL, NULL, NULL, NULL};
static const v3_handler *handler = &HANDLER;
static const v3_handler2 HANDLER2 = {host_query, one, one, set_dirty, NULL, NULL, NULL};
static const v3_handler2 *handler2 = &HANDLER2;

static int32_t host_query(void *self, const uint8_t id[16], void **object) {
  (void)self;
  *object = NULL;
  if (memcmp(id, V3_HOST_ID, 16) == 0) *object = (void *)&host;
  else if (memcmp(id, V3_RUN_LOOP_ID, 16) == 0) *object = (void *)&run_loop;
  else if (memcmp(id, V3_HANDLER2_ID, 16) == 0) *object = (void *)&handler2;
  return *object != NULL ? V3_OK : V3_NO_INTERFACE;
}

bool subject_open(void) {
  v3_factory **factory = (v3_factory **)GetPluginFactory();
  v3_class2 class;
  void *found = NULL;
  v3_setup setup = {V3_REALTIME, V3_FLOAT, 1024, 48000};
  if ((*factory)->get_class2(factory, 0, &class) != V3_OK) return false;
  if ((*factory)->create_instance(factory, class.id, V3_COMPONENT_ID, &found) != V3_OK) return false;
  component = found;
  if ((*component)->query(component, V3_PROCESSOR_ID, &found) != V3_OK) return false;
  processor = found;
  if ((*component)->query(component, V3_CONTROLLER_ID, &found) != V3_OK) return false;
  controller = found;
  return (*component)->initialize(component, (v3_unknown **)&host) == V3_OK &&
         (*controller)->set_handler(controller, (v3_handler **)&handler) == V3_OK &&
         (*processor)->set_up(processor, &setup) == V3_OK && (*component)->set_active(component, 1) == V3_OK &&
         (*processor)->set_processing(processor, 1) == V3_OK;
}

void subject_close(void) {
  (*processor)->set_processing(processor, 0);
  (*component)->set_active(component, 0);
  (*component)->terminate(component);
  (*controller)->unref(controller);
  (*processor)->unref(processor);
  if ((*component)->unref(component) != 0 || timer != NULL || dirty == 0) {
    fprintf(stderr, "%s\n", dirty ? "it is still held" : "the project was never said to have changed");
    exit(1);
  }
}

/* State */
typedef struct {
  const v3_stream *table;
  uint8_t *bytes;
  size_t size, at;
} memory;

static int32_t stream_read(void *self, void *bytes, int32_t count, int32_t *done) {
  memory *me = self;
  size_t take = me->size - me->at < (size_t)count ? me->size - me->at : (size_t)count;
  memcpy(bytes, me->bytes + me->at, take);
  me->at += take;
  *done = (int32_t)take;
  return V3_OK;
}
static int32_t stream_write(void *self, void *bytes, int32_t count, int32_t *done) {
  memory *me = self;
  uint8_t *more = realloc(me->bytes, me->size + (size_t)count);
  if (more == NULL) abort();
  memcpy(more + me->size, bytes, (size_t)count);
  me->bytes = more;
  me->size += (size_t)count;
  *done = count;
  return V3_OK;
}
static const v3_stream STREAM = {no_query, one, one, stream_read, stream_write, NULL, NULL};

bool subject_load(const uint8_t *state, size_t size) {
  memory from = {&STREAM, (uint8_t *)state, size, 0};
  bool loaded = (*component)->set_state(component, (v3_stream **)&from) == V3_OK;
  from.at = 0;
  (*controller)->set_component_state(controller, (v3_stream **)&from);
  return loaded;
}

uint8_t *subject_save(size_t *size) {
  memory into = {&STREAM, NULL, 0, 0};
  if (timer != NULL) (*timer)->on_timer(timer);
  if ((*component)->get_state(component, (v3_stream **)&into) != V3_OK) return NULL;
  *size = into.size;
  return into.bytes;
}

void subject_set(unsigned part, bool bypass) {
  const unsigned values[2] = {part, bypass};
  for (uint32_t id = 0; id < 2; id++) {
    (*controller)->set(controller, id, (*controller)->to_normal(controller, id, values[id]));
    (*controller)->get(controller, id);
    atomic_store(&wanted[id], values[id]);
  }
}

/* Audio thread */
typedef struct {
  const v3_queue *table;
  uint32_t id;
  double value;
} queue;
static queue queues[2];

static uint32_t queue_id(void *self) { return ((queue *)self)->id; }
static int32_t queue_points(void *self) {
  (void)self;
  return 1;
}
static int32_t queue_point(void *self, int32_t index, int32_t *frame, double *value) {
  (void)index;
  *frame = 0;
  *value = ((queue *)self)->value;
  return V3_OK;
}
static const v3_queue QUEUE = {no_query, one, one, queue_id, queue_points, queue_point, NULL};

static int32_t changes_count(void *self) {
  (void)self;
  return 2;
}
static v3_queue **changes_get(void *self, int32_t index) {
  (void)self;
  return (v3_queue **)&queues[index];
}
static const v3_changes CHANGES = {no_query, one, one, changes_count, changes_get, NULL};

static int *hears; /* of the audio thread only */
static int32_t add_event(void *self, v3_event *event) {
  (void)self;
  *hears += event->type == V3_NOTE_ON ? 1 : event->type == V3_NOTE_OFF ? -1 : 0;
  return V3_OK;
}
static const v3_events EVENTS = {no_query, one, one, NULL, NULL, add_event};

void subject_run(unsigned number, bool rolling, int *heard) {
  static float left[1024], right[1024];
  float *channels[2] = {left, right};
  const v3_changes *changes = &CHANGES;
  const v3_events *events = &EVENTS;
  v3_context context = {.rate = 48000, .tempo = 120, .numerator = 4, .denominator = 4, .loop_start = 2, .loop_end = 6};
  v3_audio out = {2, 0, (void **)channels};
  v3_process data = {.frames = (int32_t)(64 + number % 500), .output_count = 1, .outputs = &out, .context = &context};
  context.state = V3_HAS_TEMPO | V3_HAS_QUARTERS | V3_HAS_METER | V3_HAS_LOOP;
  context.state |= (rolling ? V3_PLAYING : 0) | (number % 7 ? 0 : V3_LOOPING);
  context.frame = (number % 4000) * 480;
  context.quarter = (number % 4000) * 0.02;
  queues[0] = (queue){&QUEUE, 0, atomic_load(&wanted[0]) / 16.0};
  queues[1] = (queue){&QUEUE, 1, atomic_load(&wanted[1])};
  if (number % 13 == 0) data.input_changes = (v3_changes **)&changes;
  data.output_events = (v3_events **)&events;
  hears = heard;
  if ((*processor)->process(processor, &data) != V3_OK) abort();
}
