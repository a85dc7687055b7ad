/** Why a sudo command line is not taken, and what the writer can do: one stable code, one line of help. */
const HELP = {
  "argv-invalid": "Give the words after sudo as a list of strings.",
  "argv-too-long": "Give at most 256 words and 128 KiB; put long content into a file.",
  "argv-not-text": "Use valid Unicode without NUL and without U+FFFD, which stands for lost bytes.",
  "command-missing": "Name the command to run after the options.",
  "command-invalid": "Name the command by its absolute path, or by a plain name such as apt-get.",
  "command-not-absolute": "Give the command's absolute path; a relative path depends on the folder.",
  "nested-elevation": "Ask for the command itself, not for another elevator around it.",
  sudoedit: "Edit a copy, then ask to install it with /usr/bin/install.",
  "not-alone": "Help, version, list and timestamp options are only taken as the only word.",
  "option-unknown": "Use options of sudo's manual, without a value where it names none.",
  "option-abbreviated": "Write long options in full.",
  "option-value-missing": "Give the option its value; `--` is not one.",
  "option-value-unexpected": "This option takes no value.",
  "option-repeated": "Give the option once.",
  "option-conflict": "-k and -N exclude each other.",
  "run-as-invalid": "Name an account in lower case; numbers, groups and `-u=name` are not taken.",
  "cwd-invalid": "Give -D an absolute folder without `.` or `..`.",
  "timeout-invalid": "Give -T whole seconds or a form such as 1h30m, at most one day.",
  "env-not-allowed": "Only DEBIAN_FRONTEND, LANG, LC_ALL and TZ may be set.",
  "env-value-invalid": "Use at most 256 characters without / % or control characters, not beginning with ().",
  "env-repeated": "Set each variable once.",
  "env-ambiguous": "Put -- before a command that has = in its name; sudo would read it as a variable.",
  "option-askpass": "Leave -A out; the approval asks a person, not a program of the caller's choice.",
  "option-auth-type": "Leave -a out; how a person proves who they are is not the caller's choice.",
  "option-background": "Leave -b out; a command is watched until it ends.",
  "option-close-from": "Leave -C out; no descriptor is handed on anyway.",
  "option-login-class": "Leave -c out; the command runs with a fixed environment.",
  "option-preserve-env": "Leave -E out; set the few allowed variables by name before the command.",
  "option-edit": "Edit a copy, then ask to install it with /usr/bin/install.",
  "option-group": "Leave -g out; name the account with -u.",
  "option-host": "Leave -h HOST out; commands run on this host only.",
  "option-login": "Leave -i out and ask for one command instead of a login shell.",
  "option-preserve-groups": "Leave -P out; the command gets the target account's groups.",
  "option-chroot": "Leave -R out; the command runs in the real root folder.",
  "option-role": "Leave -r out; the SELinux role is not the caller's choice.",
  "option-stdin": "Leave -S out; no password is ever read from standard input.",
  "option-shell": "Leave -s out and ask for one command instead of a shell.",
  "option-type": "Leave -t out; the SELinux type is not the caller's choice.",
  "option-other-user": "Leave -U out; use -l alone.",
  "option-validate": "Leave -v out; no credential is kept between commands.",
} as const;

export type SudoRefusalCode = keyof typeof HELP;

/** What the writer of a refused sudo command line can do, in one line. */
export function sudoRefusalHelp(code: SudoRefusalCode): string {
  return HELP[code];
}

export const SUDO_REFUSAL_CODES: readonly SudoRefusalCode[] = Object.keys(HELP) as SudoRefusalCode[];
