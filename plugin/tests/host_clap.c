/* The test host's side of CLAP. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/clap_abi.h"
#include "host.h"

typedef union {
  clap_event header;
  clap_transport transport;
  clap_param_value value;
} event;

static event waiting[MOST_EVENTS];
static uint32_t waiting_count, dirty, wanted_callback;
static const clap_entry_point *entry;
static const clap_plugin *plugin;

static void mark_dirty(const clap_host *host) {
  (void)host;
  dirty++;
}
static const clap_host_state HOST_STATE = {mark_dirty};
static const void *host_extension(const clap_host *host, const char *id) {
  (void)host;
  return strcmp(id, "clap.state") == 0 ? &HOST_STATE : NULL;
}
static void nothing(const clap_host *host) { (void)host; }
static void callback(const clap_host *host) {
  (void)host;
  __atomic_store_n(&wanted_callback, 1, __ATOMIC_SEQ_CST);
}
static const clap_host HOST = {{1, 1, 0}, NULL, "clap-host", "CueBridge", "", "1", host_extension, nothing, nothing, callback};

static uint32_t in_size(const clap_input_events *list) {
  (void)list;
  return waiting_count;
}
static const clap_event *in_get(const clap_input_events *list, uint32_t index) {
  (void)list;
  return &waiting[index].header;
}
static bool out_push(const clap_output_events *list, const clap_event *pushed) {
  (void)list;
  const clap_midi *midi = (const clap_midi *)pushed;
  if (pushed->type != CLAP_MIDI || pushed->size != sizeof *midi) quit("a message that is no MIDI");
  return heard(pushed->time, midi->data[0], midi->data[1], midi->data[2]);
}

static int64_t write_state(const clap_ostream *stream, const void *bytes, uint64_t size) {
  FILE **into = stream->ctx;
  return (int64_t)fwrite(bytes, 1, size > 1000 ? 1000 : size, *into); /* hosts may take less at a time */
}

typedef struct {
  const uint8_t *bytes;
  uint64_t left;
} source;

static int64_t read_state(const clap_istream *stream, void *bytes, uint64_t size) {
  source *from = stream->ctx;
  uint64_t count = size < from->left ? size : from->left;
  if (count > 777) count = 777;
  memcpy(bytes, from->bytes, count);
  from->bytes += count;
  from->left -= count;
  return (int64_t)count;
}

uint8_t *plugin_save(uint32_t *size) {
  FILE *file = tmpfile();
  const clap_state *state = plugin->get_extension(plugin, "clap.state");
  if (file == NULL || !state->save(plugin, &(clap_ostream){&file, write_state})) quit("it did not save");
  *size = (uint32_t)ftell(file);
  uint8_t *bytes = malloc(*size + 1);
  rewind(file);
  if (fread(bytes, 1, *size, file) != *size) quit("the state cannot be read again");
  fclose(file);
  return bytes;
}

bool plugin_load(const uint8_t *bytes, uint32_t size) {
  const clap_state *state = plugin->get_extension(plugin, "clap.state");
  source from = {bytes, size};
  return state->load(plugin, &(clap_istream){&from, read_state});
}

static clap_transport transport_of(const transport *at) {
  clap_transport is = {.header = {sizeof is, 0, 0, CLAP_TRANSPORT, 0}, .flags = at->flags};
  is.song_pos_seconds = (int64_t)(at->seconds * CLAP_TIME_FACTOR);
  is.song_pos_beats = (int64_t)(at->beats * CLAP_TIME_FACTOR);
  is.tempo = at->bpm;
  is.tempo_inc = at->bpm_step;
  is.loop_start_seconds = (int64_t)(at->loop_s[0] * CLAP_TIME_FACTOR);
  is.loop_end_seconds = (int64_t)(at->loop_s[1] * CLAP_TIME_FACTOR);
  is.loop_start_beats = (int64_t)(at->loop_beats[0] * CLAP_TIME_FACTOR);
  is.loop_end_beats = (int64_t)(at->loop_beats[1] * CLAP_TIME_FACTOR);
  is.tsig_num = is.tsig_denom = 4;
  return is;
}

static event *next_event(void) {
  if (waiting_count == MOST_EVENTS) quit("too many events for one block");
  return &waiting[waiting_count++];
}

void plugin_transport(uint32_t frame, const transport *at) {
  event *next = next_event();
  next->transport = transport_of(at);
  next->header.time = frame;
}

void plugin_set(uint32_t parameter, double value) {
  event *next = next_event();
  memset(next, 0, sizeof *next);
  next->header = (clap_event){sizeof next->value, 0, 0, CLAP_PARAM_VALUE, 0};
  next->value.param_id = parameter;
  next->value.value = value;
}

void plugin_process(const transport *at, uint32_t frames, float **channels) {
  clap_transport said = transport_of(at);
  clap_audio_buffer buffer = {.data32 = channels, .channel_count = 2};
  clap_process now = {.steady_time = -1,
                      .frames_count = frames,
                      .transport = &said,
                      .audio_outputs = &buffer,
                      .audio_outputs_count = 1,
                      .in_events = &(clap_input_events){NULL, in_size, in_get},
                      .out_events = &(clap_output_events){NULL, out_push}};
  if (plugin->process(plugin, &now) == CLAP_ERROR) quit("the plugin says that it failed");
  waiting_count = 0;
}

uint32_t plugin_dirty(void) {
  if (__atomic_exchange_n(&wanted_callback, 0, __ATOMIC_SEQ_CST)) plugin->on_main_thread(plugin);
  return dirty;
}

void plugin_reset(void) { plugin->reset(plugin); }

void plugin_activate(double rate) {
  if (!plugin->activate(plugin, rate, 1, MOST_FRAMES) || !plugin->start_processing(plugin)) quit("it cannot be activated");
}

void plugin_deactivate(void) {
  plugin->stop_processing(plugin);
  plugin->deactivate(plugin);
}

void plugin_open(void *(*symbol)(const char *name), const char *path) {
  entry = symbol("clap_entry");
  if (entry == NULL || !entry->init(path)) quit("no plugin there");
  const clap_factory *factory = entry->get_factory("clap.plugin-factory");
  if (factory == NULL || factory->get_plugin_count(factory) != 1) quit("no factory of one plugin");
  plugin = factory->create_plugin(factory, &HOST, factory->get_plugin_descriptor(factory, 0)->id);
  if (plugin == NULL || !plugin->init(plugin)) quit("it cannot be made");
}

void plugin_close(void) {
  plugin->destroy(plugin);
  entry->deinit();
}
