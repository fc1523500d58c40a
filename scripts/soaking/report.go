//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"minissh/scripts/wire"
)

// report gathers what became of the jobs.
type report struct {
	r        *run
	terminal bool

	mu      sync.Mutex // guards the rest
	running int
	jobs    map[string]int // by kind of work
	longest map[string]time.Duration
	lost    int                        // jobs whose login was cut
	cuts    map[string]int             // by way
	back    map[string][]time.Duration // by way: from the cut to the next link
	failed  int
	faults  []string
}

func newReport(r *run) *report {
	return &report{r: r, terminal: term.IsTerminal(int(os.Stderr.Fd())), jobs: map[string]int{},
		longest: map[string]time.Duration{}, cuts: map[string]int{},
		back: map[string][]time.Duration{}}
}

func (p *report) began() {
	p.mu.Lock()
	p.running++
	p.mu.Unlock()
	p.progress(false)
}

// note adds faults that are not of one job.
func (p *report) note(faults []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, faults...)
	if len(faults) > 0 {
		p.say(strings.Join(faults, "\n"))
	}
}

// done takes a job that has ended. What failed is told at once.
func (p *report) done(j *job) {
	p.mu.Lock()
	if j.n >= 0 {
		p.running--
		p.jobs[j.work.name]++
	}
	p.longest[j.work.name] = max(p.longest[j.work.name], j.took)
	if j.lost {
		p.lost++
	}
	for _, r := range j.wires {
		for _, c := range r.Past() {
			p.cuts[c.Cut.Way.Name]++
			if c.After > 0 {
				p.back[c.Cut.Way.Name] = append(p.back[c.Cut.Way.Name], c.After)
			}
		}
	}
	if len(j.faults) > 0 {
		p.failed++
		p.say(p.story(j))
	}
	p.mu.Unlock()
	p.progress(false)
}

// story is what is needed to understand a job that failed, and to try it again.
func (p *report) story(j *job) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nFAIL: job %d (%s), after %.1fs; again: %s\n", j.n, j.work.name,
		j.took.Seconds(), p.r.o.again(j.n))
	for _, fault := range j.faults {
		fmt.Fprintf(&b, "    %.4000s\n", fault)
	}
	for _, r := range j.wires {
		if r.Links() > 0 {
			fmt.Fprintf(&b, "    %d links:\n%s", r.Links(), cuts(r.Past()))
		}
	}
	if text := j.text(); text != "" {
		fmt.Fprintf(&b, "    minissh said: %s\n", text)
	}
	return b.String()
}

// cuts tells what became of a relay's links.
func cuts(past []wire.Past) string {
	var b strings.Builder
	for _, c := range past {
		deaf := ""
		if c.Cut.Deaf {
			deaf = " and deaf"
		}
		fmt.Fprintf(&b, "        link %d was cut after %.3fs, %d bytes up and %d down: %s%s, for "+
			"%.1fs; the next came %.3fs later\n", c.N, c.Age.Seconds(), c.Up, c.Down,
			c.Cut.Way.Name, deaf, c.Cut.Mute.Seconds(), c.After.Seconds())
	}
	return b.String()
}

// say prints something above the line of progress. The caller holds mu.
func (p *report) say(text string) {
	if p.terminal {
		fmt.Fprint(os.Stderr, "\r\x1b[K")
	}
	fmt.Println(text)
}

// progress draws the one line of progress, on a terminal only.
func (p *report) progress(last bool) {
	if !p.terminal {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(os.Stderr, "\r\x1b[K… %d cuts, %d jobs done, %d under way, %d failed, %v",
		p.sum(), p.ended(), p.running, p.failed, time.Since(p.r.start).Round(time.Second))
	if last {
		fmt.Fprint(os.Stderr, "\r\x1b[K")
	}
}

func (p *report) sum() (n int) {
	for _, c := range p.cuts {
		n += c
	}
	return n
}

func (p *report) ended() (n int) {
	for _, c := range p.jobs {
		n += c
	}
	return n
}

// conclude prints the tables and the last line; it reports whether all was well.
func (p *report) conclude(ctx context.Context) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Printf("%-16s %5s  %s\n", "cut", "times",
		"the client's next link: median, 9 of 10, at most")
	for _, w := range wire.Ways {
		b := slices.Sorted(slices.Values(p.back[w.Name]))
		fmt.Printf("%-16s %5d", w.Name, p.cuts[w.Name])
		if len(b) > 0 {
			fmt.Printf("  %8.3fs %8.3fs %8.3fs", b[len(b)/2].Seconds(), b[len(b)*9/10].Seconds(),
				b[len(b)-1].Seconds())
		}
		fmt.Println()
	}
	fmt.Printf("\n%-16s %5s  %s\n", "work", "jobs", "the longest")
	for _, w := range works {
		fmt.Printf("%-16s %5d  %8.1fs\n", w.name, p.jobs[w.name], p.longest[w.name].Seconds())
	}
	now, most := p.r.memory[0], p.r.memory[1]
	fmt.Printf("\n%d cuts, %d jobs in %v, seed %d; %d logins were cut; the daemon has %d "+
		"descriptors (%d before), %d MiB in memory (at most it had %d)\n", p.sum(), p.ended(),
		time.Since(p.r.start).Round(time.Second), p.r.o.seed, p.lost, p.r.descriptors,
		p.r.h.before, now, most)
	if err := context.Cause(ctx); err != nil {
		p.faults = append(p.faults, fmt.Sprintf("stopped before the end: %v", err))
		fmt.Println(p.faults[len(p.faults)-1])
	}
	if p.failed+len(p.faults) > 0 {
		fmt.Printf("%d jobs failed, %d other faults\n", p.failed, len(p.faults))
		return false
	}
	fmt.Println("nothing was lost, nothing came twice, nothing ran twice")
	return true
}
