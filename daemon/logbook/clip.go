package logbook

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"unicode/utf8"
)

const (
	maxText   = 512  // bytes of a text as slog's text handler writes it, quotes aside
	maxRecord = 2048 // bytes of a whole line, which such a handler makes of a record
	overhead  = 128  // of them for the time, the level and the count of attributes left out
)

const ellipsis = "…"

// Clip makes a handler that bounds records before next gets them: each text has at most 512 bytes,
// counted as they are written (a control character may take ten), and ends in … if there was more.
// Attributes that would make the record longer than 2,048 bytes are left out, and counted in the
// attribute "left_out". Lines of next's text are quoted by next itself, so that no text from
// outside ends a line or looks like another attribute.
func Clip(next slog.Handler) slog.Handler {
	if c, ok := next.(*clipped); ok {
		return c
	}
	return &clipped{next, maxRecord - overhead}
}

type clipped struct {
	next slog.Handler
	left int // bytes for a record's own texts
}

func (c *clipped) Enabled(ctx context.Context, level slog.Level) bool {
	return c.next.Enabled(ctx, level)
}

func (c *clipped) Handle(ctx context.Context, r slog.Record) error {
	message, left := cut(r.Message), c.left
	left -= written(message)
	out, leftOut := slog.NewRecord(r.Time, r.Level, message, r.PC), 0
	r.Attrs(func(a slog.Attr) bool {
		a, size := clipAttr(a)
		if left -= size; left < 0 {
			leftOut++
			return true
		}
		out.AddAttrs(a)
		return true
	})
	if leftOut > 0 {
		out.AddAttrs(slog.Int("left_out", leftOut))
	}
	return c.next.Handle(ctx, out)
}

func (c *clipped) WithAttrs(attrs []slog.Attr) slog.Handler {
	list, left := make([]slog.Attr, len(attrs)), c.left
	for i, a := range attrs {
		var size int
		list[i], size = clipAttr(a)
		left -= size
	}
	return &clipped{c.next.WithAttrs(list), left}
}

func (c *clipped) WithGroup(name string) slog.Handler {
	return &clipped{c.next.WithGroup(name), c.left - len(name)}
}

// clipAttr clips an attribute, and says how many bytes it takes in a line.
func clipAttr(a slog.Attr) (slog.Attr, int) {
	value := a.Value.Resolve()
	switch value.Kind() {
	case slog.KindString:
		value = slog.StringValue(cut(value.String()))
	case slog.KindAny, slog.KindGroup:
		value = slog.StringValue(cut(text(value.Any())))
	}
	return slog.Attr{Key: a.Key, Value: value}, len(" =") + len(a.Key) + written(value.String())
}

func text(v any) string {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return fmt.Sprintf("%+v", v)
}

// written is how long a text is when it is quoted.
func written(s string) int {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return len(strconv.Quote(s))
		}
	}
	return len(`""`) + len(s)
}

// cut shortens a text to maxText bytes as they are written.
func cut(s string) string {
	if len(s) <= maxText && written(s)-len(`""`) <= maxText {
		return s
	}
	size := 0
	for i := 0; i < len(s); {
		_, n := utf8.DecodeRuneInString(s[i:])
		if size += written(s[i:i+n]) - len(`""`); size > maxText-len(ellipsis) {
			return s[:i] + ellipsis
		}
		i += n
	}
	return s
}
