/* What the test host asks of a plugin format; a file for each format implements it. */
#ifndef CUEBRIDGE_TEST_HOST_H
#define CUEBRIDGE_TEST_HOST_H

#include <stdbool.h>
#include <stdint.h>

enum { HAS_TEMPO = 1, HAS_BEATS = 2, HAS_SECONDS = 4, HAS_METER = 8, IS_PLAYING = 16, IS_RECORDING = 32, IS_LOOPING = 64 };
enum { MOST_EVENTS = 64, MOST_FRAMES = 8192 };

typedef struct {
  uint32_t flags;
  double seconds, beats, bpm, bpm_step, loop_s[2], loop_beats[2];
} transport;

/* Implemented by the format */
void plugin_open(void *(*symbol)(const char *name), const char *path);
void plugin_activate(double rate);
void plugin_deactivate(void);
void plugin_close(void);
void plugin_reset(void);
void plugin_transport(uint32_t frame, const transport *at); /* within the next block */
void plugin_set(uint32_t parameter, double value);          /* with the next block */
void plugin_process(const transport *at, uint32_t frames, float **channels);
uint8_t *plugin_save(uint32_t *size); /* free() it */
bool plugin_load(const uint8_t *bytes, uint32_t size);
uint32_t plugin_dirty(void); /* how often the project was marked, after what waits for the main thread */

/* Implemented by the host */
void quit(const char *why);
bool heard(uint32_t frame, uint8_t status, uint8_t data1, uint8_t data2); /* false: no room */

#endif
