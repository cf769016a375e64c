# Keeps a listening socket open and has a service run on it, as systemd's socket activation does: perl supervisor.pl SOCKET PROGRAM [WORD...]
# The service is started at once, and again whenever none is left. A line on standard input starts one more; its words are NAME=VALUE for
# the environment of that one. Says "started PID" and "ended PID STATUS" on standard output, and ends, with all services, when its input does.
use strict;
use warnings;
use IO::Socket::UNIX;
use POSIX qw(:sys_wait_h dup2);

my ($path, @program) = @ARGV;
$| = 1;
# Descriptors up to this one stay open in what is exec'd.
$^F = 3;
my $socket = IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => $path, Listen => 4096) or die "$path: $!";
chmod 0600, $path;
dup2(fileno $socket, 3) // die "dup2: $!";
my (%running, $ending);
$SIG{TERM} = sub { $ending = 1 };

sub start {
  my $pid = fork // die "fork: $!";
  if ($pid == 0) {
    open STDIN, '<', '/dev/null';
    open STDOUT, '>&', \*STDERR;
    for (@_) { my ($name, $value) = split /=/, $_, 2; $ENV{$name} = $value }
    @ENV{qw(LISTEN_FDS LISTEN_PID)} = (1, $$);
    exec @program or POSIX::_exit(127);
  }
  $running{$pid} = 1;
  print "started $pid\n";
}

# Debian's perl-base has no Time::HiRes.
sub pause { select undef, undef, undef, shift }

sub reap {
  while ((my $pid = waitpid -1, WNOHANG) > 0) {
    print "ended $pid $?\n" if delete $running{$pid};
  }
}

start();
my $input = '';
until ($ending) {
  my $ready = '';
  vec($ready, 0, 1) = 1;
  if (select($ready, undef, undef, 0.01) > 0) {
    sysread(STDIN, $input, 4096, length $input) or last;
    start(split ' ', $1) while $input =~ s/^(.*)\n//;
  }
  reap();
  next if %running;
  pause(0.1);
  start();
}
kill TERM => keys %running;
for (my $limit = time + 20; %running && time < $limit; pause(0.01)) { reap() }
kill KILL => keys %running;
unlink $path;
