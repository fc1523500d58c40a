package dialect

import (
	"bytes"
	"fmt"
	"time"
)

// Chapter 20: a command in a datagram, its output in another one; in some copies
// in two, stderr then stdout.
//
//	client -> server   ls
//	server -> client   stdout and stderr, or stderr | stdout
var udpExec = &Dialect{
	Name: "udp-exec", Chapters: "20", Port: 9003, Datagram: true, Kind: Commands,
	Zh: "UDP：命令，输出在一个数据报里", En: "UDP: a command, its output in one datagram",
	answer: answerUDPExec, call: callUDPExec,
}

// MaxDatagram is the most that fits into one UDP datagram over IPv4: 65535 less 20
// of IP and 8 of UDP. One byte more is EMSGSIZE.
const MaxDatagram = 65507

// secondPart is how long the client waits for a second datagram.
const secondPart = 150 * time.Millisecond

func answerUDPExec(o Options, datagram []byte) [][]byte {
	stdout, stderr := o.run(string(bytes.TrimSpace([]byte(o.decode(datagram)))))
	parts := [][]byte{NaiveReply(stdout, stderr)}
	if o.TwoParts {
		parts = [][]byte{stderr, stdout}
	}
	for i, p := range parts {
		if len(p) > MaxDatagram {
			parts[i] = o.encode(fmt.Sprintf("%d 字节放不进一个数据报（最多 %d） / %[1]d bytes do "+
				"not fit into one datagram (at most %[2]d)\n",
				len(p), MaxDatagram))
		}
	}
	return parts
}

func callUDPExec(w *wire, line string) (*Reply, error) {
	reply, err := callUDP(w, line)
	if err != nil {
		return reply, err
	}
	if more, err := w.recvWithin(w.o.RecvSize, secondPart); err == nil {
		reply.Data = append(reply.Data[:len(reply.Data):len(reply.Data)], more...)
	}
	return reply, nil
}
