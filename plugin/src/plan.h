/* A plan: everything that is to be played, as CueBridge sends it and as the host's project keeps it.
 *
 * Times count in the plan's unit, beats (quarter notes since bar 1) or seconds of the host's timeline; the tempo line
 * turns one into the other with the same arithmetic as bridge/player/tempo.py.
 */
#ifndef CUEBRIDGE_PLAN_H
#define CUEBRIDGE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CB_BEATS = 0, CB_SECONDS = 1 };
enum { CB_NOTE = 0, CB_CONTROL = 1 };

#define CB_MAX_PARTS 32
#define CB_MAX_EVENTS 1000000u
#define CB_MAX_TEMPOS 65536u
#define CB_MAX_TIME 1.0e7 /* beats or seconds: four months */
#define CB_ALL_PARTS 0xFFFFFFFFu
#define CB_NAME 32
#define CB_FILM 128

typedef struct {
  char name[CB_NAME]; /* UTF-8, ends with a zero */
  bool sustained;     /* a locate into one of its notes makes it sound */
  bool muted;
  double nudge_s; /* − = earlier */
} cb_part;

/* From `beat`, which is at `start_s`, each beat lasts `beat_s`. */
typedef struct {
  double beat, start_s, beat_s;
} cb_tempo;

/* kind CB_NOTE: data1 pitch, data2 velocity; CB_CONTROL: number and value, length 0.  channel 0..15. */
typedef struct {
  uint8_t kind, part, channel, data1, data2;
  double start, length;
} cb_event;

typedef struct {
  uint64_t id; /* what CueBridge calls it: the same music has the same id */
  int32_t revision;
  uint32_t granted; /* parts that this instance plays, a bit each */
  uint8_t unit;
  bool complete; /* the whole film is there */
  char film[CB_FILM];
  uint32_t part_count, tempo_count, event_count;
  cb_part parts[CB_MAX_PARTS];
  cb_tempo *tempos;
  cb_event *events; /* ascending in start */
} cb_plan;

void cb_plan_free(cb_plan *plan);

/* Reads what `bridge/plugin/plan.py` writes ("CBBD").  NULL where anything is wrong or memory lacks. */
cb_plan *cb_plan_parse(const uint8_t *data, size_t size);

/* The plan for the host's project ("CBST"): times in 2^-20 of the unit, entropy-coded.  Free with free(); NULL where memory
 * lacks.  20,000 notes take less than 100 kB. */
uint8_t *cb_plan_encode(const cb_plan *plan, size_t *size);

/* What cb_plan_encode or plan.py wrote.  NULL where anything is wrong. */
cb_plan *cb_plan_decode(const uint8_t *data, size_t size);

double cb_seconds_at(const cb_tempo *tempos, uint32_t count, double beats);
double cb_beats_at(const cb_tempo *tempos, uint32_t count, double seconds);

#endif
