//go:build linux

package main

import (
	"math/rand/v2"
	"time"
)

// work is a kind of job.
type work struct {
	name  string
	share int // of all jobs
	about string
	run   func(*job)
}

// works are all kinds.
var works = []work{
	{"command", 5, "a command with both output streams and an input", command},
	{"flood", 3, "much on standard input, much on standard output, or both", flood},
	{"quiet", 2, "a command that says something now and then", quiet},
	{"told", 2, "a command beside which minissh may say what becomes of the link", told},
	{"keys", 3, "keys on a terminal of the other side, through pipes", piped},
	{"screen", 2, "keys on a terminal here", screen},
	{"put", 3, "cp -r to the other side", put},
	{"get", 3, "cp -r from the other side", get},
	{"between", 1, "cp -r from the other side to the other side", between},
	{"prompt", 3, "lines of a prompt", prompt},
}

// choose is the kind of a job; only one if it is named.
func choose(random *rand.Rand, name string) work {
	sum := 0
	for _, w := range works {
		sum += w.share
	}
	at := random.IntN(sum)
	for _, w := range works {
		if w.name == name {
			return w
		}
	}
	for _, w := range works {
		if at -= w.share; at < 0 {
			return w
		}
	}
	panic("unreachable")
}

// talks is a random talk of at most so many bytes on each stream, over at most so long.
func (j *job) talks(in, out, err int64, over time.Duration) talk {
	size := func(most int64) int64 {
		if most == 0 || j.random.IntN(4) == 0 {
			return 0
		}
		return int64(logUniform(j.random, 1, float64(most)))
	}
	return talk{starts: j.path("starts"), seed: j.seed, in: size(in), out: size(out),
		err: size(err), over: time.Duration(j.random.Int64N(int64(over))),
		code: j.random.IntN(90)}
}
