/**
 * Programs that do not start what they are given, so that an elevator's name among their words is a mention.
 * What is in no table is suspected when its first operand is an elevator with something to run.
 */
const NAMES = `
  [ addgroup adduser ag alias ansible-doc apropos apt apt-cache apt-get apt-mark aptitude ar arch ascii
  aspell b2sum base32 base64 basename bat batcat bc bg bind brew bunzip2 bzip2 c++ cal cat cc chage chattr chgrp chmod
  chown cksum clang clang++ clear cmp code col colordiff column comm compgen complete cowsay cp curl cut dash-doc date dd
  delta df diff diff3 dig dir dirs disown dmesg dnf dpkg dpkg-deb dpkg-query dpkg-reconfigure du echo egrep espeak
  eopkg exa exiftool expand expr eza false fd fdfind fg fgrep figlet file fmt fold free fuser g++ gawk-doc gcc getcap getent getfacl
  getfattr gh glab gpasswd gpg grep groupadd groupdel groupmod groups gunzip gzip head help hexdump history host hostname
  iconv id info ip jobs join journalctl jq kill killall kubectl last lastb lastlog ldapsearch less ln loc locale locate logger
  login-doc look ls lsattr lsof lz4 mail mailx man mandb manpath md5sum member members mkdir mkfifo mktemp more most mv namei nano-doc
  netstat nl nm notify-send nslookup objdump od pacman pacman-key passwd paste pgrep pidof ping pip pip3 pipx pkgutil pkill
  plocate port pr printenv printf ps pstree pwd rcs readelf readlink realpath rename reset rev rg rm rmdir rpm rpm2cpio
  say scp-doc sdiff seq sha1sum sha224sum sha256sum sha384sum sha512sum shasum shellcheck shfmt shred shuf size slack sleep snap sort
  spd-say ss stat strings stty sum symlinks sync tac tail tar-doc tee test tig tldr toilet top touch tput tr trans tree true
  truncate tsort tty type ulimit umask uname unexpand uniq unlink unxz unzip unzstd uptime useradd userdel usermod users vdir vercmp
  vmstat w wall wc wget whatis whence where whereis which who whoami winget write xxd xz yay yes yq yum zcat zdiff zgrep zip zipinfo zstd
  zypper apk emerge equery flatpak port-doc pkg pkg_info pkg_add getsebool dpkg-statoverride update-alternatives readarray
  git-grep ack pt ugrep semgrep ctags cscope tokei cloc npm yarn pnpm cargo rustc go javac mvn gradle dotnet terraform
  docker podman nerdctl helm systemctl loginctl timedatectl hostnamectl crontab-doc etckeeper debconf-show debsums needrestart
  aa-status ausearch aureport faillock pam-auth-update visudo-doc sudoreplay cvtsudoers mosh-doc telnet nc-doc
`;

const ORDINARY: ReadonlySet<string> = new Set(
  NAMES.split(/\s+/).filter((name) => name !== "" && !name.endsWith("-doc")),
);

export function isOrdinary(name: string): boolean {
  return ORDINARY.has(name);
}
