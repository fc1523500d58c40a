package process

import (
	"bytes"
	"os"
	"path/filepath"
)

// The scripts that report a shell's directory. Each is constant: the user's line is an argument and
// is only ever evaluated, never spliced in, so an unbalanced quote in it is a syntax error of the
// line and nothing else. $0 is the shell, $1 the line, $2 the directory before. `shift` inside the
// evaluation hides our arguments from the line. The report is two NUL-terminated strings on
// descriptor 3; its own trace under `set -x` is thrown away.
const (
	// trapScript reports from the EXIT trap, so also after `exit 3`, `set -e` and syntax errors.
	// The line runs without descriptor 3, yet the trap sees it: dash, bash and busybox undo a
	// redirection before they run the trap. A line with an EXIT trap has no report.
	trapScript = `trap '{ printf "%s\0%s\0" "$PWD" "${OLDPWD-}" >&3; } 2>/dev/null' EXIT; ` +
		`eval "shift \$#; $1" 3>&-`

	// plainScript reports after the line only: in ksh93 and mksh a trap would turn death by a
	// signal into an exit code, and in mksh the trap after `exit` does not see descriptor 3. So `cd
	// x; exit 3` gives no report there. ksh93 knows statuses above 256, for a child ended by a
	// signal, and ends itself by the same one, but not by `exit`.
	plainScript = `eval "shift \$#; $1" 3>&-; ` +
		`{ set -- "$?"; printf "%s\0%s\0" "$PWD" "${OLDPWD-}" >&3; ` +
		`[ "$1" -gt 256 ] && kill "-$(($1 - 256))" "$$"; } 2>/dev/null; exit "$1"`

	// zshScript: zsh does not take OLDPWD from its environment, so the script goes there and back.
	// Its trap after `exit` would not see a descriptor hidden by redirection, but it can make a
	// close-on-exec one, at a number of its own choice: a line may well open 9.
	zshScript = `if [[ -n $2 ]] && builtin cd -q -- "$2" 2>/dev/null; then ` +
		`builtin cd -q - >/dev/null || exit 1; fi; ` +
		`{ zmodload zsh/system && ` +
		`sysopen -w -o cloexec -u __minissh_out /dev/fd/3; } 2>/dev/null || ` +
		`exec {__minissh_out}>&3; exec 3>&-; ` +
		`trap '{ builtin printf "%s\0%s\0" "$PWD" "$OLDPWD" >&$__minissh_out; } 2>/dev/null' ` +
		`EXIT; ` +
		`eval "shift \$#; $1"`

	// fishScript: fish cannot hide descriptor 3 from the line's programs. Without a UTF-8 locale it
	// garbles names that are not ASCII, here as in its own cd. Its `cd -` goes through a list, and
	// changes direction.
	fishScript = `test -n "$argv[2]"; and set -g dirprev $argv[2]; ` +
		`function __minissh_report --on-event fish_exit; set -l old "$dirprev[-1]"; ` +
		`test "$__fish_cd_direction" = next; and set old "$dirnext[-1]"; ` +
		`printf '%s\0%s\0' "$PWD" "$old" >&3; end; ` +
		`set -g __minissh_line $argv[1]; set -e argv; eval "set -e __minissh_line; $__minissh_line"`
)

// ShellLine returns the argument vector with which shell runs one line of a prompt, and whether the
// shell then reports its directory on descriptor 3 (Spec.ReportDir). oldDir, "" if there is none,
// is where `cd -` goes. The exit status is the line's own; only the shells that would have replaced
// themselves by the line's single program (bash, zsh) tell its death by a signal as 128+n, as for
// any longer line. No report, and so an unchanged directory, follows when the line replaces the
// shell (exec), ends it by a signal or sets its own EXIT trap. Other shells run the line plainly.
func ShellLine(shell, line, oldDir string) (args []string, reports bool) {
	script, name := "", filepath.Base(shell)
	switch name {
	case "sh", "dash", "ash", "bash", "rbash":
		script = trapScript
	case "ksh", "ksh93", "mksh", "lksh", "pdksh", "oksh":
		script = plainScript
	case "zsh":
		script = zshScript
	case "fish":
		return []string{name, "-c", fishScript, line, oldDir}, true
	default:
		return ShellCommand(shell, line), false
	}
	return []string{name, "-c", script, name, line, oldDir}, true
}

// ShellCommand returns the argument vector with which shell runs a command as sshd does: shell -c
// command, under its name without directories, which is in the shell's messages.
func ShellCommand(shell, command string) []string {
	return []string{filepath.Base(shell), "-c", command}
}

// LoginShell returns the argument vector of a login shell, as sshd starts it: the name after a
// hyphen tells the shell that it is one.
func LoginShell(shell string) []string { return []string{"-" + filepath.Base(shell)} }

// maxReport is the longest report: far more than two of the longest paths, no more than a pipe
// holds.
const maxReport = 64 << 10

// readReport reads what is in the report pipe now. It never waits for the end: a background child
// may hold the other end for days, and the shell wrote its report before it ended.
func readReport(f *os.File) (dir, oldDir []byte) {
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, nil
	}
	var data []byte
	raw.Control(func(fd uintptr) { data = readAvailable(int(fd), maxReport) })
	return parseReport(data)
}

// parseReport takes the last complete pair of NUL-terminated strings. Only an absolute path is a
// directory; anything else, perhaps from the line's own programs, means no report.
func parseReport(data []byte) (dir, oldDir []byte) {
	parts := bytes.Split(data, []byte{0})
	if len(parts) < 3 || len(parts[len(parts)-1]) != 0 {
		return nil, nil
	}
	dir, oldDir = parts[len(parts)-3], parts[len(parts)-2]
	if len(dir) == 0 || dir[0] != '/' {
		return nil, nil
	}
	if len(oldDir) == 0 || oldDir[0] != '/' {
		oldDir = nil
	}
	return dir, oldDir
}
