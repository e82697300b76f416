/* What runs in the host's audio thread: the plan's notes, at the sample at which they are due.
 *
 * `cb_core_run` takes one block of the host's timeline and emits MIDI with offsets into the block.  It allocates nothing,
 * locks nothing, calls nothing of the system.  Rules it keeps, those of bridge/player/scheduler.py:
 *   - a note-on has exactly one note-off; a key that is struck again is released first;
 *   - at one time note-offs come first, then controllers, then note-ons;
 *   - the place in the plan only moves back at a jump, so nothing is sent twice however positions are rounded;
 *   - a jump ends what sounds, and begins what of the sustained parts should sound there;
 *   - another plan lets the notes go on that it holds too, and ends the others.
 */
#ifndef CUEBRIDGE_CORE_H
#define CUEBRIDGE_CORE_H

#include "plan.h"

typedef struct {
  double start[2], end[2]; /* by CB_BEATS and CB_SECONDS */
  double reach[2];         /* the latest end of all notes so far: bounds the search backwards */
  uint8_t channel, pitch, velocity;
  bool sustained, restruck; /* restruck: arpeggio and drums, not begun late */
} cb_note;

typedef struct {
  double time[2];
  uint8_t channel, number, value;
} cb_control;

#define CB_KEYS 2048 /* channel * 128 + pitch */

static inline uint16_t cb_key_of(const cb_note *note) { return (uint16_t)(note->channel << 7 | note->pitch); }

/* One of the notes of a key.  longer: how many notes of the key there are up to the last one before it that ends later. */
typedef struct {
  uint32_t note, longer;
} cb_of_key;

/* The controls of one controller on one channel, as a range of `by_stream`. */
typedef struct {
  uint8_t channel, number;
  uint32_t first, count;
} cb_stream;

/* A plan made ready to be played, immutable. */
typedef struct {
  uint64_t id;
  uint8_t unit;
  uint32_t note_count, control_count, stream_count;
  cb_note *notes;       /* ascending in start */
  cb_of_key *by_key;    /* the notes, key by key, ascending in start */
  uint32_t first_of[CB_KEYS + 1]; /* of each key in by_key, and where the last key's end */
  cb_control *controls; /* ascending in time */
  uint32_t *by_stream;  /* indices of controls, stream by stream, ascending in time */
  cb_stream *streams;
} cb_score;

/* parts: the bits of those to be played.  NULL where memory lacks. */
cb_score *cb_score_build(const cb_plan *plan, uint32_t parts);
void cb_score_free(cb_score *score);

/* A block of the host's timeline; index CB_BEATS or CB_SECONDS. */
typedef struct {
  uint32_t frames;
  double rate; /* frames a second */
  bool rolling, silent; /* silent: bypassed */
  bool has[2];          /* whether the position is said, finely enough to play by */
  double position[2];   /* at the first frame */
  double bpm, bpm_step; /* quarter notes a minute, and its change with each frame */
  double speed;         /* seconds of timeline a second; 0: not said */
  bool looping;
  double loop[2][2]; /* start and end, by CB_BEATS and CB_SECONDS */
} cb_block;

/* Takes a MIDI message at a frame of the block.  False: the host has no room for it. */
typedef bool (*cb_emit)(void *to, uint32_t frame, uint8_t status, uint8_t data1, uint8_t data2);

typedef struct {
  double end[2], start[2];
  uint16_t place; /* in the heap, + 1; 0: silent */
} cb_sounding;

typedef struct {
  const cb_score *score;
  uint8_t unit;      /* by which it plays now */
  bool is_new;       /* the score has not been played from yet */
  bool playing;      /* the last block rolled and was audible */
  bool turned;       /* it held the turn of a loop */
  double reached;    /* position where the last block ended */
  double began;      /* position where it began, and of how many frames it was */
  uint32_t length;
  double speed;      /* measured, where the host does not say it */
  double last_ratio; /* of the last deviating block */
  double jumped;     /* position of the last jump, and how many frames ago */
  double since_jump;
  double skip_from, skip_to; /* notes that begin here have been struck in this pass */
  uint32_t note, control;    /* next to be played */
  cb_sounding sounding[CB_KEYS];
  uint16_t heap[CB_KEYS]; /* keys by end */
  uint32_t sounding_count;
  uint8_t last_value[16][128]; /* of controllers; 255: none sent */
  bool owed[CB_KEYS];          /* note-offs for which the host had no room */
  uint32_t owed_count;
  uint64_t struck; /* notes so far */
  bool repeats_offs; /* set by who knows that the host may lose what was sent right before it jumps */
  uint64_t released[CB_KEYS / 64]; /* a bit for each key whose note-off the last run sent */
} cb_core;

void cb_core_init(cb_core *core);

/* From the next block on.  The old score is no longer used when this returns. */
void cb_core_take(cb_core *core, const cb_score *score);

void cb_core_run(cb_core *core, const cb_block *block, cb_emit emit, void *to);

/* A note-off for all that sounds. */
void cb_core_release(cb_core *core, cb_emit emit, void *to);

#endif
