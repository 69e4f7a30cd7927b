#ifndef VP_CCURL_H
#define VP_CCURL_H

#include <stddef.h>

// libcurl's easy and multi interfaces, as far as one transport needs them. The library is loaded by the first call of
// `vp_curl_problem`; nothing else here may be called before that has answered NULL.
//
// libcurl's handles are `void *` to us, its lists, too. Results are libcurl's own codes: 0 is done.

/// Loads libcurl. Returns NULL, or why it cannot be had; those words stay valid.
const char *vp_curl_problem(void);

/// libcurl's description of a `CURLcode`. Holds nothing of the request.
const char *vp_curl_words(int code);

void *vp_curl_easy_init(void);
void vp_curl_easy_cleanup(void *easy);
int vp_curl_set_long(void *easy, int option, long value);
int vp_curl_set_large(void *easy, int option, long long value);
int vp_curl_set_pointer(void *easy, int option, const void *value);
long vp_curl_get_long(void *easy, int information);

/// Takes `count` bytes of a body or one header line; returning anything but `count` ends the transfer.
typedef size_t (*vp_curl_sink)(char *bytes, size_t size, size_t count, void *user);
int vp_curl_set_sink(void *easy, int option, vp_curl_sink sink);

/// Has every socket closed in programs that are started meanwhile.
int vp_curl_keep_sockets_private(void *easy);

void *vp_curl_list_append(void *list, const char *text);
void vp_curl_list_free(void *list);

void *vp_curl_multi_init(void);
void vp_curl_multi_cleanup(void *multi);
int vp_curl_multi_set_long(void *multi, int option, long value);
int vp_curl_multi_add(void *multi, void *easy);
int vp_curl_multi_remove(void *multi, void *easy);
int vp_curl_multi_perform(void *multi, int *running);
int vp_curl_multi_poll(void *multi, int milliseconds);
/// The only function here that may be called while another thread uses `multi`.
int vp_curl_multi_wakeup(void *multi);
/// Returns 1, and what has ended and how, or 0 where nothing has.
int vp_curl_multi_next_end(void *multi, void **easy, int *result);

#endif
