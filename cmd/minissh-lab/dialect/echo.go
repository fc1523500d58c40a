package dialect

// Chapters 6-9: whatever comes is sent back in upper case.
//
//	client -> server   hello
//	server -> client   HELLO
var echo = &Dialect{
	Name: "echo", Chapters: "6-9", Port: 8080, Kind: Echo,
	Zh: "发什么，回大写", En: "what you say, in upper case",
	serve: serveEcho, call: callEcho,
}

// Upper is Python's bytes.upper(): ASCII letters and nothing else. (Go's
// bytes.ToUpper would change é, and the number of bytes of some letters.)
func Upper(b []byte) []byte {
	up := make([]byte, len(b))
	for i, c := range b {
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		up[i] = c
	}
	return up
}

func serveEcho(w *wire) error {
	for {
		data, err := w.recv(w.o.RecvSize) // one recv, taken for one message
		if err != nil {
			return err
		}
		if err := w.reply(Upper(data)); err != nil {
			return err
		}
	}
}

func callEcho(w *wire, line string) (*Reply, error) {
	if err := w.command(line); err != nil {
		return nil, err
	}
	data, err := w.recv(w.o.RecvSize) // one recv: perhaps not all of it, perhaps more
	return &Reply{Data: data}, err
}
