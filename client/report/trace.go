package report

import (
	"fmt"
	"io"
	"sync"
	"time"

	"minissh/protocol"
	"minissh/protocol/mux"
)

// Tracer writes every frame in words, one line each: milliseconds since the start, direction,
// header fields, message or first bytes of data.
func Tracer(w io.Writer) func(mux.Direction, protocol.Frame) {
	var mu sync.Mutex
	start := time.Now()
	return func(direction mux.Direction, f protocol.Frame) {
		arrow := "→"
		if direction == mux.Received {
			arrow = "←"
		}
		line := fmt.Sprintf("%9.3f ms %s %s\n", float64(time.Since(start).Microseconds())/1000,
			arrow, protocol.Describe(f, 64))
		mu.Lock()
		defer mu.Unlock()
		io.WriteString(w, line)
	}
}
