package process

import (
	"errors"
	"io"
	"path/filepath"
	"strings"

	"minissh/protocol/mux"
)

// A shell that is told its lines (LINES.md) is the account's own, interactive, with a terminal for
// job control. It reads constant lines of ours, one for each line of the user's, from a pipe that
// nothing it starts can read. Each has the shell read the user's text from another pipe, as data,
// and evaluate it: no text is ever spliced into a script. Reports go through a third pipe.
//
// Descriptors 3 to 5 are the text, the reports, and the lines of ours; those are descriptor 0 from
// the beginning if the shell is not to read its startup files with the terminal there.
const (
	// startLines turns the shell's input from the terminal to the pipe. bash reads its startup
	// files with the terminal as their input, as on any login.
	startLines = " \\exec 0<&5 5<&-\n"

	// lineFunctions reads texts and reports. A text comes after a line with its mark, which is $1
	// and which no text can know, and the number of its lines, or -1 if it is interrupted already;
	// it is to be evaluated if $2 is line. What comes before is the rest of a text whose reading
	// was interrupted. A part holds 256 lines: the whole text is not copied for each of them. An
	// interrupt or an error may have the shell throw away the rest of what it was told, in the
	// middle of any of this. So we tell it the same again, and marks say what is done: a text is
	// read once, and its report has its mark. If the text was not read to the end, nothing of it
	// runs and the status is that of an interrupt. Both leave $? as the user's line had it. Once a
	// line may have set -e or a trap for ERR, each notes its status itself: with what is well in a
	// line (false && true), eval would not be. A shell whose line has closed the pipes would lose
	// all that follow without a word: it ends.
	lineFunctions = `__minissh_tty=${SSH_TTY-} __minissh_notes= __minissh_nl='
'
__minissh_mark= __minissh_whole= __minissh_told=
__minissh_pipes() {
{ \builtin :; } <&"$__minissh_in" >&"$__minissh_out" || \builtin kill -KILL $$
}
__minissh_read() {
__minissh_s=$? __minissh_line=
\unset -f builtin 2>/dev/null
if \builtin [ "$1" = "$__minissh_mark" ]; then
__minissh_own=${__minissh_own:-$__minissh_s}
\builtin return $__minissh_s
fi
__minissh_text= __minissh_part= __minissh_own=
__minissh_mark=$1
__minissh_pipes
\builtin printf 'begun\0%s\0' "$1" >&"$__minissh_out"
while IFS= \builtin read -r __minissh_n <&"$__minissh_in"; do
case $__minissh_n in "$1 "*) break ;; esac
done
__minissh_n=${__minissh_n#"$1 "}
\builtin [ "$__minissh_n" -ge 0 ] || \builtin return 130
while \builtin [ "$__minissh_n" -gt 0 ]; do
IFS= \builtin read -r __minissh_l <&"$__minissh_in"
__minissh_part=$__minissh_part$__minissh_l$__minissh_nl __minissh_n=$((__minissh_n - 1))
\builtin [ $((__minissh_n % 256)) -gt 0 ] ||
__minissh_text=$__minissh_text$__minissh_part __minissh_part=
done
case $__minissh_text in *"set -"*|*errexit*|*trap*) __minissh_notes=1 ;; esac
case $- in *e*) __minissh_notes=1 ;; esac
\builtin [ "${2-}" != line ] || __minissh_note
__minissh_line=$__minissh_text __minissh_whole=$1 __minissh_text=
\builtin return $__minissh_s
}
__minissh_note() {
\builtin [ -z "$__minissh_notes" ] ||
__minissh_text=$__minissh_text'__minissh_own=$?'$__minissh_nl
}
__minissh_report() {
__minissh_s=${__minissh_own:-$?} __minissh_own=
\unset -f builtin 2>/dev/null
\builtin [ -z "${PS1-}${PS2-}" ] || { (PS1= PS2=) 2>/dev/null && PS1= PS2=; }
\builtin [ "$__minissh_whole" = "$__minissh_mark" ] || __minissh_s=130
__minissh_pipes
\builtin [ "$__minissh_told" = "$__minissh_mark" ] ||
\builtin printf 'ended\0%s\0%s\0%s\0%s\0' "$__minissh_s" "${PWD:-$(\builtin pwd)}" "${OLDPWD-}" \
"$__minissh_mark" >&"$__minissh_out"
__minissh_line= __minissh_told=$__minissh_mark __minissh_whole=$__minissh_mark
\builtin [ -z "${1-}" ] || \builtin printf 'sync\0%s\0' "$1" >&"$__minissh_out"
\builtin return $__minissh_s
}
`
	// namesBegin and namesEnd are around what lists names for LI6: the kind is $1, the word $2. In
	// a subshell nothing of it lasts. $3 is the directory that a path begins with, $4 what is typed
	// for it; it is evaluated only if it is ~ and a user's name, or $ and a variable's.
	namesBegin = `__minissh_names() {
(
\builtin set +e +u +f
\builtin [ -z "${ZSH_VERSION-}" ] || \builtin setopt nonomatch
\builtin set -- "${__minissh_line%%"$__minissh_nl"*}" "${__minissh_line#*"$__minissh_nl"}"
\builtin set -- "$1" "${2%"$__minissh_nl"}" "" ""
case $2 in
"~/"*) \builtin set -- "$1" "$2" "$HOME" "~" ;;
"~"*/*)
__minissh_l=${2%%/*}
case ${__minissh_l#"~"} in
*[!A-Za-z0-9_.-]*) ;;
*) \builtin eval "__minissh_n=$__minissh_l" &&
\builtin set -- "$1" "$2" "$__minissh_n" "$__minissh_l" ;;
esac ;;
'$'[A-Za-z_]*/*)
__minissh_l=${2%%/*}
case ${__minissh_l#'$'} in
*[!A-Za-z0-9_]*) ;;
*) \builtin eval "__minissh_n=$__minissh_l" && \builtin [ -n "$__minissh_n" ] &&
\builtin set -- "$1" "$2" "$__minissh_n" "$__minissh_l" ;;
esac ;;
esac
case $1 in
path)
\builtin [ "$3" = "$4" ] || \builtin set -- "$1" "$3/${2#*/}" "$3" "$4"
for __minissh_l in "$2"*; do
\builtin [ -d "$__minissh_l" ] && __minissh_n=/ || __minissh_n=
\builtin [ -e "$__minissh_l" ] || \builtin [ -L "$__minissh_l" ] || continue
case $__minissh_l in *"$__minissh_nl"*) continue ;; esac
\builtin [ "$3" = "$4" ] || __minissh_l=$4${__minissh_l#"$3"}
\builtin printf '%s\n' "$__minissh_l$__minissh_n"
done ;;
`
	namesEnd = `esac
) | \builtin command sort -u | \builtin command head -n 1000
\builtin return $__minissh_s
}
`
	posixNames = `variable)
\builtin set | \builtin command sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p' |
while IFS= \builtin read -r __minissh_l; do
case $__minissh_l in __minissh_*) ;; "$2"*) \builtin printf '%s\n' "$__minissh_l" ;; esac
done ;;
command)
IFS=:
for __minissh_l in $PATH; do
for __minissh_n in "$__minissh_l/$2"*; do
\builtin [ -f "$__minissh_n" ] && \builtin [ -x "$__minissh_n" ] &&
\builtin printf '%s\n' "${__minissh_n##*/}"
done
done
for __minissh_l in alias bg break case cd command continue do done echo elif else esac eval exec \
exit export fg fi for function getopts hash if in jobs kill printf pwd read readonly return set \
shift test then time times trap type ulimit umask unalias unset until wait while; do
case $__minissh_l in "$2"*) \builtin printf '%s\n' "$__minissh_l" ;; esac
done ;;
`
	bashNames = `variable)
\builtin compgen -v -- "$2" | while IFS= \builtin read -r __minissh_l; do
case $__minissh_l in __minissh_*) ;; *) \builtin printf '%s\n' "$__minissh_l" ;; esac
done ;;
command)
\builtin compgen -c -- "$2" | while IFS= \builtin read -r __minissh_l; do
case $__minissh_l in __minissh_*) ;; *) \builtin printf '%s\n' "$__minissh_l" ;; esac
done ;;
`
	zshNames = `variable) \builtin print -rl -- ${(k)parameters[(I)${(b)2}*]} ;;
command)
\builtin print -rl -- ${(k)commands[(I)${(b)2}*]} ${(k)functions[(I)${(b)2}*]} \
${(k)builtins[(I)${(b)2}*]} ${(k)aliases[(I)${(b)2}*]} | \builtin command grep -v ^__minissh_ ;;
`
	// From here on the shell says nothing of its own, and the pipes are where no line is likely to
	// open something else: `exec 9>lock` is common. POSIX knows descriptors of one digit only.
	bashReady = "\\builtin set +o history; \\builtin history -c; PROMPT_COMMAND= PS1= PS2=\n" +
		"\\exec 98<&3 99>&4 3<&- 4>&-; __minissh_in=98 __minissh_out=99\n"
	zshReady = "\\builtin unsetopt PROMPT_SP PROMPT_CR BANG_HIST\n" +
		"precmd_functions=(); preexec_functions=()\n" +
		"PS1= PS2= RPS1= RPS2=\n" +
		"\\exec {__minissh_in}<&3 {__minissh_out}>&4 3<&- 4>&-\n"
	posixReady = "PS1= PS2=\n" +
		"\\exec 7<&3 8>&4 3<&- 4>&-; __minissh_in=7 __minissh_out=8\n"
	closeInput = "\\exec 5<&-\n" // the same pipe, or the terminal: it is open elsewhere
	sayReady   = `\builtin printf 'ready\0' >&"$__minissh_out"` + "\n"

	// The lines of ours, in which %s is the text's mark. The last word is $_ for the text.
	tellRead = `{ __minissh_read %s line "${__minissh_last-}" && ` +
		`\builtin : "${__minissh_first-}"; } 2>/dev/null; `
	tellPlain = tellRead +
		`\builtin eval "$__minissh_line" </dev/null; ` + report
	tellTTY = tellRead + `\builtin eval "$__minissh_line" ` +
		`<"$__minissh_tty" >"$__minissh_tty" 2>&1; ` + report
	tellNames = `{ __minissh_read %s && \builtin :; __minissh_names </dev/null; ` +
		"__minissh_report && \\builtin :; } 2>/dev/null\n"
	report    = "{ __minissh_report && \\builtin :; } 2>/dev/null\n"
	reportAnd = "{ __minissh_report %d && \\builtin :; } 2>/dev/null\n" // and answer with that
)

// ErrNoLines means that this shell, or this system, cannot be told lines.
var ErrNoLines = errors.New("this login shell cannot be told one line after the other here")

// lineShell is how a shell is told lines.
type lineShell struct {
	name   string
	args   []string
	onTTY  bool // its input is the terminal at first
	typed  bool // and always: the lines of ours are typed there, and it says itself when one ended
	script string
	tell   map[LineKind]string // the lines of ours
	calm   string              // one that takes out hooks
}

var posixTell = map[LineKind]string{PlainLine: tellPlain, TerminalLine: tellTTY,
	NameLine: tellNames}

// posixWords are for shells without builtin: command does the same there, and no function takes the
// place of a special builtin.
var posixWords = strings.NewReplacer(`-f builtin`, `-f command`, `\builtin command`, `\command`,
	`\builtin return`, `\return`, `\builtin set `, `\set `, `\builtin eval `, `\eval `,
	`\builtin :`, `\:`, `\builtin `, `\command `)

// newLineShell is how the shell of that path is told lines; without a terminal if tty is false.
func newLineShell(path string, tty bool) (*lineShell, error) {
	name := filepath.Base(path)
	s := &lineShell{name: name, args: []string{"-" + name, "-i"}, tell: posixTell}
	names, own, more := posixNames, posixReady, ""
	switch name {
	case "sh", "dash", "ash":
		s.tell = map[LineKind]string{}
		for kind, tell := range posixTell {
			s.tell[kind] = posixWords.Replace(tell)
		}
	case "bash":
		s.args = []string{"-bash", "--noediting", "-i"}
		s.onTTY = tty
		names, own, more, s.calm = bashNames, bashReady, bashKeeps, bashCalm
	case "fish":
		if !tty {
			return nil, ErrNoLines
		}
		s.args, s.onTTY, s.typed = []string{"-fish", "-i", "-C", fishSource}, true, true
		s.tell, s.script, s.calm = fishTell, fishFunctions, fishCalm
		return s, nil
	case "zsh":
		s.args = []string{"-zsh", "-i", "+Z", "-s"}
		names, own, more, s.calm = zshNames, zshReady, zshCalms, zshCalm
	default:
		return nil, ErrNoLines
	}
	s.script = own + lineFunctions + more + namesBegin + names + namesEnd
	if !s.onTTY {
		s.script += closeInput
	}
	s.script += sayReady
	if names == posixNames {
		s.script = posixWords.Replace(s.script)
	}
	return s, nil
}

// fields is of how many a report consists.
func (s *lineShell) fields(report string) int {
	switch {
	case report == "sync":
		return 2
	case report == "begun" && !s.typed:
		return 2
	case report == "ended" && s.typed:
		return 4
	case report == "ended":
		return 5
	}
	return 1
}

// LineKind is what a text is to a shell.
type LineKind int

const (
	PlainLine    LineKind = iota // a line without a terminal
	TerminalLine                 // a line on the shell's terminal
	NameLine                     // what LI6 asks for: a kind, and a word
)

// LineOutput takes what is written while a line runs: 1 is standard output, 2 standard error, 0
// what the terminal shows. It may wait, which holds that stream up.
type LineOutput func(stream int, p []byte)

// Keyboard types on a terminal.
type Keyboard interface {
	io.Writer
	mux.TryWriter
}

// LineEnd is how a line ended.
type LineEnd struct {
	Code        int    // the shell's $?
	Dir, OldDir []byte // as in Result
	ShellEnded  bool   // the shell ended during the line: its Result counts
}

// ErrLineRuns means that another line runs.
var ErrLineRuns = errors.New("another line runs")
