/// libcurl's numbers, as its documentation lists them; within `libcurl.so.4` they never change.
///
/// They are not taken from its header, so that only the library itself is needed, and only at the first
/// request.
enum CurlOption {
    // Numbers (`CURLOPTTYPE_LONG`)
    static let post: Int32 = 47
    static let followLocation: Int32 = 52
    static let freshConnect: Int32 = 74
    static let forbidReuse: Int32 = 75
    static let httpGet: Int32 = 80
    static let httpVersion: Int32 = 84
    static let noSignal: Int32 = 99
    static let connectTimeoutMilliseconds: Int32 = 156
    static let protocols: Int32 = 181
    static let tcpKeepAlive: Int32 = 213
    static let suppressConnectHeaders: Int32 = 265
    static let http09Allowed: Int32 = 285
    static let quickExit: Int32 = 322
    // Larger numbers (`CURLOPTTYPE_OFF_T`)
    static let postFieldSize: Int32 = 30120
    // Texts and other pointers
    static let writeData: Int32 = 10001
    static let url: Int32 = 10002
    static let proxy: Int32 = 10004
    static let errorBuffer: Int32 = 10010
    static let httpHeader: Int32 = 10023
    static let headerData: Int32 = 10029
    static let customRequest: Int32 = 10036
    static let caFile: Int32 = 10065
    static let caFolder: Int32 = 10097
    static let copyPostFields: Int32 = 10165
    static let noProxy: Int32 = 10177
    static let proxyCAFile: Int32 = 10246
    static let proxyCAFolder: Int32 = 10247
    // Functions
    static let writeFunction: Int32 = 20011
    static let headerFunction: Int32 = 20079
}

/// The values that are requested by `curl_easy_getinfo`.
enum CurlInformation {
    static let verifyResult: Int32 = 0x200000 + 13
    static let connectCode: Int32 = 0x200000 + 22
}

/// The results of a transfer, as far as we distinguish them.
enum CurlResult {
    static let done: Int32 = 0
    static let unsupportedProtocol: Int32 = 1
    static let malformedURL: Int32 = 3
    static let proxyNotFound: Int32 = 5
    static let hostNotFound: Int32 = 6
    static let cannotConnect: Int32 = 7
    static let strangeReply: Int32 = 8
    static let partial: Int32 = 18
    static let timedOut: Int32 = 28
    static let tlsConnect: Int32 = 35
    static let nothing: Int32 = 52
    static let send: Int32 = 55
    static let receive: Int32 = 56
    static let untrusted: Int32 = 60
    static let certificateFile: Int32 = 77
    static let proxyHandshake: Int32 = 97
}
