/// The shell text that stays with a job on the instance from its start to its end.
///
/// It runs in a session of its own, without input, and writes down how the command ended. The command runs in
/// another session, so that ending the command's cannot end the record of it.
enum JobSupervisor {
    /// Sets `alive` for the job in folder `$1`: whether its supervisor runs.
    ///
    /// A number alone would not do: containers count their processes from 1 at every start, so that another
    /// process may have it after one. Together with the time of its start it names one process for ever.
    static let aliveFunction = """
        alive() {
        alive_pid='' alive_born='' alive_stat=''
        [ ! -s "$1/supervisor" ] || read -r alive_pid alive_born < "$1/supervisor"
        [ -n "$alive_pid" ] && [ -r "/proc/$alive_pid/stat" ] || return 1
        { read -r alive_stat < "/proc/$alive_pid/stat"; } 2>/dev/null || return 1
        # shellcheck disable=SC2086
        set -- ${alive_stat##*) }
        [ "${1:-Z}" != Z ] && [ "${20:-}" = "$alive_born" ]
        }
        """

    /// Sets `own`, which prints the processes of the job in folder `$job`, and `end SIGNAL`, which sends them one.
    ///
    /// They are found by the variable `VP_JOB` in their environment and by the command's session, so that one
    /// that moved to another session, or was adopted by init, is found as well. The supervisor has neither: it
    /// writes down how the job ended.
    static let endFunctions = """
        own() {
        session=''
        [ ! -s "$job/pid" ] || read -r session _ < "$job/pid"
        {
        grep -lzx "VP_JOB=${job##*/}" /proc/[0-9]*/environ 2>/dev/null | tr -dc '0-9\\n'
        for stat in /proc/[0-9]*/stat; do
        line=''
        { read -r line < "$stat"; } 2>/dev/null
        [ -n "$line" ] || continue
        process=${line%% *}
        # shellcheck disable=SC2086
        set -- ${line##*) }
        if [ "$1" != Z ] && [ "$4" = "${session:-x}" ]; then echo "$process"; fi
        done
        } | sort -un
        }
        end() { for process in $(own); do kill "-$1" "$process" 2>/dev/null; done; }
        """

    /// Ends the job when the command has had its time, `$limit` seconds: TERM, then KILL. Here and not where it was
    /// started from, so that the limit holds when nobody is there.
    ///
    /// Its sleep is a process that would stay for the rest of that time, so that it goes with its shell.
    private static let limiter = """
        trap 'kill "$pause" 2>/dev/null; exit' TERM
        sleep "$limit" &
        pause=$!
        wait "$pause"
        trap - TERM
        if [ ! -s "$job/end" ]; then
        : > "$job/limit-reached"
        printf '\\nvp: the cost limit of this run is reached; this job is being ended.\\n' >> "$job/log"
        end TERM
        tries=100
        while [ $tries -gt 0 ] && [ -n "$(own)" ]; do sleep 0.1; tries=$((tries - 1)); done
        tries=30
        while [ $tries -gt 0 ] && [ -n "$(own)" ]; do end KILL; sleep 0.1; tries=$((tries - 1)); done
        fi
        """

    /// `$1` is the job's folder, `$2` the folder to work in, `$3` a job to wait for or nothing, `$4` `plain`,
    /// `split` (standard error has a file of its own) or the `rows:columns` of a terminal, `$5` how many seconds
    /// the command may take, 0 for no limit.
    ///
    /// The last thing it does is to write `status`: words of the form `key=value` on one line. Sizes belong to
    /// it because a process that the command left behind may go on writing, and what it writes then is not part
    /// of what was promised. Setting the log to the size it has wakes a `tail` that waits for it.
    static let text = """
        job=$1 folder=$2 after=$3 manner=$4 limit=$5
        umask 022
        read -r stat < "/proc/$$/stat"
        # shellcheck disable=SC2086
        set -- ${stat##*) }
        echo "$$ ${20}" > "$job/supervisor"
        \(Self.aliveFunction)
        now() {
        read -r now _ < /proc/uptime
        now=${now%.*}${now#*.}
        }
        # How often the kernel has ended a process of this container because memory ran out.
        ooms() {
        ooms=0
        for file in /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control; do
        [ -r "$file" ] || continue
        while read -r key value; do [ "$key" != oom_kill ] || ooms=$value; done < "$file"
        break
        done
        }
        finish() {
        # One that is at its work has children to end that outlived the command.
        if [ -e "$job/limit-reached" ]; then wait "$limiter"; else [ -z "$limiter" ] || kill "$limiter" 2>/dev/null; fi
        # Values of variables stay nowhere, also where the command never came to read them.
        : > "$job/environment"
        # Room for this line, where the command has used up the disk.
        echo "$1" 2>/dev/null > "$job/status" || rm -f "$job/command" "$job/environment"
        until [ -s "$job/status" ]; do
        echo "$1" 2>/dev/null > "$job/status" || sleep 5
        done
        for file in "$job/log" "$job/errors"; do [ ! -e "$file" ] || truncate -s +0 "$file" 2>/dev/null; done
        exit 0
        }
        limiter=''
        if [ -n "$after" ]; then
        : > "$job/queued"
        while [ ! -s "${job%/*}/$after/status" ] && alive "${job%/*}/$after" && [ ! -e "$job/cancelled" ]; do
        sleep 0.5
        done
        fi
        [ ! -e "$job/cancelled" ] || finish 'unstarted=1'
        if ! cd "$folder" 2>>"$job/log"; then
        echo "vp: the working folder $folder cannot be entered" >> "$job/log"
        finish "code=126 start=$(date +%s) lasted=0 bytes=$(($(wc -c < "$job/log")))"
        fi
        # Variables of a RunPod container are its first process's alone; the platform's own shells read them here.
        # shellcheck disable=SC1091
        [ ! -r /etc/rp_environment ] || ! (. /etc/rp_environment) >/dev/null 2>&1 || . /etc/rp_environment
        [ ! -r "$HOME/.vp/environment" ] || . "$HOME/.vp/environment"
        export PYTHONUNBUFFERED=1
        # The driver's version: the kernel tells it to most containers, and for others it is asked for once.
        driver=${job%/jobs/*}/driver
        if [ ! -e "$driver" ]; then
        if [ -r /proc/driver/nvidia/version ]; then
        read -r _ _ _ _ _ _ _ version _ < /proc/driver/nvidia/version
        echo "$version" > "$driver"
        elif command -v nvidia-smi >/dev/null 2>&1; then
        nvidia-smi --query-gpu=driver_version --format=csv,noheader > "$driver" 2>/dev/null &
        fi
        fi
        exec >>"$job/log"
        if [ "$manner" = split ]; then exec 2>>"$job/errors"; else exec 2>&1; fi
        ooms
        before=$ooms
        if [ "$limit" -gt 0 ]; then
        \(Self.endFunctions)
        (
        \(Self.limiter)
        ) </dev/null >/dev/null 2>&1 &
        limiter=$!
        fi
        # perl knows of a wait what a shell does not tell: an exit with 137 from an end by KILL.
        if command -v perl >/dev/null 2>&1; then
        # shellcheck disable=SC2016
        perl -e \(ShellQuoting.quoted(Self.waiter)) "$job" "$manner"
        elif [ "${manner#*:}" != "$manner" ]; then
        echo 'vp: a terminal for a job (-t) needs perl on the instance' >&2
        echo "code=126 start=$(date +%s) lasted=0 bytes=$(($(wc -c < "$job/log")))" > "$job/end"
        else
        \(Self.plainWait)
        fi
        end=waiter=gone
        [ ! -s "$job/end" ] || read -r end < "$job/end"
        case $end in
        code=0\\ *) ;;
        *)
        ooms
        [ "$ooms" -le "$before" ] || end="$end oom=1"
        for room in $(df -Pk "$job" . 2>/dev/null | while read -r _ _ _ free _; do echo "$free"; done); do
        case $room in *[!0-9]*) ;; *) [ "$room" -ge 512 ] || end="$end full=1" ;; esac
        done
        ;;
        esac
        [ ! -s "$driver" ] || { read -r version < "$driver" && end="$end driver=$version"; }
        [ ! -e "$job/lease-ended" ] || end="$end lease=1"
        [ ! -e "$job/limit-reached" ] || end="$end limit=1"
        finish "$end"
        """

    /// Starts the command, waits for it, and writes how it ended to `end`.
    ///
    /// The shell execs a command that is its last, so that what ends a lone `python train.py` is seen here. INT
    /// and QUIT are ignored by what a shell starts in the background; the command gets them back.
    private static let waiter = #"""
        use strict;
        use Config;
        my ($job, $manner) = @ARGV;
        sub text { open(my $file, "<", $_[0]) or return ""; local $/; return scalar <$file> }
        sub note { open(my $file, ">", "$job/$_[0]") or return; print $file "$_[1]\n"; close $file }
        sub uptime { text("/proc/uptime") =~ /^([\d.]+)/ ? $1 : 0 }
        my $command = text("$job/command");
        my @command = length($command) < 100000 ? ("sh", "-c", $command) : ("sh", "$job/command");
        my $master;
        if ($manner =~ /^(\d+):(\d+)$/) {
            my $number = pack("i", 0);
            my $size = pack("S4", $1, $2, 0, 0);
            open($master, "+<", "/dev/ptmx") or die "vp: no terminal: $!\n";
            my $unlocked = pack("i", 0);
            ioctl($master, 0x40045431, $unlocked) or die "vp: no terminal: $!\n";
            ioctl($master, 0x80045430, $number) or die "vp: no terminal: $!\n";
            ioctl($master, 0x5414, $size);
            $ENV{TERM} ||= "xterm-256color";
            @command = ("sh", "-c", q(exec <"$0" >"$0" 2>&1 && exec "$@"), "/dev/pts/" . unpack("i", $number), @command);
        }
        # Its variables are read by a shell of its own, so that none of them can be taken for one of ours.
        @command = ("sh", "-c", q(. "$0"; : > "$0"; exec "$@"), "$job/environment", @command);
        my ($start, $up) = (time, uptime());
        my $child = fork;
        die "vp: cannot start a process: $!\n" unless defined $child;
        if (!$child) {
            $SIG{$_} = "DEFAULT" for qw(INT QUIT HUP PIPE TERM);
            $ENV{VP_JOB} = $1 if $job =~ m{([^/]+)$};
            exec "setsid", @command;
            exit 127;
        }
        note("pid", "$child $start");
        my $status;
        if ($master) {
            my $late = 0;
            while (1) {
                my $ready = "";
                vec($ready, fileno($master), 1) = 1;
                if (select($ready, undef, undef, defined $status ? 0 : 0.1) > 0) {
                    my $count = sysread($master, my $bytes, 65536);
                    if ($count) {
                        syswrite(STDOUT, $bytes);
                        # What the command left behind may write for ever.
                        next unless defined $status;
                        last if ($late += $count) > 65536;
                        next;
                    }
                    # Nobody has the other end open: not yet, or no longer.
                    select(undef, undef, undef, 0.01) unless defined $status;
                }
                last if defined $status;
                $status = $? if waitpid($child, 1) == $child;
            }
        } else {
            waitpid($child, 0);
            $status = $?;
        }
        my $end = $status & 127 ? "signal=" . ($status & 127) : "code=" . ($status >> 8);
        $end .= sprintf(" start=%d lasted=%d", $start, (uptime() - $up) * 100 + 0.5);
        $end .= " bytes=" . (-s "$job/log" || 0);
        $end .= " errors=" . (-s "$job/errors" || 0) if -e "$job/errors";
        # getrusage(2) for the children that were waited for: perl has no word of its own for it.
        my %calls = ("x86_64" => 98, "aarch64" => 165);
        my ($call) = map { $calls{$_} } $Config{archname} =~ /^(\w+)/;
        my $usage = "\0" x 256;
        if ($call && syscall($call, -1, $usage) == 0) {
            $end .= " peak=" . unpack("q", substr($usage, 32, 8)) * 1024;
        }
        note("end", $end);
        """#

    /// The same without perl. A shell says 137 in either case, but puts a word on standard error where a signal
    /// was behind it, except for INT and PIPE and, as bash has it, TERM; those are noted as what they are.
    private static let plainWait = """
        # shellcheck disable=SC3040
        [ -z "${BASH_VERSION:-}" ] || set +o posix
        started=$(date +%s)
        now
        began=$now
        set -- sh "$job/command"
        [ "$(($(wc -c < "$job/command")))" -ge 100000 ] || set -- sh -c "$(cat "$job/command")"
        # Nothing is said of a child that ends before it is waited for, so that the command begins when this
        # shell sleeps, which it does only in `wait`.
        # shellcheck disable=SC2016
        VP_JOB=${job##*/} setsid sh -c '
        until read -r stat < "/proc/$0/stat" && [ "${stat##*) S}" != "$stat" ]; do
        [ -e "/proc/$0" ] || exit 125
        done
        . "$1"; : > "$1"; shift
        exec "$@"' "$$" "$job/environment" "$@" </dev/null &
        child=$!
        echo "$child $started" > "$job/pid"
        wait "$child" 2>"$job/how"
        code=$?
        now
        end="code=$code"
        if [ "$code" -gt 128 ]; then
        if [ -s "$job/how" ]; then end="signal=$((code - 128))"; else
        case $code/${BASH_VERSION:+bash} in 130/* | 141/* | 143/bash) end="either=$code" ;; esac
        fi
        fi
        end="$end start=$started lasted=$((now - began)) bytes=$(($(wc -c < "$job/log")))"
        [ ! -e "$job/errors" ] || end="$end errors=$(($(wc -c < "$job/errors")))"
        echo "$end" > "$job/end"
        """
}
