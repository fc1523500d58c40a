package fanout

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"

	"minissh/client/outcome"
	"minissh/client/report"
	"minissh/client/terminal"
	"minissh/protocol"
)

// mostInJSON is how much of one stream is in a line of --json, in bytes.
const mostInJSON = 16 << 20

// makeDir makes the directory of --dir. Two hosts with one file are refused: some systems do not
// tell Web1 from web1.
func (f *fleet) makeDir() error {
	if f.Dir == "" {
		return nil
	}
	err := os.MkdirAll(f.Dir, 0o777)
	if err == nil {
		f.dir, err = os.OpenRoot(f.Dir)
	}
	if err != nil {
		return report.Failed(err, "--dir DIRECTORY names another",
			"the outputs cannot be written to %s: %v", protocol.Quote(f.Dir), report.Plain(err))
	}
	return OneFileEach(f.Hosts)
}

// OneFileEach refuses names of hosts whose files would be one.
func OneFileEach(names []string) error {
	seen := map[string]string{}
	for _, name := range names {
		file := strings.ToLower(FileName(name))
		if other, there := seen[file]; there {
			return report.Failed(nil, "-x leaves one of them out",
				"%s and %s would be one file on some systems", protocol.Quote(other),
				protocol.Quote(name)).Of(report.ClassUsage)
		}
		seen[file] = name
	}
	return nil
}

// prepared removes what is there of a host from before.
func (f *fleet) prepared(h *host) error {
	if f.dir == nil {
		return nil
	}
	for _, end := range []string{".out", ".err", ".json"} {
		if err := f.dir.Remove(FileName(h.name) + end); err != nil &&
			!errors.Is(err, fs.ErrNotExist) {
			return cannotWrite(err)
		}
	}
	return nil
}

// create makes a host's file in the directory of --dir. A link that is there is not followed.
func (f *fleet) create(h *host, end string) (*os.File, error) {
	file, err := f.dir.OpenFile(FileName(h.name)+end, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, cannotWrite(err)
	}
	return file, nil
}

// FileName is a host's name as that of a file, which never leads elsewhere, and does not mean a
// device on Windows.
func FileName(host string) string {
	var name strings.Builder
	device := devices.MatchString(host)
	for i, c := range []byte(host) {
		switch {
		case i == 0 && device, i == len(host)-1 && c == '.':
			fmt.Fprintf(&name, "%%%02X", c)
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
	case f.dir != nil:
		out, err := f.create(h, ".out")
		if err != nil {
			return nil, err
		}
		errs, err := f.create(h, ".err")
		if err != nil {
			out.Close()
			return nil, err
		}
		return &sinks{out, errs, func() error {
			if err := errors.Join(out.Close(), errs.Close()); err != nil {
				return cannotWrite(err)
			}
			return nil
		}}, nil
	case f.JSON, f.Gather:
		h.out, h.complaints = f.kept.New(h.name), f.kept.New(h.name)
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
func (f *fleet) keep(h *host) error {
	if f.dir != nil {
		file, err := f.create(h, ".json")
		if err != nil {
			return err
		}
		record, _ := json.Marshal(h.record)
		_, err = file.Write(append(record, '\n'))
		if err = errors.Join(err, file.Close()); err != nil {
			return cannotWrite(err)
		}
	}
	if !f.JSON {
		return nil
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
		if err != nil {
			return cannotWrite(err)
		}
		*stream.to = (*text)(&all)
		l.Truncated = l.Truncated || stream.from.size > mostInJSON
	}
	data, _ := json.Marshal(l)
	if isTerminal(f.Stdout) {
		data = []byte(terminal.PlainJSON(string(data)))
	}
	if _, err := f.screen.put(f.Stdout, append(data, '\n')); err != nil {
		return cannotWrite(err)
	}
	return nil
}

// devices are names that Windows gives to devices, whatever follows a dot in them.
var devices = regexp.MustCompile(`^(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)`)
