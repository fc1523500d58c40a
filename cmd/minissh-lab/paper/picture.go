package paper

import (
	"fmt"

	"minissh/cmd/minissh-lab/web"
	"minissh/cmd/minissh-lab/web/record"
)

// mostBytes is how many bytes a picture shows; a longer field is cut.
const mostBytes = 34

// field is some bytes and what they are.
type field struct {
	Name  string
	Bytes []cell
	More  bool // it goes on
}

// cell is a byte: two hex digits, and its character or "".
type cell struct{ Hex, Char string }

// picture is the beginning of what the page's setting of a lesson puts on the wire; nil where
// nothing marks a boundary, or the lesson has no setting.
func picture(name string) []field {
	p, ok := web.Find(name)
	if !ok || p.Setting.Framing == "none" {
		return nil
	}
	bytes, fields := record.Labelled(p.Setting)
	left := mostBytes
	var all []field
	for _, f := range fields {
		n := min(f.To-f.From, left)
		if len(fields) > 2 {
			n = min(n, 18)
		}
		if n <= 0 {
			break
		}
		shown := field{Name: labels[f.Name], More: n < f.To-f.From}
		if shown.Name == "" {
			shown.Name = f.Name
		}
		for _, b := range bytes[f.From : f.From+n] {
			c := cell{Hex: fmt.Sprintf("%02x", b)}
			if b > ' ' && b < 0x7f {
				c.Char = string(rune(b))
			}
			shown.Bytes = append(shown.Bytes, c)
		}
		left -= n
		all = append(all, shown)
	}
	return all
}

// labels are what a field is called on paper, in both languages alike.
var labels = map[string]string{
	"length": "struct 'i'", "header_length": "struct 'i'", "json": "JSON", "digits": "str(n)",
	"delimiter": `\n`, "frame_length": "length", "data": "data",
}
