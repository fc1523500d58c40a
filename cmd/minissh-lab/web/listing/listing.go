// Package listing holds the Python of both ends of a run, whose lines know the events of the
// recorder that they stand for. The programs are real: a test runs each against its other end.
//
//	python/FRAMING_SIDE.py   the program; part_NAME.py is what several share, by `#:part NAME`
//
// A comment is `# 中文 / English`. A line that begins with `#?NAME ` is there only if the setting
// has a gap, a delay, TCP_NODELAY, or buffers. After `#@ ` are the events that a line stands for:
//
//	send:FIELD   recv:FIELD   a call whose bytes begin with that field; plain: with any
//	call                      where the function was called in which recv is
//	end                       what follows a recv that returned nothing
//	ack close message:N       the events of that name
//	nap:FIELD                 a sleep after the send of that field; nap: before the first recv
package listing

import (
	"embed"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"minissh/cmd/minissh-lab/web/record"
)

// Columns is how long a line may be, so that it fits beside the lanes. A Chinese character has two.
const Columns = 46

//go:embed python
var programs embed.FS

// Line is one line of a program. Zh and En are its comment, "" without one.
type Line struct {
	Code string   `json:"code"`
	Zh   string   `json:"zh,omitempty"`
	En   string   `json:"en,omitempty"`
	On   []string `json:"on,omitempty"` // the events that it stands for
	// it imports or connects, which is the same in every program, and stands for no event
	Setup bool `json:"setup,omitempty"`
}

// Listing is both ends of a run.
type Listing struct {
	Sender   []Line `json:"sender"`
	Receiver []Line `json:"receiver"`
}

// For is the listing of a trace of the setting.
func For(t *record.Trace, s record.Setting) Listing {
	e := expander{
		has: map[string]bool{"gap": s.Gap > 0, "delay": s.Delay > 0, "nodelay": t.NoDelay,
			"buffers": s.Buffers > 0},
		values: strings.NewReplacer("$RECV", strconv.Itoa(s.Recv), "$GAP", seconds(s.Gap),
			"$DELAY", seconds(s.Delay), "$SIZE", strconv.Itoa(longest(s.Messages)),
			"$BUFFERS", strconv.Itoa(s.Buffers)),
		messages: literals(s.Contents()),
	}
	return Listing{e.program(t.Framing + "_sender"), e.program(t.Framing + "_receiver")}
}

// expander fills in a setting.
type expander struct {
	has      map[string]bool
	values   *strings.Replacer
	messages []string // lines
}

var (
	condition = regexp.MustCompile(`^#\?(\w+) `)
	events    = regexp.MustCompile(`  #@ (.*)$`)
	comment   = regexp.MustCompile(`^(.*?)# (.*) / (.*)$`)
)

// program is a file's lines. The files are embedded, and a test looks at each of them.
func (e expander) program(name string) (lines []Line) {
	raw, err := programs.ReadFile("python/" + name + ".py")
	if err != nil {
		panic(err)
	}
	for text := range strings.Lines(string(raw)) {
		text = strings.TrimSuffix(text, "\n")
		if m := condition.FindStringSubmatch(text); m != nil {
			if !e.has[m[1]] {
				continue
			}
			text = text[len(m[0]):]
		}
		if part, ok := strings.CutPrefix(text, "#:part "); ok {
			lines = append(lines, e.program("part_"+part)...)
			for i := range lines {
				lines[i].Setup = lines[i].Setup || (part == "connect" || part == "accept") &&
					len(lines[i].On) == 0 && lines[i].Zh == ""
			}
			continue
		}
		if text == "$MESSAGES" {
			for _, m := range e.messages {
				lines = append(lines, Line{Code: m})
			}
			continue
		}
		var l Line
		if m := events.FindStringSubmatch(text); m != nil {
			l.On, text = strings.Fields(m[1]), strings.TrimSuffix(text, m[0])
		}
		if m := comment.FindStringSubmatch(text); m != nil {
			text, l.Zh, l.En = m[1], m[2], m[3]
		}
		l.Code = e.values.Replace(text)
		lines = append(lines, l)
	}
	return lines
}

// seconds is a number of milliseconds as time.sleep has it.
func seconds(ms int) string { return strconv.FormatFloat(float64(ms)/1000, 'g', -1, 64) }

func longest(sizes []int) int {
	most := 1
	for _, n := range sizes {
		most = max(most, n)
	}
	return most
}

// literals is the assignment of messages, in as many lines as it needs.
func literals(all [][]byte) (lines []string) {
	line := "messages = ["
	indent := strings.Repeat(" ", len(line))
	for i, b := range all {
		text := literal(b)
		if strings.HasPrefix(string(b), "line 0000000001\nl") { // what big prints
			lines = append(lines, "big = b''.join(b'line %010d\\n' % i",
				fmt.Sprintf("               for i in range(1, %d))", len(b)/16+2))
			text = fmt.Sprintf("big[:%d]", len(b))
		}
		if i < len(all)-1 {
			text += ","
		} else {
			text += "]"
		}
		if i > 0 && len(line)+1+len(text) > Columns {
			lines, line = append(lines, line), indent+text
		} else if i > 0 {
			line += " " + text
		} else {
			line += text
		}
	}
	return append(lines, line)
}

// literal is a message in Python: as it is if it is short, or as what it repeats.
func literal(b []byte) string {
	body := strings.TrimRight(string(b), ".") // record.Setting fills up with full stops
	dots := string(b[len(body):])
	if c := []rune(body); len(body) > 0 && c[0] > 0x7f {
		text := quote(string(c[0])) + ".encode()"
		if len(c) > 1 {
			text += fmt.Sprintf(" * %d", len(c))
		}
		if dots != "" {
			text += " + b" + quote(dots)
		}
		return text
	}
	if len(b) > 16 {
		for unit := 1; unit < 16; unit++ {
			if strings.HasPrefix(strings.Repeat(string(b[:unit]), len(b)/unit+1), string(b)) {
				return repeated(b, unit)
			}
		}
	}
	return "b" + quote(string(b))
}

// repeated is b as a repetition of its first unit bytes.
func repeated(b []byte, unit int) string {
	text := "b" + quote(string(b[:unit]))
	if len(b)%unit == 0 {
		return fmt.Sprintf("%s * %d", text, len(b)/unit)
	}
	return fmt.Sprintf("(%s * %d)[:%d]", text, len(b)/unit+1, len(b))
}

// quote is a Python string of printable characters and line ends.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "\n", `\n`) + "'" }
