/* An LV2 instrument whose sound says what it was sent: a note-on becomes one sample of (pitch + 1) / 256 in the frame in which it
 * arrives, everything else is silence.  What a host exported can be compared with the notes that way. */
#include <stdlib.h>
#include <string.h>

#include "../../src/lv2_abi.h"

enum { MIDI, LEFT, RIGHT, PORTS };

typedef struct {
  uint32_t midi;
  void *ports[PORTS];
} impulse;

static void *instantiate(const lv2_plugin *descriptor, double rate, const char *bundle,
                         const lv2_feature *const *features) {
  const lv2_urid_map *map = NULL;
  (void)descriptor, (void)rate, (void)bundle;
  for (; features != NULL && *features != NULL; features++)
    if (strcmp((*features)->uri, "http://lv2plug.in/ns/ext/urid#map") == 0) map = (*features)->data;
  impulse *me = map == NULL ? NULL : calloc(1, sizeof *me);
  if (me != NULL) me->midi = map->map(map->handle, "http://lv2plug.in/ns/ext/midi#MidiEvent");
  return me;
}

static void connect_port(void *handle, uint32_t port, void *data) {
  if (port < PORTS) ((impulse *)handle)->ports[port] = data;
}

static void run(void *handle, uint32_t frames) {
  impulse *me = handle;
  float *channels[2] = {me->ports[LEFT], me->ports[RIGHT]};
  for (int i = 0; i < 2; i++) memset(channels[i], 0, frames * sizeof(float));
  const lv2_sequence *in = me->ports[MIDI];
  const uint8_t *at = (const uint8_t *)(in + 1), *end = (const uint8_t *)in + 8 + in->atom.size;
  while (at < end) {
    const lv2_event *event = (const lv2_event *)at;
    const uint8_t *message = (const uint8_t *)(event + 1);
    if (event->body.type == me->midi && event->body.size == 3 && (message[0] & 0xF0) == 0x90 && (uint64_t)event->frame < frames)
      for (int i = 0; i < 2; i++) channels[i][event->frame] += (float)(message[1] + 1) / 256;
    at += sizeof *event + ((event->body.size + 7u) & ~7u);
  }
}

static void nothing(void *handle) { (void)handle; }

const lv2_plugin *lv2_descriptor(uint32_t index);

__attribute__((visibility("default"))) const lv2_plugin *lv2_descriptor(uint32_t index) {
  static const lv2_plugin descriptor = {"urn:cuebridge:impulse", instantiate, connect_port, nothing, run, nothing, free, NULL};
  return index ? NULL : &descriptor;
}
