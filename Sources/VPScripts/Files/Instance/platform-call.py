import sys, urllib.request, urllib.error
method, url, body, agent = sys.argv[1:5]
headers = {"Authorization": "Bearer " + sys.stdin.read(), "Content-Type": "application/json",
           "User-Agent": agent}
try:
    request = urllib.request.Request(url, body.encode() or None, headers, method=method)
    print(urllib.request.urlopen(request, timeout=30).status)
except urllib.error.HTTPError as error:
    print(error.code, error.headers.get("Retry-After") or "")
except Exception:
    print("000")
