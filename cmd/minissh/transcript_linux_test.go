package main

import (
	"flag"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// update writes what README.md shows anew: go test ./cmd/minissh -run TestTranscript -update
var update = flag.Bool("update", false, "write the transcript and the picture of README.md")

// transcript are the lines that README.md shows.
var transcript = []string{
	"name=world", `greet() { echo "hello, $1"; }`, "greet $name", "cd /etc", "ls -d ssh",
	"ls nothing",
	"for i in 1 2", "do", "echo round $i", "done", "sleep 1000 &", "jobs",
	"cat <<END", "here is $name", "END",
}

// README.md shows a real run at the prompt, in words and as a picture.
func TestTranscript(t *testing.T) {
	t.Parallel()
	h := startMinisshHere(t)
	args := append([]string{h.args[0], "prompt"}, h.args[1:]...)
	s := h.screenOf(append(args, "127.0.0.1")...)
	s.tmux("resize-window", "-x", "80", "-y", "40")
	s.shows(`# ?$`)
	s.types("", "C-l")
	s.until("a clear screen", func(now string) bool { return len(strings.Fields(now)) == 1 })
	for _, line := range transcript {
		rows := strings.Count(strings.TrimRight(s.now(), "\n"), "\n")
		s.types(line, "Enter")
		s.until("the next row", func(now string) bool {
			now = strings.TrimRight(now, "\n")
			last := strings.TrimRight(now[strings.LastIndexByte(now, '\n')+1:], " ")
			return strings.Count(now, "\n") > rows && (last == ">" || strings.HasSuffix(last, "#"))
		})
	}
	defer s.types("kill %1", "Enter")
	colored := steady(s.tmux("capture-pane", "-p", "-e"))
	plain := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(colored, "")
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- prompt: begin -->\n", "<!-- prompt: end -->"
	before, rest, _ := strings.Cut(string(readme), begin)
	shown, after, found := strings.Cut(rest, end)
	if !found {
		t.Fatal("README.md has no place for the transcript")
	}
	want := "\n    " + strings.ReplaceAll(strings.TrimSpace(plain), "\n", "\n    ") + "\n\n"
	picture := svg(colored)
	file := filepath.Join("prompt.svg")
	if *update {
		os.WriteFile("README.md", []byte(before+begin+want+end+after), 0o644)
		os.WriteFile(file, []byte(picture), 0o644)
		return
	}
	if shown != want {
		t.Errorf("README.md shows\n%s\nand it is\n%s", shown, want)
	}
	if text, _ := os.ReadFile(file); string(text) != picture {
		t.Error("prompt.svg is another one: go test ./cmd/minissh -run TestTranscript -update")
	}
}

// steady is a screen with what differs each time made the same.
func steady(text string) string {
	for _, differs := range []struct{ pattern, same string }{
		{`\d+ ms\]`, "3 ms]"}, {`root@127\.0\.0\.1`, "you@box"}, {`\[1\] \d+`, "[1] 4711"},
		{` +((\x1b\[[0-9;]*m)*)(\n|$)`, "$1$3"}, {`(you@box:\S*)#`, "${1}$$"},
	} {
		text = regexp.MustCompile(differs.pattern).ReplaceAllString(text, differs.same)
	}
	return strings.TrimRight(text, "\n") + "\n"
}

// svg draws a screen, whose colours are SGR sequences (ECMA-48).
func svg(screen string) string {
	rows := strings.Split(strings.TrimRight(screen, "\n"), "\n")
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="720" height="%d">`+"\n"+
		`<rect width="100%%" height="100%%" rx="8" fill="#1d1f21"/>`+"\n"+
		`<g font-family="ui-monospace,Menlo,Consolas,monospace" font-size="14" fill="#c5c8c6">`+"\n",
		20*len(rows)+24)
	styles := map[string]string{"1": ` font-weight="bold"`, "2": ` fill="#707880"`,
		"31": ` fill="#f05050"`}
	style := ""
	for i, row := range rows {
		fmt.Fprintf(&b, `<text x="12" y="%d" xml:space="preserve">`, 20*i+28)
		for n, part := range strings.Split(row, "\x1b[") {
			if n > 0 {
				code, text, _ := strings.Cut(part, "m")
				style, part = styles[code], text
			}
			if part != "" {
				fmt.Fprintf(&b, `<tspan%s>%s</tspan>`, style, html.EscapeString(part))
			}
		}
		b.WriteString("</text>\n")
	}
	return b.String() + "</g>\n</svg>\n"
}
