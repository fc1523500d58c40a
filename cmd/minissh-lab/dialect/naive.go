package dialect

// Chapters 11-12: a command, and its output with nothing around it. Nobody can
// see where an answer ends: this is the dialect in which 粘包 is seen.
//
//	client -> server   ls
//	server -> client   stdout stderr
var naive = &Dialect{
	Name: "naive", Chapters: "11-12", Port: 8080, Kind: Commands,
	Zh: "命令，输出，没有边界", En: "command, output, no boundary",
	serve: serveNaive, call: callNaive,
}

// NaiveReply is stdout, then stderr. It may be empty, and then send(b”) sends
// nothing at all: the client waits for ever.
func NaiveReply(stdout, stderr []byte) []byte {
	return append(append([]byte(nil), stdout...), stderr...)
}

func serveNaive(w *wire) error {
	for {
		line, err := w.nextCommand()
		if err != nil {
			return err
		}
		if err := w.reply(NaiveReply(w.run(line))); err != nil {
			return err
		}
	}
}

// callNaive does one recv, as the course does: what does not fit stays in the
// receive buffer and is the beginning of the next answer.
func callNaive(w *wire, line string) (*Reply, error) {
	if err := w.command(line); err != nil {
		return nil, err
	}
	data, err := w.recv(w.o.RecvSize)
	return &Reply{Data: data}, err
}
