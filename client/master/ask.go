package master

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"time"

	"minissh/client/options"
	"minissh/client/report"
	"minissh/protocol"
	"minissh/protocol/transport"
)

// Ask is -O: it asks the process that owns the path to check, exit, stop, forward or cancel, and
// returns what ssh says of that. Ports that the other side has chosen are written to ports.
func Ask(o *options.Options, ports io.Writer) (string, error) {
	command, path := o.Control, o.ControlPath
	if path == "" {
		return "", report.Failed(nil, "minissh -O "+command+" -S PATH host",
			"-O asks the process that owns a socket, and there is no ControlPath")
	}
	requests, said := map[string][]message{
		"check": {newMessage(aliveCheck, 0)}, "exit": {newMessage(terminate, 0)},
		"stop": {newMessage(stopListening, 0)},
	}[command], ""
	forwards := slices.Concat(o.LocalForwards, o.RemoteForwards, o.DynamicForwards)
	switch {
	case requests != nil:
	case command != "forward" && command != "cancel":
		return "", report.Failed(nil, "-O check, exit, stop, forward or cancel",
			"-O %s is not in this version: each command has a connection of its own", command)
	case len(forwards) == 0:
		return "", report.Failed(nil, "minissh -O "+command+" -L 8080:web:80 host",
			"-O %s needs -L, -R or -D: which one", command)
	}
	switch command {
	case "forward":
		for _, f := range forwards {
			requests = append(requests, forwardMessage(openForward, f))
		}
	case "cancel":
		for _, f := range forwards {
			requests = append(requests, forwardMessage(closeForward, f))
		}
	}
	raw, err := net.DialTimeout("unix", path, patience)
	if err != nil {
		// in ssh's words, which programs look for
		return "", report.Failed(err, "", "Control socket connect(%s): %v",
			protocol.Quote(path), report.Plain(err))
	}
	defer raw.Close()
	uid, err := transport.PeerUID(raw.(*net.UnixConn))
	if err != nil || uid != 0 && int64(uid) != int64(os.Getuid()) {
		return "", report.Failed(err, "", "the socket %s is another user's", protocol.Quote(path))
	}
	raw.SetDeadline(time.Now().Add(3 * patience))
	err = greet(raw)
	for i := 0; err == nil && i < len(requests); i++ {
		var kind, number uint32
		kind, number, err = exchange(raw, requests[i])
		switch {
		case err == nil && kind == remotePort:
			fmt.Fprintln(ports, number)
		case err == nil && kind == isAlive:
			said = fmt.Sprintf("Master running (pid=%d)", number)
		}
	}
	if no, is := errors.AsType[*refusal](err); is {
		return "", report.Failed(nil, "", "the process that owns %s refuses: %s",
			protocol.Quote(path), protocol.Quote(no.why))
	}
	if err != nil {
		return "", report.Failed(err, "", "the process that owns %s does not answer: %v",
			protocol.Quote(path), report.Plain(err))
	}
	switch command {
	case "exit":
		said = "Exit request sent."
	case "stop":
		said = "Stop listening request sent."
	}
	return said, nil
}

// greet exchanges versions.
func greet(conn net.Conn) error {
	if err := newMessage(hello, version).writeTo(conn); err != nil {
		return err
	}
	kind, b, err := readMessage(conn)
	if err == nil && (kind != hello || b.number() != version) {
		err = errors.New("it speaks another version")
	}
	return err
}

// refusal is the other process's no.
type refusal struct{ why string }

func (r *refusal) Error() string { return r.why }

// exchange sends one request, and returns the kind of the answer and the number in it.
func exchange(conn net.Conn, request message) (kind, number uint32, err error) {
	if err := request.writeTo(conn); err != nil {
		return 0, 0, err
	}
	kind, b, err := readMessage(conn)
	if err != nil {
		return 0, 0, err
	}
	b.number() // of the request: there is one at a time
	switch kind {
	case ok:
	case isAlive, remotePort:
		number = b.number()
	case refused:
		err = &refusal{b.text()}
	default:
		err = &refusal{"permission denied"}
	}
	if err == nil && b.bad {
		err = errors.New("its answer is cut off")
	}
	return kind, number, err
}
