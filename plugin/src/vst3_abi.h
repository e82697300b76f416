/* The parts of the VST 3 interface that are used here, declared from its specification (Steinberg, VST 3 API 3.7).  An object is
 * a pointer to a pointer to its table of functions; order and layout are the interface's, names are ours in C's spelling. */
#ifndef CUEBRIDGE_VST3_ABI_H
#define CUEBRIDGE_VST3_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* On Windows identifiers and results are COM's. */
#ifdef _WIN32
#define V3_CALL __stdcall
#define V3_ID(a, b, c, d)                                                                                                          \
  {                                                                                                                                \
    (uint8_t)(a), (uint8_t)((a) >> 8), (uint8_t)((a) >> 16), (uint8_t)((a) >> 24), (uint8_t)((b) >> 16), (uint8_t)((b) >> 24),     \
        (uint8_t)(b), (uint8_t)((b) >> 8), (uint8_t)((c) >> 24), (uint8_t)((c) >> 16), (uint8_t)((c) >> 8), (uint8_t)(c),          \
        (uint8_t)((d) >> 24), (uint8_t)((d) >> 16), (uint8_t)((d) >> 8), (uint8_t)(d)                                              \
  }
#define V3_NO_INTERFACE ((int32_t)0x80004002)
#define V3_BAD_ARGUMENT ((int32_t)0x80070057)
#define V3_NOT_IMPLEMENTED ((int32_t)0x80004001)
#define V3_INTERNAL_ERROR ((int32_t)0x80004005)
#define V3_NOT_INITIALIZED ((int32_t)0x8000FFFF)
#define V3_NO_MEMORY ((int32_t)0x8007000E)
#else
#define V3_CALL
#define V3_ID(a, b, c, d)                                                                                                          \
  {                                                                                                                                \
    (uint8_t)((a) >> 24), (uint8_t)((a) >> 16), (uint8_t)((a) >> 8), (uint8_t)(a), (uint8_t)((b) >> 24), (uint8_t)((b) >> 16),     \
        (uint8_t)((b) >> 8), (uint8_t)(b), (uint8_t)((c) >> 24), (uint8_t)((c) >> 16), (uint8_t)((c) >> 8), (uint8_t)(c),          \
        (uint8_t)((d) >> 24), (uint8_t)((d) >> 16), (uint8_t)((d) >> 8), (uint8_t)(d)                                              \
  }
#define V3_NO_INTERFACE (-1)
#define V3_BAD_ARGUMENT 2
#define V3_NOT_IMPLEMENTED 3
#define V3_INTERNAL_ERROR 4
#define V3_NOT_INITIALIZED 5
#define V3_NO_MEMORY 6
#endif
#define V3_OK 0
#define V3_FALSE 1

typedef uint16_t v3_text[128]; /* UTF-16, ended by 0 */

#define V3_UNKNOWN                                                                                                                 \
  int32_t(V3_CALL *query)(void *self, const uint8_t id[16], void **object);                                                        \
  uint32_t(V3_CALL *ref)(void *self);                                                                                              \
  uint32_t(V3_CALL *unref)(void *self)

typedef struct {
  V3_UNKNOWN;
} v3_unknown;
static const uint8_t V3_UNKNOWN_ID[16] = V3_ID(0x00000000u, 0x00000000u, 0xC0000000u, 0x00000046u);

#define V3_BASE                                                                                                                    \
  V3_UNKNOWN;                                                                                                                      \
  int32_t(V3_CALL *initialize)(void *self, v3_unknown **context);                                                                  \
  int32_t(V3_CALL *terminate)(void *self)
static const uint8_t V3_BASE_ID[16] = V3_ID(0x22888DDBu, 0x156E45AEu, 0x8358B348u, 0x08190625u);

/* Factory ---------------------------------------------------------------------------------------------------------------------- */

typedef struct {
  char vendor[64], url[256], email[128];
  int32_t flags;
} v3_factory_info;
enum { V3_FACTORY_UNICODE = 16, V3_MANY_INSTANCES = 0x7FFFFFFF };

typedef struct {
  uint8_t id[16];
  int32_t cardinality;
  char category[32], name[64];
} v3_class;

typedef struct {
  uint8_t id[16];
  int32_t cardinality;
  char category[32], name[64];
  uint32_t flags;
  char subcategories[128], vendor[64], version[64], sdk[64];
} v3_class2;

typedef struct {
  uint8_t id[16];
  int32_t cardinality;
  char category[32];
  uint16_t name[64];
  uint32_t flags;
  char subcategories[128];
  uint16_t vendor[64], version[64], sdk[64];
} v3_class3;

typedef struct {
  V3_UNKNOWN;
  int32_t(V3_CALL *get_factory_info)(void *self, v3_factory_info *info);
  int32_t(V3_CALL *count_classes)(void *self);
  int32_t(V3_CALL *get_class)(void *self, int32_t index, v3_class *info);
  int32_t(V3_CALL *create_instance)(void *self, const uint8_t class_id[16], const uint8_t id[16], void **object);
  int32_t(V3_CALL *get_class2)(void *self, int32_t index, v3_class2 *info);
  int32_t(V3_CALL *get_class3)(void *self, int32_t index, v3_class3 *info);
  int32_t(V3_CALL *set_host_context)(void *self, v3_unknown **context);
} v3_factory;
static const uint8_t V3_FACTORY_ID[16] = V3_ID(0x7A4D811Cu, 0x52114A1Fu, 0xAED9D2EEu, 0x0B43BF9Fu);
static const uint8_t V3_FACTORY2_ID[16] = V3_ID(0x0007B650u, 0xF24B4C0Bu, 0xA464EDB9u, 0xF00B2ABBu);
static const uint8_t V3_FACTORY3_ID[16] = V3_ID(0x4555A2ABu, 0xC1234E57u, 0x9B122910u, 0x36878931u);

/* Component -------------------------------------------------------------------------------------------------------------------- */

typedef struct {
  V3_UNKNOWN;
  int32_t(V3_CALL *read)(void *self, void *bytes, int32_t count, int32_t *done);
  int32_t(V3_CALL *write)(void *self, void *bytes, int32_t count, int32_t *done);
  int32_t(V3_CALL *seek)(void *self, int64_t place, int32_t from, int64_t *result);
  int32_t(V3_CALL *tell)(void *self, int64_t *place);
} v3_stream;
static const uint8_t V3_STREAM_ID[16] = V3_ID(0xC3BF6EA2u, 0x30994752u, 0x9B6BF990u, 0x1EE33E9Bu);

enum { V3_AUDIO = 0, V3_EVENT = 1, V3_INPUT = 0, V3_OUTPUT = 1, V3_MAIN = 0, V3_DEFAULT_ACTIVE = 1 };

typedef struct {
  int32_t media, direction, channels;
  v3_text name;
  int32_t type;
  uint32_t flags;
} v3_bus;

typedef struct {
  int32_t media, bus, channel;
} v3_routing;

typedef struct {
  V3_BASE;
  int32_t(V3_CALL *get_controller_class)(void *self, uint8_t class_id[16]);
  int32_t(V3_CALL *set_io_mode)(void *self, int32_t mode);
  int32_t(V3_CALL *count_buses)(void *self, int32_t media, int32_t direction);
  int32_t(V3_CALL *get_bus)(void *self, int32_t media, int32_t direction, int32_t index, v3_bus *bus);
  int32_t(V3_CALL *get_routing)(void *self, v3_routing *in, v3_routing *out);
  int32_t(V3_CALL *activate_bus)(void *self, int32_t media, int32_t direction, int32_t index, uint8_t active);
  int32_t(V3_CALL *set_active)(void *self, uint8_t active);
  int32_t(V3_CALL *set_state)(void *self, v3_stream **stream);
  int32_t(V3_CALL *get_state)(void *self, v3_stream **stream);
} v3_component;
static const uint8_t V3_COMPONENT_ID[16] = V3_ID(0xE831FF31u, 0xF2D54301u, 0x928EBBEEu, 0x25697802u);

/* Processor -------------------------------------------------------------------------------------------------------------------- */

typedef struct {
  V3_UNKNOWN;
  uint32_t(V3_CALL *get_id)(void *self);
  int32_t(V3_CALL *count_points)(void *self);
  int32_t(V3_CALL *get_point)(void *self, int32_t index, int32_t *frame, double *value);
  int32_t(V3_CALL *add_point)(void *self, int32_t frame, double value, int32_t *index);
} v3_queue;
static const uint8_t V3_QUEUE_ID[16] = V3_ID(0x01263A18u, 0xED074F6Fu, 0x98C9D356u, 0x4686F9BAu);

typedef struct {
  V3_UNKNOWN;
  int32_t(V3_CALL *count)(void *self);
  v3_queue **(V3_CALL *get)(void *self, int32_t index);
  v3_queue **(V3_CALL *add)(void *self, const uint32_t *id, int32_t *index);
} v3_changes;
static const uint8_t V3_CHANGES_ID[16] = V3_ID(0xA4779663u, 0x0BB64A56u, 0xB44384A8u, 0x466FEB9Du);

enum { V3_NOTE_ON = 0, V3_NOTE_OFF = 1, V3_MIDI_CC_OUT = 65535 };

typedef struct {
  int32_t bus, frame;
  double quarter;
  uint16_t flags, type;
  union {
    struct {
      int16_t channel, pitch;
      float tuning, velocity;
      int32_t length, note_id;
    } on;
    struct {
      int16_t channel, pitch;
      float velocity;
      int32_t note_id;
      float tuning;
    } off;
    struct {
      uint8_t number;
      int8_t channel, value, value2;
    } control;
    struct { /* the largest of the kinds that are not used here */
      uint32_t type;
      int32_t note_id;
      double value;
    } expression;
  };
} v3_event;

typedef struct {
  V3_UNKNOWN;
  int32_t(V3_CALL *count)(void *self);
  int32_t(V3_CALL *get)(void *self, int32_t index, v3_event *event);
  int32_t(V3_CALL *add)(void *self, v3_event *event);
} v3_events;
static const uint8_t V3_EVENTS_ID[16] = V3_ID(0x3A2C4214u, 0x346349FEu, 0xB2C4F397u, 0xB9695A44u);

enum { /* of v3_context.state */
  V3_PLAYING = 1 << 1,
  V3_LOOPING = 1 << 2,
  V3_RECORDING = 1 << 3,
  V3_HAS_QUARTERS = 1 << 9,
  V3_HAS_TEMPO = 1 << 10,
  V3_HAS_LOOP = 1 << 12,
  V3_HAS_METER = 1 << 13
};

typedef struct {
  uint32_t state;
  double rate;
  int64_t frame, system_ns, continuous_frame; /* frame: of the timeline */
  double quarter, bar_quarter, loop_start, loop_end; /* in quarter notes */
  double tempo;
  int32_t numerator, denominator;
  struct {
    uint8_t key, root;
    int16_t mask;
  } chord;
  int32_t smpte_offset;
  struct {
    uint32_t rate, flags;
  } frame_rate;
  int32_t frames_to_clock;
} v3_context;

enum { V3_REALTIME = 0, V3_PREFETCH = 1, V3_OFFLINE = 2, V3_FLOAT = 0, V3_DOUBLE = 1 };

typedef struct {
  int32_t channels;
  uint64_t silent; /* a bit for each channel */
  void **buffers;  /* of float or double, by sample_size */
} v3_audio;

typedef struct {
  int32_t mode, sample_size, frames, input_count, output_count;
  v3_audio *inputs, *outputs;
  v3_changes **input_changes, **output_changes;
  v3_events **input_events, **output_events;
  v3_context *context;
} v3_process;

typedef struct {
  int32_t mode, sample_size, most_frames;
  double rate;
} v3_setup;

enum { V3_STEREO = 3, V3_INFINITE_TAIL = -1 };

typedef struct {
  V3_UNKNOWN;
  int32_t(V3_CALL *set_arrangements)(void *self, uint64_t *in, int32_t in_count, uint64_t *out, int32_t out_count);
  int32_t(V3_CALL *get_arrangement)(void *self, int32_t direction, int32_t index, uint64_t *speakers);
  int32_t(V3_CALL *can_process)(void *self, int32_t sample_size);
  uint32_t(V3_CALL *get_latency)(void *self);
  int32_t(V3_CALL *set_up)(void *self, v3_setup *setup);
  int32_t(V3_CALL *set_processing)(void *self, uint8_t on);
  int32_t(V3_CALL *process)(void *self, v3_process *data);
  uint32_t(V3_CALL *get_tail)(void *self);
} v3_processor;
static const uint8_t V3_PROCESSOR_ID[16] = V3_ID(0x42043F99u, 0xB7DA453Cu, 0xA569E79Du, 0x9AAEC33Du);

/* What a processor needs of v3_context: hosts may leave the rest empty. */
enum {
  V3_NEEDS_QUARTERS = 1 << 2,
  V3_NEEDS_LOOP = 1 << 4,
  V3_NEEDS_TEMPO = 1 << 6,
  V3_NEEDS_METER = 1 << 7,
  V3_NEEDS_STATE = 1 << 10
};

typedef struct {
  V3_UNKNOWN;
  uint32_t(V3_CALL *get)(void *self);
} v3_needs;
static const uint8_t V3_NEEDS_ID[16] = V3_ID(0x2A654303u, 0xEF764E3Du, 0x95B5FE83u, 0x730EF6D0u);

/* Controller ------------------------------------------------------------------------------------------------------------------- */

enum { V3_CAN_AUTOMATE = 1, V3_IS_LIST = 8, V3_IS_BYPASS = 1 << 16 };

typedef struct {
  uint32_t id;
  v3_text title, short_title, units;
  int32_t steps;
  double normal; /* the default, from 0 to 1 */
  int32_t unit, flags;
} v3_parameter;

typedef struct {
  V3_UNKNOWN;
  int32_t(V3_CALL *begin_edit)(void *self, uint32_t id);
  int32_t(V3_CALL *perform_edit)(void *self, uint32_t id, double value);
  int32_t(V3_CALL *end_edit)(void *self, uint32_t id);
  int32_t(V3_CALL *restart)(void *self, int32_t flags);
} v3_handler;
static const uint8_t V3_HANDLER_ID[16] = V3_ID(0x93A0BEA3u, 0x0BD045DBu, 0x8E890B0Cu, 0xC1E46AC6u);

typedef struct {
  V3_UNKNOWN;
  int32_t(V3_CALL *set_dirty)(void *self, uint8_t dirty);
  int32_t(V3_CALL *request_editor)(void *self, const char *name);
  int32_t(V3_CALL *begin_group)(void *self);
  int32_t(V3_CALL *end_group)(void *self);
} v3_handler2;
static const uint8_t V3_HANDLER2_ID[16] = V3_ID(0xF040B4B3u, 0xA36045ECu, 0xABCDC045u, 0xB4D5A2CCu);

typedef struct {
  V3_BASE;
  int32_t(V3_CALL *set_component_state)(void *self, v3_stream **stream);
  int32_t(V3_CALL *set_state)(void *self, v3_stream **stream);
  int32_t(V3_CALL *get_state)(void *self, v3_stream **stream);
  int32_t(V3_CALL *count_parameters)(void *self);
  int32_t(V3_CALL *get_parameter)(void *self, int32_t index, v3_parameter *info);
  int32_t(V3_CALL *text_of)(void *self, uint32_t id, double value, v3_text text);
  int32_t(V3_CALL *value_of)(void *self, uint32_t id, const uint16_t *text, double *value);
  double(V3_CALL *to_plain)(void *self, uint32_t id, double value);
  double(V3_CALL *to_normal)(void *self, uint32_t id, double plain);
  double(V3_CALL *get)(void *self, uint32_t id);
  int32_t(V3_CALL *set)(void *self, uint32_t id, double value);
  int32_t(V3_CALL *set_handler)(void *self, v3_handler **handler);
  void *(V3_CALL *create_view)(void *self, const char *name);
} v3_controller;
static const uint8_t V3_CONTROLLER_ID[16] = V3_ID(0xDCD7BBE3u, 0x7742448Du, 0xA874AACCu, 0x979C759Eu);

/* Host ------------------------------------------------------------------------------------------------------------------------- */

typedef struct {
  V3_UNKNOWN;
  int32_t(V3_CALL *get_name)(void *self, v3_text name);
  int32_t(V3_CALL *create_instance)(void *self, const uint8_t class_id[16], const uint8_t id[16], void **object);
} v3_host;
static const uint8_t V3_HOST_ID[16] = V3_ID(0x58E595CCu, 0xDB2D4969u, 0x8B6AAF8Cu, 0x36A664E5u);

/* Linux only: timers in the host's main thread. */
typedef struct {
  V3_UNKNOWN;
  void(V3_CALL *on_timer)(void *self);
} v3_timer;
static const uint8_t V3_TIMER_ID[16] = V3_ID(0x10BDD94Fu, 0x41424774u, 0x821FAD8Fu, 0xECA72CA9u);

typedef struct {
  V3_UNKNOWN;
  int32_t(V3_CALL *register_file)(void *self, void *handler, int file);
  int32_t(V3_CALL *unregister_file)(void *self, void *handler);
  int32_t(V3_CALL *register_timer)(void *self, const v3_timer **timer, uint64_t ms);
  int32_t(V3_CALL *unregister_timer)(void *self, const v3_timer **timer);
} v3_run_loop;
static const uint8_t V3_RUN_LOOP_ID[16] = V3_ID(0x18C35366u, 0x97764F1Au, 0x9C5B8385u, 0x7A871389u);

/* Of 64-bit systems, the only ones for which it is built. */
_Static_assert(sizeof(v3_factory_info) == 452 && sizeof(v3_class) == 116 && sizeof(v3_class2) == 440 && sizeof(v3_class3) == 696,
               "classes");
_Static_assert(sizeof(v3_bus) == 276 && sizeof(v3_parameter) == 792 && offsetof(v3_parameter, normal) == 776, "descriptions");
_Static_assert(sizeof(v3_event) == 48 && offsetof(v3_event, on) == 24, "events");
_Static_assert(sizeof(v3_context) == 112 && offsetof(v3_context, tempo) == 72, "context");
_Static_assert(sizeof(v3_process) == 80 && sizeof(v3_audio) == 24 && sizeof(v3_setup) == 24, "process");

#endif
