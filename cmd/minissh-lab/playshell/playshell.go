package playshell

import (
	"strconv"
	"strings"
)

// MaxOutput is the most that one line prints on each stream, in bytes; what is
// more is cut and said on stderr.
const MaxOutput = 1 << 20

// maxCommands is how many commands joined by ; and && one line may hold.
const maxCommands = 32

// session is the state of one line.
type session struct {
	cwd         string
	out, errOut strings.Builder
}

// Run plays one line and returns what it prints, in UTF-8. It has no state:
// nothing of one line reaches the next.
func Run(line string) (stdout, stderr []byte) {
	s := &session{cwd: home}
	ok := true
	for i, c := range split(line) {
		if i == maxCommands {
			s.errOut.WriteString("sh: too many commands in one line\n")
			break
		}
		if c.onlyAfterSuccess && !ok {
			continue
		}
		ok = s.run(c.words)
	}
	return cut(s.out.String(), &s.errOut), []byte(s.errOut.String())
}

// cut bounds a stream.
func cut(text string, errOut *strings.Builder) []byte {
	if len(text) > MaxOutput {
		text = text[:MaxOutput]
		errOut.WriteString("sh: output cut at " + itoa(MaxOutput) + " bytes\n")
	}
	return []byte(text)
}

// commands are the words that are known. A command returns whether it succeeded.
var commands map[string]func(*session, []string) bool

func init() { // here, since help lists the map
	commands = map[string]func(*session, []string) bool{
		"ls": (*session).ls, "dir": (*session).ls,
		"pwd": (*session).pwd, "cd": (*session).cd,
		"echo": (*session).echo, "seq": (*session).seq,
		"cat": (*session).cat, "type": (*session).cat,
		"big": (*session).big, "true": silent, "touch": silent, "sleep": silent,
		"help": (*session).help, "whoami": (*session).whoami, "hostname": (*session).hostname,
		"ipconfig": (*session).ipconfig, "ifconfig": (*session).ifconfig,
		"tasklist": (*session).tasklist, "ps": (*session).tasklist,
	}
}

func (s *session) run(words []string) bool {
	if len(words) == 0 {
		return true
	}
	if f := commands[words[0]]; f != nil {
		return f(s, words[1:])
	}
	return s.fail("sh: " + words[0] + ": command not found (only played here: help)")
}

// fail prints one line on stderr.
func (s *session) fail(text string) bool {
	s.errOut.WriteString(text + "\n")
	return false
}

// print writes to stdout; far over the limit it stops, so that a line cannot cost
// more memory than a few times MaxOutput.
func (s *session) print(text string) bool {
	if s.out.Len() > MaxOutput {
		return false
	}
	s.out.WriteString(text)
	return true
}

// silent prints nothing: the empty output for which the naive client waits for ever.
func silent(*session, []string) bool { return true }

func (s *session) pwd([]string) bool { return s.print(s.cwd + "\n") }

func (s *session) cd(args []string) bool {
	to := home
	if len(args) > 0 {
		to = resolve(s.cwd, args[0])
	}
	if !isDir(to) {
		return s.fail("cd: " + args[0] + ": No such file or directory")
	}
	s.cwd = to
	return true
}

func (s *session) ls(args []string) bool {
	var paths []string
	for _, a := range args {
		if !strings.HasPrefix(a, "-") { // options of the real one change nothing here
			paths = append(paths, a)
		}
	}
	if len(paths) == 0 {
		paths = []string{"."}
	}
	ok := true
	for _, p := range paths {
		full := resolve(s.cwd, p)
		_, isFile := files[full]
		switch {
		case isFile:
			s.print(p + "\n")
		case !isDir(full):
			ok = s.fail("ls: " + p + ": No such file or directory")
		default:
			for _, name := range list(full) {
				s.print(name + "\n")
			}
		}
	}
	return ok
}

func (s *session) echo(args []string) bool { return s.print(strings.Join(args, " ") + "\n") }

func (s *session) cat(args []string) bool {
	ok := true
	for _, p := range args {
		full := resolve(s.cwd, p)
		text, isFile := files[full]
		switch {
		case isFile:
			ok = s.print(text) && ok
		case isDir(full):
			ok = s.fail("cat: " + p + ": Is a directory")
		default:
			ok = s.fail("cat: " + p + ": No such file or directory")
		}
	}
	return ok
}

// seq LAST or seq FIRST LAST, counting up.
func (s *session) seq(args []string) bool {
	first, last := 1, 0
	var err1, err2 error
	switch len(args) {
	case 1:
		last, err1 = strconv.Atoi(args[0])
	case 2:
		first, err1 = strconv.Atoi(args[0])
		last, err2 = strconv.Atoi(args[1])
	default:
		return s.fail("seq: usage: seq LAST, or seq FIRST LAST")
	}
	if err1 != nil || err2 != nil {
		return s.fail("seq: not a number")
	}
	for n := first; n <= last; n++ {
		if !s.print(itoa(n)+"\n") || n == last { // the second: last may be the largest int
			break
		}
	}
	return true
}

// big prints exactly 3000 bytes, or as many as it is told.
func (s *session) big(args []string) bool {
	n := 3000
	if len(args) > 0 {
		var err error
		if n, err = strconv.Atoi(args[0]); err != nil || n < 0 {
			return s.fail("big: usage: big [BYTES]")
		}
	}
	return s.print(Big(min(n, MaxOutput+1)))
}

func (s *session) help([]string) bool {
	return s.print(`这里的命令是模拟的，不启动任何进程 / played commands, no process is started:
ls dir      列目录 / list              ls a.txt nosuch: stdout + stderr
pwd cd      目录 / folder              cd / && pwd
echo 你好    原样返回 / say it again
seq 10      1 到 10 / count
cat a.txt   看文件 / show a file        cat zhong.txt: 400 x 中
big [N]     N 字节，默认 3000 / N bytes, 3000 by default
true        没有输出 / no output at all
`)
}

func itoa(n int) string { return strconv.Itoa(n) }
