package process

import (
	"bytes"
	"errors"
	"strconv"
)

// procStat is the part of /proc/PID/stat that tells who belongs where; see
// proc_pid_stat(5).
type procStat struct {
	pid     int
	comm    string
	state   byte // 'R', 'S', 'D', 'T', 'Z', …
	ppid    int
	pgrp    int
	session int
	threads int
}

var errStat = errors.New("malformed stat line")

// parseStat reads one line of /proc/PID/stat. The name in parentheses may hold
// anything, `) (` and newlines too, but no later field holds a parenthesis:
// the name ends at the last one.
func parseStat(line []byte) (procStat, error) {
	var s procStat
	open, end := bytes.IndexByte(line, '('), bytes.LastIndexByte(line, ')')
	if open < 1 || end < open {
		return s, errStat
	}
	var err error
	if s.pid, err = strconv.Atoi(string(bytes.TrimSpace(line[:open]))); err != nil {
		return s, errStat
	}
	s.comm = string(line[open+1 : end])
	fields := bytes.Fields(line[end+1:])
	// fields[0] is the state, field 3 of the man page; num_threads is field 20.
	if len(fields) < 18 || len(fields[0]) != 1 {
		return s, errStat
	}
	s.state = fields[0][0]
	for _, f := range []struct {
		to *int
		at int
	}{{&s.ppid, 1}, {&s.pgrp, 2}, {&s.session, 3}, {&s.threads, 17}} {
		if *f.to, err = strconv.Atoi(string(fields[f.at])); err != nil {
			return s, errStat
		}
	}
	return s, nil
}

// alive says whether anything of the process can still run. A process whose
// main thread has ended shows as a zombie while its other threads go on.
func (s procStat) alive() bool {
	switch s.state {
	case 'Z', 'X', 'x':
		return s.threads > 1
	}
	return true
}
