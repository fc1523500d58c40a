package transport

import (
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// A handshake computes when it has a turn, and has none while it waits for the network: a client
// that says nothing makes nobody wait, and one whose bytes have come waits for those before it.
func TestTurns(t *testing.T) {
	config := ServerConfig(envelope(t))
	synctest.Test(t, func(t *testing.T) {
		turns := NewTurns(1)
		silent, far := net.Pipe()
		go Server(far, config, turns)
		synctest.Wait()
		if len(turns) != 0 {
			t.Fatal("a client that says nothing has a turn")
		}
		turns <- struct{}{} // another handshake computes
		near, far := net.Pipe()
		ended := make(chan error, 1)
		go func() {
			_, err := Server(far, config, turns)
			ended <- err
		}()
		go near.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
		synctest.Wait()
		select {
		case err := <-ended:
			t.Fatalf("it did not wait for its turn: %v", err)
		default:
		}
		<-turns
		go io.Copy(io.Discard, near)
		if err := <-ended; err == nil || errors.Is(err, io.EOF) {
			t.Errorf("it ended with %v", err)
		}
		<-time.After(time.Second) // a turn rests
		if len(turns) != 0 {
			t.Error("a handshake that has failed keeps its turn")
		}
		silent.Close()
		near.Close()
	})
}
