//go:build linux

package main

import (
	"strings"
	"time"
)

// runTalk runs a talk by the client's own options, and judges all of it.
func (j *job) runTalk(k talk, options ...string) {
	words := append(append(options, j.config(), "--exec", "box"), k.argv(j.program)...)
	cmd := j.client(words...)
	o := j.feed(cmd, k)
	if j.finish(cmd, k.code) {
		j.judge(o, k)
	}
	j.once("starts", k.ended())
}

func command(j *job) {
	j.runTalk(j.talks(4<<20, 4<<20, 1<<20, 8*time.Second), j.level)
}

func flood(j *job) {
	k := j.talks(1, 1, 0, time.Second)
	most := 8<<20 + j.random.Int64N(56<<20)
	switch j.random.IntN(3) {
	case 0:
		k.in = most
	case 1:
		k.out = most
	default:
		k.in, k.out = most, most/2
	}
	j.runTalk(k, j.level)
}

func quiet(j *job) {
	k := j.talks(40, 40, 40, 30*time.Second)
	k.over += 5 * time.Second
	k.out += 20
	j.runTalk(k, j.level)
}

// told lets minissh say what it says about links: lines of its own.
func told(j *job) {
	j.runTalk(j.talks(1<<20, 1<<20, 0, 20*time.Second))
	for line := range strings.Lines(j.text()) {
		if !strings.HasPrefix(line, "minissh: ") && !j.lost {
			j.fault("standard error has %q", line)
		}
	}
}
