//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/term"
)

// otherSide is the first word of this program's command line where it is what a command runs.
const otherSide = "--on-the-other-side"

// talk is a command that takes a stream on its input, and gives one on each output.
type talk struct {
	starts       string // the file that it appends its start to
	seed         uint64
	in, out, err int64         // bytes of the streams
	over         time.Duration // about how long an output takes
	code         int
}

// argv is what to run on the other side.
func (k talk) argv(program string) []string {
	return []string{program, otherSide, "talk", k.starts, fmt.Sprint(k.seed), fmt.Sprint(k.in),
		fmt.Sprint(k.out), fmt.Sprint(k.err), k.over.String(), fmt.Sprint(k.code)}
}

// started and ended are the lines that a command leaves when all is as it should be.
const started = "started\n"

func (k talk) ended() string { return fmt.Sprintf("ended after %d bytes\n", k.in) }

// beOtherSide is what runs there; it returns the exit code.
func beOtherSide(args []string) int {
	file, err := os.OpenFile(args[1], os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err == nil {
		_, err = file.WriteString(started)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		return 99
	}
	switch args[0] {
	case "talk":
		return beTalk(file, args)
	case "keys":
		return beKeys(file)
	}
	return 99
}

func beTalk(file *os.File, args []string) int {
	var n [5]int64
	for i, at := range []int{2, 3, 4, 5, 7} {
		n[i], _ = strconv.ParseInt(args[at], 10, 64)
	}
	over, _ := time.ParseDuration(args[6])
	k := talk{seed: uint64(n[0]), in: n[1], out: n[2], err: n[3], over: over, code: int(n[4])}
	var work sync.WaitGroup
	for which, to := range map[byte]*os.File{streamOut: os.Stdout, streamErr: os.Stderr} {
		size := k.out
		if which == streamErr {
			size = k.err
		}
		work.Go(func() {
			from := newPaced(k.seed, which, size, k.over)
			if _, err := io.Copy(struct{ io.Writer }{to}, from); err != nil {
				fmt.Fprintf(file, "output %d: %v\n", which, err)
			}
		})
	}
	input := newChecker(k.seed, streamIn, k.in)
	_, err := io.Copy(input, struct{ io.Reader }{os.Stdin})
	work.Wait()
	if wrong := input.whole(k.seed, streamIn); err != nil || wrong != "" {
		fmt.Fprintf(file, "the input %s (%v)\n", wrong, err)
		return 98
	}
	file.WriteString(k.ended())
	return k.code
}

// lastKey ends beKeys, whose exit code is keysCode.
const (
	lastKey  = 'Q'
	keysCode = 41
	keysSay  = "ready."
)

// beKeys echoes each key, on a terminal that does not, and ends with lastKey.
func beKeys(file *os.File) int {
	if _, err := term.MakeRaw(0); err != nil {
		fmt.Fprintln(file, "not a terminal:", err)
		return 97
	}
	io.WriteString(os.Stdout, keysSay)
	key := make([]byte, 1)
	for {
		if _, err := os.Stdin.Read(key); err != nil {
			fmt.Fprintln(file, "the keys end:", err)
			return 96
		}
		os.Stdout.Write(key)
		if key[0] == lastKey {
			file.WriteString(endedKeys)
			return keysCode
		}
	}
}

const endedKeys = "ended by a key\n"
