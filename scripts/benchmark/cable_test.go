//go:build linux

package main

import (
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// A cable delivers late, and loses what is sent while it is cut and what is on its way then: none
// of it comes after the outage.
func TestCable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, near := net.Pipe()
		far, daemon := net.Pipe()
		const delay = 50 * time.Millisecond
		c := &cable{delay: delay}
		c.carry(near, far)
		send := func(packet string) {
			if _, err := client.Write([]byte(packet)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait() // the cable has it
		}
		want := func(packet string) {
			start, buf := time.Now(), make([]byte, cableMTU)
			n, err := daemon.Read(buf)
			if took := time.Since(start); err != nil || string(buf[:n]) != packet || took != delay {
				t.Errorf("%q came after %v (%v), not %q after %v", buf[:n], took, err, packet,
					delay)
			}
		}
		send("before")
		want("before")
		c.cut.Store(true)
		send("sent meanwhile")
		c.cut.Store(false)
		send("after")
		want("after")
		send("on its way")
		c.cut.Store(true)
		<-time.After(delay)
		synctest.Wait()
		c.cut.Store(false)
		send("at last")
		want("at last")
		client.Close()
		c.wg.Wait()
		far.Close()
	})
}

// What is measured after an outage is told beside mosh, and typing has its bound.
func TestCompareAfterOutage(t *testing.T) {
	s := &scene{name: "3 s"}
	add := func(peer string, keys bool, ms float64) *series {
		all := &series{Name: peer, ours: peer == "minissh"}
		all.add(ms, nil)
		s.seats = append(s.seats, &seat{nil, all, keys, peer})
		return all
	}
	key := add("minissh", true, 1001)
	add("mosh", true, 500.5)
	output := add("minissh", false, 5000)
	output.Err = "no"
	add("mosh", false, 10)
	var r result
	r.compare(s)
	if len(r.Series) != 4 || key.Note != "2.00 of mosh" || output.Note != "" {
		t.Errorf("%+v", r)
	}
	if len(r.Checks) != 1 || r.Checks[0].pass() {
		t.Errorf("%v", r.Checks)
	}
	rep := report{Rows: []result{r}}
	if rep.ok(false) {
		t.Error("minissh failed in the second of its series, and the run is called good")
	}
	key.Err = "no"
	r = result{}
	if r.compare(s); len(r.Checks) != 1 || r.Checks[0].Missing == "" {
		t.Errorf("%v", r.Checks)
	}
}
