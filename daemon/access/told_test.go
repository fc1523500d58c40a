package access

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// If a user changes a file all the time, the log mentions it three times a minute; in the end it
// has the file's last state, and nothing is logged twice.
func TestToldAtMostThreeTimesAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said told
		times := 0
		for i := range 6000 { // two minutes
			if said.news("file", fmt.Sprint("a bad line ", i)) {
				times++
			}
			if said.news("file", "") {
				t.Error("that nothing is wrong is news")
			}
			<-time.After(20 * time.Millisecond)
		}
		if times != 6 {
			t.Errorf("it was told %d times", times)
		}
		if !said.news("another file", "bad") || said.news("another file", "bad") {
			t.Error("another file is told of once")
		}
		<-time.After(time.Minute)
		if !said.news("file", "left so") || said.news("file", "left so") {
			t.Error("what it is left as is told of once")
		}
	})
}
