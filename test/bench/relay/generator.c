/* RTP load for bench-relay.ts: both directions of N calls from one socket, each leg with its own address.
 * generator <calls-file> <sat|pace> <value> <warm-up ms> <measured ms> <core> <pid of the relay> <the relay's IPv4 address>
 * The legs are a.1.x.y and a.2.x.y, with a as in the relay's address. With relay port 0 a leg's packets go straight to the other leg.
 * The warm-up of pace is at least at WARM_UP_RATE, so that a relay that compiles while it runs has done so when it is measured.
 * calls-file: one line per call, "<relay port of the caller leg> <relay port of the agent leg>".
 * sat: <value> packets in flight, each arrival sends the next. pace: <value> packets per second, evenly.
 * Every forwarded packet is checked: it must reach the other leg's address, from the other leg's relay port, with the
 * payload that was sent. Prints one JSON object. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, PACKET = 172, HEADER = 12, PORT = 20000, LEGS_MAX = 8192, WARM_UP_RATE = 60000, SAMPLES_MAX = 1 << 20 };

struct leg { uint32_t ip; uint16_t relay_port; uint16_t sequence; uint32_t timestamp; uint32_t ssrc; };
static struct leg legs[LEGS_MAX];
static int order[LEGS_MAX], leg_count;
static float latency_us[SAMPLES_MAX];
static long sample_count;
static int sock;
static uint32_t relay_ip;
static uint64_t sent, received, bad;

static uint64_t clock_ns(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + t.tv_nsec;
}

static uint64_t now_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

/* CPU time of every thread of the relay, in ns. */
static uint64_t cpu_ns(int pid) {
  char path[128];
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR *dir = opendir(path);
  uint64_t total = 0;
  if (!dir) return 0;
  for (struct dirent *e; (e = readdir(dir));) {
    if (e->d_name[0] == '.') continue;
    char file[192];
    snprintf(file, sizeof file, "/proc/%d/task/%.20s/schedstat", pid, e->d_name);
    FILE *f = fopen(file, "r");
    unsigned long long ns = 0;
    if (f) { if (fscanf(f, "%llu", &ns) == 1) total += ns; fclose(f); }
  }
  closedir(dir);
  return total;
}

static void read_calls(const char *path) {
  FILE *f = fopen(path, "r");
  unsigned a, b;
  while (f && fscanf(f, "%u %u", &a, &b) == 2 && leg_count + 2 <= LEGS_MAX) {
    int n = leg_count / 2 + 1;
    for (int side = 0; side < 2; side++) {
      struct leg *l = &legs[leg_count + side];
      l->ip = htonl((ntohl(relay_ip) & 0xff000000u) | (uint32_t)(side + 1) << 16 | n);
      l->relay_port = htons(side ? b : a);
      l->ssrc = 0x10000000u + leg_count + side;
      l->sequence = (uint16_t)rand();
      l->timestamp = (uint32_t)rand();
    }
    leg_count += 2;
  }
  if (f) fclose(f);
  for (int i = 0; i < leg_count; i++) order[i] = i;
  for (int i = leg_count - 1; i > 0; i--) { int j = rand() % (i + 1), t = order[i]; order[i] = order[j]; order[j] = t; }
}

static char sbuf[BATCH][PACKET], rbuf[BATCH][2048], sctl[BATCH][64], rctl[BATCH][64];
static struct sockaddr_in saddr[BATCH], raddr[BATCH];
static struct iovec siov[BATCH], riov[BATCH];
static struct mmsghdr smsg[BATCH], rmsg[BATCH];
static int next_leg;

static void put32(char *p, uint32_t v) { v = htonl(v); memcpy(p, &v, 4); }

static void prepare(int slot, uint64_t now) {
  int id = order[next_leg];
  struct leg *l = &legs[id];
  next_leg = (next_leg + 1) % leg_count;
  char *p = sbuf[slot];
  p[0] = (char)0x80; p[1] = 8;
  uint16_t sequence = htons(l->sequence++);
  memcpy(p + 2, &sequence, 2);
  put32(p + 4, l->timestamp); put32(p + 8, l->ssrc);
  l->timestamp += 160;
  memset(p + HEADER, 0xd5, PACKET - HEADER);
  memcpy(p + HEADER, &now, 8); memcpy(p + HEADER + 8, &id, 4);
  saddr[slot] = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = l->relay_port, .sin_addr.s_addr = relay_ip };
  if (!l->relay_port) { saddr[slot].sin_port = htons(PORT); saddr[slot].sin_addr.s_addr = legs[id ^ 1].ip; }
  siov[slot] = (struct iovec){ p, PACKET };
  struct msghdr *m = &smsg[slot].msg_hdr;
  *m = (struct msghdr){ .msg_name = &saddr[slot], .msg_namelen = sizeof saddr[slot], .msg_iov = &siov[slot], .msg_iovlen = 1,
                        .msg_control = sctl[slot], .msg_controllen = CMSG_SPACE(sizeof(struct in_pktinfo)) };
  struct cmsghdr *c = CMSG_FIRSTHDR(m);
  c->cmsg_level = IPPROTO_IP; c->cmsg_type = IP_PKTINFO; c->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
  struct in_pktinfo info = { .ipi_spec_dst.s_addr = l->ip };
  memcpy(CMSG_DATA(c), &info, sizeof info);
}

static void send_packets(long count) {
  while (count > 0) {
    int n = count < BATCH ? count : BATCH;
    uint64_t now = now_ns();
    for (int i = 0; i < n; i++) prepare(i, now);
    int done = 0;
    while (done < n) { int r = sendmmsg(sock, smsg + done, n - done, 0); if (r <= 0) break; done += r; }
    sent += done;
    count -= n;
  }
}

static void check(int slot, int length, uint64_t now, int measuring) {
  struct msghdr *m = &rmsg[slot].msg_hdr;
  uint32_t to = 0;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) to = ((struct in_pktinfo *)CMSG_DATA(c))->ipi_addr.s_addr;
  char *p = rbuf[slot];
  uint64_t stamp; int id;
  memcpy(&stamp, p + HEADER, 8); memcpy(&id, p + HEADER + 8, 4);
  received++;
  if (length != PACKET || id < 0 || id >= leg_count) { bad++; return; }
  struct leg *other = &legs[id ^ 1];
  uint32_t from_ip = other->relay_port ? relay_ip : legs[id].ip;
  uint16_t from_port = other->relay_port ? other->relay_port : htons(PORT);
  int payload_ok = 1;
  for (int i = HEADER + 12; i < PACKET; i++) payload_ok &= p[i] == (char)0xd5;
  if (to != other->ip || raddr[slot].sin_port != from_port || raddr[slot].sin_addr.s_addr != from_ip ||
      (p[0] & 0xff) != 0x80 || (p[1] & 0x7f) != 8 || !payload_ok) { bad++; return; }
  if (measuring && sample_count < SAMPLES_MAX) latency_us[sample_count++] = (now - stamp) / 1000.0f;
}

static int receive_packets(int measuring) {
  for (int i = 0; i < BATCH; i++) {
    riov[i] = (struct iovec){ rbuf[i], sizeof rbuf[i] };
    rmsg[i].msg_hdr = (struct msghdr){ .msg_name = &raddr[i], .msg_namelen = sizeof raddr[i], .msg_iov = &riov[i], .msg_iovlen = 1,
                                       .msg_control = rctl[i], .msg_controllen = sizeof rctl[i] };
  }
  int n = recvmmsg(sock, rmsg, BATCH, MSG_DONTWAIT, NULL);
  if (n <= 0) return 0;
  uint64_t now = now_ns();
  for (int i = 0; i < n; i++) check(i, rmsg[i].msg_len, now, measuring);
  return n;
}

static int by_value(const void *a, const void *b) { float x = *(float *)a, y = *(float *)b; return x < y ? -1 : x > y; }
static double percentile(double share) { return sample_count ? latency_us[(long)((sample_count - 1) * share)] : 0; }

int main(int argc, char **argv) {
  if (argc != 9) return 2;
  relay_ip = inet_addr(argv[8]);
  int closed_loop = strcmp(argv[2], "sat") == 0, pid = atoi(argv[7]);
  double value = atof(argv[3]);
  cpu_set_t set;
  CPU_ZERO(&set); CPU_SET(atoi(argv[6]), &set);
  sched_setaffinity(0, sizeof set, &set);
  srand(1);
  read_calls(argv[1]);
  if (leg_count == 0) return 3;
  sock = socket(AF_INET, SOCK_DGRAM, 0);
  int on = 1, octets = 8 << 20;
  setsockopt(sock, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
  setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets);
  setsockopt(sock, SOL_SOCKET, SO_SNDBUFFORCE, &octets, sizeof octets);
  struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(PORT) };
  if (bind(sock, (struct sockaddr *)&any, sizeof any) != 0) return 4;
  uint64_t start = now_ns(), begin = start + atol(argv[4]) * 1000000ull, end = begin + atol(argv[5]) * 1000000ull;
  uint64_t sent0 = 0, received0 = 0, cpu0 = 0, own0 = 0, measured_from = 0, last_arrival = start, lost = 0;
  uint64_t paced = 0;
  /* A gentle beginning: one packet per leg, so that a relay that learns has learned. */
  for (int i = 0; i < leg_count; i += 32) { send_packets(leg_count - i < 32 ? leg_count - i : 32); usleep(500); receive_packets(0); }
  usleep(100000);
  while (receive_packets(0)) {}
  start = now_ns();
  sent = received = bad = 0;
  if (closed_loop) send_packets((long)value);
  for (;;) {
    uint64_t now = now_ns();
    if (now >= end) break;
    if (!measured_from && now >= begin) { measured_from = now; sent0 = sent; received0 = received; cpu0 = cpu_ns(pid); own0 = clock_ns(CLOCK_THREAD_CPUTIME_ID); paced = 0; }
    int n = receive_packets(measured_from != 0);
    if (closed_loop) {
      if (n > 0) { last_arrival = now; send_packets(n); }
      else if (now - last_arrival > 50000000ull) { lost += (uint64_t)value; last_arrival = now; send_packets((long)value); }
    } else {
      double rate = !measured_from && value < WARM_UP_RATE ? WARM_UP_RATE : value;
      uint64_t from = measured_from ? measured_from : start;
      uint64_t due = (uint64_t)((now - from) * rate / 1e9);
      if (due > paced) { uint64_t k = due - paced; if (k > 256) k = 256; send_packets(k); paced = due; }
    }
  }
  uint64_t stop = now_ns(), cpu1 = cpu_ns(pid), own1 = clock_ns(CLOCK_THREAD_CPUTIME_ID), measured_sent = sent - sent0, measured_received = received - received0;
  double seconds = (stop - measured_from) / 1e9;
  usleep(50000);
  while (receive_packets(0)) {}
  qsort(latency_us, sample_count, sizeof *latency_us, by_value);
  printf("{\"sent\":%llu,\"received\":%llu,\"bad\":%llu,\"seconds\":%.6f,\"packetsPerSecond\":%.1f,\"relayCpuSeconds\":%.6f,\"generatorCpuSeconds\":%.6f,"
         "\"receivedWhole\":%llu,\"lostWhole\":%lld,\"topUps\":%llu,\"p50Us\":%.1f,\"p99Us\":%.1f}\n",
         (unsigned long long)measured_sent, (unsigned long long)measured_received, (unsigned long long)bad, seconds,
         measured_received / seconds, (cpu1 - cpu0) / 1e9, (own1 - own0) / 1e9, (unsigned long long)received, (long long)(sent - received), (unsigned long long)lost,
         percentile(0.5), percentile(0.99));
  return 0;
}
