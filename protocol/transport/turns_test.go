package transport

import (
	"errors"
	"io"
	"net"
	"net/netip"
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
		go Server(far, config, turns.Of(netip.Prefix{}))
		synctest.Wait()
		if turns.free != 1 {
			t.Fatal("a client that says nothing has a turn")
		}
		turns.take(netip.Prefix{}) // another handshake computes
		near, far := net.Pipe()
		ended := make(chan error, 1)
		go func() {
			_, err := Server(far, config, turns.Of(netip.Prefix{}))
			ended <- err
		}()
		go near.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
		synctest.Wait()
		select {
		case err := <-ended:
			t.Fatalf("it did not wait for its turn: %v", err)
		default:
		}
		turns.pass()
		go io.Copy(io.Discard, near)
		if err := <-ended; err == nil || errors.Is(err, io.EOF) {
			t.Errorf("it ended with %v", err)
		}
		<-time.After(time.Second) // a turn rests
		synctest.Wait()
		if turns.free != 1 {
			t.Error("a handshake that has failed keeps its turn")
		}
		silent.Close()
		near.Close()
	})
}

// A crowd from one address costs a handshake from another one turn, not a turn for each of the
// crowd.
func TestSourcesFollowEachOther(t *testing.T) {
	crowd, alone := netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("192.0.2.2/32")
	turns := NewTurns(1)
	turns.take(crowd)
	var waiting []<-chan struct{}
	for range 40 {
		waiting = append(waiting, turns.enter(crowd))
	}
	for _, source := range []netip.Prefix{alone, alone, crowd} {
		waiting = append(waiting, turns.enter(source))
	}
	order := []int{0, 40, 1, 41}
	for i := 2; i < 40; i++ {
		order = append(order, i)
	}
	for _, i := range append(order, 42) {
		turns.pass()
		for at, turn := range waiting {
			select {
			case <-turn:
				if at != i {
					t.Fatalf("the turn of %d came to %d", i, at)
				}
				waiting[at] = nil
			default:
				if at == i {
					t.Fatalf("%d did not get its turn", i)
				}
			}
		}
	}
	if turns.pass(); turns.free != 1 || len(turns.waiting) != 0 || len(turns.next) != 0 {
		t.Errorf("afterwards there are %d free turns, and %d sources wait", turns.free,
			len(turns.next))
	}
}
