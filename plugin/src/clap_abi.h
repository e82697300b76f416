/* The parts of the CLAP interface that are used here, declared from its specification (free-audio.github.io, CLAP 1.1).  Names
 * and order of members are the interface's. */
#ifndef CUEBRIDGE_CLAP_ABI_H
#define CUEBRIDGE_CLAP_ABI_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
  uint32_t major, minor, revision;
} clap_version;

typedef struct clap_host {
  clap_version version;
  void *host_data;
  const char *name, *vendor, *url, *version_text;
  const void *(*get_extension)(const struct clap_host *, const char *id);
  void (*request_restart)(const struct clap_host *);
  void (*request_process)(const struct clap_host *);
  void (*request_callback)(const struct clap_host *);
} clap_host;

typedef struct {
  uint32_t size, time;
  uint16_t space_id, type;
  uint32_t flags;
} clap_event;

enum { CLAP_PARAM_VALUE = 5, CLAP_TRANSPORT = 9, CLAP_MIDI = 10 };

typedef struct {
  clap_event header;
  uint32_t flags;
  int64_t song_pos_beats, song_pos_seconds; /* 2^31 to one */
  double tempo, tempo_inc;
  int64_t loop_start_beats, loop_end_beats, loop_start_seconds, loop_end_seconds, bar_start;
  int32_t bar_number;
  uint16_t tsig_num, tsig_denom;
} clap_transport;

enum {
  CLAP_HAS_TEMPO = 1,
  CLAP_HAS_BEATS = 2,
  CLAP_HAS_SECONDS = 4,
  CLAP_HAS_METER = 8,
  CLAP_PLAYING = 16,
  CLAP_RECORDING = 32,
  CLAP_LOOPING = 64
};
#define CLAP_TIME_FACTOR 2147483648.0

typedef struct {
  clap_event header;
  uint16_t port_index;
  uint8_t data[3];
} clap_midi;

typedef struct {
  clap_event header;
  uint32_t param_id;
  void *cookie;
  int32_t note_id;
  int16_t port_index, channel, key;
  double value;
} clap_param_value;

typedef struct clap_input_events {
  void *ctx;
  uint32_t (*size)(const struct clap_input_events *);
  const clap_event *(*get)(const struct clap_input_events *, uint32_t index);
} clap_input_events;

typedef struct clap_output_events {
  void *ctx;
  bool (*try_push)(const struct clap_output_events *, const clap_event *);
} clap_output_events;

typedef struct {
  float **data32;
  double **data64;
  uint32_t channel_count, latency;
  uint64_t constant_mask;
} clap_audio_buffer;

typedef struct {
  int64_t steady_time;
  uint32_t frames_count;
  const clap_transport *transport;
  const clap_audio_buffer *audio_inputs;
  clap_audio_buffer *audio_outputs;
  uint32_t audio_inputs_count, audio_outputs_count;
  const clap_input_events *in_events;
  const clap_output_events *out_events;
} clap_process;

typedef struct {
  clap_version clap_version;
  const char *id, *name, *vendor, *url, *manual_url, *support_url, *version, *description;
  const char *const *features;
} clap_descriptor;

typedef struct clap_plugin {
  const clap_descriptor *desc;
  void *plugin_data;
  bool (*init)(const struct clap_plugin *);
  void (*destroy)(const struct clap_plugin *);
  bool (*activate)(const struct clap_plugin *, double rate, uint32_t least, uint32_t most);
  void (*deactivate)(const struct clap_plugin *);
  bool (*start_processing)(const struct clap_plugin *);
  void (*stop_processing)(const struct clap_plugin *);
  void (*reset)(const struct clap_plugin *);
  int32_t (*process)(const struct clap_plugin *, const clap_process *);
  const void *(*get_extension)(const struct clap_plugin *, const char *id);
  void (*on_main_thread)(const struct clap_plugin *);
} clap_plugin;

enum { CLAP_ERROR = 0, CLAP_CONTINUE = 1 };

typedef struct clap_factory {
  uint32_t (*get_plugin_count)(const struct clap_factory *);
  const clap_descriptor *(*get_plugin_descriptor)(const struct clap_factory *, uint32_t index);
  const clap_plugin *(*create_plugin)(const struct clap_factory *, const clap_host *, const char *id);
} clap_factory;

typedef struct {
  clap_version clap_version;
  bool (*init)(const char *path);
  void (*deinit)(void);
  const void *(*get_factory)(const char *id);
} clap_entry_point;

typedef struct {
  uint32_t id, supported_dialects, preferred_dialect;
  char name[256];
} clap_note_port_info;

enum { CLAP_DIALECT_MIDI = 2 };

typedef struct {
  uint32_t (*count)(const clap_plugin *, bool is_input);
  bool (*get)(const clap_plugin *, uint32_t index, bool is_input, clap_note_port_info *);
} clap_note_ports;

typedef struct {
  uint32_t id;
  char name[256];
  uint32_t flags, channel_count;
  const char *port_type;
  uint32_t in_place_pair;
} clap_audio_port_info;

typedef struct {
  uint32_t (*count)(const clap_plugin *, bool is_input);
  bool (*get)(const clap_plugin *, uint32_t index, bool is_input, clap_audio_port_info *);
} clap_audio_ports;

typedef struct clap_ostream {
  void *ctx;
  int64_t (*write)(const struct clap_ostream *, const void *bytes, uint64_t size);
} clap_ostream;

typedef struct clap_istream {
  void *ctx;
  int64_t (*read)(const struct clap_istream *, void *bytes, uint64_t size);
} clap_istream;

typedef struct {
  bool (*save)(const clap_plugin *, const clap_ostream *);
  bool (*load)(const clap_plugin *, const clap_istream *);
} clap_state;

typedef struct {
  void (*mark_dirty)(const clap_host *);
} clap_host_state;

typedef struct {
  uint32_t id, flags;
  void *cookie;
  char name[256], module[1024];
  double min_value, max_value, default_value;
} clap_param_info;

enum { CLAP_PARAM_STEPPED = 1, CLAP_PARAM_BYPASS = 16, CLAP_PARAM_AUTOMATABLE = 32, CLAP_PARAM_ENUM = 65536 };

typedef struct {
  uint32_t (*count)(const clap_plugin *);
  bool (*get_info)(const clap_plugin *, uint32_t index, clap_param_info *);
  bool (*get_value)(const clap_plugin *, uint32_t id, double *value);
  bool (*value_to_text)(const clap_plugin *, uint32_t id, double value, char *text, uint32_t room);
  bool (*text_to_value)(const clap_plugin *, uint32_t id, const char *text, double *value);
  void (*flush)(const clap_plugin *, const clap_input_events *, const clap_output_events *);
} clap_params;

typedef struct {
  bool (*has_hard_realtime_requirement)(const clap_plugin *);
  bool (*set)(const clap_plugin *, int32_t mode); /* 0 in real time, 1 offline */
} clap_render;

#endif
