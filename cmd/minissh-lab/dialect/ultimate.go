package dialect

import (
	"crypto/md5"
	"encoding/hex"
)

// Chapter 16: the length of a header, the header, the data. The header is JSON: it
// can say more than a length, and the length in it has no four-byte limit.
//
//	client -> server   ls
//	server -> client   38 00 00 00
//	                   {"filename": "a.txt", "md5": "xxdxxx", "total_size": 11}
//	                   11 bytes
var ultimate = &Dialect{
	Name: "ultimate", Chapters: "16", Port: 8080, Kind: Commands,
	Zh: "4 字节报头长度，JSON 报头，数据", En: "4 bytes of header length, JSON header, data",
	serve: serveUltimate, call: callUltimate,
}

// UltimateReply is length and superset header, then stdout and stderr.
func UltimateReply(bigEndian bool, name string, stdout, stderr []byte) []byte {
	data := NaiveReply(stdout, stderr)
	sum := md5.Sum(data)
	header := Superset(name, hex.EncodeToString(sum[:]), int64(len(data)), "")
	return append(Frame(bigEndian, header), data...)
}

func serveUltimate(w *wire) error {
	for {
		line, err := w.nextCommand()
		if err != nil {
			return err
		}
		stdout, stderr := w.run(line)
		if err := w.reply(UltimateReply(w.o.BigEndian, "a.txt", stdout, stderr)); err != nil {
			return err
		}
	}
}

func callUltimate(w *wire, line string) (*Reply, error) {
	if err := w.command(line); err != nil {
		return nil, err
	}
	return w.ultimateReply()
}

// ultimateReply takes length, header and data.
func (w *wire) ultimateReply() (*Reply, error) {
	header, err := w.recvHeader()
	if err != nil {
		return nil, err
	}
	if header.Size > w.o.MaxData {
		return nil, &LengthError{N: header.Size, Max: w.o.MaxData}
	}
	data, err := w.recvExact(int(header.Size))
	return &Reply{Header: header, Data: data}, err
}
