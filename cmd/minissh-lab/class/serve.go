package class

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// Limits of a server.
const (
	maxConns  = 64              // connections at a time
	patience  = 5 * time.Second // for a report to come, and for its answer to go
	afterFail = 50 * time.Millisecond
)

// Serve takes reports on l until ctx ends, then closes l and waits for every
// connection. told hears of each report that was kept; its calls come one at a time.
func (b *Board) Serve(ctx context.Context, l net.Listener, told func(Report)) error {
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	defer context.AfterFunc(ctx, func() { l.Close() })()
	var tell sync.Mutex
	slots := make(chan struct{}, maxConns)
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			if errors.Is(err, net.ErrClosed) {
				return err
			}
			select { // such as too many open files: it must not spin
			case <-time.After(afterFail):
				continue
			case <-ctx.Done():
				return nil
			}
		}
		select {
		case slots <- struct{}{}:
		default:
			conn.Close() // a full classroom knocks again
			continue
		}
		all.Go(func() {
			defer func() { <-slots }()
			defer conn.Close()
			defer context.AfterFunc(ctx, func() { conn.Close() })()
			r, err := b.take(conn)
			if err != nil {
				fmt.Fprintf(conn, "no: %v\n", err)
				return
			}
			tell.Lock()
			told(r)
			tell.Unlock()
			io.WriteString(conn, "ok\n") // a student who has left needs no answer
		})
	}
}

// take reads one report and keeps it.
func (b *Board) take(conn net.Conn) (Report, error) {
	conn.SetDeadline(time.Now().Add(patience))
	line, err := bufio.NewReader(io.LimitReader(conn, maxLine)).ReadString('\n')
	if err != nil {
		return Report{}, errors.New("one line of JSON is wanted")
	}
	var r Report
	d := json.NewDecoder(strings.NewReader(line))
	d.DisallowUnknownFields()
	if d.Decode(&r) != nil {
		return Report{}, errors.New("one line of JSON is wanted")
	}
	return b.Add(r)
}

// Send reports to the board at address.
func Send(ctx context.Context, address string, r Report) error {
	r.Class = 1
	d := net.Dialer{Timeout: patience}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := conn.Write(append(line, '\n')); err != nil {
		return err
	}
	answer, err := bufio.NewReader(io.LimitReader(conn, maxLine)).ReadString('\n')
	if err != nil {
		return fmt.Errorf("no answer from the board: %w", err)
	}
	if answer = strings.TrimSpace(answer); answer != "ok" {
		return fmt.Errorf("the board says %q", answer)
	}
	return nil
}
