/* Ways out of isolation, one for each word: `attack WAY [ARGUMENT...]`.
 *
 * Ends with 0 if it got through, with 1 if it was refused, with 2 if this machine cannot even try (no such
 * family, no such right), and says why. interop/isolation.py runs each without isolation as well, where it
 * has to get through: an attack that never works shows nothing.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/seccomp.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THROUGH, REFUSED, CANNOT };

static int said(const char *what, int outcome) {
    printf("%s%s%s\n", what, outcome == THROUGH ? "" : ": ", outcome == THROUGH ? "" : strerror(errno));
    return outcome;
}

/* An address like 10.9.9.9:8080 or [::1]:80. */
static socklen_t address(const char *text, struct sockaddr_storage *out) {
    char host[64];
    const char *colon = strrchr(text, ':');
    size_t length = (size_t)(colon - text);
    memset(out, 0, sizeof *out);
    if (text[0] == '[') {
        struct sockaddr_in6 *six = (void *)out;
        memcpy(host, text + 1, length - 2);
        host[length - 2] = 0;
        six->sin6_family = AF_INET6;
        six->sin6_port = htons((uint16_t)atoi(colon + 1));
        inet_pton(AF_INET6, host, &six->sin6_addr);
        return sizeof *six;
    }
    struct sockaddr_in *four = (void *)out;
    memcpy(host, text, length);
    host[length] = 0;
    four->sin_family = AF_INET;
    four->sin_port = htons((uint16_t)atoi(colon + 1));
    inet_pton(AF_INET, host, &four->sin_addr);
    return sizeof *four;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct sockaddr_storage good, bad;
static socklen_t good_length, bad_length;

/* --- races ------------------------------------------------------------------------------------------- */

static volatile struct sockaddr_in flipping;
static volatile int done;

static void *flip(void *unused) {
    (void)unused;
    const uint32_t a = ((struct sockaddr_in *)&good)->sin_addr.s_addr;
    const uint32_t b = ((struct sockaddr_in *)&bad)->sin_addr.s_addr;
    while (!done) {
        flipping.sin_addr.s_addr = a;
        for (volatile int i = 0; i < 20; i++) {}
        flipping.sin_addr.s_addr = b;
        for (volatile int i = 0; i < 20; i++) {}
    }
    return NULL;
}

static int reached_bad(int s) {
    struct sockaddr_in peer;
    socklen_t length = sizeof peer;
    return getpeername(s, (void *)&peer, &length) == 0 &&
           peer.sin_addr.s_addr == ((struct sockaddr_in *)&bad)->sin_addr.s_addr;
}

static void end_with_reset(int s) {
    struct linger now = {1, 0};
    setsockopt(s, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(s);
}

/* flip-connect GOOD BAD SECONDS: the address changes while `connect` is under way. */
static int flip_connect(double seconds) {
    memcpy((void *)&flipping, &good, sizeof flipping);
    pthread_t thread;
    pthread_create(&thread, NULL, flip, NULL);
    long tried = 0, connected = 0, forbidden = 0;
    for (double end = now() + seconds; now() < end; tried++) {
        int s = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(s, (void *)&flipping, sizeof flipping) == 0) {
            connected++;
            forbidden += reached_bad(s);
        }
        end_with_reset(s);
    }
    done = 1;
    pthread_join(thread, NULL);
    printf("tried %ld, connected %ld, forbidden %ld\n", tried, connected, forbidden);
    return forbidden ? THROUGH : REFUSED;
}

/* flip-send[to|msg|mmsg] GOOD BAD SECONDS: the same for datagrams, which whoever gets them counts. */
static int flip_send(const char *how, double seconds) {
    memcpy((void *)&flipping, &good, sizeof flipping);
    pthread_t thread;
    pthread_create(&thread, NULL, flip, NULL);
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    long sent = 0;
    char byte = 'x';
    struct iovec iov = {&byte, 1};
    for (double end = now() + seconds; now() < end;) {
        struct msghdr m = {.msg_name = (void *)&flipping, .msg_namelen = sizeof flipping,
                           .msg_iov = &iov, .msg_iovlen = 1};
        int done_now;
        if (!strcmp(how, "sendto")) {
            done_now = sendto(s, &byte, 1, 0, (void *)&flipping, sizeof flipping) == 1;
        } else if (!strcmp(how, "sendmsg")) {
            done_now = sendmsg(s, &m, 0) == 1;
        } else {
            struct mmsghdr two[2] = {{.msg_hdr = m}, {.msg_hdr = m}};
            int n = sendmmsg(s, two, 2, 0);
            done_now = n > 0 ? n : 0;
        }
        sent += done_now;
        /* So that whoever counts keeps up. */
        if (sent % 64 == 0) usleep(500);
    }
    done = 1;
    pthread_join(thread, NULL);
    printf("sent %ld\n", sent);
    return THROUGH; /* the receiver says */
}

/* swap GOOD BAD SECONDS: the descriptor changes under `connect` from a Unix socket to one of the Internet. */
static int swapped;
static void *swap(void *unused) {
    (void)unused;
    int unix_socket = socket(AF_UNIX, SOCK_STREAM, 0);
    while (!done) {
        int internet = socket(AF_INET, SOCK_STREAM, 0);
        dup2(internet, swapped);
        close(internet);
        dup2(unix_socket, swapped);
    }
    return NULL;
}

static int swap_connect(double seconds) {
    swapped = fcntl(socket(AF_INET, SOCK_STREAM, 0), F_DUPFD, 100);
    pthread_t thread;
    pthread_create(&thread, NULL, swap, NULL);
    long tried = 0, forbidden = 0;
    for (double end = now() + seconds; now() < end; tried++)
        if (connect(swapped, (void *)&bad, bad_length) == 0) {
            /* It may be another one by now; whoever listens counts as well. */
            forbidden++;
        }
    done = 1;
    pthread_join(thread, NULL);
    printf("tried %ld, forbidden %ld\n", tried, forbidden);
    return forbidden ? THROUGH : REFUSED;
}

/* --- one at a time ------------------------------------------------------------------------------------ */

static int connects(int s, const struct sockaddr_storage *to, socklen_t length) {
    return connect(s, (const void *)to, length) == 0;
}

static int plain_connect(void) {
    int s = socket(bad.ss_family, SOCK_STREAM, 0);
    return connects(s, &bad, bad_length) ? said("connected", THROUGH) : said("connect", REFUSED);
}

static int plain_sendto(void) {
    int s = socket(bad.ss_family, SOCK_DGRAM, 0);
    return sendto(s, "x", 1, 0, (void *)&bad, bad_length) == 1 ? said("sent", THROUGH) : said("sendto", REFUSED);
}

static void *in_own_table(void *out) {
    if (unshare(CLONE_FILES) != 0) return NULL;
    int s = socket(AF_INET, SOCK_STREAM, 0);
    if (connects(s, &bad, bad_length)) *(int *)out = 1;
    else { *(int *)out = -errno; }
    close(s);
    s = socket(AF_INET, SOCK_STREAM, 0);
    if (!connects(s, &good, good_length)) *(int *)out = 2;
    return NULL;
}

static int thread_table(void) {
    int result = 0;
    pthread_t thread;
    pthread_create(&thread, NULL, in_own_table, &result);
    pthread_join(thread, NULL);
    if (result == 2) { printf("the allowed address does not work from such a thread\n"); return THROUGH; }
    errno = -result;
    return result == 1 ? said("connected", THROUGH) : said("connect", REFUSED);
}

static int fastopen(const char *how) {
    int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (!strcmp(how, "option")) {
        if (setsockopt(s, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof one) != 0) return said("option", REFUSED);
        if (connect(s, (void *)&bad, bad_length) != 0) return said("connect", REFUSED);
        return write(s, "x", 1) == 1 ? said("written", THROUGH) : said("write", REFUSED);
    }
    struct iovec iov = {"x", 1};
    struct msghdr m = {.msg_name = &bad, .msg_namelen = bad_length, .msg_iov = &iov, .msg_iovlen = 1};
    struct mmsghdr mm = {.msg_hdr = m};
    ssize_t n = !strcmp(how, "sendto") ? sendto(s, "x", 1, MSG_FASTOPEN, (void *)&bad, bad_length)
                : !strcmp(how, "sendmsg") ? sendmsg(s, &m, MSG_FASTOPEN)
                                          : sendmmsg(s, &mm, 1, MSG_FASTOPEN);
    return n == 1 ? said("sent", THROUGH) : said(how, REFUSED);
}

static int reconnect(void) {
    int s = socket(AF_INET, SOCK_STREAM, 0);
    if (!connects(s, &good, good_length)) return said("the allowed address", CANNOT);
    struct sockaddr nothing = {.sa_family = AF_UNSPEC};
    if (connect(s, &nothing, sizeof nothing) != 0) return said("disconnect", REFUSED);
    return connects(s, &bad, bad_length) ? said("connected", THROUGH) : said("connect", REFUSED);
}

/* listen-after GOOD PORT-OF-BAD: a socket that was connected, and is no more, listens at all addresses. */
static int listen_after(void) {
    int s = socket(AF_INET, SOCK_STREAM, 0);
    if (!connects(s, &good, good_length)) return said("the allowed address", CANNOT);
    struct sockaddr nothing = {.sa_family = AF_UNSPEC};
    connect(s, &nothing, sizeof nothing);
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = ((struct sockaddr_in *)&bad)->sin_port};
    if (bind(s, (void *)&any, sizeof any) != 0) return said("bind", REFUSED);
    return listen(s, 8) == 0 ? said("listens", THROUGH) : said("listen", REFUSED);
}

/* unix-mounted OTHER OWN: another program's socket, mounted over one of its own; or renamed over it. */
static int unix_mounted(const char *other, const char *own, int exchange) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    strcpy(to.sun_path, own);
    unlink(own);
    int l = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(l, (void *)&to, sizeof to) != 0 || listen(l, 64) != 0) return said("an own socket", CANNOT);
    pid_t child = 0;
    if (exchange) {
        child = fork();
        if (child == 0)
            for (;;) syscall(SYS_renameat2, AT_FDCWD, other, AT_FDCWD, own, 2 /* RENAME_EXCHANGE */);
    } else {
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return said("unshare", CANNOT);
        if (mount(other, own, NULL, MS_BIND, NULL) != 0) return said("mount", CANNOT);
    }
    int reached = 0;
    for (double end = now() + (exchange ? 2 : 0.1); now() < end && !reached;) {
        int s = socket(AF_UNIX, SOCK_STREAM, 0);
        struct ucred peer = {0};
        socklen_t length = sizeof peer;
        if (connect(s, (void *)&to, sizeof to) == 0) {
            /* Whoever listens says who it is by a byte; the own one says nothing. */
            struct pollfd said_something = {s, POLLIN, 0};
            getsockopt(s, SOL_SOCKET, SO_PEERCRED, &peer, &length);
            reached = poll(&said_something, 1, 20) > 0;
            if (!reached) { int c = accept4(l, NULL, NULL, SOCK_NONBLOCK); if (c >= 0) close(c); }
        }
        close(s);
    }
    if (child) kill(child, SIGKILL);
    errno = EACCES;
    return reached ? said("reached", THROUGH) : said("connect", REFUSED);
}

static int uring(void) {
    struct io_uring_params p = {0};
    int ring = (int)syscall(SYS_io_uring_setup, 4, &p);
    if (ring < 0) return said("io_uring_setup", REFUSED);
    int s = socket(AF_INET, SOCK_STREAM, 0);
    char *sq = mmap(NULL, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
    char *cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe), PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_CQ_RING);
    struct io_uring_sqe *e = mmap(NULL, p.sq_entries * sizeof *e, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
    memset(e, 0, sizeof *e);
    e->opcode = IORING_OP_CONNECT;
    e->fd = s;
    e->addr = (uintptr_t)&bad;
    e->off = bad_length;
    ((unsigned *)(sq + p.sq_off.array))[0] = 0;
    __atomic_store_n((unsigned *)(sq + p.sq_off.tail), 1, __ATOMIC_RELEASE);
    if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0) return said("enter", REFUSED);
    errno = -((struct io_uring_cqe *)(cq + p.cq_off.cqes))->res;
    return errno == 0 ? said("connected", THROUGH) : said("connect", REFUSED);
}

static int family(int family, int type, int protocol) {
    int s = socket(family, type, protocol);
    return s >= 0 ? said("made", THROUGH) : said("socket", REFUSED);
}

static int pair_of_datagrams(void) {
    int two[2];
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, two) != 0) return said("socketpair", REFUSED);
    return said("made", THROUGH);
}

static int option(int level, int name, const void *value, socklen_t length) {
    int s = socket(level == IPPROTO_IPV6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    return setsockopt(s, level, name, value, length) == 0 ? said("set", THROUGH) : said("setsockopt", REFUSED);
}

#if defined(__x86_64__)
static int i386(void) {
    /* socket(AF_INET, SOCK_STREAM, 0) and connect by the calls of 32-bit programs. */
    pid_t child = fork();
    if (child == 0) {
        long s;
        __asm__ volatile("int $0x80" : "=a"(s) : "a"(359L), "b"(AF_INET), "c"(SOCK_STREAM), "d"(0L) : "memory", "r8", "r9", "r10", "r11");
        if (s < 0) _exit(CANNOT);
        struct sockaddr_in *low = mmap((void *)0x10000000, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        memcpy(low, &bad, sizeof *low);
        long r;
        __asm__ volatile("int $0x80" : "=a"(r) : "a"(362L), "b"(s), "c"(low), "d"((long)sizeof *low) : "memory", "r8", "r9", "r10", "r11");
        _exit(r == 0 ? THROUGH : REFUSED);
    }
    int status;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) {
        printf("killed by signal %d\n", WTERMSIG(status));
        return REFUSED;
    }
    printf("ended with %d\n", WEXITSTATUS(status));
    return WEXITSTATUS(status);
}

static int x32(void) {
    int s = socket(AF_INET, SOCK_STREAM, 0);
    long r = syscall(0x40000000 + SYS_connect, s, &bad, bad_length);
    return r == 0 ? said("connected", THROUGH) : said("connect", REFUSED);
}
#endif

static int unix_path(const char *path, int type) {
    int s = socket(AF_UNIX, type, 0);
    if (s < 0) return said("socket", REFUSED);
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    socklen_t length = sizeof to;
    if (path[0] == '@') {
        memcpy(to.sun_path + 1, path + 1, strlen(path + 1));
        length = (socklen_t)(sizeof to.sun_family + strlen(path));
    } else {
        strcpy(to.sun_path, path);
    }
    if (type == SOCK_DGRAM)
        return sendto(s, "x", 1, 0, (void *)&to, length) == 1 ? said("sent", THROUGH) : said("sendto", REFUSED);
    return connect(s, (void *)&to, length) == 0 ? said("connected", THROUGH) : said("connect", REFUSED);
}

static int look_at(const char *how, pid_t other) {
    if (!strcmp(how, "ptrace"))
        return ptrace(PTRACE_SEIZE, other, 0, 0) == 0 ? said("seized", THROUGH) : said("ptrace", REFUSED);
    if (!strcmp(how, "kill")) return kill(other, SIGUSR1) == 0 ? said("signalled", THROUGH) : said("kill", REFUSED);
    if (!strcmp(how, "memory")) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/mem", other);
        return open(path, O_RDWR) >= 0 ? said("opened", THROUGH) : said("open", REFUSED);
    }
    if (!strcmp(how, "write")) {
        /* Its auxiliary vector lies at an address that it tells nobody; zero bytes ask for the right alone. */
        struct iovec none = {&other, 0}, there = {&other, 0};
        return process_vm_writev(other, &none, 1, &there, 1, 0) == 0 ? said("may write", THROUGH) : said("process_vm_writev", REFUSED);
    }
    if (!strcmp(how, "limit")) {
        /* The upper half of the number says nothing to the kernel. */
        struct rlimit none = {0, 0};
        return syscall(SYS_prlimit64, 1L << 32 | other, RLIMIT_CORE, &none, NULL) == 0 ? said("limited", THROUGH) : said("prlimit", REFUSED);
    }
    int pidfd = (int)syscall(SYS_pidfd_open, other, 0);
    if (pidfd < 0) return said("pidfd_open", CANNOT);
    if (!strcmp(how, "getfd"))
        return syscall(SYS_pidfd_getfd, pidfd, 0, 0) >= 0 ? said("taken", THROUGH) : said("pidfd_getfd", REFUSED);
    return setns(pidfd, CLONE_NEWNET) == 0 ? said("joined", THROUGH) : said("setns", REFUSED);
}

static int nested(void) {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return said("unshare", CANNOT);
    int s = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    return s >= 0 ? said("raw socket", THROUGH) : said("socket", REFUSED);
}

static int own_listener(void) {
    struct sock_filter allow = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
    struct sock_fprog program = {1, &allow};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    return r >= 0 ? said("installed", THROUGH) : said("seccomp", REFUSED);
}

/* An own filter cannot turn what is refused into what is allowed. */
static int own_filter(void) {
    struct sock_filter log = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_LOG};
    struct sock_fprog program = {1, &log};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) return said("seccomp", CANNOT);
    return plain_connect();
}

static int type_into_terminal(void) {
    int terminal = open("/dev/tty", O_RDWR);
    if (terminal < 0) return said("no terminal", CANNOT);
    char byte = '\n';
    return ioctl(terminal, 0x5412 /* TIOCSTI */, &byte) == 0 ? said("typed", THROUGH) : said("ioctl", REFUSED);
}

/* sendmmsg GOOD BAD: of two datagrams the second is forbidden. */
static int second_message(void) {
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    struct iovec iov = {"x", 1};
    struct mmsghdr two[2] = {
        {.msg_hdr = {.msg_name = &good, .msg_namelen = good_length, .msg_iov = &iov, .msg_iovlen = 1}},
        {.msg_hdr = {.msg_name = &bad, .msg_namelen = bad_length, .msg_iov = &iov, .msg_iovlen = 1}}};
    printf("sent %d\n", sendmmsg(s, two, 2, 0));
    return THROUGH;
}

int main(int count, char **words) {
    const char *way = count > 1 ? words[1] : "";
    int one = 1;
    if (count > 3 && strchr(words[2], ':')) {
        good_length = address(words[2], &good);
        bad_length = address(words[3], &bad);
    }
    double seconds = count > 4 ? atof(words[4]) : 1;
    if (!strcmp(way, "flip-connect")) return flip_connect(seconds);
    if (!strncmp(way, "flip-send", 9)) return flip_send(way + 5, seconds);
    if (!strcmp(way, "swap")) return swap_connect(seconds);
    if (!strcmp(way, "connect")) return plain_connect();
    if (!strcmp(way, "sendto")) return plain_sendto();
    if (!strcmp(way, "sendmmsg-second")) return second_message();
    if (!strcmp(way, "thread-table")) return thread_table();
    if (!strncmp(way, "fastopen-", 9)) return fastopen(way + 9);
    if (!strcmp(way, "reconnect")) return reconnect();
    if (!strcmp(way, "listen-after")) return listen_after();
    if (!strcmp(way, "unix-mounted") && count > 3) return unix_mounted(words[2], words[3], 0);
    if (!strcmp(way, "unix-renamed") && count > 3) return unix_mounted(words[2], words[3], 1);
    if (!strcmp(way, "io_uring")) return uring();
    if (!strcmp(way, "raw")) return family(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    if (!strcmp(way, "packet")) return family(AF_PACKET, SOCK_RAW, htons(3));
    if (!strcmp(way, "vsock")) return family(AF_VSOCK, SOCK_STREAM, 0);
    if (!strcmp(way, "alg")) return family(AF_ALG, SOCK_SEQPACKET, 0);
    if (!strcmp(way, "xdp")) return family(44, SOCK_RAW, 0);
    if (!strcmp(way, "bluetooth")) return family(AF_BLUETOOTH, SOCK_RAW, 1);
    if (!strcmp(way, "smc")) return family(43, SOCK_STREAM, 0);
    if (!strcmp(way, "mptcp")) return family(AF_INET, SOCK_STREAM, 262);
    if (!strcmp(way, "sctp")) return family(AF_INET, SOCK_STREAM, IPPROTO_SCTP);
    if (!strcmp(way, "udplite")) return family(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE);
    if (!strcmp(way, "diag")) return family(AF_NETLINK, SOCK_RAW, 4);
    if (!strcmp(way, "pair-of-datagrams")) return pair_of_datagrams();
    if (!strcmp(way, "repair")) return option(IPPROTO_TCP, TCP_REPAIR, &one, sizeof one);
    if (!strcmp(way, "ulp")) return option(IPPROTO_TCP, TCP_ULP, "tls", 3);
    if (!strcmp(way, "source-route"))
        return option(IPPROTO_IP, IP_OPTIONS, "\x83\x07\x04\x0a\x09\x09\x09\x00", 8);
    if (!strcmp(way, "routing-header"))
        return option(IPPROTO_IPV6, IPV6_RTHDR, "\x00\x02\x02\x01\x00\x00\x00\x00\xfd\x77\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02", 24);
    if (!strcmp(way, "device")) return option(SOL_SOCKET, SO_BINDTODEVICE, "lo", 3);
#if defined(__x86_64__)
    if (!strcmp(way, "i386")) return i386();
    if (!strcmp(way, "x32")) return x32();
#endif
    if (!strcmp(way, "unix") && count > 2) return unix_path(words[2], SOCK_STREAM);
    if (!strcmp(way, "unix-seqpacket") && count > 2) return unix_path(words[2], SOCK_SEQPACKET);
    if (!strcmp(way, "unix-datagram") && count > 2) return unix_path(words[2], SOCK_DGRAM);
    if (!strncmp(way, "other-", 6) && count > 2) return look_at(way + 6, atoi(words[2]));
    if (!strcmp(way, "nested")) return nested();
    if (!strcmp(way, "own-listener")) return own_listener();
    if (!strcmp(way, "own-filter")) return own_filter();
    if (!strcmp(way, "terminal")) return type_into_terminal();
    fprintf(stderr, "unknown way: %s\n", way);
    return CANNOT;
}
