#include "wire.h"

/* BLAKE2s, RFC 7693 -------------------------------------------------------------------------------------------------------- */

static const uint32_t INITIAL[8] = {0x6A09E667u, 0xBB67AE85u, 0x3C6EF372u, 0xA54FF53Au,
                                    0x510E527Fu, 0x9B05688Cu, 0x1F83D9ABu, 0x5BE0CD19u};
static const uint8_t SIGMA[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

typedef struct {
  uint32_t h[8];
  uint64_t count;
  uint8_t block[64];
  size_t used;
} hash;

static uint32_t rotate(uint32_t x, int by) { return x >> by | x << (32 - by); }

static void mix(uint32_t *v, int a, int b, int c, int d, uint32_t x, uint32_t y) {
  v[a] += v[b] + x;
  v[d] = rotate(v[d] ^ v[a], 16);
  v[c] += v[d];
  v[b] = rotate(v[b] ^ v[c], 12);
  v[a] += v[b] + y;
  v[d] = rotate(v[d] ^ v[a], 8);
  v[c] += v[d];
  v[b] = rotate(v[b] ^ v[c], 7);
}

static void compress(hash *of, bool last) {
  uint32_t v[16], m[16];
  for (int i = 0; i < 16; i++) {
    const uint8_t *at = &of->block[4 * i];
    m[i] = at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
  }
  memcpy(v, of->h, sizeof of->h);
  memcpy(v + 8, INITIAL, sizeof INITIAL);
  v[12] ^= (uint32_t)of->count;
  v[13] ^= (uint32_t)(of->count >> 32);
  if (last) v[14] = ~v[14];
  for (int round = 0; round < 10; round++) {
    const uint8_t *s = SIGMA[round];
    for (int i = 0; i < 4; i++) mix(v, i, 4 + i, 8 + i, 12 + i, m[s[2 * i]], m[s[2 * i + 1]]);
    for (int i = 0; i < 4; i++)
      mix(v, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, m[s[8 + 2 * i]], m[s[9 + 2 * i]]);
  }
  for (int i = 0; i < 8; i++) of->h[i] ^= v[i] ^ v[8 + i];
}

static void feed(hash *of, const uint8_t *bytes, size_t size) {
  while (size) {
    if (of->used == 64) {
      of->count += 64;
      compress(of, false);
      of->used = 0;
    }
    size_t take = 64 - of->used < size ? 64 - of->used : size;
    memcpy(of->block + of->used, bytes, take);
    of->used += take;
    bytes += take;
    size -= take;
  }
}

void cb_seal(const uint8_t token[CB_TOKEN], const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
             uint8_t seal[CB_SEAL]) {
  hash of = {.used = 64};
  memcpy(of.h, INITIAL, sizeof INITIAL);
  of.h[0] ^= 0x01010000u ^ CB_TOKEN << 8 ^ CB_SEAL;
  memcpy(of.block, token, CB_TOKEN);
  feed(&of, a, a_size);
  feed(&of, b, b_size);
  of.count += of.used;
  memset(of.block + of.used, 0, 64 - of.used);
  compress(&of, true);
  for (int i = 0; i < CB_SEAL; i++) seal[i] = (uint8_t)(of.h[i / 4] >> 8 * (i % 4));
}

/* Datagrams ----------------------------------------------------------------------------------------------------------------- */

static void put(uint8_t *at, uint64_t value, unsigned count) {
  for (unsigned i = 0; i < count; i++) at[i] = (uint8_t)(value >> 8 * i);
}

size_t cb_wire_write(uint8_t *bytes, const uint8_t token[CB_TOKEN], uint8_t kind, uint64_t instance, uint64_t epoch,
                     uint32_t number, const uint8_t *content, size_t size) {
  if (size > CB_DATAGRAM - CB_HEAD) return 0;
  memcpy(bytes, "CBPL", 4);
  bytes[4] = CB_WIRE_VERSION;
  bytes[5] = kind;
  put(bytes + 6, CB_HEAD + size, 2);
  put(bytes + 8, instance, 8);
  put(bytes + 16, epoch, 8);
  put(bytes + 24, number, 4);
  if (size) memcpy(bytes + CB_HEAD, content, size);
  cb_seal(token, bytes, CB_HEAD - CB_SEAL, bytes + CB_HEAD, size, bytes + CB_HEAD - CB_SEAL);
  return CB_HEAD + size;
}

bool cb_wire_read(const uint8_t *bytes, size_t size, const uint8_t token[CB_TOKEN], cb_datagram *datagram) {
  if (size < CB_HEAD || memcmp(bytes, "CBPL", 4) != 0 || bytes[4] != CB_WIRE_VERSION) return false;
  cb_reader head = {bytes, size, 5, false};
  datagram->kind = cb_get_u8(&head);
  if (cb_get_u16(&head) != size) return false;
  datagram->instance = cb_get_u64(&head);
  datagram->epoch = cb_get_u64(&head);
  datagram->number = cb_get_u32(&head);
  uint8_t seal[CB_SEAL], differs = 0;
  cb_seal(token, bytes, CB_HEAD - CB_SEAL, bytes + CB_HEAD, size - CB_HEAD, seal);
  for (int i = 0; i < CB_SEAL; i++) differs |= seal[i] ^ bytes[CB_HEAD - CB_SEAL + i];
  datagram->content = (cb_reader){bytes + CB_HEAD, size - CB_HEAD, 0, false};
  return differs == 0;
}

/* A plan in pieces ------------------------------------------------------------------------------------------------------------ */

enum { MAX_BYTES = 32 * 1024 * 1024 };

void cb_assembly_clear(cb_assembly *assembly) {
  free(assembly->bytes);
  free(assembly->present);
  memset(assembly, 0, sizeof *assembly);
}

bool cb_assembly_take(cb_assembly *assembly, cb_reader *content) {
  uint32_t transfer = cb_get_u32(content), index = cb_get_u16(content), count = cb_get_u16(content);
  uint32_t size = cb_get_u32(content);
  uint64_t over = cb_get_u64(content);
  if (content->failed || size == 0 || size > MAX_BYTES || count != (size + CB_PIECE - 1) / CB_PIECE || index >= count)
    return false;
  uint32_t length = index + 1 < count ? CB_PIECE : size - (count - 1) * CB_PIECE;
  if (cb_left(content) != length) return false;
  if (assembly->bytes == NULL || assembly->transfer != transfer) {
    cb_assembly_clear(assembly);
    assembly->bytes = malloc(size);
    assembly->present = calloc(count, 1);
    if (assembly->bytes == NULL || assembly->present == NULL) {
      cb_assembly_clear(assembly);
      return false;
    }
    assembly->transfer = transfer;
    assembly->over = over;
    assembly->size = size;
    assembly->count = assembly->missing = count;
  }
  if (assembly->size != size) return false;
  if (assembly->present[index]) return true;
  cb_get_bytes(content, assembly->bytes + (size_t)index * CB_PIECE, length);
  assembly->present[index] = 1;
  assembly->missing--;
  return true;
}

uint32_t cb_assembly_first_missing(const cb_assembly *assembly) {
  uint32_t index = 0;
  while (index < assembly->count && assembly->present[index]) index++;
  return index;
}
