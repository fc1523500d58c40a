package control

import (
	"context"
	"io"
	"net"
	"os"
	"time"
)

// A daemon that has been replaced serves its sessions to their end, and has a socket of its own,
// where the newest one asks about them. So whoever asks the newest learns about all.

// ListenForNewer opens the socket at path where the daemons that replace this one ask it, in a
// directory that is the account's alone. Close closes it; Leave does not.
func (d *Desk) ListenForNewer(path string) error {
	listener, err := ListenUnix(path, 0o600)
	if err != nil {
		return err
	}
	own := map[string]verb{"who": whoOwn, "end": endOwn}
	s := d.newSocket(listener.(*net.UnixListener), io.NopCloser(nil), askersMost,
		func(uid uint32) map[string]verb {
			if uid != 0 && uid != uint32(os.Geteuid()) {
				return nil
			}
			return own
		})
	d.own = s
	s.work.Go(s.accept)
	return nil
}

// older lists the sockets of the generations before this one.
func (d *Desk) older() []string {
	if d.Older == nil {
		return nil
	}
	return d.Older()
}

// HighestOf asks the generation at a socket for the highest number of its sessions.
func HighestOf(ctx context.Context, path string) int64 {
	var theirs WhoInfo
	highest := int64(0)
	if askSoon(ctx, path, "who", nil, &theirs) == nil {
		for _, session := range theirs.Sessions {
			highest = max(highest, session.ID)
		}
	}
	return highest
}

// askSoon is Ask of one daemon that may be blocked.
func askSoon(ctx context.Context, path, verb string, args, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return Ask(ctx, []string{path}, verb, args, nil, answer)
}
