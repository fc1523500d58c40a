package dialect

import (
	"bytes"
	"strings"
)

// Chapters 17-18: get and put of one file.
//
//	client -> server   get a.txt
//	server -> client   4 bytes of header length, JSON header, bytes of the file
//
//	client -> server   put a.txt
//	                   and at once: 4 bytes of header length, JSON header, bytes of the file
//	server -> client   nothing
//
// The command has no frame and the header follows at once: the course's server
// finds command, length, header and file stuck together in its first recv. Here
// SplitPut finds the end of the command, whatever is stuck to it.
var file = &Dialect{
	Name: "file", Chapters: "17-18", Port: 8080, Kind: Files,
	Zh: "get、put 文件，命令不带长度", En: "get and put files, the command has no frame",
	serve: serveFile, call: callFile,
}

// FileCommand is the unframed command: `get a.txt`, `put a.txt`.
func FileCommand(verb, name string) string { return verb + " " + name }

// SplitPut finds where the command ends in what has come so far: before four bytes
// that are a believable length and a '{'. Text is never mistaken for a length: four
// text bytes are at least 0x09090909. ok is false while that has not come yet.
func SplitPut(bigEndian bool, b []byte) (command, rest []byte, ok bool) {
	for i := LengthSize; i < len(b); i++ {
		if b[i] != '{' {
			continue
		}
		if n, err := DecodeLength(bigEndian, b[i-LengthSize:], MaxHeader); err == nil &&
			n >= len("{}") {
			return b[:i-LengthSize], b[i-LengthSize:], true
		}
	}
	return nil, nil, false
}

// parseFileCommand takes `get a.txt` apart; verb is in lower case.
func parseFileCommand(line string) (verb, name string) {
	verb, name, _ = strings.Cut(strings.TrimSpace(line), " ")
	return strings.ToLower(verb), strings.TrimSpace(name)
}

func serveFile(w *wire) error {
	for {
		b, err := w.recv(w.o.RecvSize) // one recv, taken for one command
		if err != nil {
			return err
		}
		switch verb, name := parseFileCommand(w.o.decode(b)); {
		case verb == "get":
			err = w.sendFile(name)
		case bytes.HasPrefix(bytes.ToLower(bytes.TrimSpace(b)), []byte("put")):
			err = w.receivePut(b)
		case verb == AckText: // some copies send an ack in every dialect
		default:
			err = w.sendNoFile(name, "only get NAME and put NAME")
		}
		if err != nil {
			return err
		}
	}
}

// receivePut takes one put; b is what the first recv held.
func (w *wire) receivePut(b []byte) error {
	for {
		command, rest, ok := SplitPut(w.o.BigEndian, b)
		if ok {
			w.unread(rest)
			_, name := parseFileCommand(w.o.decode(command))
			header, err := w.recvHeader()
			if err != nil {
				return err
			}
			if header.Name == "" {
				header.Name = name
			}
			return w.savePut(header)
		}
		if len(b) > MaxCommand+LengthSize {
			return &HeaderError{JSON: string(b), Why: "no length and header after the command"}
		}
		more, err := w.recv(w.o.RecvSize)
		if err != nil {
			return err
		}
		b = append(b[:len(b):len(b)], more...)
	}
}

func callFile(w *wire, line string) (*Reply, error) {
	switch verb, name := parseFileCommand(line); verb {
	case "get":
		if err := w.command(FileCommand(verb, name)); err != nil {
			return nil, err
		}
		return w.recvFile(name)
	case "put":
		f, err := w.openLocal(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		if err := w.command(FileCommand(verb, f.name)); err != nil {
			return nil, err
		}
		// Many servers take whatever their first recv holds for the command. The gap
		// makes it likely, not certain, that they read the command alone: that is not
		// framing, only kindness.
		if err := w.gap(); err != nil {
			return nil, err
		}
		return w.sendLocal(f, Superset(f.name, f.md5, f.size, ""))
	}
	return nil, errFileUsage
}
