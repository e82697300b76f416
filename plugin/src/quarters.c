#include "quarters.h"

#include <math.h>

static const double TICKS = 1920, NEAR_TICK = 1e-6;
static const double TEMPO_ERROR = 1e-8; /* relative, of the tempo that hosts state */

double cb_quarters_at(cb_quarters *is, int64_t frame, double quarter, double tempo, double rate) {
  double ticks = quarter * TICKS, per_frame = tempo / 60 / rate;
  if (fabs(ticks - nearbyint(ticks)) > NEAR_TICK) is->fine = true;
  if (is->fine || !isfinite(ticks) || !isfinite(per_frame)) return quarter;
  double half = (0.5 + NEAR_TICK) / TICKS, low = quarter - half, high = quarter + half;
  if (tempo == is->tempo && rate == is->rate) {
    double moved = ((double)frame - (double)is->frame) * per_frame, loose = fabs(moved) * TEMPO_ERROR;
    double least = fmax(low, is->low + moved - loose), most = fmin(high, is->high + moved + loose);
    if (least <= most) { /* else the tempo has changed and come back meanwhile */
      low = least;
      high = most;
    }
  }
  *is = (cb_quarters){.tempo = tempo, .rate = rate, .frame = frame, .low = low, .high = high};
  double from_zero = (double)frame * per_frame; /* where it is if the timeline has one tempo, as most have */
  return from_zero >= low && from_zero <= high ? from_zero : (low + high) / 2;
}
