package announce

import (
	"net/netip"
	"time"
)

// Answers to single askers in one second: of all, and of one address.
const (
	maxAnswers = 64
	maxEach    = 4
)

// quota counts answers of the current second.
type quota struct {
	began time.Time
	all   int
	each  map[netip.Addr]int
}

// take says whether one more answer may be sent.
func (q *quota) take(to netip.Addr, now time.Time) bool {
	if now.Sub(q.began) >= time.Second {
		*q = quota{began: now, each: map[netip.Addr]int{}}
	}
	if q.all >= maxAnswers || q.each[to] >= maxEach {
		return false
	}
	q.all++
	q.each[to]++
	return true
}
