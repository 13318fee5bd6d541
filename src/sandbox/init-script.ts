/**
 * What the first process of a sandbox does, as root of its namespaces: it lays the file systems out and runs the command.
 * The texts are constant; all values reach them as arguments and variables.
 *
 * `stage` becomes the root of the namespace, with nothing but the machine's programs, read-only, and the command's own
 * root below it. So whoever breaks out of the chroot finds nothing worth the trouble.
 *
 * Variables: STAGE, an empty folder; TREE, the root filesystem; LAYER, `memory` to work over it, `none` to write to it;
 * SIZE, bytes it may write; USER_NAMESPACE, `yes` for an ordinary user; OWNER, `uid:gid`, of the writable binds while the
 * command runs; SOCKET and PORT, or empty.
 * Arguments: from, to, `read` or `write` for each bind; `--`; the command.
 */
export const INIT_SCRIPT = `
set -eu
umask 022
exec </dev/null

mount -t tmpfs -o mode=755,nosuid,nodev,size=4m sandbox "$STAGE"
mkdir "$STAGE/root" "$STAGE/base" "$STAGE/layer" "$STAGE/binds" "$STAGE/old"
for name in /usr /bin /sbin /lib*; do
  if [ -L "$name" ]; then cp -P "$name" "$STAGE$name"; continue; fi
  mkdir "$STAGE$name"
  mount --bind "$name" "$STAGE$name"
  mount -o remount,bind,ro,nosuid,nodev "$STAGE$name"
done
count=0
while [ "$1" != -- ]; do
  count=$((count + 1))
  if [ -d "$1" ]; then mkdir "$STAGE/binds/$count"; else : > "$STAGE/binds/$count"; fi
  mount --bind "$1" "$STAGE/binds/$count"
  printf '%s\\n' "$2" > "$STAGE/binds/$count.to"
  printf '%s\\n' "$3" > "$STAGE/binds/$count.mode"
  shift 3
done
shift
if [ -n "$SOCKET" ]; then : > "$STAGE/socket"; mount --bind "$SOCKET" "$STAGE/socket"; fi

cd "$STAGE"
if [ "$LAYER" = memory ]; then
  mount --bind "$TREE" base
  mount -t tmpfs -o mode=755,nosuid,nodev,size="$SIZE" layer layer
  mkdir layer/upper layer/work
  chmod --reference=base layer/upper
  places=lowerdir=base,upperdir=layer/upper,workdir=layer/work
  # In a user namespace only this lets folders be removed; kernels before 6.6 have no such attributes on a tmpfs.
  if [ "$USER_NAMESPACE" = yes ] && mount -t overlay -o "nodev,userxattr,$places" overlay root 2>/dev/null; then :
  else mount -t overlay -o "nodev,$places" overlay root; fi
else
  mount --bind "$TREE" root
  mount -o remount,bind,nodev root
fi

place() { # no link of the tree may lead a mount elsewhere
  at=root
  IFS=/; set -f
  for part in $1; do
    at=$at/$part
    if [ -L "$at" ]; then echo "sandbox: $1 leads over a symbolic link" >&2; exit 125; fi
  done
  unset IFS; set +f
}
place proc; place dev
mkdir -p root/proc root/dev
mount -t proc -o nosuid,nodev,noexec proc root/proc
for name in sys sysrq-trigger irq bus fs; do # where the kernel itself is set
  [ -e "root/proc/$name" ] || continue
  mount --bind "root/proc/$name" "root/proc/$name"
  mount -o remount,bind,ro,nosuid,nodev,noexec "root/proc/$name"
done
mount -t tmpfs -o mode=755,nosuid,noexec,size=64k dev root/dev
for name in null zero full random urandom tty; do
  : > "root/dev/$name"
  mount --bind "/dev/$name" "root/dev/$name"
done
mkdir root/dev/pts root/dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,nosuid,noexec devpts root/dev/pts
mount -t tmpfs -o mode=1777,nosuid,nodev,size="$SIZE" shm root/dev/shm
ln -s pts/ptmx root/dev/ptmx
ln -s /proc/self/fd root/dev/fd
ln -s /proc/self/fd/0 root/dev/stdin
ln -s /proc/self/fd/1 root/dev/stdout
ln -s /proc/self/fd/2 root/dev/stderr
mounted=0
while [ "$mounted" -lt "$count" ]; do
  mounted=$((mounted + 1))
  read -r to < "binds/$mounted.to"
  read -r mode < "binds/$mounted.mode"
  to=\${to#/}
  place "$to"
  if [ -d "binds/$mounted" ]; then mkdir -p "root/$to"; else mkdir -p "root/\${to%/*}"; : > "root/$to"; fi
  mount --bind "binds/$mounted" "root/$to"
  if [ "$mode" = write ]; then
    mount -o remount,bind,nosuid,nodev "root/$to"
    chown -R -h "$OWNER" "binds/$mounted"
  else
    mount -o remount,bind,ro,nosuid,nodev "root/$to"
  fi
done

ln -s root/proc proc # umount reads it
ln -s root/dev dev
hostname sandbox
pivot_root . old
umount -l /old
cd /
if [ -n "$SOCKET" ]; then perl -e "$FORWARDER" "$PORT" /socket; fi

status=0
"$@" 2>&1 || status=$?
kill -KILL -1 2>/dev/null || true # what it left running must not go on writing
while [ "$mounted" -gt 0 ]; do
  read -r mode < "binds/$mounted.mode"
  if [ "$mode" = write ]; then chown -R -h 0:0 "/binds/$mounted"; fi
  mounted=$((mounted - 1))
done
exit "$status"
`;

/**
 * Brings the loopback interface of the sandbox up, listens there, and carries every connection to a socket file outside:
 * the only way out, for the network namespace has no other interface. Perl, because mmdebstrap is written in it, so that
 * every machine that makes roots has it.
 */
export const FORWARDER = `
use strict;
use warnings;
use IO::Socket::INET;
use IO::Socket::UNIX;
use IO::Select;
my ($port, $path) = @ARGV;
my $control = IO::Socket::INET->new(Proto => 'udp') or die "sandbox: no socket: $!\\n";
my $flags = pack('a16 s x22', 'lo', 0x41);
ioctl($control, 0x8914, $flags) or die "sandbox: loopback: $!\\n"; # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 128, ReuseAddr => 1)
  or die "sandbox: port $port: $!\\n";
exit 0 if fork;
close STDIN; close STDOUT; close STDERR; # or whoever reads the output of the sandbox waits for this process
$SIG{CHLD} = 'IGNORE';
$SIG{PIPE} = 'IGNORE';
for (;;) {
  my $inside = $listener->accept or next;
  if (fork) { close $inside; next }
  close $listener;
  my $outside = IO::Socket::UNIX->new(Peer => $path) or exit 1;
  my %other = (fileno($inside) => $outside, fileno($outside) => $inside);
  my $both = IO::Select->new($inside, $outside);
  while (my @ready = $both->can_read) {
    for my $from (@ready) {
      my $to = $other{fileno $from};
      my $length = sysread $from, my $bytes, 65536;
      if (!$length) { $both->remove($from); shutdown $to, 1; next }
      for (my $done = 0; $done < $length;) { $done += syswrite($to, $bytes, $length - $done, $done) || exit 1 }
    }
  }
  exit 0;
}
`;
