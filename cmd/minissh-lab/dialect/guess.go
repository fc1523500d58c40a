package dialect

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// guessPause is the silence after which an answer is taken to be all there is for
// now: digits and then a pause are an ack server that waits.
const guessPause = 300 * time.Millisecond

// Guess reads a server's dialect off its first answer. certain is false where
// another dialect could have sent the same bytes: a guess is a guess, keep
// --dialect. An answer to `get NAME` may be chapters 17-18.
//
//	4 bytes N, then N bytes of JSON    ultimate, or file after a get
//	decimal digits, then a pause       ack
//	4 bytes of a small N               simple (four text bytes are at least 0x09090909)
//	the command in upper case          echo
//	anything else                      naive
func Guess(first []byte, command string) (d *Dialect, bigEndian, certain bool) {
	command = strings.TrimSpace(command)
	if up := Upper([]byte(command)); bytes.Equal(first, up) && string(up) != command {
		return echo, false, true
	}
	for _, be := range []bool{false, true} {
		if n, ok := headerAhead(be, first); ok && len(first) >= LengthSize+n &&
			json.Valid(first[LengthSize:LengthSize+n]) {
			if verb, _ := parseFileCommand(command); verb == "get" {
				return file, be, true
			}
			return ultimate, be, true
		}
	}
	if len(first) > 0 && len(first) <= 9 && allDigits(first) {
		return ack, false, !allDigits([]byte(command))
	}
	if len(first) >= LengthSize {
		little, errLittle := DecodeLength(false, first, Options{}.withDefaults().MaxData)
		big, errBig := DecodeLength(true, first, Options{}.withDefaults().MaxData)
		switch {
		case errLittle == nil && (errBig != nil || little <= big):
			return simple, false, little == len(first)-LengthSize
		case errBig == nil:
			return simple, true, big == len(first)-LengthSize
		}
	}
	return naive, false, len(first) > LengthSize
}

// headerAhead reports a believable length with a '{' after it.
func headerAhead(bigEndian bool, b []byte) (n int, ok bool) {
	if len(b) <= LengthSize || b[LengthSize] != '{' {
		return 0, false
	}
	n, err := DecodeLength(bigEndian, b, MaxHeader)
	return n, err == nil && n >= len("{}")
}

func allDigits(b []byte) bool {
	return !bytes.ContainsFunc(b, func(r rune) bool { return r < '0' || r > '9' })
}

// Enough reports whether Guess needs no more bytes. Where it does, a pause will do, too.
func Enough(b []byte) bool {
	if len(b) <= LengthSize || allDigits(b) {
		return false
	}
	for _, be := range []bool{false, true} {
		if n, ok := headerAhead(be, b); ok {
			return len(b) >= LengthSize+n
		}
	}
	return true
}

// errPutToGuess is a put while the dialect is not known: it has no answer.
var errPutToGuess = fmt.Errorf("%w: a put has no answer to guess from", ErrLocal)

// callAuto asks with line, guesses from the answer and goes on in that dialect. d
// is nil when nothing was learnt.
func callAuto(w *wire, line string) (d *Dialect, bigEndian bool, reply *Reply, err error) {
	if verb, _ := parseFileCommand(line); verb == "put" {
		return nil, false, nil, errPutToGuess
	}
	if err := w.command(line); err != nil {
		return nil, false, nil, err
	}
	first, err := w.recv(w.o.RecvSize)
	for err == nil && !Enough(first) {
		var more []byte
		more, err = w.recvWithin(w.o.RecvSize, guessPause)
		first = append(first[:len(first):len(first)], more...)
	}
	// After a pause or an end the guess is made from what there is.
	if err != nil && (len(first) == 0 || !errors.Is(err, ErrSilent) && !errors.Is(err, io.EOF)) {
		return nil, false, nil, err
	}
	d, bigEndian, certain := Guess(first, line)
	w.o.BigEndian = bigEndian
	sure, sureEn := "看起来是", "looks like"
	if !certain {
		sure, sureEn = "可能是", "perhaps"
	}
	orderZh, orderEn := "", ""
	switch {
	case d != simple && d != ultimate && d != file:
	case bigEndian:
		orderZh, orderEn = "；长度是大端（'!i'）", "; lengths are big-endian ('!i')"
	default:
		orderZh, orderEn = "；长度是小端（'i'）", "; lengths are little-endian ('i')"
	}
	w.note(fmt.Sprintf("%s %s：%s%s", sure, d.Name, d.Zh, orderZh),
		fmt.Sprintf("%s %s: %s%s", sureEn, d.Name, d.En, orderEn))
	switch d {
	case ack:
		reply, err = w.finishAck(first)
	case simple:
		w.unread(first)
		reply, err = w.simpleReply()
	case ultimate:
		w.unread(first)
		reply, err = w.ultimateReply()
	case file:
		w.unread(first)
		_, name := parseFileCommand(line)
		reply, err = w.recvFile(name)
	default:
		reply, err = &Reply{Data: first}, nil
	}
	return d, bigEndian, reply, err
}
