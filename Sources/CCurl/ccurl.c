// libcurl, loaded when the first request is made.
//
// FoundationNetworking links libcurl, and with it come more than thirty libraries (TLS twice over, Kerberos, LDAP).
// Loading them takes 5 ms of the 13 that `vp --version` takes, and most commands never make a request. The functions
// that FoundationNetworking calls stand here under their own names, so that the linker finds them before libcurl, and
// pass on to the real ones. A function that is not here is taken from libcurl, which is then loaded at the start again.
//
// Signatures are those of libcurl's documentation, with pointers for its opaque types and int for its enumerations.

#include "ccurl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static void *library;
static char problem[256];

static void load(void) {
    // Its name since 2006; Debian's builds without OpenSSL have another one behind it.
    library = dlopen("libcurl.so.4", RTLD_NOW);
    if (!library) library = dlopen("libcurl-gnutls.so.4", RTLD_NOW);
    if (!library) snprintf(problem, sizeof problem, "%s", dlerror());
}

const char *vp_curl_problem(void) {
    pthread_once(&once, load);
    return library ? NULL : problem;
}

static void *symbol(const char *name) {
    if (vp_curl_problem()) {
        fprintf(stderr, "%s\n", problem);
        abort();
    }
    void *found = dlsym(library, name);
    if (!found) {
        fprintf(stderr, "libcurl has no %s\n", name);
        abort();
    }
    return found;
}

// Two threads that come first at once find the same address.
#define REAL(name, result, ...)                                                     \
    static result (*real)(__VA_ARGS__);                                             \
    if (!__atomic_load_n(&real, __ATOMIC_ACQUIRE)) {                                \
        result (*found)(__VA_ARGS__) = (result(*)(__VA_ARGS__))symbol(#name);       \
        __atomic_store_n(&real, found, __ATOMIC_RELEASE);                           \
    }

// Every option's value is a pointer or as large as one (a long, a curl_off_t, a function): libcurl takes it so, too.
#define OPTION(name)                                                                \
    int name(void *handle, int option, ...) {                                       \
        REAL(name, int, void *, int, ...)                                           \
        va_list values;                                                             \
        va_start(values, option);                                                   \
        void *value = va_arg(values, void *);                                       \
        va_end(values);                                                             \
        return real(handle, option, value);                                         \
    }

OPTION(curl_easy_setopt)
OPTION(curl_easy_getinfo)

// What FoundationNetworking does when libcurl wants another kind of watch over a socket.
typedef int (*watch)(void *easy, int socket, int what, void *user, void *assigned);
static watch foundation;

// Once asked to watch a socket for room to write, as libcurl asks while it connects, FoundationNetworking goes on doing
// so, and a connected socket always has room: until the answer came, a thread spun. It is told to forget the socket
// before it is told to wait for answers alone.
static int rewatch(void *easy, int socket, int what, void *user, void *assigned) {
    enum { for_answers = 1, not_at_all = 4 };
    if (what == for_answers && assigned) {
        int result = foundation(easy, socket, not_at_all, user, assigned);
        if (result) return result;
        assigned = NULL;
    }
    return foundation(easy, socket, what, user, assigned);
}

int curl_multi_setopt(void *handle, int option, ...) {
    REAL(curl_multi_setopt, int, void *, int, ...)
    enum { socket_function = 20001 };
    va_list values;
    va_start(values, option);
    void *value = va_arg(values, void *);
    va_end(values);
    if (option == socket_function && value) {
        // The same function for every handle.
        __atomic_store_n(&foundation, (watch)value, __ATOMIC_RELEASE);
        value = (void *)rewatch;
    }
    return real(handle, option, value);
}

#define CALL0(name, result)                                                         \
    result name(void) { REAL(name, result, void) return real(); }
#define CALL1(name, result, A)                                                      \
    result name(A a) { REAL(name, result, A) return real(a); }
#define CALL2(name, result, A, B)                                                   \
    result name(A a, B b) { REAL(name, result, A, B) return real(a, b); }
#define CALL3(name, result, A, B, C)                                                \
    result name(A a, B b, C c) { REAL(name, result, A, B, C) return real(a, b, c); }
#define CALL4(name, result, A, B, C, D)                                             \
    result name(A a, B b, C c, D d) { REAL(name, result, A, B, C, D) return real(a, b, c, d); }

CALL1(curl_global_init, int, long)
CALL0(curl_version, char *)
CALL1(curl_version_info, void *, int)
CALL1(curl_free, void, void *)
CALL0(curl_easy_init, void *)
CALL1(curl_easy_cleanup, void, void *)
CALL2(curl_easy_pause, int, void *, int)
CALL1(curl_easy_strerror, const char *, int)
CALL0(curl_multi_init, void *)
CALL1(curl_multi_cleanup, int, void *)
CALL2(curl_multi_add_handle, int, void *, void *)
CALL2(curl_multi_remove_handle, int, void *, void *)
CALL3(curl_multi_assign, int, void *, int, void *)
CALL2(curl_multi_info_read, void *, void *, int *)
CALL4(curl_multi_socket_action, int, void *, int, int, int *)
CALL2(curl_slist_append, void *, void *, const char *)
CALL1(curl_slist_free_all, void, void *)
CALL0(curl_url, void *)
CALL4(curl_url_get, int, void *, int, char **, unsigned)
CALL4(curl_url_set, int, void *, int, const char *, unsigned)
