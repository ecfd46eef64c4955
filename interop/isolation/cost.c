/* What isolation costs: `cost connect|echo|bulk ADDRESS PORT N` prints one number; `cost serve ADDRESS PORT`
 * is the other end, that echoes after an E and swallows after an S.
 *
 *   connect   median of N connections, in nanoseconds
 *   echo      median of N messages of 64 bytes there and back, in nanoseconds
 *   bulk      megabytes a second, over N megabytes
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct sockaddr_in there;

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int connected(void) {
    int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(s, (void *)&there, sizeof there) != 0) fail("connect");
    return s;
}

static int by_size(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void *serve_one(void *number) {
    int s = (int)(intptr_t)number, one = 1;
    static __thread char buffer[1 << 18];
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (read(s, buffer, 1) == 1) {
        int echoes = buffer[0] == 'E';
        for (ssize_t n; (n = read(s, buffer, sizeof buffer)) > 0;)
            if (echoes && write(s, buffer, (size_t)n) != n) break;
    }
    close(s);
    return NULL;
}

static void serve(void) {
    int l = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(l, (void *)&there, sizeof there) != 0 || listen(l, 4096) != 0) fail("listen");
    puts("listens");
    fflush(stdout);
    for (;;) {
        int s = accept(l, NULL, NULL);
        pthread_t thread;
        if (s >= 0 && pthread_create(&thread, NULL, serve_one, (void *)(intptr_t)s) == 0) pthread_detach(thread);
    }
}

int main(int count, char **words) {
    if (count < 4) return 2;
    signal(SIGPIPE, SIG_IGN);
    there.sin_family = AF_INET;
    inet_pton(AF_INET, words[2], &there.sin_addr);
    there.sin_port = htons((uint16_t)atoi(words[3]));
    if (!strcmp(words[1], "serve")) serve();
    long n = count > 4 ? atol(words[4]) : 1000;
    int64_t *took = malloc((size_t)n * sizeof *took);
    if (!strcmp(words[1], "connect")) {
        struct linger reset = {1, 0};
        for (long i = 0; i < n; i++) {
            int64_t began = now();
            int s = connected();
            took[i] = now() - began;
            setsockopt(s, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
            close(s);
        }
    } else if (!strcmp(words[1], "echo")) {
        char message[64] = {0};
        int s = connected();
        if (write(s, "E", 1) != 1) fail("write");
        for (long i = 0; i < n; i++) {
            int64_t began = now();
            if (send(s, message, sizeof message, 0) != sizeof message) fail("send");
            if (recv(s, message, sizeof message, MSG_WAITALL) != sizeof message) fail("recv");
            took[i] = now() - began;
        }
    } else {
        static char megabyte[1000000];
        int s = connected();
        if (write(s, "S", 1) != 1) fail("write");
        int64_t began = now();
        for (long i = 0; i < n; i++)
            for (size_t done = 0; done < sizeof megabyte;) {
                ssize_t k = write(s, megabyte + done, sizeof megabyte - done);
                if (k <= 0) fail("write");
                done += (size_t)k;
            }
        printf("%.0f\n", (double)n * 1e9 / (double)(now() - began));
        return 0;
    }
    qsort(took, (size_t)n, sizeof *took, by_size);
    printf("%ld\n", (long)took[n / 2]);
    return 0;
}
