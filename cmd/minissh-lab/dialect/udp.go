package dialect

// Chapter 20: one datagram, one answer. Nothing sticks: a datagram has its
// boundaries. What does not fit into recvfrom(n) is lost.
//
//	client -> server   hello
//	server -> client   HELLO
var udp = &Dialect{
	Name: "udp", Chapters: "20", Port: 9000, Datagram: true, Kind: Echo,
	Zh: "UDP：一个数据报，回大写", En: "UDP: one datagram, answered in upper case",
	answer: func(_ Options, datagram []byte) [][]byte { return [][]byte{Upper(datagram)} },
	call:   callUDP,
}

func callUDP(w *wire, line string) (*Reply, error) {
	w.forgetLate()
	if err := w.command(line); err != nil {
		return nil, err
	}
	data, err := w.recv(w.o.RecvSize) // a longer datagram loses its end here
	return &Reply{Data: data}, err
}
