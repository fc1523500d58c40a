//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// prompt runs lines from a pipe: commands with output, and a put between them. The prompt's own
// standard output has nothing else.
func prompt(j *job) {
	if err := os.WriteFile(j.path("sent"), []byte(strings.Repeat("sent\n", 1<<16)),
		0o600); err != nil {
		j.fault("%v", err)
		return
	}
	var lines strings.Builder
	var talks []talk
	for n := range 2 + j.random.IntN(6) {
		k := j.talks(0, 1<<20, 0, 3*time.Second)
		k.in, k.starts, k.seed = 0, j.path(fmt.Sprint("starts", n)), j.seed+uint64(n)
		talks = append(talks, k)
		fmt.Fprintln(&lines, strings.Join(k.argv(j.program), " "))
		if n == 0 {
			fmt.Fprintf(&lines, "cd %s\nput sent\n", j.path("there"))
		}
	}
	if err := os.Mkdir(j.path("there"), 0o700); err != nil {
		j.fault("%v", err)
		return
	}
	cmd := j.client("prompt", j.level, j.config(), "box")
	cmd.Stdin = strings.NewReader(lines.String())
	var got, want bytes.Buffer
	cmd.Stdout = &got
	if j.finish(cmd, talks[len(talks)-1].code) {
		for _, k := range talks {
			io.CopyN(&want, stream(k.seed, streamOut), k.out)
		}
		if wrong := differs(want.Bytes(), got.Bytes()); wrong != "" {
			j.fault("standard output %s", wrong)
		}
		sent, _ := os.ReadFile(j.path("sent"))
		put, err := os.ReadFile(j.path("there/sent"))
		if err != nil || string(sent) != string(put) {
			j.fault("put left %d bytes of %d (%v)", len(put), len(sent), err)
		}
		for n, k := range talks {
			j.once(fmt.Sprint("starts", n), k.ended())
		}
	}
}
