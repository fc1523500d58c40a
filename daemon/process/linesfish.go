package process

// fish reads its lines from a terminal and nowhere else: the lines of ours are typed there, and its
// own standard streams are the terminal. Its words about a line's errors appear there, after it has
// begun. Descriptor 5 is its script, to the end; 6 and 7 are a plain line's output. After a line,
// or else by its prompt, it tells of the line's end, and waits until its output was taken, with
// fishTold as the answer. When it prompts it has not ended with the line. An interrupt may come
// while it reads a text, the rest of which then comes before the answer, and has effect a little
// later: an answer that it may not have taken is asked for again, with a number (fishSync). What is
// redirected for one read alone is read in pieces, the last of which loses what comes after the
// text: so nothing does.
const (
	fishTold   = "__minissh_told 0\x00"
	fishSync   = "__minissh_told %s\x00"
	fishSource = "command cat </dev/fd/5 | builtin source"

	fishFunctions = `function __minissh_read
set -g __minissh_status $status
if set -q __minissh_waits
set __minissh_waits (builtin math $__minissh_waits + 1)
builtin printf 'sync\0%s\0' $__minissh_waits >&4
__minissh_wait $__minissh_waits
end
set -g __minissh_due 130
builtin printf 'begun\0' >&4
read -z -g __minissh_line </dev/fd/3
set -g __minissh_due 0
return $__minissh_status
end
function __minissh_paths
set -l paths "$argv"*
set -q paths[1]; and command ls -dp -- $paths
end
function __minissh_names
set -l asked (string split -m1 \n -- $__minissh_line)
set -l word (string trim -r -c \n -- $asked[2])
switch $asked[1]
case path
set -l name (string match -r '^\$([A-Za-z_][A-Za-z0-9_]*)/' -- $word)
string match -q '~/*' -- $word; and set name '~/' HOME
set -l to
set -q name[2]; and set to $$name[2]
if set -q to[1]
__minissh_paths (string replace -- $name[1] $to[1]/ $word) |
string replace -- $to[1]/ $name[1]
else
__minissh_paths $word
end
case variable
set -n | string match -- "$word*"
case command
builtin complete -C "$word"
end | string split -f1 \t | string match -v '__minissh_*' | command sort -u | command head -n 1000
return $__minissh_status
end
function __minissh_wait
set -l told
begin
while test "$told" != "__minissh_told $argv"
read -z told; or break
end
end </dev/fd/3
set -e __minissh_waits
end
function __minissh_report --on-event fish_postexec
set -l code $status
set -q __minissh_due; or return $code
test $__minissh_due = 0; or set code $__minissh_due
set -l old "$dirprev[-1]"
test "$__fish_cd_direction" = next; and set old "$dirnext[-1]"
set -g __minissh_waits 0
builtin printf 'ended\0%s\0%s\0%s\0' $code $PWD "$old" >&4
set -e __minissh_due
set -g __minissh_line
function fish_prompt
__minissh_prompts
end
__minissh_wait 0
return $code
end
function __minissh_prompts
__minissh_report
builtin printf 'prompts\0' >&4
end
function fish_prompt
__minissh_prompts
end
function fish_right_prompt; end
function fish_mode_prompt; end
function fish_title; end
function fish_greeting; end
set -g fish_autosuggestion_enabled 0
fish_default_key_bindings
` + fishCalms + `builtin printf 'ready\0' >&4
`
)

// fishTell are the lines of ours for fish. A blank in front keeps them out of its history.
var fishTell = map[LineKind]string{
	PlainLine:    " __minissh_read; eval $__minissh_line </dev/null >&6 2>&7\r",
	TerminalLine: " __minissh_read; eval $__minissh_line\r",
	NameLine:     " __minissh_read; __minissh_names </dev/null >&6 2>/dev/null\r",
}
