package main

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

// Scripts of lines, each of which must do at the prompt what it does in bash itself: the same
// output, status, and state. bash is interactive there too.
var promptScripts = []string{
	"x=1\ny=$x$x\necho $y\nexport z=3\nsh -c 'echo $z'\nunset x\necho \"[${x-gone}]\"",
	"cd /usr\npwd\ncd bin\necho $PWD $OLDPWD\ncd -\npushd /tmp >/dev/null\ndirs\npopd",
	"false\necho $?\ntrue\necho $?\n(exit 9)\necho $? $?\n! true\necho $?",
	"f() { local a=$1; echo \"f:$a:$#\"; return 4; }\nf 'a b' c\necho $?\ntype -t f\n" +
		"unset -f f\ntype -t f\necho $?",
	"alias hi='echo hello'\nhi\nhi there\nunalias hi\nalias hi 2>/dev/null\necho $?",
	"set -u\n(echo $nothing) 2>/dev/null\necho $?\nset +u\necho \"[$nothing]\"\n" +
		"shopt -s nullglob\necho /nonexist*\nshopt -u nullglob\necho /nonexist*",
	"umask 027\numask\ntouch $HOME/u\nstat -c %a $HOME/u",
	"for i in 1 2 3; do\n  if [ $i = 2 ]; then\n    continue\n  fi\n  echo $i\ndone",
	"while read -r a b; do\n  echo \"$b-$a\"\ndone <<X\n1 one\n2 two three\nX",
	"cat <<'X'\n$not 'expanded' \"here\"\n\ttab\nX\ncat <<-Y\n\tindented\n\tY",
	"echo one \\\n  two \\\n  three\necho 'a\nb'\necho \"c\nd\"",
	"case abc in\n  a*) echo starts;;\n  *) echo not;;\nesac\n[[ abc == a?c ]] && echo matches",
	"a=(1 2 3)\na+=(4)\necho ${#a[@]} ${a[@]:1:2}\ndeclare -A m\nm[k]=v\necho ${m[k]}\n" +
		"declare -p a",
	"echo out; echo err >&2; echo again\n{ echo b; } >$HOME/b\ncat $HOME/b\n" +
		"echo 1 >$HOME/c; echo 2 >>$HOME/c; cat $HOME/c",
	"echo $((1+2*3)) $((x=5)) $x\nlet x++\necho $x\nprintf '%05d|%s\\n' 42 end",
	"echo a | tr a b | cat\nset -o pipefail\nfalse | true\necho $?\nset +o pipefail\n" +
		"false | true\necho $?",
	"sleep 0 & wait $!\necho $?\n(exit 3) & wait $!\necho $?\nx=$(echo sub; exit 5)\necho $? $x",
	"trap 'echo bye' EXIT\necho before\nexit 6",
	"readonly r=1\nr=2\necho $r $?\necho ${undefined:?no} 2>&1\necho still",
	"echo {1..5} {a,b}{1,2}\necho ~ | sed s,$HOME,home,\necho \"quo\\\"ted\" 'sin\\gle' $'a\\tb'",
	"echo 中文 é | wc -m\nprintf '\\xff\\xfe' | od -An -tx1\necho $'\\e[1mbold'",
	"eval 'v=5; echo $v'\nsource /dev/stdin <<< 'w=6'\necho $w\n. /dev/stdin <<< 'return 3'\n" +
		"echo $?",
	"if true\nthen echo yes\nelse echo no\nfi; echo \"# not a comment\" # a comment\n" +
		"# nothing\n\n   \necho end",
	"set -e\nfalse && true\necho $?\ntest -f nothing || echo none\nif false; then :; fi\n" +
		"echo $?\n! true\nf() { false; echo not reached; }\nf && echo no || echo yes\necho on",
	"set -e; false && true\necho $?\nset +e\nfalse\necho $?\nset -o errexit\n(exit 4)\necho never",
	"set -e\ntrue\nsh -c 'exit 5' | true\nx=$(exit 7)\necho never",
	"trap 'echo failed $?' ERR\nfalse\ntrue\nfalse && true\necho $?\n(exit 3)\ntrap - ERR\nfalse",
	"history -c 2>/dev/null; set -- a b c\necho $# $2\nshift\necho $1\nset --\necho $#",
}

// state is what a script leaves, told at its end.
const state = "\necho \"state: $? $PWD $OLDPWD $(umask) $#\"\njobs\n(exit 11)\n"

func TestPromptLinesAgainstBash(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("not run: needs bash")
	}
	h := startMinisshHere(t)
	for i, script := range promptScripts {
		dir := t.TempDir()
		lines := "HOME=" + dir + "; cd; cd\n" + script + state
		ours := exec.Command(h.args[0], append(append([]string{"prompt"}, h.args[1:]...),
			"127.0.0.1")...)
		bash := exec.Command("bash", "--noprofile", "--norc", "--noediting", "-i")
		bash.Env, bash.Dir = append(ours.Environ(), "PS1=", "PS2="), dir
		var got, want bytes.Buffer
		ours.Stdin, ours.Stdout = strings.NewReader(lines), &got
		bash.Stdin, bash.Stdout = strings.NewReader(lines), &want
		for _, cmd := range []*exec.Cmd{ours, bash} {
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			cmd.Wait() // its status is compared
		}
		if got.String() != want.String() ||
			ours.ProcessState.ExitCode() != bash.ProcessState.ExitCode() {
			t.Errorf("script %d:\n%s\nwrites\n%q, code %d, and in bash\n%q, code %d", i, script,
				got.String(), ours.ProcessState.ExitCode(), want.String(),
				bash.ProcessState.ExitCode())
		}
	}
}
