/* Positions in quarter notes of hosts that round them to ticks, made exact again from the frames that they state besides.
 *
 * Ardour 7.3 states multiples of 1/1920 of a quarter note to VST3 plugins: up to 6 frames off at 120 a minute and 48 kHz.  At
 * one tempo position and frame lie on a line, and each rounded position narrows down where that is. */
#ifndef CUEBRIDGE_QUARTERS_H
#define CUEBRIDGE_QUARTERS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
  bool fine; /* the host has stated a position between ticks: it does not round */
  double tempo, rate;
  int64_t frame;
  double low, high; /* between which the position at `frame` is */
} cb_quarters;

/* quarter: as the host states it at `frame` of its timeline.  tempo: quarter notes a minute.  rate: frames a second. */
double cb_quarters_at(cb_quarters *is, int64_t frame, double quarter, double tempo, double rate);

#endif
