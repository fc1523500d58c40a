//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

// stream gives the bytes of one stream of one job: the same on both sides.
func stream(seed uint64, which byte) *rand.ChaCha8 {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	key[8] = which
	return rand.NewChaCha8(key)
}

// Streams of a job.
const (
	streamIn byte = iota
	streamOut
	streamErr
	streamKeys
	streamTree
)

// checker takes a stream and compares it with the one that is computed.
type checker struct {
	want  *rand.ChaCha8
	size  int64 // of the whole stream
	got   int64
	fault string // the first difference
	tail  []byte // of what came where it differs
}

func newChecker(seed uint64, which byte, size int64) *checker {
	return &checker{want: stream(seed, which), size: size}
}

func (c *checker) Write(p []byte) (int, error) {
	if c.fault != "" {
		if len(c.tail) < 200 {
			c.tail = append(c.tail, p[:min(len(p), 200)]...)
		}
		c.got += int64(len(p))
		return len(p), nil
	}
	want := make([]byte, max(0, min(int64(len(p)), c.size-c.got)))
	c.want.Read(want)
	if !bytes.HasPrefix(p, want) || len(want) < len(p) {
		at := 0
		for at < len(want) && p[at] == want[at] {
			at++
		}
		c.fault = fmt.Sprintf("differs at byte %d of %d", c.got+int64(at), c.size)
		c.tail = append(c.tail, p[at:min(len(p), at+200)]...)
	}
	c.got += int64(len(p))
	return len(p), nil
}

// whole says what is wrong with the stream, now that it has ended; "" if nothing is.
func (c *checker) whole(seed uint64, which byte) string {
	switch {
	case c.fault != "":
		return fmt.Sprintf("%s (%d came; what came there %s)", c.fault, c.got,
			c.where(seed, which))
	case c.got != c.size:
		return fmt.Sprintf("has %d bytes of %d", c.got, c.size)
	}
	return ""
}

// where looks for what came instead in the whole stream: something twice, or something left out.
func (c *checker) where(seed uint64, which byte) string {
	all := make([]byte, c.size)
	stream(seed, which).Read(all)
	return belongs(all, c.tail)
}

func belongs(all, part []byte) string {
	if len(part) >= 8 {
		if at := bytes.Index(all, part[:8]); at >= 0 {
			return fmt.Sprintf("belongs at %d", at)
		}
	}
	return fmt.Sprintf("is not of the stream: %.32x", part)
}

// differs says how two whole streams differ; "" if they do not.
func differs(want, got []byte) string {
	at := 0
	for at < min(len(want), len(got)) && want[at] == got[at] {
		at++
	}
	if at == len(want) && at == len(got) {
		return ""
	}
	return fmt.Sprintf("differs at byte %d of %d (%d came; what came there %s)", at, len(want),
		len(got), belongs(want, got[at:]))
}

// paced reads a stream of so many bytes in pieces of random size, over about a time.
type paced struct {
	from   *rand.ChaCha8
	random *rand.Rand
	left   int64
	piece  int           // the largest
	pause  time.Duration // the longest after a piece
}

func newPaced(seed uint64, which byte, size int64, over time.Duration) *paced {
	p := &paced{from: stream(seed, which), random: rand.New(rand.NewPCG(seed, uint64(which))),
		left: size, piece: int(min(max(size/50, 1), 256<<10))}
	pieces := size/int64(p.piece/2+1) + 1
	p.pause = 2 * over / time.Duration(pieces)
	return p
}

func (p *paced) Read(b []byte) (int, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	if p.pause > 0 {
		time.Sleep(time.Duration(p.random.Int64N(int64(p.pause) + 1)))
	}
	n := int(min(int64(len(b)), p.left, 1+p.random.Int64N(int64(p.piece))))
	p.from.Read(b[:n])
	p.left -= int64(n)
	return n, nil
}
