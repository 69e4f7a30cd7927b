#ifndef VP_CCURL_H
#define VP_CCURL_H

/// Loads libcurl. Returns NULL, or the system's words for why it cannot be had; those stay valid.
///
/// FoundationNetworking must not be used where this says anything.
const char *vp_curl_problem(void);

#endif
