#!/usr/bin/perl
# Starts a job's command, waits for it and for the work that it left in the background, and writes how they ended.
#
# perl learns from a wait what a shell does not: whether an exit with 137 was an end by KILL. It adopts the orphans
# of the command's processes (`PR_SET_CHILD_SUBREAPER`), so that their ends are known as well. The command is not
# collected before all is over: a `tail --pid` that follows the log waits for it. Exits with 3, without having done
# anything, on a machine whose system call numbers it does not know.
#
# The command is a line of bash, or of the user's own shell if there is no bash, with the start-up files that `ssh
# host '...'` reads. Processes that a shell starts in the background ignore INT and QUIT; the command gets the
# defaults back.
#
# Once the command has ended, its remaining processes are waited for while they are at work: they use a GPU or the
# processor, or write to the log or the workspace. A process that has done none of this for `linger` seconds is left
# behind. `background` has one line for each of them: `running`, `left`, how it ended or `unknown`, its number, for
# how many seconds it was seen at work, its start time, and its command.

use strict;
use Config;
my ($job, $manner, $linger, $root, $shell) = @ARGV;
# getrusage(2), prctl(2) and waitid(2), for which perl has no functions.
my %calls = ("x86_64" => [98, 157, 247], "aarch64" => [165, 167, 95]);
my ($machine) = $Config{archname} =~ /^(\w+)/;
my ($getrusage, $prctl, $waitid) = @{$calls{$machine} || []};
exit 3 unless $waitid;
my $adopts = syscall($prctl, 36, 1, 0, 0, 0) == 0;
sub text { open(my $file, "<", $_[0]) or return ""; local $/; return scalar(<$file>) // "" }
sub note { open(my $file, ">", "$job/$_[0]") or return; print $file "$_[1]\n"; close $file }
sub uptime { text("/proc/uptime") =~ /^([\d.]+)/ ? $1 : 0 }
sub fields { text("/proc/$_[0]/stat") =~ /^.*\) (.*)$/s ? split(/ /, $1) : () }
note("waiter", "$$ " . (fields($$))[19]) if $adopts;
my $command = text("$job/command");
my @command = length($command) < 100000 ? ($shell, "-c", $command) : ($shell, "$job/command");
my ($master, $keys, $sizes, $slave);
my $typed = "";
if ($manner =~ /^(\d+):(\d+)(:keys)?$/) {
    if ($3) {
        require POSIX;
        POSIX::mkfifo("$job/$_", 0600) for qw(keys size);
        # The pipes are opened for both directions: then they have no end while nobody types.
        open($keys, "+<", "$job/keys");
        open($sizes, "+<", "$job/size");
    }
    my $number = pack("i", 0);
    my $size = pack("S4", $1, $2, 0, 0);
    open($master, "+<", "/dev/ptmx") or die "vp: no terminal: $!\n";
    my $unlocked = pack("i", 0);
    ioctl($master, 0x40045431, $unlocked) or die "vp: no terminal: $!\n";
    ioctl($master, 0x80045430, $number) or die "vp: no terminal: $!\n";
    ioctl($master, 0x5414, $size);
    $ENV{TERM} ||= "xterm-256color";
    @command = ("sh", "-c", q(exec <"$0" >"$0" 2>&1 && exec "$@"), "/dev/pts/" . unpack("i", $number), @command);
    open($slave, "+<", "/dev/pts/" . unpack("i", $number)) unless $keys;
}
@command = ("sh", "$job/loader", "", "$job/environment", @command);
my $supervisor = getppid();
my ($start, $up) = (time, uptime());
my $child = fork;
die "vp: cannot start a process: $!\n" unless defined $child;
if (!$child) {
    $SIG{$_} = "DEFAULT" for qw(INT QUIT HUP PIPE TERM);
    delete $ENV{VP_WAITER};
    $ENV{VP_JOB} = $1 if $job =~ m{([^/]+)$};
    $ENV{VP_JOB_FOLDER} = $job;
    exec "setsid", @command;
    exit 127;
}
note("pid", "$child $start");

# Copies output of the terminal once, within the given seconds; without a terminal it only waits.
sub copy {
    my ($pause, $is_over) = @_;
    my ($ready, $free) = ("", "");
    for my $file (grep { defined } $master, $typed eq "" ? $keys : undef, $sizes) {
        vec($ready, fileno($file), 1) = 1;
    }
    vec($free, fileno($master), 1) = 1 if $typed ne "";
    return if select($ready, $free, undef, $pause) <= 0 || !$master;
    if ($keys && vec($ready, fileno($keys), 1)) { sysread($keys, $typed, 1024) }
    if ($sizes && vec($ready, fileno($sizes), 1) && sysread($sizes, my $line, 1024)) {
        ioctl($master, 0x5414, pack("S4", $1, $2, 0, 0)) if $line =~ /(\d+) (\d+)\n$/;
    }
    # A terminal whose program does not read accepts a little and then no more; it must not block us.
    if ($typed ne "" && (vec($free, fileno($master), 1) || $keys && vec($ready, fileno($keys), 1))) {
        my $count = syswrite($master, $typed, 256);
        substr($typed, 0, $count) = "" if $count;
    }
    return unless vec($ready, fileno($master), 1);
    my $count = sysread($master, my $bytes, 65536);
    if ($count) {
        syswrite(STDOUT, $bytes) unless $is_over;
        return $count;
    }
    # The other end is not open yet, or no longer.
    select(undef, undef, undef, 0.01);
    return 0;
}
# Nobody types, so every reader must find the end of the input.
sub end_input {
    my $waiting = "";
    vec($waiting, fileno($slave), 1) = 1;
    syswrite($master, "\x04") unless select($waiting, undef, undef, 0);
}
# Returns how the command ended, or nothing while it runs. Collects all other adopted processes that have ended.
sub ended {
    my ($options) = @_;
    while (1) {
        my $found = "\0" x 128;
        my $result = syscall($waitid, 0, 0, $found, 0x1000004 | $options, 0);
        if ($result < 0) {
            next if $! == 4;
            return "waiter=blind";
        }
        my (undef, undef, $code, undef, $pid, undef, $status) = unpack("l7", $found);
        return unless $pid;
        if ($pid == $child) { return ($code == 1 ? "code" : "signal") . "=$status" }
        waitpid($pid, 0);
    }
}
my $end;
if ($master) {
    until (defined($end = ended(1))) {
        end_input() if $slave;
        copy(0.1);
    }
    close($slave) if $slave;
    # Processes that the command left behind may write forever.
    for (my $late = 0; $late < 65536; ) {
        my $count = copy(0) or last;
        $late += $count;
    }
} else {
    $end = ended(0);
}

my $ended = uptime();
my $busy = $ended;
my (%known, @over);
# Returns the job's processes besides the ended command, keyed by number: their fields of stat.
sub others {
    my (%all, %mine, %names);
    opendir(my $folder, "/proc") or return {};
    for my $pid (grep /^\d+$/, readdir $folder) {
        my @fields = fields($pid);
        $all{$pid} = \@fields if @fields > 19;
        $names{$pid} = text("/proc/$pid/comm") =~ s/\s+$//r if @fields > 19 && $fields[0] eq "Z";
    }
    for my $pid (keys %all) {
        next if $pid == $$;
        $mine{$pid} = 1 if $all{$pid}[3] == $child || $all{$pid}[1] == $$;
        next if $adopts || $mine{$pid};
        $mine{$pid} = 1 if text("/proc/$pid/environ") =~ /(^|\0)VP_JOB_FOLDER=\Q$job\E(\0|$)/;
    }
    for (my $more = 1; $more; ) {
        $more = 0;
        for my $pid (keys %all) {
            next if $mine{$pid} || $pid == $$ || !$mine{$all{$pid}[1]};
            $more = $mine{$pid} = 1;
        }
    }
    delete $mine{$child};
    for my $pid (keys %mine) {
        my $is_dead = $all{$pid}[0] =~ /[ZX]/;
        if ($is_dead && $all{$pid}[1] == $$ && waitpid($pid, 1) == $pid) {
            # A process that failed at once was never seen.
            $known{$pid} ||= {born => $all{$pid}[19], active => 0, command => $names{$pid}};
            over($pid, $?);
        }
        delete $mine{$pid} if $is_dead;
    }
    return {map { $_ => $all{$_} } keys %mine};
}
# Records that a background process has ended. A process that ends within a second after the command belongs to it,
# unless it failed: a signal that a script sends to its helpers is no failure.
sub over {
    my ($pid, $status) = @_;
    my $entry = delete $known{$pid} or return;
    my $failed = $status && !grep { $status == $_ || $status == ($_ + 128) << 8 } 1, 2, 13, 15;
    return if uptime() - $ended < 1 && !$entry->{shown} && !$failed;
    $busy = uptime();
    my $word = !defined $status ? "unknown" : $status & 127 ? "signal=" . ($status & 127) : "code=" . ($status >> 8);
    push @over, "$word $pid " . int($entry->{active}) . " $entry->{born} $entry->{command}";
}
sub command {
    my $words = text("/proc/$_[0]/cmdline");
    $words =~ s/\0+$//;
    $words =~ tr/\0-\x1f\x7f/ /;
    return substr($words ne "" ? $words : text("/proc/$_[0]/comm"), 0, 200) =~ s/\s+$//r;
}
sub meet {
    my ($others) = @_;
    for my $pid (keys %$others) {
        my $born = $others->{$pid}[19];
        over($pid, undef) if $known{$pid} && $known{$pid}{born} != $born;
        my $entry = $known{$pid} ||= {born => $born, active => 0, last => $ended};
        # A fork executes its program a moment later.
        $entry->{command} = command($pid) || $entry->{command} || "?";
        $entry->{adopted} ||= $others->{$pid}[1] == $$;
    }
    for my $pid (keys %known) {
        next if $others->{$pid};
        # Processes that another process of the job waited for have reported their end to that one.
        if ($known{$pid}{adopted} || !$adopts) { over($pid, undef) } else { delete $known{$pid} }
    }
}
sub describe {
    my ($state, @left) = @_;
    my @lines = map { my $e = $known{$_}; "$state $_ " . int($e->{active}) . " $e->{born} $e->{command}" }
        sort { $a <=> $b } @left;
    @lines = (@over, @lines);
    splice(@lines, 50) if @lines > 50;
    $known{$_}{shown} = 1 for @left;
    return unless @lines;
    note("background-new", join("\n", @lines));
    rename("$job/background-new", "$job/background");
}
sub size { my $sum = 0; $sum += -s "$job/$_" || 0 for qw(log errors); return $sum }
sub gpus {
    my %users;
    my @path = split(/:/, $ENV{PATH} || "");
    return {} unless grep { -x "$_/nvidia-smi" } @path;
    my $smi = (grep({ -x "$_/timeout" } @path) ? "timeout 10 " : "") . "nvidia-smi";
    for my $pid (@_) {
        opendir(my $folder, "/proc/$pid/fd") or next;
        $users{$pid} = 1 if grep { (readlink("/proc/$pid/fd/$_") // "") =~ m{^/dev/nvidia\d} } readdir $folder;
    }
    $users{$_} = 1 for `$smi --query-compute-apps=pid --format=csv,noheader 2>/dev/null` =~ /^(\d+)\s*$/mg;
    return {} unless %users;
    my @loads = `$smi --query-gpu=utilization.gpu --format=csv,noheader,nounits 2>/dev/null` =~ /^\s*(\d+)/mg;
    # A loaded model without requests is no work.
    return !@loads || grep({ $_ >= 5 } @loads) ? \%users : {};
}
my ($looked, $log, $next_walk, $set) = ($ended, size(), 0, "");
my %folders = map { $_ => 1 } grep { $_ ne "/" && -d } ($root, ".");
sub measure {
    my ($others) = @_;
    my $now = uptime();
    my $passed = $now - $looked;
    $looked = $now;
    my (%at_work, %wrote, $moved);
    for my $pid (keys %$others) {
        my $entry = $known{$pid} or next;
        my ($f, $io) = ($others->{$pid}, text("/proc/$pid/io"));
        my $ticks = $f->[11] + $f->[12] + $f->[13] + $f->[14];
        my ($chars) = $io =~ /^wchar: (\d+)/m;
        my ($bytes) = $io =~ /^write_bytes: (\d+)/m;
        if (defined $entry->{ticks}) {
            $at_work{$pid} = 1 if $ticks - $entry->{ticks} >= 10 * $passed;
            $at_work{$pid} = 1 if ($bytes || 0) - $entry->{bytes} >= 262144 * $passed;
            $wrote{$pid} = 1 if ($chars || 0) > $entry->{chars} || ($bytes || 0) > $entry->{bytes};
            $moved = 1 if $f->[13] + $f->[14] > $entry->{waited};
        } else {
            $wrote{$pid} = $moved = 1;
        }
        @$entry{qw(ticks chars bytes waited)} = ($ticks, $chars || 0, $bytes || 0, $f->[13] + $f->[14]);
    }
    my $members = join(" ", sort keys %$others);
    my $is_first = $set eq "";
    $moved = 1 if $members ne $set;
    $set = $members;
    my $size = size();
    my $written = $size > $log;
    $log = $size;
    # The workspace may have many files: looking at them takes at most a twentieth of the time.
    if ($now >= $next_walk) {
        note("looked-new", "");
        for my $folder (!$written && -e "$job/looked" && ($moved || %wrote) ? keys %folders : ()) {
            my $look = q(find "$0" -type f -newer "$1" -print 2>/dev/null | head -n 1);
            open(my $find, "-|", "sh", "-c", $look, $folder, "$job/looked") or next;
            $written = 1 if defined scalar <$find>;
            close $find;
        }
        rename("$job/looked-new", "$job/looked");
        $next_walk = $now + 20 * (uptime() - $now);
    }
    if ($written) { $at_work{$_} = 1 for %wrote ? keys %wrote : keys %$others }
    $at_work{$_} = 1 for $is_first ? () : keys %{gpus(keys %$others)};
    for my $pid (grep { $others->{$_} && $known{$_} } keys %at_work) {
        $busy = $known{$pid}{last} = $now;
        $known{$pid}{active} += $passed;
    }
    return $now;
}

# A process without another child has no other descendant.
my $others = $adopts && text("/proc/$$/task/$$/children") =~ /^$child\s*$/ ? {} : others();
meet($others);
# Processes that read the output of the command, or are just ending, need a moment.
for (my $pause = 0.005; %$others && uptime() - $ended < 1; $pause = $pause * 2 > 0.1 ? 0.1 : $pause * 2) {
    copy($pause);
    meet($others = others());
}
my $interval = $linger / 5 < 0.5 ? 0.5 : $linger / 5 > 10 ? 10 : $linger / 5;
measure($others);
describe("running", keys %known) if %$others;
my ($shown, $measured, $ending) = (join(" ", sort keys %known), uptime(), 0);
my @left;
while (%$others) {
    my $now = uptime();
    if (-e "$job/cancelled" || -e "$job/limit-reached") {
        # Other code ends them; a process that survives even that must not keep the job open forever.
        $ending ||= $now;
        my ($grace) = text("$job/cancelled") =~ /^(\d+)/;
        last if $now > $ending + ($grace || 10) + 15;
    } elsif ($now - $measured >= $interval || !$linger) {
        measure($others);
        $measured = $now;
        @left = grep { $now - $known{$_}{last} >= $linger } keys %$others;
        last if @left == keys %$others;
        describe("running", keys %known);
    }
    my $pause = $ending ? 0.05 : $now - $ended < 30 ? 0.1 : 1;
    while (uptime() < $now + $pause) { copy($pause) }
    meet($others = others());
    my $members = join(" ", sort keys %known);
    describe("running", keys %known) if $members ne $shown;
    $shown = $members;
}
@left = keys %$others;
if (@left) {
    note("left", join("\n", map { "$_ $known{$_}{born}" } @left));
    describe("left", @left);
} else {
    describe("left");
}

$end .= sprintf(" start=%d lasted=%d", $start, ($busy - $up) * 100 + 0.5);
$end .= " bytes=" . (-s "$job/log" || 0);
$end .= " errors=" . (-s "$job/errors" || 0) if -e "$job/errors";
waitpid($child, 0);
my $usage = "\0" x 256;
if (syscall($getrusage, -1, $usage) == 0) {
    $end .= " peak=" . unpack("q", substr($usage, 32, 8)) * 1024;
}
note("end", $end);
exit 0 unless @left && $adopts;
# This process stays as the parent of those left behind, by which they are found; the supervisor continues without
# it.
kill "USR1", $supervisor if getppid() == $supervisor;
open(STDOUT, ">", "/dev/null");
open(STDERR, ">", "/dev/null");
if ($master) {
    while (1) { copy(1, 1); 1 while waitpid(-1, 1) > 0; last if waitpid(-1, 1) < 0 }
} else {
    1 while waitpid(-1, 0) > 0;
}
