/* A plugin host that does what its standard input says and writes what the plugin sent to its standard output.
 *
 *   clap-host PLUGIN.clap      vst3-host PLUGIN.so
 *
 * In, little endian: a double, frames a second; then records of one letter and its values:
 *   B block: transport (see `read_transport`), u32 frames, u32 room for messages     T transport event: u32 frame, transport
 *   P parameter: u32 id, f64 value      L load: u32 size, bytes      S save      R reset      D deactivate and activate
 *   W wait: u32 ms                      Q answer                     anything else, or the end: the plugin is destroyed
 * Out: E u32 block, u32 frame, u8 status, u8, u8;  S u32 size, bytes;  L u8 success;  Q u32 times marked dirty;
 *   Z u64 blocks, then u32 ns of processor time of each
 */
#if !defined(_WIN32) && !defined(_DEFAULT_SOURCE)
#define _DEFAULT_SOURCE
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host.h"

#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#include <windows.h>
static void *open_plugin(const char *path) { return (void *)LoadLibraryA(path); }
static void *symbol(void *library, const char *name) { return (void *)GetProcAddress((HMODULE)library, name); }
static void wait_ms(uint32_t ms) { Sleep(ms); }
static uint64_t clock_ns(void) {
  LARGE_INTEGER now, frequency;
  QueryPerformanceCounter(&now);
  QueryPerformanceFrequency(&frequency);
  return (uint64_t)(now.QuadPart * (1e9 / frequency.QuadPart));
}
#else
#include <dlfcn.h>
static void *open_plugin(const char *path) {
  void *library = dlopen(path, RTLD_NOW);
  if (library == NULL) fprintf(stderr, "%s\n", dlerror());
  return library;
}
static void *symbol(void *library, const char *name) { return dlsym(library, name); }
static void wait_ms(uint32_t ms) {
  struct timespec wait = {ms / 1000, (long)(ms % 1000) * 1000000};
  nanosleep(&wait, NULL);
}
static uint64_t clock_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now); /* not what else the machine does meanwhile */
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
#endif

static uint32_t block_number, room;
static void *library;

void quit(const char *why) {
  fprintf(stderr, "%s\n", why);
  exit(1);
}

static bool get(void *to, size_t size) { return fread(to, 1, size, stdin) == size; }

static uint32_t get_u32(void) {
  uint32_t value;
  if (!get(&value, sizeof value)) quit("the input ends within a record");
  return value;
}

static double get_f64(void) {
  double value;
  if (!get(&value, sizeof value)) quit("the input ends within a record");
  return value;
}

static void put(const void *from, size_t size) {
  if (fwrite(from, 1, size, stdout) != size) quit("the output is closed");
}

/* Records of messages, kept until the block is over: what it takes to write them is not the plugin's time. */
enum { RECORD = 12, WAITING = 16384 };
static uint8_t waiting[WAITING][RECORD];
static uint32_t waiting_count;

static void write_waiting(void) {
  put(waiting, (size_t)waiting_count * RECORD);
  waiting_count = 0;
}

bool heard(uint32_t frame, uint8_t status, uint8_t data1, uint8_t data2) {
  if (room == 0) return false;
  room--;
  if (waiting_count == WAITING) write_waiting();
  uint8_t *record = waiting[waiting_count++];
  record[0] = 'E';
  memcpy(record + 1, &block_number, 4);
  memcpy(record + 5, &frame, 4);
  record[9] = status;
  record[10] = data1;
  record[11] = data2;
  return true;
}

static void save(void) {
  uint32_t size;
  uint8_t *bytes = plugin_save(&size);
  put("S", 1);
  put(&size, 4);
  put(bytes, size);
  free(bytes);
}

static void load(void) {
  uint32_t size = get_u32();
  uint8_t *bytes = malloc(size + 1);
  if (!get(bytes, size)) quit("the input ends within a state");
  uint8_t loaded = plugin_load(bytes, size);
  free(bytes);
  put("L", 1);
  put(&loaded, 1);
}

/* u32 flags, f64 seconds, beats, bpm, bpm a frame, start and end of the loop in seconds, then in beats. */
static transport read_transport(void) {
  transport at = {.flags = get_u32()};
  at.seconds = get_f64();
  at.beats = get_f64();
  at.bpm = get_f64();
  at.bpm_step = get_f64();
  for (int i = 0; i < 2; i++) at.loop_s[i] = get_f64();
  for (int i = 0; i < 2; i++) at.loop_beats[i] = get_f64();
  return at;
}

static uint64_t blocks;
static uint32_t *took_ns;

static void process(void) {
  static float left[MOST_FRAMES], right[MOST_FRAMES];
  float *channels[2] = {left, right};
  transport at = read_transport();
  uint32_t frames = get_u32();
  room = get_u32();
  if (frames > MOST_FRAMES) quit("a block of more frames than were promised");
  for (uint32_t i = 0; i < frames; i++) left[i] = right[i] = 1;
  uint64_t before = clock_ns();
  plugin_process(&at, frames, channels);
  uint64_t took = clock_ns() - before;
  write_waiting();
  if ((blocks & (blocks + 1)) == 0) took_ns = realloc(took_ns, (2 * blocks + 2) * sizeof *took_ns);
  if (took_ns == NULL) quit("no memory");
  took_ns[blocks++] = took < UINT32_MAX ? (uint32_t)took : UINT32_MAX;
  for (uint32_t i = 0; i < frames; i++)
    if (left[i] != 0 || right[i] != 0) quit("the output is not silent");
  block_number++;
}

static void answer(void) {
  uint32_t dirty = plugin_dirty();
  put("Q", 1);
  put(&dirty, 4);
  fflush(stdout);
}

static bool one_record(double rate) {
  char kind;
  if (!get(&kind, 1)) return false;
  if (kind == 'B') process();
  else if (kind == 'T') {
    uint32_t frame = get_u32();
    transport at = read_transport();
    plugin_transport(frame, &at);
  } else if (kind == 'P') {
    uint32_t id = get_u32();
    plugin_set(id, get_f64());
  } else if (kind == 'L') load();
  else if (kind == 'S') save();
  else if (kind == 'R') plugin_reset();
  else if (kind == 'D') {
    plugin_deactivate();
    plugin_activate(rate);
  } else if (kind == 'W') {
    fflush(stdout);
    wait_ms(get_u32());
  } else if (kind == 'Q') answer();
  else return false;
  return true;
}

static void *found(const char *name) { return symbol(library, name); }

int main(int count, char **arguments) {
#ifdef _WIN32
  _setmode(_fileno(stdin), _O_BINARY);
  _setmode(_fileno(stdout), _O_BINARY);
#endif
  library = count == 2 ? open_plugin(arguments[1]) : NULL;
  if (library == NULL) quit("no plugin there");
  plugin_open(found, arguments[1]);
  double rate = get_f64();
  plugin_activate(rate);
  while (one_record(rate)) continue;
  plugin_deactivate();
  plugin_close();
  put("Z", 1);
  put(&blocks, 8);
  put(took_ns, blocks * sizeof *took_ns);
  free(took_ns);
  return 0;
}
