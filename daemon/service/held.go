//go:build unix

package service

import (
	"fmt"
	"slices"
	"strings"

	"minissh/daemon/access"
	"minissh/protocol"
)

// heldID is what a command is called that could be made a job (JO11).
func (c *command) heldID() string { return fmt.Sprintf("held%d", c.p.PID) }

// held are the commands with a terminal whose client, of the same key, is away (JO11), the oldest
// first.
func (k keeping) held(who *access.Client) (all []*command) {
	k.running.mu.Lock()
	defer k.running.mu.Unlock()
	for _, c := range k.running.of {
		if c.p.TTY == "" || c.who.Key != who.Key || c.who.User != who.User {
			continue
		}
		if c.ch.Session().Traffic().Waiting != nil {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b *command) int { return a.began.Compare(b.began) })
	return all
}

// heldAs is the one of them with that id, or nil.
func (k keeping) heldAs(id string, who *access.Client) *command {
	if !strings.HasPrefix(id, "held") {
		return nil
	}
	for _, c := range k.held(who) {
		if c.heldID() == id {
			return c
		}
	}
	return nil
}

// heldRecords are their records.
func (k keeping) heldRecords(who *access.Client) (records []*protocol.JobRecord) {
	for _, c := range k.held(who) {
		records = append(records, &protocol.JobRecord{ID: c.heldID(), State: protocol.JobHeld,
			Command: protocol.Bytes(c.words[:min(len(c.words), protocol.MaxJobCommand)]),
			PID:     c.p.PID, PTY: true, Began: c.began.UnixMilli()})
	}
	return records
}
