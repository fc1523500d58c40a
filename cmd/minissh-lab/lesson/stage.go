package lesson

import (
	"context"
	"fmt"
	"strings"

	"minissh/cmd/minissh-lab/speak"
)

// Stage is what a lesson prints on.
type Stage struct {
	Ctx   context.Context
	Out   *speak.Printer
	Color bool
	Width int // columns of the terminal; 0: 100
	// Picture gives the address of a lesson's picture in the browser, "" for one
	// without. Nil: no lesson has one.
	Picture func(lesson string) string
	// Predicted is told of the option that was chosen, before the run; nil for nobody.
	Predicted func(option int)
	Self      string // how the program is called in commands to type; "": minissh-lab
}

// palette are the colours of the first, second … send; they go round.
var palette = []string{"36", "33", "35", "32", "34", "31"}

// paint colours text as the n-th send's.
func (s *Stage) paint(text string, n int) string {
	if !s.Color || text == "" || n < 0 {
		return text
	}
	return "\x1b[" + palette[n%len(palette)] + "m" + text + "\x1b[0m"
}

// bold marks a headline.
func (s *Stage) bold(text string) string {
	if !s.Color {
		return text
	}
	return "\x1b[1m" + text + "\x1b[0m"
}

// Say prints one line in the chosen languages, indented.
func (s *Stage) Say(x Text) {
	for line := range strings.SplitSeq(s.Out.Lang.Text(x.Zh, x.En), "\n") {
		for _, part := range speak.Wrap(line, s.columns()-3) {
			s.Out.Raw("  " + part + "\n")
		}
	}
}

// columns is the width of a line.
func (s *Stage) columns() int {
	if s.Width <= 0 {
		return 100
	}
	return max(40, min(s.Width, 120))
}

// Command is a command line as it can be typed here.
func (s *Stage) Command(line string) string {
	if s.Self == "" {
		return line
	}
	return strings.ReplaceAll(line, "minissh-lab ", s.Self+" ")
}

// Sayf is Say with arguments for both languages.
func (s *Stage) Sayf(zh, en string, args ...any) { s.Say(f(zh, en, args...)) }

// Head prints a headline with an empty line before it.
func (s *Stage) Head(x Text) {
	zh, en := x.Zh, x.En
	s.Out.Raw("\n" + s.bold("▌ "+strings.ReplaceAll(s.Out.Lang.Text(zh, en), "\n", "\n▌ ")) + "\n")
}

// pad fills text up to n columns.
func pad(text string, n int) string {
	return text + strings.Repeat(" ", max(0, n-speak.Width(text)))
}

// Table prints rows in aligned columns. Cells are plain text.
func (s *Stage) Table(rows ...[]string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], speak.Width(cell))
		}
	}
	for _, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			b.WriteString("  " + pad(cell, widths[i]))
		}
		s.Out.Raw(strings.TrimRight(b.String(), " ") + "\n")
	}
}

// pick is x in the chosen languages, on one line.
func (s *Stage) pick(x Text) string {
	return strings.ReplaceAll(s.Out.Lang.Text(x.Zh, x.En), "\n", "  /  ")
}

// Field is some bytes of a message and what they are.
type Field struct {
	Bytes []byte
	Value string // what they say, "56"
	What  Text
	N     int // colour: which send they came from
}

// perLine is how many bytes of a field are shown on one line.
const perLine = 12

// Fields prints labelled bytes: offset, hex, text, value, meaning.
func (s *Stage) Fields(fields ...Field) {
	offset := 0
	for _, x := range fields {
		shown := x.Bytes
		more := ""
		if len(shown) > 8*perLine {
			more = fmt.Sprintf("… +%d", len(shown)-8*perLine)
			shown = shown[:8*perLine]
		}
		for i := 0; i < len(shown) || i == 0; i += perLine {
			part := shown[i:min(i+perLine, len(shown))]
			line := fmt.Sprintf("  %5d  ", offset+i) +
				s.paint(pad(fmt.Sprintf("% x", part), 3*perLine)+pad(printable(part), perLine), x.N)
			if i == 0 {
				line += "  " + pad(x.Value, 8) + " " + s.pick(x.What)
			}
			s.Out.Raw(strings.TrimRight(line, " ") + "\n")
		}
		if more != "" {
			s.Out.Raw("         " + more + "\n")
		}
		offset += len(x.Bytes)
	}
}

// printable shows bytes as text, a dot for what is not ASCII.
func printable(b []byte) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '.'
		}
		return r
	}, string(b))
}

// Lanes is the central picture: the same bytes on their way. The same bytes have
// the same colour in every lane.
type Lanes struct {
	Sends [][]byte // what each send was given
	// how many there were, "" when the system does not tell, "-" when it is not the point
	Segments string
	Buffer   int      // bytes in the receive buffer before the first recv; -1 not known
	Recvs    [][]byte // what each recv returned, in order; together a beginning of the sends
}

// Lanes prints the picture.
func (s *Stage) Lanes(l Lanes) {
	owner := make([]int, 0, 64) // of each byte of the stream
	var all []byte
	for i, b := range l.Sends {
		for range b {
			owner = append(owner, i)
		}
		all = append(all, b...)
	}
	lane := func(name string, chunks [][]byte, note string) {
		var b strings.Builder
		at := 0
		for i, c := range chunks {
			if i == 12 {
				b.WriteString("…")
				break
			}
			b.WriteString("[" + s.colored(c, owner[min(at, len(owner)):]) + "]")
			at += len(c)
		}
		s.Out.Raw("  " + pad(name, 9) + " " + b.String() + "  " + note + "\n")
	}
	lane("send()", l.Sends,
		s.pick(Text{fmt.Sprintf("%d 次", len(l.Sends)), plural(len(l.Sends), "call")}))
	switch l.Segments {
	case "-":
	case "":
		s.Out.Raw("  " + pad("segment", 9) + " " +
			s.pick(t("这个系统查不到段数", "this system does not tell how many")) + "\n")
	default:
		s.Out.Raw("  " + pad("segment", 9) + " " +
			s.pick(f("TCP 段：%s（TCP_INFO）", "TCP segments: %s (TCP_INFO)", l.Segments)) + "\n")
	}
	if l.Buffer >= 0 {
		lane("buffer", [][]byte{all[:min(l.Buffer, len(all))]},
			s.pick(f("%d 字节等着读", "%d bytes wait", l.Buffer)))
	}
	lane("recv()", l.Recvs,
		s.pick(Text{fmt.Sprintf("%d 次返回", len(l.Recvs)), plural(len(l.Recvs), "return")}))
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprint(n, " ", what, "s")
}

// colored writes a chunk as text, each byte in its owner's colour; what is long of
// one owner is cut in the middle.
func (s *Stage) colored(c []byte, owner []int) string {
	var b strings.Builder
	for from, parts := 0, 0; from < len(c); parts++ {
		if parts == 12 {
			b.WriteString("…")
			break
		}
		n, end := -1, len(c)
		if from < len(owner) {
			n, end = owner[from], from+1
			for end < len(c) && end < len(owner) && owner[end] == n {
				end++
			}
		}
		part := c[from:end]
		if len(part) <= 26 {
			b.WriteString(s.paint(oneLine(part), n))
		} else {
			b.WriteString(s.paint(oneLine(part[:9])+"…"+fmt.Sprint(len(part)-18)+"…"+
				oneLine(part[len(part)-9:]), n))
		}
		from = end
	}
	return b.String()
}

// oneLine is text for one line: a quoted string without its quotes.
func oneLine(b []byte) string {
	q := speak.Quote(b)
	return q[1 : len(q)-1]
}
