//go:build linux

package main

import (
	"context"
	"fmt"
)

// fastCipher is OpenSSH's fastest on processors with AES instructions.
const fastCipher = "aes128-gcm@openssh.com"

// lane is one way of a peer to carry a bulk stream.
type lane struct {
	name    string
	peer    *peer
	options []string
	share   int64 // it carries 1/share of the bytes, so that slow ones do not take all the time
}

// lanes returns OpenSSH with its fastest cipher and with its default, and every other peer as it
// is.
func (l *lab) lanes() []lane {
	var all []lane
	for _, p := range l.peers {
		switch p.id {
		case "openssh":
			all = append(all, lane{"openssh (aes128-gcm)", p, []string{"-c", fastCipher}, 1},
				lane{"openssh (default)", p, nil, 1})
		case "dropbear":
			all = append(all, lane{p.id, p, nil, 8})
		default:
			all = append(all, lane{p.id, p, nil, 1})
		}
	}
	return all
}

// size is what the lane carries of the row's bytes.
func (n lane) size(whole int64) int64 { return max(whole/n.share, 1) }

// note tells the lane's processor time for the whole row's bytes, and when it was measured on
// fewer.
func (n lane) note(whole int64, client, daemon float64) string {
	note := fmt.Sprintf("processor time: client %.2f s, daemon and its command %.2f s", client,
		daemon)
	if n.share > 1 {
		note += fmt.Sprintf("; measured on %s, scaled", sized(n.size(whole)))
	}
	return note
}

// sized shows a number of bytes in the largest binary unit that leaves no fraction.
func sized(n int64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB"}
	for n >= 1024 && n%1024 == 0 && len(units) > 1 {
		n, units = n/1024, units[1:]
	}
	return fmt.Sprintf("%d %s", n, units[0])
}

// bulk measures seconds for the run's size in every lane, with a floor, and compares with OpenSSH's
// fastest cipher.
func (l *lab) bulk(ctx context.Context, name string, floor contender,
	once func(context.Context, lane, int64) (flow, error)) result {
	r := result{Unit: "s", Notes: []string{sized(l.o.size)}}
	var cs []contender
	all := l.lanes()
	client, daemon := make([]float64, len(all)), make([]float64, len(all))
	for i, n := range all {
		cs = append(cs,
			contender{n.name, n.peer.ours(), func(ctx context.Context) (float64, error) {
				size := n.size(l.o.size)
				scale := float64(l.o.size) / float64(size)
				before := familyCPU(n.peer.pid)
				f, err := once(ctx, n, size)
				client[i] += f.cpu * scale
				daemon[i] += (familyCPU(n.peer.pid) - before) * scale
				return f.seconds * scale, err
			}})
	}
	r.Series = interleave(ctx, l.rounds(name), false, append(cs, floor))
	for i, n := range all {
		if count := float64(len(r.Series[i].Samples)); count > 0 {
			r.Series[i].Note = n.note(l.o.size, client[i]/count, daemon[i]/count)
		}
	}
	r.against("openssh (aes128-gcm)", 0.85, true)
	if p := l.find("minissh"); p != nil {
		r.resumingCost(ctx, l.rounds(name)*pairsPerRound, p, l.o.size/pairShare, once)
	}
	return r
}

// What resuming costs is less than what the machine drifts by while a whole stream runs: many pairs
// of short ones show it.
const (
	pairsPerRound = 5
	pairShare     = 8
)

// resumingCost measures minissh beside resumeOff, for size bytes each.
func (r *result) resumingCost(ctx context.Context, rounds int, p *peer, size int64,
	once func(context.Context, lane, int64) (flow, error)) {
	lanes := []lane{{"minissh, short", p, nil, 1}, {resumeOff + ", short", p, notResuming, 1}}
	var cs []contender
	cpu := make([]float64, len(lanes))
	for i, n := range lanes {
		cs = append(cs, contender{name: n.name, run: func(ctx context.Context) (float64, error) {
			before := familyCPU(p.pid)
			f, err := once(ctx, n, size)
			cpu[i] += f.cpu + familyCPU(p.pid) - before
			return f.seconds, err
		}})
	}
	pair := interleave(ctx, rounds, true, cs)
	for i, s := range pair {
		s.Note = fmt.Sprintf("%s each; processor time in all %.2f s", sized(size), cpu[i])
	}
	r.Series = append(r.Series, pair...)
	r.Checks = append(r.Checks, resumingCheck(pair[0], pair[1]))
}

// zeroes is the shell command that prints size zero bytes.
func zeroes(size int64) string { return fmt.Sprintf("head -c %d /dev/zero", size) }

func runOut(ctx context.Context, l *lab) result {
	floor := contender{name: "floor: a bare pipe", run: func(ctx context.Context) (float64, error) {
		f, err := l.timeOutput(ctx, []string{"sh", "-c", "exec " + zeroes(l.o.size)}, l.o.size)
		return f.seconds, err
	}}
	return l.bulk(ctx, "out", floor, func(ctx context.Context, n lane, size int64) (flow, error) {
		return l.timeOutput(ctx, n.peer.argv(n.peer.address, zeroes(size), n.options...), size)
	})
}

func runIn(ctx context.Context, l *lab) result {
	floor := contender{name: "floor: a bare pipe", run: func(ctx context.Context) (float64, error) {
		f, err := l.timeInput(ctx, []string{"sh", "-c", "exec cat >/dev/null"}, l.o.size)
		return f.seconds, err
	}}
	counted := map[string]bool{}
	return l.bulk(ctx, "in", floor, func(ctx context.Context, n lane, size int64) (flow, error) {
		if !counted[n.name] { // once, untimed: that all bytes arrive
			counted[n.name] = true
			if err := l.countInput(ctx, n.peer.argv(n.peer.address, "wc -c", n.options...),
				min(size, 16<<20)+1); err != nil {
				return flow{}, err
			}
		}
		return l.timeInput(ctx, n.peer.argv(n.peer.address, "cat >/dev/null", n.options...), size)
	})
}

// runStream compares rates at a long round trip. Each lane carries as much as it needs a few
// seconds for; its rate is taken between the first and the last byte, so that logging in costs
// nobody.
func runStream(ctx context.Context, l *lab) result {
	r := result{
		Unit: "MB/s",
		Notes: []string{fmt.Sprintf("relay in user space, %v round trip; rate between the first "+
			"and the last byte", 2*l.o.delay)}}
	var cs []contender
	var notes []string
	for _, n := range l.lanes() {
		size := l.o.size / 2
		switch {
		case n.name == "openssh (default)":
			continue
		case n.peer.id == "openssh":
			size = min(size, 64<<20)
		case n.peer.id == "dropbear":
			size = min(size, 2<<20)
		}
		cs = append(cs,
			contender{n.name, n.peer.ours(), func(ctx context.Context) (float64, error) {
				address, err := l.far(n.peer)
				if err != nil {
					return 0, err
				}
				f, err := l.timeOutput(ctx, n.peer.argv(address, zeroes(size), n.options...), size)
				return f.rate(), err
			}})
		notes = append(notes, sized(size))
	}
	r.Series = interleave(ctx, l.rounds("stream"), false, cs)
	for i, s := range r.Series {
		s.Note = notes[i]
	}
	r.against("openssh (aes128-gcm)", 10, false)
	return r
}
