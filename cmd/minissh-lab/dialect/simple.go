package dialect

// Chapter 15: four bytes say how many bytes follow.
//
//	client -> server   big
//	server -> client   b8 0b 00 00, then 3000 bytes
var simple = &Dialect{
	Name: "simple", Chapters: "15", Port: 8080, Kind: Commands,
	Zh: "4 字节长度，数据", En: "4 bytes of length, then the data",
	serve: serveSimple, call: callSimple,
}

// SimpleReply is struct.pack('i', len(stdout)+len(stderr)) + stdout + stderr.
func SimpleReply(bigEndian bool, stdout, stderr []byte) []byte {
	data := NaiveReply(stdout, stderr)
	return append(EncodeLength(bigEndian, int32(len(data))), data...)
}

func serveSimple(w *wire) error {
	for {
		line, err := w.nextCommand()
		if err != nil {
			return err
		}
		stdout, stderr := w.run(line)
		if err := w.reply(SimpleReply(w.o.BigEndian, stdout, stderr)); err != nil {
			return err
		}
	}
}

func callSimple(w *wire, line string) (*Reply, error) {
	if err := w.command(line); err != nil {
		return nil, err
	}
	return w.simpleReply()
}

// simpleReply takes the length, then exactly so many bytes.
func (w *wire) simpleReply() (*Reply, error) {
	n, err := w.recvLength(w.o.MaxData)
	if err != nil {
		return nil, err
	}
	data, err := w.recvExact(n)
	return &Reply{Data: data}, err
}
