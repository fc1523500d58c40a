package fanout

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"minissh/client/outcome"
	"minissh/client/report"
	"minissh/client/terminal"
	"minissh/protocol"
)

// mostInJSON is how much of one stream is in a line of --json, in bytes.
const mostInJSON = 16 << 20

// makeDir makes the directory of --dir.
func (f *fleet) makeDir() error {
	if f.Dir == "" {
		return nil
	}
	if err := os.MkdirAll(f.Dir, 0o777); err != nil {
		return report.Failed(err, "--dir DIRECTORY names another",
			"the outputs cannot be written to %s: %v", protocol.Quote(f.Dir), report.Plain(err))
	}
	return nil
}

// file is a host's file in the directory of --dir.
func (f *fleet) file(h *host, end string) string {
	return filepath.Join(f.Dir, FileName(h.name)+end)
}

// FileName is a host's name as that of a file, which never leads elsewhere.
func FileName(host string) string {
	var name strings.Builder
	for i, c := range []byte(host) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_',
			c == '@', c >= 0x80, c == '.' && i > 0:
			name.WriteByte(c)
		default:
			fmt.Fprintf(&name, "%%%02X", c)
		}
	}
	return name.String()
}

// sinks makes what takes a host's output.
func (f *fleet) sinks(h *host) (*sinks, error) {
	switch {
	case f.Dir != "":
		out, err := os.Create(f.file(h, ".out"))
		if err != nil {
			return &sinks{end: func() error { return nil }}, cannotWrite(err)
		}
		errs, err := os.Create(f.file(h, ".err"))
		if err != nil {
			out.Close()
			return &sinks{end: func() error { return nil }}, cannotWrite(err)
		}
		return &sinks{out, errs, func() error {
			if err := errors.Join(out.Close(), errs.Close()); err != nil {
				return cannotWrite(err)
			}
			return nil
		}}, nil
	case f.JSON, f.Gather:
		h.out, h.complaints = NewOutput(h.name), NewOutput(h.name)
		return &sinks{h.out, h.complaints, func() error { return nil }}, nil
	}
	out, errs := h.newLines(f.Stdout, outputMark), h.newLines(f.Stderr, errorMark)
	return &sinks{out, errs, func() error { return errors.Join(out.end(), errs.end()) }}, nil
}

func cannotWrite(err error) error {
	return report.Failed(err, "is the disk full?", "cannot write the output: %v", err).
		Of(report.ClassInternal)
}

// line is one of --json: the record of a host, and its streams if they are in no file.
type line struct {
	outcome.Record
	Stdout    *text `json:"stdout,omitempty"`
	Stderr    *text `json:"stderr,omitempty"`
	Truncated bool  `json:"truncated,omitempty"`
}

// text is a stream as JSON: a string, or what is not UTF-8 as {"b64":"…"}.
type text []byte

func (t text) MarshalJSON() ([]byte, error) {
	if valid := strings.ToValidUTF8(string(t), ""); len(valid) == len(t) {
		return json.Marshal(valid)
	}
	return json.Marshal(struct {
		B64 []byte `json:"b64"`
	}{t})
}

// keep writes a host's result as data, when that is wanted.
func (f *fleet) keep(h *host) {
	if f.Dir != "" {
		record, _ := json.Marshal(h.record)
		if err := os.WriteFile(f.file(h, ".json"), append(record, '\n'), 0o666); err != nil &&
			h.err == nil {
			h.err = cannotWrite(err)
		}
	}
	if !f.JSON {
		return
	}
	l := line{Record: h.record}
	for _, stream := range []struct {
		from *Output
		to   **text
	}{{h.out, &l.Stdout}, {h.complaints, &l.Stderr}} {
		if stream.from == nil {
			continue
		}
		all, err := io.ReadAll(io.LimitReader(stream.from.reader(), mostInJSON))
		if err != nil && h.err == nil {
			h.err = cannotWrite(err)
		}
		*stream.to = (*text)(&all)
		l.Truncated = l.Truncated || stream.from.size > mostInJSON
		stream.from.close()
	}
	data, _ := json.Marshal(l)
	if isTerminal(f.Stdout) {
		data = []byte(terminal.PlainJSON(string(data)))
	}
	f.screen.put(f.Stdout, append(data, '\n'))
}
