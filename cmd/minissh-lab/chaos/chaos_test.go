package chaos

import (
	"bytes"
	"net"
	"runtime"
	"slices"
	"testing"

	"minissh/cmd/minissh-lab/dialect"
	"minissh/protocol/testend"
)

// ultimate is a message with everything in it: length, header with 中, data with 中.
func ultimate() []byte {
	header := []byte(`{"filename": "中.txt", "total_size": 8}`)
	return append(dialect.Frame(false, header), "ab中cde"...)
}

func TestSchedulesCutWhereItHurtsAndLoseNothing(t *testing.T) {
	message := ultimate()
	m := Find(false, true, message)
	json := 4 + len(`{"filename": "中.txt", "total_size": 8}`)
	if want := (Marks{Length: 4, JSON: json, InHeader: 4 + 15, InChar: json + 3}); m != want {
		t.Fatalf("marks = %+v, want %+v", m, want)
	}
	for _, s := range All {
		pieces := s.Pieces(message, m)
		if got := bytes.Join(pieces, nil); !bytes.Equal(got, message) {
			t.Errorf("%s: the pieces join to %q", s.Name, got)
		}
		if slices.ContainsFunc(pieces, func(p []byte) bool { return len(p) == 0 }) {
			t.Errorf("%s: an empty piece", s.Name)
		}
	}
	for _, c := range []struct {
		s    Schedule
		want []int // length of each piece
	}{
		{Glued, []int{len(message)}},
		{InsideLength, []int{2, len(message) - 2}},
		{AfterLength, []int{4, json - 4, 8}},
		{InsideJSON, []int{(4 + json) / 2, len(message) - (4+json)/2}},
		{InsideChar, []int{19, json + 3 - 19, 5}},
	} {
		var got []int
		for _, p := range c.s.Pieces(message, m) {
			got = append(got, len(p))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: pieces of %v, want %v", c.s.Name, got, c.want)
		}
	}
	if n := len(ByteByByte.Pieces(message, m)); n != len(message) {
		t.Errorf("byte by byte: %d pieces of %d bytes", n, len(message))
	}
}

func TestScheduleThatHasNothingToCut(t *testing.T) {
	message := dialect.SimpleReply(false, []byte("plain"), nil)
	m := Find(false, true, message)
	if m.JSON != 0 || m.InChar != 0 {
		t.Fatalf("marks = %+v", m)
	}
	if InsideJSON.Pieces(message, m) != nil || InsideChar.Pieces(message, m) != nil {
		t.Error("cut inside something that is not there")
	}
}

func TestLongDataDoesNotTakeForEver(t *testing.T) {
	message := dialect.SimpleReply(false, make([]byte, 3000), nil)
	if n := len(ByteByByte.Pieces(message, Find(false, true, message))); n > 120 || n < 50 {
		t.Errorf("%d pieces", n)
	}
}

func TestTruncatedEndsInEveryPart(t *testing.T) {
	message := ultimate()
	m := Find(false, true, message)
	var got []int
	for _, b := range Truncated(message, m) {
		got = append(got, len(b))
	}
	want := []int{2, 4, (4 + m.JSON) / 2, m.JSON, (m.JSON + len(message)) / 2}
	if !slices.Equal(got, want) {
		t.Errorf("ends at %v, want %v", got, want)
	}
	if got := HostileLength(false, MinusOne); !bytes.Equal(got, []byte{255, 255, 255, 255}) {
		t.Errorf("-1 is % x", got)
	}
	if got := HostileLength(false, Huge); !bytes.Equal(got, []byte{255, 255, 255, 127}) {
		t.Errorf("2^31-1 is % x", got)
	}
}

// The pieces arrive apart from each other, every time: each read gives one piece.
func TestSendForcesSeparation(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("not run: needs /proc/net/tcp; elsewhere a pause separates, which forces nothing")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	message := ultimate()
	pieces := ByteByByte.Pieces(message, Find(false, true, message))
	sent := make(chan error, 1)
	go func() {
		c, err := net.Dial("tcp", l.Addr().String())
		if err == nil {
			_, err = Send(t.Context(), c, pieces)
			c.Close()
		}
		sent <- err
	}()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	buf := make([]byte, 1024)
	for i, want := range pieces {
		n, err := c.Read(buf)
		if err != nil || !bytes.Equal(buf[:n], want) {
			t.Fatalf("read %d gave %q, %v; want the piece %q", i, buf[:n], err, want)
		}
	}
	if err := testend.Next(t, "all is sent", sent); err != nil {
		t.Fatal(err)
	}
}
