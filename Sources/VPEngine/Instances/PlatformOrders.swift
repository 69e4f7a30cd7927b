/// The shell text by which an instance gives its platform orders about itself, with a key of its own.
enum PlatformOrders {
    /// Variables for `functions`: what the instance's own key is called, and how it looks at itself and stops.
    /// `id` is the instance's id.
    static func text(_ platform: Platform, apiBase: String) -> String {
        let base = ShellQuoting.quoted(apiBase)
        return switch platform {
        case .vast:
            """
            variable=CONTAINER_API_KEY look=\(base)/api/v0/instances/"$id"/
            stop_method=PUT stop_url=$look stop_body='{"state":"stopped"}'

            """
        case .runpod:
            """
            variable=RUNPOD_API_KEY look=\(base)/pods/"$id"
            stop_method=POST stop_url=$look/action stop_body='{"action":"stop"}'

            """
        }
    }

    /// `key` and `call`, for images with curl, Python or GNU wget. Busybox's wget knows one method.
    ///
    /// `$lease` is a private folder: wget takes the key from nothing but a file.
    static let functions = #"""
        # The instance's own key. ssh sessions do not have it, the container's first process does.
        key() { tr '\0' '\n' < /proc/1/environ 2>/dev/null | sed -n "s/^$variable=//p" | head -n 1; }

        # call METHOD URL BODY: prints the status of the answer, or a word. The key travels by pipe or by a
        # variable, which no list of processes shows to others.
        call() {
            own=$(key)
            [ -n "$own" ] || { echo 'no key of its own'; return; }
            if command -v curl >/dev/null 2>&1; then
                printf 'header = "Authorization: Bearer %s"\n' "$own" \
                    | curl -K - -s -o /dev/null -w '%{http_code}' -m 30 -A "$agent" -X "$1" \
                        -H 'Content-Type: application/json' -d "$3" "$2"
            elif command -v python3 >/dev/null 2>&1; then
                printf '%s' "$own" | python3 -c '
        import sys, urllib.request, urllib.error
        method, url, body, agent = sys.argv[1:5]
        headers = {"Authorization": "Bearer " + sys.stdin.read(), "Content-Type": "application/json",
                   "User-Agent": agent}
        try:
            request = urllib.request.Request(url, body.encode() or None, headers, method=method)
            print(urllib.request.urlopen(request, timeout=30).status)
        except urllib.error.HTTPError as error:
            print(error.code)
        except Exception:
            print("000")
        ' "$1" "$2" "$3" "$agent"
            elif wget --help 2>&1 | grep -q -e --method; then
                printf 'header = Authorization: Bearer %s\n' "$own" > "$lease/wgetrc"
                WGETRC="$lease/wgetrc" wget -q -S -O /dev/null -T 30 -t 1 -U "$agent" --method="$1" \
                    --header='Content-Type: application/json' --body-data="$3" "$2" 2>&1 \
                    | sed -n 's/^ *HTTP\/[0-9.]* \([0-9]*\).*/\1/p' | tail -n 1
                rm -f "$lease/wgetrc"
            else
                echo 'no curl, python3 or wget'
            fi
        }
        """#
}
