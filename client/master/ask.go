package master

import (
	"fmt"
	"net"
	"os"
	"time"

	"minissh/client/report"
	"minissh/protocol"
	"minissh/protocol/transport"
)

// Ask is -O: it asks the process that owns the path to check, exit or stop, and returns what ssh
// says of that.
func Ask(command, path string) (string, error) {
	if path == "" {
		return "", report.Failed(nil, "minissh -O "+command+" -S PATH host",
			"-O asks the process that owns a socket, and there is no ControlPath")
	}
	kind, known := map[string]uint32{"check": aliveCheck, "exit": terminate,
		"stop": stopListening}[command]
	if !known {
		return "", report.Failed(nil, "minissh -N -L … forwards over a connection of its own",
			"-O %s is not in this version: each command has a connection of its own", command)
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
	raw.SetDeadline(time.Now().Add(patience))
	pid, err := exchange(raw, kind)
	if err != nil {
		return "", report.Failed(err, "", "the process that owns %s does not answer: %v",
			protocol.Quote(path), report.Plain(err))
	}
	return map[uint32]string{aliveCheck: fmt.Sprintf("Master running (pid=%d)", pid),
		terminate: "Exit request sent.", stopListening: "Stop listening request sent."}[kind], nil
}

// exchange sends one request and returns the number in the answer.
func exchange(conn net.Conn, request uint32) (number uint32, err error) {
	if err := writeMessage(conn, hello, version); err != nil {
		return 0, err
	}
	kind, body, err := readMessage(conn)
	if err != nil {
		return 0, err
	}
	if kind != hello || len(body) == 0 || body[0] != version {
		return 0, fmt.Errorf("it speaks another version")
	}
	if err := writeMessage(conn, request, 0); err != nil {
		return 0, err
	}
	kind, body, err = readMessage(conn)
	switch {
	case err != nil:
		return 0, err
	case kind == isAlive && len(body) == 2:
		return body[1], nil
	case kind != ok:
		return 0, fmt.Errorf("it refuses")
	}
	return 0, nil
}
