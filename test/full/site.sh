# Sourced by the parts of test/full: the mail server that is there before acl-groups, and how it is used.
# shellcheck shell=sh disable=SC2154 # variables of part.sh and machine.sh

# site VERSION: users, a public mailbox for the group staff, and a Sieve script of alice's that files into it.
site() {
  inside useradd --create-home --groups staff alice
  inside useradd --create-home bob
  printf 'alice:secret\nbob:secret\n' | inside chpasswd
  inside install -d -m 2770 -g staff /srv/public /srv/public/.team /srv/public/.team/cur /srv/public/.team/new /srv/public/.team/tmp
  echo 'group=staff lrwstipe' | inside tee /srv/public/.team/dovecot-acl >/dev/null
  # shellcheck disable=SC2016 # Sieve's text
  printf 'require "fileinto";\nif header :contains "subject" "team" { fileinto "Public/team"; }\n' | inside tee /home/alice/.dovecot.sieve >/dev/null
  inside tee /etc/dovecot/conf.d/50-site.conf >/dev/null <"test/full/site-$1.conf"
  inside systemctl restart dovecot
}

# deliver SUBJECT: mail for alice, by LMTP.
deliver() {
  python3 - "/proc/$init/root/run/dovecot/lmtp" "$1" <<'PYTHON' || fail "LMTP refused the mail"
import smtplib, sys
lmtp = smtplib.LMTP(sys.argv[1])
refused = lmtp.sendmail('sender@example.test', ['alice'], f'Subject: {sys.argv[2]}\r\n\r\nHello.\r\n')
lmtp.quit()
sys.exit(1 if refused else 0)
PYTHON
}

# filed SUBJECT: whether the mail with this subject is in the group's mailbox.
filed() { grep -rqs "^Subject: $1" "$root/srv/public/.team/new" "$root/srv/public/.team/cur"; }

# sees_team USER: whether a user who logs in by IMAP sees the group's mailbox.
sees_team() {
  nsenter --target "$init" --net python3 - "$1" <<'PYTHON'
import imaplib, sys
client = imaplib.IMAP4('127.0.0.1')
client.login(sys.argv[1], 'secret')
_, boxes = client.list('Public/', '*')
client.logout()
sys.exit(0 if any(b'team' in box for box in boxes if box) else 1)
PYTHON
}

# readme TEXT: the commands of the first sh block of README that contain this text.
readme() {
  awk -v text="$1" '
    /^```sh$/ { on = 1; block = ""; next }
    /^```$/ { if (on && index(block, text)) { printf "%s", block; found = 1; exit } on = 0 }
    on { block = block $0 "\n" }
    END { exit !found }' README.md || fail "README has no commands with: $1"
}

# as_readme_says TEXT [sed command]: runs them in root's home, as someone would who pastes them.
as_readme_says() {
  commands=$(readme "$1" | sed "${2-}")
  echo "$commands" | sed 's/^/   # /'
  echo "cd /root; set -eu
$commands" | inside sh >"$work/readme.log" 2>&1 || { cat "$work/readme.log" && fail "README's commands failed"; }
}
