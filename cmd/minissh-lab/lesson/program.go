package lesson

import (
	"embed"
	"strings"
)

// programs holds a Python program for each exercise, named by lesson and side, with both of
// its forms: lines from `#[starter` to `#]` are in the starter alone, those from `#[mended`
// to `#]` in the mended program alone; `#:part NAME` is the file part_NAME.py. A comment
// is `# 中文 / English`.
//
//go:embed python
var programs embed.FS

// Sides are the ends of the exercise that there is a program for, the usual one first.
func (l *Lesson) Sides() (sides []string) {
	for _, side := range []string{"server", "client"} {
		if _, err := programs.Open(l.file(side)); err == nil {
			sides = append(sides, side)
		}
	}
	return sides
}

func (l *Lesson) file(side string) string { return "python/" + l.Name + "_" + side + ".py" }

// Program is the starter of the exercise, which lacks what the lesson is about, or the
// mended program. Side is one of Sides.
func (l *Lesson) Program(s *Stage, side string, mended bool) (string, error) {
	var b strings.Builder
	if err := s.expand(&b, l.file(side), mended); err != nil {
		return "", err
	}
	return b.String(), nil
}

// expand writes the lines of a file that belong to one form.
func (s *Stage) expand(b *strings.Builder, file string, mended bool) error {
	raw, err := programs.ReadFile(file)
	if err != nil {
		return err
	}
	skipped := false
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSuffix(line, "\n")
		part, isPart := strings.CutPrefix(line, "#:part ")
		switch {
		case line == "#[starter":
			skipped = mended
		case line == "#[mended":
			skipped = !mended
		case line == "#]":
			skipped = false
		case skipped:
		case isPart:
			if err := s.expand(b, "python/part_"+part+".py", mended); err != nil {
				return err
			}
		default:
			b.WriteString(code(s.Out.Lang, line) + "\n")
		}
	}
	return nil
}
