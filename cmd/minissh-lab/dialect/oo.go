package dialect

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// Chapter 19, the object-oriented one: put is framed at last, get is a JSON list
// without a frame.
//
//	client -> server   4 bytes of header length, {"cmd": "put", "filename": …, "filesize": …},
//	                   bytes of the file
//	server -> client   nothing
//
//	client -> server   ["get", "a.txt"]
//	server -> client   4 bytes of header length, {"filename": …, "filesize": …}, bytes of the file
var oo = &Dialect{
	Name: "oo", Chapters: "19", Port: 8080, Kind: Files,
	Zh:    "面向对象版：put 带报头，get 是 JSON 列表",
	En:    "object-oriented: put has a header, get is a JSON list",
	serve: serveOO, call: callOO,
}

// PutHeader is the header of an object-oriented put, with every copy's keys.
func PutHeader(name, md5 string, size int64) []byte {
	rest := Superset(name, md5, size, "")
	return append([]byte(`{"cmd": "put", `), rest[1:]...)
}

func serveOO(w *wire) error {
	for {
		list, header, err := w.recvOO()
		if err != nil {
			return err
		}
		switch { // the allow-list that the course's getattr(self, cmd) lacks
		case header != nil && header.Cmd == "put":
			err = w.savePut(header)
		case header != nil && header.Cmd == "get":
			err = w.sendFile(header.Name)
		case len(list) == 2 && list[0] == "get":
			err = w.sendFile(list[1])
		default:
			err = w.sendNoFile("", "only get and put")
		}
		if err != nil {
			return err
		}
	}
}

// recvOO takes one request: a framed header or an unframed list. Its first four
// bytes tell: those of a list, read as a length, are far too large.
func (w *wire) recvOO() ([]string, *Header, error) {
	b, err := w.recv(LengthSize)
	if err != nil {
		return nil, nil, err
	}
	w.unread(b)
	if b, err = w.recvExact(LengthSize); err != nil {
		return nil, nil, err
	}
	w.unread(b)
	if _, err := DecodeLength(w.o.BigEndian, b, MaxHeader); err == nil || b[0] != '[' {
		header, err := w.recvHeader()
		return nil, header, err
	}
	list, err := w.recvList()
	return list, nil, err
}

// recvList takes one JSON list, in as many pieces as it comes.
func (w *wire) recvList() ([]string, error) {
	var b []byte
	for len(b) <= MaxCommand {
		more, err := w.recv(w.o.RecvSize)
		if err != nil {
			return nil, err
		}
		b = append(b, more...)
		var list []string
		d := json.NewDecoder(bytes.NewReader(b))
		err = d.Decode(&list)
		if err == nil {
			w.unread(b[d.InputOffset():])
			return list, nil
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
			return nil, &HeaderError{JSON: string(b), Why: err.Error()}
		}
	}
	return nil, &HeaderError{JSON: string(b), Why: "a list of more than 1024 bytes"}
}

func callOO(w *wire, line string) (*Reply, error) {
	switch verb, name := parseFileCommand(line); verb {
	case "get":
		if name == "" {
			return nil, errFileUsage
		}
		if err := w.send(EncodeList("get", name)); err != nil {
			return nil, err
		}
		return w.recvFile(name)
	case "put":
		f, err := w.openLocal(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return w.sendLocal(f, PutHeader(f.name, f.md5, f.size))
	}
	return nil, errFileUsage
}
