/* The CLAP face: MIDI out with the sample offset of each message, a silent stereo output, state and two parameters. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clap_abi.h"
#include "instance.h"

#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

typedef struct {
  clap_plugin plugin;
  const clap_host *host;
  cb_instance *instance;
  double rate;
  atomic_bool offline;
  cb_block block; /* the transport as the host said it last */
  cb_host said;
} face;

static face *of(const clap_plugin *plugin) { return plugin->plugin_data; }

/* Transport ------------------------------------------------------------------------------------------------------------------ */

static void take_transport(face *me, const clap_transport *from) {
  cb_block *block = &me->block;
  memset(block, 0, sizeof *block);
  memset(&me->said, 0, sizeof me->said);
  if (from == NULL) return;
  block->rolling = from->flags & CLAP_PLAYING;
  block->bpm = from->flags & CLAP_HAS_TEMPO ? from->tempo : 0;
  block->bpm_step = from->flags & CLAP_HAS_TEMPO ? from->tempo_inc : 0;
  block->has[CB_BEATS] = (from->flags & CLAP_HAS_BEATS) && block->bpm > 0;
  block->has[CB_SECONDS] = from->flags & CLAP_HAS_SECONDS;
  block->position[CB_BEATS] = (double)from->song_pos_beats / CLAP_TIME_FACTOR;
  block->position[CB_SECONDS] = (double)from->song_pos_seconds / CLAP_TIME_FACTOR;
  block->looping = from->flags & CLAP_LOOPING;
  block->loop[CB_BEATS][0] = (double)from->loop_start_beats / CLAP_TIME_FACTOR;
  block->loop[CB_BEATS][1] = (double)from->loop_end_beats / CLAP_TIME_FACTOR;
  block->loop[CB_SECONDS][0] = (double)from->loop_start_seconds / CLAP_TIME_FACTOR;
  block->loop[CB_SECONDS][1] = (double)from->loop_end_seconds / CLAP_TIME_FACTOR;
  me->said.recording = from->flags & CLAP_RECORDING;
  me->said.numerator = from->flags & CLAP_HAS_METER ? from->tsig_num : 0;
  me->said.denominator = from->flags & CLAP_HAS_METER ? from->tsig_denom : 0;
}

/* The transport `frames` later, where nothing new was said. */
static void move_on(face *me, uint32_t frames) {
  cb_block *block = &me->block;
  if (!block->rolling) return;
  double seconds = frames / me->rate;
  block->position[CB_SECONDS] += seconds;
  block->position[CB_BEATS] += (block->bpm + 0.5 * block->bpm_step * frames) / 60 * seconds;
  block->bpm += block->bpm_step * frames;
}

/* Playing --------------------------------------------------------------------------------------------------------------------- */

typedef struct {
  const clap_output_events *out;
  uint32_t first; /* frame at which the stretch begins */
} sink;

static bool push(void *to, uint32_t frame, uint8_t status, uint8_t data1, uint8_t data2) {
  sink *into = to;
  clap_midi event = {.header = {sizeof event, into->first + frame, 0, CLAP_MIDI, 0}, .data = {status, data1, data2}};
  return into->out->try_push(into->out, &event.header);
}

static void take_event(face *me, const clap_event *event) {
  if (event->space_id != 0 || event->type != CLAP_PARAM_VALUE) return;
  const clap_param_value *value = (const clap_param_value *)event;
  cb_instance_set(me->instance, value->param_id, value->value);
}

static void play(face *me, const clap_process *process, uint32_t from, uint32_t to) {
  sink into = {process->out_events, from};
  if (to == from) return;
  me->block.frames = to - from;
  me->block.rate = me->rate;
  me->said.offline = atomic_load_explicit(&me->offline, memory_order_relaxed);
  cb_block block = me->block; /* the instance may add the range of a loop */
  cb_instance_run(me->instance, &block, &me->said, push, &into);
  move_on(me, to - from);
}

static int32_t run(const clap_plugin *plugin, const clap_process *process) {
  face *me = of(plugin);
  uint32_t done = 0, frames = process->frames_count;
  take_transport(me, process->transport);
  uint32_t count = process->in_events != NULL ? process->in_events->size(process->in_events) : 0;
  for (uint32_t i = 0; i < count; i++) {
    const clap_event *event = process->in_events->get(process->in_events, i);
    if (event == NULL) continue;
    if (event->space_id == 0 && event->type == CLAP_TRANSPORT && event->time <= frames && event->time >= done) {
      play(me, process, done, event->time);
      done = event->time;
      take_transport(me, (const clap_transport *)event);
    } else take_event(me, event);
  }
  play(me, process, done, frames);
  for (uint32_t i = 0; i < process->audio_outputs_count; i++) {
    clap_audio_buffer *buffer = &process->audio_outputs[i];
    for (uint32_t c = 0; c < buffer->channel_count; c++) {
      if (buffer->data32 != NULL) memset(buffer->data32[c], 0, frames * sizeof(float));
      if (buffer->data64 != NULL) memset(buffer->data64[c], 0, frames * sizeof(double));
    }
    buffer->constant_mask = ~(uint64_t)0;
  }
  return CLAP_CONTINUE;
}

/* Extensions ------------------------------------------------------------------------------------------------------------------ */

static uint32_t note_ports(const clap_plugin *plugin, bool is_input) {
  (void)plugin;
  return is_input ? 0 : 1;
}

static bool note_port(const clap_plugin *plugin, uint32_t index, bool is_input, clap_note_port_info *info) {
  (void)plugin;
  if (is_input || index) return false;
  *info = (clap_note_port_info){.id = 0, .supported_dialects = CLAP_DIALECT_MIDI, .preferred_dialect = CLAP_DIALECT_MIDI};
  snprintf(info->name, sizeof info->name, "MIDI out");
  return true;
}

static uint32_t audio_ports(const clap_plugin *plugin, bool is_input) {
  (void)plugin;
  return is_input ? 0 : 1;
}

static bool audio_port(const clap_plugin *plugin, uint32_t index, bool is_input, clap_audio_port_info *info) {
  (void)plugin;
  if (is_input || index) return false;
  *info = (clap_audio_port_info){.flags = 1, .channel_count = 2, .port_type = "stereo", .in_place_pair = UINT32_MAX};
  snprintf(info->name, sizeof info->name, "Silent");
  return true;
}

static bool save(const clap_plugin *plugin, const clap_ostream *stream) {
  size_t size = 0;
  uint8_t *data = cb_instance_save(of(plugin)->instance, &size);
  uint64_t done = 0;
  while (data != NULL && done < size) {
    int64_t count = stream->write(stream, data + done, size - done);
    if (count <= 0) break;
    done += (uint64_t)count;
  }
  free(data);
  return data != NULL && done == size;
}

static bool load(const clap_plugin *plugin, const clap_istream *stream) {
  size_t size = 0, room = 65536;
  uint8_t *data = malloc(room);
  int64_t count = 0;
  while (data != NULL && (count = stream->read(stream, data + size, room - size)) > 0) {
    size += (uint64_t)count < room - size ? (size_t)count : room - size;
    if (size < room) continue;
    uint8_t *more = room < 64u * 1024 * 1024 ? realloc(data, 2 * room) : NULL;
    if (more == NULL) {
      free(data);
      return false;
    }
    data = more;
    room *= 2;
  }
  bool fine = data != NULL && count == 0 && cb_instance_load(of(plugin)->instance, data, size);
  free(data);
  return fine;
}

static uint32_t param_count(const clap_plugin *plugin) {
  (void)plugin;
  return CB_PARAMS;
}

static bool param_info(const clap_plugin *plugin, uint32_t index, clap_param_info *info) {
  (void)plugin;
  if (index >= CB_PARAMS) return false;
  memset(info, 0, sizeof *info);
  info->id = index;
  info->flags = CLAP_PARAM_STEPPED;
  info->flags |= index == CB_PARAM_BYPASS ? CLAP_PARAM_BYPASS | CLAP_PARAM_AUTOMATABLE : CLAP_PARAM_ENUM;
  info->max_value = index == CB_PARAM_BYPASS ? 1 : CB_PART_CHOICES;
  snprintf(info->name, sizeof info->name, "%s", index == CB_PARAM_BYPASS ? "Bypass" : "Part");
  return true;
}

static bool param_value(const clap_plugin *plugin, uint32_t id, double *value) {
  if (id >= CB_PARAMS) return false;
  *value = cb_instance_get(of(plugin)->instance, id);
  return true;
}

static bool param_text(const clap_plugin *plugin, uint32_t id, double value, char *text, uint32_t room) {
  (void)plugin;
  if (id >= CB_PARAMS) return false;
  const char *bypass = value >= 0.5 ? "On" : "Off";
  unsigned choice = value >= 0 && value <= CB_PART_CHOICES ? (unsigned)(value + 0.5) : 0;
  snprintf(text, room, "%s", id == CB_PARAM_BYPASS ? bypass : cb_part_name(choice));
  return true;
}

static bool param_of_text(const clap_plugin *plugin, uint32_t id, const char *text, double *value) {
  (void)plugin;
  if (id == CB_PARAM_BYPASS) {
    *value = strcmp(text, "On") == 0;
    return *value == 1 || strcmp(text, "Off") == 0;
  }
  for (unsigned choice = 0; id == CB_PARAM_PART && choice <= CB_PART_CHOICES; choice++)
    if (strcmp(text, cb_part_name(choice)) == 0) {
      *value = choice;
      return true;
    }
  return false;
}

static void param_flush(const clap_plugin *plugin, const clap_input_events *in, const clap_output_events *out) {
  (void)out;
  for (uint32_t i = 0; in != NULL && i < in->size(in); i++) {
    const clap_event *event = in->get(in, i);
    if (event != NULL) take_event(of(plugin), event);
  }
}

static bool is_realtime_only(const clap_plugin *plugin) {
  (void)plugin;
  return false;
}

static bool set_render(const clap_plugin *plugin, int32_t mode) {
  atomic_store(&of(plugin)->offline, mode == 1);
  return true;
}

static const void *get_extension(const clap_plugin *plugin, const char *id) {
  static const clap_note_ports notes = {note_ports, note_port};
  static const clap_audio_ports audio = {audio_ports, audio_port};
  static const clap_state state = {save, load};
  static const clap_params params = {param_count, param_info, param_value, param_text, param_of_text, param_flush};
  static const clap_render render = {is_realtime_only, set_render};
  (void)plugin;
  if (strcmp(id, "clap.note-ports") == 0) return &notes;
  if (strcmp(id, "clap.audio-ports") == 0) return &audio;
  if (strcmp(id, "clap.state") == 0) return &state;
  if (strcmp(id, "clap.params") == 0) return &params;
  if (strcmp(id, "clap.render") == 0) return &render;
  return NULL;
}

/* Life -------------------------------------------------------------------------------------------------------------------------- */

/* In our thread: the host is asked for its main thread, where the project may be marked. */
static void changed(void *with) {
  face *me = with;
  me->host->request_callback(me->host);
}

static void on_main_thread(const clap_plugin *plugin) {
  face *me = of(plugin);
  const clap_host_state *state = me->host->get_extension(me->host, "clap.state");
  if (cb_instance_has_changed(me->instance) && state != NULL && state->mark_dirty != NULL) state->mark_dirty(me->host);
}

static bool init(const clap_plugin *plugin) {
  face *me = of(plugin);
  me->instance = cb_instance_new(CB_CLAP, me->host->name, changed, me);
  return me->instance != NULL;
}

static void destroy(const clap_plugin *plugin) {
  face *me = of(plugin);
  cb_instance_free(me->instance);
  free(me);
}

static bool activate(const clap_plugin *plugin, double rate, uint32_t least, uint32_t most) {
  (void)least;
  (void)most;
  of(plugin)->rate = rate;
  return rate > 0;
}

static bool nowhere(void *to, uint32_t frame, uint8_t status, uint8_t data1, uint8_t data2) {
  (void)to, (void)frame, (void)status, (void)data1, (void)data2;
  return true;
}

static void deactivate(const clap_plugin *plugin) { (void)plugin; }
static bool start_processing(const clap_plugin *plugin) {
  (void)plugin;
  return true;
}
static void stop_processing(const clap_plugin *plugin) { (void)plugin; }

/* The host forgets all that sounds. */
static void reset(const clap_plugin *plugin) { cb_instance_release(of(plugin)->instance, nowhere, NULL); }

static const char *const FEATURES[] = {"instrument", "note-effect", "stereo", NULL};
static const clap_descriptor DESCRIPTOR = {
    .clap_version = {1, 1, 0},
    .id = CB_CLAP_ID,
    .name = CB_PLUGIN_NAME,
    .vendor = CB_VENDOR,
    .url = "",
    .manual_url = "",
    .support_url = "",
    .version = CB_VERSION_TEXT,
    .description = "Plays the music that CueBridge composes for the film, as MIDI",
    .features = FEATURES,
};

static uint32_t plugin_count(const clap_factory *factory) {
  (void)factory;
  return 1;
}

static const clap_descriptor *plugin_descriptor(const clap_factory *factory, uint32_t index) {
  (void)factory;
  return index ? NULL : &DESCRIPTOR;
}

static const clap_plugin *create(const clap_factory *factory, const clap_host *host, const char *id) {
  (void)factory;
  face *me = strcmp(id, CB_CLAP_ID) == 0 ? calloc(1, sizeof *me) : NULL;
  if (me == NULL) return NULL;
  me->host = host;
  me->plugin = (clap_plugin){&DESCRIPTOR, me,         init,  destroy, activate,      deactivate,    start_processing,
                             stop_processing, reset, run,   get_extension, on_main_thread};
  return &me->plugin;
}

static bool entry_init(const char *path) {
  (void)path;
  return true;
}

static void entry_deinit(void) {}

static const void *get_factory(const char *id) {
  static const clap_factory factory = {plugin_count, plugin_descriptor, create};
  return strcmp(id, "clap.plugin-factory") == 0 ? &factory : NULL;
}

EXPORT const clap_entry_point clap_entry = {{1, 1, 0}, entry_init, entry_deinit, get_factory};
