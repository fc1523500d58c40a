package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"

	"minissh/daemon/process"
	"minissh/protocol/transport"
)

// Paths lists where a daemon of this user may have its control socket. By default a daemon takes
// the first; whoever asks looks at each. Root's is /run/minissh/control; others' is below
// $XDG_RUNTIME_DIR, or ~/.config if that is not set.
func Paths() ([]string, error) {
	if os.Geteuid() == 0 {
		return []string{rootsPath()}, nil
	}
	account, err := process.CurrentAccount()
	if err != nil {
		return nil, err
	}
	home := filepath.Join(account.Home, ".config", "minissh", "control")
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		return []string{filepath.Join(dir, "minissh", "control"), home}, nil
	}
	// a login without a manager of its own, say by su
	return []string{home, filepath.Join("/run/user", strconv.Itoa(os.Geteuid()), "minissh",
		"control")}, nil
}

// rootsPath is the control socket of a daemon of root.
func rootsPath() string {
	if runtime.GOOS == "linux" {
		return "/run/minissh/control"
	}
	return "/var/run/minissh/control"
}

// Ask asks the daemon that listens on the first of paths where one does. heard, which may be nil,
// gets the events before the answer; answer, which may be nil, is what the answer is decoded into.
// When ctx ends, the request is withdrawn.
//
// Errors: ErrNoDaemon, *Error for what the daemon says, ctx's own.
func Ask(ctx context.Context, paths []string, verb string, args any,
	heard func(event json.RawMessage), answer any) error {
	conn, err := dial(ctx, paths)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	err = talk(conn, verb, args, heard, answer)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// dial finds a living daemon that is root's or our own: anyone can make a socket (RULES A8).
func dial(ctx context.Context, paths []string) (*net.UnixConn, error) {
	for _, path := range paths {
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, "unix", path)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) ||
			errors.Is(err, syscall.ENOTDIR) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("the control socket: %w", err)
		}
		local := conn.(*net.UnixConn)
		uid, err := transport.PeerUID(local)
		if err == nil && uid != 0 && uid != uint32(os.Geteuid()) {
			err = fmt.Errorf("%s is a socket of uid %d: not asked", path, uid)
		}
		if err != nil {
			conn.Close()
			return nil, err
		}
		return local, nil
	}
	return nil, ErrNoDaemon
}

func talk(conn net.Conn, verb string, args any, heard func(json.RawMessage), answer any) error {
	request := ask{Verb: verb}
	var err error
	if args != nil {
		if request.Args, err = json.Marshal(args); err != nil {
			return err
		}
	}
	if err := json.NewEncoder(conn).Encode(request); err != nil {
		return fmt.Errorf("the control socket: %w", err)
	}
	lines := json.NewDecoder(io.LimitReader(conn, answerMost))
	for {
		var l line
		if err := lines.Decode(&l); err != nil {
			return fmt.Errorf("the daemon ended without an answer: %w", err)
		}
		switch {
		case l.Error != "":
			return &Error{l.Error, l.Hint}
		case l.Answer != nil && answer == nil:
			return nil
		case l.Answer != nil:
			return json.Unmarshal(l.Answer, answer)
		case l.Event != nil && heard != nil:
			heard(l.Event)
		}
	}
}
