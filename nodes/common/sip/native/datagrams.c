// SPDX-License-Identifier: Apache-2.0
// UDP with recvmmsg and sendmmsg: many datagrams by one system call, and no object made for any of them. Node's dgram makes one
// call and several objects a datagram. Node-API only, so that one binary fits every Node from 20 on; of libuv just what is
// declared below.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <node_api.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

// libuv's public names (stable since 1.19); its structures stay opaque.
typedef struct uv_poll_s uv_poll_t;
typedef struct uv_handle_s uv_handle_t;
enum { UV_POLL = 8, UV_READABLE = 1 };
size_t uv_handle_size(int type);
int uv_handle_get_type(const uv_handle_t *handle);
void uv_handle_set_data(uv_handle_t *handle, void *data);
void *uv_handle_get_data(const uv_handle_t *handle);
void uv_close(uv_handle_t *handle, void (*closed)(uv_handle_t *));
int uv_poll_init(struct uv_loop_s *loop, uv_poll_t *handle, int fd);
int uv_poll_start(uv_poll_t *handle, int events, void (*ready)(uv_poll_t *, int status, int events));

#define BATCH 64
// Words of a datagram's row: length, port, scope, address (one word or four, network order), and of one received how long it
// waited in the socket, in microseconds.
#define ROW 8
#define WAITED 7
// Nothing waits longer; what seems to was stamped before the system's clock was set.
#define LONGEST_WAIT_S 60

typedef struct {
  napi_env env;
  napi_async_context context;
  napi_ref self;     // what the callback is called on
  napi_ref ready;    // called when there is something to read
  napi_ref buffers;  // keeps the four buffers alive
  uv_poll_t *poll;
  int fd;
  int family;
  unsigned char *in, *out;
  uint32_t *in_rows, *out_rows;
  size_t slot;  // octets of `in` for one datagram
  struct mmsghdr headers[BATCH];
  struct iovec vectors[BATCH];
  struct sockaddr_in6 addresses[BATCH];
  union {
    char bytes[CMSG_SPACE(sizeof(struct timespec))];
    struct cmsghdr aligned;
  } stamps[BATCH];
} udp_socket;

#define CHECK(call) \
  if ((call) != napi_ok) return NULL

static napi_value failure(napi_env env, const char *what, int number) {
  napi_value error, code, message;
  napi_create_string_utf8(env, what, NAPI_AUTO_LENGTH, &code);
  napi_create_string_utf8(env, strerror(number), NAPI_AUTO_LENGTH, &message);
  napi_create_error(env, code, message, &error);
  napi_throw(env, error);
  return NULL;
}

static void on_ready(uv_poll_t *poll, int status, int events) {
  (void)status;
  (void)events;
  udp_socket *s = uv_handle_get_data((uv_handle_t *)poll);
  napi_handle_scope scope;
  napi_value self, ready, result;
  if (napi_open_handle_scope(s->env, &scope) != napi_ok) return;
  napi_get_reference_value(s->env, s->self, &self);
  napi_get_reference_value(s->env, s->ready, &ready);
  if (napi_make_callback(s->env, s->context, self, ready, 0, NULL, &result) == napi_pending_exception) {
    napi_value error;
    napi_get_and_clear_last_exception(s->env, &error);
    napi_fatal_exception(s->env, error);
  }
  napi_close_handle_scope(s->env, scope);
}

static void on_closed(uv_handle_t *handle) { free(handle); }

static void shut(udp_socket *s) {
  if (s->poll == NULL) return;
  uv_close((uv_handle_t *)s->poll, on_closed);
  s->poll = NULL;
  close(s->fd);
  s->fd = -1;
  napi_delete_reference(s->env, s->self);
  napi_delete_reference(s->env, s->ready);
  napi_delete_reference(s->env, s->buffers);
  napi_async_destroy(s->env, s->context);
}

static void finalize(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  udp_socket *s = data;
  if (s->poll == NULL) free(s);  // an open socket is held by its references; at the end of the process nothing matters
}

static void *bytes_of(napi_env env, napi_value buffers, uint32_t index, size_t *length) {
  napi_value one;
  void *data = NULL;
  napi_get_element(env, buffers, index, &one);
  napi_get_buffer_info(env, one, &data, length);
  return data;
}

// How a port is had: for this socket alone, among several sockets (SO_REUSEPORT: the kernel gives each of them its share of the far
// ends), or, from 0 on, by the descriptor of a socket that somebody else has bound.
enum { ALONE = -1, AMONG_OTHERS = -2 };

// Where a socket is bound, and with how large a buffer: 0 for the usual one.
typedef struct {
  int32_t family, port, receive_buffer;
  char host[64];
} place;

// The first four arguments: family 4|6, host, port, receiveBuffer.
static bool place_of(napi_env env, const napi_value *argv, place *at) {
  size_t length;
  return napi_get_value_int32(env, argv[0], &at->family) == napi_ok &&
         napi_get_value_string_utf8(env, argv[1], at->host, sizeof at->host, &length) == napi_ok &&
         napi_get_value_int32(env, argv[2], &at->port) == napi_ok &&
         napi_get_value_int32(env, argv[3], &at->receive_buffer) == napi_ok;
}

// A bound socket, or -1 with the exception thrown.
static int bound(napi_env env, const place *at, int32_t how) {
  struct sockaddr_in6 address = {0};
  socklen_t length = at->family == 6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
  int known = 0;
  if (at->family == 6) {
    address.sin6_family = AF_INET6;
    address.sin6_port = htons((uint16_t)at->port);
    known = inet_pton(AF_INET6, at->host, &address.sin6_addr);
  } else {
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
    v4->sin_family = AF_INET;
    v4->sin_port = htons((uint16_t)at->port);
    known = inet_pton(AF_INET, at->host, &v4->sin_addr);
  }
  if (known != 1) {
    failure(env, "EINVAL", EINVAL);
    return -1;
  }
  int fd = socket(at->family == 6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    failure(env, "socket", errno);
    return -1;
  }
  int on = 1;
  if (at->receive_buffer > 0) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &at->receive_buffer, sizeof at->receive_buffer);
  if (how == AMONG_OTHERS) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  if (bind(fd, (struct sockaddr *)&address, length) == 0) return fd;
  int number = errno;
  close(fd);
  failure(env, number == EADDRINUSE ? "EADDRINUSE" : number == EACCES ? "EACCES" : number == EADDRNOTAVAIL ? "EADDRNOTAVAIL" : "bind", number);
  return -1;
}

// open(family 4|6, host, port, receiveBuffer, [in, inRows, out, outRows], ready, how) -> socket. Throws with the system's words.
static napi_value open_socket(napi_env env, napi_callback_info info) {
  size_t argc = 7;
  napi_value argv[7], result, name;
  int32_t how = ALONE;
  place at;
  CHECK(napi_get_cb_info(env, info, &argc, argv, NULL, NULL));
  if (!place_of(env, argv, &at)) return NULL;
  CHECK(napi_get_value_int32(env, argv[6], &how));
  int fd;
  if (how >= 0) {
    // A descriptor of our own: closing it leaves the socket with whoever has it too.
    if ((fd = fcntl(how, F_DUPFD_CLOEXEC, 3)) < 0) return failure(env, "EBADF", errno);
  } else if ((fd = bound(env, &at, how)) < 0) return NULL;

  udp_socket *s = calloc(1, sizeof *s);
  uv_poll_t *poll = calloc(1, uv_handle_size(UV_POLL));
  struct uv_loop_s *loop = NULL;
  if (s == NULL || poll == NULL || napi_get_uv_event_loop(env, &loop) != napi_ok || uv_poll_init(loop, poll, fd) != 0) {
    free(s);
    free(poll);
    close(fd);
    return failure(env, "uv_poll_init", ENOMEM);
  }
  s->env = env;
  s->poll = poll;
  s->fd = fd;
  s->family = at.family;
  size_t in_length = 0, rows_length = 0, ignored;
  s->in = bytes_of(env, argv[4], 0, &in_length);
  s->in_rows = bytes_of(env, argv[4], 1, &rows_length);
  s->out = bytes_of(env, argv[4], 2, &ignored);
  s->out_rows = bytes_of(env, argv[4], 3, &ignored);
  s->slot = in_length / BATCH;
  CHECK(napi_create_reference(env, argv[4], 1, &s->buffers));
  CHECK(napi_create_reference(env, argv[5], 1, &s->ready));
  CHECK(napi_create_external(env, s, finalize, NULL, &result));
  CHECK(napi_create_reference(env, result, 1, &s->self));
  CHECK(napi_create_string_utf8(env, "tidewater.udp", NAPI_AUTO_LENGTH, &name));
  CHECK(napi_async_init(env, NULL, name, &s->context));
  for (int i = 0; i < BATCH; i++) {
    s->headers[i].msg_hdr.msg_name = &s->addresses[i];
    s->headers[i].msg_hdr.msg_iov = &s->vectors[i];
    s->headers[i].msg_hdr.msg_iovlen = 1;
  }
  uv_handle_set_data((uv_handle_t *)poll, s);
  if (uv_handle_get_type((uv_handle_t *)poll) != UV_POLL || uv_poll_start(poll, UV_READABLE, on_ready) != 0) {
    shut(s);
    return failure(env, "uv_poll_start", EINVAL);
  }
  return result;
}

static udp_socket *socket_of(napi_env env, napi_callback_info info, size_t *argc, napi_value *argv) {
  void *data = NULL;
  if (napi_get_cb_info(env, info, argc, argv, NULL, NULL) != napi_ok) return NULL;
  if (napi_get_value_external(env, argv[0], &data) != napi_ok) return NULL;
  return data;
}

static napi_value number(napi_env env, int32_t value) {
  napi_value result;
  napi_create_int32(env, value, &result);
  return result;
}

// Since the kernel took the datagram; 0 when it has not said.
static uint32_t waited_us(struct msghdr *header, const struct timespec *now) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
    struct timespec then;
    memcpy(&then, CMSG_DATA(c), sizeof then);
    long long us = (now->tv_sec - then.tv_sec) * 1000000LL + (now->tv_nsec - then.tv_nsec) / 1000;
    return us < 0 || us > LONGEST_WAIT_S * 1000000LL ? 0 : (uint32_t)us;
  }
  return 0;
}

// receive(socket) -> datagrams read, at most BATCH; a datagram longer than its slot has length 0.
static napi_value receive(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argv[1];
  udp_socket *s = socket_of(env, info, &argc, argv);
  if (s == NULL || s->fd < 0) return number(env, 0);
  for (int i = 0; i < BATCH; i++) {
    s->vectors[i].iov_base = s->in + (size_t)i * s->slot;
    s->vectors[i].iov_len = s->slot;
    s->headers[i].msg_hdr.msg_namelen = sizeof s->addresses[i];
    s->headers[i].msg_hdr.msg_control = s->stamps[i].bytes;
    s->headers[i].msg_hdr.msg_controllen = sizeof s->stamps[i].bytes;
    s->headers[i].msg_hdr.msg_flags = 0;
  }
  int count = recvmmsg(s->fd, s->headers, BATCH, MSG_DONTWAIT, NULL);
  if (count <= 0) return number(env, 0);
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  for (int i = 0; i < count; i++) {
    uint32_t *row = s->in_rows + i * ROW;
    row[0] = (s->headers[i].msg_hdr.msg_flags & MSG_TRUNC) ? 0 : s->headers[i].msg_len;
    row[1] = ntohs(s->addresses[i].sin6_port);
    row[WAITED] = waited_us(&s->headers[i].msg_hdr, &now);
    if (s->family == 6) {
      row[2] = s->addresses[i].sin6_scope_id;
      memcpy(row + 3, &s->addresses[i].sin6_addr, 16);
    } else {
      row[2] = 0;
      row[3] = ((struct sockaddr_in *)&s->addresses[i])->sin_addr.s_addr;
    }
  }
  return number(env, count);
}

// send(socket, count) -> datagrams sent; `out` holds them back to back, each with its row.
static napi_value send_all(napi_env env, napi_callback_info info) {
  size_t argc = 2;
  napi_value argv[2];
  int32_t count = 0;
  udp_socket *s = socket_of(env, info, &argc, argv);
  if (s == NULL || s->fd < 0 || napi_get_value_int32(env, argv[1], &count) != napi_ok) return number(env, 0);
  size_t offset = 0;
  int done = 0;
  while (done < count) {
    int batch = count - done < BATCH ? count - done : BATCH;
    for (int i = 0; i < batch; i++) {
      uint32_t *row = s->out_rows + (done + i) * ROW;
      s->vectors[i].iov_base = s->out + offset;
      s->vectors[i].iov_len = row[0];
      offset += row[0];
      memset(&s->addresses[i], 0, sizeof s->addresses[i]);
      if (s->family == 6) {
        s->addresses[i].sin6_family = AF_INET6;
        s->addresses[i].sin6_port = htons((uint16_t)row[1]);
        s->addresses[i].sin6_scope_id = row[2];
        memcpy(&s->addresses[i].sin6_addr, row + 3, 16);
        s->headers[i].msg_hdr.msg_namelen = sizeof(struct sockaddr_in6);
      } else {
        struct sockaddr_in *v4 = (struct sockaddr_in *)&s->addresses[i];
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)row[1]);
        v4->sin_addr.s_addr = row[3];
        s->headers[i].msg_hdr.msg_namelen = sizeof(struct sockaddr_in);
      }
      s->headers[i].msg_hdr.msg_control = NULL;
      s->headers[i].msg_hdr.msg_controllen = 0;
      s->headers[i].msg_hdr.msg_flags = 0;
    }
    // An address that cannot be reached fails alone: it is skipped, the others go. A full buffer drops, as UDP may.
    int sent = 0;
    while (sent < batch) {
      int now = sendmmsg(s->fd, s->headers + sent, (unsigned)(batch - sent), MSG_DONTWAIT);
      if (now > 0) sent += now;
      else if (errno == EINTR) continue;
      else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) return number(env, done + sent);
      else sent++;
    }
    done += batch;
  }
  return number(env, done);
}

// port(socket) -> the port it is bound to.
static napi_value port_of(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argv[1];
  udp_socket *s = socket_of(env, info, &argc, argv);
  struct sockaddr_in6 address;
  socklen_t length = sizeof address;
  if (s == NULL || getsockname(s->fd, (struct sockaddr *)&address, &length) != 0) return number(env, 0);
  return number(env, ntohs(address.sin6_port));
}

// bind(family, host, port, receiveBuffer) -> descriptor of a socket among others that nobody reads here: for other processes.
static napi_value bind_socket(napi_env env, napi_callback_info info) {
  size_t argc = 4;
  napi_value argv[4];
  place at;
  CHECK(napi_get_cb_info(env, info, &argc, argv, NULL, NULL));
  if (!place_of(env, argv, &at)) return NULL;
  int fd = bound(env, &at, AMONG_OTHERS);
  return fd < 0 ? NULL : number(env, fd);
}

// unbind(descriptor): gives the port back, as far as nobody else has the socket.
static napi_value unbind(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argv[1];
  int32_t fd;
  CHECK(napi_get_cb_info(env, info, &argc, argv, NULL, NULL));
  CHECK(napi_get_value_int32(env, argv[0], &fd));
  if (fd > 2) close(fd);
  return NULL;
}

// close(socket). Nothing is called any more.
static napi_value close_socket(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argv[1];
  udp_socket *s = socket_of(env, info, &argc, argv);
  if (s != NULL) shut(s);
  return NULL;
}

// addressText(row: Buffer of 4 or 16 octets) -> text; addressBytes(text) -> Buffer or undefined.
static napi_value address_text(napi_env env, napi_callback_info info) {
  size_t argc = 1, length = 0;
  napi_value argv[1], result;
  void *data = NULL;
  char text[INET6_ADDRSTRLEN];
  CHECK(napi_get_cb_info(env, info, &argc, argv, NULL, NULL));
  CHECK(napi_get_buffer_info(env, argv[0], &data, &length));
  if (inet_ntop(length == 16 ? AF_INET6 : AF_INET, data, text, sizeof text) == NULL) return NULL;
  CHECK(napi_create_string_latin1(env, text, NAPI_AUTO_LENGTH, &result));
  return result;
}

static napi_value address_bytes(napi_env env, napi_callback_info info) {
  size_t argc = 1, length = 0;
  napi_value argv[1], result;
  char text[64];
  unsigned char bytes[16];
  CHECK(napi_get_cb_info(env, info, &argc, argv, NULL, NULL));
  CHECK(napi_get_value_string_utf8(env, argv[0], text, sizeof text, &length));
  size_t size = 0;
  if (inet_pton(AF_INET, text, bytes) == 1) size = 4;
  else if (inet_pton(AF_INET6, text, bytes) == 1) size = 16;
  if (size == 0) return NULL;
  CHECK(napi_create_buffer_copy(env, size, bytes, NULL, &result));
  return result;
}

NAPI_MODULE_INIT() {
  napi_property_descriptor all[] = {
      {"open", NULL, open_socket, NULL, NULL, NULL, napi_enumerable, NULL},
      {"receive", NULL, receive, NULL, NULL, NULL, napi_enumerable, NULL},
      {"send", NULL, send_all, NULL, NULL, NULL, napi_enumerable, NULL},
      {"port", NULL, port_of, NULL, NULL, NULL, napi_enumerable, NULL},
      {"bind", NULL, bind_socket, NULL, NULL, NULL, napi_enumerable, NULL},
      {"unbind", NULL, unbind, NULL, NULL, NULL, napi_enumerable, NULL},
      {"close", NULL, close_socket, NULL, NULL, NULL, napi_enumerable, NULL},
      {"addressText", NULL, address_text, NULL, NULL, NULL, napi_enumerable, NULL},
      {"addressBytes", NULL, address_bytes, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  if (napi_define_properties(env, exports, sizeof all / sizeof *all, all) != napi_ok) return NULL;
  return exports;
}
