/* A CLAP host that does what its standard input says and writes what the plugin sent to its standard output.
 *
 *   clap-host PLUGIN.clap
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

#include "../src/clap_abi.h"

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

enum { MOST_EVENTS = 64, MOST_FRAMES = 8192 };

typedef union {
  clap_event header;
  clap_transport transport;
  clap_param_value value;
} event;

static event waiting[MOST_EVENTS];
static uint32_t waiting_count, block_number, room, dirty, wanted_callback;
static const clap_plugin *plugin;

static void quit(const char *why) {
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

/* The host's side of the interface */
static void mark_dirty(const clap_host *host) {
  (void)host;
  dirty++;
}
static const clap_host_state HOST_STATE = {mark_dirty};
static const void *host_extension(const clap_host *host, const char *id) {
  (void)host;
  return strcmp(id, "clap.state") == 0 ? &HOST_STATE : NULL;
}
static void nothing(const clap_host *host) { (void)host; }
static void callback(const clap_host *host) {
  (void)host;
  __atomic_store_n(&wanted_callback, 1, __ATOMIC_SEQ_CST);
}
static const clap_host HOST = {{1, 1, 0}, NULL, "clap-host", "CueBridge", "", "1", host_extension, nothing, nothing, callback};

static uint32_t in_size(const clap_input_events *list) {
  (void)list;
  return waiting_count;
}
static const clap_event *in_get(const clap_input_events *list, uint32_t index) {
  (void)list;
  return &waiting[index].header;
}
static bool out_push(const clap_output_events *list, const clap_event *pushed) {
  (void)list;
  const clap_midi *midi = (const clap_midi *)pushed;
  if (pushed->type != CLAP_MIDI || pushed->size != sizeof *midi) quit("a message that is no MIDI");
  if (room == 0) return false;
  room--;
  put("E", 1);
  put(&block_number, 4);
  put(&pushed->time, 4);
  put(midi->data, 3);
  return true;
}

static int64_t write_state(const clap_ostream *stream, const void *bytes, uint64_t size) {
  FILE **into = stream->ctx;
  return (int64_t)fwrite(bytes, 1, size > 1000 ? 1000 : size, *into); /* hosts may take less at a time */
}

typedef struct {
  const uint8_t *bytes;
  uint64_t left;
} source;

static int64_t read_state(const clap_istream *stream, void *bytes, uint64_t size) {
  source *from = stream->ctx;
  uint64_t count = size < from->left ? size : from->left;
  if (count > 777) count = 777;
  memcpy(bytes, from->bytes, count);
  from->bytes += count;
  from->left -= count;
  return (int64_t)count;
}

static void save(void) {
  FILE *file = tmpfile();
  const clap_state *state = plugin->get_extension(plugin, "clap.state");
  if (file == NULL || !state->save(plugin, &(clap_ostream){&file, write_state})) quit("it did not save");
  uint32_t size = (uint32_t)ftell(file);
  uint8_t *bytes = malloc(size + 1);
  rewind(file);
  if (fread(bytes, 1, size, file) != size) quit("the state cannot be read again");
  fclose(file);
  put("S", 1);
  put(&size, 4);
  put(bytes, size);
  free(bytes);
}

static void load(void) {
  uint32_t size = get_u32();
  uint8_t *bytes = malloc(size + 1);
  if (!get(bytes, size)) quit("the input ends within a state");
  const clap_state *state = plugin->get_extension(plugin, "clap.state");
  source from = {bytes, size};
  uint8_t loaded = state->load(plugin, &(clap_istream){&from, read_state});
  free(bytes);
  put("L", 1);
  put(&loaded, 1);
}

/* u32 flags, f64 seconds, beats, bpm, bpm a frame, start and end of the loop in seconds, then in beats. */
static void read_transport(clap_transport *transport) {
  memset(transport, 0, sizeof *transport);
  transport->header = (clap_event){sizeof *transport, 0, 0, CLAP_TRANSPORT, 0};
  transport->flags = get_u32();
  transport->song_pos_seconds = (int64_t)(get_f64() * CLAP_TIME_FACTOR);
  transport->song_pos_beats = (int64_t)(get_f64() * CLAP_TIME_FACTOR);
  transport->tempo = get_f64();
  transport->tempo_inc = get_f64();
  transport->loop_start_seconds = (int64_t)(get_f64() * CLAP_TIME_FACTOR);
  transport->loop_end_seconds = (int64_t)(get_f64() * CLAP_TIME_FACTOR);
  transport->loop_start_beats = (int64_t)(get_f64() * CLAP_TIME_FACTOR);
  transport->loop_end_beats = (int64_t)(get_f64() * CLAP_TIME_FACTOR);
  transport->tsig_num = transport->tsig_denom = 4;
}

static event *next_event(void) {
  if (waiting_count == MOST_EVENTS) quit("too many events for one block");
  return &waiting[waiting_count++];
}

static uint64_t blocks;
static uint32_t *took_ns;

static void process(void) {
  static float left[MOST_FRAMES], right[MOST_FRAMES];
  float *channels[2] = {left, right};
  clap_transport transport;
  read_transport(&transport);
  uint32_t frames = get_u32();
  room = get_u32();
  if (frames > MOST_FRAMES) quit("a block of more frames than were promised");
  for (uint32_t i = 0; i < frames; i++) left[i] = right[i] = 1;
  clap_audio_buffer buffer = {.data32 = channels, .channel_count = 2};
  clap_process now = {.steady_time = -1,
                      .frames_count = frames,
                      .transport = &transport,
                      .audio_outputs = &buffer,
                      .audio_outputs_count = 1,
                      .in_events = &(clap_input_events){NULL, in_size, in_get},
                      .out_events = &(clap_output_events){NULL, out_push}};
  uint64_t before = clock_ns();
  if (plugin->process(plugin, &now) == CLAP_ERROR) quit("the plugin says that it failed");
  uint64_t took = clock_ns() - before;
  if ((blocks & (blocks + 1)) == 0) took_ns = realloc(took_ns, (2 * blocks + 2) * sizeof *took_ns);
  if (took_ns == NULL) quit("no memory");
  took_ns[blocks++] = took < UINT32_MAX ? (uint32_t)took : UINT32_MAX;
  for (uint32_t i = 0; i < frames; i++)
    if (left[i] != 0 || right[i] != 0) quit("the output is not silent");
  waiting_count = 0;
  block_number++;
}

static void answer(void) {
  if (__atomic_exchange_n(&wanted_callback, 0, __ATOMIC_SEQ_CST)) plugin->on_main_thread(plugin);
  put("Q", 1);
  put(&dirty, 4);
  fflush(stdout);
}

static bool one_record(double rate) {
  char kind;
  if (!get(&kind, 1)) return false;
  if (kind == 'B') process();
  else if (kind == 'T') {
    event *at = next_event();
    uint32_t frame = get_u32();
    read_transport(&at->transport);
    at->header.time = frame;
  } else if (kind == 'P') {
    event *at = next_event();
    memset(at, 0, sizeof *at);
    at->header = (clap_event){sizeof at->value, 0, 0, CLAP_PARAM_VALUE, 0};
    at->value.param_id = get_u32();
    at->value.value = get_f64();
  } else if (kind == 'L') load();
  else if (kind == 'S') save();
  else if (kind == 'R') plugin->reset(plugin);
  else if (kind == 'D') {
    plugin->stop_processing(plugin);
    plugin->deactivate(plugin);
    plugin->activate(plugin, rate, 1, MOST_FRAMES);
    plugin->start_processing(plugin);
  } else if (kind == 'W') {
    fflush(stdout);
    wait_ms(get_u32());
  } else if (kind == 'Q') answer();
  else return false;
  return true;
}

int main(int count, char **arguments) {
#ifdef _WIN32
  _setmode(_fileno(stdin), _O_BINARY);
  _setmode(_fileno(stdout), _O_BINARY);
#endif
  void *library = count == 2 ? open_plugin(arguments[1]) : NULL;
  const clap_entry_point *entry = library == NULL ? NULL : symbol(library, "clap_entry");
  if (entry == NULL || !entry->init(arguments[1])) quit("no plugin there");
  const clap_factory *factory = entry->get_factory("clap.plugin-factory");
  if (factory == NULL || factory->get_plugin_count(factory) != 1) quit("no factory of one plugin");
  plugin = factory->create_plugin(factory, &HOST, factory->get_plugin_descriptor(factory, 0)->id);
  if (plugin == NULL || !plugin->init(plugin)) quit("it cannot be made");
  double rate = get_f64();
  if (!plugin->activate(plugin, rate, 1, MOST_FRAMES) || !plugin->start_processing(plugin)) quit("it cannot be activated");
  while (one_record(rate)) continue;
  plugin->stop_processing(plugin);
  plugin->deactivate(plugin);
  plugin->destroy(plugin);
  entry->deinit();
  put("Z", 1);
  put(&blocks, 8);
  put(took_ns, blocks * sizeof *took_ns);
  return 0;
}
