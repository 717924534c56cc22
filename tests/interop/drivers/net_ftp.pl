# Perl's Net::FTP; for its arguments see driver.ts.
use strict;
use warnings;
use Net::FTP;

my ($host, $port, $protection, $ca_file, $mode, $user, $password, @steps) = @ARGV;
my $ftp = Net::FTP->new(
  $host,
  Port => $port,
  Passive => $mode eq "passive" ? 1 : 0,
  Timeout => 20,
  SSL => $protection eq "implicit" ? 1 : 0,
  $ca_file ne "" ? (SSL_ca_file => $ca_file) : (),
) or die "connecting: $@\n";
sub check { my ($result, $what) = @_; die "$what: $@ " . $ftp->message . "\n" unless defined $result; return $result }

check($ftp->starttls || undef, "starttls") if $protection eq "explicit";
check($ftp->login($user, $password) || undef, "login");
$ftp->binary;

my %operations = (
  list => sub { my @names = $ftp->ls(grep { $_ ne "" } @_); check($ftp->ok || undef, "ls"); print "$_\n" for @names },
  get => sub { check($ftp->get($_[0], $_[1]), "get") },
  put => sub { check($ftp->put($_[1], $_[0]), "put") },
  resumeGet => sub { check($ftp->get($_[0], $_[1], -s $_[1]), "get") },
  resumePut => sub {
    my $offset = check($ftp->size($_[0]), "size");
    open(my $file, "<:raw", $_[1]) or die;
    seek($file, $offset, 0);
    check($ftp->append($file, $_[0]), "append");
  },
  rename => sub { check($ftp->rename($_[0], $_[1]) || undef, "rename") },
  mkdir => sub { check($ftp->mkdir($_[0]), "mkdir") },
  rmdir => sub { check($ftp->rmdir($_[0]) || undef, "rmdir") },
  delete => sub { check($ftp->delete($_[0]) || undef, "delete") },
  abort => sub {
    my $data = check($ftp->retr($_[0]), "retr");
    $data->read(my $bytes, 1000);
    check($data->abort || undef, "abort");
  },
);
while (my ($operation, $remote, $other) = splice(@steps, 0, 3)) {
  $operations{$operation}->($remote, $other);
}
check($ftp->quit || undef, "quit");
