// libcurl, loaded when the first request is made.
//
// With libcurl come more than thirty libraries (TLS twice over, Kerberos, LDAP). Loading them takes 5 ms of the 13 that
// `vp --version` takes, and most commands never make a request. So nothing is linked: what is used is looked up by name.
//
// Its headers are not needed either. Signatures and numbers are those of libcurl's documentation, which promises never to
// change them within libcurl.so.4; they stand in `CurlNumbers.swift`. Opaque types are `void *`, enumerations `int`.
// Functions with variable arguments have to be called from C.

#define _GNU_SOURCE
#include "ccurl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

static struct {
    int (*global_init)(long);
    const char *(*easy_strerror)(int);
    void *(*easy_init)(void);
    void (*easy_cleanup)(void *);
    int (*easy_setopt)(void *, int, ...);
    int (*easy_getinfo)(void *, int, ...);
    void *(*slist_append)(void *, const char *);
    void (*slist_free_all)(void *);
    void *(*multi_init)(void);
    int (*multi_cleanup)(void *);
    int (*multi_setopt)(void *, int, ...);
    int (*multi_add_handle)(void *, void *);
    int (*multi_remove_handle)(void *, void *);
    int (*multi_perform)(void *, int *);
    int (*multi_poll)(void *, void *, unsigned, int, int *);
    int (*multi_wakeup)(void *);
    void *(*multi_info_read)(void *, int *);
} curl;

static const struct {
    const char *name;
    void **address;
} functions[] = {
    {"curl_global_init", (void **)&curl.global_init},
    {"curl_easy_strerror", (void **)&curl.easy_strerror},
    {"curl_easy_init", (void **)&curl.easy_init},
    {"curl_easy_cleanup", (void **)&curl.easy_cleanup},
    {"curl_easy_setopt", (void **)&curl.easy_setopt},
    {"curl_easy_getinfo", (void **)&curl.easy_getinfo},
    {"curl_slist_append", (void **)&curl.slist_append},
    {"curl_slist_free_all", (void **)&curl.slist_free_all},
    {"curl_multi_init", (void **)&curl.multi_init},
    {"curl_multi_cleanup", (void **)&curl.multi_cleanup},
    {"curl_multi_setopt", (void **)&curl.multi_setopt},
    {"curl_multi_add_handle", (void **)&curl.multi_add_handle},
    {"curl_multi_remove_handle", (void **)&curl.multi_remove_handle},
    {"curl_multi_perform", (void **)&curl.multi_perform},
    {"curl_multi_poll", (void **)&curl.multi_poll},
    {"curl_multi_wakeup", (void **)&curl.multi_wakeup},
    {"curl_multi_info_read", (void **)&curl.multi_info_read},
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *problem;
static char words[512];

static void load(void) {
    // libcurl has had this name since 2006. Debian's GnuTLS build has another name, and is installed wherever git is.
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        snprintf(words, sizeof words, "%s", dlerror());
        library = dlopen("libcurl-gnutls.so.4", RTLD_NOW | RTLD_LOCAL);
    }
    if (!library) {
        problem = words;
        return;
    }
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        *functions[i].address = dlsym(library, functions[i].name);
        if (!*functions[i].address) {
            snprintf(words, sizeof words, "libcurl is older than 7.68: it has no %s", functions[i].name);
            problem = words;
            return;
        }
    }
    // At the end of the program OpenSSL would give back what the worker's thread may still be using.
    int (*init_crypto)(uint64_t, const void *) = (int (*)(uint64_t, const void *))dlsym(library, "OPENSSL_init_crypto");
    enum { no_atexit = 0x00080000 };
    if (init_crypto) init_crypto(no_atexit, NULL);
    enum { all = 3 };
    if (curl.global_init(all)) problem = "libcurl cannot be initialised";
}

const char *vp_curl_problem(void) {
    pthread_once(&once, load);
    return problem;
}

const char *vp_curl_words(int code) { return curl.easy_strerror(code); }

void *vp_curl_easy_init(void) { return curl.easy_init(); }
void vp_curl_easy_cleanup(void *easy) { curl.easy_cleanup(easy); }

int vp_curl_set_long(void *easy, int option, long value) { return curl.easy_setopt(easy, option, value); }
int vp_curl_set_large(void *easy, int option, long long value) { return curl.easy_setopt(easy, option, value); }
int vp_curl_set_pointer(void *easy, int option, const void *value) { return curl.easy_setopt(easy, option, value); }
int vp_curl_set_sink(void *easy, int option, vp_curl_sink sink) { return curl.easy_setopt(easy, option, sink); }

long vp_curl_get_long(void *easy, int information) {
    long value = 0;
    return curl.easy_getinfo(easy, information, &value) ? 0 : value;
}

// `struct curl_sockaddr` as far as it is needed.
struct address {
    int family;
    int type;
    int protocol;
};

static int open_socket(void *user, int purpose, struct address *address) {
    (void)user;
    (void)purpose;
    return socket(address->family, address->type | SOCK_CLOEXEC, address->protocol);
}

int vp_curl_keep_sockets_private(void *easy) {
    enum { open_socket_function = 20163 };
    return curl.easy_setopt(easy, open_socket_function, open_socket);
}

void *vp_curl_list_append(void *list, const char *text) { return curl.slist_append(list, text); }
void vp_curl_list_free(void *list) { curl.slist_free_all(list); }

void *vp_curl_multi_init(void) { return curl.multi_init(); }
void vp_curl_multi_cleanup(void *multi) { curl.multi_cleanup(multi); }
int vp_curl_multi_set_long(void *multi, int option, long value) { return curl.multi_setopt(multi, option, value); }
int vp_curl_multi_add(void *multi, void *easy) { return curl.multi_add_handle(multi, easy); }
int vp_curl_multi_remove(void *multi, void *easy) { return curl.multi_remove_handle(multi, easy); }
int vp_curl_multi_perform(void *multi, int *running) { return curl.multi_perform(multi, running); }
int vp_curl_multi_wakeup(void *multi) { return curl.multi_wakeup(multi); }

int vp_curl_multi_poll(void *multi, int milliseconds) {
    int ready = 0;
    return curl.multi_poll(multi, NULL, 0, milliseconds, &ready);
}

int vp_curl_multi_next_end(void *multi, void **easy, int *result) {
    // `CURLMsg`
    struct message {
        int kind;
        void *easy;
        union {
            void *pointer;
            int result;
        } data;
    };
    enum { done = 1 };
    int left = 0;
    struct message *message;
    while ((message = curl.multi_info_read(multi, &left))) {
        if (message->kind != done) continue;
        *easy = message->easy;
        *result = message->data.result;
        return 1;
    }
    return 0;
}
